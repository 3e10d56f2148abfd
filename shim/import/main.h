/*
 * main.h - the worker's own script, executed again for runs whose workflow is in it. GIL: held.
 */
#ifndef SG_MAIN_H
#define SG_MAIN_H

#include "shim/interpreter/python.h"

#include <stdbool.h>

/* In a run's context. name: under which the run has it. NULL with an exception. */
PyObject *sg_main_load(PyObject *name);

/*
 * May it be executed again? Not where it has no file, or never looks at its __name__: it would begin once more what it is
 * there for. Outside of any run; never fails.
 */
bool sg_main_can_load(void);

#endif
