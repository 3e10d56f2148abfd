/*
 * time_libc.c - clocks and sleeps: the libc entries.
 *
 * A monotonic clock is a family of its own: locks, allocators and runtimes of languages read it to wait, and what
 * it tells means nothing beyond this process.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"

#define HOOK SG_NATIVE_SHELL
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/time_rows.h"

#include "hooks/poison.h"

static bool is_monotonic(clockid_t clock)
{
	return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
	       clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

SG_EXPORT int SG_SHELL(clock_gettime)(clockid_t clock, struct timespec *ret_time)
{
	if (is_monotonic(clock))
		SG_NATIVE_JUDGE_AS(monotonic, "clock_gettime(CLOCK_MONOTONIC)");
	else
		SG_NATIVE_JUDGE_AS(clock, "clock_gettime");
	return REAL(clock_gettime)(clock, ret_time);
}

SG_EXPORT int SG_SHELL(timespec_get)(struct timespec *ret_time, int base)
{
	if (base == TIME_UTC)
		SG_NATIVE_JUDGE(clock, timespec_get);
	else
		SG_NATIVE_JUDGE_AS(monotonic, "timespec_get");
	return REAL(timespec_get)(ret_time, base);
}
