#define _GNU_SOURCE 1
#include "shim/base/older.h"

#include "shim/base/raw.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

static int give(long result)
{
	if (result < 0) {
		errno = (int)-result;
		return -1;
	}
	return (int)result;
}

/* --- files: before glibc 2.33 names with a version in front, __xstat() --------------------------- */

/* The kernel's struct stat is the C library's on 64-bit machines, whatever its name says. */
static int older_fstatat(int directory, const char *path, struct stat *ret_status, int flags)
{
	return give(sg_raw_syscall(SYS_newfstatat, directory, (long)path, (long)ret_status, flags));
}

static int older_stat(const char *path, struct stat *ret_status)
{
	return older_fstatat(AT_FDCWD, path, ret_status, 0);
}

static int older_lstat(const char *path, struct stat *ret_status)
{
	return older_fstatat(AT_FDCWD, path, ret_status, AT_SYMLINK_NOFOLLOW);
}

static int older_mknodat(int directory, const char *path, mode_t mode, dev_t device)
{
	if (device > UINT32_MAX)
		return give(-EINVAL);
	return give(sg_raw_syscall(SYS_mknodat, directory, (long)path, mode, (long)device));
}

static int older_mknod(const char *path, mode_t mode, dev_t device)
{
	return older_mknodat(AT_FDCWD, path, mode, device);
}

/* --- randomness: since glibc 2.36 ---------------------------------------------------------------- */

static void older_arc4random_buf(void *buffer, size_t size)
{
	while (size) {
		long got = sg_raw_syscall(SYS_getrandom, (long)buffer, (long)size, 0, 0);

		if (got == -EINTR)
			continue;
		if (got < 0)
			__builtin_trap(); /* there is no way to say so, and nobody may go on with what is no random number */
		buffer = (char *)buffer + got;
		size -= (size_t)got;
	}
}

static uint32_t older_arc4random(void)
{
	uint32_t number;

	older_arc4random_buf(&number, sizeof(number));
	return number;
}

static uint32_t older_arc4random_uniform(uint32_t bound)
{
	uint32_t number;

	if (bound < 2)
		return 0;
	do /* what is left below 2^32 modulo bound would make small numbers likelier */
		number = older_arc4random();
	while (number < -bound % bound);
	return number % bound;
}

/* --- processes ------------------------------------------------------------------------------------ */

static int older_execveat(int directory, const char *path, char *const *arguments, char *const *environment, int flags)
{
	return give(sg_raw_syscall6(SYS_execveat, directory, (long)path, (long)arguments, (long)environment, flags, 0));
}

static int older_pidfd_open(pid_t process, unsigned int flags)
{
	return give(sg_raw_syscall(SYS_pidfd_open, process, flags, 0, 0));
}

static pid_t older_gettid(void)
{
	return (pid_t)sg_raw_syscall(SYS_gettid, 0, 0, 0, 0);
}

static int older_getcpu(unsigned int *ret_processor, unsigned int *ret_node)
{
	return give(sg_raw_syscall(SYS_getcpu, (long)ret_processor, (long)ret_node, 0, 0));
}

static const struct {
	const char *name;
	void *function;
} functions[] = {
	{"arc4random", (void *)older_arc4random},
	{"arc4random_buf", (void *)older_arc4random_buf},
	{"arc4random_uniform", (void *)older_arc4random_uniform},
	{"execveat", (void *)older_execveat},
	{"fstatat", (void *)older_fstatat},
	{"fstatat64", (void *)older_fstatat},
	{"getcpu", (void *)older_getcpu},
	{"gettid", (void *)older_gettid},
	{"lstat", (void *)older_lstat},
	{"lstat64", (void *)older_lstat},
	{"mknod", (void *)older_mknod},
	{"mknodat", (void *)older_mknodat},
	{"pidfd_open", (void *)older_pidfd_open},
	{"stat", (void *)older_stat},
	{"stat64", (void *)older_stat},
};

void *sg_older_find(const char *name)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strcmp(functions[i].name, name) == 0)
			return functions[i].function;
	return NULL;
}
