#include "shim/attribute.h"

#include "shim/context.h"
#include "shim/cpython.h"
#include "shim/decide.h"

#include <errno.h>

/* list of (module, name) keys of rules: module -> {name: address of the rule} */
static PyObject *modules;

typedef PyObject *(*getattr_fn)(PyObject *, PyObject *);

static int consult(PyObject *module, PyObject *name)
{
	struct sg_call call = {.self = module};
	PyObject *names, *address;

	names = PyDict_GetItemWithError(modules, module);
	address = names ? PyDict_GetItemWithError(names, name) : NULL;
	if (!address) {
		PyErr_Clear();
		return 0;
	}
	call.rule = PyLong_AsVoidPtr(address);
	return sg_decide(&call, NULL);
}

static PyObject *get(PyObject *self, PyObject *name)
{
	if (sg_context_active() && consult(self, name) < 0)
		return NULL;
	return ((getattr_fn)PyType_GetSlot(&PyModule_Type, Py_tp_getattro))(self, name);
}

static PyType_Slot slots[] = {{Py_tp_getattro, get}, {0, NULL}};
static PyType_Spec spec = {
	.name = "builtins.module", .flags = Py_TPFLAGS_DEFAULT, .slots = slots
};
static PyTypeObject *guarded_type;

int sg_attribute_guard(const struct sg_rule *rule, PyObject *module, const char *name)
{
	PyObject *names, *address = PyLong_FromVoidPtr((void *)rule);
	int error = -ENOTSUP;

	if (!address || (!modules && !(modules = PyDict_New())))
		goto out;
	if (!guarded_type && !(guarded_type = sg_cpython_new_type(&spec, &PyModule_Type)))
		goto out;
	names = PyDict_GetItemWithError(modules, module);
	if (!names) {
		if (PyErr_Occurred() || sg_cpython_type(module) != &PyModule_Type)
			goto out;
		names = PyDict_New();
		if (!names || PyDict_SetItem(modules, module, names) < 0)
			goto out;
		Py_DecRef(names);
		sg_cpython_set_type(module, guarded_type);
	}
	if (PyDict_SetItemString(names, name, address) == 0)
		error = 0;
out:
	PyErr_Clear();
	sg_python_clear(&address);
	return error;
}

void sg_attribute_remove_all(void)
{
	PyObject *module, *names;
	Py_ssize_t position = 0;

	while (modules && PyDict_Next(modules, &position, &module, &names))
		sg_cpython_set_type(module, &PyModule_Type);
}
