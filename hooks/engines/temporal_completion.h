/*
 * temporal_completion.h - does what an activation answers tell of a refusal?
 *
 * Workflow code may catch the exception, but the answer it worked with instead is no more deterministic than the
 * one that it was refused. Unless the completion itself reports the refusal, it is replaced by it.
 */
#ifndef SG_TEMPORAL_COMPLETION_H
#define SG_TEMPORAL_COMPLETION_H

#include "shim/context.h"

/*
 * activation, *answer: the SDK's messages; or NULL and the instance that was being made. Where run->refusal was
 * swallowed, it is logged and set as exception, and *answer is dropped. GIL: held.
 */
void sg_temporal_check_swallowed(const struct sg_run *run, PyObject *activation, PyObject **answer);

#endif
