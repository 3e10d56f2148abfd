/*
 * code.h - whose code a frame runs, by the module of its globals. GIL: held.
 */
#ifndef SG_CODE_H
#define SG_CODE_H

#include "config/config.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"

/* What code does a frame belong to? */
enum sg_code {
	SG_CODE_WORKFLOW,    /* modules of the run */
	SG_CODE_LIBRARY,     /* a module shared with the host */
	SG_CODE_STDLIB,      /* transparent */
	SG_CODE_THROUGH,     /* a shared library that is as transparent */
	SG_CODE_ENGINE,
	SG_CODE_SINK,        /* trusted when it is the nearest */
	SG_CODE_SINK_PARTLY, /* the same, with some rules only; else what sg_code_untrusted() tells */
	SG_CODE_SINK_HOST,   /* trusted with all but workflow code that it calls back */
	SG_CODE_SINK_ANYWHERE
};

/* Kind of the code that runs with these globals; never fails. */
enum sg_code sg_code_of(const struct sg_run *run, PyObject *globals);

/* Is a module of this name the standard library's? */
bool sg_code_standard(const char *module);

/* Is a module of SG_CODE_SINK_PARTLY trusted with what this rule is about? */
bool sg_code_trusts(PyObject *module_name, const struct sg_rule *rule);
enum sg_code sg_code_untrusted(const struct sg_run *run, PyObject *globals); /* where it is not; never fails */

/* Does a shared library's module define the class, as opposed to one of the run's own, or Python's? Never fails. */
bool sg_code_is_librarys(const struct sg_run *run, PyObject *class);

/* True when a module lives below site-packages or dist-packages. */
bool sg_code_third_party(PyObject *code);

/*
 * Does an installed library ask, by way of the standard library or not? Not where the function that the workflow's own code
 * calls has a name with one of these words (NULL-terminated; NULL: none): it hands on what it is told.
 */
extern const char *const sg_code_handing_on[]; /* the number of processors: joblib.cpu_count() */
bool sg_code_asks_installed(const char *const *handing_on);

/* Is the nearest frame the workflow's own code, and no library of its modules? */
bool sg_code_asks_itself(const struct sg_run *run);
bool sg_code_runs_itself(const struct sg_run *run, const struct sg_frames *at); /* this frame */

/* Does the own line of a sink ask that calls handlers back? */
bool sg_code_asks_for_sink(const struct sg_run *run);

/* Kind of the nearest frame that is not the standard library's plumbing (importlib included). */
enum sg_code sg_code_nearest(const struct sg_context *context);

#endif
