/*
 * inside.h - the SDK's instance that does the work, of the classes that the run has imported. GIL: held.
 */
#ifndef SG_TEMPORAL_INSIDE_H
#define SG_TEMPORAL_INSIDE_H

#include "shim/interpreter/python.h"

/* What the SDK's InSandbox(details, runner_class, workflow_class).instance is. NULL with an exception. */
PyObject *sg_temporal_make_inside(PyObject *details, PyObject *runner_class, PyObject *workflow_class);

#endif
