#include "shim/interpreter/python.h"

#include <stdint.h>
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

bool sg_python_ends(void)
{
	return Py_IsFinalizing ? Py_IsFinalizing() : _Py_IsFinalizing && _Py_IsFinalizing();
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

#define NAMES_MAX 256
#define NAME_SIZE 48

/*
 * The names that were asked for last, by where their text is: mostly a literal. Attributes of interned names are found
 * without a comparison, and the name need not be made each time.
 */
static PyObject *name_of(const char *text, size_t length)
{
	static struct known {
		PyObject *name;
		char text[NAME_SIZE];
	} known[NAMES_MAX];
	struct known *entry = &known[((uintptr_t)text * 0x9e3779b97f4a7c15u >> 32) % NAMES_MAX];

	if (length >= NAME_SIZE)
		return PyUnicode_FromStringAndSize(text, (Py_ssize_t)length);
	if (!entry->name || memcmp(entry->text, text, length) != 0 || entry->text[length]) {
		sg_python_clear(&entry->name);
		memcpy(entry->text, text, length);
		entry->text[length] = '\0';
		entry->name = PyUnicode_InternFromString(entry->text);
	}
	return sg_python_ref(entry->name);
}

PyObject *sg_python_attribute(PyObject *object, const char *path)
{
	PyObject *current = sg_python_ref(object), *key, *next;
	const char *end;

	for (; current && *path; path = *end ? end + 1 : end) {
		end = strchr(path, '.');
		if (!end)
			end = path + strlen(path);
		key = name_of(path, (size_t)(end - path));
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

PyObject *sg_python_imported(const char *module_name, const char *path)
{
	PyObject *module = PyImport_ImportModule(module_name);
	PyObject *value = module ? sg_python_attribute_or_null(module, path) : NULL;

	PyErr_Clear();
	sg_python_clear(&module);
	return value;
}

bool sg_python_is_true(PyObject *object, const char *path)
{
	PyObject *value = sg_python_attribute_or_null(object, path);
	bool truth = value && PyObject_IsTrue(value) == 1;

	PyErr_Clear();
	sg_python_clear(&value);
	return truth;
}

PyObject *sg_python_global(PyObject *function, const char *name)
{
	PyObject *globals = sg_python_attribute_or_null(function, "__globals__"), *key = PyUnicode_FromString(name), *value = NULL;

	if (globals && key)
		value = sg_python_ref(PyDict_GetItemWithError(globals, key));
	PyErr_Clear();
	sg_python_clear(&key);
	sg_python_clear(&globals);
	return value;
}

PyObject *sg_python_texts(const char *const *texts)
{
	PyObject *list = PyList_New(0), *text;

	for (; list && texts && *texts; texts++) {
		text = PyUnicode_FromString(*texts);
		if (text)
			PyList_Append(list, text);
		sg_python_clear(&text);
	}
	return list;
}
