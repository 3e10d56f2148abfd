#include "hooks/engines/temporal_visit.h"

#include "hooks/engines/temporal_sdk.h"

#include "shim/guard/attribute.h"
#include "shim/guard/undo.h"
#include "shim/native/bypass.h"
#include "shim/native/hardened.h"
#include "shim/native/native.h"
#include "shim/shared/locals.h"
#include "shim/shared/stores.h"
#include "shim/state/named.h"

#include <stdbool.h>
#include <stdint.h>

static PyObject *truths[2], *value_name; /* False and True, "value" */
static PyObject *flag; /* the SDK's, a threading.local with the attribute "value"; NULL: it must be asked to set it */

/* The dict that holds what the flag is for this thread; borrowed, it goes with the thread's state. NULL with an exception. */
static PyObject *flag_of_thread(void)
{
	static __thread uint64_t thread;
	static __thread PyObject *dict;
	uint64_t now = PyThreadState_GetID(PyThreadState_Get());

	if (thread != now) {
		dict = PyObject_GetAttrString(flag, "__dict__");
		if (dict)
			Py_DecRef(dict);
		thread = dict ? now : 0;
	}
	return dict;
}

static int set_flag(bool inside)
{
	PyObject *dict = flag_of_thread();

	return dict ? PyDict_SetItem(dict, value_name, truths[inside]) : -1;
}

/* Is it what the SDK's function has set, and does the attribute follow the dict? */
static bool follows(PyObject *function, bool inside)
{
	PyObject *done = PyObject_CallFunctionObjArgs(function, truths[inside], NULL);
	PyObject *before = done ? PyObject_GetAttr(flag, value_name) : NULL, *after = NULL;
	bool same;

	if (before && set_flag(!inside) == 0)
		after = PyObject_GetAttr(flag, value_name);
	same = before == truths[inside] && after == truths[!inside];
	PyErr_Clear();
	sg_python_clear(&after);
	sg_python_clear(&before);
	sg_python_clear(&done);
	return same;
}

/*
 * The SDK's own function for it sets an attribute of a threading.local. Where that is so, as a trial shows, it is set
 * without a call of Python code.
 */
static void find_flag(PyObject *function)
{
	flag = sg_python_global(function, "_in_sandbox");
	if (flag && !(follows(function, true) && follows(function, false)))
		sg_python_clear(&flag);
}

/* in_sandbox() is the SDK's word for "workflow code is running"; old versions lack it. */
static void tell_in_sandbox(bool inside)
{
	static bool looked;
	PyObject *type, *value, *traceback, *result;

	if (!sg_temporal_sdk.set_in_sandbox)
		return;
	PyErr_Fetch(&type, &value, &traceback);
	if (!looked) {
		looked = true;
		truths[0] = PyBool_FromLong(0);
		truths[1] = PyBool_FromLong(1);
		value_name = PyUnicode_InternFromString("value");
		find_flag(sg_temporal_sdk.set_in_sandbox);
	}
	if (flag) {
		set_flag(inside);
	} else {
		result = PyObject_CallFunctionObjArgs(sg_temporal_sdk.set_in_sandbox, truths[inside], NULL);
		sg_python_clear(&result);
	}
	PyErr_Clear();
	PyErr_Restore(type, value, traceback);
}

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
static PyObject *enter_variables(struct instance *instance)
{
	if (!instance->activated)
		return copy_variables();
	if (!instance->variables) {
		instance->variables = copy_variables();
		return sg_python_ref(instance->variables);
	}
	if (PyContext_Enter(instance->variables) == 0)
		return sg_python_ref(instance->variables);
	PyErr_Clear(); /* a thread that the SDK has given up is in there */
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

void sg_temporal_visit_begin(struct instance *instance, struct sg_temporal_visit *visit)
{
	tell_in_sandbox(true);
	sg_named_begin(&instance->run);
	visit->token = enter(&visit->context);
	visit->outer = instance->thread;
	instance->thread = PyThread_get_thread_ident();
	visit->variables = enter_variables(instance);
	visit->locals = sg_locals_enter(&instance->run);
}

void sg_temporal_visit_drop_variables(struct sg_temporal_visit *visit)
{
	leave_variables(visit->variables);
	visit->variables = copy_variables();
}

void sg_temporal_visit_end(struct instance *instance, struct sg_temporal_visit *visit)
{
	/* What is put there while the run is made no activation would find: that is another thread. */
	sg_locals_leave(&instance->run, visit->locals, visit->context.activation);
	sg_native_settle(&instance->run);
	sg_undo_all();
	sg_named_end(&instance->run);
	leave_variables(visit->variables);
	instance->thread = visit->outer;
	leave(&visit->context, visit->token);
	tell_in_sandbox(false);
}
