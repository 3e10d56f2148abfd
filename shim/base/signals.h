/*
 * signals.h - handlers of our own for SIGSYS and SIGSEGV, with those of everybody else kept beneath.
 *
 * Only hardened mode (hardened.h) takes a signal. From then on the hooks of sigaction() and signal() change what lies
 * beneath, and queries tell of that, so nobody sees us; whatever is not ours is forwarded as the kernel would have
 * delivered it. A signal that a trap may raise must never be blocked, or the kernel ends the process:
 * masks that programs set are stripped of it. GIL: not needed.
 */
#ifndef SG_SIGNALS_H
#define SG_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

typedef void (*sg_signals_handler)(int number, siginfo_t *info, void *machine);

/* 0 or a negative errno. Only SIGSYS and SIGSEGV. */
int sg_signals_take(int number, sg_signals_handler handler);

/* Takes it again where somebody went to the kernel directly; what is found there then lies beneath. A system call. */
void sg_signals_retake(int number);

/* Async-signal-safe. */
bool sg_signals_taken(int number);

/* In the child of a fork. */
void sg_signals_after_fork(void);

/* sigaction() on a signal that is taken: 0 or a negative errno. action and ret_old may be NULL. Async-signal-safe. */
int sg_signals_change(int number, const struct sigaction *action, struct sigaction *ret_old);

/* Calls, or does, what lies beneath. To be called by the handler, which returns after it. */
void sg_signals_forward(int number, siginfo_t *info, void *machine);

/* Takes the signals that are taken out of a mask. Async-signal-safe. */
void sg_signals_strip(sigset_t *mask);

/* The same for the masks of handlers that were set before, or by a system call. */
void sg_signals_strip_handlers(void);

/* Is there anything to be taken out of it? */
bool sg_signals_in(const sigset_t *mask);

#endif
