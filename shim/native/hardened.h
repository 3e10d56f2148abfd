/*
 * hardened.h - SANDGLASS_HARDENED=1: code in a workflow that goes past libc, by a system call instruction or rdtsc.
 *
 * System calls: Syscall User Dispatch (Linux 5.11, x86-64). Those from libc's text go on as ever, since libc's entries are
 * hooked; those from anywhere else raise SIGSYS while sg_context_selector says that there is a context. Instructions
 * that read the time stamp counter: PR_SET_TSC, from the beginning of an activation to its end; they raise SIGSEGV,
 * those of the vDSO's clock_gettime() too. The handlers (trap.h) judge by whose code it is, then do what was asked.
 *
 * Both belong to a thread. The kernel takes the first away from new threads, children and programs, but hands on the second
 * to all of them: a thread or child gives it back at its first rdtsc, a program cannot, so it is taken off before
 * one is started (tsc.h).
 *
 * What this machine cannot do is said once in the log, and the worker goes on without it. Off (the default), all of this
 * is one branch for each activation. GIL: not needed, but for start and stop.
 */
#ifndef SG_HARDENED_H
#define SG_HARDENED_H

#include "config/config.h"
#include "shim/native/trap.h"

#include <stdbool.h>

/* Whether anything is watched. */
extern bool sg_hardened_active;

/* Probes in child processes, logs what is to be had, takes the signals. Returns sg_hardened_active. */
bool sg_hardened_start(const struct sg_config *config, sg_trap_entry entry_of);
void sg_hardened_stop(void);
void sg_hardened_after_fork(void);

void sg_hardened_begin(void);
void sg_hardened_end(void);

/* Around each stretch of workflow code; they nest. */
static inline void sg_hardened_enter(void)
{
	if (__builtin_expect(sg_hardened_active, 0))
		sg_hardened_begin();
}

static inline void sg_hardened_leave(void)
{
	if (__builtin_expect(sg_hardened_active, 0))
		sg_hardened_end();
}

#endif
