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
	"  run [OPTION...] -- PROGRAM...     start a program with Sandglass in it\n"
	"  check [OPTION...] FILE...         load workflow files, replay histories: what would be refused?\n"
	"  report [OPTION...] LOG...         what logs say, added up: who does what, what would be refused\n"
	"  explain [RULE|MESSAGE...]         what is refused, why, and what to write instead\n"
	"  rules [PATTERN...]                the built-in configuration, and the manual of its format\n"
	"  doctor [PYTHON|VENV]              can Sandglass serve this machine and Python?\n"
	"  audit [OPTION...] PATH...         what compiled code does by itself\n"
	"  status [OPTION...] [PID...]       what guards a running worker, and what it has seen\n"
	"  object                            the path to put into LD_PRELOAD\n"
	"  completion bash|zsh|fish          a script for the shell\n"
	"  help [COMMAND], --version\n"
	"\n"
	"Each tells more with --help. Exit status: 0 all is well, 1 the answer is no, 2 wrong usage or\n"
	"something that could not be read; run ends as the program that it starts.\n";

static const struct {
	const char *name;
	int (*run)(int count, char **arguments);
} commands[] = {
	{"audit", sg_command_audit}, {"check", sg_command_check}, {"completion", sg_command_completion},
	{"doctor", sg_command_doctor}, {"explain", sg_command_explain}, {"object", sg_command_object},
	{"report", sg_command_report}, {"rules", sg_command_rules}, {"run", sg_command_run},
	{"status", sg_command_status},
};

/* The sub-command of that name; NULL with a complaint. */
static int (*find(const char *name))(int count, char **arguments)
{
	struct sg_nearest nearest = {.written = name};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run;
		sg_nearest_offer(&nearest, commands[i].name);
	}
	sg_complain("", "%s: unknown command%s%s%s; accepted: run, check, report, explain, rules, doctor, audit, status, object, completion, "
			"help, --version", name, nearest.best ? ", did you mean " : "", nearest.best ? nearest.best : "",
			nearest.best ? "?" : "");
	return NULL;
}

int main(int count, char **arguments)
{
	const char *name = count > 1 ? arguments[1] : "";
	char *help_of[] = {count > 2 ? arguments[2] : NULL, "--help", NULL};
	int (*run)(int count, char **arguments);
	bool helps = !strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h");

	if (helps && !help_of[0])
		return fputs(help, stdout) < 0 || fflush(stdout) ? SG_EXIT_TROUBLE : SG_EXIT_OK;
	if (!strcmp(name, "--version"))
		return printf("sandglass %s\n", SG_VERSION) < 0 ||
		fflush(stdout) ? SG_EXIT_TROUBLE : SG_EXIT_OK;
	if (!*name) {
		fputs(help, stderr);
		return SG_EXIT_TROUBLE;
	}
	run = find(helps ? help_of[0] : name);
	if (!run)
		return SG_EXIT_TROUBLE;
	return helps ? run(2, help_of) : run(count - 1, arguments + 1);
}
