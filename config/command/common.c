#include "config/command/command.h"
#include "config/command/entries.h"
#include "config/command/text.h"

#include <errno.h>
#include <limits.h>
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

int sg_command_object(char *path, size_t size)
{
	static const char *const places[] = {"libsandglass.so", "../lib/libsandglass.so"};
	char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (length <= 0) {
		snprintf(path, size, "/proc/self/exe");
		return -ENOENT;
	}
	own[length] = 0;
	*strrchr(own, '/') = 0;
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
