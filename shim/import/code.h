/*
 * code.h - whose code a frame runs, by the module of its globals. GIL: held.
 */
#ifndef SG_CODE_H
#define SG_CODE_H

#include "config/config.h"
#include "shim/run/context.h"

/* What code does a frame belong to? */
enum sg_code {
	SG_CODE_WORKFLOW,    /* modules of the run */
	SG_CODE_LIBRARY,     /* a module shared with the host */
	SG_CODE_STDLIB,      /* transparent */
	SG_CODE_THROUGH,     /* a shared library that is as transparent */
	SG_CODE_ENGINE,
	SG_CODE_SINK,        /* trusted when it is the nearest */
	SG_CODE_SINK_PARTLY, /* the same, with some rules only; else as the standard library */
	SG_CODE_SINK_ANYWHERE
};

/* Kind of the code that runs with these globals; never fails. */
enum sg_code sg_code_of(const struct sg_run *run, PyObject *globals);

/* Is a module of SG_CODE_SINK_PARTLY trusted with what this rule is about? */
bool sg_code_trusts(PyObject *module_name, const struct sg_rule *rule);

/* Does a shared library's module define the class, as opposed to one of the run's own, or Python's? Never fails. */
bool sg_code_is_librarys(const struct sg_run *run, PyObject *class);

/* True when a module lives below site-packages or dist-packages. */
bool sg_code_third_party(PyObject *code);

/* Kind of the nearest frame that is not the standard library's plumbing (importlib included). */
enum sg_code sg_code_nearest(const struct sg_context *context);

#endif
