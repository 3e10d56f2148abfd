/*
 * importer.h - the one function that every import of a module goes through.
 *
 * importlib._bootstrap._find_and_load is shared by the import statement and importlib.import_module; it is
 * only called when sys.modules does not have the module yet. Ours stands in front of it:
 *  - outside a context it reports each imported module (arm.h, life.h);
 *  - in a context it decides between a module of the run's own (CPython's function goes on, and its look-ups
 *    and stores meet the run's table, see modules.h) and one shared with the host, which is imported with the
 *    context suspended.
 * SourceLoader.get_code() is covered too: in a context a file is read and unmarshalled once, until the host executes
 * another version of it (importlib.reload), whether or not the host's module is the workflow's own. GIL: held.
 */
#ifndef SG_IMPORTER_H
#define SG_IMPORTER_H

#include "shim/interpreter/python.h"
#include "shim/run/context.h"

/* imported: called after each import of the host; -1 with an exception makes the import fail. Returns 0 or -1. */
int sg_importer_install(int (*imported)(const char *name, PyObject *module));
void sg_importer_remove(void);

/* The name of the module that the host imports on this thread, the innermost one: borrowed; NULL: none. */
PyObject *sg_importer_loading(void);

/*
 * Keeps the code objects of the runs' modules from now on. file_changed: the host has executed another version of a file than
 * the runs; copy_loaded: a run has executed a module for itself; importing_shared: it begins to have the host execute one, or
 * has done so. 0, or -1 with an exception.
 */
int sg_importer_keep_code(void (*file_changed)(void), void (*copy_loaded)(PyObject *name, PyObject *module),
		void (*code_read)(PyObject *name, PyObject *code), void (*importing_shared)(struct sg_run *run, bool begins));

/* Modules that are executed from now on are read again. */
void sg_importer_forget_code(void);

#endif
