/*
 * apart.h - shared libraries with which a workflow file cannot register twice.
 *
 * The worker has executed the file before it is executed for runs. A library that refuses a name that it has already (a
 * metric, a plug-in) then raises where it would not, were the file executed once. So, when a shared library of Python code
 * raises while the modules are imported, the import is tried once more with that library among them. GIL: held.
 */
#ifndef SG_APART_H
#define SG_APART_H

#include "shim/run/policy.h"

struct sg_apart {
	PyObject *package, *type, *value, *traceback;
};

/*
 * An import for the run has failed with the pending exception. True: a shared library has raised it, which the policy now
 * keeps apart, and the exception is taken; sg_apart_end() must follow the second try.
 */
bool sg_apart_begin(struct sg_apart *apart, struct sg_run *run);

/* success: of the second try; else the first exception is pending again, and the library shared. Logs. */
void sg_apart_end(struct sg_apart *apart, struct sg_run *run, bool success);

#endif
