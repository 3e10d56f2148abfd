#include "shim/shared/overloads.h"

#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"

#include <string.h>

static PyObject *registry;             /* typing's, a defaultdict */
static PyTypeObject *plain, *guarded;

typedef PyObject *(*subscript_function)(PyObject *, PyObject *);
typedef int (*contains_function)(PyObject *, PyObject *);

/* The registry of the current run where that is asked under this name: borrowed, NULL: typing's own is meant. */
static PyObject *own_registry(PyObject *name)
{
	const struct sg_run *run = sg_context_run;
	PyObject *module, *overloads = run ? sg_overloads_registry(run->overloads) : NULL;
	bool own;

	if (!overloads || sg_cpython_type(name) != &PyUnicode_Type)
		return NULL;
	module = run->modules ? PyDict_GetItemWithError(run->modules, name) : NULL;
	/* A run may have taken its module out of sys.modules. */
	own = (module && module != sg_modules_host(name)) || PyDict_GetItemWithError(overloads, name) ||
	      !PyDict_GetItemWithError(registry, name);
	PyErr_Clear();
	return own ? overloads : NULL;
}

static PyObject *subscript(PyObject *self, PyObject *name)
{
	PyObject *own = own_registry(name);

	return ((subscript_function)PyType_GetSlot(plain, Py_mp_subscript))(own ? own : self, name);
}

static int contains(PyObject *self, PyObject *name)
{
	PyObject *own = own_registry(name);

	return ((contains_function)PyType_GetSlot(plain, Py_sq_contains))(own ? own : self, name);
}

static PyObject *clear(PyObject *self, PyObject *unused)
{
	const struct sg_run *run = sg_context_run;
	PyObject *own = run ? sg_overloads_registry(run->overloads) : NULL;

	(void)unused;
	PyDict_Clear(own ? own : self);
	return sg_python_ref(Py_None);
}

static PyMethodDef methods[] = {{"clear", clear, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {
	{Py_mp_subscript, subscript}, {Py_sq_contains, contains}, {Py_tp_methods, methods}, {0, NULL}
};

static PyType_Spec spec = {
	.name = "collections.defaultdict", .flags = Py_TPFLAGS_DEFAULT, .slots = slots
};

void sg_overloads_install(void)
{
	PyObject *found = sg_python_imported("typing", "_overload_registry");

	if (found && sg_cpython.dict_types &&
	    strcmp(sg_cpython_type_name(sg_cpython_type(found)), "collections.defaultdict") == 0) {
		plain = sg_cpython_type(found);
		if (!guarded)
			guarded = sg_cpython_new_type(&spec, plain);
		if (guarded) {
			registry = sg_python_ref(found);
			sg_cpython_set_type(registry, guarded);
		}
	}
	PyErr_Clear();
	sg_python_clear(&found);
}

void sg_overloads_remove(void)
{
	if (registry && sg_cpython_type(registry) == guarded)
		sg_cpython_set_type(registry, plain);
}

PyObject *sg_overloads_new(void)
{
	PyObject *list = PyList_New(0), *factory, *made = NULL;

	if (!list || !registry)
		return list;
	factory = PyObject_GetAttrString(registry, "default_factory");
	if (factory)
		made = PyObject_CallFunctionObjArgs((PyObject *)plain, factory, NULL);
	if (!made || PyList_Append(list, made) < 0)
		sg_python_clear(&list);
	sg_python_clear(&made);
	sg_python_clear(&factory);
	return list;
}

PyObject *sg_overloads_registry(PyObject *list)
{
	return list && PyList_Size(list) ? PyList_GetItem(list, 0) : NULL;
}
