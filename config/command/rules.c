#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/options.h"
#include "config/command/text.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

static const char usage_text[] =
	"usage: sandglass rules [PATTERN...]\n"
	"The built-in configuration as it stands in libsandglass.so: every setting and rule, and the manual of the format.\n"
	"PATTERN: only the lines of rules whose names fit, such as 'random.*'.\n"
	"`sandglass explain` says what is in force here. Exit status: 0, 1 no rule fits, 2 wrong usage.\n";

/* A line of a rule whose name fits the pattern? */
static bool fits(const char *line, const char *pattern)
{
	char name[300];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, " =\n"), line);
	return *name && *name != '#' && *name != '[' && fnmatch(pattern, name, 0) == 0;
}

static bool write_fitting(int count, char **patterns)
{
	bool found = false, rules = false;

	for (const char *line = sg_default_conf; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (*line == '[')
			rules = strncmp(line, "[rules]", strlen("[rules]")) == 0;
		for (int i = 0; i < count && rules; i++) {
			if (!fits(line, patterns[i]))
				continue;
			printf("%.*s\n", (int)strcspn(line, "\n"), line);
			found = true;
			break;
		}
	}
	return found;
}

int sg_command_rules(int count, char **arguments)
{
	const struct sg_option options[] = {{0}};
	const struct sg_usage usage = {"rules", usage_text, options, "[PATTERN...]", false};
	int status, left = sg_options_take(&usage, count, arguments, &status);
	bool written;

	if (left < 0)
		return status;
	status = SG_EXIT_OK;
	if (left && !write_fitting(left, arguments)) {
		sg_complain("rules", "no rule fits; accepted: a pattern such as 'random.*'");
		status = SG_EXIT_NO;
	}
	written = left || fwrite(sg_default_conf, 1, sg_default_conf_size, stdout) == sg_default_conf_size;
	if (!written || fflush(stdout) || ferror(stdout)) {
		sg_complain("rules", "the text cannot be written: %m");
		return SG_EXIT_TROUBLE;
	}
	return status;
}
