#include "shim/interpreter/containers.h"

#include "shim/interpreter/cpython.h"

#include <string.h>

struct object {
	Py_ssize_t refcount;
	PyTypeObject *type;
};

struct sg_containers sg_containers;

/* --- dict --------------------------------------------------------------------------------------- */

struct dict_head {
	struct object base;
	Py_ssize_t used;
	uint64_t version;  /* until 3.13 */
	void *keys, *values;
};

static uint64_t tag_of(PyObject *dict)
{
	return ((struct dict_head *)dict)->version;
}

/* What every empty dict has for values: until 3.10 a table of its own. */
static void *no_values;

bool sg_containers_dict_is_split(PyObject *dict)
{
	return ((struct dict_head *)dict)->values != no_values && ((struct dict_head *)dict)->values;
}

/* With an instance: its capacity in the first byte, then the values, then a byte for each that tells their order. */
static Py_ssize_t capacity_of(const struct dict_head *dict)
{
	return *(unsigned char *)dict->values;
}

static int split_memory(const struct dict_head *dict, struct sg_memory memory[])
{
	memory[0] = (struct sg_memory){&dict->used, sizeof(dict->used)};
	memory[1] = (struct sg_memory){&dict->keys, 2 * sizeof(void *)};
	memory[2] = (struct sg_memory){dict->values, (size_t)(1 + capacity_of(dict)) * sizeof(PyObject *) +
			(((size_t)capacity_of(dict) + 7) & ~(size_t)7)};
	return 3;
}

int sg_containers_dict_memory(PyObject *object, struct sg_memory memory[])
{
	struct dict_head *dict = (struct dict_head *)object;

	if (!sg_containers.dict_tags)
		return 0;
	if (!sg_containers.instance_tags && sg_containers_dict_is_split(object))
		return sg_containers.split_memory ? split_memory(dict, memory) : 0;
	memory[0] = (struct sg_memory){&dict->version, sizeof(dict->version)};
	return 1;
}

/* The lowest bits of the version are the watchers' (3.12), then come some of CPython's own (3.13). */
static uint64_t watcher_bits(void)
{
	return sg_cpython.minor < 12 ? 0 : 0xff;
}

static uint64_t flag_bits(void)
{
	return sg_cpython.minor < 13 ? watcher_bits() : 0xfff;
}

static int watcher = -1;

bool sg_containers_dict_is_watched(PyObject *dict)
{
	uint64_t own = watcher < 0 ? 0 : (uint64_t)1 << watcher;

	return ((struct dict_head *)dict)->version & watcher_bits() & ~own;
}

void sg_containers_dict_swap_tags(PyObject *a, PyObject *b)
{
	struct dict_head *one = (struct dict_head *)a, *other = (struct dict_head *)b;
	uint64_t moved = (one->version ^ other->version) & ~flag_bits();

	if (sg_cpython.minor > 13)
		return;
	one->version ^= moved;
	other->version ^= moved;
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

/* The values must be found where we think, and each function must change what we look at. */
static void probe_split_memory(PyObject *namespace, PyObject *instance)
{
	struct dict_head *dict = (struct dict_head *)instance;
	struct sg_memory memory[SG_MEMORY_MAX];
	PyObject *key, *value;
	Py_ssize_t position = 0;
	uint64_t before;

	if (sg_cpython.minor != 13 || !sg_containers_dict_is_split(instance) ||
	    !sg_cpython_readable(dict->values, 2 * sizeof(void *)) || capacity_of(dict) > 64 ||
	    !PyDict_Next(instance, &position, &key, &value) || ((PyObject **)dict->values)[1] != value)
		return;
	for (const char *const *function = attributes; *function; function++) {
		before = sum_of(memory, split_memory(dict, memory));
		if (sg_cpython_call(sg_cpython_item(namespace, *function)) != 1 ||
		    (sg_containers_dict_is_split(instance) && sum_of(memory, split_memory(dict, memory)) == before))
			return;
	}
	sg_containers.split_memory = true;
}

static void probe_dict_tags(void)
{
	PyObject *namespace = run_writers(), *empty = PyDict_New(), *dict, *instance;
	uint64_t before;

	no_values = empty ? ((struct dict_head *)empty)->values : NULL;
	sg_python_clear(&empty);
	sg_containers.dict_tags = true;
	dict = namespace ? sg_cpython_item(namespace, "d") : NULL;
	instance = namespace ? sg_cpython_item(namespace, "i") : NULL;
	if (dict && instance) {
		before = tag_of(dict);
		sg_containers.dict_tags = all_change_tag(namespace, dict, writes) &&
			tag_of(dict) != before;
		before = tag_of(dict);
		/* Looking must not change it. */
		sg_cpython_call(dict);
		sg_containers.dict_tags &= tag_of(dict) == before;
		sg_containers.instance_tags = sg_containers.dict_tags &&
			all_change_tag(namespace, instance, attributes);
		if (sg_containers.dict_tags && !sg_containers.instance_tags)
			probe_split_memory(namespace, instance);
	} else {
		sg_containers.dict_tags = false;
	}
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

static void probe_watchers(void)
{
	PyObject *namespace, *dict, *instance;

	if (!PyDict_AddWatcher || !PyDict_Watch || !PyDict_Unwatch)
		return;
	namespace = run_writers();
	dict = namespace ? sg_cpython_item(namespace, "d") : NULL;
	instance = namespace ? sg_cpython_item(namespace, "i") : NULL;
	watcher = dict && instance ? PyDict_AddWatcher(tell) : -1;
	if (watcher >= 0 && sg_containers_watch(dict) == 0 && sg_containers_watch(instance) == 0) {
		sg_containers_changed = note;
		sg_containers.watchers = all_told(namespace, dict, writes) &&
			all_told(namespace, instance, attributes) && !sg_containers_dict_is_watched(dict);
		sg_containers_changed = NULL;
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
}

/* --- set ---------------------------------------------------------------------------------------- */

struct set_entry {
	PyObject *key;
	Py_ssize_t hash;  /* -1: a deleted entry's placeholder */
};

#define SMALL_TABLE 8

struct set_head {
	struct object base;
	Py_ssize_t fill, used, mask;
	struct set_entry *table;
	Py_ssize_t hash, finger;
	struct set_entry small[SMALL_TABLE];
};

/* What a saved table begins with; the entries follow. */
struct set_counts {
	Py_ssize_t fill, used, mask, finger;
};

static size_t table_size(Py_ssize_t mask)
{
	return (size_t)(mask + 1) * sizeof(struct set_entry);
}

PyObject *sg_containers_set_save(PyObject *object)
{
	struct set_head *set = (struct set_head *)object;
	struct set_counts counts = {set->fill, set->used, set->mask, set->finger};
	PyObject *saved = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(sizeof(counts) + table_size(set->mask)));
	Py_ssize_t size;
	char *bytes;

	if (saved && PyBytes_AsStringAndSize(saved, &bytes, &size) == 0) {
		memcpy(bytes, &counts, sizeof(counts));
		memcpy(bytes + sizeof(counts), set->table, table_size(set->mask));
	}
	return saved;
}

int sg_containers_set_same(PyObject *object, PyObject *saved)
{
	struct set_head *set = (struct set_head *)object;
	struct set_counts counts = {set->fill, set->used, set->mask, set->finger};
	Py_ssize_t size;
	char *bytes;

	if (PyBytes_AsStringAndSize(saved, &bytes, &size) < 0)
		return -1;
	return (size_t)size == sizeof(counts) + table_size(set->mask) &&
	       memcmp(bytes, &counts, sizeof(counts)) == 0 &&
	       memcmp(bytes + sizeof(counts), set->table, table_size(set->mask)) == 0;
}

int sg_containers_set_restore(PyObject *object, PyObject *saved)
{
	struct set_head *set = (struct set_head *)object;
	struct set_entry *table = set->small;
	struct set_counts counts;
	Py_ssize_t size;
	char *bytes;

	if (PyBytes_AsStringAndSize(saved, &bytes, &size) < 0)
		return -1;
	memcpy(&counts, bytes, sizeof(counts));
	if (counts.mask + 1 > SMALL_TABLE && !(table = PyMem_Malloc(table_size(counts.mask)))) {
		PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
		return -1;
	}
	memcpy(table, bytes + sizeof(counts), table_size(counts.mask));
	for (Py_ssize_t i = 0; i <= counts.mask; i++)
		if (table[i].key && table[i].hash != -1)
			Py_IncRef(table[i].key);
	set->fill = counts.fill;
	set->used = counts.used;
	set->mask = counts.mask;
	set->finger = counts.finger;
	set->table = table;
	return 0;
}

/* A set that has grown, lost items and is emptied: all of it must come back as it was. */
static void probe_sets(void)
{
	PyObject *namespace = sg_cpython_run(
		"s = set(range(0, 4000, 37)) | {'a', 'b', -1, -2}\n"
		"s -= set(range(0, 4000, 74))\n"
		"small = {1, 2, 3}\n"
		"order = list(s)\n"
		"def empty():\n    s.clear(); return len(s) == 0\n"
		"def same():\n    return list(s) == order and all(x in s for x in order) and 0 not in s\n",
		NULL, NULL);
	PyObject *set = namespace ? sg_cpython_item(namespace, "s") : NULL, *saved = NULL;
	struct set_head *small = namespace ? (struct set_head *)sg_cpython_item(namespace, "small") : NULL;

	if (set && small && small->fill == 3 && small->used == 3 && small->mask == SMALL_TABLE - 1 &&
	    small->table == small->small) {
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

struct link {
	struct object base;
	struct link *previous, *next;
	Py_ssize_t hash;
	PyObject *key, *result;
};

/* The object is the head of its list of links, oldest first; the list owns a reference to each. */
struct cache {
	struct link root;
	void *wrapper;
	int typed;
	PyObject *dict;
	Py_ssize_t hits;
	PyObject *function;
	Py_ssize_t maxsize, misses;
};

/* Appends value, whose reference is given away. */
static int append(PyObject *list, PyObject *value)
{
	int error = value ? PyList_Append(list, value) : -1;

	sg_python_clear(&value);
	return error;
}

/* (hits, misses, then link, hash, key and result of each link) */
PyObject *sg_containers_cache_save(PyObject *object)
{
	struct cache *cache = (struct cache *)object;
	PyObject *list = PyList_New(0), *saved = NULL;
	struct link *link = cache->root.next;
	int error = list ? append(list, PyLong_FromLong(cache->hits)) : -1;

	if (!error)
		error = append(list, PyLong_FromLong(cache->misses));
	for (; !error && link && link != &cache->root; link = link->next) {
		error = append(list, sg_python_ref((PyObject *)link));
		if (!error)
			error = append(list, PyLong_FromLong(link->hash));
		if (!error)
			error = append(list, sg_python_ref(link->key));
		if (!error)
			error = append(list, sg_python_ref(link->result));
	}
	if (!error)
		saved = PySequence_Tuple(list);
	sg_python_clear(&list);
	return saved;
}

int sg_containers_cache_same(PyObject *object, PyObject *saved)
{
	struct cache *cache = (struct cache *)object;
	struct link *link = cache->root.next;
	Py_ssize_t i = 2, size = PyTuple_Size(saved);

	if (PyLong_AsLong(PyTuple_GetItem(saved, 0)) != cache->hits ||
	    PyLong_AsLong(PyTuple_GetItem(saved, 1)) != cache->misses)
		return 0;
	for (; link && link != &cache->root; link = link->next, i += 4)
		if (i >= size || PyTuple_GetItem(saved, i) != (PyObject *)link ||
		    PyTuple_GetItem(saved, i + 2) != link->key ||
		    PyTuple_GetItem(saved, i + 3) != link->result)
			return 0;
	return i == size;
}

/* Ends of the list, hits, misses: a call changes a count, a change of order the ends. */
int sg_containers_cache_memory(PyObject *object, struct sg_memory memory[SG_MEMORY_MAX])
{
	struct cache *cache = (struct cache *)object;

	memory[0] = (struct sg_memory){&cache->root.previous, 2 * sizeof(void *)};
	memory[1] = (struct sg_memory){&cache->hits, sizeof(cache->hits)};
	memory[2] = (struct sg_memory){&cache->misses, sizeof(cache->misses)};
	return 3;
}

static void write_link(struct link *link, PyObject *saved, Py_ssize_t i)
{
	PyObject *key = link->key, *result = link->result;

	link->hash = PyLong_AsLong(PyTuple_GetItem(saved, i + 1));
	link->key = sg_python_ref(PyTuple_GetItem(saved, i + 2));
	link->result = sg_python_ref(PyTuple_GetItem(saved, i + 3));
	sg_python_clear(&key);
	sg_python_clear(&result);
}

int sg_containers_cache_restore(PyObject *object, PyObject *saved)
{
	struct cache *cache = (struct cache *)object;
	struct link *root = &cache->root, *link = root->next, *next, *last = root;
	PyObject *dropped = PyList_New(0);

	if (!dropped)
		return -1;
	/* An unbounded cache has no list. Nothing may be destroyed before the list is whole again. */
	for (; link && link != root; link = next) {
		next = link->next;
		append(dropped, (PyObject *)link);
	}
	for (Py_ssize_t i = 2; i < PyTuple_Size(saved); i += 4) {
		link = (struct link *)sg_python_ref(PyTuple_GetItem(saved, i));
		last->next = link;
		link->previous = last;
		last = link;
	}
	if (root->next) {
		last->next = root;
		root->previous = last;
	}
	cache->hits = PyLong_AsLong(PyTuple_GetItem(saved, 0));
	cache->misses = PyLong_AsLong(PyTuple_GetItem(saved, 1));
	link = root->next;
	for (Py_ssize_t i = 2; i < PyTuple_Size(saved); i += 4, link = link->next)
		write_link(link, saved, i);
	Py_DecRef(dropped);
	return 0;
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
	PyObject *function = namespace ? sg_cpython_item(namespace, "f") : NULL, *saved = NULL, *answers = NULL;
	struct cache *cache = (struct cache *)function;

	if (function && sg_cpython_basicsize(sg_cpython_type(function)) >= (Py_ssize_t)sizeof(*cache) &&
	    sg_cpython_readable(cache->dict, 16) && sg_cpython_type(cache->dict) == &PyDict_Type &&
	    cache->hits == 1 && cache->misses == 2 && cache->maxsize == 3 &&
	    sg_cpython_readable(cache->root.next, sizeof(struct link)) &&
	    sg_cpython_readable(cache->root.next->key, 16) && PyLong_AsLong(cache->root.next->key) == 2) {
		saved = sg_containers_cache_save(function);
		answers = PyDict_Copy(cache->dict);
		sg_containers.caches = saved && answers &&
			sg_cpython_call(sg_cpython_item(namespace, "clear")) == 1 &&
			PyDict_Update(cache->dict, answers) == 0 &&
			sg_containers_cache_restore(function, saved) == 0 &&
			sg_containers_cache_same(function, saved) == 1 &&
			sg_cpython_call(sg_cpython_item(namespace, "same")) == 1;
	}
	PyErr_Clear();
	sg_python_clear(&answers);
	sg_python_clear(&saved);
	sg_python_clear(&namespace);
}

void sg_containers_probe(void)
{
	probe_dict_tags();
	probe_watchers();
	probe_sets();
	probe_caches();
}
