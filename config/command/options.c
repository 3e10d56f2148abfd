#define _GNU_SOURCE 1

#include "config/command/options.h"

#include "config/command/command.h"
#include "config/command/text.h"

#include "config/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Those that have set a variable. */
static const struct sg_option *given[64];
static size_t given_count;

static int set_variable(const struct sg_option *option, const char *value)
{
	if (!option->variable)
		return 0;
	if (given_count < sizeof(given) / sizeof(given[0]))
		given[given_count++] = option;
	return setenv(option->variable, value, 1);
}

const char *sg_options_of_variable(const char *variable, size_t length)
{
	for (size_t i = 0; i < given_count; i++)
		if (strlen(given[i]->variable) == length && strncmp(given[i]->variable, variable, length) == 0)
			return given[i]->name;
	return NULL;
}

static void complain_unknown(const struct sg_usage *usage, const char *argument)
{
	struct sg_nearest nearest = {.written = argument};
	char accepted[1024] = "";
	size_t length = 0;

	for (const struct sg_option *option = usage->options; option->name; option++) {
		sg_nearest_offer(&nearest, option->name);
		length += (size_t)snprintf(accepted + length, sizeof(accepted) - length, "%s%s%s, ", option->name,
				option->value ? " " : "", option->value ? option->value : "");
	}
	sg_complain(usage->command, "%s: unknown option%s%s%s; accepted: %s--help", argument, nearest.best ? ", did you mean " : "",
			nearest.best ? nearest.best : "", nearest.best ? "?" : "", accepted);
}

/* 1: it is this option; 0: it is not; -1: its value is missing, or it has one too many. */
static int take(const struct sg_usage *usage, const struct sg_option *option, int count, char **arguments, int *at)
{
	size_t length = strlen(option->name);
	const char *rest = arguments[*at] + length, *value = NULL;

	if (strncmp(arguments[*at], option->name, length) != 0 || (*rest && *rest != '='))
		return 0;
	if (!option->value && *rest) {
		sg_complain(usage->command, "%s: it takes no value; accepted: %s", arguments[*at], option->name);
		return -1;
	}
	if (option->value) {
		value = *rest ? rest + 1 : *at + 1 < count ? arguments[++*at] : NULL;
		if (!value || !*value) {
			sg_complain(usage->command, "%s: no value; accepted: %s %s", option->name, option->name, option->value);
			return -1;
		}
		if (option->ret_value)
			*option->ret_value = value;
	}
	if (set_variable(option, option->value ? value : "1") != 0)
		return -1;
	if (option->ret_given)
		*option->ret_given = true;
	return 1;
}

int sg_options_take(const struct sg_usage *usage, int count, char **arguments, int *ret_status)
{
	bool options = true;
	int left = 0;

	*ret_status = SG_EXIT_TROUBLE;
	for (int i = 1; i < count; i++) {
		const char *argument = arguments[i];
		int taken = 0;

		if (!options || argument[0] != '-' || !argument[1]) {
			if ((!*argument && !(usage->first_ends && left)) || !usage->arguments) {
				sg_complain(usage->command, "\"%s\": not accepted; accepted: %s", argument,
						usage->arguments ? usage->arguments : "options, and no argument");
				return -1;
			}
			arguments[left++] = arguments[i];
			options = options && !usage->first_ends;
			continue;
		}
		if (strcmp(argument, "--") == 0) {
			options = false;
			continue;
		}
		if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
			*ret_status = fputs(usage->text, stdout) < 0 || fflush(stdout) ? SG_EXIT_TROUBLE : SG_EXIT_OK;
			return -1;
		}
		for (const struct sg_option *option = usage->options; option->name && !taken; option++)
			taken = take(usage, option, count, arguments, &i);
		if (!taken)
			complain_unknown(usage, argument);
		if (taken <= 0)
			return -1;
	}
	return left;
}

int sg_options_choose(const char *command, const char *option, const char *value, const char *const *words)
{
	char accepted[256] = "";
	size_t length = 0;

	if (!value)
		return 0;
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], value) == 0)
			return i;
		length += (size_t)snprintf(accepted + length, sizeof(accepted) - length, "%s%s", i ? ", " : "", words[i]);
	}
	sg_complain(command, "%s: \"%s\" is not one; accepted: %s", option, value, accepted);
	return -1;
}
