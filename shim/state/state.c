#include "shim/state/state_kinds.h"

#include "shim/interpreter/containers.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/fields.h"
#include "shim/interpreter/objects.h"
#include "shim/shared/locals.h"

#include <string.h>

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
	{"function", &sg_state_function, NULL, &sg_objects.functions},
	{"cell", &sg_state_cell, NULL, NULL},
	{"collections.deque", &sg_state_deque, NULL, &sg_guts_known[SG_GUTS_DEQUE]},
	{"collections.OrderedDict", &sg_state_ordered, NULL, &sg_guts_known[SG_GUTS_ORDERED]},
	{"collections.defaultdict", &sg_state_dict, &sg_state_factory, NULL},
	{"bytearray", &sg_state_bytearray, NULL, &sg_guts_known[SG_GUTS_BYTEARRAY]},
	{"array.array", &sg_state_array, NULL, &sg_guts_known[SG_GUTS_ARRAY]},
	{"_random.Random", &sg_state_generator, NULL, NULL},
	{"_struct.Struct", &sg_state_struct, NULL, NULL},
	{"_io.StringIO", &sg_state_buffer, NULL, NULL},
	{"_io.BytesIO", &sg_state_buffer, NULL, NULL},
	{"_thread.lock", &sg_state_lock, NULL, NULL},
	{"_thread._local", NULL, NULL, &sg_locals_known}, /* see shim/shared/locals.h */
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
	{"functools.partial", &sg_state_partial, NULL, &sg_objects.partials},
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
	/* immutable, or changed only by CPython for itself; those of libraries are in config/types.conf */
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
	if (!trait && sg_state_declared(class) == SG_TYPE_FIXED)
		trait = &fixed;
	if (!trait && (sg_state_declared(class) == SG_TYPE_FIELDS || is_builtin_exception(class)))
		trait = &fields;
	if (!trait)
		return -1;
	if ((trait->needs && !*trait->needs) || (trait->kind == &sg_state_iterator && !sg_fields_proved(sg_cpython_type_name(class))))
		return -1;
	if (trait->kind)
		kinds[count++] = trait->kind;
	if (trait->second)
		kinds[count++] = trait->second;
	if (trait->kind != &sg_state_fields && sg_state_first_c_class(type) != class)
		kinds[count++] = &sg_state_fields;
	if (sg_state_has_slots(type))
		kinds[count++] = &sg_state_slots;
	return count;
}
