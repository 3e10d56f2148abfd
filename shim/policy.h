/*
 * policy.h - what holds for the runs of one workflow module under one set of engine settings.
 *
 * A policy answers two questions: is this module shared with the host (passthrough) or executed for each run, and
 * what kind of code is this frame? The answers are kept, by module name. There is one for each pair of workflow module
 * and settings object that a worker uses. It is freed, and its images with it, when neither a run nor anybody else has
 * the settings any more (by weak reference; where they cannot have one, it stays for good). GIL: held.
 */
#ifndef SG_POLICY_H
#define SG_POLICY_H

#include "config/config.h"
#include "shim/context.h"
#include "shim/family.h"

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
	PyObject *judgements;       /* dict: name -> address of a struct sg_judgement */
	struct sg_image *images;    /* lanes */
	PyObject *prepared;         /* set: what the engine has validated, NULL: nothing */
	PyObject *classes;          /* dict: name -> the host's class whose code the images hold, NULL: none */
	PyObject *apart;            /* a package that is not shared after all (apart.h), NULL: none */
	struct sg_named *named;     /* see shim/named.h, or NULL */
	bool unshareable;           /* the image holds something that cannot be saved */
	bool lazy;                  /* shared modules are seen before the run imports them */
	struct sg_policy *next;
};

/* The workflow file has changed: runs from now on execute it anew. Those there are keep the image that they have. */
void sg_policy_retire(struct sg_policy *policy);

/* The same for all: a file that runs have executed has. */
void sg_policy_retire_all(void);

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

/* The configuration in force; set once before anything else. */
extern const struct sg_config *sg_policy_config;

/* Finds or makes the policy, which lives as long as the settings unless it is held; NULL with an exception. */
struct sg_policy *sg_policy_get(const struct sg_engine *engine, PyObject *settings,
		PyObject *workflow_module);

/* A run has it, and has it no more. To release may run Python code. */
struct sg_policy *sg_policy_hold(struct sg_policy *policy);
void sg_policy_release(struct sg_policy *policy);

/* Set while no Python code may run on this thread: what is not known yet is then taken to be shared, and allowed. */
extern __thread bool sg_policy_no_python;

/* 1: shared with the host, 0: executed for each run, -1: exception. Runs Python with the context suspended. */
int sg_policy_shares(struct sg_policy *policy, PyObject *module_name);

/* Is it in the package that is kept apart? */
bool sg_policy_is_apart(const struct sg_policy *policy, PyObject *module_name);

/* 1: the worker's settings forbid to use the module in that phase, 0: they do not, -1: exception. Runs Python. */
int sg_policy_forbids(struct sg_policy *policy, PyObject *module_name, enum sg_phase phase);

/* What the worker's settings say about a name; never NULL, never fails. */
const struct sg_judgement *sg_policy_judge(struct sg_policy *policy, const char *name);

/* Kind of the code that runs with these globals; never fails. */
enum sg_code sg_policy_code(const struct sg_run *run, PyObject *globals);

/* Is a module of SG_CODE_SINK_PARTLY trusted with what this rule is about? */
bool sg_policy_trusts(PyObject *module_name, const struct sg_rule *rule);

/* Does a shared library's module define the class, as opposed to one of the run's own, or Python's? Never fails. */
bool sg_policy_is_librarys(const struct sg_run *run, PyObject *class);

/* True when a module lives below site-packages or dist-packages. */
bool sg_policy_third_party(PyObject *code);

#endif
