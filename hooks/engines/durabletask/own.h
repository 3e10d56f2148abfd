/*
 * own.h - an orchestrator as its run sees it. GIL: held.
 *
 * What is registered is a function of a workflow file, or one of the engine's that has it in its closure.
 */
#ifndef SG_DURABLE_OWN_H
#define SG_DURABLE_OWN_H

#include "shim/life/make.h"

/* See struct sg_engine. */
int sg_durable_shares(PyObject *settings, PyObject *module_name);

/* The user's own function, or what else was registered: new reference; never fails. */
PyObject *sg_durable_user_function(PyObject *function);

/* The same function, or class, in the modules of the run: new reference, NULL with an exception. */
PyObject *sg_durable_own(struct sg_making *making, PyObject *function);

#endif
