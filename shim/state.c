#include "shim/state_kinds.h"

#include "config/types.h"
#include "shim/containers.h"
#include "shim/cpython.h"
#include "shim/locals.h"
#include "shim/policy.h"

#include <stdio.h>
#include <string.h>

/* --- what the kinds share ----------------------------------------------------------------------- */

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
	enum { PY_EQ = 2 };
	int same = now ? PyObject_RichCompareBool(now, snapshot, PY_EQ) : -1;

	sg_python_clear(&now);
	return same;
}

PyTypeObject *sg_state_first_c_class(PyTypeObject *type)
{
	while (type && !sg_cpython_is_c_class(type))
		type = sg_cpython_type_base(type);
	return type ? type : &PyBaseObject_Type;
}

static enum sg_type_trait declared(PyTypeObject *type)
{
	return sg_type_trait(sg_policy_config, sg_cpython_type_name(type));
}

/* One that only adds fields to a base is judged by the base. */
PyTypeObject *sg_state_c_class(PyTypeObject *type)
{
	PyTypeObject *base;

	type = sg_state_first_c_class(type);
	while ((base = sg_cpython_type_base(type)) && base != &PyBaseObject_Type && declared(type) == SG_TYPE_FIELDS)
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

/* --- the table --------------------------------------------------------------------------------- */

/*
 * By tp_name of the C class; a kind of NULL: nothing in it can change. A trailing '*' matches any rest. needs: a
 * fact that must have been proved.
 */
static const struct trait {
	const char *type;
	const struct sg_state_kind *kind, *second;
	const bool *needs;
} traits[] = {
	{"dict", &sg_state_dict, NULL, NULL},
	{"list", &sg_state_list, NULL, &sg_guts_known[SG_GUTS_LIST]},
	{"set", &sg_state_set, NULL, &sg_containers.sets},
	{"function", &sg_state_function, NULL, NULL},
	{"cell", &sg_state_cell, NULL, NULL},
	{"collections.deque", &sg_state_deque, NULL, &sg_guts_known[SG_GUTS_DEQUE]},
	{"collections.OrderedDict", &sg_state_ordered, NULL, &sg_guts_known[SG_GUTS_ORDERED]},
	{"collections.defaultdict", &sg_state_dict, &sg_state_factory, NULL},
	{"bytearray", &sg_state_bytearray, NULL, &sg_guts_known[SG_GUTS_BYTEARRAY]},
	{"array.array", &sg_state_array, NULL, &sg_guts_known[SG_GUTS_ARRAY]},
	{"_random.Random", &sg_state_generator, NULL, NULL},
	{"_io.StringIO", &sg_state_buffer, NULL, NULL},
	{"_io.BytesIO", &sg_state_buffer, NULL, NULL},
	{"_thread.lock", &sg_state_lock, NULL, NULL},
	{"_thread._local", NULL, NULL, &sg_locals_known}, /* see shim/locals.h */
	{"_queue.SimpleQueue", &sg_state_queue, NULL, NULL},
	{"functools._lru_cache_wrapper", &sg_state_cache, NULL, &sg_containers.caches},
	{"itertools.count", &sg_state_iterator, NULL, NULL},
	{"itertools.cycle", &sg_state_iterator, NULL, NULL},
	{"itertools.repeat", &sg_state_iterator, NULL, NULL},
	{"itertools.chain", &sg_state_iterator, NULL, NULL},
	{"itertools.islice", &sg_state_iterator, NULL, NULL},
	{"itertools.accumulate", &sg_state_iterator, NULL, NULL},
	{"itertools.starmap", &sg_state_iterator, NULL, NULL},
	{"itertools.takewhile", &sg_state_iterator, NULL, NULL},
	{"itertools.dropwhile", &sg_state_iterator, NULL, NULL},
	{"itertools.filterfalse", &sg_state_iterator, NULL, NULL},
	{"itertools.compress", &sg_state_iterator, NULL, NULL},
	{"list_iterator", &sg_state_iterator, NULL, NULL},
	{"tuple_iterator", &sg_state_iterator, NULL, NULL},
	{"range_iterator", &sg_state_iterator, NULL, NULL},
	{"str_iterator", &sg_state_iterator, NULL, NULL},
	{"str_ascii_iterator", &sg_state_iterator, NULL, NULL},
	{"bytes_iterator", &sg_state_iterator, NULL, NULL},
	{"longrange_iterator", &sg_state_iterator, NULL, NULL},
	{"list_reverseiterator", &sg_state_iterator, NULL, NULL},
	{"dict_keyiterator", &sg_state_iterator, NULL, NULL},
	{"dict_valueiterator", &sg_state_iterator, NULL, NULL},
	{"dict_itemiterator", &sg_state_iterator, NULL, NULL},
	{"set_iterator", &sg_state_iterator, NULL, NULL},
	{"callable_iterator", &sg_state_iterator, NULL, NULL},
	{"enumerate", &sg_state_iterator, NULL, NULL},
	{"zip", &sg_state_iterator, NULL, NULL},
	{"map", &sg_state_iterator, NULL, NULL},
	{"filter", &sg_state_iterator, NULL, NULL},
	{"property", &sg_state_fields, NULL, NULL},
	{"module", &sg_state_module, NULL, NULL},
	{"functools.partial", &sg_state_partial, NULL, NULL},
	/* since 3.12: bounds, defaults and values are computed when they are asked for */
	{"typing.TypeVar", &sg_state_fields, NULL, NULL},
	{"typing.TypeVarTuple", &sg_state_fields, NULL, NULL},
	{"typing.ParamSpec", &sg_state_fields, NULL, NULL},
	{"typing.TypeAliasType", &sg_state_fields, NULL, NULL},
	{"decimal.Context", &sg_state_fields, NULL, NULL},
	{"_contextvars.Context", &sg_state_context, NULL, NULL},
	{"Context", &sg_state_context, NULL, NULL},
	{"_contextvars.Token", &sg_state_iterator, NULL, NULL},
	{"Token", &sg_state_iterator, NULL, NULL},
	{"reversed", &sg_state_iterator, NULL, NULL},
	/* immutable, or changed only by CPython for itself; those of libraries are in default.conf */
	{.type = "object"}, {.type = "tuple"}, {.type = "frozenset"}, {.type = "int"}, {.type = "float"},
	{.type = "complex"}, {.type = "bool"}, {.type = "str"}, {.type = "bytes"},
	{.type = "NoneType"}, {.type = "ellipsis"}, {.type = "NotImplementedType"},
	{.type = "range"}, {.type = "slice"}, {.type = "code"},
	{.type = "builtin_function_or_method"}, {.type = "builtin_method"},
	{.type = "method"}, {.type = "instancemethod"},
	{.type = "classmethod"}, {.type = "staticmethod"}, {.type = "super"},
	{.type = "method_descriptor"}, {.type = "classmethod_descriptor"},
	{.type = "getset_descriptor"}, {.type = "member_descriptor"},
	{.type = "wrapper_descriptor"}, {.type = "method-wrapper"}, {.type = "mappingproxy"},
	{.type = "dict_keys"}, {.type = "dict_values"}, {.type = "dict_items"}, /* what they show is the dict's */
	{.type = "odict_keys"}, {.type = "odict_values"}, {.type = "odict_items"},
	{.type = "types.*"}, {.type = "typing.*"}, {.type = "annotationlib.*"},
	{.type = "weakref*"}, {.type = "weakproxy"}, {.type = "weakcallableproxy"},
	{.type = "_abc._abc_data"}, {.type = "string.templatelib.*"},
	{.type = "decimal.SignalDict*"}, /* what it shows is in the memory of its context */
	{.type = "_contextvars.ContextVar"}, {.type = "ContextVar"}, {.type = "hamt"}, {.type = "hamt_*"},
};

static bool matches(const char *pattern, const char *name)
{
	size_t length = strlen(pattern), own = strlen(name);

	if (pattern[0] == '*')
		return own >= length - 1 && strcmp(name + own - (length - 1), pattern + 1) == 0;
	if (pattern[length - 1] == '*')
		return strncmp(pattern, name, length - 1) == 0;
	return strcmp(pattern, name) == 0;
}

static const struct trait *find_trait(PyTypeObject *type)
{
	const char *name = sg_cpython_type_name(type);

	for (size_t i = 0; i < sizeof(traits) / sizeof(traits[0]); i++)
		if (matches(traits[i].type, name))
			return &traits[i];
	return NULL;
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

static int class_kinds(PyObject *class, const struct sg_state_kind *kinds[SG_STATE_KINDS_MAX])
{
	int count = 0;

	if (sg_cpython_is_c_class((PyTypeObject *)class))
		return 0;
	kinds[count++] = &sg_state_class;
	kinds[count++] = &sg_state_names;
	if (sg_state_has_registry(class))
		kinds[count++] = &sg_state_registry;
	return count;
}

/* An exception is changed by being raised: its traceback, what it came from. */
static bool is_builtin_exception(PyTypeObject *class)
{
	PyObject *module;
	bool builtin;

	if (!PyType_IsSubtype(class, (PyTypeObject *)PyExc_BaseException))
		return false;
	module = sg_python_attribute_or_null((PyObject *)class, "__module__");
	builtin = strcmp(sg_python_text(module), "builtins") == 0;
	sg_python_clear(&module);
	return builtin;
}

int sg_state_kinds(PyObject *object, const struct sg_state_kind *kinds[SG_STATE_KINDS_MAX])
{
	static const struct trait fixed = {NULL, NULL, NULL, NULL}, fields = {NULL, &sg_state_fields, NULL, NULL};
	PyTypeObject *type = sg_cpython_type(object), *class;
	const struct trait *trait;
	int count = 0;

	/* Instances of a metaclass are classes, whatever the metaclass is called. */
	if (PyType_IsSubtype(type, &PyType_Type))
		return class_kinds(object, kinds);
	class = sg_state_c_class(type);
	trait = find_trait(class);
	if (!trait && declared(class) == SG_TYPE_FIXED)
		trait = &fixed;
	if (!trait && (declared(class) == SG_TYPE_FIELDS || is_builtin_exception(class)))
		trait = &fields;
	if (!trait)
		return -1;
	if (trait->needs && !*trait->needs)
		return -1;
	if (trait->kind)
		kinds[count++] = trait->kind;
	if (trait->second)
		kinds[count++] = trait->second;
	if (sg_state_first_c_class(type) != class)
		kinds[count++] = &sg_state_fields;
	if (sg_state_has_slots(type))
		kinds[count++] = &sg_state_slots;
	return count;
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
