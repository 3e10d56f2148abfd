/*
 * stray.h - workflow code on a thread of a library's own.
 *
 * A compiled library with a pool of threads (polars) calls functions of the workflow's back on these, while the activation
 * waits for it without the GIL. Such a thread has no context. So a guarded call on a thread that is neither the program's
 * first nor one of threading's looks for the nearest frame of a module that a run in an activation has for itself, and is
 * judged as that run's. What C code does there by itself is not seen. GIL: held.
 */
#ifndef SG_STRAY_H
#define SG_STRAY_H

#include "shim/run/context.h"

/* This thread is known to be the host's: nothing of a library calls back on it. */
extern __thread bool sg_stray_never;

/* Without a context: may a run's code be at work on this thread? Two loads where there is no activation. */
static inline bool sg_stray_suspected(void)
{
	return __builtin_expect(sg_context_running != NULL, 0) && !sg_stray_never;
}

/* The guards ask: is there a context, or may there have to be one? */
static inline bool sg_stray_guarded(void)
{
	return sg_context_active() || sg_stray_suspected();
}

/* False: no run's code is at work here. */
bool sg_stray_find(struct sg_context *ret_context);

#endif
