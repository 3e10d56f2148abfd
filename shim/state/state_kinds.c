#include "shim/state/state_kinds.h"

#include "config/types.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/policy.h"

#include <stdio.h>
#include <string.h>

PyObject *sg_state_no_value(void)
{
	static PyObject *nothing;

	if (!nothing)
		nothing = PyList_New(0);
	return nothing;
}

static PyObject *call_function(PyObject *owner, const char *name, PyObject *first, PyObject *second)
{
	PyObject *function = PyObject_GetAttrString(owner, name), *result = NULL;

	if (function)
		result = PyObject_CallFunctionObjArgs(function, first, second, NULL);
	sg_python_clear(&function);
	return result;
}

static int drop(PyObject *result)
{
	if (!result)
		return -1;
	Py_DecRef(result);
	return 0;
}

PyObject *sg_state_call(PyObject *object, const char *method, PyObject *argument)
{
	return call_function(object, method, argument, NULL);
}

int sg_state_call_and_drop(PyObject *object, const char *method, PyObject *argument)
{
	return drop(sg_state_call(object, method, argument));
}

PyObject *sg_state_call_base(PyObject *object, const char *method, PyObject *argument)
{
	return call_function((PyObject *)sg_state_c_class(sg_cpython_type(object)), method, object, argument);
}

int sg_state_call_base_and_drop(PyObject *object, const char *method, PyObject *argument)
{
	return drop(sg_state_call_base(object, method, argument));
}

/* The descriptor that C code made for an attribute: new reference. */
static PyObject *base_descriptor(PyObject *object, const char *name)
{
	PyObject *(*get)(PyObject *, PyObject *) = PyType_GetSlot(&PyType_Type, Py_tp_getattro);
	PyObject *key = PyUnicode_InternFromString(name);
	PyObject *found = key ? get((PyObject *)sg_state_c_class(sg_cpython_type(object)), key) : NULL;

	sg_python_clear(&key);
	return found;
}

PyObject *sg_state_get_base(PyObject *object, const char *name)
{
	PyObject *descriptor = base_descriptor(object, name), *value = NULL;

	if (descriptor)
		value = call_function(descriptor, "__get__", object, NULL);
	sg_python_clear(&descriptor);
	return value;
}

int sg_state_set_base(PyObject *object, const char *name, PyObject *value)
{
	PyObject *descriptor = base_descriptor(object, name);
	int error = -1;

	if (descriptor)
		error = drop(call_function(descriptor, value ? "__set__" : "__delete__", object, value));
	sg_python_clear(&descriptor);
	return error;
}

bool sg_state_same_items(PyObject *a, PyObject *b)
{
	Py_ssize_t size = PyTuple_Size(a);

	if (size != PyTuple_Size(b))
		return false;
	for (Py_ssize_t i = 0; i < size; i++)
		if (PyTuple_GetItem(a, i) != PyTuple_GetItem(b, i))
			return false;
	return true;
}

int sg_state_compare_items(PyObject *now, PyObject *snapshot)
{
	int same = now ? sg_state_same_items(now, snapshot) : -1;

	sg_python_clear(&now);
	return same;
}

int sg_state_compare(PyObject *now, PyObject *snapshot)
{
	int same = now ? PyObject_RichCompareBool(now, snapshot, Py_EQ) : -1;

	sg_python_clear(&now);
	return same;
}

PyTypeObject *sg_state_first_c_class(PyTypeObject *type)
{
	while (type && !sg_cpython_is_c_class(type))
		type = sg_cpython_type_base(type);
	return type ? type : &PyBaseObject_Type;
}

enum sg_type_trait sg_state_declared(PyTypeObject *type)
{
	return sg_type_trait(sg_policy_config, sg_cpython_type_name(type));
}

/* One that only adds fields to a base is judged by the base. */
PyTypeObject *sg_state_c_class(PyTypeObject *type)
{
	PyTypeObject *base;

	type = sg_state_first_c_class(type);
	while ((base = sg_cpython_type_base(type)) && base != &PyBaseObject_Type && sg_state_declared(type) == SG_TYPE_FIELDS)
		type = base;
	return type;
}

const void *sg_state_find_word(PyObject *object, Py_ssize_t from, Py_ssize_t to, PyObject *value)
{
	char *bytes = (char *)object;

	for (; from < to; from += (Py_ssize_t)sizeof(value))
		if (*(PyObject **)(bytes + from) == value)
			return bytes + from;
	return NULL;
}

int sg_state_exchange(const struct sg_state_kind *kind, PyObject *object, PyObject **snapshot)
{
	PyObject *now;

	if (kind->exchange)
		return kind->exchange(object, snapshot);
	now = kind->save(object);
	if (!now)
		return -1;
	if (kind->restore(object, *snapshot) < 0) {
		Py_DecRef(now);
		return -1;
	}
	Py_DecRef(*snapshot);
	*snapshot = now;
	return 0;
}

bool sg_state_atomic(PyTypeObject *type)
{
	static const char *const names[] = {
		"str", "int", "NoneType", "bool", "float", "bytes", "code", "complex", "ellipsis",
		"range", "NotImplementedType"
	};
	const char *name = sg_cpython_type_name(type);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return sg_cpython_is_c_class(type);
	return false;
}

/* What a threading.local holds is a matter of the thread that asks; what an abstract class remembers, of its kind. */
bool sg_state_leads_nowhere(PyObject *object)
{
	const char *name = sg_cpython_type_name(sg_state_c_class(sg_cpython_type(object)));

	return strcmp(name, "_thread._local") == 0 || strcmp(name, "_abc._abc_data") == 0;
}

PyTypeObject *sg_state_type(PyObject *object)
{
	return sg_state_c_class(sg_cpython_type(object));
}

PyTypeObject *sg_state_destructor(PyTypeObject *type)
{
	static PyObject *name;

	if (!name)
		name = PyUnicode_InternFromString("__del__");
	for (; name && type && !sg_cpython_is_c_class(type); type = sg_cpython_type_base(type))
		if (PyDict_GetItemWithError(sg_cpython_type_dict(type), name))
			return type;
	return NULL;
}

void sg_state_class_name(PyTypeObject *class, char *text, size_t size)
{
	PyObject *module;

	if (sg_cpython_is_c_class(class)) {
		snprintf(text, size, "%s", sg_cpython_type_name(class));
		return;
	}
	module = sg_python_attribute_or_null((PyObject *)class, "__module__");
	snprintf(text, size, "%s.%s", sg_python_text(module), sg_cpython_type_name(class));
	sg_python_clear(&module);
}

bool sg_state_is_kept(PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);
	char name[256];

	for (; type && type != &PyBaseObject_Type; type = sg_cpython_type_base(type)) {
		sg_state_class_name(type, name, sizeof(name));
		if (sg_type_trait(sg_policy_config, name) == SG_TYPE_KEPT)
			return true;
	}
	return false;
}
