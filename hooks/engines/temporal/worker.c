#include "hooks/engines/temporal/worker.h"

#include "hooks/engines/temporal/instance.h"

#include "shim/life/leave.h"

static PyObject *worker_class, *original_run;
static PyObject *watches; /* list: weak references to what workers run */
static PyObject *values_name;

/*
 * It keeps its runs, and each leads back to it through the SDK's functions, but for the collector not through our
 * record: without this they would stay for good.
 */
static PyObject *kept_by(PyObject *worker)
{
	PyObject *running = sg_python_attribute_or_null(worker, "_running_workflows"), *values = NULL, *list = NULL;

	if (running)
		values = PyObject_CallMethodObjArgs(running, values_name, NULL);
	if (values)
		list = PySequence_List(values);
	PyErr_Clear();
	sg_python_clear(&values);
	sg_python_clear(&running);
	return list;
}

static PyObject *worker_ended(PyObject *worker, PyObject *reference)
{
	struct sg_context *token = sg_context_suspend();
	PyObject *list = kept_by(worker);
	struct instance *instance;

	for (Py_ssize_t i = 0; list && i < PyList_Size(list); i++) {
		instance = sg_temporal_instance_kept(PyList_GetItem(list, i));
		if (instance)
			sg_leave_later(&instance->run);
	}
	sg_leave_start();
	for (Py_ssize_t i = 0; i < PyList_Size(watches); i++)
		if (PyList_GetItem(watches, i) == reference) {
			PySequence_DelItem(watches, i);
			break;
		}
	PyErr_Clear();
	sg_context_leave(token);
	sg_python_clear(&list);
	return sg_python_ref(Py_None);
}

static PyMethodDef worker_ended_def = {"sandglass_worker_ended", worker_ended, METH_O, NULL};

/*
 * Where a KeyboardInterrupt or SystemExit has left an activation, the SDK lets the process end, and never answers the
 * activation. Whether it then waits for that answer, for ever, depends on the addresses of its tasks, which asyncio.run()
 * cancels in the order of a set. (In the worker's run() this is within a try statement.)
 */
static PyObject *finalize_shutdown(PyObject *worker_and_original, PyObject *unused)
{
	PyObject *list = kept_by(PyTuple_GetItem(worker_and_original, 0));
	bool escaped = false;

	(void)unused;
	for (Py_ssize_t i = 0; list && i < PyList_Size(list); i++) {
		struct instance *instance = sg_temporal_instance_kept(PyList_GetItem(list, i));

		escaped = escaped || (instance && instance->escaped);
	}
	PyErr_Clear();
	sg_python_clear(&list);
	if (!escaped)
		return PyObject_CallObject(PyTuple_GetItem(worker_and_original, 1), NULL);
	PyErr_SetString(PyExc_RuntimeError, "sandglass: an activation that ended the process is never answered");
	return NULL;
}

static PyMethodDef finalize_shutdown_def = {"finalize_shutdown", finalize_shutdown, METH_NOARGS, NULL};

/* Best effort: an SDK without such a method waits as ever. */
static void watch_shutdown(PyObject *worker)
{
	PyObject *getter = sg_python_attribute_or_null(worker, "_bridge_worker");
	PyObject *bridge = getter ? PyObject_CallObject(getter, NULL) : NULL;
	PyObject *original = bridge ? sg_python_attribute_or_null(bridge, "finalize_shutdown") : NULL;
	PyObject *both = original ? PyTuple_Pack(2, worker, original) : NULL;
	PyObject *function = both ? PyCFunction_NewEx(&finalize_shutdown_def, both, NULL) : NULL;

	if (function)
		PyObject_SetAttrString(bridge, "finalize_shutdown", function);
	PyErr_Clear();
	sg_python_clear(&function);
	sg_python_clear(&both);
	sg_python_clear(&original);
	sg_python_clear(&bridge);
	sg_python_clear(&getter);
}

/*
 * The worker's method is a coroutine function. When its coroutine goes, it has ended: one of ours around it would be a frame
 * that tracers see, in 3.11 with a return without a call where an exception is thrown in.
 */
static PyObject *run(PyObject *self, PyObject *args, PyObject *kwargs)
{
	PyObject *coroutine = PyObject_Call(original_run, args, kwargs);
	PyObject *worker = coroutine && PyTuple_Size(args) > 0 ? PyTuple_GetItem(args, 0) : NULL;
	PyObject *callback = worker ? PyCFunction_NewEx(&worker_ended_def, worker, NULL) : NULL, *reference = NULL;

	(void)self;
	if (callback)
		reference = PyWeakref_NewRef(coroutine, callback);
	if (reference)
		PyList_Append(watches, reference);
	if (worker)
		watch_shutdown(worker);
	if (coroutine)
		PyErr_Clear();
	sg_python_clear(&reference);
	sg_python_clear(&callback);
	return coroutine;
}

static PyMethodDef run_def = {"run", (PyCFunction)(void *)run, METH_VARARGS | METH_KEYWORDS, NULL};

void sg_temporal_watch_worker(void)
{
	static bool done;
	PyObject *module = NULL, *class = NULL, *function, *watched;

	if (done)
		return;
	done = true;
	module = PyImport_ImportModule("temporalio.worker._workflow");
	class = module ? PyObject_GetAttrString(module, "_WorkflowWorker") : NULL;
	values_name = PyUnicode_InternFromString("values");
	original_run = class ? PyObject_GetAttrString(class, "run") : NULL;
	watches = PyList_New(0);
	function = PyCFunction_NewEx(&run_def, NULL, NULL);
	watched = function ? PyInstanceMethod_New(function) : NULL;
	if (original_run && watches && watched && PyObject_SetAttrString(class, "run", watched) == 0)
		worker_class = sg_python_ref(class);
	PyErr_Clear();
	sg_python_clear(&watched);
	sg_python_clear(&function);
	sg_python_clear(&class);
	sg_python_clear(&module);
}

void sg_temporal_worker_remove(void)
{
	if (worker_class && PyObject_SetAttrString(worker_class, "run", original_run) < 0)
		PyErr_Clear();
}
