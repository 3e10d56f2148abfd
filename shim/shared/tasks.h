/*
 * tasks.h - a run's tasks and futures are numbered, in the order in which it makes them.
 *
 * asyncio.wait() answers with sets of them, asyncio.all_tasks() is one, and so is what workflow code collects: in a set they
 * stand by their hash, which is made of their address, and differs from worker to worker. Where a run made one (its tp_new is
 * guarded in place), its hash is its number in the run. A task that is given no name is called Task-N by it, not by the count
 * of the process. Those that the host makes have what they always had.
 *
 * Fallback: where the technique is not proved asyncio.wait is warned about (hooks/asyncio/rules.conf).
 * GIL: held. Without a context making one costs a branch; its hash and its end cost one, too, while no run has any.
 */
#ifndef SG_TASKS_H
#define SG_TASKS_H

#include <stdbool.h>

/* Proved for this interpreter? */
extern bool sg_tasks_known;

/* After sg_subclasses_install(), whose look-up of subclasses it needs. */
void sg_tasks_install(void);

#endif
