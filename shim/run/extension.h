/*
 * extension.h - packages that hold compiled extension modules.
 *
 * An extension module cannot be initialised twice in one process, so it is shared between runs; its package is shared with it,
 * or the two would disagree about their classes. Installed packages (site-packages) are taken whole; in the
 * user's own tree only the package directly around the extension is, and never one that contains the
 * workflow's module. Answers are kept for the life of the process. GIL: held, context suspended.
 */
#ifndef SG_EXTENSION_H
#define SG_EXTENSION_H

#include "shim/interpreter/python.h"

/* 1: shared because of an extension module, 0: no, -1: exception. Logs each package once. */
int sg_extension_holds(PyObject *module_name, PyObject *workflow_module);

#endif
