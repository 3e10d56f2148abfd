#include "hooks/engines/temporal_visit.h"

#include "hooks/engines/temporal_sdk.h"

#include "shim/attribute.h"
#include "shim/bypass.h"
#include "shim/finaliser.h"
#include "shim/hardened.h"
#include "shim/native.h"

#include <stdbool.h>

/* in_sandbox() is the SDK's word for "workflow code is running"; old versions lack it. */
static void tell_in_sandbox(bool inside)
{
	PyObject *type, *value, *traceback, *flag, *result = NULL;

	if (!sg_temporal_sdk.set_in_sandbox)
		return;
	PyErr_Fetch(&type, &value, &traceback);
	flag = PyBool_FromLong(inside);
	result = PyObject_CallFunctionObjArgs(sg_temporal_sdk.set_in_sandbox, flag, NULL);
	if (!result)
		PyErr_Clear();
	sg_python_clear(&result);
	Py_DecRef(flag);
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
	sg_finaliser_enter(context);
	sg_bypass_look();
	sg_hardened_enter();
	return sg_context_enter(context);
}

static void leave(struct sg_context *context, struct sg_context *token)
{
	sg_context_leave(token);
	sg_finaliser_leave(context);
	sg_hardened_leave();
	sg_attribute_leave();
}

void sg_temporal_visit_begin(struct instance *instance, struct sg_temporal_visit *visit)
{
	tell_in_sandbox(true);
	visit->token = enter(&visit->context);
	visit->outer = instance->thread;
	instance->thread = PyThread_get_thread_ident();
	visit->variables = enter_variables(instance);
}

void sg_temporal_visit_drop_variables(struct sg_temporal_visit *visit)
{
	leave_variables(visit->variables);
	visit->variables = copy_variables();
}

void sg_temporal_visit_end(struct instance *instance, struct sg_temporal_visit *visit)
{
	leave_variables(visit->variables);
	sg_native_settle(&instance->run);
	instance->thread = visit->outer;
	leave(&visit->context, visit->token);
	tell_in_sandbox(false);
}
