#define _GNU_SOURCE
#include "hooks/engines/temporal_ending.h"

#include "shim/life/ending.h"
#include "shim/life/finaliser.h"
#include "shim/state/image.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define SECONDS_AT_EXIT 3

static struct {
	sg_temporal_inside inside;
	void (*take_back)(struct instance *);
	void (*free)(struct instance *);
	PyObject *get_running_loop, *set_running_loop; /* asyncio's */
	PyObject *start_thread, *thread_function;
	struct instance *(*instance_of)(PyObject *);
	PyObject *values;          /* a name */
	PyObject *worker_class, *original_run;
	PyObject *watches;         /* list: weak references to what workers run */
	struct instance *first;    /* to be ended */
	bool busy;                 /* the thread is at work */
} ending;

static struct instance *instance_of_run(struct sg_run *run)
{
	return (struct instance *)((char *)run - offsetof(struct instance, run));
}

bool sg_temporal_is_last(struct instance *instance)
{
	/* In mode observe it is the SDK's own sandbox, which has none. */
	return sg_python_is_true(instance->inner, "_deleting");
}

/* --- inside the run ---------------------------------------------------------------------------- */

static void set_running_loop(PyObject *loop)
{
	PyObject *result = PyObject_CallFunctionObjArgs(ending.set_running_loop, loop, NULL);

	if (!result)
		PyErr_Clear();
	sg_python_clear(&result);
}

/* An SDK that never evicted the run must be told. */
static void tell_deleting(PyObject *inner)
{
	static const char *const flags[] = {"_deleting", "_is_replaying"};
	PyObject *yes = PyBool_FromLong(1);

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (PyObject_HasAttrString(inner, flags[i]) && PyObject_SetAttrString(inner, flags[i], yes) < 0)
			PyErr_Clear();
	Py_DecRef(yes);
}

/* What tasks and futures that go ask their loop, and what workflow.info() goes through. */
static bool is_needed(const char *name)
{
	static const char *const needed[] = {"_deleting", "_info", "_inbound", "_outbound"};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (strcmp(name, needed[i]) == 0)
			return true;
	return strncmp(name, "__temporal", 10) == 0;
}

static bool is_flag(const char *name)
{
	return strcmp(name, "_deleting") == 0;
}

static void empty(PyObject *inner, bool (*stays)(const char *))
{
	PyObject *dict = PyObject_GenericGetDict(inner, NULL), *values = dict ? PyDict_Copy(dict) : NULL, *key, *value;
	Py_ssize_t position = 0;

	/* No code runs before what stays is there again: the copy holds everything. */
	if (values)
		PyDict_Clear(dict);
	while (values && PyDict_Next(values, &position, &key, &value))
		if (stays(sg_python_text(key)) && PyDict_SetItem(dict, key, value) < 0)
			PyErr_Clear();
	PyErr_Clear();
	sg_python_clear(&dict);
	sg_python_clear(&values);
}

static void close_inside(struct instance *instance)
{
	PyObject *loop = PyObject_CallObject(ending.get_running_loop, NULL);

	if (!loop)
		PyErr_Clear();
	tell_deleting(instance->inner);
	set_running_loop(instance->inner);
	if (instance->found)
		sg_ending_close(instance->found);
	sg_ending_free(instance->found);
	instance->found = NULL;
	empty(instance->inner, is_needed);
	set_running_loop(loop ? loop : Py_None);
	empty(instance->inner, is_flag);
	sg_python_clear(&loop);
	sg_python_clear(&instance->variables); /* the visit still has them */
	sg_finaliser_forget(&instance->run);
}

void sg_temporal_end(struct instance *instance)
{
	PyObject *type, *value, *traceback;

	if (instance->ending)
		return;
	instance->ending = true;
	PyErr_Fetch(&type, &value, &traceback);
	sg_image_settle(&instance->run);
	instance->found = sg_ending_find(&instance->run, instance->inner);
	ending.inside(instance, close_inside);
	ending.take_back(instance);
	sg_python_clear(&instance->inner);
	/* What it let go of in the image's place: nothing in it is left to be run. */
	sg_image_forget(&instance->run);
	PyErr_Restore(type, value, traceback);
}

/* --- those that nobody evicts ------------------------------------------------------------------ */

static struct instance *take(void)
{
	struct instance *instance = ending.first;

	if (instance) {
		ending.first = instance->next;
		instance->next = NULL;
		instance->waiting = false;
	}
	return instance;
}

static PyObject *end_waiting(PyObject *self, PyObject *unused)
{
	const struct timespec moment = {0, 50000000};
	struct instance *instance, *later;
	void *state;

	(void)self;
	(void)unused;
	do {
		later = NULL;
		while ((instance = take())) {
			if (instance->inner && !sg_image_idle(&instance->run)) {
				instance->next = later;
				later = instance;
				instance->waiting = true;
				continue;
			}
			if (instance->inner)
				sg_temporal_end(instance);
			if (instance->dropped)
				ending.free(instance);
		}
		if (later) {
			/* Images that others are in, perhaps for ever: nothing else waits for them. */
			state = PyEval_SaveThread();
			nanosleep(&moment, NULL);
			PyEval_RestoreThread(state);
		}
		while ((instance = later)) {
			later = instance->next;
			instance->next = ending.first;
			ending.first = instance;
		}
	} while (ending.first);
	ending.busy = false;
	return sg_python_ref(Py_None);
}

static PyMethodDef end_waiting_def = {"sandglass_end_runs", end_waiting, METH_NOARGS, NULL};

/* A child of a fork has copies of its parent's runs, which end there. The thread is not among what it has. */
static void after_fork_in_child(void)
{
	for (struct sg_run *run = sg_finaliser_runs(); run; run = run->next)
		instance_of_run(run)->copied = true;
	for (struct instance *instance = ending.first; instance; instance = instance->next)
		instance->copied = true;
	ending.first = NULL;
	ending.busy = false;
}

/* Not threading.Thread, whose start() takes locks that the code which is interrupted here may hold. */
static void start_thread(void)
{
	PyObject *arguments, *thread = NULL;

	if (ending.busy || !ending.first)
		return;
	arguments = PyTuple_New(0);
	if (arguments)
		thread = PyObject_CallFunctionObjArgs(ending.start_thread, ending.thread_function, arguments, NULL);
	ending.busy = thread != NULL;
	if (!thread)
		PyErr_Clear(); /* the interpreter ends */
	sg_python_clear(&thread);
	sg_python_clear(&arguments);
}

static void queue(struct instance *instance)
{
	if (instance->waiting || instance->copied)
		return;
	instance->waiting = true;
	instance->next = ending.first;
	ending.first = instance;
}

/* One that still is in an activation, on a thread that the SDK has given up, stays as it is. */
static void end_later(struct instance *instance)
{
	if (instance->activated && instance->inner && !instance->thread)
		queue(instance);
}

void sg_temporal_drop(struct instance *instance)
{
	struct sg_context *token = sg_context_suspend();
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	instance->dropped = true;
	queue(instance);
	start_thread();
	PyErr_Restore(type, value, traceback);
	sg_context_leave(token);
}

/* --- a worker that has ended ------------------------------------------------------------------- */

/*
 * It keeps its runs, and each leads back to it through the SDK's functions, but for the collector not through our
 * record: without this they would stay for good.
 */
static PyObject *kept_by(PyObject *worker)
{
	PyObject *running = sg_python_attribute_or_null(worker, "_running_workflows"), *values = NULL, *list = NULL;

	if (running)
		values = PyObject_CallMethodObjArgs(running, ending.values, NULL);
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
		instance = ending.instance_of(PyList_GetItem(list, i));
		if (instance)
			end_later(instance);
	}
	start_thread();
	for (Py_ssize_t i = 0; i < PyList_Size(ending.watches); i++)
		if (PyList_GetItem(ending.watches, i) == reference) {
			PySequence_DelItem(ending.watches, i);
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
		struct instance *instance = ending.instance_of(PyList_GetItem(list, i));

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
	PyObject *coroutine = PyObject_Call(ending.original_run, args, kwargs);
	PyObject *worker = coroutine && PyTuple_Size(args) > 0 ? PyTuple_GetItem(args, 0) : NULL;
	PyObject *callback = worker ? PyCFunction_NewEx(&worker_ended_def, worker, NULL) : NULL, *reference = NULL;

	(void)self;
	if (callback)
		reference = PyWeakref_NewRef(coroutine, callback);
	if (reference)
		PyList_Append(ending.watches, reference);
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
	ending.original_run = class ? PyObject_GetAttrString(class, "run") : NULL;
	ending.watches = PyList_New(0);
	function = PyCFunction_NewEx(&run_def, NULL, NULL);
	watched = function ? PyInstanceMethod_New(function) : NULL;
	if (ending.original_run && ending.watches && watched && PyObject_SetAttrString(class, "run", watched) == 0)
		ending.worker_class = sg_python_ref(class);
	PyErr_Clear();
	sg_python_clear(&watched);
	sg_python_clear(&function);
	sg_python_clear(&class);
	sg_python_clear(&module);
}

/* --- start and exit ---------------------------------------------------------------------------- */

int sg_temporal_ending_install(sg_temporal_inside inside, void (*take_back)(struct instance *), void (*free)(struct instance *),
		struct instance *(*instance_of)(PyObject *))
{
	PyObject *events = PyImport_ImportModule("asyncio"), *thread = PyImport_ImportModule("_thread");

	ending.inside = inside;
	ending.take_back = take_back;
	ending.free = free;
	ending.instance_of = instance_of;
	ending.values = PyUnicode_InternFromString("values");
	ending.thread_function = PyCFunction_NewEx(&end_waiting_def, NULL, NULL);
	if (events) {
		ending.get_running_loop = PyObject_GetAttrString(events, "_get_running_loop");
		ending.set_running_loop = PyObject_GetAttrString(events, "_set_running_loop");
	}
	if (thread)
		ending.start_thread = PyObject_GetAttrString(thread, "start_new_thread");
	sg_python_clear(&events);
	sg_python_clear(&thread);
	return ending.get_running_loop && ending.set_running_loop && ending.start_thread &&
		ending.thread_function && pthread_atfork(NULL, NULL, after_fork_in_child) == 0 ? 0 : -1;
}

void sg_temporal_ending_remove(void)
{
	const struct timespec moment = {0, 1000000};
	void *state;

	if (ending.worker_class && PyObject_SetAttrString(ending.worker_class, "run", ending.original_run) < 0)
		PyErr_Clear();
	for (struct sg_run *run = sg_finaliser_runs(); run; run = run->next)
		end_later(instance_of_run(run));
	start_thread();
	state = PyEval_SaveThread();
	for (int i = 0; i < SECONDS_AT_EXIT * 1000 && __atomic_load_n(&ending.busy, __ATOMIC_RELAXED); i++)
		nanosleep(&moment, NULL);
	PyEval_RestoreThread(state);
}
