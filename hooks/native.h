/*
 * native.h - the shell of a libc function that is only judged: rows whose policy is "who called?".
 *
 *     #define HOOK SG_NATIVE_SHELL
 *     #define HOOK_VARIADIC(family, need, type, name, parameters)
 *     #define NOHOOK(name, why)
 *     #include "hooks/time/rows.h"
 *
 * Outside a context the shell is one thread-local load, one branch and the real call. In a context the caller's
 * address goes to sg_native_call() (shim/native/native.h), which records; the real call is made in any case, with errno as it
 * was. The family column of the row names the kind of the entry.
 *
 * SG_NATIVE_JUDGE is for hand-written shells: it must stand in the exported function itself, since its return
 * address tells the caller. GIL: may or may not be held.
 */
#ifndef SG_HOOKS_NATIVE_H
#define SG_HOOKS_NATIVE_H

#include "hooks/hook.h"
#include "shim/native/native.h"
#include "shim/native/tsc.h"

#define SG_NATIVE_OF_clock SG_NATIVE_CLOCK
#define SG_NATIVE_OF_monotonic SG_NATIVE_MONOTONIC
#define SG_NATIVE_OF_sleep SG_NATIVE_SLEEP
#define SG_NATIVE_OF_random SG_NATIVE_RANDOM
#define SG_NATIVE_OF_environment SG_NATIVE_ENVIRONMENT
#define SG_NATIVE_OF_file SG_NATIVE_FILE
#define SG_NATIVE_OF_network SG_NATIVE_NETWORK
#define SG_NATIVE_OF_process SG_NATIVE_PROCESS
#define SG_NATIVE_OF_spawn SG_NATIVE_PROCESS
#define SG_NATIVE_OF_thread SG_NATIVE_THREAD
#define SG_NATIVE_OF_host SG_NATIVE_HOST
#define SG_NATIVE_OF_pool SG_NATIVE_POOL

#define SG_NATIVE_JUDGE_AS(family, text) \
	do { \
		static const struct sg_native_entry entry_ = {text, SG_NATIVE_OF_##family}; \
		\
		if (sg_context_active()) \
			sg_native_call(&entry_, __builtin_return_address(0)); \
	} while (0)

#define SG_NATIVE_JUDGE(family, name) SG_NATIVE_JUDGE_AS(family, #name)

/* What may start a thread or a process, libc's own helpers included: see shim/native/hardened.h. */
#define SG_NATIVE_STARTS(family) \
	(SG_NATIVE_OF_##family == SG_NATIVE_PROCESS || SG_NATIVE_OF_##family == SG_NATIVE_THREAD || \
	 SG_NATIVE_OF_##family == SG_NATIVE_SLEEP || SG_NATIVE_OF_##family == SG_NATIVE_NETWORK)

#define SG_NATIVE_SHELL(family, need, type, name, parameters, arguments) \
	SG_EXPORT type SG_SHELL(name) parameters; \
	SG_EXPORT type SG_SHELL(name) parameters \
	{ \
		if (SG_NATIVE_STARTS(family)) \
			sg_tsc_pause(); \
		SG_NATIVE_JUDGE(family, name); \
		return REAL(name) arguments; \
	}

#endif
