/*
 * adapter.c - where Temporal's Python SDK (temporalio 1.8 - 1.35) enters and leaves workflow code.
 *
 * The seam is SandboxedWorkflowRunner.create_instance(self, det), which the worker calls for each run and, with made-up
 * details, once at start to validate each workflow. The SDK answers with an instance whose methods run
 * the workflow inside its own sandbox; ours answers with an instance of the SDK's WorkflowInstance class whose
 * methods enter a context and call the plain, unsandboxed instance. UnsandboxedWorkflowRunner and
 * workflows with sandboxed=False never get here.
 *
 * In mode observe, and only there, the SDK's sandbox stays: its instance is what our methods call.
 */
#define _GNU_SOURCE
#include "hooks/engines/temporal/in_sandbox.h"
#include "hooks/engines/temporal/instance.h"
#include "hooks/engines/temporal/leaving.h"
#include "hooks/engines/temporal/run.h"
#include "hooks/engines/temporal/sdk.h"
#include "hooks/engines/temporal/settings.h"
#include "hooks/engines/temporal/unrestricted.h"
#include "hooks/engines/temporal/worker.h"

#include "shim/guard/family.h"
#include "shim/interpreter/cpython.h"
#include "shim/native/native.h"

static bool call_for_truth(PyObject *callable)
{
	PyObject *result = callable ? PyObject_CallObject(callable, NULL) : NULL;
	int answer = result ? PyObject_IsTrue(result) : -1;

	sg_python_clear(&result);
	if (answer < 0)
		PyErr_Clear();
	return answer > 0;
}

static bool importing_shared(void)
{
	return call_for_truth(sg_temporal_sdk.is_passed_through);
}

static void refuse(const char *qualified_name, const char *message)
{
	PyObject *name = PyUnicode_FromString(qualified_name), *text = PyUnicode_FromString(message);
	PyObject *args = name ? PyTuple_Pack(1, name) : NULL, *kwargs = PyDict_New(), *error = NULL;

	if (args && text && kwargs && PyDict_SetItemString(kwargs, "override_message", text) == 0)
		error = PyObject_Call(sg_temporal_sdk.refusal_class, args, kwargs);
	if (!error && args && text && PyErr_ExceptionMatches(PyExc_TypeError)) {
		/* Before override_message the class made its own text of the name. */
		PyErr_Clear();
		error = PyObject_Call(sg_temporal_sdk.refusal_class, args, NULL);
		sg_python_clear(&args);
		args = PyTuple_Pack(1, text);
		if (error && args && PyObject_SetAttrString(error, "args", args) < 0)
			PyErr_Clear();
	}
	if (error)
		PyErr_SetObject(sg_temporal_sdk.refusal_class, error);
	sg_python_clear(&error);
	sg_python_clear(&kwargs);
	sg_python_clear(&args);
	sg_python_clear(&text);
	sg_python_clear(&name);
}

static const struct sg_engine temporal;

/* protobuf's maps have another order in each process; the SDK makes dicts and a list of them for the run. No exception. */
static void put_in_order(PyObject *details)
{
	static PyObject *helpers;
	PyObject *function, *info = sg_python_attribute_or_null(details, "info"), *done = NULL;

	if (!helpers)
		helpers = sg_cpython_run(
			"def order(info):\n"
			"    for name in 'raw_memo', 'headers', 'search_attributes':\n"
			"        d = getattr(info, name, None)\n"
			"        if type(d) is dict and len(d) > 1:\n"
			"            items = sorted(d.items())\n"
			"            d.clear()\n"
			"            d.update(items)\n"
			"    pairs = getattr(getattr(info, 'typed_search_attributes', None), 'search_attributes', None)\n"
			"    if type(pairs) is list: pairs.sort(key=lambda pair: pair.key.name)\n", NULL, NULL);
	function = helpers ? sg_cpython_item(helpers, "order") : NULL;
	if (function && info)
		done = PyObject_CallFunctionObjArgs(function, info, NULL);
	PyErr_Clear();
	sg_python_clear(&done);
	sg_python_clear(&info);
}

static PyObject *create_instance(PyObject *runner, PyObject *args, PyObject *kwargs)
{
	struct sg_call call = {.tuple = args, .kwargs = kwargs};
	PyObject *details = sg_call_argument(&call, 0, "det"), *object;
	struct instance *instance;

	if (!details) {
		PyErr_SetString(PyExc_TypeError, "create_instance() missing 1 required argument: 'det'");
		return NULL;
	}
	put_in_order(details);
	object = sg_temporal_instance_new(&instance);
	if (object && (sg_temporal_run_make(instance, runner, details, &temporal) < 0 || sg_temporal_instance_lend(instance) < 0))
		sg_python_clear(&object);
	return object;
}

/* A worker or replayer that starts validates each workflow in this way; a test suite starts many. */
static PyObject *prepare_workflow(PyObject *runner, PyObject *args, PyObject *kwargs)
{
	struct sg_call call = {.tuple = args, .kwargs = kwargs};
	PyObject *defn = sg_call_argument(&call, 0, "defn"), *self, *all, *answer = NULL;

	if (defn && sg_temporal_is_prepared(runner, defn, &temporal))
		return sg_python_ref(Py_None);
	self = PyTuple_Pack(1, runner);
	all = self ? PySequence_Concat(self, args) : NULL;
	if (all)
		answer = PyObject_Call(sg_temporal_sdk.original_prepare_workflow, all, kwargs);
	if (answer && defn)
		sg_temporal_note_prepared(runner, defn, &temporal);
	sg_python_clear(&all);
	sg_python_clear(&self);
	return answer;
}

static PyMethodDef create_instance_def = {
	"create_instance", (PyCFunction)(void *)create_instance, METH_VARARGS | METH_KEYWORDS,
	"Implements WorkflowRunner.create_instance (Sandglass)."
};

static PyMethodDef prepare_workflow_def = {
	"prepare_workflow", (PyCFunction)(void *)prepare_workflow, METH_VARARGS | METH_KEYWORDS,
	"Implements WorkflowRunner.prepare_workflow (Sandglass)."
};

static int put_method(PyMethodDef *def)
{
	struct sg_temporal_sdk *sdk = &sg_temporal_sdk;
	PyObject *method = PyDescr_NewMethod((PyTypeObject *)sdk->runner_class, def);
	int error = method ? PyObject_SetAttrString(sdk->runner_class, def->ml_name, method) : -1;

	sg_python_clear(&method);
	return error;
}

static void put_back(const char *name, PyObject *original)
{
	if (original && PyObject_SetAttrString(sg_temporal_sdk.runner_class, name, original) < 0)
		PyErr_Clear();
}

static int install(PyObject *module)
{
	struct sg_temporal_sdk *sdk = &sg_temporal_sdk;
	PyObject *restrictions = PyImport_ImportModule("temporalio.worker.workflow_sandbox._restrictions");
	PyObject *workflow = PyImport_ImportModule("temporalio.workflow"), *base, *unsafe;
	PyObject *is_unrestricted;
	int error = -1;

	sdk->runner_class = PyObject_GetAttrString(module, "SandboxedWorkflowRunner");
	base = PyObject_GetAttrString(module, "WorkflowInstance");
	unsafe = workflow ? PyObject_GetAttrString(workflow, "unsafe") : NULL;
	if (!restrictions || !unsafe || !sdk->runner_class || !base)
		goto out;
	sdk->original_create_instance = PyObject_GetAttrString(sdk->runner_class, "create_instance");
	sdk->refusal_class = PyObject_GetAttrString(restrictions, "RestrictedWorkflowAccessError");
	sdk->original_prepare_workflow = PyObject_GetAttrString(sdk->runner_class, "prepare_workflow");
	if (!sdk->original_create_instance || !sdk->original_prepare_workflow || !sdk->refusal_class)
		goto out;
	is_unrestricted = sg_python_attribute_or_null(unsafe, "is_sandbox_unrestricted");
	sg_temporal_unrestricted_install(is_unrestricted);
	sg_python_clear(&is_unrestricted);
	sdk->is_passed_through = sg_python_attribute_or_null(unsafe, "is_imports_passed_through");
	sdk->set_in_sandbox = sg_python_attribute_or_null(unsafe, "_set_in_sandbox");
	if (sg_native_install(&temporal) < 0 ||
	    sg_temporal_instance_install(base) < 0 || sg_temporal_leaving_install() < 0 ||
	    sg_temporal_settings_install(restrictions, workflow) < 0)
		goto out;
	if (put_method(&create_instance_def) == 0)
		error = put_method(&prepare_workflow_def);
out:
	sg_python_clear(&unsafe);
	sg_python_clear(&base);
	sg_python_clear(&workflow);
	sg_python_clear(&restrictions);
	return error;
}

static PyObject *version(void)
{
	PyObject *service = PyImport_ImportModule("temporalio.service");
	PyObject *text = service ? PyObject_GetAttrString(service, "__version__") : NULL;

	sg_python_clear(&service);
	return text;
}

static void remove_engine(void)
{
	struct sg_temporal_sdk *sdk = &sg_temporal_sdk;

	sg_temporal_worker_remove();
	sg_temporal_unrestricted_remove();
	put_back("create_instance", sdk->original_create_instance);
	put_back("prepare_workflow", sdk->original_prepare_workflow);
}

SG_ENGINE(temporal) = {
	.name = "temporal",
	.trigger = "temporalio.worker.workflow_sandbox._runner",
	.library = "/temporalio/bridge/",
	.warns_as = "temporalio.worker.workflow_sandbox._restrictions",
	.version = version,
	.install = install,
	.remove = remove_engine,
	.unrestricted = sg_temporal_unrestricted,
	.importing_shared = importing_shared,
	.shares = sg_temporal_shares,
	.judge = sg_temporal_judge,
	.additions = sg_temporal_additions,
	.loading = sg_temporal_loading,
	.lazy = sg_temporal_lazy,
	.forbids = sg_temporal_forbids,
	.knows = sg_temporal_knows,
	.aside = sg_temporal_aside,
	.refusal = &sg_temporal_sdk.refusal_class,
	.refuse = refuse,
	.main_name = "__temporal_main__",
	.calls_back = "_check_condition",
	.apart = (const char *const[]){"__temporal_activity_definition", "__temporal_workflow_definition", NULL},
	.inside = sg_temporal_in_sandbox,
	.carry = sg_temporal_unrestricted_carry,
	.end = sg_temporal_end,
	.ended = sg_temporal_ended,
	.free = sg_temporal_free,
};
