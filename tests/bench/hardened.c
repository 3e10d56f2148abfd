/*
 * What hardened mode costs a thread that runs workflow code: nanoseconds, the least of many rounds. Two processes, one with it
 * and one without, since there is no way back.
 *
 *     make bench, or: make build/bench/hardened && build/bench/hardened 0 && build/bench/hardened 1
 */
#define _GNU_SOURCE 1
#include "shim/base/raw.h"
#include "shim/guard/family.h"
#include "shim/native/hardened.h"
#include "shim/run/context.h"
#include "shim/run/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 200
#define CALLS 500

/* The core walks the sections that hooks fill. */
SG_FAMILY(no_family) = {.name = "none"};
SG_ENGINE(no_engine) = {.name = "none"};

static struct sg_config config;
static struct sg_context context;
static volatile long sink;

static const struct sg_native_entry *nobody_minds(long number, long first, long third)
{
	(void)number;
	(void)first;
	(void)third;
	return NULL;
}

/* By a system call: the vDSO's clock is one of the things that are measured. */
static double now(void)
{
	struct timespec time;

	sg_raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static unsigned long counter(void)
{
	unsigned int low, high;

#if defined(__x86_64__)
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
#else
	low = high = 0;
#endif
	return (unsigned long)high << 32 | low;
}

static void activation(void)
{
	struct sg_context *token;

	sg_hardened_enter();
	token = sg_context_enter(&context);
	sg_context_leave(token);
	sg_hardened_leave();
}

#define MEASURE(name, call) \
	do { \
		double least = 1e18; \
		\
		for (int round = 0; round < ROUNDS; round++) { \
			double start = now(), spent; \
			\
			for (int i = 0; i < CALLS; i++) \
				call; \
			spent = (now() - start) / CALLS; \
			if (spent < least) \
				least = spent; \
		} \
		printf("%s\t%.1f\n", name, least); \
	} while (0)

int main(int count, char **arguments)
{
	struct timespec time;

	config.hardened = count > 1 && atoi(arguments[1]);
	sg_policy_config = &config;
	sg_hardened_start(&config, nobody_minds);
	MEASURE("begin and end of an activation", activation());
	sg_hardened_enter();
	sg_context_enter(&context);
	MEASURE("suspend and resume", sg_context_leave(sg_context_suspend()));
	sg_context_enter(&context);
	MEASURE("system call of libc's (getppid)", sink = getppid());
	MEASURE("system call past libc", sink = sg_raw_syscall(SYS_getppid, 0, 0, 0, 0));
	MEASURE("clock_gettime()", sink = clock_gettime(CLOCK_REALTIME, &time));
	MEASURE("rdtsc", sink = (long)counter());
	return 0;
}
