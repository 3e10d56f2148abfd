#include "shim/python.h"

#include <string.h>

const char *sg_python_missing(void)
{
#define MISSING(type, name, arguments) \
	if (!name) \
		return #name;
#define MISSING_DATA(type, name) \
	if (!&name) \
		return #name;
	PY_REQUIRED_FUNCTIONS(MISSING)
	PY_REQUIRED_DATA(MISSING_DATA)
#undef MISSING
#undef MISSING_DATA
	return NULL;
}

const char *sg_python_text(PyObject *str)
{
	const char *text;

	if (!str)
		return "?";
	text = PyUnicode_AsUTF8AndSize(str, NULL);
	if (text)
		return text;
	PyErr_Clear();
	return "?";
}

PyObject *sg_python_module_name(PyObject *globals)
{
	static PyObject *key;
	PyObject *name;

	if (!key)
		key = PyUnicode_InternFromString("__name__");
	name = globals && key ? PyDict_GetItemWithError(globals, key) : NULL;
	if (!name)
		PyErr_Clear();
	return name;
}

PyObject *sg_python_attribute(PyObject *object, const char *path)
{
	PyObject *current = sg_python_ref(object), *key, *next;
	const char *end;

	for (; current && *path; path = *end ? end + 1 : end) {
		end = strchr(path, '.');
		if (!end)
			end = path + strlen(path);
		key = PyUnicode_FromStringAndSize(path, end - path);
		next = key ? PyObject_GetAttr(current, key) : NULL;
		sg_python_clear(&key);
		Py_DecRef(current);
		current = next;
	}
	return current;
}

PyObject *sg_python_attribute_or_null(PyObject *object, const char *path)
{
	PyObject *value = sg_python_attribute(object, path);

	if (!value)
		PyErr_Clear();
	return value;
}
