/*
 * libc.c - handlers and masks of the signals that hardened mode takes for itself (shim/base/signals.h).
 *
 * Also reached between vfork and exec: nothing is written there but the stack.
 */
#define _GNU_SOURCE 1
#include "hooks/hook.h"
#include "hooks/syscall/syscall.h"
#include "shim/base/signals.h"
#include "shim/guard/family.h"
#include "shim/native/hardened.h"
#include "shim/run/policy.h"

#include <errno.h>

#include "hooks/poison.h"

bool sg_signal_armed;

static int install(void)
{
	sg_signal_armed = sg_hardened_start(sg_policy_config, sg_syscall_entry);
	return 0;
}

SG_FAMILY(signal_family) = {.name = "signal", .install = install, .remove = sg_hardened_stop};

#define HOOK SG_HOOK_SHELL
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/signal/rows.h"

static int change(int number, const struct sigaction *action, struct sigaction *ret_old)
{
	int error = sg_signals_change(number, action, ret_old);

	if (error)
		errno = -error;
	return error ? -1 : 0;
}

int sg_hook_sigaction(int number, const struct sigaction *restrict action,
		struct sigaction *restrict ret_old)
{
	struct sigaction stripped;

	if (sg_signals_taken(number))
		return change(number, action, ret_old);
	if (!action || !sg_signals_in(&action->sa_mask))
		return REAL(sigaction)(number, action, ret_old);
	stripped = *action;
	sg_signals_strip(&stripped.sa_mask);
	return REAL(sigaction)(number, &stripped, ret_old);
}

int sg_hook___sigaction(int number, const struct sigaction *restrict action,
		struct sigaction *restrict ret_old)
{
	return sg_hook_sigaction(number, action, ret_old);
}

/* What libc's function of that name makes of it. */
static sighandler_t set_handler(int number, sighandler_t handler, int flags)
{
	struct sigaction action = {.sa_flags = flags}, old;

	action.sa_handler = handler;
	if (!(flags & SA_NODEFER))
		sigaddset(&action.sa_mask, number);
	return change(number, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

#define SET(name, flags) \
	sighandler_t sg_hook_##name(int number, sighandler_t handler) \
	{ \
		if (!sg_signals_taken(number)) \
			return REAL(name)(number, handler); \
		return set_handler(number, handler, flags); \
	}

SET(signal, SA_RESTART)
SET(bsd_signal, SA_RESTART)
SET(ssignal, SA_RESTART)
SET(sysv_signal, (int)SA_RESETHAND | SA_NODEFER)
SET(__sysv_signal, (int)SA_RESETHAND | SA_NODEFER)

/* Unblocking is never in our way. */
#define MASK(name) \
	int sg_hook_##name(int how, const sigset_t *restrict mask, sigset_t *restrict ret_old) \
	{ \
		sigset_t stripped; \
		\
		if (!mask || how == SIG_UNBLOCK || !sg_signals_in(mask)) \
			return REAL(name)(how, mask, ret_old); \
		stripped = *mask; \
		sg_signals_strip(&stripped); \
		return REAL(name)(how, &stripped, ret_old); \
	}

MASK(sigprocmask)
MASK(pthread_sigmask)
