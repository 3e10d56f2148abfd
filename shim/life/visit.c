#include "shim/life/visit.h"

#include "shim/base/log.h"
#include "shim/guard/attribute.h"
#include "shim/guard/decide.h"
#include "shim/guard/guard.h"
#include "shim/guard/latest.h"
#include "shim/guard/turn.h"
#include "shim/guard/undo.h"
#include "shim/import/kept.h"
#include "shim/interpreter/cpython.h"
#include "shim/native/bypass.h"
#include "shim/native/hardened.h"
#include "shim/native/native.h"
#include "shim/run/policy.h"
#include "shim/shared/abstract.h"
#include "shim/shared/locals.h"
#include "shim/shared/stores.h"
#include "shim/state/image.h"
#include "shim/state/named.h"

#include <errno.h>

/* Entered, or NULL without an exception. */
static PyObject *copy_variables(void)
{
	PyObject *variables = PyContext_CopyCurrent();

	if (!variables || PyContext_Enter(variables) < 0) {
		PyErr_Clear();
		sg_python_clear(&variables);
	}
	return variables;
}

/*
 * A run has context variables of its own, as if it had a thread of its own: in its first activation the thread's as
 * they are, then what it made of them, whichever thread that is on. What is set while modules are imported is dropped.
 */
static PyObject *enter_variables(struct sg_run *run)
{
	if (!run->activated)
		return copy_variables();
	if (!run->variables) {
		run->variables = copy_variables();
		return sg_python_ref(run->variables);
	}
	if (PyContext_Enter(run->variables) == 0)
		return sg_python_ref(run->variables);
	PyErr_Clear(); /* a thread that the engine has given up is in there */
	return copy_variables();
}

static void leave_variables(PyObject *variables)
{
	PyObject *type, *value, *traceback;

	if (!variables)
		return;
	PyErr_Fetch(&type, &value, &traceback);
	if (PyContext_Exit(variables) < 0)
		PyErr_Clear();
	Py_DecRef(variables);
	PyErr_Restore(type, value, traceback);
}

static struct sg_context *enter(struct sg_context *context)
{
	context->entry = PyEval_GetFrame();
	sg_guard_look_again();
	sg_attribute_enter();
	sg_stores_enter();
	sg_context_begin(context);
	sg_bypass_look();
	sg_hardened_enter();
	return sg_context_enter(context);
}

static void leave(struct sg_context *context, struct sg_context *token)
{
	sg_context_leave(token);
	sg_context_end(context);
	sg_hardened_leave();
	sg_stores_leave();
	sg_attribute_leave();
}

/* The engine's own word for "workflow code is running on this thread". */
static void tell(const struct sg_run *run, bool inside)
{
	if (run->policy->engine->inside)
		run->policy->engine->inside(inside);
}

static void carry(struct sg_run *run, bool inside)
{
	if (run->policy->engine->carry)
		run->policy->engine->carry(run, inside);
}

void sg_visit_enter(struct sg_run *run, struct sg_visit *visit)
{
	sg_turn_begin();
	sg_abstract_turn(run);
	tell(run, true);
	sg_named_begin(run);
	visit->token = enter(&visit->context);
	visit->outer = run->thread;
	run->thread = PyThread_get_thread_ident();
	visit->variables = enter_variables(run);
	visit->locals = sg_locals_enter(run);
	carry(run, true);
}

void sg_visit_drop_variables(struct sg_visit *visit)
{
	leave_variables(visit->variables);
	visit->variables = copy_variables();
}

void sg_visit_leave(struct sg_run *run, struct sg_visit *visit)
{
	carry(run, false);
	/* What is put there while the run is made no activation would find: that is another thread. */
	sg_locals_leave(run, visit->locals, visit->context.activation);
	sg_native_settle(run);
	if (run->used && visit->context.activation)
		sg_kept_judge_all(run, sg_decide_kept);
	sg_undo_all(sg_decide_late);
	sg_latest_leave(run);
	sg_named_end(run);
	leave_variables(visit->variables);
	run->thread = visit->outer;
	leave(&visit->context, visit->token);
	tell(run, false);
	sg_abstract_turn(run);
	sg_turn_end();
}

/* --- activations ------------------------------------------------------------------------------- */

static int begin(struct sg_run *run, struct sg_visit *visit, int milliseconds)
{
	*visit = (struct sg_visit){.context = {run, SG_PHASE_RUNTIME, true, NULL, NULL}};
	if (run->image && sg_image_enter(run->image, run, milliseconds) < 0)
		return -EBUSY;
	sg_visit_enter(run, visit);
	return 0;
}

int sg_visit_begin(struct sg_run *run, struct sg_visit *visit, int milliseconds)
{
	sg_python_clear(&run->refusal);
	run->refusals = 0;
	run->answered.clock = 0;
	run->late = false;
	run->activated = true;
	if (begin(run, visit, milliseconds) < 0)
		return -EBUSY;
	if (run->root)
		return 0;
	sg_visit_end(run, visit); /* it left while this thread waited */
	return -ENOENT;
}

void sg_visit_end(struct sg_run *run, struct sg_visit *visit)
{
	sg_visit_leave(run, visit);
	if (run->image)
		sg_image_leave(run->image);
	sg_decide_summary_if_due();
}

void sg_visit_inside(struct sg_run *run, void (*function)(struct sg_run *))
{
	struct sg_visit visit;

	begin(run, &visit, -1);
	function(run);
	sg_visit_end(run, &visit);
	PyErr_Clear(); /* what compiled code did while the run ended is logged */
	sg_python_clear(&run->refusal);
}

static void fail(PyObject *text)
{
	if (text)
		PyErr_SetString(PyExc_RuntimeError, sg_python_text(text));
	sg_python_clear(&text);
}

void sg_visit_fail_busy(const struct sg_run *run, int milliseconds)
{
	PyObject *occupant = sg_image_occupant(run->image);

	fail(PyUnicode_FromFormat("sandglass: an activation of another run of %s (workflow id %s) has not yielded for %d "
			"milliseconds; this task fails and is tried again apart from it",
			sg_python_text(run->policy->workflow_module),
			occupant ? sg_python_text(occupant) : "unknown", milliseconds));
}

void sg_visit_fail_lost(const struct sg_run *run)
{
	fail(PyUnicode_FromFormat("sandglass: what a run of %s changed could not be kept apart (the log says what, with "
			"event=lost); this task fails and is tried again with modules of its own",
			sg_python_text(run->policy->workflow_module)));
}

static void log_swallowed(const struct sg_run *run)
{
	PyObject *text = PyObject_Str(run->refusal);
	struct sg_line line;

	if (sg_log_begin(&line, SG_LOG_WARN, "swallowed")) {
		sg_log_text(&line, "workflow_type", run->workflow_type ? sg_python_text(run->workflow_type) : NULL);
		sg_run_log(run, &line);
		sg_log_text(&line, "refusal", sg_python_text(text));
		sg_log_end(&line);
	}
	PyErr_Clear();
	sg_python_clear(&text);
}

void sg_visit_check_swallowed(struct sg_run *run, PyObject **answer, bool told)
{
	PyObject *type, *value, *traceback;

	if (!run->refusal)
		return;
	if (*answer && !told) {
		if (!run->late)
			log_swallowed(run);
		sg_python_clear(answer);
		PyErr_SetObject((PyObject *)sg_cpython_type(run->refusal), run->refusal);
	}
	PyErr_Fetch(&type, &value, &traceback);
	sg_python_clear(&run->refusal);
	PyErr_Restore(type, value, traceback);
}
