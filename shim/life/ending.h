/*
 * ending.h - what a run leaves behind when it leaves the cache: found, and closed inside the run.
 *
 * The engine has ended the run's tasks, or will not. What else is suspended (generators that the workflow's state
 * holds, coroutines it drives by hand, asynchronous generators) the interpreter would end when it happens to free
 * it. The walk goes over all that the run's root, its own modules and its delta lead to, as the garbage collector
 * would, and stops at modules, classes and namespaces that are not the run's, at functions of libraries and at
 * tracebacks. What is found:
 *   - suspended generators to which containers, frames and objects of the run's own classes lead, and others whose
 *     code is the run's alone, or to which nothing refers that the walk has not met
 *   - of these objects those with a __del__ of Python code, where nothing else refers to them.
 * The first are closed, outermost first, then the others finalised, both once. One that refuses to die is freed
 * without being run again. Exceptions are logged. GIL: held.
 */
#ifndef SG_ENDING_H
#define SG_ENDING_H

#include "shim/run/context.h"

struct sg_ending;

/* The walk: no Python code runs. NULL without an exception: no memory. */
struct sg_ending *sg_ending_find(struct sg_run *run, PyObject *root);

/* In the run's context, with its delta in place: closes all of it. Keeps a pending exception. */
void sg_ending_close(struct sg_ending *ending);

void sg_ending_free(struct sg_ending *ending);

#endif
