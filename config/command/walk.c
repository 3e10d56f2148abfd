#define _GNU_SOURCE 1

#include "config/command/walk.h"

#include "config/command/archive.h"
#include "config/command/distribution.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 65536

struct walk {
	struct sg_findings *findings;
	size_t root;
	size_t first;               /* of this root's findings */
	struct sg_names seen;       /* "DEVICE:INODE" of the objects */
	struct sg_distributions distributions;
	char path[PATH_SIZE];       /* of the file at hand */
};

static void problem(struct walk *walk, int error, const char *what)
{
	sg_findings_problem(walk->findings, walk->path, "%s: %s", what, strerror(error));
}

/* False when it has been looked at before; *ret_error then says whether for want of memory. */
static bool is_new(struct walk *walk, const struct stat *status, int *ret_error)
{
	char *key;

	*ret_error = 0;
	if (asprintf(&key, "%llx:%llx", (unsigned long long)status->st_dev,
				(unsigned long long)status->st_ino) < 0) {
		*ret_error = -ENOMEM;
		return false;
	}
	*ret_error = sg_names_add(&walk->seen, key, 0);
	if (!*ret_error)
		return true;
	free(key);
	if (*ret_error == -EEXIST)
		*ret_error = 0;
	return false;
}

static void forget_seen(struct walk *walk)
{
	for (size_t i = 0; i < walk->seen.capacity; i++)
		free((char *)walk->seen.keys[i]);
	sg_names_release(&walk->seen);
}

/* Development packages have texts for the linker under such names. */
static bool is_linker_script(int file)
{
	static const char *const beginnings[] = {"/* GNU ld script", "INPUT", "GROUP", "OUTPUT_FORMAT"};
	char text[16] = "";

	if (pread(file, text, sizeof(text), 0) <= 0)
		return false;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (memcmp(text, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

/* A file that is no object: said only of what ought to be one. */
static void not_an_object(struct walk *walk, int file, bool empty, bool alone)
{
	const char *name = walk->path;
	size_t length = strlen(name);

	if (alone)
		sg_findings_problem(walk->findings, name, "%s", empty ? "empty file" :
				"neither an ELF file nor a wheel; accepted: shared objects, "
						"programs, wheels "
				"and directories");
	else if (length > 3 && strcmp(name + length - 3, ".so") == 0 && !is_linker_script(file))
		sg_findings_problem(walk->findings, name, "%s", empty ? "empty file" :
				"named as a shared object, but not an ELF file");
}

/* The file is open and regular. alone: the user named it. */
static int audit_file(struct walk *walk, int file, const struct stat *status, bool alone)
{
	const char *base = strrchr(walk->path, '/');
	struct sg_object object;
	char message[200];
	int error = sg_object_is_elf(file);

	if (error < 0) {
		problem(walk, -error, "cannot be read");
		return 0;
	}
	if (!error) {
		not_an_object(walk, file, !status->st_size, alone);
		return 0;
	}
	if (!is_new(walk, status, &error))
		return error;
	base = base ? base + 1 : walk->path;
	error = sg_object_read(&object, file, base, message, sizeof(message));
	if (error == -ENOEXEC && !alone)
		return 0;
	if (error) {
		sg_findings_problem(walk->findings, walk->path, "%s", message);
		return 0;
	}
	return sg_findings_add(walk->findings, &object, walk->path, alone ? base : NULL, NULL,
			walk->root, alone);
}

static bool is_wheel_name(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && (strcasecmp(name + length - 4, ".whl") == 0 ||
			strcasecmp(name + length - 4, ".egg") == 0);
}

/* O_NONBLOCK: a fifo that took the file's place meanwhile must not make us wait. */
static int audit_entry(struct walk *walk, int directory, const char *name)
{
	struct stat status;
	int file = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error = 0;

	if (file < 0) {
		problem(walk, errno, "cannot be opened");
		return 0;
	}
	if (fstat(file, &status) != 0)
		problem(walk, errno, "cannot be examined");
	else if (S_ISREG(status.st_mode) && is_wheel_name(name))
		error = sg_archive_audit(walk->findings, walk->path, walk->root);
	else if (S_ISREG(status.st_mode))
		error = audit_file(walk, file, &status, false);
	close(file);
	return error;
}

static int audit_directory(struct walk *walk, int directory, size_t length, int depth);

/* Is the entry worth a look? 'D' a directory, 'F' a file, 0 neither. */
static char kind_of_entry(struct walk *walk, int directory, const struct dirent *entry)
{
	struct stat status;
	bool link = entry->d_type == DT_LNK;

	if (entry->d_type == DT_DIR)
		return 'D';
	if (entry->d_type == DT_REG)
		return sg_archive_skips(entry->d_name) ? 0 : 'F';
	if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
		return 0;
	if (entry->d_type == DT_UNKNOWN) {
		if (fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
			problem(walk, errno, "cannot be examined");
			return 0;
		}
		link = S_ISLNK(status.st_mode);
	}
	if (link && fstatat(directory, entry->d_name, &status, 0) != 0) {
		if (errno == ELOOP)
			sg_findings_problem(walk->findings, walk->path,
			"a symbolic link that leads to itself");
		else if (strstr(entry->d_name, ".so") || errno != ENOENT)
			problem(walk, errno, "the link leads nowhere");
		return 0;
	}
	if (S_ISDIR(status.st_mode))
		return link ? 0 : 'D';
	return S_ISREG(status.st_mode) && !sg_archive_skips(entry->d_name) ? 'F' : 0;
}

static int enter(struct walk *walk, int directory, const char *name, size_t length, int depth)
{
	int error, inner;

	if (depth >= SG_WALK_DEPTH_MAX) {
		sg_findings_problem(walk->findings, walk->path,
				"deeper than %d directories, not looked into",
				SG_WALK_DEPTH_MAX);
		return 0;
	}
	inner = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (inner < 0) {
		problem(walk, errno, "cannot be opened");
		return 0;
	}
	error = sg_distributions_offer(&walk->distributions, walk->path);
	if (error) {
		close(inner);
		return error;
	}
	return audit_directory(walk, inner, length, depth + 1);
}

/* Closes the directory. length: of its path in walk->path. */
static int audit_directory(struct walk *walk, int directory, size_t length, int depth)
{
	DIR *stream = fdopendir(directory);
	struct dirent *entry;
	int error = 0;

	if (!stream) {
		problem(walk, errno, "cannot be opened");
		close(directory);
		return 0;
	}
	while (!error && (errno = 0, entry = readdir(stream))) {
		size_t name = strlen(entry->d_name);
		size_t slash = length && walk->path[length - 1] == '/' ? 0 : 1;
		char kind;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (length + slash + name >= PATH_SIZE) {
			sg_findings_problem(walk->findings, walk->path,
					"a path below it has more than 65535 bytes");
			continue;
		}
		if (slash)
			walk->path[length] = '/';
		memcpy(walk->path + length + slash, entry->d_name, name + 1);
		kind = kind_of_entry(walk, directory, entry);
		if (kind == 'D')
			error = enter(walk, directory, entry->d_name, length + slash + name, depth);
		else if (kind == 'F')
			error = audit_entry(walk, directory, entry->d_name);
		walk->path[length] = 0;
		errno = 0;
	}
	if (!error && errno)
		problem(walk, errno, "cannot be read to its end");
	closedir(stream);
	return error;
}

static int audit_root(struct walk *walk)
{
	struct stat status;
	char magic[4] = "";
	int file = open(walk->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error = 0;

	if (file < 0) {
		if (errno == ELOOP)
			sg_findings_problem(walk->findings, walk->path,
			"a symbolic link that leads to itself");
		else
			problem(walk, errno, "cannot be opened");
		return 0;
	}
	if (fstat(file, &status) != 0) {
		problem(walk, errno, "cannot be examined");
	} else if (S_ISDIR(status.st_mode)) {
		return audit_directory(walk, file, strlen(walk->path), 0);
	} else if (!S_ISREG(status.st_mode)) {
		sg_findings_problem(walk->findings, walk->path,
				"neither a file nor a directory; accepted: shared "
				"objects, programs, wheels and directories");
	} else if (is_wheel_name(walk->path) || (pread(file, magic, 4, 0) == 4 &&
				memcmp(magic, "PK\3\4", 4) == 0)) {
		error = sg_archive_audit(walk->findings, walk->path, walk->root);
	} else {
		error = audit_file(walk, file, &status, true);
	}
	close(file);
	return error;
}

int sg_walk_audit(struct sg_findings *findings, size_t root)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	const char *path = findings->roots[root];
	size_t length = strlen(path);
	int error;

	if (!walk)
		return -ENOMEM;
	walk->findings = findings;
	walk->root = root;
	walk->first = findings->count;
	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length >= PATH_SIZE) {
		sg_findings_problem(findings, path, "a path of more than 65535 bytes");
		free(walk);
		return 0;
	}
	memcpy(walk->path, path, length);
	error = audit_root(walk);
	if (!error)
		error = sg_distributions_assign(&walk->distributions, findings, walk->first);
	sg_distributions_release(&walk->distributions);
	forget_seen(walk);
	free(walk);
	return error;
}
