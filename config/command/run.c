#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/entries.h"
#include "config/command/options.h"
#include "config/command/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
	"usage: sandglass run [OPTION...] [--] PROGRAM [ARGUMENT...]\n"
	"Becomes the program, with Sandglass in front of LD_PRELOAD. Each option sets the variable beside it; what they\n"
	"mean: sandglass rules, or README.\n"
	"  --mode MODE             SANDGLASS: enforce, strict, answer, warn, observe, off\n"
	"  --log PATH              SANDGLASS_LOG: stderr, or a path with a '/' in it; %p is the process id\n"
	"  --level LEVEL           SANDGLASS_LOG_LEVEL: error, warn, info, debug, trace\n"
	"  --log-format FORMAT     SANDGLASS_LOG_FORMAT: logfmt, json\n"
	"  --summary MINUTES       SANDGLASS_SUMMARY: counts in the log every so many minutes\n"
	"  --rules NAME=ACTION,... SANDGLASS_RULES: allow, log, warn, answer or block, for a rule or PREFIX.*\n"
	"  --config PATH[:PATH]    SANDGLASS_CONFIG: rule files\n"
	"  --passthrough MODULE,.. SANDGLASS_PASSTHROUGH: modules that all runs share\n"
	"  --reload MODULE,...     SANDGLASS_RELOAD: modules that each run gets afresh\n"
	"  --isolation KIND        SANDGLASS_ISOLATION: shared, private, off\n"
	"  --virtual SOURCE,...    SANDGLASS_VIRTUAL: what is answered: clock, random, locale,\n"
	"                          terminal, none\n"
	"  --native VERDICT        SANDGLASS_NATIVE: off, warn, block\n"
	"  --hardened              SANDGLASS_HARDENED=1: also what compiled code does past the C library\n"
	"  --tz ZONE               SANDGLASS_TZ: UTC, a zone, host\n"
	"  --hashseed NUMBER       SANDGLASS_HASHSEED: a number, or random\n"
	"  --required              SANDGLASS_REQUIRED=1: no worker without every guard\n"
	"  --inherit WHICH         SANDGLASS_INHERIT: which child processes keep the preload: all, python, none\n"
	"  --world NUMBER          SANDGLASS_WORLD: for replays, see sandglass check --worlds\n"
	"Exit status: the program's; 2 wrong usage or settings, 126 it cannot be started, 127 there is none.\n";

static const struct sg_option options[] = {
	{"--mode", "MODE", NULL, NULL, "SANDGLASS"},
	{"--log", "PATH", NULL, NULL, "SANDGLASS_LOG"},
	{"--level", "LEVEL", NULL, NULL, "SANDGLASS_LOG_LEVEL"},
	{"--log-format", "FORMAT", NULL, NULL, "SANDGLASS_LOG_FORMAT"},
	{"--summary", "MINUTES", NULL, NULL, "SANDGLASS_SUMMARY"},
	{"--rules", "NAME=ACTION,...", NULL, NULL, "SANDGLASS_RULES"},
	{"--config", "PATH[:PATH]", NULL, NULL, "SANDGLASS_CONFIG"},
	{"--passthrough", "MODULE,...", NULL, NULL, "SANDGLASS_PASSTHROUGH"},
	{"--reload", "MODULE,...", NULL, NULL, "SANDGLASS_RELOAD"},
	{"--isolation", "KIND", NULL, NULL, "SANDGLASS_ISOLATION"},
	{"--virtual", "SOURCE,...", NULL, NULL, "SANDGLASS_VIRTUAL"},
	{"--native", "VERDICT", NULL, NULL, "SANDGLASS_NATIVE"},
	{"--hardened", NULL, NULL, NULL, "SANDGLASS_HARDENED"},
	{"--tz", "ZONE", NULL, NULL, "SANDGLASS_TZ"},
	{"--hashseed", "NUMBER", NULL, NULL, "SANDGLASS_HASHSEED"},
	{"--required", NULL, NULL, NULL, "SANDGLASS_REQUIRED"},
	{"--inherit", "WHICH", NULL, NULL, "SANDGLASS_INHERIT"},
	{"--world", "NUMBER", NULL, NULL, "SANDGLASS_WORLD"},
	{0},
};

int sg_command_run(int count, char **arguments)
{
	const struct sg_usage usage = {"run", usage_text, options, "PROGRAM [ARGUMENT...]", true};
	int status, left = sg_options_take(&usage, count, arguments, &status), result;
	char object[PATH_MAX], error[1024];
	struct sg_config config;

	if (left == 0)
		sg_complain("run", "no program; accepted: [OPTION...] -- PROGRAM [ARGUMENT...]");
	if (left <= 0)
		return left ? status : SG_EXIT_TROUBLE;
	/* Told here: programs that are not Python do not read the settings at all. */
	result = sg_config_load(&config, sg_condition_names, error, sizeof(error));
	if (result)
		sg_command_complain_of_settings("run", error);
	else
		sg_config_release(&config);
	if (result || sg_command_preload("run", object, sizeof(object)) != 0)
		return SG_EXIT_TROUBLE;
	arguments[left] = NULL; /* there is room: arguments[0] was the name of the sub-command */
	execvp(arguments[0], arguments);
	result = errno;
	sg_complain("run", "%s: cannot be started: %s", arguments[0], strerror(result));
	return result == ENOENT ? 127 : 126;
}
