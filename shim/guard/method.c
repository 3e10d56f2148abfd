#include "shim/guard/method.h"

static PyObject *call(PyObject *capsule, PyObject *args, PyObject *kwargs)
{
	struct sg_method *method = PyCapsule_GetPointer(capsule, NULL);

	if (PyTuple_Size(args) > 0)
		return method->call(method, args, kwargs);
	PyErr_Format(PyExc_TypeError, "%s.%s() needs an argument", method->class, method->name);
	return NULL;
}

int sg_method_put(struct sg_method *method, PyObject *module)
{
	PyObject *capsule = PyCapsule_New(method, NULL, NULL), *function = NULL, *descriptor = NULL;
	int error = -1;

	method->def = (PyMethodDef){method->name, (PyCFunction)(void *)call, METH_VARARGS | METH_KEYWORDS, NULL};
	method->owner = PyObject_GetAttrString(module, method->class);
	method->original = method->owner ? PyObject_GetAttrString(method->owner, method->name) : NULL;
	if (capsule && method->original)
		function = PyCFunction_NewEx(&method->def, capsule, NULL);
	if (function)
		descriptor = PyInstanceMethod_New(function);
	if (descriptor)
		error = PyObject_SetAttrString(method->owner, method->name, descriptor);
	sg_python_clear(&descriptor);
	sg_python_clear(&function);
	sg_python_clear(&capsule);
	return error;
}

void sg_method_remove(struct sg_method *method)
{
	if (method->original && PyObject_SetAttrString(method->owner, method->name, method->original) < 0)
		PyErr_Clear();
}
