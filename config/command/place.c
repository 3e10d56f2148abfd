#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/options.h"
#include "config/command/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
	"usage: sandglass object\n"
	"Prints the path of the object, for LD_PRELOAD:\n"
	"  LD_PRELOAD=$(sandglass object) python worker.py\n"
	"Exit status: 0; 2 wrong usage, or it is not there.\n";

bool sg_command_directory(char directory[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", directory, PATH_MAX - 1);

	if (length <= 0)
		return false;
	directory[length] = '\0';
	*strrchr(directory, '/') = '\0';
	return true;
}

int sg_command_find_object(char *path, size_t size)
{
	static const char *const places[] = {"libsandglass.so", "../lib/libsandglass.so",
		"../lib/sandglass/libsandglass.so"};
	char own[PATH_MAX];

	if (!sg_command_directory(own)) {
		snprintf(path, size, "/proc/self/exe");
		return -ENOENT;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *resolved;

		if (snprintf(path, size, "%s/%s", own, places[i]) >= (int)size)
			return -ENAMETOOLONG;
		resolved = realpath(path, NULL);
		if (!resolved)
			continue;
		snprintf(path, size, "%s", resolved);
		free(resolved);
		return 0;
	}
	return -ENOENT;
}

int sg_command_need_object(const char *command, char *path, size_t size)
{
	int result = sg_command_find_object(path, size);

	if (result)
		sg_complain(command, "%s: the object is not there; accepted: libsandglass.so beside this program, or in ../lib or "
			"../lib/sandglass of its directory (make, make install)", path);
	return result;
}

int sg_command_object(int count, char **arguments)
{
	const struct sg_option options[] = {{0}};
	const struct sg_usage usage = {"object", usage_text, options, NULL, false};
	char path[PATH_MAX];
	int status;

	if (sg_options_take(&usage, count, arguments, &status) < 0)
		return status;
	if (sg_command_need_object("object", path, sizeof(path)) != 0)
		return SG_EXIT_TROUBLE;
	return puts(path) < 0 || fflush(stdout) ? SG_EXIT_TROUBLE : SG_EXIT_OK;
}
