#include "hooks/engines/durabletask/item.h"

#include "hooks/engines/durabletask/own.h"

#include "shim/interpreter/cpython.h"
#include "shim/life/leave.h"
#include "shim/life/make.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MILLISECONDS_BUSY 1000

struct item {
	struct sg_run run;   /* its root is a list of the generator, once it is about to end */
	PyObject *context, *began, *seed; /* began: when; seed: made when it is asked for */
	bool owned;
};

static __thread struct sg_durable_work *current;

struct sg_durable_work *sg_durable_work(void)
{
	return current;
}

static struct item *item_of(const struct sg_run *run)
{
	return (struct item *)((char *)run - offsetof(struct item, run));
}

/* --- what the core asks ------------------------------------------------------------------------ */

bool sg_durable_lazy(PyObject *settings)
{
	(void)settings;
	return true;
}

static PyObject *time_of(PyObject *context)
{
	PyObject *time = sg_python_attribute_or_null(context, "_current_utc_datetime");

	return time ? time : sg_python_attribute_or_null(context, "current_utc_datetime");
}

PyObject *sg_durable_knows(const struct sg_run *run, int64_t *ret_now)
{
	struct item *item = item_of(run);
	PyObject *time = item->context ? time_of(item->context) : NULL;

	/* The id alone would be the same again after continue_as_new. */
	if (!item->seed)
		item->seed = PyUnicode_FromFormat("%S %S", run->workflow_id, item->began);
	*ret_now = time ? sg_answer_moment(time) : -1;
	PyErr_Clear();
	sg_python_clear(&time);
	return *ret_now < 0 ? NULL : sg_python_ref(item->seed);
}

/* The generator is closed; what else the context has of the user's goes here, not in a collection that comes some day. */
void sg_durable_end_run(struct sg_run *run, void (*close)(struct sg_run *run))
{
	struct item *item = item_of(run);
	PyObject *dict;

	close(run);
	PyList_SetSlice(run->root, 0, PyList_Size(run->root), NULL);
	dict = item->owned ? PyObject_GenericGetDict(item->context, NULL) : NULL;
	if (dict)
		PyDict_Clear(dict);
	PyErr_Clear();
	sg_python_clear(&dict);
	run->fence = NULL;
	sg_python_clear(&item->context);
}

void sg_durable_free(struct sg_run *run)
{
	struct item *item = item_of(run);
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	sg_python_clear(&item->context);
	sg_python_clear(&item->began);
	sg_python_clear(&item->seed);
	sg_run_release(run);
	free(item);
	PyErr_Restore(type, value, traceback);
}

/* --- one work item ----------------------------------------------------------------------------- */

void sg_durable_begin(struct sg_durable_work *work, const struct sg_engine *engine)
{
	*work = (struct sg_durable_work){.outer = current, .engine = engine, .entry = PyEval_GetFrame()};
	current = work;
}

struct request {
	PyObject *function, *own;
	const char *unisolated;
};

static PyObject *make(struct sg_making *making, void *argument)
{
	struct request *request = argument;
	PyObject *root = NULL;

	sg_python_clear(&request->own);
	request->own = request->unisolated ? sg_python_ref(request->function) : sg_durable_own(making, request->function);
	if (request->own && sg_make_imported(making) == 0)
		root = PyList_New(0);
	return root;
}

/* NULL with an exception. */
static struct item *new_item(const struct sg_durable_work *work, struct request *request, PyObject *user_function, PyObject *name)
{
	struct item *item = calloc(1, sizeof(*item));
	struct sg_recipe recipe = {
		.engine = work->engine, .settings = Py_None, .workflow_class = user_function, .unisolated = request->unisolated,
		.make = make, .argument = request
	};

	if (!item) {
		PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
		return NULL;
	}
	item->context = item->run.fence = sg_python_ref(work->context);
	item->owned = work->owned;
	item->run.workflow_type = name ? sg_python_ref(name) : sg_python_attribute_or_null(user_function, "__name__");
	item->run.workflow_id = sg_python_attribute_or_null(work->context, "_instance_id");
	item->began = time_of(work->context);
	if (item->run.workflow_id && item->began && sg_run_make(&item->run, &recipe) == 0)
		return item;
	if (!PyErr_Occurred())
		PyErr_SetString(PyExc_RuntimeError, "sandglass: the orchestration has no id or no time");
	sg_durable_free(&item->run);
	return NULL;
}

/* Modules of a run are by its name; what has none is of the class that it is an object of. */
static PyObject *named(PyObject *user_function)
{
	PyObject *module = sg_python_attribute_or_null(user_function, "__module__");
	bool has = module && sg_cpython_is_text(module);

	sg_python_clear(&module);
	return has ? sg_python_ref(user_function) : PyObject_Type(user_function);
}

PyObject *sg_durable_enter(struct sg_durable_work *work, PyObject *function, PyObject *name)
{
	PyObject *user_function = sg_durable_user_function(function), *of = named(user_function);
	struct request request = {function, NULL, sg_make_unisolated(user_function)};

	/* Another thread may take its image before this one enters it, and keep it: then it gets another. */
	while ((work->item = new_item(work, &request, of, name))) {
		if (sg_visit_begin(&work->item->run, &work->visit, MILLISECONDS_BUSY) == 0)
			break;
		sg_leave_drop(&work->item->run);
	}
	if (work->item)
		work->visit.context.entry = work->entry;
	else
		sg_python_clear(&request.own);
	sg_python_clear(&of);
	sg_python_clear(&user_function);
	return request.own;
}

/* Does the last action of the answer say so? An exception that leaves the orchestrator is made into one that fails it. */
static bool tells(PyObject *answer, PyObject *refusal)
{
	static const char *const failures[] = {"completeOrchestration.failureDetails.errorMessage",
		"completeWorkflow.failureDetails.errorMessage"};
	PyObject *actions = sg_python_attribute_or_null(answer, "actions"), *last = NULL, *text = PyObject_Str(refusal), *told;
	bool found = false;

	if (actions && PyList_Size(actions) > 0)
		last = PyList_GetItem(actions, PyList_Size(actions) - 1);
	for (size_t i = 0; last && text && !found && i < sizeof(failures) / sizeof(failures[0]); i++) {
		told = sg_python_attribute_or_null(last, failures[i]);
		found = told && strstr(sg_python_text(told), sg_python_text(text));
		sg_python_clear(&told);
	}
	PyErr_Clear();
	sg_python_clear(&text);
	sg_python_clear(&actions);
	return found;
}

/* What the run's end is to close. Keeps a pending exception. */
static void add_to_root(struct sg_run *run, PyObject *holder, const char *name)
{
	PyObject *type, *value, *traceback, *generator;

	PyErr_Fetch(&type, &value, &traceback);
	generator = sg_python_attribute_or_null(holder, name);
	if (generator && PyList_Append(run->root, generator) < 0)
		PyErr_Clear();
	sg_python_clear(&generator);
	PyErr_Restore(type, value, traceback);
}

void sg_durable_end(struct sg_durable_work *work, PyObject *holder, const char *name, PyObject **answer)
{
	struct sg_run *run = work->item ? &work->item->run : NULL;

	current = work->outer;
	if (run)
		add_to_root(run, holder, name);
	sg_python_clear(&work->context);
	if (!run)
		return;
	sg_visit_end(run, &work->visit);
	sg_visit_check_swallowed(run, answer, *answer && run->refusal && tells(*answer, run->refusal));
	sg_leave_end(run);
	sg_leave_drop(run);
}
