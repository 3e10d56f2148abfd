#include "shim/state/state_kinds.h"

#include "shim/interpreter/containers.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/fields.h"
#include "shim/interpreter/objects.h"

#include <string.h>

/* Everything an object holds beside its head. */
static int whole_memory(PyObject *object, struct sg_memory memory[SG_MEMORY_MAX])
{
	Py_ssize_t size = sg_cpython_basicsize(sg_state_c_class(sg_cpython_type(object)));

	memory[0] = (struct sg_memory){(char *)object + sg_cpython_fields(), (size_t)(size - sg_cpython_fields())};
	return 1;
}

/* --- random.Random ------------------------------------------------------------------------------ */

static PyObject *save_generator(PyObject *object)
{
	return sg_state_call_base(object, "getstate", NULL);
}

static int same_generator(PyObject *object, PyObject *snapshot)
{
	return sg_state_compare(save_generator(object), snapshot);
}

static int restore_generator(PyObject *object, PyObject *snapshot)
{
	return sg_state_call_base_and_drop(object, "setstate", snapshot);
}

const struct sg_state_kind sg_state_generator = {
	.name = "random.Random", .save = save_generator, .same = same_generator,
	.restore = restore_generator, .memory = whole_memory
};

/* --- struct.Struct: __init__ changes what it packs -------------------------------------------------- */

static PyObject *save_struct(PyObject *object)
{
	return sg_state_get_base(object, "format");
}

static int same_struct(PyObject *object, PyObject *snapshot)
{
	return sg_state_compare(save_struct(object), snapshot);
}

static int restore_struct(PyObject *object, PyObject *snapshot)
{
	return sg_state_call_base_and_drop(object, "__init__", snapshot);
}

const struct sg_state_kind sg_state_struct = {
	.name = "Struct", .save = save_struct, .same = same_struct, .restore = restore_struct,
	.memory = whole_memory
};

/* --- StringIO, BytesIO -------------------------------------------------------------------------- */

/* The state ends with a copy of the __dict__, which is an object of its own: None instead. */
static PyObject *without_dict(PyObject *state)
{
	PyObject *list = state ? PySequence_List(state) : NULL, *tuple = NULL;
	Py_ssize_t last = list ? PyList_Size(list) - 1 : -1;

	if (last >= 0 && PyList_SetSlice(list, last, last + 1, NULL) == 0 && PyList_Append(list, Py_None) == 0)
		tuple = PySequence_Tuple(list);
	sg_python_clear(&list);
	sg_python_clear(&state);
	return tuple;
}

/* A closed file cannot be asked, nor opened again: closed is its state. */
static PyObject *save_buffer(PyObject *object)
{
	PyObject *closed = sg_state_get_base(object, "closed");

	if (!closed || PyObject_IsTrue(closed) == 1)
		return closed;
	Py_DecRef(closed);
	return without_dict(sg_state_call_base(object, "__getstate__", NULL));
}

static int same_buffer(PyObject *object, PyObject *snapshot)
{
	return sg_state_compare(save_buffer(object), snapshot);
}

/* __init__ with an initial value gives a closed file a buffer again. */
static int reopen(PyObject *object)
{
	PyTypeObject *class = sg_state_c_class(sg_cpython_type(object));
	bool text = strcmp(sg_cpython_type_name(class), "_io.StringIO") == 0;
	PyObject *empty = text ? PyUnicode_FromString("") : PyBytes_FromStringAndSize("", 0);
	int error = empty ? sg_state_call_base_and_drop(object, "__init__", empty) : -1;

	sg_python_clear(&empty);
	return error;
}

static int restore_buffer(PyObject *object, PyObject *snapshot)
{
	PyObject *now = save_buffer(object), *yes = PyBool_FromLong(1);
	bool closed = now == yes;
	int error = 0;

	sg_python_clear(&now);
	if (snapshot == yes)
		error = sg_state_call_base_and_drop(object, "close", NULL);
	else if (closed && reopen(object) < 0)
		error = -1;
	else
		error = sg_state_call_base_and_drop(object, "__setstate__", snapshot);
	Py_DecRef(yes);
	return error;
}

const struct sg_state_kind sg_state_buffer = {
	.name = "io", .save = save_buffer, .same = same_buffer, .restore = restore_buffer
};

/* --- locks -------------------------------------------------------------------------------------- */

static PyObject *save_lock(PyObject *lock)
{
	return sg_state_call(lock, "locked", NULL);
}

static int same_lock(PyObject *lock, PyObject *snapshot)
{
	return sg_state_compare(save_lock(lock), snapshot);
}

static int restore_lock(PyObject *lock, PyObject *snapshot)
{
	int same = same_lock(lock, snapshot);
	PyObject *no;
	int error;

	if (same)
		return same < 0 ? -1 : 0;
	if (PyObject_IsTrue(snapshot) == 0)
		return sg_state_call_and_drop(lock, "release", NULL);
	no = PyBool_FromLong(0);
	error = sg_state_call_and_drop(lock, "acquire", no);
	Py_DecRef(no);
	return error;
}

const struct sg_state_kind sg_state_lock = {
	.name = "lock", .save = save_lock, .same = same_lock, .restore = restore_lock
};

/* --- queues, caches ----------------------------------------------------------------------------- */

/* Takes everything out; new list. */
static PyObject *drain_queue(PyObject *queue)
{
	PyObject *list = PyList_New(0), *item;

	while (list) {
		item = sg_state_call_base(queue, "get_nowait", NULL);
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
		error = sg_state_call_base_and_drop(queue, "put", PyTuple_GetItem(items, i));
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
	return sg_state_compare_items(save_queue(queue), snapshot);
}

static int restore_queue(PyObject *queue, PyObject *snapshot)
{
	PyObject *list = drain_queue(queue);

	if (!list)
		return -1;
	Py_DecRef(list);
	return fill_queue(queue, snapshot);
}

const struct sg_state_kind sg_state_queue = {
	.name = "SimpleQueue", .save = save_queue, .same = same_queue, .restore = restore_queue
};

/* The answers in its dict are an object of their own. */
const struct sg_state_kind sg_state_cache = {
	.name = "lru_cache", .save = sg_containers_cache_save, .same = sg_containers_cache_same,
	.restore = sg_containers_cache_restore, .memory = sg_containers_cache_memory
};

/* --- modules: their class. What they hold is in their dict ---------------------------------------- */

static PyObject *save_module(PyObject *module)
{
	return PyTuple_Pack(1, (PyObject *)sg_cpython_type(module));
}

static int same_module(PyObject *module, PyObject *snapshot)
{
	return PyTuple_GetItem(snapshot, 0) == (PyObject *)sg_cpython_type(module);
}

/* Setting __class__ could run code of either class. It has been done before, so they are alike. */
static int restore_module(PyObject *module, PyObject *snapshot)
{
	sg_cpython_set_type(module, (PyTypeObject *)PyTuple_GetItem(snapshot, 0));
	return 0;
}

static int module_memory(PyObject *module, struct sg_memory memory[SG_MEMORY_MAX])
{
	memory[0] = (struct sg_memory){sg_cpython_type_word(module), sizeof(PyTypeObject *)};
	return 1;
}

const struct sg_state_kind sg_state_module = {
	.name = "module", .save = save_module, .same = same_module, .restore = restore_module,
	.memory = module_memory
};

/* --- functools.partial: what it calls, with what -------------------------------------------------- */

#define PARTIAL_PARTS 3 /* function, arguments, keywords */

static PyObject *save_partial(PyObject *partial)
{
	PyObject **parts = sg_objects_partial(partial);

	return PyTuple_Pack(PARTIAL_PARTS, parts[0], parts[1], parts[2]);
}

static int same_partial(PyObject *partial, PyObject *snapshot)
{
	return sg_state_compare_items(save_partial(partial), snapshot);
}

static int restore_partial(PyObject *partial, PyObject *snapshot)
{
	PyObject *dict = PyObject_GenericGetDict(partial, NULL), *state;
	int error;

	if (!dict)
		return -1;
	state = PyTuple_Pack(PARTIAL_PARTS + 1, PyTuple_GetItem(snapshot, 0), PyTuple_GetItem(snapshot, 1),
			PyTuple_GetItem(snapshot, 2), dict);
	error = state ? sg_state_call_base_and_drop(partial, "__setstate__", state) : -1;
	sg_python_clear(&state);
	Py_DecRef(dict);
	return error;
}

static int partial_memory(PyObject *partial, struct sg_memory memory[SG_MEMORY_MAX])
{
	memory[0] = (struct sg_memory){sg_objects_partial(partial), PARTIAL_PARTS * sizeof(PyObject *)};
	return 1;
}

const struct sg_state_kind sg_state_partial = {
	.name = "partial", .save = save_partial, .same = same_partial, .restore = restore_partial,
	.memory = partial_memory
};

/* --- iterators, and what declared types add to their base: memory as it is ------------------------ */

static bool is_exception(PyTypeObject *type)
{
	return PyType_IsSubtype(type, (PyTypeObject *)PyExc_BaseException);
}

/* Weak references to an object are not its content, and what a library has after them it does not change. */
static Py_ssize_t end_of_fields(PyTypeObject *class, Py_ssize_t from)
{
	Py_ssize_t end = sg_cpython_basicsize(class), weak = 0;

	if (sg_state_declared(class) == SG_TYPE_FIELDS)
		weak = sg_objects_class_number(class, "__weakrefoffset__");
	return weak > from && weak < end ? weak : end;
}

/* The object's own memory, or the part of it that its C class adds to what the base knows how to save. */
static struct sg_memory fields_of(PyObject *object)
{
	PyTypeObject *first = sg_state_first_c_class(sg_cpython_type(object));
	PyTypeObject *base = sg_state_c_class(sg_cpython_type(object));
	bool whole = base == first || sg_state_declared(base) == SG_TYPE_FIELDS;
	Py_ssize_t from = whole ? sg_cpython_fields() : sg_cpython_basicsize(base);

	/* The first word of an exception is its __dict__, which is looked after elsewhere. */
	if (is_exception(first))
		from += (Py_ssize_t)sizeof(PyObject *);
	return (struct sg_memory){(char *)object + from, (size_t)(end_of_fields(first, from) - from)};
}

static int fields_memory(PyObject *object, struct sg_memory memory[SG_MEMORY_MAX])
{
	memory[0] = fields_of(object);
	return 1;
}

static PyObject *save_fields(PyObject *object)
{
	const struct sg_memory fields = fields_of(object);

	return sg_fields_save(object, &fields);
}

static int same_fields(PyObject *object, PyObject *snapshot)
{
	const struct sg_memory fields = fields_of(object);

	return sg_fields_same(&fields, snapshot);
}

static int restore_fields(PyObject *object, PyObject *snapshot)
{
	const struct sg_memory fields = fields_of(object);

	return sg_fields_restore(object, &fields, snapshot);
}

const struct sg_state_kind sg_state_iterator = {
	.name = "iterator", .save = save_fields, .same = same_fields, .restore = restore_fields,
	.memory = fields_memory
};

const struct sg_state_kind sg_state_fields = {
	.name = "fields", .save = save_fields, .same = same_fields, .restore = restore_fields,
	.memory = fields_memory
};

/* --- contextvars.Context: its mapping, which never changes itself -------------------------------- */

static bool is_mapping(PyObject *object)
{
	return strcmp(sg_cpython_type_name(sg_cpython_type(object)), "hamt") == 0;
}

/* Where the context holds it; NULL, without an exception: not found. */
static PyObject **mapping_of(PyObject *context)
{
	PyObject *referents = sg_cpython_referents(context), *found;
	const void *word = NULL;

	for (Py_ssize_t i = 0; referents && !word && i < PyList_Size(referents); i++) {
		found = PyList_GetItem(referents, i);
		if (is_mapping(found))
			word = sg_state_find_word(context, sg_cpython_fields(), sg_cpython_basicsize(sg_cpython_type(context)), found);
	}
	PyErr_Clear();
	sg_python_clear(&referents);
	return (PyObject **)word;
}

static PyObject *save_context(PyObject *context)
{
	PyObject **mapping = mapping_of(context);

	if (mapping)
		return PyTuple_Pack(1, *mapping);
	PyErr_SetString(PyExc_RuntimeError, "sandglass: the inside of a context is not known");
	return NULL;
}

static int same_context(PyObject *context, PyObject *snapshot)
{
	return sg_state_compare_items(save_context(context), snapshot);
}

static int restore_context(PyObject *context, PyObject *snapshot)
{
	PyObject **mapping = mapping_of(context), *old;

	if (!mapping)
		return -1;
	old = *mapping;
	*mapping = sg_python_ref(PyTuple_GetItem(snapshot, 0));
	Py_DecRef(old);
	return 0;
}

static int context_memory(PyObject *context, struct sg_memory memory[SG_MEMORY_MAX])
{
	PyObject **mapping = mapping_of(context);

	if (!mapping)
		return 0;
	memory[0] = (struct sg_memory){mapping, sizeof(*mapping)};
	return 1;
}

const struct sg_state_kind sg_state_context = {
	.name = "context", .save = save_context, .same = same_context, .restore = restore_context,
	.memory = context_memory
};

/* --- generators: only looked at ------------------------------------------------------------------ */

static PyObject *save_generator_object(PyObject *generator)
{
	struct sg_memory memory[SG_MEMORY_MAX];

	whole_memory(generator, memory);
	return PyBytes_FromStringAndSize(memory[0].address, (Py_ssize_t)memory[0].size);
}

static int same_generator_object(PyObject *generator, PyObject *snapshot)
{
	return sg_state_compare(save_generator_object(generator), snapshot);
}

static int cannot_restore(PyObject *object, PyObject *snapshot)
{
	(void)object;
	(void)snapshot;
	PyErr_SetString(PyExc_RuntimeError, "sandglass: a generator cannot be set back");
	return -1;
}

const struct sg_state_kind sg_state_entered = {
	.name = "generator", .save = save_generator_object, .same = same_generator_object,
	.restore = cannot_restore, .memory = whole_memory
};
