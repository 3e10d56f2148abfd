/*
 * hardened_fixture.h - what the tests of hardened mode share: the traps in this very process, without Python. What is
 * judged is told by the function that maps a number to an entry. Each test is a process of its own (Check forks), so it
 * may end as it likes.
 */
#ifndef HARDENED_FIXTURE_H
#define HARDENED_FIXTURE_H

#define _GNU_SOURCE 1
#include "shim/base/raw.h"
#include "shim/base/real.h"
#include "shim/base/signals.h"
#include "shim/guard/family.h"
#include "shim/native/hardened.h"
#include "shim/native/trap.h"
#include "shim/native/tsc.h"
#include "shim/run/context.h"
#include "shim/run/policy.h"

#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* The core walks the sections that hooks fill. */
SG_FAMILY(no_family) = {.name = "none"};
SG_ENGINE(no_engine) = {.name = "none"};

static struct sg_config config = {.hardened = true};
static struct sg_context context;
static volatile int judged;
static volatile long last_number;

static inline const struct sg_native_entry *count(long number, long first, long third)
{
	(void)first;
	(void)third;
	judged++;
	last_number = number;
	return NULL;
}

/* Not inlined into libc, hence caught in a context. */
#define raw sg_raw_syscall

static inline void start(void)
{
	sg_policy_config = &config;
	config.hardened = true;
	sg_hardened_start(&config, count);
}

static inline struct sg_context *enter(void)
{
	sg_hardened_enter();
	return sg_context_enter(&context);
}

static inline void leave(struct sg_context *token)
{
	sg_context_leave(token);
	sg_hardened_leave();
}

static inline int tsc_state(void)
{
	int state = -1;

	raw(SYS_prctl, PR_GET_TSC, (long)&state, 0, 0);
	return state;
}

static inline unsigned long counter(void)
{
	unsigned int low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (unsigned long)high << 32 | low;
}

static inline int status_of(pid_t child)
{
	int status = -1;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

static volatile int arrived;

static inline void on_signal(int number)
{
	(void)number;
	raw(SYS_getppid, 0, 0, 0, 0);
	arrived++;
}

static inline bool available(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		start();
		_exit(sg_hardened_active);
	}
	return waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 1;
}

/* What main returns. */
static inline int run(const char *name, TCase *cases)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

#endif
