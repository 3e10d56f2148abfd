/*
 * leaving.h - a run leaves the worker's cache.
 *
 * Three ways lead out. Eviction: the SDK sends a last activation, which cancels the run's tasks; when it has succeeded, the
 * run ends on that workflow thread. (While tasks remain it fails, and the SDK asks again: the run has not left.) Without a
 * word: a worker that has shut down forgets its runs (worker.h), and one that was told to evict without safety just drops
 * the instance. At exit: see shim/life/leave.h.
 *
 * When it ends the SDK refuses commands from now on (its flag _deleting), all is closed with the SDK's instance as running
 * loop, and the SDK's instance is emptied. GIL: held.
 */
#ifndef SG_TEMPORAL_LEAVING_H
#define SG_TEMPORAL_LEAVING_H

#include "hooks/engines/temporal/instance.h"

/* 0, or -1 with an exception. */
int sg_temporal_leaving_install(void);

/* After an activation, on its thread: was it the last one? */
bool sg_temporal_is_last(const struct instance *instance);

/* See struct sg_engine. */
void sg_temporal_end(struct sg_run *run, void (*close)(struct sg_run *run));

#endif
