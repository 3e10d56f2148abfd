/*
 * libc.c - clocks and sleeps: the libc entries.
 *
 * A monotonic clock is a family of its own: locks, allocators and runtimes of languages read it to wait, and what
 * it tells means nothing beyond this process.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"

#define HOOK SG_NATIVE_SHELL
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/time/rows.h"

#include "shim/run/answer.h"
#include "shim/run/world.h"

#include "hooks/poison.h"

static bool is_monotonic(clockid_t clock)
{
	return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
	       clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

/* Is the time of day answered: under the mark, or because compiled code must not see it? */
#define ANSWERED(name, ret_now) (sg_answer_active() ? (*(ret_now) = sg_answer_current->now, true) : ANSWERED_TO_CALLER(name, ret_now))
#define ANSWERED_TO_CALLER(name, ret_now) \
	({ \
		static const struct sg_native_entry entry_ = {#name, SG_NATIVE_CLOCK}; \
		\
		sg_context_active() && sg_native_clock(&entry_, __builtin_return_address(0), ret_now); \
	})

/* Whatever clock it is: under the mark they all stand at the time of the activation. */
SG_EXPORT int SG_SHELL(clock_gettime)(clockid_t clock, struct timespec *ret_time)
{
	int64_t now;
	int error;

	if (is_monotonic(clock) && !sg_answer_active()) {
		SG_NATIVE_JUDGE_AS(monotonic, "clock_gettime(CLOCK_MONOTONIC)");
		return REAL(clock_gettime)(clock, ret_time);
	}
	if (ANSWERED(clock_gettime, &now)) {
		*ret_time = sg_answer_time(now);
		return 0;
	}
	error = REAL(clock_gettime)(clock, ret_time);
	if (!error && sg_world_is_other() && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ret_time->tv_sec += sg_world_seconds();
	return error;
}

SG_EXPORT time_t SG_SHELL(time)(time_t *ret_time)
{
	int64_t now;
	time_t seconds;

	if (ANSWERED(time, &now))
		seconds = sg_answer_time(now).tv_sec;
	else if (!sg_world_is_other())
		return REAL(time)(ret_time);
	else
		seconds = REAL(time)(NULL) + sg_world_seconds();
	if (ret_time)
		*ret_time = seconds;
	return seconds;
}

SG_EXPORT int SG_SHELL(gettimeofday)(struct timeval *restrict ret_time, void *restrict zone)
{
	struct timespec time;
	int64_t now;
	int error;

	if (ANSWERED(gettimeofday, &now) && !zone) {
		time = sg_answer_time(now);
		*ret_time = (struct timeval){time.tv_sec, time.tv_nsec / 1000};
		return 0;
	}
	error = REAL(gettimeofday)(ret_time, zone);
	if (!error && sg_world_is_other())
		ret_time->tv_sec += sg_world_seconds();
	return error;
}

SG_EXPORT int SG_SHELL(timespec_get)(struct timespec *ret_time, int base)
{
	int64_t now;
	int answer;

	if (base != TIME_UTC) {
		SG_NATIVE_JUDGE_AS(monotonic, "timespec_get");
		return REAL(timespec_get)(ret_time, base);
	}
	if (ANSWERED(timespec_get, &now)) {
		*ret_time = sg_answer_time(now);
		return base;
	}
	answer = REAL(timespec_get)(ret_time, base);
	if (answer && sg_world_is_other())
		ret_time->tv_sec += sg_world_seconds();
	return answer;
}
