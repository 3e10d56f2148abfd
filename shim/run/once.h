/*
 * once.h - packages that a process can have only once, although they are Python code.
 *
 * Those that load other packages' code, and rewrite it (beartype's and typeguard's type checks): the loader belongs to the host,
 * and so does what it remembers. A copy of the package in a run would know nothing of it, and code that the loader rewrote
 * would fail. One whose hook only serves the package itself, as six and its vendored copies have it, is not meant. And those
 * whose classes describe themselves to protobuf's pool (proto-plus), which takes each description once. And those whose compiled
 * part is a package of its own (polars), which keeps their classes. All of these are shared. GIL: held, context suspended.
 */
#ifndef SG_ONCE_H
#define SG_ONCE_H

#include "shim/interpreter/python.h"

/* 1: the module's package is such a one; 0: no; -1: exception. Logs each package once. */
int sg_once_holds(PyObject *module_name, PyObject *workflow_module);

#endif
