/*
 * make.h - a run is made: its policy, its modules or image, and what the engine runs inside it. GIL: held.
 */
#ifndef SG_MAKE_H
#define SG_MAKE_H

#include "shim/life/visit.h"
#include "shim/run/policy.h"

/* While a run is being made. */
struct sg_making {
	struct sg_run *run;
	struct sg_image *fresh; /* whose modules are still to be imported, or NULL */
	struct sg_visit visit;
};

struct sg_recipe {
	const struct sg_engine *engine;
	PyObject *settings;       /* what the worker gave: one policy for each, see sg_policies_get() */
	PyObject *workflow_class; /* or function, as the worker has it */
	bool runs_user_code;      /* make() runs more of it than the workflow's modules */
	/*
	 * Why it cannot be imported by its name, see sg_make_unisolated(): then it runs in the worker's own modules, guarded but
	 * not isolated, which is logged, and refused in mode strict. NULL: it can.
	 */
	const char *unisolated;
	/*
	 * In the run, phase import: asks for the classes with sg_make_class(), then calls sg_make_imported() and makes what is
	 * run->root from now on. NULL with an exception. It is called again where the first try has failed by a shared library.
	 */
	PyObject *(*make)(struct sg_making *making, void *argument);
	void *argument;
};

/* run: all zero, but for what the engine knows of its identity. 0, or -1 with an exception; the engine then frees it. */
int sg_run_make(struct sg_run *run, const struct sg_recipe *recipe);

/* The class, or function at the top of its module, as the run sees it: new reference. NULL with an exception. */
PyObject *sg_make_class(struct sg_making *making, PyObject *class);

/* Does the object stand in its module under its own name? sg_make_class() finds no other. */
bool sg_make_can_find(PyObject *object);

/* Why a run could not import the function, for engines that take any; NULL: it can. Never fails. */
const char *sg_make_unisolated(PyObject *function);

/* All is imported: from here on it is the run that runs. 0, or -1 with an exception. */
int sg_make_imported(struct sg_making *making);

/* Shared by the runs of one workflow file under the same settings; NULL with an exception. */
struct sg_policy *sg_make_policy(const struct sg_engine *engine, PyObject *settings, PyObject *workflow_class);

#endif
