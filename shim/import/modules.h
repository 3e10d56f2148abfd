/*
 * modules.h - sys.modules as a workflow run sees it.
 *
 * sys.modules stays the real dict; only its type is changed, to a dict subclass. Without a context every operation is
 * dict's own. With one, a look-up finds the run's own modules first, then shared modules of the host; a
 * store goes to the run's table. C and Python import machinery both go through it, so import semantics are
 * CPython's own. Fallback where the type of a dict cannot be changed: no isolation (sg_modules_install
 * fails, the caller says so). GIL: held.
 */
#ifndef SG_MODULES_H
#define SG_MODULES_H

#include "shim/run/context.h"

#include <stdbool.h>

/* 0, or -1 with an exception. */
int sg_modules_install(void);
void sg_modules_remove(void);

/* A new table that holds what every run starts with: an empty __main__. NULL: exception. */
PyObject *sg_modules_new_table(void);

/* The host's module of that name, whatever the context: borrowed, NULL without an exception. */
PyObject *sg_modules_host(PyObject *name);

/* Is globals the dict of this module (NULL: no), or of the one that the table has under that name? */
bool sg_modules_has_globals(PyObject *module, PyObject *globals);
bool sg_modules_holds(PyObject *table, PyObject *name, PyObject *globals);

#endif
