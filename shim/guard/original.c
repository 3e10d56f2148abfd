#include "shim/guard/original.h"

#include "shim/import/code.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"

#include <stdlib.h>
#include <string.h>

/* Names of the built-in rules, sorted by bytes; generated from the rules.conf of hooks/. */
extern const char *const sg_rule_names[];
extern const size_t sg_rule_name_count;

void (*sg_original_look_again)(const struct sg_rule *rule);

#define DEPTH_MAX 8

static struct note {
	PyObject *object, *maker;
	PyObject *wrapper; /* that was looked at last */
} *notes; /* one for each name */

struct wrapping {
	const struct sg_rule *rule;
	PyObject *globals;
};
static struct wrapping *wrappings;
static size_t wrapping_count, wrapping_size;

/* --- notes ------------------------------------------------------------------------------------- */

/* The first name that is not below text. */
static size_t lower_bound(const char *text)
{
	size_t low = 0, high = sg_rule_name_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(sg_rule_names[middle], text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct note *find(const char *name)
{
	size_t index = lower_bound(name);

	return notes && index < sg_rule_name_count && strcmp(sg_rule_names[index], name) == 0 ? &notes[index] : NULL;
}

PyObject *sg_original_of(const char *rule_name)
{
	const struct note *known = find(rule_name);

	return known ? known->object : NULL;
}

/*
 * A tracer whose finder has put a wrapper there while the module was being imported was faster than we: the function beneath an
 * object of a class that is not the standard library's. New reference or NULL.
 */
static PyObject *beneath_foreign(PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);
	PyObject *module, *beneath = NULL;

	if (type == &PyFunction_Type || type == &PyMethod_Type || PyType_IsSubtype(type, &PyType_Type) || sg_cpython_method_def(object))
		return NULL;
	module = sg_python_attribute_or_null((PyObject *)type, "__module__");
	if (module && strcmp(sg_python_text(module), "builtins") != 0 && !sg_code_standard(sg_python_text(module)))
		beneath = sg_python_attribute_or_null(object, "__wrapped__");
	sg_python_clear(&module);
	if (beneath && sg_cpython_type(beneath) != &PyFunction_Type)
		sg_python_clear(&beneath);
	return beneath;
}

/* The class's own function of that name: new reference or NULL. */
static PyObject *own_function(PyObject *class, const char *name)
{
	PyObject *dict = sg_python_attribute_or_null(class, "__dict__"), *key = PyUnicode_FromString(name), *function = NULL, *inner;

	if (dict && key)
		function = PyObject_GetItem(dict, key);
	PyErr_Clear();
	sg_python_clear(&key);
	sg_python_clear(&dict);
	if (function && sg_cpython_type(function) != &PyFunction_Type) { /* a staticmethod, as __new__ is */
		inner = sg_python_attribute_or_null(function, "__func__");
		if (!inner)
			inner = beneath_foreign(function);
		Py_DecRef(function);
		function = inner;
	}
	return function;
}

static PyObject *maker_of(PyObject *object)
{
	PyObject *maker;

	if (!sg_cpython_is_class(object))
		return NULL;
	maker = own_function(object, "__init__");
	return maker ? maker : own_function(object, "__new__");
}

static void note(size_t index, PyObject *dict, const char *path)
{
	PyObject *object = sg_modules_reach(dict, path), *old = notes[index].object, *old_maker = notes[index].maker, *beneath;

	if (!object)
		return;
	beneath = beneath_foreign(object);
	if (beneath) {
		Py_DecRef(object);
		object = beneath;
	}
	notes[index].object = object;
	notes[index].maker = maker_of(object);
	sg_python_clear(&old);
	sg_python_clear(&old_maker);
}

static void note_module(const char *module)
{
	size_t length = strlen(module);
	char prefix[256];
	PyObject *key, *object;
	size_t index;

	if (length + 2 > sizeof(prefix))
		return;
	memcpy(prefix, module, length);
	strcpy(prefix + length, ".");
	index = lower_bound(prefix);
	if (index == sg_rule_name_count || strncmp(sg_rule_names[index], prefix, length + 1) != 0)
		return;
	if (!notes)
		notes = calloc(sg_rule_name_count, sizeof(*notes));
	key = PyUnicode_FromString(module);
	object = notes && key ? sg_modules_host(key) : NULL;
	sg_python_clear(&key);
	if (!object || !PyType_IsSubtype(sg_cpython_type(object), &PyModule_Type))
		return;
	for (; index < sg_rule_name_count && strncmp(sg_rule_names[index], prefix, length + 1) == 0; index++)
		note(index, PyModule_GetDict(object), sg_rule_names[index] + length + 1);
}

/* open() becomes a builtin only after the first modules have been imported. */
void sg_original_note(const char *module)
{
	static bool has_open;

	if (!has_open) {
		note_module("builtins");
		has_open = sg_original_of("builtins.open") != NULL;
	}
	note_module(module);
}

void sg_original_note_all(void)
{
	PyObject *names = PySequence_List(PyImport_GetModuleDict());

	for (Py_ssize_t i = 0; names && i < PyList_Size(names); i++)
		sg_original_note(sg_python_text(PyList_GetItem(names, i)));
	PyErr_Clear();
	sg_python_clear(&names);
}

PyObject *sg_original_maker(const char *rule_name)
{
	const struct note *known = find(rule_name);

	return known ? known->maker : NULL;
}

/* --- originals and wrappers -------------------------------------------------------------------- */

static bool is_function(PyObject *object)
{
	return PyType_IsSubtype(sg_cpython_type(object), &PyFunction_Type);
}

static bool same_attribute(PyObject *one, PyObject *other, const char *path)
{
	PyObject *a = sg_python_attribute_or_null(one, path), *b = sg_python_attribute_or_null(other, path);
	bool same = a && b && PyObject_RichCompareBool(a, b, Py_EQ) == 1;

	PyErr_Clear();
	sg_python_clear(&b);
	sg_python_clear(&a);
	return same;
}

bool sg_original_is(PyObject *original, PyObject *current)
{
	PyMethodDef *def = sg_cpython_method_def(original);

	if (original == current)
		return true;
	if (def || sg_cpython_method_def(current))
		return def == sg_cpython_method_def(current);
	if (is_function(original) && is_function(current))
		return same_attribute(original, current, "__code__.co_filename") &&
			same_attribute(original, current, "__code__.co_qualname") ==
			same_attribute(original, original, "__code__.co_qualname") &&
			same_attribute(original, current, "__code__.co_name");
	if (sg_cpython_type(original) == &PyMethod_Type && sg_cpython_type(current) == &PyMethod_Type)
		return same_attribute(original, current, "__func__.__code__.co_filename") &&
			same_attribute(original, current, "__func__.__code__.co_name");
	if (sg_cpython_type(original) != sg_cpython_type(current))
		return false;
	/* A class or object made anew by the same module. */
	return sg_cpython_is_class(original) ?
		same_attribute(original, current, "__module__") && same_attribute(original, current, "__qualname__") :
		!PyType_IsSubtype(sg_cpython_type(original), &PyFunction_Type);
}

static PyObject *constants_of(PyObject *function)
{
	return is_function(function) ? sg_python_attribute_or_null(function, "__code__.co_consts") : NULL;
}

PyObject *sg_original_displaced(PyObject *function)
{
	PyObject *constants = constants_of(function), *found = NULL;

	for (Py_ssize_t i = 0; constants && i < PyTuple_Size(constants) && !found; i++) {
		PyObject *constant = PyTuple_GetItem(constants, i);

		if (is_function(constant) && same_attribute(constant, function, "__qualname__"))
			found = sg_python_ref(constant);
	}
	sg_python_clear(&constants);
	return found;
}

PyObject *sg_original_beneath(PyObject *wrapper)
{
	static const char *const names[] = {"__wrapped__", "func", "__func__"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		PyObject *next = sg_python_attribute_or_null(wrapper, names[i]);

		if (next && next != wrapper)
			return next;
		sg_python_clear(&next);
	}
	return NULL;
}

static void add(const struct sg_rule *rule, PyObject *globals)
{
	if (sg_original_wraps(rule, globals))
		return;
	if (wrapping_count == wrapping_size) {
		size_t size = wrapping_size ? 2 * wrapping_size : 32;
		struct wrapping *grown = realloc(wrappings, size * sizeof(*grown));

		if (!grown)
			return;
		wrappings = grown;
		wrapping_size = size;
	}
	wrappings[wrapping_count++] = (struct wrapping){rule, sg_python_ref(globals)};
}

static void collect(const struct sg_rule *rule, PyObject *object, PyObject *original, int depth);

static void collect_attribute(const struct sg_rule *rule, PyObject *object, const char *name, PyObject *original, int depth)
{
	PyObject *value = sg_python_attribute_or_null(object, name);

	if (value)
		collect(rule, value, original, depth);
	sg_python_clear(&value);
}

static void collect_items(const struct sg_rule *rule, PyObject *sequence, const char *inside, PyObject *original, int depth)
{
	PyObject *items = sequence ? PySequence_List(sequence) : NULL;

	for (Py_ssize_t i = 0; items && i < PyList_Size(items) && i < 32; i++) {
		PyObject *item = PyList_GetItem(items, i);

		if (inside)
			collect_attribute(rule, item, inside, original, depth);
		else
			collect(rule, item, original, depth);
	}
	PyErr_Clear();
	sg_python_clear(&items);
}

/* The code that runs when the wrapper is called, as far as it can be seen; it ends at the original. */
static void collect(const struct sg_rule *rule, PyObject *object, PyObject *original, int depth)
{
	PyTypeObject *type = sg_cpython_type(object);
	PyObject *list;

	if (object == original || depth == 0 || PyType_IsSubtype(type, &PyModule_Type) || sg_cpython_method_def(object))
		return;
	if (is_function(object)) {
		list = constants_of(object);
		for (Py_ssize_t i = 0; list && i < PyTuple_Size(list); i++)
			if (is_function(PyTuple_GetItem(list, i)))
				collect(rule, PyTuple_GetItem(list, i), original, depth - 1);
		sg_python_clear(&list);
		if (original && sg_original_is(original, object))
			return;
		add(rule, PyFunction_GetGlobals(object));
		list = sg_python_attribute_or_null(object, "__closure__");
		collect_items(rule, list, "cell_contents", original, depth - 1);
		sg_python_clear(&list);
		collect_attribute(rule, object, "__wrapped__", original, depth - 1);
		return;
	}
	if (type == &PyMethod_Type) {
		collect_attribute(rule, object, "__func__", original, depth - 1);
		return;
	}
	if (PyType_IsSubtype(type, &PyType_Type)) { /* a class in the place of a class */
		list = maker_of(object);
		if (list)
			collect(rule, list, original, depth - 1);
		sg_python_clear(&list);
		return;
	}
	if (type == &PyUnicode_Type || PyType_IsSubtype(type, &PyDict_Type))
		return;
	if (PyObject_HasAttrString((PyObject *)type, "__call__")) {
		collect_attribute(rule, (PyObject *)type, "__call__", original, depth - 1);
		collect_attribute(rule, object, "_self_wrapper", original, depth - 1); /* wrapt */
		collect_attribute(rule, object, "func", original, depth - 1); /* functools.partial */
		collect_attribute(rule, object, "__wrapped__", original, depth - 1);
		return;
	}
	if (PyObject_HasAttrString((PyObject *)type, "__getitem__") && !PyObject_HasAttrString((PyObject *)type, "keys"))
		collect_items(rule, object, NULL, original, depth - 1);
}

void sg_original_wrapped(const struct sg_rule *rule, PyObject *wrapper, PyObject *original)
{
	struct note *known = find(rule->name);
	PyObject *function = sg_cpython_type(wrapper) == &PyMethod_Type ? sg_python_attribute_or_null(wrapper, "__func__") :
		sg_python_ref(wrapper), *old;

	if (known && known->wrapper == function) {
		sg_python_clear(&function);
		return;
	}
	if (known) {
		old = known->wrapper;
		known->wrapper = sg_python_ref(function);
		sg_python_clear(&old);
	}
	sg_python_clear(&function);
	collect(rule, wrapper, original, DEPTH_MAX);
	PyErr_Clear();
}

bool sg_original_wraps(const struct sg_rule *rule, PyObject *globals)
{
	for (size_t i = 0; i < wrapping_count; i++)
		if (wrappings[i].rule == rule && wrappings[i].globals == globals)
			return true;
	return false;
}

void sg_original_forget(void)
{
	while (wrapping_count)
		sg_python_clear(&wrappings[--wrapping_count].globals);
	for (size_t i = 0; notes && i < sg_rule_name_count; i++) {
		sg_python_clear(&notes[i].object);
		sg_python_clear(&notes[i].maker);
		sg_python_clear(&notes[i].wrapper);
	}
}
