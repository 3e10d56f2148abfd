/*
 * temporal_completion.h - does what an activation answers tell of a refusal?
 */
#ifndef SG_TEMPORAL_COMPLETION_H
#define SG_TEMPORAL_COMPLETION_H

#include "shim/python.h"

#include <stdbool.h>

/*
 * True when nobody is left to be told: the task fails anyway, the workflow, query or update fails with the refusal itself, or
 * the run is being removed from the cache, which must succeed. activation, completion: the SDK's messages.
 * GIL: held. No exception.
 */
bool sg_temporal_reports_refusal(PyObject *activation, PyObject *completion);

#endif
