/*
 * overloads.h - what typing.overload() remembers of a workflow's functions is the run's.
 *
 * typing has one registry, by the module's name (3.11). Its type is changed in place to a subtype that, in a run, leads to a
 * registry of the run's own for the modules that the run has for itself and for names that nobody else has; that one
 * belongs to the image, as if its modules had made it, so what a run changes there is its own. Other modules' entries are
 * the host's. GIL: held.
 */
#ifndef SG_OVERLOADS_H
#define SG_OVERLOADS_H

#include "shim/interpreter/python.h"

/* After sg_cpython_probe(). Nothing to do until 3.10. */
void sg_overloads_install(void);
void sg_overloads_remove(void);

/* A list with an empty registry, which it alone refers to, or with nothing (3.10). NULL with an exception. */
PyObject *sg_overloads_new(void);

/* What is in there: borrowed, or NULL. */
PyObject *sg_overloads_registry(PyObject *list);

#endif
