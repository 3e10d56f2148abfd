#define _GNU_SOURCE 1
#include "shim/base/signals.h"

#include "shim/base/raw.h"
#include "shim/base/real.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#define KERNEL_SET_SIZE 8

/* Writers take the next place and then say where it is, so that a handler always reads a whole action. */
#define PLACES 16

static struct taken {
	int number;
	sg_signals_handler handler; /* NULL: not taken */
	_Atomic unsigned int next, current;
	struct sigaction beneath[PLACES];
} taken[] = {{.number = SIGSYS}, {.number = SIGSEGV}};

#define TAKEN_COUNT (sizeof(taken) / sizeof(taken[0]))

/* A child of vfork() that makes itself ready for exec shares this memory, but its handlers are its own. */
static _Atomic pid_t owner;

static pid_t own_id(void)
{
	return (pid_t)sg_raw_syscall(SYS_getpid, 0, 0, 0, 0);
}

void sg_signals_after_fork(void)
{
	atomic_store(&owner, own_id());
}

static struct taken *find(int number)
{
	for (size_t i = 0; i < TAKEN_COUNT; i++)
		if (taken[i].number == number && taken[i].handler)
			return &taken[i];
	return NULL;
}

bool sg_signals_taken(int number)
{
	return find(number) != NULL;
}

static struct sigaction beneath(const struct taken *signal)
{
	return signal->beneath[atomic_load(&signal->current) % PLACES];
}

static void put_beneath(struct taken *signal, const struct sigaction *action)
{
	unsigned int place = atomic_fetch_add(&signal->next, 1) + 1;

	signal->beneath[place % PLACES] = *action;
	atomic_store(&signal->current, place);
}

static bool has_handler(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) ||
	       (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

/*
 * Ours runs with nothing blocked, since it may be needed within itself, and on the alternative stack, since a goroutine's
 * has no room for it.
 */
static int install(const struct taken *signal)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};

	action.sa_sigaction = signal->handler;
	action.sa_flags |= beneath(signal).sa_flags & SA_RESTART;
	return REAL(sigaction)(signal->number, &action, NULL) ? -errno : 0;
}

void sg_signals_strip_handlers(void)
{
	struct sigaction action;

	for (int number = 1; number < NSIG; number++) {
		if (find(number) || REAL(sigaction)(number, NULL, &action) != 0)
			continue;
		if (!has_handler(&action) || !sg_signals_in(&action.sa_mask))
			continue;
		sg_signals_strip(&action.sa_mask);
		REAL(sigaction)(number, &action, NULL);
	}
}

int sg_signals_take(int number, sg_signals_handler handler)
{
	struct sigaction old;
	int error;

	for (size_t i = 0; i < TAKEN_COUNT; i++) {
		if (taken[i].number != number || taken[i].handler)
			continue;
		if (REAL(sigaction)(number, NULL, &old) != 0)
			return -errno;
		sg_signals_after_fork();
		put_beneath(&taken[i], &old);
		taken[i].handler = handler;
		error = install(&taken[i]);
		if (error)
			taken[i].handler = NULL;
		else
			sg_signals_strip_handlers();
		return error;
	}
	return -EINVAL;
}

void sg_signals_retake(int number)
{
	struct taken *signal = find(number);
	struct sigaction now;

	if (!signal || REAL(sigaction)(number, NULL, &now) != 0)
		return;
	if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == signal->handler)
		return;
	put_beneath(signal, &now);
	install(signal);
}

int sg_signals_change(int number, const struct sigaction *action, struct sigaction *ret_old)
{
	struct taken *signal = find(number);
	struct sigaction old;

	if (!signal)
		return -EINVAL;
	if (atomic_load(&owner) != own_id())
		return REAL(sigaction)(number, action, ret_old) ? -errno : 0;
	old = beneath(signal);
	if (action) {
		put_beneath(signal, action);
		install(signal);
	}
	if (ret_old)
		*ret_old = old;
	return 0;
}

void sg_signals_strip(sigset_t *mask)
{
	for (size_t i = 0; i < TAKEN_COUNT; i++)
		if (taken[i].handler)
			sigdelset(mask, taken[i].number);
}

bool sg_signals_in(const sigset_t *mask)
{
	for (size_t i = 0; i < TAKEN_COUNT; i++)
		if (taken[i].handler && sigismember(mask, taken[i].number) == 1)
			return true;
	return false;
}

/* --- forwarding -------------------------------------------------------------------------------- */

/*
 * The process is to end, and its core must show the instruction at fault: it is executed once more, now without a
 * handler. A signal that somebody sent is sent again, and arrives when our handler returns.
 */
static void end_process(int number, siginfo_t *info, ucontext_t *machine)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	REAL(sigaction)(number, &action, NULL);
	sigdelset(&machine->uc_sigmask, number);
	if (info->si_code <= 0) {
		sg_raw_syscall(SYS_rt_tgsigqueueinfo, own_id(), sg_raw_syscall(SYS_gettid, 0, 0, 0, 0), number,
				(long)info);
		return;
	}
#if defined(__x86_64__)
	/* Of a refused system call the instruction has been left behind. */
	if (number == SIGSYS)
		machine->uc_mcontext.gregs[REG_RIP] -= 2;
#endif
}

/* The mask that the kernel would have set; returning from our own handler restores the old one. */
static void block_as_asked(int number, const struct sigaction *action, const ucontext_t *machine)
{
	sigset_t mask;

	sigorset(&mask, &machine->uc_sigmask, &action->sa_mask);
	if (!(action->sa_flags & SA_NODEFER))
		sigaddset(&mask, number);
	sg_raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, KERNEL_SET_SIZE);
}

void sg_signals_forward(int number, siginfo_t *info, void *machine)
{
	struct taken *signal = find(number);
	struct sigaction action, none = {.sa_handler = SIG_DFL};

	if (!signal)
		return;
	action = beneath(signal);
	if (!has_handler(&action)) {
		/* An exception of the processor cannot be ignored. */
		if (action.sa_handler == SIG_DFL || info->si_code > 0)
			end_process(number, info, machine);
		return;
	}
	if (action.sa_flags & SA_RESETHAND)
		put_beneath(signal, &none);
	block_as_asked(number, &action, machine);
	if (action.sa_flags & SA_SIGINFO)
		action.sa_sigaction(number, info, machine);
	else
		action.sa_handler(number);
}
