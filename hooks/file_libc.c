/*
 * file_libc.c - files by name: the libc entries. Their relatives in Python have rules in config/default.conf.
 *
 * Rule: a shell that reads variadic arguments reads what its libc function would, and no more.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"
#include "shim/life/appear.h"

#include <stdarg.h>
#include <string.h>

#define HOOK SG_NATIVE_SHELL
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/file_rows.h"

#include "hooks/poison.h"

/* O_TMPFILE contains the bit of O_DIRECTORY. */
static bool takes_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

#define READ_MODE(mode, flags) \
	do { \
		va_list arguments_; \
		\
		if (!takes_mode(flags)) \
			break; \
		va_start(arguments_, flags); \
		mode = va_arg(arguments_, mode_t); \
		va_end(arguments_); \
	} while (0)

/* A file by name that is none: entropy. */
static bool is_entropy(const char *path)
{
	return path && (strcmp(path, "/dev/urandom") == 0 || strcmp(path, "/dev/random") == 0);
}

#define JUDGE_PATH(name, path) \
	do { \
		if (!sg_context_active()) \
			break; \
		if (is_entropy(path)) \
			SG_NATIVE_JUDGE_AS(random, #name "(/dev/urandom)"); \
		else \
			SG_NATIVE_JUDGE(file, name); \
	} while (0)

#define OPEN(name) \
	SG_EXPORT int SG_SHELL(name)(const char *path, int flags, ...) \
	{ \
		mode_t mode = 0; \
		\
		SG_APPEAR_LOOK(path); \
		JUDGE_PATH(name, path); \
		READ_MODE(mode, flags); \
		return REAL(name)(path, flags, mode); \
	}

#define OPENAT(name) \
	SG_EXPORT int SG_SHELL(name)(int directory, const char *path, int flags, ...) \
	{ \
		mode_t mode = 0; \
		\
		SG_APPEAR_LOOK(path); \
		JUDGE_PATH(name, path); \
		READ_MODE(mode, flags); \
		return REAL(name)(directory, path, flags, mode); \
	}

OPEN(open)
OPEN(open64)
OPEN(__open)
OPEN(__open64)
OPENAT(openat)
OPENAT(openat64)

SG_EXPORT sem_t *SG_SHELL(sem_open)(const char *name, int flags, ...)
{
	va_list arguments;
	unsigned int value = 0;
	mode_t mode = 0;

	SG_NATIVE_JUDGE(file, sem_open);
	if (flags & O_CREAT) {
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		value = va_arg(arguments, unsigned int);
		va_end(arguments);
	}
	return REAL(sem_open)(name, flags, mode, value);
}

SG_EXPORT mqd_t SG_SHELL(mq_open)(const char *name, int flags, ...)
{
	struct mq_attr *attributes = NULL;
	va_list arguments;
	mode_t mode = 0;

	SG_NATIVE_JUDGE(file, mq_open);
	if (flags & O_CREAT) {
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		attributes = va_arg(arguments, struct mq_attr *);
		va_end(arguments);
	}
	return REAL(mq_open)(name, flags, mode, attributes);
}
