#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/preload.h"
#include "config/command/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: sandglass run [--mode MODE] [--log PATH] -- PROGRAM [ARGUMENT...]\n"
	"Becomes the program, with Sandglass in front of LD_PRELOAD.\n"
	"  --mode MODE   sets SANDGLASS: enforce, strict, warn, observe, off\n"
	"  --log PATH    sets SANDGLASS_LOG: stderr, or a path with a '/' in it; %p is the process id\n"
	"Exit status: the program's; 2 wrong usage or settings, 126 it cannot be started, 127 "
	"there is none.\n";

/* "--NAME VALUE" or "--NAME=VALUE": 1 and the variable is set, 0 it is another, -1 it has no value. */
static int take(const char *name, const char *variable, char **arguments, int *at)
{
	size_t length = strlen(name);
	const char *value;

	if (strncmp(arguments[*at], name, length) != 0 || (arguments[*at][length] &&
			arguments[*at][length] != '='))
		return 0;
	value = arguments[*at][length] ? arguments[*at] + length + 1 : arguments[++*at];
	if (!value || !*value) {
		sg_complain("run", "%s: no value; accepted: %s %s", name, name, strcmp(name,
				"--log") ? "MODE" : "PATH");
		return -1;
	}
	return setenv(variable, value, 1) ? -1 : 1;
}

/* Index of the program's name; 0: --help, -1: wrong usage. */
static int parse(int count, char **arguments)
{
	for (int i = 1; i < count; i++) {
		int taken;

		if (strcmp(arguments[i], "--") == 0 || arguments[i][0] != '-') {
			i += arguments[i][0] == '-';
			if (i < count && *arguments[i])
				return i;
			break;
		}
		if (!strcmp(arguments[i], "--help") || !strcmp(arguments[i], "-h")) {
			fputs(usage, stdout);
			return 0;
		}
		taken = take("--mode", "SANDGLASS", arguments, &i);
		if (!taken)
			taken = take("--log", "SANDGLASS_LOG", arguments, &i);
		if (!taken)
			sg_complain("run", "%s: unknown option; accepted: --mode MODE, --log "
			"PATH, --help, --", arguments[i]);
		if (taken <= 0)
			return -1;
	}
	sg_complain("run", "no program; accepted: [--mode MODE] [--log PATH] -- PROGRAM [ARGUMENT...]");
	return -1;
}

int sg_command_run(int count, char **arguments)
{
	char object[PATH_MAX];
	struct sg_config config;
	bool off;
	int program = parse(count, arguments), result;

	if (program <= 0)
		return program ? SG_EXIT_TROUBLE : SG_EXIT_OK;
	/* Told here: programs that are not Python do not read the settings at all. */
	if (sg_command_config(&config, "run", &off) != 0)
		return SG_EXIT_TROUBLE;
	sg_config_release(&config);
	if (off)
		setenv("SANDGLASS", "off", 1);
	if (sg_command_object(object, sizeof(object)) != 0) {
		sg_complain("run", "%s: the object is not there; accepted: libsandglass.so beside "
				"this program, or in "
				"../lib of its directory (make, make install)", object);
		return SG_EXIT_TROUBLE;
	}
	result = sg_preload_add(object);
	if (result) {
		sg_complain("run", "%s: %s", object, result == -EINVAL ? "the loader cuts "
				"LD_PRELOAD at blanks and colons, "
				"so the object cannot be used there; accepted: a directory "
				"without them" : strerror(-result));
		return SG_EXIT_TROUBLE;
	}
	execvp(arguments[program], arguments + program);
	result = errno;
	sg_complain("run", "%s: cannot be started: %s", arguments[program], strerror(result));
	return result == ENOENT ? 127 : 126;
}
