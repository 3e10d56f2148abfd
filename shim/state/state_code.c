#include "shim/state/state_kinds.h"

#include "shim/interpreter/classes.h"
#include "shim/interpreter/containers.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/objects.h"
#include "shim/shared/subclasses.h"

#include <string.h>

#define WORD ((Py_ssize_t)sizeof(PyObject *))

static int look_at(struct sg_memory memory[SG_MEMORY_MAX], int count, const void *address, Py_ssize_t size)
{
	memory[count] = (struct sg_memory){address, (size_t)size};
	return count + 1;
}

/* --- which dict is an object's __dict__, and which class its class ------------------------------- */

static PyObject *save_namespace(PyObject *object)
{
	PyObject *dict = PyObject_GenericGetDict(object, NULL), *snapshot = NULL;

	if (dict)
		snapshot = PyTuple_Pack(2, dict, (PyObject *)sg_cpython_type(object));
	sg_python_clear(&dict);
	return snapshot;
}

static int same_namespace(PyObject *object, PyObject *snapshot)
{
	return sg_state_compare_items(save_namespace(object), snapshot);
}

/* object's own way, whatever the class makes of the name. */
static int set_class(PyObject *object, PyObject *class)
{
	static PyObject *descriptor;
	PyObject *set, *done;

	if (!descriptor) {
		PyObject *dict = PyObject_GetAttrString((PyObject *)&PyBaseObject_Type, "__dict__");
		PyObject *name = PyUnicode_InternFromString("__class__");

		descriptor = dict && name ? PyObject_GetItem(dict, name) : NULL;
		sg_python_clear(&name);
		sg_python_clear(&dict);
	}
	set = descriptor ? PyObject_GetAttrString(descriptor, "__set__") : NULL;
	done = set ? PyObject_CallFunctionObjArgs(set, object, class, NULL) : NULL;
	sg_python_clear(&set);
	if (!done)
		return -1;
	Py_DecRef(done);
	return 0;
}

static int restore_namespace(PyObject *object, PyObject *snapshot)
{
	PyObject *class = PyTuple_GetItem(snapshot, 1);

	if ((PyObject *)sg_cpython_type(object) != class && set_class(object, class) < 0)
		return -1;
	return PyObject_GenericSetDict(object, PyTuple_GetItem(snapshot, 0), NULL);
}

static int namespace_memory(PyObject *object, struct sg_memory memory[SG_MEMORY_MAX])
{
	PyTypeObject *class = sg_cpython_type(object);
	PyObject *dict = PyObject_GenericGetDict(object, NULL);
	PyObject *const *word = sg_objects_instance_dict(object);

	if (dict && !word && sg_objects_class_number(class, "__dictoffset__") > 0)
		word = sg_state_find_word(object, sg_cpython_fields(), sg_cpython_basicsize(class), dict);
	if (!dict || (word && *word != dict))
		word = NULL;
	PyErr_Clear();
	sg_python_clear(&dict);
	if (!word)
		return 0;
	look_at(memory, 0, sg_cpython_type_word(object), WORD);
	return look_at(memory, 1, word, WORD);
}

const struct sg_state_kind sg_state_namespace = {
	.name = "__dict__", .save = save_namespace, .same = same_namespace, .restore = restore_namespace,
	.memory = namespace_memory
};

/* --- functions ---------------------------------------------------------------------------------- */

/* Call sites know these of a function, so they are set by its own setters. */
static const char *const watched_parts[] = {"__code__", "__defaults__", "__kwdefaults__"};
#define WATCHED_PARTS (Py_ssize_t)(sizeof(watched_parts) / sizeof(watched_parts[0]))

/*
 * Its other parts are the words before the list of weak references and those after it, up to the vectorcall pointer: module and
 * annotations, type parameters (3.12), what computes annotations (3.14).
 */
struct function_words {
	Py_ssize_t weak, end;
};

static struct function_words function_words(void)
{
	struct function_words words;

	sg_objects_function_words(&words.weak, &words.end);
	return words;
}

static PyObject **word_at(PyObject *object, Py_ssize_t offset)
{
	return (PyObject **)((char *)object + offset);
}

static PyObject *save_function(PyObject *function)
{
	const struct function_words words = function_words();
	PyObject *snapshot = PyTuple_New(WATCHED_PARTS + (words.end - sg_cpython_fields()) / WORD), *part;
	Py_ssize_t i = 0;

	for (; snapshot && i < WATCHED_PARTS; i++) {
		part = PyObject_GetAttrString(function, watched_parts[i]);
		if (!part || PyTuple_SetItem(snapshot, i, part) < 0)
			sg_python_clear(&snapshot);
	}
	for (Py_ssize_t at = sg_cpython_fields(); snapshot && at < words.end; at += WORD) {
		part = at == words.weak ? NULL : *word_at(function, at);
		PyTuple_SetItem(snapshot, i++, sg_python_ref(part ? part : sg_state_no_value()));
	}
	return snapshot;
}

static int same_function(PyObject *function, PyObject *snapshot)
{
	return sg_state_compare_items(save_function(function), snapshot);
}

static int restore_function(PyObject *function, PyObject *snapshot)
{
	const struct function_words words = function_words();
	PyObject *part, *old;
	Py_ssize_t i = 0;
	bool same;

	for (; i < WATCHED_PARTS; i++) {
		part = PyObject_GetAttrString(function, watched_parts[i]);
		same = part == PyTuple_GetItem(snapshot, i);
		sg_python_clear(&part);
		/* Setting the code, even to what it is, would make every call site forget what it knows. */
		if (!same && PyObject_SetAttrString(function, watched_parts[i],
						    PyTuple_GetItem(snapshot, i)) < 0)
			return -1;
	}
	for (Py_ssize_t at = sg_cpython_fields(); at < words.end; at += WORD, i++) {
		old = *word_at(function, at);
		part = PyTuple_GetItem(snapshot, i);
		if (part == sg_state_no_value())
			part = NULL;
		if (at == words.weak || part == old)
			continue;
		*word_at(function, at) = sg_python_ref(part);
		sg_python_clear(&old);
	}
	return 0;
}

static int function_memory(PyObject *function, struct sg_memory memory[SG_MEMORY_MAX])
{
	const struct function_words words = function_words();

	look_at(memory, 0, word_at(function, sg_cpython_fields()), words.weak - sg_cpython_fields());
	return look_at(memory, 1, word_at(function, words.weak + WORD), words.end - words.weak - WORD);
}

const struct sg_state_kind sg_state_function = {
	.name = "function", .save = save_function, .same = same_function, .restore = restore_function,
	.memory = function_memory
};

/* --- cells -------------------------------------------------------------------------------------- */

static PyObject *save_cell(PyObject *cell)
{
	PyObject *content = sg_python_attribute_or_null(cell, "cell_contents"), *snapshot;

	snapshot = PyTuple_Pack(1, content ? content : sg_state_no_value());
	sg_python_clear(&content);
	return snapshot;
}

static int same_cell(PyObject *cell, PyObject *snapshot)
{
	return sg_state_compare_items(save_cell(cell), snapshot);
}

static int restore_cell(PyObject *cell, PyObject *snapshot)
{
	PyObject *content = PyTuple_GetItem(snapshot, 0);

	return PyObject_SetAttrString(cell, "cell_contents", content == sg_state_no_value() ? NULL : content);
}

static int cell_memory(PyObject *cell, struct sg_memory memory[SG_MEMORY_MAX])
{
	PyObject **word = sg_objects_cell(cell);

	return word ? look_at(memory, 0, word, WORD) : 0;
}

const struct sg_state_kind sg_state_cell = {
	.name = "cell", .save = save_cell, .same = same_cell, .restore = restore_cell,
	.memory = cell_memory
};

/* --- classes: attributes ------------------------------------------------------------------------ */

static PyObject *class_dict(PyObject *class)
{
	return sg_cpython_type_dict((PyTypeObject *)class);
}

static PyObject *save_class(PyObject *class)
{
	return PyDict_Copy(class_dict(class));
}

static int same_class(PyObject *class, PyObject *snapshot)
{
	return sg_state_same_order(class_dict(class), snapshot);
}

/* type's own way: a metaclass may forbid what the class itself did while it was made. */
static int set_on_class(PyObject *class, PyObject *name, PyObject *value)
{
	int (*set)(PyObject *, PyObject *, PyObject *) = PyType_GetSlot(&PyType_Type, Py_tp_setattro);

	return set(class, name, value);
}

/* What makes instances stays the function that looks for __new__, which finds what object has, and takes that for another's. */
static void inherit_new(PyTypeObject *class)
{
	PyObject *subclasses = sg_subclasses_all((PyObject *)class), *key = PyUnicode_FromString("__new__");
	PyTypeObject *base = PyType_GetSlot(class, Py_tp_base);

	if (base && sg_cpython_new_slot(class))
		*sg_cpython_new_slot(class) = *sg_cpython_new_slot(base);
	PyType_Modified(class);
	for (Py_ssize_t i = 0; subclasses && key && i < PyList_Size(subclasses); i++) {
		PyTypeObject *subclass = (PyTypeObject *)PyList_GetItem(subclasses, i);

		if (PyType_GetSlot(subclass, Py_tp_base) == (void *)class && !PyDict_GetItemWithError(class_dict((PyObject *)subclass), key))
			inherit_new(subclass);
	}
	PyErr_Clear();
	sg_python_clear(&key);
	sg_python_clear(&subclasses);
}

/* Some attributes can be set but not deleted (__type_params__): they are in the dict and nowhere else. */
static int delete_from_class(PyObject *class, PyObject *name)
{
	PyObject *dict = class_dict(class);

	if (set_on_class(class, name, NULL) == 0) {
		if (strcmp(sg_python_text(name), "__new__") == 0)
			inherit_new((PyTypeObject *)class);
		return 0;
	}
	PyErr_Clear();
	if (PyDict_GetItemWithError(dict, name) && PyDict_DelItem(dict, name) < 0)
		return -1;
	PyType_Modified((PyTypeObject *)class);
	return 0;
}

/* The attributes are as wanted, but not their order. */
static int reorder_class(PyObject *class, PyObject *snapshot)
{
	PyObject *dict = class_dict(class), *twin;

	if (!sg_guts_movable(SG_GUTS_DICT, dict))
		return 0; /* nobody but vars() knows an order */
	twin = PyDict_Copy(snapshot);
	if (!twin)
		return -1;
	sg_guts_exchange(SG_GUTS_DICT, dict, twin);
	PyType_Modified((PyTypeObject *)class);
	Py_DecRef(twin);
	return 0;
}

static int restore_class(PyObject *class, PyObject *snapshot)
{
	PyObject *dict = class_dict(class), *have = PyDict_Copy(dict), *key, *value;
	Py_ssize_t position = 0;
	int error = have ? 0 : -1;

	while (!error && PyDict_Next(have, &position, &key, &value))
		if (!PyDict_GetItemWithError(snapshot, key))
			error = delete_from_class(class, key);
	position = 0;
	while (!error && PyDict_Next(snapshot, &position, &key, &value))
		if (PyDict_GetItemWithError(dict, key) != value)
			error = set_on_class(class, key, value);
	sg_python_clear(&have);
	if (!error && !same_class(class, snapshot))
		error = reorder_class(class, snapshot);
	return error;
}

const struct sg_state_kind sg_state_class = {
	.name = "class", .save = save_class, .same = same_class, .restore = restore_class,
	.dict = class_dict
};

/* --- classes: name, bases, metaclass and what they match, which are not among the attributes ------- */

static const char *const class_parts[] = {"__name__", "__qualname__", "__bases__"};
#define CLASS_PARTS (Py_ssize_t)(sizeof(class_parts) / sizeof(class_parts[0]))

/* One of the numbers of which there is one object each. */
static PyObject *save_matched(PyObject *class)
{
	const unsigned char *matched = sg_classes_matched((PyTypeObject *)class);

	return PyLong_FromLong(matched ? *matched & SG_CLASSES_MATCHED : 0);
}

static void restore_matched(PyObject *class, PyObject *snapshot)
{
	unsigned char *matched = sg_classes_matched((PyTypeObject *)class);

	if (matched)
		*matched = (unsigned char)((*matched & ~SG_CLASSES_MATCHED) | PyLong_AsLong(snapshot));
}

static PyObject *save_names(PyObject *class)
{
	PyObject *(*get)(PyObject *, PyObject *) = PyType_GetSlot(&PyType_Type, Py_tp_getattro);
	PyObject *snapshot = PyTuple_New(CLASS_PARTS + 2), *name, *part;

	for (Py_ssize_t i = 0; snapshot && i < CLASS_PARTS; i++) {
		name = PyUnicode_InternFromString(class_parts[i]);
		part = name ? get(class, name) : NULL;
		if (!part || PyTuple_SetItem(snapshot, i, part) < 0)
			sg_python_clear(&snapshot);
		sg_python_clear(&name);
	}
	part = snapshot ? save_matched(class) : NULL;
	if (snapshot && (!part || PyTuple_SetItem(snapshot, CLASS_PARTS, part) < 0))
		sg_python_clear(&snapshot);
	if (snapshot && PyTuple_SetItem(snapshot, CLASS_PARTS + 1, sg_python_ref((PyObject *)sg_cpython_type(class))) < 0)
		sg_python_clear(&snapshot);
	return snapshot;
}

static int same_names(PyObject *class, PyObject *snapshot)
{
	return sg_state_compare_items(save_names(class), snapshot);
}

static int restore_names(PyObject *class, PyObject *snapshot)
{
	PyObject *now = save_names(class), *name;
	int error = now ? 0 : -1;

	for (Py_ssize_t i = 0; !error && i < CLASS_PARTS; i++) {
		if (PyTuple_GetItem(now, i) == PyTuple_GetItem(snapshot, i))
			continue;
		name = PyUnicode_InternFromString(class_parts[i]);
		error = name ? set_on_class(class, name, PyTuple_GetItem(snapshot, i)) : -1;
		sg_python_clear(&name);
	}
	if (!error)
		restore_matched(class, PyTuple_GetItem(snapshot, CLASS_PARTS));
	if (!error && (PyObject *)sg_cpython_type(class) != PyTuple_GetItem(snapshot, CLASS_PARTS + 1))
		error = set_class(class, PyTuple_GetItem(snapshot, CLASS_PARTS + 1));
	sg_python_clear(&now);
	return error;
}

/* Name and qualified name are often one object, which then is there twice. */
static int names_memory(PyObject *class, struct sg_memory memory[SG_MEMORY_MAX])
{
	Py_ssize_t end = sg_cpython_basicsize(sg_cpython_type(class));
	PyObject *parts = save_names(class), *name, *qualname, *bases;
	const void *words[3] = {NULL, NULL, NULL}, *matched = sg_classes_matched((PyTypeObject *)class);

	if (!parts || !matched) {
		sg_python_clear(&parts);
		PyErr_Clear();
		return 0;
	}
	name = PyTuple_GetItem(parts, 0);
	qualname = PyTuple_GetItem(parts, 1);
	bases = PyTuple_GetItem(parts, 2);
	words[0] = sg_state_find_word(class, sg_cpython_fields(), end, name);
	if (words[0])
		words[1] = sg_state_find_word(class, qualname == name ? (char *)words[0] - (char *)class + WORD : sg_cpython_fields(),
				end, qualname);
	words[2] = sg_state_find_word(class, sg_cpython_fields(), end, bases);
	Py_DecRef(parts);
	for (int i = 0; i < 3; i++) {
		if (!words[i])
			return 0;
		look_at(memory, i, words[i], WORD);
	}
	look_at(memory, 3, matched, 1);
	return look_at(memory, 4, sg_cpython_type_word(class), WORD);
}

const struct sg_state_kind sg_state_names = {
	.name = "class name", .save = save_names, .same = same_names, .restore = restore_names,
	.memory = names_memory
};

/* --- abstract base classes: which classes are registered with one ------------------------------- */

static PyObject *call_abc(const char *function, PyObject *class, PyObject *argument)
{
	static PyObject *module;
	PyObject *callable, *result = NULL;

	if (!module && !(module = PyImport_ImportModule("_abc")))
		return NULL;
	callable = PyObject_GetAttrString(module, function);
	if (callable)
		result = PyObject_CallFunctionObjArgs(callable, class, argument, NULL);
	sg_python_clear(&callable);
	return result;
}

/* The set of weak references that _abc keeps: a copy. */
static PyObject *save_registry(PyObject *class)
{
	PyObject *dump = call_abc("_get_dump", class, NULL), *registry = NULL;

	if (dump)
		registry = sg_python_ref(PyTuple_GetItem(dump, 0));
	sg_python_clear(&dump);
	return registry;
}

static int same_registry(PyObject *class, PyObject *snapshot)
{
	return sg_state_compare(save_registry(class), snapshot);
}

static int restore_registry(PyObject *class, PyObject *snapshot)
{
	static const char *const resets[] = {"_reset_registry", "_reset_caches"};
	PyObject *iterator, *reference, *target, *done;
	int error = 0;

	for (int i = 0; i < 2 && !error; i++) {
		done = call_abc(resets[i], class, NULL);
		error = done ? 0 : -1;
		sg_python_clear(&done);
	}
	iterator = error ? NULL : PyObject_GetIter(snapshot);
	while (iterator && !error && (reference = PyIter_Next(iterator))) {
		target = PyObject_CallObject(reference, NULL);
		done = target && target != Py_None ? call_abc("_abc_register", class, target) : NULL;
		error = PyErr_Occurred() ? -1 : 0;
		sg_python_clear(&done);
		sg_python_clear(&target);
		Py_DecRef(reference);
	}
	sg_python_clear(&iterator);
	return error || PyErr_Occurred() ? -1 : 0;
}

static PyObject *registry_data(PyObject *class)
{
	PyObject *key = PyUnicode_InternFromString("_abc_impl");
	PyObject *data = key ? PyDict_GetItemWithError(class_dict(class), key) : NULL;

	PyErr_Clear();
	sg_python_clear(&key);
	return data;
}

bool sg_state_has_registry(PyObject *class)
{
	return registry_data(class);
}

/* The registry is the first word, a set once something has been registered. */
static int registry_memory(PyObject *class, struct sg_memory memory[SG_MEMORY_MAX])
{
	PyObject *data = registry_data(class), **word = sg_objects_registry(data), *set;
	int count;

	if (!word || strcmp(sg_cpython_type_name(sg_cpython_type(data)), "_abc._abc_data") != 0)
		return 0;
	set = *word;
	look_at(memory, 0, word, WORD);
	if (!set)
		return 1;
	if (strcmp(sg_cpython_type_name(sg_cpython_type(set)), "set") != 0)
		return 0;
	count = sg_containers_set_memory(set, memory + 1);
	return count ? 1 + count : 0;
}

const struct sg_state_kind sg_state_registry = {
	.name = "abc", .save = save_registry, .same = same_registry, .restore = restore_registry,
	.memory = registry_memory
};

/* --- __slots__ ---------------------------------------------------------------------------------- */

/* Calls visit for each member descriptor that a class statement made for __slots__. -1: it failed. */
static int each_slot(PyTypeObject *type, int (*visit)(PyObject *descriptor, void *data), void *data)
{
	PyObject *name, *value;
	Py_ssize_t position;

	for (; type && !sg_cpython_is_c_class(type); type = sg_cpython_type_base(type)) {
		position = 0;
		while (PyDict_Next(sg_cpython_type_dict(type), &position, &name, &value))
			if (strcmp(sg_cpython_type_name(sg_cpython_type(value)), "member_descriptor") == 0 &&
			    visit(value, data) < 0)
				return -1;
	}
	return 0;
}

struct slots {
	PyObject *object, *list;
	Py_ssize_t index;
};

static int append_slot(PyObject *descriptor, void *data)
{
	struct slots *slots = data;
	PyObject *value = sg_state_call(descriptor, "__get__", slots->object);
	int error;

	if (!value)
		PyErr_Clear();
	error = PyList_Append(slots->list, value ? value : sg_state_no_value());
	sg_python_clear(&value);
	return error;
}

static PyObject *save_slots(PyObject *object)
{
	struct slots slots = {object, PyList_New(0), 0};
	PyObject *snapshot = NULL;

	if (slots.list && sg_state_no_value() &&
	    each_slot(sg_cpython_type(object), append_slot, &slots) == 0)
		snapshot = PySequence_Tuple(slots.list);
	sg_python_clear(&slots.list);
	return snapshot;
}

static int same_slots(PyObject *object, PyObject *snapshot)
{
	return sg_state_compare_items(save_slots(object), snapshot);
}

static int write_slot(PyObject *descriptor, void *data)
{
	struct slots *slots = data;
	PyObject *value = PyTuple_GetItem(slots->list, slots->index++), *setter, *done;

	if (value == sg_state_no_value()) {
		if (sg_state_call_and_drop(descriptor, "__delete__", slots->object) < 0)
			PyErr_Clear(); /* there was none */
		return 0;
	}
	setter = PyObject_GetAttrString(descriptor, "__set__");
	done = setter ? PyObject_CallFunctionObjArgs(setter, slots->object, value, NULL) : NULL;
	sg_python_clear(&setter);
	if (!done)
		return -1;
	Py_DecRef(done);
	return 0;
}

static int restore_slots(PyObject *object, PyObject *snapshot)
{
	struct slots slots = {object, snapshot, 0};

	return each_slot(sg_cpython_type(object), write_slot, &slots);
}

/* All that the Python classes added to the object of the C class. */
static int slots_memory(PyObject *object, struct sg_memory memory[SG_MEMORY_MAX])
{
	PyTypeObject *class = sg_cpython_type(object);
	Py_ssize_t from = sg_cpython_basicsize(sg_state_c_class(class)), to = sg_cpython_basicsize(class);

	return from < to ? look_at(memory, 0, word_at(object, from), to - from) : 0;
}

const struct sg_state_kind sg_state_slots = {
	.name = "slots", .save = save_slots, .same = same_slots, .restore = restore_slots,
	.memory = slots_memory
};

static int count_slot(PyObject *descriptor, void *data)
{
	(void)descriptor;
	++*(int *)data;
	return 0;
}

bool sg_state_has_slots(PyTypeObject *type)
{
	int count = 0;

	each_slot(type, count_slot, &count);
	return count > 0;
}
