#define _GNU_SOURCE 1

#include "config/command/distribution.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".dist-info"
#define DIRECTORIES_MAX 100000
#define LINE_SIZE 8192          /* a longer line of RECORD is not that of an object we could have found */

int sg_distributions_offer(struct sg_distributions *distributions, const char *path)
{
	size_t length = strlen(path);

	if (length <= strlen(SUFFIX) || strcmp(path + length - strlen(SUFFIX), SUFFIX) != 0 ||
			distributions->count == DIRECTORIES_MAX)
		return 0;
	if (distributions->count == distributions->capacity) {
		size_t capacity = distributions->capacity ? distributions->capacity * 2 : 64;
		char **directories = reallocarray(distributions->directories, capacity,
				sizeof(*directories));

		if (!directories)
			return -ENOMEM;
		distributions->directories = directories;
		distributions->capacity = capacity;
	}
	distributions->directories[distributions->count] = strdup(path);
	if (!distributions->directories[distributions->count])
		return -ENOMEM;
	distributions->count++;
	return 0;
}

/* The first field of a line of CSV, in place. */
static char *first_field(char *line)
{
	char *to = line, *from = line;

	if (*line != '"') {
		line[strcspn(line, ",\r\n")] = 0;
		return line;
	}
	for (from++; *from; from++) {
		if (*from == '"' && *++from != '"')
			break;
		*to++ = *from;
	}
	*to = 0;
	return line;
}

/* SITE/PATH with "." and ".." taken out, in path[size]; false when it does not fit. */
static bool join(char *path, size_t size, const char *site, size_t site_length, const char *relative)
{
	size_t length = site_length;

	if (site_length + strlen(relative) + 2 > size)
		return false;
	memcpy(path, site, site_length);
	while (*relative) {
		size_t part = strcspn(relative, "/");

		if (part == 2 && memcmp(relative, "..", 2) == 0) {
			while (length && path[length - 1] != '/')
				length--;
			length -= length != 0;
		} else if (part && !(part == 1 && *relative == '.')) {
			if (length || site_length)
				path[length++] = '/';
			memcpy(path + length, relative, part);
			length += part;
		}
		relative += part + (relative[part] == '/');
	}
	path[length] = 0;
	return true;
}

static int give(struct sg_finding *finding, const char *name, size_t name_length, const char *version,
		size_t version_length)
{
	if (finding->package)
		return 0; /* two distributions claim it: the first that was found has it */
	finding->package = strndup(name, name_length);
	finding->version = version_length ? strndup(version, version_length) : NULL;
	return finding->package && (finding->version || !version_length) ? 0 : -ENOMEM;
}

/* Does nothing when RECORD cannot be read: the directory's name is then all there is to go by. */
static int assign_record(const char *directory, struct sg_findings *findings, const struct sg_names *paths)
{
	const char *base = strrchr(directory, '/') ? strrchr(directory, '/') + 1 : directory;
	size_t base_length = strlen(base) - strlen(SUFFIX);
	const char *dash = memrchr(base, '-', base_length);
	size_t name_length = dash ? (size_t)(dash - base) : base_length;
	size_t site_length = base > directory ? (size_t)(base - directory - 1) : 0, index;
	char line[LINE_SIZE], path[LINE_SIZE * 2];
	struct stat status;
	FILE *record;
	int file, error = 0;
	bool whole = true;

	if (snprintf(path, sizeof(path), "%s/RECORD", directory) >= (int)sizeof(path))
		return 0;
	file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
		if (file >= 0)
			close(file);
		return 0;
	}
	record = fdopen(file, "r");
	if (!record) {
		close(file);
		return -ENOMEM;
	}
	while (!error && fgets(line, sizeof(line), record)) {
		bool begins = whole;

		whole = strchr(line, '\n') != NULL;
		if (begins && whole && join(path, sizeof(path), directory, site_length,
				first_field(line)) &&
				sg_names_find(paths, path, &index))
			error = give(&findings->list[index], base, name_length, dash ? dash + 1 : "",
					dash ? base_length - name_length - 1 : 0);
	}
	fclose(record);
	return error;
}

/* numpy.libs is where numpy's wheel keeps the libraries that it brings. */
static int guess(struct sg_finding *finding, const char *root)
{
	const char *path = finding->path, *site, *slash;
	size_t length, root_length = strlen(root);

	if (strstr(path, "/lib-dynload/"))
		return give(finding, "Python's own modules", strlen("Python's own modules"), "", 0);
	if (strncmp(path, root, root_length) == 0)
		path += root_length;
	while ((site = strstr(path, "site-packages/")) || (site = strstr(path, "dist-packages/")))
		path = site + strlen("site-packages/");
	path += strspn(path, "/");
	slash = strchr(path, '/');
	length = slash ? (size_t)(slash - path) : strcspn(path, ".");
	if (slash && length > 5 && memcmp(slash - 5, ".libs", 5) == 0)
		length -= 5;
	if (!length) {
		path = strrchr(finding->path, '/') ? strrchr(finding->path, '/') + 1 : finding->path;
		length = strlen(path);
	}
	return give(finding, path, length, "", 0);
}

int sg_distributions_assign(struct sg_distributions *distributions, struct sg_findings *findings,
		size_t first)
{
	struct sg_names paths = {0};
	int error = 0;

	for (size_t i = first; i < findings->count && !error; i++) {
		error = sg_names_add(&paths, findings->list[i].path, i);
		if (error == -EEXIST)
			error = 0;
	}
	for (size_t i = 0; i < distributions->count && !error; i++)
		error = assign_record(distributions->directories[i], findings, &paths);
	for (size_t i = first; i < findings->count && !error; i++)
		if (!findings->list[i].package)
			error = guess(&findings->list[i], findings->roots[findings->list[i].root]);
	sg_names_release(&paths);
	return error;
}

void sg_distributions_release(struct sg_distributions *distributions)
{
	for (size_t i = 0; i < distributions->count; i++)
		free(distributions->directories[i]);
	free(distributions->directories);
}
