#include "shim/state/state_kinds.h"

#include "shim/interpreter/containers.h"
#include "shim/interpreter/cpython.h"

#include <string.h>

/*
 * Most snapshots here are twins: objects of the C class itself, made from the content, whose inside can be
 * exchanged with the object's.
 */
static int exchange_guts(enum sg_guts guts, PyObject *object, PyObject *twin)
{
	if (!sg_guts_movable(guts, object) || !sg_guts_movable(guts, twin)) {
		PyErr_SetString(PyExc_RuntimeError, "sandglass: the inside of this object is not known");
		return -1;
	}
	sg_guts_exchange(guts, object, twin);
	return 0;
}

/* Do two iterators of the C class give the same objects? */
static int same_sequence(PyObject *a, PyObject *b)
{
	PyObject *(*iter)(PyObject *) = PyType_GetSlot(sg_state_c_class(sg_cpython_type(a)), Py_tp_iter);
	PyObject *one = iter(a), *other = one ? iter(b) : NULL, *x = NULL, *y = NULL;
	bool same = one && other;

	while (same) {
		x = PyIter_Next(one);
		y = PyIter_Next(other);
		same = x == y;
		if (!x || !y)
			break;
		sg_python_clear(&x);
		sg_python_clear(&y);
	}
	sg_python_clear(&x);
	sg_python_clear(&y);
	sg_python_clear(&one);
	sg_python_clear(&other);
	return PyErr_Occurred() ? -1 : same;
}

/* --- dict: keys and values in order ------------------------------------------------------------ */

static PyObject *this_object(PyObject *object)
{
	return object;
}

/*
 * A subclass may have its own idea of iteration, and its keys of hashing, which a copy of a plain dict does without: for
 * so long it is one. The collector does not run.
 */
static PyObject *save_dict(PyObject *dict)
{
	PyTypeObject *type = sg_cpython_type(dict);
	PyObject *twin;

	if (type == &PyDict_Type)
		return PyDict_Copy(dict);
	Py_IncRef((PyObject *)type);
	sg_cpython_set_type(dict, &PyDict_Type);
	twin = PyDict_Copy(dict);
	sg_cpython_set_type(dict, type);
	Py_DecRef((PyObject *)type);
	return twin;
}

/*
 * Have both the same keys in the same order, and, if that is asked, at the same positions, which iterators remember?
 * *ret_same: and the same values.
 */
static bool same_keys(PyObject *dict, PyObject *twin, bool positions, bool *ret_same)
{
	PyObject *key, *value, *other_key, *other_value;
	Py_ssize_t position = 0, other = 0;

	*ret_same = true;
	if (PyDict_Size(dict) != PyDict_Size(twin))
		return *ret_same = false;
	while (PyDict_Next(dict, &position, &key, &value)) {
		if (!PyDict_Next(twin, &other, &other_key, &other_value) || key != other_key ||
		    (positions && position != other))
			return *ret_same = false;
		*ret_same &= value == other_value;
	}
	return true;
}

static int same_dict(PyObject *dict, PyObject *twin)
{
	bool same;

	same_keys(dict, twin, true, &same);
	return same;
}

bool sg_state_same_order(PyObject *dict, PyObject *twin)
{
	bool same;

	same_keys(dict, twin, false, &same);
	return same;
}

static int exchange_item(PyObject *dict, PyObject *twin, PyObject *key, PyObject *value, PyObject *other)
{
	int error;

	Py_IncRef(value);
	error = PyDict_SetItem(dict, key, other);
	if (!error)
		error = PyDict_SetItem(twin, key, value);
	Py_DecRef(value);
	return error;
}

/* Positions stay good while values under old keys are replaced. */
static int exchange_values(PyObject *dict, PyObject *twin)
{
	PyObject *key, *value, *other_key, *other_value;
	Py_ssize_t position = 0, other = 0;

	while (PyDict_Next(dict, &position, &key, &value) && PyDict_Next(twin, &other, &other_key, &other_value))
		if (value != other_value && exchange_item(dict, twin, key, value, other_value) < 0)
			return -1;
	return 0;
}

/* Key by key: for a dict whose inside is tied to an instance, or that others watch. */
static int exchange_dict_slowly(PyObject *dict, PyObject **twin)
{
	PyObject *now = save_dict(dict), *key, *value;
	Py_ssize_t position = 0;

	if (!now)
		return -1;
	PyDict_Clear(dict);
	while (PyDict_Next(*twin, &position, &key, &value))
		if (PyDict_SetItem(dict, key, value) < 0)
			return -1;
	Py_DecRef(*twin);
	*twin = now;
	return 0;
}

#define MANY_ITEMS 64

/* Names, and the like: to look one up runs no code of its class. */
static bool has_plain_keys(PyObject *dict)
{
	PyObject *key, *value;
	Py_ssize_t position = 0;

	while (PyDict_Next(dict, &position, &key, &value))
		if (sg_cpython_type(key) != &PyUnicode_Type)
			return false;
	return true;
}

/*
 * The usual change is another value under an old key: then the dict keeps its keys, and what call sites know of them
 * stays good. In a large dict that holds no names it is not worth looking for.
 */
static int exchange_dict(PyObject *dict, PyObject **twin)
{
	bool movable = sg_guts_movable(SG_GUTS_DICT, dict) && sg_guts_movable(SG_GUTS_DICT, *twin), same;
	bool names = PyDict_Size(dict) <= MANY_ITEMS || sg_python_module_name(dict);

	if ((names || !movable) && same_keys(dict, *twin, true, &same) && (!movable || has_plain_keys(dict)))
		return exchange_values(dict, *twin);
	if (!movable)
		return exchange_dict_slowly(dict, twin);
	sg_guts_exchange(SG_GUTS_DICT, dict, *twin);
	return 0;
}

const struct sg_state_kind sg_state_dict = {
	.name = "dict", .save = save_dict, .same = same_dict, .exchange = exchange_dict,
	.dict = this_object
};

/* --- collections.defaultdict: its factory, beside the dict ------------------------------------- */

static PyObject *save_factory(PyObject *object)
{
	PyObject *factory = sg_state_get_base(object, "default_factory"), *snapshot = NULL;

	if (factory)
		snapshot = PyTuple_Pack(1, factory);
	sg_python_clear(&factory);
	return snapshot;
}

static int same_factory(PyObject *object, PyObject *snapshot)
{
	return sg_state_compare_items(save_factory(object), snapshot);
}

static int restore_factory(PyObject *object, PyObject *snapshot)
{
	return sg_state_set_base(object, "default_factory", PyTuple_GetItem(snapshot, 0));
}

static int factory_memory(PyObject *object, struct sg_memory memory[SG_MEMORY_MAX])
{
	PyTypeObject *class = sg_state_c_class(sg_cpython_type(object));
	PyObject *factory = sg_state_get_base(object, "default_factory");
	Py_ssize_t dict = sg_cpython_basicsize(&PyDict_Type);
	const void *word = sg_state_find_word(object, dict, sg_cpython_basicsize(class), factory);

	sg_python_clear(&factory);
	if (!word)
		return 0;
	memory[0] = (struct sg_memory){word, sizeof(PyObject *)};
	return 1;
}

const struct sg_state_kind sg_state_factory = {
	.name = "defaultdict", .save = save_factory, .same = same_factory, .restore = restore_factory,
	.memory = factory_memory
};

/* --- list, deque, OrderedDict, bytearray, array ------------------------------------------------- */

#define EXCHANGED(identifier, guts) \
	static int exchange_##identifier(PyObject *object, PyObject **twin) \
	{ \
		return exchange_guts(guts, object, *twin); \
	} \
	static int identifier##_memory(PyObject *object, struct sg_memory memory[SG_MEMORY_MAX]) \
	{ \
		return sg_guts_memory(guts, object, memory); \
	}

EXCHANGED(list, SG_GUTS_LIST)
EXCHANGED(deque, SG_GUTS_DEQUE)
EXCHANGED(ordered, SG_GUTS_ORDERED)
EXCHANGED(bytearray, SG_GUTS_BYTEARRAY)
EXCHANGED(array, SG_GUTS_ARRAY)

static PyObject *save_list(PyObject *list)
{
	return PyList_GetSlice(list, 0, PyList_Size(list));
}

/* The items as they lie in memory: the second piece, where there are any. */
static int same_list(PyObject *list, PyObject *twin)
{
	struct sg_memory here[SG_MEMORY_MAX], there[SG_MEMORY_MAX];
	int count = sg_guts_memory(SG_GUTS_LIST, list, here);

	if (count == 0 || PyList_Size(list) != PyList_Size(twin))
		return 0;
	sg_guts_memory(SG_GUTS_LIST, twin, there);
	return count == 1 || memcmp(here[1].address, there[1].address, here[1].size) == 0;
}

const struct sg_state_kind sg_state_list = {
	.name = "list", .save = save_list, .same = same_list, .exchange = exchange_list,
	.memory = list_memory
};

/* Items in the order of the C class's own iterator. */
static PyObject *save_items(PyObject *object)
{
	PyObject *(*iter)(PyObject *) = PyType_GetSlot(sg_state_c_class(sg_cpython_type(object)), Py_tp_iter);
	PyObject *iterator = iter(object), *snapshot = iterator ? PySequence_Tuple(iterator) : NULL;

	sg_python_clear(&iterator);
	return snapshot;
}

static PyObject *save_deque(PyObject *deque)
{
	PyTypeObject *class = sg_state_c_class(sg_cpython_type(deque));
	PyObject *items = save_items(deque), *most = sg_state_get_base(deque, "maxlen"), *twin = NULL;

	if (items && most)
		twin = PyObject_CallFunctionObjArgs((PyObject *)class, items, most, NULL);
	sg_python_clear(&most);
	sg_python_clear(&items);
	return twin;
}

/* How many items it may have is changed by __init__ alone. */
static int same_deque(PyObject *deque, PyObject *twin)
{
	int same = same_sequence(deque, twin);
	PyObject *most;

	if (same != 1)
		return same;
	most = sg_state_get_base(twin, "maxlen");
	same = most ? sg_state_compare(sg_state_get_base(deque, "maxlen"), most) : -1;
	sg_python_clear(&most);
	return same;
}

const struct sg_state_kind sg_state_deque = {
	.name = "deque", .save = save_deque, .same = same_deque, .exchange = exchange_deque,
	.memory = deque_memory, .own = true
};

/* The C OrderedDict keeps its order beside the dict: move_to_end() changes only that. */
static PyObject *save_ordered(PyObject *object)
{
	PyTypeObject *class = sg_state_c_class(sg_cpython_type(object));
	int (*store)(PyObject *, PyObject *, PyObject *) = PyType_GetSlot(class, Py_mp_ass_subscript);
	PyObject *keys = save_items(object), *twin = keys ? PyObject_CallObject((PyObject *)class, NULL) : NULL;
	PyObject *key, *value;

	for (Py_ssize_t i = 0; twin && i < PyTuple_Size(keys); i++) {
		key = PyTuple_GetItem(keys, i);
		value = PyDict_GetItemWithError(object, key);
		if (!value || store(twin, key, value) < 0)
			sg_python_clear(&twin);
	}
	sg_python_clear(&keys);
	return twin;
}

static int same_ordered(PyObject *object, PyObject *twin)
{
	int same = same_sequence(object, twin);

	return same == 1 ? same_dict(object, twin) : same;
}

const struct sg_state_kind sg_state_ordered = {
	.name = "OrderedDict", .save = save_ordered, .same = same_ordered, .exchange = exchange_ordered,
	.memory = ordered_memory, .dict = this_object, .own = true, .hashes = true
};

static PyObject *save_bytearray(PyObject *object)
{
	return PyByteArray_FromStringAndSize(PyByteArray_AsString(object), PyByteArray_Size(object));
}

/* Not by ==, which a subclass may have written. What is looked at is the run's own, whatever it holds. */
static int same_bytearray(PyObject *object, PyObject *twin)
{
	Py_ssize_t size = PyByteArray_Size(object);

	return size == PyByteArray_Size(twin) && !sg_guts_exported(SG_GUTS_BYTEARRAY, object) &&
		memcmp(PyByteArray_AsString(object), PyByteArray_AsString(twin), (size_t)size) == 0;
}

const struct sg_state_kind sg_state_bytearray = {
	.name = "bytearray", .save = save_bytearray, .same = same_bytearray, .exchange = exchange_bytearray,
	.memory = bytearray_memory
};

/* A slice of the C class is an array of the same item type. */
static PyObject *save_array(PyObject *array)
{
	return sg_state_call_base(array, "__copy__", NULL);
}

static PyObject *bytes_of(PyObject *array)
{
	return sg_state_call_base(array, "tobytes", NULL);
}

/* By bytes: as numbers, NaN would differ from itself and -0.0 not from 0.0. */
static int same_array(PyObject *array, PyObject *twin)
{
	PyObject *bytes;
	int same;

	if (sg_guts_exported(SG_GUTS_ARRAY, array))
		return 0;
	bytes = bytes_of(twin);
	same = bytes ? sg_state_compare(bytes_of(array), bytes) : -1;

	sg_python_clear(&bytes);
	return same;
}

const struct sg_state_kind sg_state_array = {
	.name = "array", .save = save_array, .same = same_array, .exchange = exchange_array,
	.memory = array_memory
};

/* --- set: its table as it is -------------------------------------------------------------------- */

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
	if (sg_state_call_base_and_drop(set, "clear", NULL) < 0)
		return -1;
	return sg_containers_set_restore(set, PyTuple_GetItem(snapshot, 1));
}

static int set_memory(PyObject *set, struct sg_memory memory[SG_MEMORY_MAX])
{
	return sg_containers_set_memory(set, memory);
}

const struct sg_state_kind sg_state_set = {
	.name = "set", .save = save_set, .same = same_set, .restore = restore_set, .memory = set_memory
};
