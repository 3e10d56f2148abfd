/*
 * The SDK's InSandbox replaces the definition in the details by that of the run's class, makes a runner and has it
 * create the instance. Its dataclasses.replace() is a fifth of what the whole run costs, so the same is done here where
 * nothing else is asked for: no exception types to import again, and details that are a dataclass like any other.
 */
#include "hooks/engines/temporal/inside.h"

#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"

#include <stdbool.h>

/* The SDK's class InSandbox: borrowed. Not there when we are installed. */
static PyObject *in_sandbox(void)
{
	static PyObject *class;
	PyObject *module;

	if (!class) {
		module = PyImport_ImportModule("temporalio.worker.workflow_sandbox._in_sandbox");
		class = module ? PyObject_GetAttrString(module, "InSandbox") : NULL;
		sg_python_clear(&module);
	}
	return class;
}

static PyObject *make_by_sdk(PyObject *details, PyObject *runner_class, PyObject *workflow_class)
{
	PyObject *class = in_sandbox(), *box = NULL, *inner = NULL;

	if (class)
		box = PyObject_CallFunctionObjArgs(class, details, runner_class, workflow_class, NULL);
	if (box)
		inner = PyObject_GetAttrString(box, "instance");
	sg_python_clear(&box);
	return inner;
}

static PyObject *call_method(PyObject *object, const char *path, PyObject *argument)
{
	PyObject *method = object ? sg_python_attribute(object, path) : NULL, *result = NULL;

	if (method)
		result = PyObject_CallFunctionObjArgs(method, argument, NULL);
	sg_python_clear(&method);
	return result;
}

/*
 * Names of the fields of a dataclass whose instances are no more than these; NULL, no exception: it is none. The host's
 * module is asked: a run's own copy of it does not know the host's dataclasses.
 */
static PyObject *plain_fields(PyObject *class)
{
	struct sg_context *token = sg_context_suspend();
	PyObject *module = PyImport_ImportModule("dataclasses"), *list = PyList_New(0), *names = NULL;
	PyObject *function = module ? PyObject_GetAttrString(module, "fields") : NULL;
	PyObject *fields = function ? PyObject_CallFunctionObjArgs(function, class, NULL) : NULL, *name;
	bool plain = fields && list && !PyObject_HasAttrString(class, "__post_init__") &&
		!PyObject_HasAttrString(class, "__slots__");

	for (Py_ssize_t i = 0; plain && i < PyTuple_Size(fields); i++) {
		PyObject *field = PyTuple_GetItem(fields, i);

		name = sg_python_attribute_or_null(field, "name");
		plain = name && sg_python_is_true(field, "init") && PyList_Append(list, name) == 0;
		sg_python_clear(&name);
	}
	name = PyUnicode_FromString("defn");
	if (plain && name && PySequence_Contains(list, name) == 1)
		names = PySequence_Tuple(list);
	PyErr_Clear();
	sg_python_clear(&name);
	sg_python_clear(&fields);
	sg_python_clear(&function);
	sg_python_clear(&list);
	sg_python_clear(&module);
	sg_context_leave(token);
	return names;
}

/* As dataclasses.replace(details, defn=defn). NULL, no exception: not possible in this way. */
static PyObject *replace_definition(PyObject *details, PyObject *defn)
{
	static PyObject *known, *names; /* a class that was asked about, owned, and its fields */
	PyObject *class = (PyObject *)sg_cpython_type(details), *copy, *name, *value;
	int error = 0;

	if (class != known) {
		sg_python_clear(&names);
		sg_python_clear(&known);
		known = sg_python_ref(class);
		names = plain_fields(class);
	}
	copy = names ? call_method((PyObject *)&PyBaseObject_Type, "__new__", class) : NULL;
	for (Py_ssize_t i = 0; copy && !error && i < PyTuple_Size(names); i++) {
		name = PyTuple_GetItem(names, i);
		if (PyUnicode_CompareWithASCIIString(name, "defn") == 0)
			value = sg_python_ref(defn);
		else
			value = PyObject_GetAttr(details, name);
		/* The class is frozen: its own __setattr__ refuses. */
		error = value ? PyObject_GenericSetAttr(copy, name, value) : -1;
		sg_python_clear(&value);
	}
	if (error)
		sg_python_clear(&copy);
	PyErr_Clear();
	return copy;
}

PyObject *sg_temporal_make_inside(PyObject *details, PyObject *runner_class, PyObject *workflow_class)
{
	PyObject *defn = NULL, *copy = NULL, *runner = NULL, *inner = NULL, *old;

	if (!sg_python_is_true(details, "worker_level_failure_exception_types")) {
		old = sg_python_attribute_or_null(details, "defn");
		defn = call_method(old, "must_from_class", workflow_class);
		sg_python_clear(&old);
		PyErr_Clear(); /* the SDK will say it again */
	}
	if (defn)
		copy = replace_definition(details, defn);
	if (copy) {
		runner = PyObject_CallFunctionObjArgs(runner_class, NULL);
		inner = call_method(runner, "create_instance", copy);
	} else {
		inner = make_by_sdk(details, runner_class, workflow_class);
	}
	sg_python_clear(&runner);
	sg_python_clear(&copy);
	sg_python_clear(&defn);
	return inner;
}
