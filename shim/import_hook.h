/*
 * import_hook.h - packages that take part in importing: beartype's and typeguard's type checks, coverage tools, six.
 *
 * The loader that such a package put in place belongs to the host, and so does what it remembers. A copy of the package in a
 * run would know nothing of it, and code that the loader rewrote would fail. So these packages are shared. GIL:
 * held, context suspended.
 */
#ifndef SG_IMPORT_HOOK_H
#define SG_IMPORT_HOOK_H

#include "shim/python.h"

/* 1: the module's package has a finder or loader in place now; 0: no; -1: exception. Logs each package once. */
int sg_import_hook_by(PyObject *module_name, PyObject *workflow_module);

#endif
