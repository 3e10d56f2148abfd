#include "shim/state.h"

#include "shim/containers.h"
#include "shim/cpython.h"
#include "shim/graph.h"

#include <string.h>

/* Stands for "no value" in snapshots. */
static PyObject *nothing;

static PyObject *no_value(void)
{
	if (!nothing)
		nothing = PyList_New(0);
	return nothing;
}

static int set_tuple(PyObject *tuple, Py_ssize_t index, PyObject *value)
{
	return PyTuple_SetItem(tuple, index, sg_python_ref(value));
}

/* Calls an attribute of object with one or two arguments; new reference. */
static PyObject *call_function(PyObject *object, const char *name, PyObject *first, PyObject *second)
{
	PyObject *function = PyObject_GetAttrString(object, name), *result = NULL;

	if (function)
		result = PyObject_CallFunctionObjArgs(function, first, second, NULL);
	sg_python_clear(&function);
	return result;
}

/* Calls a method by name; new reference. */
static PyObject *call(PyObject *object, const char *method, PyObject *argument)
{
	PyObject *bound = PyObject_GetAttrString(object, method), *result = NULL;

	if (bound)
		result = PyObject_CallFunctionObjArgs(bound, argument, NULL);
	sg_python_clear(&bound);
	return result;
}

static int call_and_drop(PyObject *object, const char *method, PyObject *argument)
{
	PyObject *result = call(object, method, argument);

	if (!result)
		return -1;
	Py_DecRef(result);
	return 0;
}

/* The same for a method of the C base, which a subclass may have overridden. */
static PyObject *call_base(PyTypeObject *base, const char *method, PyObject *object, PyObject *argument)
{
	return call_function((PyObject *)base, method, object, argument);
}

static int call_base_and_drop(PyTypeObject *base, const char *method, PyObject *object, PyObject *argument)
{
	PyObject *result = call_base(base, method, object, argument);

	if (!result)
		return -1;
	Py_DecRef(result);
	return 0;
}

static bool same_items(PyObject *a, PyObject *b)
{
	Py_ssize_t size = PyTuple_Size(a);

	if (size != PyTuple_Size(b))
		return false;
	for (Py_ssize_t i = 0; i < size; i++)
		if (PyTuple_GetItem(a, i) != PyTuple_GetItem(b, i))
			return false;
	return true;
}

/* The C class that says what an object's own memory holds. */
static PyTypeObject *c_base(PyTypeObject *type)
{
	while (type && !sg_cpython_is_c_class(type))
		type = sg_cpython_type_base(type);
	return type ? type : &PyBaseObject_Type;
}

/* --- dict: keys and values in order ------------------------------------------------------------ */

static PyObject *save_dict(PyObject *dict)
{
	PyObject *snapshot = PyTuple_New(2 * PyDict_Size(dict)), *key, *value;
	Py_ssize_t position = 0, i = 0;

	while (snapshot && PyDict_Next(dict, &position, &key, &value)) {
		set_tuple(snapshot, i++, key);
		set_tuple(snapshot, i++, value);
	}
	return snapshot;
}

static int same_dict(PyObject *dict, PyObject *snapshot)
{
	Py_ssize_t position = 0, i = 0;
	PyObject *key, *value;

	if (2 * PyDict_Size(dict) != PyTuple_Size(snapshot))
		return 0;
	while (PyDict_Next(dict, &position, &key, &value)) {
		if (key != PyTuple_GetItem(snapshot, i) || value != PyTuple_GetItem(snapshot, i + 1))
			return 0;
		i += 2;
	}
	return 1;
}

static int rebuild_dict(PyObject *dict, PyObject *snapshot)
{
	PyDict_Clear(dict);
	for (Py_ssize_t i = 0; i < PyTuple_Size(snapshot); i += 2)
		if (PyDict_SetItem(dict, PyTuple_GetItem(snapshot, i), PyTuple_GetItem(snapshot, i + 1)) < 0)
			return -1;
	return 0;
}

/* The usual change is another value under an old key: then the dict keeps its keys, and caches on them stay good. */
static int restore_dict(PyObject *dict, PyObject *snapshot)
{
	Py_ssize_t position = 0, i = 0;
	PyObject *key, *value;

	if (2 * PyDict_Size(dict) != PyTuple_Size(snapshot))
		return rebuild_dict(dict, snapshot);
	while (PyDict_Next(dict, &position, &key, &value)) {
		if (key != PyTuple_GetItem(snapshot, i))
			return rebuild_dict(dict, snapshot);
		i += 2;
	}
	for (i = 0; i < PyTuple_Size(snapshot); i += 2)
		if (PyDict_SetItem(dict, PyTuple_GetItem(snapshot, i), PyTuple_GetItem(snapshot, i + 1)) < 0)
			return -1;
	return 0;
}

const struct sg_state_kind sg_state_dict = {"dict", save_dict, same_dict, restore_dict};

/* --- collections.defaultdict: its factory, beside the dict ------------------------------------- */

static PyObject *save_factory(PyObject *object)
{
	return PyObject_GetAttrString(object, "default_factory");
}

static int same_factory(PyObject *object, PyObject *snapshot)
{
	PyObject *now = save_factory(object);
	int same = now ? now == snapshot : -1;

	sg_python_clear(&now);
	return same;
}

static int restore_factory(PyObject *object, PyObject *snapshot)
{
	return PyObject_SetAttrString(object, "default_factory", snapshot);
}

static const struct sg_state_kind factory_kind = {
	"defaultdict", save_factory, same_factory, restore_factory
};

/* --- sequences and sets: whatever iterates ----------------------------------------------------- */

/* Items in the order of the C base's own iterator. */
static PyObject *save_items(PyObject *object)
{
	PyObject *(*iter)(PyObject *) = PyType_GetSlot(c_base(sg_cpython_type(object)), Py_tp_iter);
	PyObject *iterator = iter(object), *list, *snapshot = NULL;

	list = iterator ? PySequence_List(iterator) : NULL;
	if (list)
		snapshot = PySequence_Tuple(list);
	sg_python_clear(&list);
	sg_python_clear(&iterator);
	return snapshot;
}

static int same_by_saving(PyObject *object, PyObject *snapshot)
{
	PyObject *now = save_items(object);
	int same = now ? same_items(now, snapshot) : -1;

	sg_python_clear(&now);
	return same;
}

static int same_list(PyObject *list, PyObject *snapshot)
{
	Py_ssize_t size = PyList_Size(list);

	if (size != PyTuple_Size(snapshot))
		return 0;
	for (Py_ssize_t i = 0; i < size; i++)
		if (PyList_GetItem(list, i) != PyTuple_GetItem(snapshot, i))
			return 0;
	return 1;
}

static int restore_list(PyObject *list, PyObject *snapshot)
{
	PyObject *items = PySequence_List(snapshot);
	int error = items ? PyList_SetSlice(list, 0, PyList_Size(list), items) : -1;

	sg_python_clear(&items);
	return error;
}

static const struct sg_state_kind list_kind = {"list", save_items, same_list, restore_list};

/* (items, which the snapshot keeps alive; the table) */
static PyObject *save_set(PyObject *set)
{
	PyObject *items = save_items(set), *table = items ? sg_containers_set_save(set) : NULL, *snapshot = NULL;

	if (table)
		snapshot = PyTuple_Pack(2, items, table);
	sg_python_clear(&table);
	sg_python_clear(&items);
	return snapshot;
}

static int same_set(PyObject *set, PyObject *snapshot)
{
	return sg_containers_set_same(set, PyTuple_GetItem(snapshot, 1));
}

static int restore_set(PyObject *set, PyObject *snapshot)
{
	if (call_base_and_drop(c_base(sg_cpython_type(set)), "clear", set, NULL) < 0)
		return -1;
	return sg_containers_set_restore(set, PyTuple_GetItem(snapshot, 1));
}

static const struct sg_state_kind set_kind = {"set", save_set, same_set, restore_set};

static int restore_deque(PyObject *deque, PyObject *snapshot)
{
	PyTypeObject *base = c_base(sg_cpython_type(deque));

	if (call_base_and_drop(base, "clear", deque, NULL) < 0)
		return -1;
	return call_base_and_drop(base, "extend", deque, snapshot);
}

static const struct sg_state_kind deque_kind = {"deque", save_items, same_by_saving, restore_deque};

/* The C OrderedDict keeps its order beside the dict: move_to_end() changes only that. */
static PyObject *save_ordered(PyObject *object)
{
	PyObject *keys = save_items(object), *snapshot, *key, *value;
	Py_ssize_t size = keys ? PyTuple_Size(keys) : 0;

	snapshot = keys ? PyTuple_New(2 * size) : NULL;
	for (Py_ssize_t i = 0; snapshot && i < size; i++) {
		key = PyTuple_GetItem(keys, i);
		value = PyDict_GetItemWithError(object, key);
		set_tuple(snapshot, 2 * i, key);
		set_tuple(snapshot, 2 * i + 1, value ? value : no_value());
	}
	sg_python_clear(&keys);
	return snapshot;
}

static int same_ordered(PyObject *object, PyObject *snapshot)
{
	PyObject *now = save_ordered(object);
	int same = now ? same_items(now, snapshot) : -1;

	sg_python_clear(&now);
	return same;
}

static int restore_ordered(PyObject *object, PyObject *snapshot)
{
	PyTypeObject *base = c_base(sg_cpython_type(object));
	int (*store)(PyObject *, PyObject *, PyObject *) = PyType_GetSlot(base, Py_mp_ass_subscript);

	if (call_base_and_drop(base, "clear", object, NULL) < 0)
		return -1;
	for (Py_ssize_t i = 0; i < PyTuple_Size(snapshot); i += 2)
		if (store(object, PyTuple_GetItem(snapshot, i), PyTuple_GetItem(snapshot, i + 1)) < 0)
			return -1;
	return 0;
}

static const struct sg_state_kind ordered_kind = {
	"OrderedDict", save_ordered, same_ordered, restore_ordered
};

/* --- memory: bytearray, array ------------------------------------------------------------------ */

static int equal(PyObject *a, PyObject *b)
{
	enum { PY_EQ = 2 };

	return PyObject_RichCompareBool(a, b, PY_EQ);
}

static int same_as(PyObject *now, PyObject *snapshot)
{
	int same = now ? equal(now, snapshot) : -1;

	sg_python_clear(&now);
	return same;
}

static PyObject *save_bytearray(PyObject *object)
{
	return PyBytes_FromStringAndSize(PyByteArray_AsString(object), PyByteArray_Size(object));
}

static int same_bytearray(PyObject *object, PyObject *snapshot)
{
	return same_as(save_bytearray(object), snapshot);
}

static int restore_bytearray(PyObject *object, PyObject *snapshot)
{
	Py_ssize_t size;
	char *bytes;

	if (PyBytes_AsStringAndSize(snapshot, &bytes, &size) < 0 || PyByteArray_Resize(object, size) < 0)
		return -1;
	memcpy(PyByteArray_AsString(object), bytes, (size_t)size);
	return 0;
}

static const struct sg_state_kind bytearray_kind = {
	"bytearray", save_bytearray, same_bytearray, restore_bytearray
};

static PyObject *save_array(PyObject *object)
{
	return call(object, "tobytes", NULL);
}

static int same_array(PyObject *object, PyObject *snapshot)
{
	return same_as(save_array(object), snapshot);
}

static int restore_array(PyObject *object, PyObject *snapshot)
{
	/* pop() until empty would be slow; a slice of the array itself has the type that the slice wants. */
	while (PyObject_Size(object) > 0)
		if (call_and_drop(object, "pop", NULL) < 0)
			return -1;
	return call_and_drop(object, "frombytes", snapshot);
}

static const struct sg_state_kind array_kind = {"array", save_array, same_array, restore_array};

/* --- objects that save themselves -------------------------------------------------------------- */

#define SELF_SAVING(identifier, text, get, set) \
	static PyObject *save_##identifier(PyObject *object) \
	{ \
		return call_base(c_base(sg_cpython_type(object)), get, object, NULL); \
	} \
	static int same_##identifier(PyObject *object, PyObject *snapshot) \
	{ \
		return same_as(save_##identifier(object), snapshot); \
	} \
	static int restore_##identifier(PyObject *object, PyObject *snapshot) \
	{ \
		return call_base_and_drop(c_base(sg_cpython_type(object)), set, object, snapshot); \
	} \
	static const struct sg_state_kind identifier##_kind = { \
		text, save_##identifier, same_##identifier, restore_##identifier \
	};

SELF_SAVING(generator, "random.Random", "getstate", "setstate")
/* A closed file cannot be asked, nor opened again: closed is its state. */
static PyObject *save_buffer(PyObject *object)
{
	PyObject *closed = PyObject_GetAttrString(object, "closed");

	if (!closed || PyObject_IsTrue(closed) == 1)
		return closed;
	Py_DecRef(closed);
	return call_base(c_base(sg_cpython_type(object)), "__getstate__", object, NULL);
}

static int same_buffer(PyObject *object, PyObject *snapshot)
{
	return same_as(save_buffer(object), snapshot);
}

/* __init__ with an initial value gives a closed file a buffer again. */
static int reopen(PyTypeObject *base, PyObject *object)
{
	bool text = strcmp(sg_cpython_type_name(base), "_io.StringIO") == 0;
	PyObject *empty = text ? PyUnicode_FromString("") : PyBytes_FromStringAndSize("", 0);
	int error = empty ? call_base_and_drop(base, "__init__", object, empty) : -1;

	sg_python_clear(&empty);
	return error;
}

static int restore_buffer(PyObject *object, PyObject *snapshot)
{
	PyTypeObject *base = c_base(sg_cpython_type(object));
	PyObject *now = save_buffer(object), *yes = PyBool_FromLong(1);
	bool closed = now == yes;
	int error = 0;

	sg_python_clear(&now);
	if (snapshot == yes)
		error = call_base_and_drop(base, "close", object, NULL);
	else if (closed && reopen(base, object) < 0)
		error = -1;
	else
		error = call_base_and_drop(base, "__setstate__", object, snapshot);
	Py_DecRef(yes);
	return error;
}

static const struct sg_state_kind buffer_kind = {"io", save_buffer, same_buffer, restore_buffer};

/* --- locks, queues, caches --------------------------------------------------------------------- */

static PyObject *save_lock(PyObject *lock)
{
	return call(lock, "locked", NULL);
}

static int same_lock(PyObject *lock, PyObject *snapshot)
{
	return same_as(save_lock(lock), snapshot);
}

static int restore_lock(PyObject *lock, PyObject *snapshot)
{
	int same = same_lock(lock, snapshot);
	PyObject *no;
	int error;

	if (same)
		return same < 0 ? -1 : 0;
	if (PyObject_IsTrue(snapshot) == 0)
		return call_and_drop(lock, "release", NULL);
	no = PyBool_FromLong(0);
	error = call_and_drop(lock, "acquire", no);
	Py_DecRef(no);
	return error;
}

static const struct sg_state_kind lock_kind = {"lock", save_lock, same_lock, restore_lock};

/* Takes everything out; new list. */
static PyObject *drain_queue(PyObject *queue)
{
	PyObject *list = PyList_New(0), *item;

	while (list) {
		item = call(queue, "get_nowait", NULL);
		if (!item)
			break;
		if (PyList_Append(list, item) < 0)
			sg_python_clear(&list);
		Py_DecRef(item);
	}
	PyErr_Clear(); /* queue.Empty */
	return list;
}

static int fill_queue(PyObject *queue, PyObject *items)
{
	int error = 0;

	for (Py_ssize_t i = 0; i < PyTuple_Size(items) && !error; i++)
		error = call_and_drop(queue, "put", PyTuple_GetItem(items, i));
	return error;
}

static PyObject *save_queue(PyObject *queue)
{
	PyObject *list = drain_queue(queue), *snapshot = list ? PySequence_Tuple(list) : NULL;

	sg_python_clear(&list);
	if (snapshot && fill_queue(queue, snapshot) < 0)
		sg_python_clear(&snapshot);
	return snapshot;
}

static int same_queue(PyObject *queue, PyObject *snapshot)
{
	PyObject *now = save_queue(queue);
	int same = now ? same_items(now, snapshot) : -1;

	sg_python_clear(&now);
	return same;
}

static int restore_queue(PyObject *queue, PyObject *snapshot)
{
	PyObject *list = drain_queue(queue);

	if (!list)
		return -1;
	Py_DecRef(list);
	return fill_queue(queue, snapshot);
}

static const struct sg_state_kind queue_kind = {"SimpleQueue", save_queue, same_queue, restore_queue};

static const struct sg_state_kind cache_kind = {
	"lru_cache", sg_containers_cache_save, sg_containers_cache_same, sg_containers_cache_restore
};

/* --- iterators: their memory as it is ---------------------------------------------------------- */

#define HEAD_SIZE 16 /* reference count and type */

/* (bytes of the object behind its head, list of what it refers to: kept alive by the snapshot) */
static PyObject *save_memory(PyObject *object)
{
	Py_ssize_t size = sg_cpython_basicsize(sg_cpython_type(object)) - HEAD_SIZE;
	PyObject *refs = sg_graph_referents(object), *bytes, *snapshot = NULL;

	bytes = refs ? PyBytes_FromStringAndSize((char *)object + HEAD_SIZE, size) : NULL;
	if (bytes)
		snapshot = PyTuple_Pack(2, bytes, refs);
	sg_python_clear(&bytes);
	sg_python_clear(&refs);
	return snapshot;
}

static int same_memory(PyObject *object, PyObject *snapshot)
{
	Py_ssize_t size;
	char *bytes;

	if (PyBytes_AsStringAndSize(PyTuple_GetItem(snapshot, 0), &bytes, &size) < 0)
		return -1;
	return memcmp((char *)object + HEAD_SIZE, bytes, (size_t)size) == 0;
}

static int restore_memory(PyObject *object, PyObject *snapshot)
{
	PyObject *now = sg_graph_referents(object), *then = PyTuple_GetItem(snapshot, 1);
	Py_ssize_t size;
	char *bytes;

	if (!now || PyBytes_AsStringAndSize(PyTuple_GetItem(snapshot, 0), &bytes, &size) < 0) {
		sg_python_clear(&now);
		return -1;
	}
	/* The object owns one reference to each referent. */
	for (Py_ssize_t i = 0; i < PyList_Size(then); i++)
		Py_IncRef(PyList_GetItem(then, i));
	memcpy((char *)object + HEAD_SIZE, bytes, (size_t)size);
	for (Py_ssize_t i = 0; i < PyList_Size(now); i++)
		Py_DecRef(PyList_GetItem(now, i));
	Py_DecRef(now);
	return 0;
}

static const struct sg_state_kind memory_kind = {"iterator", save_memory, same_memory, restore_memory};

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
	PyObject *now = PyObject_GenericGetDict(object, NULL);
	int same = now ? now == PyTuple_GetItem(snapshot, 0) : -1;

	sg_python_clear(&now);
	if (same == 1 && (PyObject *)sg_cpython_type(object) != PyTuple_GetItem(snapshot, 1))
		return 0;
	return same;
}

static int restore_namespace(PyObject *object, PyObject *snapshot)
{
	PyObject *class = PyTuple_GetItem(snapshot, 1);

	if ((PyObject *)sg_cpython_type(object) != class &&
	    PyObject_SetAttrString(object, "__class__", class) < 0)
		return -1;
	return PyObject_GenericSetDict(object, PyTuple_GetItem(snapshot, 0), NULL);
}

const struct sg_state_kind sg_state_namespace = {
	"__dict__", save_namespace, same_namespace, restore_namespace
};

/* --- functions, cells, classes, slots ---------------------------------------------------------- */

static const char *const function_parts[] = {
	"__code__", "__defaults__", "__kwdefaults__", "__name__", "__qualname__", "__module__", "__doc__"
};
#define FUNCTION_PARTS (int)(sizeof(function_parts) / sizeof(function_parts[0]))

static PyObject *save_function(PyObject *function)
{
	PyObject *snapshot = PyTuple_New(FUNCTION_PARTS), *part;

	for (int i = 0; i < FUNCTION_PARTS && snapshot; i++) {
		part = PyObject_GetAttrString(function, function_parts[i]);
		if (!part || PyTuple_SetItem(snapshot, i, part) < 0)
			sg_python_clear(&snapshot);
	}
	return snapshot;
}

static int same_function(PyObject *function, PyObject *snapshot)
{
	PyObject *now = save_function(function);
	int same = now ? same_items(now, snapshot) : -1;

	sg_python_clear(&now);
	return same;
}

static int restore_function(PyObject *function, PyObject *snapshot)
{
	PyObject *part;
	bool same;

	for (int i = 0; i < FUNCTION_PARTS; i++) {
		part = PyObject_GetAttrString(function, function_parts[i]);
		same = part == PyTuple_GetItem(snapshot, i);
		sg_python_clear(&part);
		/* Setting the code, even to what it is, would make every call site forget what it knows. */
		if (!same && PyObject_SetAttrString(function, function_parts[i],
						    PyTuple_GetItem(snapshot, i)) < 0)
			return -1;
	}
	return 0;
}

static const struct sg_state_kind function_kind = {
	"function", save_function, same_function, restore_function
};

static PyObject *save_cell(PyObject *cell)
{
	PyObject *content = sg_python_attribute_or_null(cell, "cell_contents"), *snapshot;

	snapshot = PyTuple_Pack(1, content ? content : no_value());
	sg_python_clear(&content);
	return snapshot;
}

static int same_cell(PyObject *cell, PyObject *snapshot)
{
	PyObject *now = save_cell(cell);
	int same = now ? same_items(now, snapshot) : -1;

	sg_python_clear(&now);
	return same;
}

static int restore_cell(PyObject *cell, PyObject *snapshot)
{
	PyObject *content = PyTuple_GetItem(snapshot, 0);

	return PyObject_SetAttrString(cell, "cell_contents", content == no_value() ? NULL : content);
}

static const struct sg_state_kind cell_kind = {"cell", save_cell, same_cell, restore_cell};

static PyObject *save_class(PyObject *class)
{
	return save_dict(sg_cpython_type_dict((PyTypeObject *)class));
}

static int same_class(PyObject *class, PyObject *snapshot)
{
	return same_dict(sg_cpython_type_dict((PyTypeObject *)class), snapshot);
}

/* type's own way: a metaclass may forbid what the class itself did while it was made. */
static int set_on_class(PyObject *class, PyObject *name, PyObject *value)
{
	int (*set)(PyObject *, PyObject *, PyObject *) = PyType_GetSlot(&PyType_Type, Py_tp_setattro);

	return set(class, name, value);
}

static int restore_class(PyObject *class, PyObject *snapshot)
{
	PyObject *dict = sg_cpython_type_dict((PyTypeObject *)class), *want = PyDict_New(), *have, *key, *value;
	Py_ssize_t position = 0;
	int error = want ? rebuild_dict(want, snapshot) : -1;

	have = error ? NULL : PyDict_Copy(dict);
	while (have && !error && PyDict_Next(have, &position, &key, &value))
		if (!PyDict_GetItemWithError(want, key))
			error = set_on_class(class, key, NULL);
	position = 0;
	while (have && !error && PyDict_Next(want, &position, &key, &value))
		if (PyDict_GetItemWithError(dict, key) != value)
			error = set_on_class(class, key, value);
	if (!have)
		error = -1;
	sg_python_clear(&have);
	sg_python_clear(&want);
	return error;
}

static const struct sg_state_kind class_kind = {"class", save_class, same_class, restore_class};

/* --- abstract base classes: which classes are registered with one ------------------------------- */

static PyObject *call_abc(const char *function, PyObject *class, PyObject *argument)
{
	static PyObject *module;

	if (!module && !(module = PyImport_ImportModule("_abc")))
		return NULL;
	return call_function(module, function, class, argument);
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
	return same_as(save_registry(class), snapshot);
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

static const struct sg_state_kind registry_kind = {
	"abc", save_registry, same_registry, restore_registry
};

static bool has_registry(PyObject *class)
{
	PyObject *key = PyUnicode_InternFromString("_abc_impl");
	bool found = key && PyDict_GetItemWithError(sg_cpython_type_dict((PyTypeObject *)class), key);

	PyErr_Clear();
	sg_python_clear(&key);
	return found;
}

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
	PyObject *value = call(descriptor, "__get__", slots->object);
	int error;

	if (!value)
		PyErr_Clear();
	error = PyList_Append(slots->list, value ? value : no_value());
	sg_python_clear(&value);
	return error;
}

static PyObject *save_slots(PyObject *object)
{
	struct slots slots = {object, PyList_New(0), 0};
	PyObject *snapshot = NULL;

	if (slots.list && no_value() && each_slot(sg_cpython_type(object), append_slot, &slots) == 0)
		snapshot = PySequence_Tuple(slots.list);
	sg_python_clear(&slots.list);
	return snapshot;
}

static int same_slots(PyObject *object, PyObject *snapshot)
{
	PyObject *now = save_slots(object);
	int same = now ? same_items(now, snapshot) : -1;

	sg_python_clear(&now);
	return same;
}

static int write_slot(PyObject *descriptor, void *data)
{
	struct slots *slots = data;
	PyObject *value = PyTuple_GetItem(slots->list, slots->index++), *setter, *done;

	if (value == no_value()) {
		if (call_and_drop(descriptor, "__delete__", slots->object) < 0)
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

static const struct sg_state_kind slots_kind = {"slots", save_slots, same_slots, restore_slots};

static int count_slot(PyObject *descriptor, void *data)
{
	(void)descriptor;
	++*(int *)data;
	return 0;
}

/* --- the table --------------------------------------------------------------------------------- */

/* By tp_name of the C class; a kind of NULL: nothing in it can change. A trailing '*' matches any rest. */
static const struct trait {
	const char *type;
	const struct sg_state_kind *kind, *second;
} traits[] = {
	{"object", NULL, NULL},
	{"dict", &sg_state_dict, NULL},
	{"list", &list_kind, NULL},
	{"set", &set_kind, NULL},
	{"function", &function_kind, NULL},
	{"cell", &cell_kind, NULL},
	{"type", &class_kind, NULL},
	{"collections.deque", &deque_kind, NULL},
	{"collections.OrderedDict", &ordered_kind, NULL},
	{"collections.defaultdict", &sg_state_dict, &factory_kind},
	{"bytearray", &bytearray_kind, NULL},
	{"array.array", &array_kind, NULL},
	{"_random.Random", &generator_kind, NULL},
	{"_io.StringIO", &buffer_kind, NULL},
	{"_io.BytesIO", &buffer_kind, NULL},
	{"_thread.lock", &lock_kind, NULL},
	{"_queue.SimpleQueue", &queue_kind, NULL},
	{"functools._lru_cache_wrapper", &cache_kind, NULL},
	{"itertools.count", &memory_kind, NULL},
	{"itertools.cycle", &memory_kind, NULL},
	{"itertools.repeat", &memory_kind, NULL},
	{"itertools.chain", &memory_kind, NULL},
	{"itertools.islice", &memory_kind, NULL},
	{"itertools.accumulate", &memory_kind, NULL},
	{"list_iterator", &memory_kind, NULL},
	{"tuple_iterator", &memory_kind, NULL},
	{"range_iterator", &memory_kind, NULL},
	{"str_iterator", &memory_kind, NULL},
	{"enumerate", &memory_kind, NULL},
	{"zip", &memory_kind, NULL},
	{"map", &memory_kind, NULL},
	{"filter", &memory_kind, NULL},
	{"reversed", &memory_kind, NULL},
	/* immutable, or changed only by CPython for itself */
	{"tuple", NULL, NULL}, {"frozenset", NULL, NULL}, {"int", NULL, NULL}, {"float", NULL, NULL},
	{"complex", NULL, NULL}, {"bool", NULL, NULL}, {"str", NULL, NULL}, {"bytes", NULL, NULL},
	{"NoneType", NULL, NULL}, {"ellipsis", NULL, NULL}, {"NotImplementedType", NULL, NULL},
	{"range", NULL, NULL}, {"slice", NULL, NULL}, {"code", NULL, NULL}, {"module", NULL, NULL},
	{"builtin_function_or_method", NULL, NULL}, {"builtin_method", NULL, NULL},
	{"method", NULL, NULL}, {"instancemethod", NULL, NULL}, {"property", NULL, NULL},
	{"classmethod", NULL, NULL}, {"staticmethod", NULL, NULL}, {"super", NULL, NULL},
	{"method_descriptor", NULL, NULL}, {"classmethod_descriptor", NULL, NULL},
	{"getset_descriptor", NULL, NULL}, {"member_descriptor", NULL, NULL},
	{"wrapper_descriptor", NULL, NULL}, {"method-wrapper", NULL, NULL}, {"mappingproxy", NULL, NULL},
	{"types.*", NULL, NULL}, {"typing.*", NULL, NULL}, {"weakref*", NULL, NULL},
	{"weakproxy", NULL, NULL}, {"weakcallableproxy", NULL, NULL}, {"re.*", NULL, NULL},
	{"functools.partial", NULL, NULL}, {"functools.*", NULL, NULL}, {"operator.*", NULL, NULL},
	{"_operator.*", NULL, NULL}, {"_abc._abc_data", NULL, NULL}, {"_contextvars.*", NULL, NULL},
	{"ContextVar", NULL, NULL}, {"Token", NULL, NULL}, {"Context", NULL, NULL},
	{"_thread.RLock", NULL, NULL}, {"_thread._local", NULL, NULL}, {"datetime.*", NULL, NULL},
	{"decimal.Decimal", NULL, NULL}, {"zoneinfo.*", NULL, NULL}, {"uuid.*", NULL, NULL},
	{"_struct.Struct", NULL, NULL}, {"Struct", NULL, NULL},
	{"collections._tuplegetter", NULL, NULL}, {"_collections._tuplegetter", NULL, NULL},
	{"_io.TextIOWrapper", NULL, NULL}, {"_io.BufferedWriter", NULL, NULL},
	{"_io.FileIO", NULL, NULL}, {"pydantic_core.*", NULL, NULL}, {"annotationlib.*", NULL, NULL},
	{"google._upb.*", NULL, NULL}, {"google.protobuf.pyext.*", NULL, NULL}, {"markupsafe.*", NULL, NULL},
	{"sre.*", NULL, NULL}, {"_sre.*", NULL, NULL}, {"string.templatelib.*", NULL, NULL},
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

int sg_state_kinds(PyObject *object, const struct sg_state_kind *kinds[SG_STATE_KINDS_MAX])
{
	PyTypeObject *type = sg_cpython_type(object);
	const struct trait *trait = find_trait(c_base(type));
	int count = 0, slots = 0;

	/* Instances of a metaclass are classes, whatever the metaclass is called. */
	if (PyType_IsSubtype(type, &PyType_Type)) {
		if (sg_cpython_is_c_class((PyTypeObject *)object))
			return 0;
		kinds[count++] = &class_kind;
		if (has_registry(object))
			kinds[count++] = &registry_kind;
		return count;
	}
	if (!trait || (trait->kind == &set_kind && !sg_containers.sets) ||
	    (trait->kind == &cache_kind && !sg_containers.caches))
		return -1;
	if (trait->kind)
		kinds[count++] = trait->kind;
	if (trait->second)
		kinds[count++] = trait->second;
	each_slot(type, count_slot, &slots);
	if (slots)
		kinds[count++] = &slots_kind;
	return count;
}
