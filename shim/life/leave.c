#define _GNU_SOURCE
#include "shim/life/leave.h"

#include "shim/base/loader.h"
#include "shim/base/real.h"
#include "shim/guard/family.h"
#include "shim/life/ending.h"
#include "shim/life/finaliser.h"
#include "shim/life/policies.h"
#include "shim/life/visit.h"
#include "shim/native/native.h"
#include "shim/shared/identity.h"
#include "shim/state/image.h"

#include <time.h>

#define SECONDS_AT_EXIT 3

static struct {
	PyObject *start_thread, *thread_function;
	struct sg_run *first; /* to be ended */
	bool busy;            /* the thread is at work */
} leaving;

void sg_run_release(struct sg_run *run)
{
	sg_finaliser_forget(run);
	sg_python_clear(&run->root);
	sg_python_clear(&run->variables);
	sg_image_forget(run);
	sg_image_drop(run);
	sg_native_release(run);
	sg_python_clear(&run->kept);
	sg_python_clear(&run->locals);
	sg_python_clear(&run->classes);
	sg_identity_release(run);
	sg_python_clear(&run->latest);
	sg_python_clear(&run->overloads);
	sg_python_clear(&run->registered);
	sg_python_clear(&run->generics);
	sg_python_clear(&run->answers);
	sg_python_clear(&run->asked);
	sg_python_clear(&run->used);
	sg_python_clear(&run->refusal);
	sg_answer_release(&run->answered);
	sg_answer_release(&run->importing);
	sg_python_clear(&run->generators);
	sg_python_clear(&run->modules);
	sg_python_clear(&run->workflow_type);
	sg_python_clear(&run->workflow_id);
	sg_python_clear(&run->run_id);
	if (run->policy)
		sg_policies_release(run->policy);
}

/* --- inside the run ---------------------------------------------------------------------------- */

static void close_found(struct sg_run *run)
{
	if (run->leaving.found)
		sg_ending_close(run->leaving.found);
	sg_ending_free(run->leaving.found);
	run->leaving.found = NULL;
}

static void end_inside(struct sg_run *run)
{
	run->policy->engine->end(run, close_found);
	sg_python_clear(&run->variables); /* the visit still has them */
	sg_finaliser_forget(run);
}

void sg_leave_end(struct sg_run *run)
{
	PyObject *type, *value, *traceback;

	if (run->leaving.ending) /* threads that the engine gave up may all want to */
		return;
	run->leaving.ending = true;
	PyErr_Fetch(&type, &value, &traceback);
	sg_image_settle(run);
	run->leaving.found = sg_ending_find(run, run->root);
	sg_visit_inside(run, end_inside);
	if (run->policy->engine->ended)
		run->policy->engine->ended(run);
	sg_python_clear(&run->root);
	/* What it let go of in the image's place: nothing in it is left to be run. */
	sg_image_forget(run);
	run->leaving.ended = true;
	PyErr_Restore(type, value, traceback);
}

/* --- those that nobody evicts ------------------------------------------------------------------ */

static struct sg_run *take(void)
{
	struct sg_run *run = leaving.first;

	if (run) {
		leaving.first = run->leaving.next;
		run->leaving.next = NULL;
		run->leaving.waiting = false;
	}
	return run;
}

static PyObject *end_waiting(PyObject *self, PyObject *unused)
{
	const struct timespec moment = {0, 50000000};
	struct sg_run *run, *later;
	void *state;

	(void)self;
	(void)unused;
	do {
		later = NULL;
		while ((run = take())) {
			if (run->root && !sg_image_idle(run)) {
				run->leaving.next = later;
				later = run;
				run->leaving.waiting = true;
				continue;
			}
			if (run->root)
				sg_leave_end(run);
			if (run->leaving.dropped && !run->leaving.waiting) /* else dropped as it ended, and taken once more */
				run->policy->engine->free(run);
		}
		if (later) {
			/* Images that others are in, perhaps for ever: nothing else waits for them. */
			state = PyEval_SaveThread();
			REAL(nanosleep)(&moment, NULL);
			PyEval_RestoreThread(state);
		}
		while ((run = later)) {
			later = run->leaving.next;
			run->leaving.next = leaving.first;
			leaving.first = run;
		}
	} while (leaving.first);
	leaving.busy = false;
	return sg_python_ref(Py_None);
}

static PyMethodDef end_waiting_def = {"sandglass_end_runs", end_waiting, METH_NOARGS, NULL};

/* A child of a fork has copies of its parent's runs, which end there. The thread is not among what it has. */
static void after_fork_in_child(void)
{
	for (struct sg_run *run = sg_finaliser_runs(); run; run = run->next)
		run->leaving.copied = true;
	for (struct sg_run *run = leaving.first; run; run = run->leaving.next)
		run->leaving.copied = true;
	leaving.first = NULL;
	leaving.busy = false;
}

/* Not threading.Thread, whose start() takes locks that the code which is interrupted here may hold. */
static void start_thread(void)
{
	PyObject *arguments, *thread = NULL;

	if (leaving.busy || !leaving.first)
		return;
	arguments = PyTuple_New(0);
	if (arguments)
		thread = PyObject_CallFunctionObjArgs(leaving.start_thread, leaving.thread_function, arguments, NULL);
	leaving.busy = thread != NULL;
	if (!thread)
		PyErr_Clear(); /* the interpreter ends */
	sg_python_clear(&thread);
	sg_python_clear(&arguments);
}

static void queue(struct sg_run *run)
{
	if (run->leaving.waiting || run->leaving.copied)
		return;
	run->leaving.waiting = true;
	run->leaving.next = leaving.first;
	leaving.first = run;
}

void sg_leave_later(struct sg_run *run)
{
	if (run->activated && run->root && !run->thread)
		queue(run);
}

void sg_leave_start(void)
{
	start_thread();
}

void sg_leave_drop(struct sg_run *run)
{
	struct sg_context *token;
	PyObject *type, *value, *traceback;
	bool busy = run->leaving.ending ? !run->leaving.ended : run->root && run->activated;

	if (!busy && !run->leaving.waiting) {
		run->policy->engine->free(run);
		return;
	}
	token = sg_context_suspend();
	PyErr_Fetch(&type, &value, &traceback);
	run->leaving.dropped = true;
	queue(run);
	start_thread();
	PyErr_Restore(type, value, traceback);
	sg_context_leave(token);
}

/* --- start and exit ---------------------------------------------------------------------------- */

int sg_leave_install(void)
{
	PyObject *thread = PyImport_ImportModule("_thread");

	leaving.thread_function = PyCFunction_NewEx(&end_waiting_def, NULL, NULL);
	if (thread)
		leaving.start_thread = PyObject_GetAttrString(thread, "start_new_thread");
	sg_python_clear(&thread);
	return leaving.start_thread && leaving.thread_function && sg_loader_after_fork(after_fork_in_child) == 0 ? 0 : -1;
}

void sg_leave_remove(void)
{
	const struct timespec moment = {0, 1000000};
	void *state;

	for (struct sg_run *run = sg_finaliser_runs(); run; run = run->next)
		sg_leave_later(run);
	start_thread();
	state = PyEval_SaveThread();
	for (int i = 0; i < SECONDS_AT_EXIT * 1000 && __atomic_load_n(&leaving.busy, __ATOMIC_RELAXED); i++)
		REAL(nanosleep)(&moment, NULL);
	PyEval_RestoreThread(state);
}
