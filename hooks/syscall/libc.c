/*
 * libc.c - system calls by number: libc's syscall(), and in hardened mode the instruction itself.
 *
 * Takes six longs whatever the call takes, as libc does: what the caller did not pass is whatever the registers held, and
 * the kernel does not look at it. libpython and Rust's standard library use it.
 */
#define _GNU_SOURCE 1
#include "hooks/syscall/syscall.h"

#include "hooks/file/deployment.h"
#include "hooks/native.h"
#include "shim/base/signals.h"
#include "shim/native/hardened.h"

#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#define KERNEL_SET_SIZE 8

static bool is_monotonic(long clock)
{
	return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
	       clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

/* Rows: number and family. Numbers that this architecture lacks are left out by their #ifdef. */
#define ENTRY(family, call) \
	case SYS_##call: { \
		static const struct sg_native_entry entry = { \
			"syscall(" #call ")", SG_NATIVE_OF_##family}; \
		return &entry; \
	}

const struct sg_native_entry *sg_syscall_entry(long number, long first, long third)
{
	switch (number) {
	case SYS_clock_gettime: {
		static const struct sg_native_entry clock = {"syscall(clock_gettime)", SG_NATIVE_CLOCK};
		static const struct sg_native_entry monotonic = {
			"syscall(clock_gettime, CLOCK_MONOTONIC)", SG_NATIVE_MONOTONIC};

		return is_monotonic(first) ? &monotonic : &clock;
	}
	case SYS_getrandom: {
		static const struct sg_native_entry entry = {"syscall(getrandom)", SG_NATIVE_RANDOM};

		return third & (GRND_INSECURE | GRND_NONBLOCK) ? NULL : &entry; /* see hooks/random/libc.c */
	}
	ENTRY(clock, gettimeofday)
	ENTRY(clock, times)
	ENTRY(clock, getrusage)
	ENTRY(clock, clock_settime)
	ENTRY(clock, settimeofday)
	ENTRY(sleep, nanosleep)
	ENTRY(sleep, clock_nanosleep)
	ENTRY(sleep, timer_create)
	ENTRY(sleep, timerfd_create)
	ENTRY(sleep, setitimer)
	ENTRY(file, openat)
	ENTRY(file, openat2)
	ENTRY(file, newfstatat)
	ENTRY(file, statx)
	ENTRY(file, statfs)
	ENTRY(file, faccessat)
	ENTRY(file, faccessat2)
	ENTRY(file, readlinkat)
	ENTRY(file, getcwd)
	ENTRY(file, chdir)
	ENTRY(file, mkdirat)
	ENTRY(file, mknodat)
	ENTRY(file, unlinkat)
	ENTRY(file, linkat)
	ENTRY(file, symlinkat)
	ENTRY(file, renameat)
	ENTRY(file, renameat2)
	ENTRY(file, fchmodat)
	ENTRY(file, fchownat)
	ENTRY(file, utimensat)
	ENTRY(file, truncate)
	ENTRY(file, memfd_create)
	ENTRY(file, name_to_handle_at)
	ENTRY(file, open_by_handle_at)
	ENTRY(file, getxattr)
	ENTRY(file, listxattr)
	ENTRY(network, socket)
	ENTRY(network, socketpair)
	ENTRY(network, connect)
	ENTRY(network, bind)
	ENTRY(network, listen)
	ENTRY(network, accept)
	ENTRY(network, accept4)
	ENTRY(network, sendto)
	ENTRY(network, sendmsg)
	ENTRY(network, sendmmsg)
	ENTRY(network, recvfrom)
	ENTRY(network, recvmsg)
	ENTRY(network, recvmmsg)
	ENTRY(network, io_uring_setup)
	ENTRY(process, clone)
	ENTRY(process, clone3)
	ENTRY(process, kill)
	ENTRY(process, pidfd_open)
	ENTRY(host, uname)
	ENTRY(host, sysinfo)
	ENTRY(host, getpid)
	ENTRY(host, getppid)
	ENTRY(pool, gettid)
	ENTRY(host, getuid)
	ENTRY(host, geteuid)
	ENTRY(host, getgid)
	ENTRY(host, getegid)
	ENTRY(pool, getcpu)
	ENTRY(pool, sched_getaffinity)
#if defined(__x86_64__)
	ENTRY(clock, time)
	ENTRY(sleep, alarm)
	ENTRY(sleep, pause)
	ENTRY(file, open)
	ENTRY(file, creat)
	ENTRY(file, stat)
	ENTRY(file, lstat)
	ENTRY(file, access)
	ENTRY(file, readlink)
	ENTRY(file, mkdir)
	ENTRY(file, rmdir)
	ENTRY(file, unlink)
	ENTRY(file, rename)
	ENTRY(file, link)
	ENTRY(file, symlink)
	ENTRY(file, chmod)
	ENTRY(file, chown)
	ENTRY(process, fork)
#endif
	default:
		return NULL;
	}
}

/* The path that a call only looks at; NULL: it has none, or changes something. */
static const char *path_of(long number, const long arguments[6])
{
	switch (number) {
#if defined(__x86_64__)
	case SYS_open:
		return SG_ONLY_READS(arguments[1]) ? (const char *)arguments[0] : NULL;
	case SYS_access:
	case SYS_stat:
	case SYS_lstat:
	case SYS_readlink:
		return (const char *)arguments[0];
#endif
	case SYS_openat:
		return SG_ONLY_READS(arguments[2]) ? (const char *)arguments[1] : NULL;
	case SYS_newfstatat:
	case SYS_statx:
	case SYS_faccessat:
	case SYS_faccessat2:
	case SYS_readlinkat:
		return (const char *)arguments[1];
	default:
		return NULL;
	}
}

/* As the entries of hooks/file/ are judged by their paths. NULL: not at all. */
static const struct sg_native_entry *entry_of(long number, const long arguments[6])
{
	static const struct sg_native_entry pool = {"syscall(open)", SG_NATIVE_POOL};
	const struct sg_native_entry *entry = sg_syscall_entry(number, arguments[0], arguments[2]);
	const char *path = entry && entry->family == SG_NATIVE_FILE ? path_of(number, arguments) : NULL;

	if (path && sg_deployment_processors(path))
		return &pool;
	return path && sg_deployment_installed(path) ? NULL : entry;
}

/* As the hooks of sigprocmask() do: what is raised by a trap must not be blocked (shim/base/signals.h). */
static const void *strip_mask(const long arguments[6], sigset_t *stripped)
{
	const sigset_t *mask = (const sigset_t *)arguments[1];

	if (!mask || arguments[0] == SIG_UNBLOCK || arguments[3] != KERNEL_SET_SIZE)
		return mask;
	memcpy(stripped, mask, KERNEL_SET_SIZE);
	sg_signals_strip(stripped);
	return stripped;
}

SG_EXPORT long SG_SHELL(syscall)(long number, ...)
{
	long arguments[6];
	sigset_t stripped;
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_execve || number == SYS_execveat)
		sg_tsc_before_exec();
	if (number == SYS_rt_sigprocmask && sg_hardened_active)
		arguments[1] = (long)strip_mask(arguments, &stripped);
	if (sg_context_active()) {
		const struct sg_native_entry *entry = entry_of(number, arguments);

		if (entry)
			sg_native_call(entry, __builtin_return_address(0));
	}
	return REAL(syscall)(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
			arguments[5]);
}
