/*
 * stores.h - attributes that workflow code sets or deletes on modules, classes, functions and loggers that others share.
 *
 * The slot tp_setattro of these three kinds of objects is ours: of type, and of every metaclass that has copied it, from
 * install to removal; of module and function only while some thread is in a context. Each is one load and one branch
 * without a context. Modules and functions get there by methods __setattr__ and __delattr__ of their classes: so
 * object.__setattr__ called on one works as ever (the SDK's own sandbox does it), and is not seen. A probe proves that
 * stores at specialised call sites are seen; where it fails the kind is not guarded, and the log says so.
 *
 * So has the class of loggers, which everybody gets from a function.
 *
 * What is shared: an object that the host's module has under the very name that the object bears. What workflow code
 * makes is not found there and is its own business; so is what a library does to its own objects, and what happens
 * while the workflow's modules are imported, which the host's own import of them has done before. Not seen: what C code
 * or STORE_GLOBAL writes to a module's dict. GIL: held.
 */
#ifndef SG_STORES_H
#define SG_STORES_H

#include "shim/run/context.h"

/* 0, or -1 with an exception. */
int sg_stores_install(void);
void sg_stores_remove(void);

/* Workflow code starts, or stops, to run on a thread. Calls are paired. */
void sg_stores_enter(void);
void sg_stores_leave(void);

/* For a while stores of modules and functions go where they go without us. Calls are paired. */
void sg_stores_pause(bool paused);

/* Are the filters of warnings those that were there when workflow code began to run? A with statement exchanges them. */
bool sg_stores_filters_shared(void);

/* Is it a module, class or function that others see as well? */
bool sg_stores_shared(const struct sg_run *run, PyObject *object);

/* Is a logger found under its name by everybody? One that was made by hand is not, nor is a handler. */
bool sg_stores_logger_shared(PyObject *logger);

#endif
