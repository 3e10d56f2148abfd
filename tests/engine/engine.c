/*
 * engine.c - an engine that is as small as one can be (replay.py). What it gets from the core: context, modules and image,
 * guards and their messages, a refusal that is not swallowed, context variables, and a run's end.
 */
#include "shim/guard/family.h"
#include "shim/guard/method.h"
#include "shim/life/leave.h"
#include "shim/life/make.h"
#include "shim/life/visit.h"
#include "shim/native/native.h"

#include <stdlib.h>

#define CAPSULE "replay.run"
#define MILLISECONDS 1000

static PyObject *refused;
static struct sg_method methods[3];

static const struct sg_engine replay;

/* The record of a Run, NULL with an exception. */
static struct sg_run *run_of(PyObject *self)
{
	PyObject *capsule = PyObject_GetAttrString(self, "_record");
	struct sg_run *run = capsule ? PyCapsule_GetPointer(capsule, CAPSULE) : NULL;

	sg_python_clear(&capsule);
	return run;
}

static void free_run(struct sg_run *run)
{
	sg_run_release(run);
	free(run);
}

static void drop(PyObject *capsule)
{
	struct sg_run *run = PyCapsule_GetPointer(capsule, CAPSULE);

	if (run->policy)
		sg_leave_drop(run);
	else
		free_run(run);
}

static PyObject *make_root(struct sg_making *making, void *self)
{
	PyObject *workflow = PyObject_GetAttrString(self, "workflow"), *own = NULL, *done = NULL, *root = NULL;

	own = workflow ? sg_make_class(making, workflow) : NULL;
	if (own && sg_make_imported(making) == 0)
		done = PyObject_CallFunctionObjArgs(methods[0].original, self, own, NULL);
	if (done)
		root = PyObject_GetAttrString(self, "steps");
	sg_python_clear(&done);
	sg_python_clear(&own);
	sg_python_clear(&workflow);
	return root;
}

static PyObject *make(struct sg_method *method, PyObject *args, PyObject *kwargs)
{
	PyObject *self = PyTuple_GetItem(args, 0), *workflow = PyTuple_GetItem(args, 1);
	struct sg_run *run = calloc(1, sizeof(*run));
	PyObject *capsule = PyCapsule_New(run, CAPSULE, drop), *settings = PyObject_GetAttrString(self, "settings");
	struct sg_recipe recipe = {
		.engine = &replay, .settings = settings, .workflow_class = workflow, .make = make_root, .argument = self
	};
	int error = capsule && settings ? PyObject_SetAttrString(self, "_record", capsule) : -1;

	(void)method;
	(void)kwargs;
	if (!error) {
		run->workflow_id = PyObject_GetAttrString(self, "identity");
		error = sg_run_make(run, &recipe);
	}
	sg_python_clear(&settings);
	sg_python_clear(&capsule);
	return error ? NULL : sg_python_ref(Py_None);
}

static PyObject *step(struct sg_method *method, PyObject *args, PyObject *kwargs)
{
	struct sg_run *run = run_of(PyTuple_GetItem(args, 0));
	struct sg_visit visit;
	PyObject *answer;

	if (!run)
		return NULL;
	if (sg_visit_begin(run, &visit, MILLISECONDS) < 0) {
		sg_visit_fail_busy(run, MILLISECONDS);
		return NULL;
	}
	answer = PyObject_Call(method->original, args, kwargs);
	sg_visit_end(run, &visit);
	sg_visit_check_swallowed(run, &answer, false);
	return answer;
}

static PyObject *end(struct sg_method *method, PyObject *args, PyObject *kwargs)
{
	struct sg_run *run = run_of(PyTuple_GetItem(args, 0));

	if (run)
		sg_leave_end(run);
	return run ? PyObject_Call(method->original, args, kwargs) : NULL;
}

static struct sg_method methods[3] = {
	{.class = "Run", .name = "make", .call = make},
	{.class = "Run", .name = "step", .call = step},
	{.class = "Run", .name = "end", .call = end}
};

static int install(PyObject *module)
{
	int error = 0;

	for (int i = 0; i < 3 && !error; i++)
		error = sg_method_put(&methods[i], module);
	refused = error ? NULL : PyObject_GetAttrString(module, "Refused");
	return refused ? sg_native_install(&replay) : -1;
}

static int shares(PyObject *settings, PyObject *name)
{
	PyObject *method = PyObject_GetAttrString(settings, "shares");
	PyObject *answer = method ? PyObject_CallFunctionObjArgs(method, name, NULL) : NULL;
	int shared = answer ? PyObject_IsTrue(answer) : -1;

	sg_python_clear(&answer);
	sg_python_clear(&method);
	return shared;
}

static void close_run(struct sg_run *run, void (*close)(struct sg_run *run))
{
	close(run);
}

SG_ENGINE(replay) = {
	.name = "replay", .trigger = "replay", .main_name = "__replay_main__",
	.install = install, .shares = shares, .refusal = &refused, .end = close_run, .free = free_run,
};
