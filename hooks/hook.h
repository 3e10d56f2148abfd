/*
 * hook.h - the fixed shape of an interposed libc function.
 *
 * Two functions for each row of hooks/rows.h:
 *   - sg_hook_NAME, hidden, same signature: the policy, which ends in REAL(NAME). Declared here for
 *     every row, written by the family; unit tests and a hooked syscall() call it directly.
 *   - NAME, exported: the shell. One branch while the family is not armed, else sg_hook_NAME. Never
 *     typed: a family file says, once,
 *
 *         bool sg_process_armed;
 *         #define HOOK SG_HOOK_SHELL
 *         #define HOOK_VARIADIC(family, need, type, name, parameters)
 *         #define NOHOOK(name, why)
 *         #include "hooks/process/rows.h"
 *
 * sg_enter_NAME is the inside of the shell, for hand-written shells of variadic relatives: calling
 * the exported name from our own object could lead through another preloaded library first.
 *
 * A shell touches nothing but its arguments: no thread-local guard, no errno. Functions that may be
 * called between vfork and exec need exactly that. A family whose policy can re-enter itself brings
 * its guard in sg_hook_NAME.
 *
 * In unit tests (-DSG_UNIT_TEST) shells are called sg_shell_NAME, so that the test framework is not
 * hooked. GIL: may or may not be held; must not be needed.
 */
#ifndef SG_HOOK_H
#define SG_HOOK_H

#include "shim/base/real.h"

#include <stdbool.h>

#ifdef SG_UNIT_TEST
#define SG_SHELL(name) sg_shell_##name
#else
#define SG_SHELL(name) name
#endif

#define SG_EXPORT __attribute__((visibility("default")))

#define HOOK(family, need, type, name, parameters, arguments) \
	extern bool sg_##family##_armed; \
	type sg_hook_##name parameters;
#define HOOK_VARIADIC(family, need, type, name, parameters) \
	type SG_SHELL(name) parameters;
#define NOHOOK(name, why)
#include "hooks/rows.h"

#define SG_HOOK_SHELL(family, need, type, name, parameters, arguments) \
	static inline type sg_enter_##name parameters \
	{ \
		if (__builtin_expect(!sg_##family##_armed, 1)) \
			return REAL(name) arguments; \
		return sg_hook_##name arguments; \
	} \
	SG_EXPORT type SG_SHELL(name) parameters; \
	SG_EXPORT type SG_SHELL(name) parameters \
	{ \
		return sg_enter_##name arguments; \
	}

#endif
