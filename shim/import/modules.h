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

/*
 * A text that is an attribute of a module, class or function, of a class by type's own way: its metaclass may be the
 * workflow's, and have another. New reference, NULL without an exception: it is none.
 */
PyObject *sg_modules_text(PyObject *object, const char *name);

/*
 * What the path leads to in a module, of which namespace is the dict: a __getattr__ of the module, which might import something,
 * is not asked. New reference, NULL without an exception.
 */
PyObject *sg_modules_reach(PyObject *namespace, const char *path);

/* Is the class or function in the module where pickle would look for it? */
bool sg_modules_leads_to(PyObject *module, PyObject *object);

/* Is globals the dict of this module (NULL: no), or of the one that the table has under that name? */
bool sg_modules_has_globals(PyObject *module, PyObject *globals);
bool sg_modules_holds(PyObject *table, PyObject *name, PyObject *globals);

#endif
