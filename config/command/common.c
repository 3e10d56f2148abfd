#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/entries.h"
#include "config/command/preload.h"
#include "config/command/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
		sg_complain(command, "%s", error);
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

const char *sg_command_python(const char *given, char *chosen, size_t size)
{
	const char *environment = given ? given : getenv("VIRTUAL_ENV");

	if (environment && *environment && snprintf(chosen, size, "%s/bin/python", environment) < (int)size && access(chosen, X_OK) == 0)
		return chosen;
	return given ? given : "python3";
}
