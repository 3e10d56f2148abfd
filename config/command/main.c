#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/entries.h"
#include "config/command/text.h"

#include "config/names.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: sandglass COMMAND ...\n"
	"\n"
	"  run [--mode MODE] [--log PATH] -- PROGRAM...   start a program with Sandglass in it\n"
	"  doctor [PYTHON]                                can Sandglass serve this machine and Python?\n"
	"  explain [RULE|PATTERN...]                      what is refused, why, and what to write instead\n"
	"  audit [--json] PATH...                         what compiled code does by itself\n"
	"  status [PID...]                                what guards a running worker, and what it has seen\n"
	"  help, --version\n"
	"\n"
	"Each tells more with --help. Exit status: 0 all is well, 1 the answer is no, 2 wrong usage or\n"
	"something that could not be read; run ends as the program that it starts.\n";

static const struct {
	const char *name;
	int (*run)(int count, char **arguments);
} commands[] = {
	{"audit", sg_command_audit}, {"doctor", sg_command_doctor}, {"explain", sg_command_explain},
	{"run", sg_command_run}, {"status", sg_command_status},
};

int main(int count, char **arguments)
{
	const char *name = count > 1 ? arguments[1] : "";
	struct sg_nearest nearest = {.written = name};

	if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h"))
		return fputs(help, stdout) < 0 || fflush(stdout) ? SG_EXIT_TROUBLE : SG_EXIT_OK;
	if (!strcmp(name, "--version"))
		return printf("sandglass %s\n", SG_VERSION) < 0 ||
		fflush(stdout) ? SG_EXIT_TROUBLE : SG_EXIT_OK;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(count - 1, arguments + 1);
		sg_nearest_offer(&nearest, commands[i].name);
	}
	if (*name)
		sg_complain("", "%s: unknown command%s%s%s; accepted: run, doctor, explain, "
				"audit, status, help, --version",
				name, nearest.best ? ", did you mean " : "",
				nearest.best ? nearest.best : "",
				nearest.best ? "?" : "");
	else
		fputs(help, stderr);
	return SG_EXIT_TROUBLE;
}
