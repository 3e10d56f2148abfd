/*
 * import_hook.h - packages that load other packages' code, and rewrite it: beartype's and typeguard's type checks.
 *
 * The loader belongs to the host, and so does what it remembers. A copy of the package in a run would know nothing of
 * it, and code that the loader rewrote would fail. So these packages are shared. One whose hook only serves the package
 * itself, as six and its vendored copies have it, is not. GIL: held, context suspended.
 */
#ifndef SG_IMPORT_HOOK_H
#define SG_IMPORT_HOOK_H

#include "shim/interpreter/python.h"

/* 1: the module's package has loaded code of another one; 0: no; -1: exception. Logs each package once. */
int sg_import_hook_by(PyObject *module_name, PyObject *workflow_module);

#endif
