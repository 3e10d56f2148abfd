#include "hooks/engines/temporal/run.h"

#include "hooks/engines/temporal/inside.h"
#include "hooks/engines/temporal/sdk.h"
#include "hooks/engines/temporal/worker.h"

#include "config/config.h"
#include "shim/interpreter/cpython.h"
#include "shim/life/make.h"

/* An attribute of the runner, which was private before it became a dataclass. */
static PyObject *runner_attribute(PyObject *runner, const char *public, const char *private)
{
	PyObject *value = sg_python_attribute_or_null(runner, public);

	return value ? value : sg_python_attribute(runner, private);
}

/* Making an instance runs code of the SDK alone, unless interceptors are to be made with it. */
static bool runs_no_user_code(PyObject *details)
{
	PyObject *interceptors = sg_python_attribute_or_null(details, "interceptor_classes");
	bool none = interceptors && PyObject_Size(interceptors) == 0;

	PyErr_Clear();
	sg_python_clear(&interceptors);
	return none;
}

struct request {
	PyObject *runner, *details, *workflow_class;
};

/* The SDK's instance. */
static PyObject *make(struct sg_making *making, void *argument)
{
	const struct request *request = argument;
	PyObject *runner_class, *own_class = NULL, *own_runner = NULL, *inner = NULL;

	if (sg_policy_config->mode == SG_MODE_OBSERVE)
		return PyObject_CallFunctionObjArgs(sg_temporal_sdk.original_create_instance, request->runner,
				request->details, NULL);
	runner_class = runner_attribute(request->runner, "runner_class", "_runner_class");
	own_class = runner_class ? sg_make_class(making, request->workflow_class) : NULL;
	own_runner = own_class ? sg_make_class(making, runner_class) : NULL;
	if (own_runner && sg_make_imported(making) == 0)
		inner = sg_temporal_make_inside(request->details, own_runner, own_class);
	sg_python_clear(&own_runner);
	sg_python_clear(&own_class);
	sg_python_clear(&runner_class);
	return inner;
}

/* What is known of it before it is made. 0, or -1 with an exception. */
static int identify(struct instance *instance, PyObject *details)
{
	struct sg_run *run = &instance->run;

	instance->info = sg_python_attribute(details, "info");
	if (!instance->info)
		return -1;
	run->workflow_type = sg_python_attribute_or_null(details, "defn.name");
	if (!run->workflow_type || run->workflow_type == Py_None) {
		sg_python_clear(&run->workflow_type);
		run->workflow_type = sg_python_attribute_or_null(instance->info, "workflow_type");
	}
	instance->seed = sg_python_attribute_or_null(details, "randomness_seed");
	run->workflow_id = sg_python_attribute_or_null(instance->info, "workflow_id");
	run->run_id = sg_python_attribute_or_null(instance->info, "run_id");
	return 0;
}

static PyObject *settings_of(PyObject *runner)
{
	return runner_attribute(runner, "restrictions", "_restrictions");
}

int sg_temporal_run_make(struct instance *instance, PyObject *runner, PyObject *details,
		const struct sg_engine *engine)
{
	PyObject *workflow_class = sg_python_attribute(details, "defn.cls");
	PyObject *settings = workflow_class ? settings_of(runner) : NULL;
	struct request request = {runner, details, workflow_class};
	struct sg_recipe recipe = {
		.engine = engine, .settings = settings, .workflow_class = workflow_class, .make = make, .argument = &request
	};
	int error = -1;

	sg_temporal_watch_worker();
	if (settings && identify(instance, details) == 0) {
		recipe.runs_user_code = !runs_no_user_code(details);
		error = sg_run_make(&instance->run, &recipe);
	}
	sg_python_clear(&settings);
	sg_python_clear(&workflow_class);
	return error;
}

/* (workflow class, runner class), and the policy of their runs. NULL: cannot be told, as of a class below the SDK's. */
static PyObject *prepared_key(PyObject *runner, PyObject *defn, const struct sg_engine *engine,
		struct sg_policy **ret_policy)
{
	PyObject *workflow_class, *runner_class, *settings, *key = NULL;

	if ((PyObject *)sg_cpython_type(runner) != sg_temporal_sdk.runner_class)
		return NULL;
	workflow_class = sg_python_attribute_or_null(defn, "cls");
	runner_class = runner_attribute(runner, "runner_class", "_runner_class");
	settings = workflow_class && runner_class ? settings_of(runner) : NULL;
	*ret_policy = settings ? sg_make_policy(engine, settings, workflow_class) : NULL;
	if (*ret_policy)
		key = PyTuple_Pack(2, workflow_class, runner_class);
	PyErr_Clear();
	sg_python_clear(&settings);
	sg_python_clear(&runner_class);
	sg_python_clear(&workflow_class);
	return key;
}

bool sg_temporal_is_prepared(PyObject *runner, PyObject *defn, const struct sg_engine *engine)
{
	struct sg_policy *policy;
	PyObject *key = prepared_key(runner, defn, engine, &policy);
	bool prepared = key && policy->images && policy->prepared && PySequence_Contains(policy->prepared, key) > 0;

	PyErr_Clear();
	sg_python_clear(&key);
	return prepared;
}

void sg_temporal_note_prepared(PyObject *runner, PyObject *defn, const struct sg_engine *engine)
{
	struct sg_policy *policy;
	PyObject *key = prepared_key(runner, defn, engine, &policy);

	if (key && !policy->prepared)
		policy->prepared = PySet_New(NULL);
	if (key && policy->prepared)
		PySet_Add(policy->prepared, key);
	PyErr_Clear();
	sg_python_clear(&key);
}
