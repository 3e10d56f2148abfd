/*
 * item.h - a work item: one call in which the engine replays an orchestration from its first event, with a run of its own.
 *
 * The whole history is replayed for every work item, so its modules begin pristine, and it ends with the call. GIL: held.
 */
#ifndef SG_DURABLE_ITEM_H
#define SG_DURABLE_ITEM_H

#include "shim/guard/family.h"
#include "shim/life/visit.h"

struct item;

/* On the C stack of whoever calls the engine's own function. */
struct sg_durable_work {
	struct sg_durable_work *outer;
	const struct sg_engine *engine;
	PyObject *entry;    /* borrowed: the frame that called the engine */
	PyObject *context;  /* what the engine hands to the orchestrator; NULL: it is not made yet */
	bool owned;         /* nobody else has it when the call is over */
	struct item *item;  /* the run, once the orchestrator is known */
	struct sg_visit visit;
};

/* This thread's, or NULL. */
struct sg_durable_work *sg_durable_work(void);

void sg_durable_begin(struct sg_durable_work *work, const struct sg_engine *engine);

/*
 * The orchestrator is known, under that name (str, or NULL: its own): makes the run, and enters it until the end. The run's own
 * function: new reference, NULL with an exception.
 */
PyObject *sg_durable_enter(struct sg_durable_work *work, PyObject *function, PyObject *name);

/*
 * *answer: the engine's, NULL: an exception is set. A refusal of which it does not tell takes its place. holder, name: the
 * attribute in which the engine has the orchestrator's generator.
 */
void sg_durable_end(struct sg_durable_work *work, PyObject *holder, const char *name, PyObject **answer);

/* See struct sg_engine. */
bool sg_durable_lazy(PyObject *settings);
void sg_durable_end_run(struct sg_run *run, void (*close)(struct sg_run *run));
void sg_durable_free(struct sg_run *run);
PyObject *sg_durable_knows(const struct sg_run *run, int64_t *ret_now);

#endif
