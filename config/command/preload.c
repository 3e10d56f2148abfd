#define _GNU_SOURCE 1

#include "config/command/preload.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SEPARATORS ": \t"

static bool has(char *list, const char *object)
{
	struct stat wanted, status;
	char *rest = NULL;

	if (stat(object, &wanted) != 0)
		return false;
	for (char *item = strtok_r(list, SEPARATORS, &rest); item; item = strtok_r(NULL, SEPARATORS, &rest))
		if (stat(item, &status) == 0 && status.st_dev == wanted.st_dev &&
		status.st_ino == wanted.st_ino)
			return true;
	return false;
}

int sg_preload_add(const char *object)
{
	const char *old = getenv("LD_PRELOAD");
	char *text;
	int error = 0;

	if (strpbrk(object, SEPARATORS))
		return -EINVAL;
	if (!old || !*old)
		return setenv("LD_PRELOAD", object, 1) ? -errno : 0;
	text = strdup(old);
	if (!text)
		return -ENOMEM;
	if (has(text, object)) {
		free(text);
		return 0;
	}
	free(text);
	if (asprintf(&text, "%s:%s", object, old) < 0)
		return -ENOMEM;
	if (setenv("LD_PRELOAD", text, 1) != 0)
		error = -errno;
	free(text);
	return error;
}
