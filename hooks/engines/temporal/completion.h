/*
 * completion.h - does what an activation answers tell of a refusal?
 *
 * Workflow code may catch the exception, but the answer it worked with instead is no more deterministic than the
 * one that it was refused. Unless the completion itself reports the refusal, it is replaced by it.
 */
#ifndef SG_TEMPORAL_COMPLETION_H
#define SG_TEMPORAL_COMPLETION_H

#include "shim/run/context.h"

/*
 * activation, *answer: the SDK's messages. Where run->refusal was swallowed, it is logged and set as exception, and
 * *answer is dropped. GIL: held.
 */
void sg_temporal_check_swallowed(struct sg_run *run, PyObject *activation, PyObject **answer);

/* Does the activation ask for the run to be removed from the cache, which it does alone? GIL: held. No exception. */
bool sg_temporal_is_removal(PyObject *activation);

/* The completion of an activation that there was nothing to do for: new reference, or NULL with an exception. */
PyObject *sg_temporal_no_commands(void);

/*
 * A refusal that was only found when the activation had ended fails the workflow, where the worker has such exceptions do
 * so, as if the workflow had raised it; else it is left for sg_temporal_check_swallowed(). No exception.
 */
void sg_temporal_raise_late(struct sg_run *run, PyObject *inner, PyObject *activation, PyObject *completion);

#endif
