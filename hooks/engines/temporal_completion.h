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

/* Does the activation ask for the run to be removed from the cache, which it does alone? GIL: held. No exception. */
bool sg_temporal_is_removal(PyObject *activation);

/* The completion of an activation that there was nothing to do for: new reference, or NULL with an exception. */
PyObject *sg_temporal_no_commands(void);

#endif
