/*
 * libc.c - files by name: the libc entries. Their relatives in Python have rules in rules.conf.
 *
 * Rule: a shell that reads variadic arguments reads what its libc function would, and no more.
 */
#define _GNU_SOURCE 1
#include "hooks/file/deployment.h"
#include "hooks/native.h"
#include "shim/life/appear.h"

#include <stdarg.h>
#include <string.h>

/* A file by name that is none: entropy. */
static bool is_entropy(const char *path)
{
	return path && (strcmp(path, "/dev/urandom") == 0 || strcmp(path, "/dev/random") == 0);
}

/* On every worker. Empty: nothing, or a descriptor, whose opening was judged. */
static bool is_the_same(const char *path)
{
	return path && (!*path || sg_deployment_installed(path));
}

/* Of who lists the time zone data base, which the host's own zone is among. */
#define ASKING_KIND " stat stat64 lstat lstat64 fstatat fstatat64 statx __xstat __xstat64 __lxstat __lxstat64 __fxstatat __fxstatat64 "
#define IS_ASKING_KIND(name) (__builtin_strstr(ASKING_KIND, " " #name " ") != NULL)

/* looks: it reads, or asks what is there, and changes nothing. path: NULL where the entry has none. */
#define JUDGE_PATH(name, path, looks) \
	do { \
		if (!sg_context_active()) \
			break; \
		if (is_entropy(path)) \
			SG_NATIVE_JUDGE_AS(random, #name "(/dev/urandom)"); \
		else if ((looks) && sg_deployment_processors(path)) \
			SG_NATIVE_JUDGE(pool, name); \
		else if (!((looks) && is_the_same(path)) && !(IS_ASKING_KIND(name) && sg_deployment_host_zone(path))) \
			SG_NATIVE_JUDGE(file, name); \
	} while (0)

/* Entries of rows.h that look and do not change; the compiler works it out. */
#define LOOKING \
	" opendir access faccessat euidaccess eaccess realpath __realpath_chk canonicalize_file_name readlink readlinkat" \
	" __readlink_chk __readlinkat_chk" ASKING_KIND
#define IS_LOOKING(name) (__builtin_strstr(LOOKING, " " #name " ") != NULL)

static const char *const path = NULL; /* that of an entry without a parameter of this name */

#define HOOK(family, need, type, name, parameters, arguments) \
	SG_EXPORT type SG_SHELL(name) parameters; \
	SG_EXPORT type SG_SHELL(name) parameters \
	{ \
		JUDGE_PATH(name, path, IS_LOOKING(name)); \
		return REAL(name) arguments; \
	}
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/file/rows.h"

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

#define OPEN(name) \
	SG_EXPORT int SG_SHELL(name)(const char *path, int flags, ...) \
	{ \
		mode_t mode = 0; \
		\
		SG_APPEAR_LOOK(path); \
		JUDGE_PATH(name, path, SG_ONLY_READS(flags)); \
		READ_MODE(mode, flags); \
		return REAL(name)(path, flags, mode); \
	}

#define OPENAT(name) \
	SG_EXPORT int SG_SHELL(name)(int directory, const char *path, int flags, ...) \
	{ \
		mode_t mode = 0; \
		\
		SG_APPEAR_LOOK(path); \
		JUDGE_PATH(name, path, SG_ONLY_READS(flags)); \
		READ_MODE(mode, flags); \
		return REAL(name)(directory, path, flags, mode); \
	}

OPEN(open)
OPEN(open64)
OPEN(__open)
OPEN(__open64)
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name) \
	SG_EXPORT FILE *SG_SHELL(name)(const char *restrict path, const char *restrict mode) \
	{ \
		JUDGE_PATH(name, path, *mode == 'r' && !strchr(mode, '+')); \
		return REAL(name)(path, mode); \
	}

FOPEN(fopen)
FOPEN(fopen64)

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
