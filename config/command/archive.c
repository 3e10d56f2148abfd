#define _GNU_SOURCE 1

#include "config/command/archive.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <minizip/unzip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_SIZE 4096

struct archive {
	struct sg_findings *findings;
	const char *path;
	unzFile zip;
	char *package, *version;
	size_t root;
	uint64_t unpacked;
	uint64_t members;
	char name[NAME_MAX_SIZE];           /* of the member at hand */
	char full[NAME_MAX_SIZE + 4096];    /* WHEEL/MEMBER */
};

bool sg_archive_skips(const char *name)
{
	static const char *const suffixes[] = {
		".py", ".pyc", ".pyi", ".pyx", ".pxd", ".txt", ".md", ".rst", ".json", ".html",
				".css", ".js",
		".h", ".hpp", ".c", ".cpp", ".toml", ".yaml", ".yml", ".csv", ".png", ".svg", ".gz", NULL
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && suffixes[i]; i++)
		if (strcasecmp(dot, suffixes[i]) == 0)
			return true;
	return false;
}

/* NAME-VERSION.dist-info/..., or NAME-VERSION-TAGS.whl. */
static bool split_name(struct archive *archive, const char *text, const char *end)
{
	const char *dash = memchr(text, '-', (size_t)(end - text)), *stop;

	if (!dash || dash == text)
		return false;
	stop = memchr(dash + 1, '-', (size_t)(end - dash - 1));
	free(archive->package);
	free(archive->version);
	archive->package = strndup(text, (size_t)(dash - text));
	archive->version = strndup(dash + 1, (size_t)((stop ? stop : end) - dash - 1));
	return true;
}

static void name_package(struct archive *archive)
{
	const char *base = strrchr(archive->path, '/');
	int at;

	base = base ? base + 1 : archive->path;
	if (!split_name(archive, base, base + strlen(base)))
		archive->package = strdup(base);
	for (at = unzGoToFirstFile(archive->zip); at == UNZ_OK; at = unzGoToNextFile(archive->zip)) {
		const char *slash, *suffix;

		if (++archive->members > SG_ARCHIVE_MEMBERS_MAX ||
				unzGetCurrentFileInfo64(archive->zip, NULL, archive->name,
					sizeof(archive->name) - 1, NULL, 0, NULL, 0) != UNZ_OK)
			break;
		slash = strchr(archive->name, '/');
		suffix = strstr(archive->name, ".dist-info/");
		if (suffix && suffix + strlen(".dist-info") == slash &&
				split_name(archive, archive->name, suffix))
			break;
	}
	archive->members = 0;
}

static int temporary_file(void)
{
	const char *directory = getenv("TMPDIR");
	char name[4096];
	int file;

	if (!directory || *directory != '/')
		directory = "/tmp";
	file = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (file >= 0)
		return file;
	if (snprintf(name, sizeof(name), "%s/sandglass-XXXXXX", directory) >= (int)sizeof(name))
		return -1;
	file = mkostemp(name, O_CLOEXEC);
	if (file >= 0)
		unlink(name);
	return file;
}

static int write_all(int file, const char *buffer, size_t size)
{
	while (size) {
		ssize_t done = write(file, buffer, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		buffer += done;
		size -= (size_t)done;
	}
	return 0;
}

/* The rest of the member that is open, behind its first bytes. False: a problem was reported. */
static bool unpack(struct archive *archive, int file, char *buffer, size_t size, int first)
{
	uint64_t total = 0;
	int got = first, error;

	while (got > 0) {
		total += (uint64_t)got;
		archive->unpacked += (uint64_t)got;
		if (total > SG_ARCHIVE_MEMBER_MAX || archive->unpacked > SG_ARCHIVE_TOTAL_MAX) {
			sg_findings_problem(archive->findings, archive->full, "unpacks to more than %d GiB",
					total > SG_ARCHIVE_MEMBER_MAX ? 4 : 16);
			return false;
		}
		error = write_all(file, buffer, (size_t)got);
		if (error) {
			sg_findings_problem(archive->findings, archive->full, "cannot be unpacked to "
					"TMPDIR or /tmp: %s", strerror(-error));
			return false;
		}
		got = unzReadCurrentFile(archive->zip, buffer, (unsigned int)size);
	}
	if (got < 0) {
		sg_findings_problem(archive->findings, archive->full,
				"damaged member: it cannot be unpacked");
		return false;
	}
	return true;
}

static int audit_open_member(struct archive *archive)
{
	static char buffer[1 << 16];
	struct sg_object object;
	char message[200];
	int first = unzReadCurrentFile(archive->zip, buffer, sizeof(buffer)), file, error = 0;

	if (first < 0) {
		sg_findings_problem(archive->findings, archive->full,
				"damaged member: it cannot be unpacked");
		return 0;
	}
	if (first < SELFMAG || memcmp(buffer, ELFMAG, SELFMAG) != 0)
		return 0;
	file = temporary_file();
	if (file < 0) {
		sg_findings_problem(archive->findings, archive->full,
				"no file can be made in TMPDIR or /tmp: %s",
				strerror(errno));
		return 0;
	}
	if (unpack(archive, file, buffer, sizeof(buffer), first)) {
		error = sg_object_read(&object, file, archive->name, message, sizeof(message));
		if (error == -ENOEXEC)
			error = 0; /* .o and .a files are no business of a package's user */
		else if (error) {
			sg_findings_problem(archive->findings, archive->full, "%s", message);
			error = 0;
		} else {
			error = sg_findings_add(archive->findings, &object, archive->full, archive->package,
					archive->version, archive->root, false);
		}
	}
	close(file);
	return error;
}

static int audit_member(struct archive *archive)
{
	unz_file_info64 info;
	int error;

	if (unzGetCurrentFileInfo64(archive->zip, &info, archive->name, sizeof(archive->name) - 1,
				NULL, 0, NULL, 0) != UNZ_OK) {
		sg_findings_problem(archive->findings, archive->path,
				"damaged archive: the list of its members is not valid");
		return 1;
	}
	archive->name[sizeof(archive->name) - 1] = 0;
	if (info.size_filename < sizeof(archive->name))
		archive->name[info.size_filename] = 0;
	snprintf(archive->full, sizeof(archive->full), "%s/%s", archive->path, archive->name);
	if (info.size_filename >= sizeof(archive->name) - 1) {
		sg_findings_problem(archive->findings, archive->path,
				"a member's name has more than 4094 bytes");
		return 0;
	}
	if (!info.uncompressed_size || sg_archive_skips(archive->name))
		return 0;
	if (info.flag & 1) {
		sg_findings_problem(archive->findings, archive->full,
				"encrypted, so it cannot be looked at");
		return 0;
	}
	if (unzOpenCurrentFile(archive->zip) != UNZ_OK) {
		sg_findings_problem(archive->findings, archive->full,
				"damaged member, or packed in a way that "
				"wheels do not use (method %lu)", info.compression_method);
		return 0;
	}
	error = audit_open_member(archive);
	/* A wrong checksum is told only where the whole member was read. */
	if (unzCloseCurrentFile(archive->zip) == UNZ_CRCERROR && !error)
		sg_findings_problem(archive->findings, archive->full,
				"damaged member: its checksum is wrong");
	return error;
}

int sg_archive_audit(struct sg_findings *findings, const char *path, size_t root)
{
	struct archive *archive = calloc(1, sizeof(*archive));
	int at, error = 0;

	if (!archive)
		return -ENOMEM;
	archive->findings = findings;
	archive->path = path;
	archive->root = root;
	archive->zip = unzOpen64(path);
	if (!archive->zip) {
		sg_findings_problem(findings, path, "not a zip archive, or its end is missing "
				"(truncated?)");
		free(archive);
		return 0;
	}
	name_package(archive);
	at = unzGoToFirstFile(archive->zip);
	while (at == UNZ_OK && !error) {
		if (archive->members++ >= SG_ARCHIVE_MEMBERS_MAX) {
			sg_findings_problem(findings, path,
					"more than a million members; the others were not looked at");
			break;
		}
		error = audit_member(archive);
		if (!error)
			at = unzGoToNextFile(archive->zip);
	}
	if (at != UNZ_OK && at != UNZ_END_OF_LIST_OF_FILE)
		sg_findings_problem(findings, path, "damaged archive: the list of its members "
				"breaks off after %llu",
				(unsigned long long)archive->members);
	unzClose(archive->zip);
	free(archive->package);
	free(archive->version);
	free(archive);
	return error > 0 ? 0 : error;
}
