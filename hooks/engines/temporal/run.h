/*
 * run.h - making a run: what the core is to know of it, and the SDK's instance inside it. GIL: held.
 */
#ifndef SG_TEMPORAL_RUN_H
#define SG_TEMPORAL_RUN_H

#include "hooks/engines/temporal/instance.h"
#include "shim/guard/family.h"

/* What create_instance(runner, details) of the SDK does, for a new instance. 0, or -1 with an exception. */
int sg_temporal_run_make(struct instance *instance, PyObject *runner, PyObject *details,
		const struct sg_engine *engine);

/* Has the workflow been validated, and is its image still there? Then there is nothing to validate again. */
bool sg_temporal_is_prepared(PyObject *runner, PyObject *defn, const struct sg_engine *engine);
void sg_temporal_note_prepared(PyObject *runner, PyObject *defn, const struct sg_engine *engine);

#endif
