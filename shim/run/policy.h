/*
 * policy.h - what holds for the runs of one workflow module under one set of engine settings.
 *
 * A policy answers: is this module shared with the host (passthrough) or executed for each run, and what do the worker's
 * settings say of a name? The answers are kept. There is one for each pair of workflow module and settings object that a
 * worker uses (policies.h). GIL: held.
 */
#ifndef SG_POLICY_H
#define SG_POLICY_H

#include "config/config.h"
#include "shim/guard/family.h"
#include "shim/run/context.h"

#include <stdbool.h>

struct sg_image;
struct sg_named;

struct sg_policy {
	const struct sg_engine *engine;
	PyObject *settings;         /* the engine's own: identity is the key; borrowed while there is no run */
	PyObject *watch;            /* weak reference to them, NULL: they are kept for good */
	size_t runs;                /* that hold it */
	PyObject *workflow_module;  /* str: always executed for each run */
	PyObject *shared;           /* dict: module name -> True or False */
	PyObject *forbidden[2];     /* dict for each phase: module name -> True or False */
	PyObject *seen[2];          /* dict for each phase: name of a module that runs see before they import it -> its parent's, or None */
	PyObject *judgements;       /* dict: name -> address of a struct sg_judgement */
	struct sg_image *images;    /* lanes */
	PyObject *prepared;         /* set: what the engine has validated, NULL: nothing */
	PyObject *classes;          /* dict: name -> the host's class whose code the images hold, NULL: none */
	PyObject *apart;            /* a package that is not shared after all (apart.h), NULL: none */
	struct sg_named *named;     /* see shim/state/named.h, or NULL */
	bool unshareable;           /* the image holds something that cannot be saved */
	bool unisolated;            /* it was said that its runs are not isolated */
	bool lazy;                  /* shared modules are seen before the run imports them */
	struct sg_policy *next;
};

/* The configuration in force; set once before anything else. */
extern const struct sg_config *sg_policy_config;

/* Set while no Python code may run on this thread: what is not known yet is then taken to be shared, and allowed. */
extern __thread bool sg_policy_no_python;

/* 1: shared with the host, 0: executed for each run, -1: exception. Runs Python with the context suspended. */
int sg_policy_shares(struct sg_policy *policy, PyObject *module_name);

/* Is the module the package, or inside it? */
bool sg_policy_inside(const char *module, const char *package);

/* Is it in the package that is kept apart? */
bool sg_policy_is_apart(const struct sg_policy *policy, PyObject *module_name);

/* 1: the worker's settings forbid to use the module in that phase, 0: they do not, -1: exception. Runs Python. */
int sg_policy_forbids(struct sg_policy *policy, PyObject *module_name, enum sg_phase phase);

/* What the worker's settings say about a name; never NULL, never fails. */
const struct sg_judgement *sg_policy_judge(struct sg_policy *policy, const char *name);

/* In context: does code run that a replay will not run, such as a query? Nothing that is counted may count it. */
bool sg_policy_aside(const struct sg_run *run);

#endif
