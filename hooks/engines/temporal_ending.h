/*
 * temporal_ending.h - a run leaves the worker's cache.
 *
 * Three ways lead out. Eviction: the SDK sends a last activation, which cancels the run's tasks; when it has
 * succeeded, the run ends on that workflow thread. (While tasks remain it fails, and the SDK asks again: the run
 * has not left.) Without a word: a worker that has shut down forgets its runs, and one that was told to evict without
 * safety just drops the instance; the run then ends on a thread of ours that does nothing else. At exit: runs that
 * are there still end on that thread as well, and exit waits for them, SECONDS_AT_EXIT at most.
 *
 * To end is: the SDK refuses commands from now on (its flag _deleting), in the context and with the delta in place all
 * that shim/life/ending.h finds is closed with the SDK's instance as running loop, and the SDK's instance is emptied there,
 * so that what is in no cycle goes at once, with its weakref callbacks, and not in the collector. GIL: held.
 */
#ifndef SG_TEMPORAL_ENDING_H
#define SG_TEMPORAL_ENDING_H

#include "hooks/engines/temporal_instance.h"

#include <stdbool.h>

/* Calls function inside the run: its delta in place, its context and context variables entered. */
typedef void (*sg_temporal_inside)(struct instance *instance, void (*function)(struct instance *));

/*
 * take_back: the instance is about to lose its inner, whose methods it was lent. free: what is to be done with an instance that was dropped and has ended. instance_of: the record of what the
 * worker keeps for a run, NULL without an exception when there is none. 0, or -1 with an exception.
 */
int sg_temporal_ending_install(sg_temporal_inside inside, void (*take_back)(struct instance *), void (*free)(struct instance *),
		struct instance *(*instance_of)(PyObject *));

/* Once the SDK's worker has been imported: is told when one ends. */
void sg_temporal_watch_worker(void);

/* Exit: ends the runs that are left. */
void sg_temporal_ending_remove(void);

/* After an activation, on its thread: was it the last one? */
bool sg_temporal_is_last(struct instance *instance);

/* Ends the run. Keeps a pending exception. */
void sg_temporal_end(struct instance *instance);

/* The worker has dropped the instance: it is ended, then freed, by somebody else and later. May be called anywhere. */
void sg_temporal_drop(struct instance *instance);

#endif
