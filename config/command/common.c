#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/entries.h"
#include "config/command/options.h"
#include "config/command/preload.h"
#include "config/command/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void sg_command_complain_of_settings(const char *command, const char *error)
{
	static const char source[] = "environment: ";
	const char *variable = error + strlen(source), *rest = strstr(error, " = "), *option = NULL;

	if (strncmp(error, source, strlen(source)) == 0 && rest)
		option = sg_options_of_variable(variable, (size_t)(rest - variable));
	if (option)
		sg_complain(command, "%s%s", option, rest);
	else
		sg_complain(command, "%s", error);
}

int sg_command_config(struct sg_config *ret_config, const char *command, bool *ret_off)
{
	char error[1024];
	int result;

	*ret_off = false;
	result = sg_config_load(ret_config, sg_condition_names, error, sizeof(error));
	if (!result && ret_config->mode == SG_MODE_OFF && !ret_config->rule_count) {
		sg_config_release(ret_config);
		unsetenv("SANDGLASS");
		*ret_off = true;
		result = sg_config_load(ret_config, sg_condition_names, error, sizeof(error));
	}
	if (result)
		sg_command_complain_of_settings(command, error);
	return result;
}

void sg_command_clear_settings(void)
{
	for (char **variable = environ; variable && *variable;) {
		char name[256];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*variable, "="), *variable);
		if (strncmp(name, "SANDGLASS", strlen("SANDGLASS")) != 0 || unsetenv(name) != 0)
			variable++;
	}
}

int sg_command_preload(const char *command, char *path, size_t size)
{
	int error = sg_command_need_object(command, path, size);

	if (error)
		return -1;
	error = sg_preload_add(path);
	if (error)
		sg_complain(command, "%s: %s", path, error == -EINVAL ? "the loader cuts LD_PRELOAD at blanks and colons, "
				"so the object cannot be used there; accepted: a directory without them" : strerror(-error));
	return error ? -1 : 0;
}

/* Is there a Python beside this program? A wheel puts it there; where a distribution keeps its programs, PATH says which is meant. */
static bool find_neighbour(char *path, size_t size)
{
	char own[PATH_MAX];

	return sg_command_directory(own) && strcmp(own, "/usr/bin") != 0 &&
		snprintf(path, size, "%s/python", own) < (int)size && access(path, X_OK) == 0;
}

const char *sg_command_python(const char *given, char *chosen, size_t size)
{
	const char *environment = given ? given : getenv("VIRTUAL_ENV");

	if (environment && *environment && snprintf(chosen, size, "%s/bin/python", environment) < (int)size && access(chosen, X_OK) == 0)
		return chosen;
	return given ? given : find_neighbour(chosen, size) ? chosen : "python3";
}
