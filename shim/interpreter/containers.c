#include "shim/interpreter/containers.h"

#include "shim/interpreter/cpython.h"
#include "shim/interpreter/layout.h"

#include <string.h>

struct sg_containers sg_containers;

/* --- dict --------------------------------------------------------------------------------------- */

static uint64_t tag_of(PyObject *dict)
{
	return sg_field(dict, dict_tag);
}

/* What every empty dict has for values: until 3.10 a table of its own. */
static void *no_values;

bool sg_containers_dict_is_split(PyObject *dict)
{
	void *values;

	if (!sg_containers.dicts)
		return true;
	values = sg_field(dict, dict_values);
	return values && values != no_values;
}

/* With an instance: its capacity in the first byte, then the values, then a byte for each that tells their order. */
static int split_memory(PyObject *dict, struct sg_memory memory[])
{
	void *values = sg_field(dict, dict_values);
	size_t capacity = sg_field(values, values_capacity);

	memory[0] = (struct sg_memory){&sg_field(dict, dict_used), sizeof(Py_ssize_t)};
	memory[1] = (struct sg_memory){&sg_field(dict, dict_keys), 2 * sizeof(void *)};
	memory[2] = (struct sg_memory){values, (size_t)sg_at(values_items) + capacity * sizeof(PyObject *) +
			((capacity + 7) & ~(size_t)7)};
	return 3;
}

int sg_containers_dict_memory(PyObject *dict, struct sg_memory memory[])
{
	if (!sg_containers.dict_tags)
		return 0;
	if (!sg_containers.instance_tags && sg_containers_dict_is_split(dict))
		return sg_containers.split_memory ? split_memory(dict, memory) : 0;
	memory[0] = (struct sg_memory){&sg_field(dict, dict_tag), sizeof(uint64_t)};
	return 1;
}

/* The lowest bits of the tag are the watchers'. */
static uint64_t watcher_bits(void)
{
	return sg_has(dict_watchers) ? ((uint64_t)1 << sg_at(dict_watchers)) - 1 : 0;
}

static int watcher = -1;

static bool is_watched(PyObject *dict)
{
	uint64_t own = watcher < 0 ? 0 : (uint64_t)1 << watcher;

	return tag_of(dict) & watcher_bits() & ~own;
}

bool sg_containers_dict_is_watched(PyObject *dict)
{
	return sg_has(dict_watchers) && (!sg_containers.watched || is_watched(dict));
}

/* What a change adds to the tag of a dict, which below that has bits of other meaning; 0: it has no version. */
static uint64_t version_step;

void sg_containers_dict_swap_tags(PyObject *a, PyObject *b)
{
	uint64_t moved = version_step ? (tag_of(a) ^ tag_of(b)) & ~(version_step - 1) : 0;

	sg_field(a, dict_tag) ^= moved;
	sg_field(b, dict_tag) ^= moved;
}

void (*sg_containers_changed)(PyObject *dict);

static int tell(int event, PyObject *dict, PyObject *key, PyObject *value)
{
	(void)event;
	(void)key;
	(void)value;
	if (sg_containers_changed)
		sg_containers_changed(dict);
	return 0;
}

int sg_containers_watch(PyObject *dict)
{
	return PyDict_Watch(watcher, dict);
}

void sg_containers_unwatch(PyObject *dict)
{
	if (PyDict_Unwatch(watcher, dict) < 0)
		PyErr_Clear();
}

/* Runs each named function of the namespace; true when every one changed the dict's version. */
static bool all_change_tag(PyObject *namespace, PyObject *dict, const char *const *functions)
{
	uint64_t before;

	for (; *functions; functions++) {
		before = tag_of(dict);
		if (sg_cpython_call(sg_cpython_item(namespace, *functions)) != 1 || tag_of(dict) == before)
			return false;
	}
	return true;
}

/* Changes of a dict d and of i, the dict of an instance, by the ways that the interpreter has. */
static const char *const writes[] = {"store", "store", "replace", "merge", "remove", "empty", NULL};
static const char *const attributes[] = {"attribute", "attribute", "add", "remove_attribute", "reorder", NULL};

static PyObject *run_writers(void)
{
	return sg_cpython_run(
		"d = {}\n"
		"n = 0\n"
		"def store():\n    global n; n += 1; d['k'] = n; return 1\n"
		"def replace():\n    global n; n += 1; d.update(k=n); return 1\n"
		"def merge():\n    global d; d |= {'l': 1}; return 1\n"
		"def remove():\n    d.pop('l'); return 1\n"
		"def empty():\n    d.clear(); return 1\n"
		"class C:\n    def __init__(self): self.a = 1; self.b = 2\n"
		"o = C()\n"
		"def set_a(o, v):\n    o.a = v\n"
		"for i in range(2000): set_a(C(), i)\n"
		"i = o.__dict__\n"
		"for j in range(2000): set_a(o, j)\n"
		"def attribute():\n    global n; n += 1; set_a(o, n); return 1\n"
		"def add():\n    o.c = 1; return 1\n"
		"def remove_attribute():\n    del o.c; return 1\n"
		"def reorder():\n    a = o.a; del o.a; o.a = a; return 1\n", NULL, NULL);
}

static uint64_t sum_of(const struct sg_memory memory[], int count)
{
	uint64_t sum = 0;

	for (int i = 0; i < count; i++)
		for (size_t at = 0; at < memory[i].size; at += sizeof(sum))
			sum = 31 * sum + *(const uint64_t *)((const char *)memory[i].address + at);
	return sum;
}

/* Behind the values: the first two attributes were set in that order. */
static bool order_is_told(void *values)
{
	const unsigned char *order = (const unsigned char *)(&sg_field(values, values_items) + sg_field(values, values_capacity));

	return sg_cpython_readable(order, 2) && order[0] == 0 && order[1] == 1;
}

/* The values must be found where we think, and each function must change what we look at. */
static void probe_split_memory(PyObject *namespace, PyObject *dict)
{
	void *values = sg_field(dict, dict_values);
	struct sg_memory memory[SG_MEMORY_MAX];
	PyObject *key, *value;
	Py_ssize_t position = 0;
	uint64_t before;

	if (!sg_has(values_items) || !sg_containers_dict_is_split(dict) || sg_at(values_items) <= 0 ||
	    !sg_cpython_readable(values, 4 * sizeof(void *)) || sg_field(values, values_capacity) < PyDict_Size(dict) ||
	    sg_field(values, values_capacity) > 64 || !PyDict_Next(dict, &position, &key, &value) ||
	    sg_field(values, values_items) != value || !order_is_told(values))
		return;
	for (const char *const *function = attributes; *function; function++) {
		before = sum_of(memory, split_memory(dict, memory));
		if (sg_cpython_call(sg_cpython_item(namespace, *function)) != 1 ||
		    (sg_containers_dict_is_split(dict) && sum_of(memory, split_memory(dict, memory)) == before))
			return;
	}
	sg_containers.split_memory = true;
}

/*
 * Two dicts of instances have the keys of their class, each its own values; other dicts have keys of their own, and none or
 * those of an empty dict for values.
 */
static void probe_dicts(void)
{
	PyObject *namespace = sg_cpython_run(
		"class C:\n    def __init__(self): self.a = 1; self.b = 2\n"
		"o, p = C(), C()\n"
		"d, e, f, g, empty = o.__dict__, p.__dict__, {1: 2}, {3: 4, 5: 6}, {}\n", NULL, NULL);
	PyObject *d = sg_cpython_item(namespace, "d"), *e = sg_cpython_item(namespace, "e");
	PyObject *f = sg_cpython_item(namespace, "f"), *g = sg_cpython_item(namespace, "g");
	PyObject *empty = sg_cpython_item(namespace, "empty");

	if (d && e && f && g && empty && sg_cpython_basicsize(&PyDict_Type) >= sg_at(dict_values) + (Py_ssize_t)sizeof(void *)) {
		no_values = sg_field(empty, dict_values);
		sg_containers.dicts = sg_field(d, dict_used) == 2 && sg_field(f, dict_used) == 1 &&
			sg_field(d, dict_keys) == sg_field(e, dict_keys) && sg_field(f, dict_keys) != sg_field(g, dict_keys) &&
			sg_cpython_readable(sg_field(d, dict_keys), sizeof(void *)) &&
			sg_cpython_readable(sg_field(f, dict_keys), sizeof(void *)) &&
			sg_field(d, dict_values) != sg_field(e, dict_values) && !sg_field(f, dict_values) && !sg_field(g, dict_values) &&
			sg_field(d, dict_values) != no_values &&
			sg_cpython_readable(sg_field(d, dict_values), sizeof(void *));
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
}

/* The smallest of several, as anything may have changed another dict between two changes of this one. */
static void measure_step(void)
{
	PyObject *dict = PyDict_New();
	uint64_t before, step;

	version_step = 0;
	for (int i = 0; dict && i < 8; i++) {
		before = tag_of(dict);
		if (PyDict_SetItemString(dict, "key", i % 2 ? Py_None : dict) < 0)
			break;
		step = tag_of(dict) - before;
		if (i && (!version_step || step < version_step))
			version_step = step;
	}
	if (dict)
		PyDict_Clear(dict);
	PyErr_Clear();
	if (version_step & (version_step - 1))
		version_step = 0;
	sg_python_clear(&dict);
}

static void probe_dict_tags(void)
{
	PyObject *namespace = run_writers(), *dict, *instance;
	uint64_t before;

	sg_containers.dict_tags = true;
	dict = namespace ? sg_cpython_item(namespace, "d") : NULL;
	instance = namespace ? sg_cpython_item(namespace, "i") : NULL;
	if (dict && instance && sg_containers.dicts) {
		measure_step();
		before = tag_of(dict);
		sg_containers.dict_tags = version_step && all_change_tag(namespace, dict, writes) && tag_of(dict) != before;
		before = tag_of(dict);
		/* Looking must not change it. */
		sg_cpython_call(dict);
		sg_containers.dict_tags &= tag_of(dict) == before;
		sg_containers.instance_tags = sg_containers.dict_tags &&
			all_change_tag(namespace, instance, attributes);
		if (sg_containers.dict_tags)
			probe_split_memory(namespace, instance);
	} else {
		sg_containers.dict_tags = false;
	}
	if (!sg_containers.dict_tags)
		version_step = 0;
	PyErr_Clear();
	sg_python_clear(&namespace);
}

static PyObject *told;

static void note(PyObject *dict)
{
	told = dict;
}

/* True when every one of the functions is told. */
static bool all_told(PyObject *namespace, PyObject *dict, const char *const *functions)
{
	for (; *functions; functions++) {
		told = NULL;
		if (sg_cpython_call(sg_cpython_item(namespace, *functions)) != 1 || told != dict)
			return false;
	}
	return true;
}

/*
 * Somebody else's, as many as there is room for, of which the last has the highest bit: the dict says so, and no more when
 * he does not care.
 */
static bool watched_is_told(PyObject *dict)
{
	int others[64], count = 0;
	bool told;

	while (count < 64 && (others[count] = PyDict_AddWatcher(tell)) >= 0)
		count++;
	PyErr_Clear();
	told = count && others[count - 1] == sg_at(dict_watchers) - 1 && !is_watched(dict) && PyDict_Watch(others[count - 1], dict) == 0 &&
		is_watched(dict) && PyDict_Unwatch(others[count - 1], dict) == 0 &&
		!is_watched(dict);
	while (count)
		PyDict_ClearWatcher(others[--count]);
	PyErr_Clear();
	return told;
}

static void probe_watchers(void)
{
	PyObject *namespace, *dict, *instance;

	if (!PyDict_AddWatcher || !PyDict_Watch || !PyDict_Unwatch || !PyDict_ClearWatcher)
		return;
	namespace = run_writers();
	dict = namespace ? sg_cpython_item(namespace, "d") : NULL;
	instance = namespace ? sg_cpython_item(namespace, "i") : NULL;
	watcher = dict && instance ? PyDict_AddWatcher(tell) : -1;
	if (watcher >= 0 && sg_containers_watch(dict) == 0 && sg_containers_watch(instance) == 0) {
		sg_containers_changed = note;
		sg_containers.watchers = all_told(namespace, dict, writes) &&
			all_told(namespace, instance, attributes) && !is_watched(dict);
		sg_containers_changed = NULL;
	}
	sg_containers.watched = dict && watched_is_told(dict);
	PyErr_Clear();
	sg_python_clear(&namespace);
}

/* --- set ---------------------------------------------------------------------------------------- */

/* What a saved table begins with; the entries follow. */
struct set_counts {
	Py_ssize_t fill, used, mask, finger;
};

static struct set_counts counts_of(PyObject *set)
{
	return (struct set_counts){sg_field(set, set_fill), sg_field(set, set_used), sg_field(set, set_mask), sg_field(set, set_finger)};
}

static size_t table_size(Py_ssize_t mask)
{
	return (size_t)(mask + 1) * (size_t)sg_at(entry_size);
}

static char *entry_at(void *table, Py_ssize_t index)
{
	return (char *)table + index * sg_at(entry_size);
}

PyObject *sg_containers_set_save(PyObject *set)
{
	struct set_counts counts = counts_of(set);
	PyObject *saved = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(sizeof(counts) + table_size(counts.mask)));
	Py_ssize_t size;
	char *bytes;

	if (saved && PyBytes_AsStringAndSize(saved, &bytes, &size) == 0) {
		memcpy(bytes, &counts, sizeof(counts));
		memcpy(bytes + sizeof(counts), sg_field(set, set_table), table_size(counts.mask));
	}
	return saved;
}

int sg_containers_set_same(PyObject *set, PyObject *saved)
{
	struct set_counts counts = counts_of(set);
	Py_ssize_t size;
	char *bytes;

	if (PyBytes_AsStringAndSize(saved, &bytes, &size) < 0)
		return -1;
	return (size_t)size == sizeof(counts) + table_size(counts.mask) &&
	       memcmp(bytes, &counts, sizeof(counts)) == 0 &&
	       memcmp(bytes + sizeof(counts), sg_field(set, set_table), table_size(counts.mask)) == 0;
}

int sg_containers_set_restore(PyObject *set, PyObject *saved)
{
	void *table = &sg_field(set, set_small);
	struct set_counts counts;
	Py_ssize_t size;
	char *bytes;

	if (PyBytes_AsStringAndSize(saved, &bytes, &size) < 0)
		return -1;
	memcpy(&counts, bytes, sizeof(counts));
	if (counts.mask + 1 > sg_at(set_small_table) && !(table = PyMem_Malloc(table_size(counts.mask)))) {
		PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
		return -1;
	}
	memcpy(table, bytes + sizeof(counts), table_size(counts.mask));
	for (Py_ssize_t i = 0; i <= counts.mask; i++)
		if (sg_field(entry_at(table, i), entry_key) && sg_field(entry_at(table, i), entry_hash) != -1)
			Py_IncRef(sg_field(entry_at(table, i), entry_key));
	sg_field(set, set_fill) = counts.fill;
	sg_field(set, set_used) = counts.used;
	sg_field(set, set_mask) = counts.mask;
	sg_field(set, set_finger) = counts.finger;
	sg_field(set, set_table) = table;
	return 0;
}

int sg_containers_set_memory(PyObject *set, struct sg_memory memory[])
{
	if (!sg_containers.sets)
		return 0;
	memory[0] = (struct sg_memory){&sg_field(set, set_fill), (size_t)(sg_at(set_table) - sg_at(set_fill)) + sizeof(void *)};
	memory[1] = (struct sg_memory){&sg_field(set, set_finger), sizeof(Py_ssize_t)}; /* where pop() goes on */
	memory[2] = (struct sg_memory){sg_field(set, set_table), table_size(sg_field(set, set_mask))};
	return 3;
}

/* A small set lost one of four numbers, whose hashes are their places: so the table begins with a hole. */
static bool small_is_told(PyObject *set)
{
	char *table = &sg_field(set, set_small);

	if (sg_field(set, set_fill) != 4 || sg_field(set, set_used) != 3 || sg_field(set, set_table) != table ||
	    sg_field(set, set_mask) != sg_at(set_small_table) - 1 || sg_field(set, set_finger) != 2 ||
	    sg_field(entry_at(table, 1), entry_hash) != -1 || sg_field(entry_at(table, 0), entry_key))
		return false;
	for (Py_ssize_t i = 2; i <= 4; i++) {
		PyObject *number = PyLong_FromLong(i);
		bool there = sg_field(entry_at(table, i), entry_key) == number && sg_field(entry_at(table, i), entry_hash) == i;

		sg_python_clear(&number);
		if (!there)
			return false;
	}
	return true;
}

/* A set that has grown, lost items and is emptied: all of it must come back as it was. */
static void probe_sets(void)
{
	PyObject *namespace = sg_cpython_run(
		"s = set(range(0, 4000, 37)) | {'a', 'b', -1, -2}\n"
		"s -= set(range(0, 4000, 74))\n"
		"small = {1, 2, 3, 4}; small.pop()\n"
		"order = list(s)\n"
		"def empty():\n    s.clear(); return len(s) == 0\n"
		"def same():\n    return list(s) == order and all(x in s for x in order) and 0 not in s\n",
		NULL, NULL);
	PyObject *set = namespace ? sg_cpython_item(namespace, "s") : NULL, *saved = NULL;
	PyObject *small = namespace ? sg_cpython_item(namespace, "small") : NULL;

	if (set && small && sg_cpython_basicsize(sg_cpython_type(small)) >= sg_at(set_small) + (Py_ssize_t)table_size(sg_at(set_small_table) - 1) &&
	    small_is_told(small)) {
		saved = sg_containers_set_save(set);
		sg_containers.sets = saved && sg_cpython_call(sg_cpython_item(namespace, "empty")) == 1 &&
			sg_containers_set_restore(set, saved) == 0 &&
			sg_cpython_call(sg_cpython_item(namespace, "same")) == 1 &&
			sg_containers_set_same(set, saved) == 1;
	}
	PyErr_Clear();
	sg_python_clear(&saved);
	sg_python_clear(&namespace);
}

/* --- lru_cache ---------------------------------------------------------------------------------- */

/* Appends value, whose reference is given away. */
static int append(PyObject *list, PyObject *value)
{
	int error = value ? PyList_Append(list, value) : -1;

	sg_python_clear(&value);
	return error;
}

/* (hits, misses, then link, hash, key and result of each link) */
PyObject *sg_containers_cache_save(PyObject *cache)
{
	PyObject *list = PyList_New(0), *saved = NULL;
	PyObject *link = sg_field(cache, link_next);
	int error = list ? append(list, PyLong_FromLong(sg_field(cache, cache_hits))) : -1;

	if (!error)
		error = append(list, PyLong_FromLong(sg_field(cache, cache_misses)));
	for (; !error && link && link != cache; link = sg_field(link, link_next)) {
		error = append(list, sg_python_ref(link));
		if (!error)
			error = append(list, PyLong_FromLong(sg_field(link, link_hash)));
		if (!error)
			error = append(list, sg_python_ref(sg_field(link, link_key)));
		if (!error)
			error = append(list, sg_python_ref(sg_field(link, link_result)));
	}
	if (!error)
		saved = PySequence_Tuple(list);
	sg_python_clear(&list);
	return saved;
}

int sg_containers_cache_same(PyObject *cache, PyObject *saved)
{
	PyObject *link = sg_field(cache, link_next);
	Py_ssize_t i = 2, size = PyTuple_Size(saved);

	if (PyLong_AsLong(PyTuple_GetItem(saved, 0)) != sg_field(cache, cache_hits) ||
	    PyLong_AsLong(PyTuple_GetItem(saved, 1)) != sg_field(cache, cache_misses))
		return 0;
	for (; link && link != cache; link = sg_field(link, link_next), i += 4)
		if (i >= size || PyTuple_GetItem(saved, i) != link ||
		    PyTuple_GetItem(saved, i + 2) != sg_field(link, link_key) ||
		    PyTuple_GetItem(saved, i + 3) != sg_field(link, link_result))
			return 0;
	return i == size;
}

/* Ends of the list, hits, misses: a call changes a count, a change of order the ends. */
int sg_containers_cache_memory(PyObject *cache, struct sg_memory memory[SG_MEMORY_MAX])
{
	memory[0] = (struct sg_memory){&sg_field(cache, link_previous), 2 * sizeof(void *)};
	memory[1] = (struct sg_memory){&sg_field(cache, cache_hits), sizeof(Py_ssize_t)};
	memory[2] = (struct sg_memory){&sg_field(cache, cache_misses), sizeof(Py_ssize_t)};
	return 3;
}

static void write_link(PyObject *link, PyObject *saved, Py_ssize_t i)
{
	PyObject *key = sg_field(link, link_key), *result = sg_field(link, link_result);

	sg_field(link, link_hash) = PyLong_AsLong(PyTuple_GetItem(saved, i + 1));
	sg_field(link, link_key) = sg_python_ref(PyTuple_GetItem(saved, i + 2));
	sg_field(link, link_result) = sg_python_ref(PyTuple_GetItem(saved, i + 3));
	sg_python_clear(&key);
	sg_python_clear(&result);
}

int sg_containers_cache_restore(PyObject *cache, PyObject *saved)
{
	PyObject *link = sg_field(cache, link_next), *next, *last = cache;
	PyObject *dropped = PyList_New(0);

	if (!dropped)
		return -1;
	/* An unbounded cache has no list. Nothing may be destroyed before the list is whole again. */
	for (; link && link != cache; link = next) {
		next = sg_field(link, link_next);
		append(dropped, link);
	}
	for (Py_ssize_t i = 2; i < PyTuple_Size(saved); i += 4) {
		link = sg_python_ref(PyTuple_GetItem(saved, i));
		sg_field(last, link_next) = link;
		sg_field(link, link_previous) = last;
		last = link;
	}
	if (sg_field(cache, link_next)) {
		sg_field(last, link_next) = cache;
		sg_field(cache, link_previous) = last;
	}
	sg_field(cache, cache_hits) = PyLong_AsLong(PyTuple_GetItem(saved, 0));
	sg_field(cache, cache_misses) = PyLong_AsLong(PyTuple_GetItem(saved, 1));
	link = sg_field(cache, link_next);
	for (Py_ssize_t i = 2; i < PyTuple_Size(saved); i += 4, link = sg_field(link, link_next))
		write_link(link, saved, i);
	Py_DecRef(dropped);
	return 0;
}

/* Is it a link that keeps 1000 more than the number, and does it stand between the two? */
static bool link_is_told(PyObject *link, long number, PyObject *previous, PyObject *next)
{
	PyObject *key, *result;

	if (!sg_cpython_readable(link, (size_t)sg_at(object_fields)) ||
	    sg_cpython_basicsize(sg_cpython_type(link)) < sg_at(link_result) + (Py_ssize_t)sizeof(PyObject *) ||
	    sg_field(link, link_previous) != previous || sg_field(link, link_next) != next || sg_field(link, link_hash) != number)
		return false;
	key = sg_field(link, link_key);
	result = sg_field(link, link_result);
	return sg_cpython_readable(key, (size_t)sg_at(object_fields)) && sg_cpython_readable(result, (size_t)sg_at(object_fields)) &&
	       PyLong_AsLong(key) == number && PyLong_AsLong(result) == number + 1000;
}

/* It was called for 1, 2 and 1. */
static bool cache_is_told(PyObject *cache)
{
	PyObject *dict, *old, *young;

	if (sg_cpython_basicsize(sg_cpython_type(cache)) < sg_at(cache_misses) + (Py_ssize_t)sizeof(Py_ssize_t))
		return false;
	dict = sg_field(cache, cache_dict);
	old = sg_field(cache, link_next);
	young = sg_field(cache, link_previous);
	return sg_cpython_readable(dict, (size_t)sg_at(object_fields)) && sg_cpython_type(dict) == &PyDict_Type &&
	       sg_field(cache, cache_hits) == 1 && sg_field(cache, cache_misses) == 2 &&
	       link_is_told(old, 2, cache, young) && link_is_told(young, 1, old, cache);
}

static void probe_caches(void)
{
	PyObject *namespace = sg_cpython_run(
		"import functools\n"
		"@functools.lru_cache(maxsize=3)\n"
		"def f(x): return x + 1000\n"
		"f(1); f(2); f(1)\n"
		"def clear():\n    f.cache_clear(); return f.cache_info()[:2] == (0, 0)\n"
		"def same():\n"
		"    if f.cache_info()[:2] != (1, 2): return 0\n"
		"    f(1); f(2); f(3); f(4)\n"
		"    return f.cache_info() == (3, 4, 3, 3)\n", NULL, NULL);
	PyObject *cache = namespace ? sg_cpython_item(namespace, "f") : NULL, *saved = NULL, *answers = NULL, *dict;

	if (cache && cache_is_told(cache)) {
		dict = sg_field(cache, cache_dict);
		saved = sg_containers_cache_save(cache);
		answers = PyDict_Copy(dict);
		sg_containers.caches = saved && answers &&
			sg_cpython_call(sg_cpython_item(namespace, "clear")) == 1 &&
			PyDict_Update(dict, answers) == 0 &&
			sg_containers_cache_restore(cache, saved) == 0 &&
			sg_containers_cache_same(cache, saved) == 1 &&
			sg_cpython_call(sg_cpython_item(namespace, "same")) == 1;
	}
	PyErr_Clear();
	sg_python_clear(&answers);
	sg_python_clear(&saved);
	sg_python_clear(&namespace);
}

void sg_containers_probe(void)
{
	probe_dicts();
	probe_dict_tags();
	probe_watchers();
	sg_containers.changes = sg_containers.watchers ||
		(sg_containers.dict_tags && (sg_containers.instance_tags || sg_containers.split_memory));
	probe_sets();
	probe_caches();
}
