#include "hooks/engines/durabletask/own.h"

#include "shim/import/code.h"
#include "shim/interpreter/cpython.h"

#include <string.h>

/* The standard library, and what the engine and its clients are made of; the rest is executed for runs. */
int sg_durable_shares(PyObject *settings, PyObject *module_name)
{
	static const char *const packages[] = {"durabletask", "dapr", "azure.durable_functions", "azure.functions", "google.protobuf",
		"grpc", "opentelemetry", "typing_extensions"};
	const char *name = sg_python_text(module_name);

	(void)settings;
	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
		if (sg_policy_inside(name, packages[i]))
			return 1;
	return sg_code_standard(name) || strcmp(name, "azure") == 0 || strcmp(name, "google") == 0;
}

static bool is_function(PyObject *object)
{
	return sg_cpython_type(object) == &PyFunction_Type;
}

/* What a cell of its closure holds: new reference, NULL without an exception: there is none, or nothing in it. */
static PyObject *content_of(PyObject *closure, Py_ssize_t i)
{
	PyObject *content = sg_python_attribute_or_null(PyTuple_GetItem(closure, i), "cell_contents");

	PyErr_Clear();
	return content;
}

/* The closure of a function that the engine has made; NULL without an exception: it is another function, or none. */
static PyObject *closure_of(PyObject *wrapper)
{
	PyObject *closure = is_function(wrapper) ? sg_python_attribute_or_null(wrapper, "__closure__") : NULL, *name = NULL;

	if (closure && closure != Py_None)
		name = sg_python_module_name(PyFunction_GetGlobals(wrapper));
	if (!name || sg_code_standard(sg_python_text(name)) || sg_durable_shares(NULL, name) <= 0)
		sg_python_clear(&closure);
	return closure;
}

PyObject *sg_durable_user_function(PyObject *function)
{
	PyObject *closure = closure_of(function), *content, *found = NULL;

	for (Py_ssize_t i = 0; closure && !found && i < PyTuple_Size(closure); i++) {
		content = content_of(closure, i);
		if (content && is_function(content))
			found = sg_durable_user_function(content);
		sg_python_clear(&content);
	}
	sg_python_clear(&closure);
	return found ? found : sg_python_ref(function);
}

/* Of what its decorators have made of it: the function below. */
static PyObject *below_decorators(PyObject *found)
{
	PyObject *below = is_function(found) ? NULL : sg_python_attribute_or_null(found, "_function._func.orchestrator_function");

	if (!below)
		below = sg_durable_user_function(found);
	Py_DecRef(found);
	return below;
}

/* With the cells of the same name that hold something of the workflow's filled with the run's own. */
static PyObject *copy_wrapper(struct sg_making *making, PyObject *wrapper, PyObject *closure)
{
	static const char *const parts[] = {"__code__", "__globals__", "__name__", "__defaults__"};
	PyObject *arguments = PyTuple_New(5), *cells = PyTuple_New(PyTuple_Size(closure)), *copy = NULL, *content, *own, *cell;

	for (Py_ssize_t i = 0; cells && i < PyTuple_Size(closure); i++) {
		content = content_of(closure, i);
		own = content && (is_function(content) || sg_cpython_is_class(content)) ?
			sg_durable_own(making, content) : sg_python_ref(content);
		cell = PyTuple_GetItem(closure, i);
		cell = own ? PyObject_CallFunctionObjArgs((PyObject *)sg_cpython_type(cell), own, NULL) :
			content ? NULL : sg_python_ref(cell);
		sg_python_clear(&own);
		sg_python_clear(&content);
		if (!cell || PyTuple_SetItem(cells, i, cell) < 0)
			sg_python_clear(&cells);
	}
	for (Py_ssize_t i = 0; arguments && i < 4; i++)
		if (PyTuple_SetItem(arguments, i, PyObject_GetAttrString(wrapper, parts[i])) < 0)
			sg_python_clear(&arguments);
	if (arguments && cells && PyTuple_SetItem(arguments, 4, sg_python_ref(cells)) == 0 && !PyErr_Occurred())
		copy = PyObject_Call((PyObject *)&PyFunction_Type, arguments, NULL);
	sg_python_clear(&cells);
	sg_python_clear(&arguments);
	return copy;
}

/* Is it of a module that runs have for themselves? A class that another one has in it, or a function, cannot be found. */
static int is_runs_own(const struct sg_making *making, PyObject *object)
{
	PyObject *module;
	int shared;

	if (!sg_make_can_find(object))
		return 0;
	module = PyObject_GetAttrString(object, "__module__");
	shared = module ? sg_policy_shares(making->run->policy, module) : -1;
	sg_python_clear(&module);
	return shared < 0 ? -1 : !shared;
}

PyObject *sg_durable_own(struct sg_making *making, PyObject *object)
{
	PyObject *closure = closure_of(object), *own;
	int mine;

	if (closure) {
		own = copy_wrapper(making, object, closure);
		Py_DecRef(closure);
		return own;
	}
	mine = is_runs_own(making, object);
	if (mine <= 0)
		return mine < 0 ? NULL : sg_python_ref(object);
	own = sg_make_class(making, object);
	return own ? below_decorators(own) : NULL;
}
