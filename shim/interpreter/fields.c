#include "shim/interpreter/fields.h"

#include "shim/interpreter/cpython.h"

#include <string.h>

/* The collector knows nothing of this one: all that it has are integers, and owned. */
static bool holds_references_only(PyObject *object)
{
	return strcmp(sg_cpython_type_name(sg_cpython_type(object)), "longrange_iterator") == 0;
}

static PyObject *all_words(const struct sg_memory *fields)
{
	PyObject *list = PyList_New(0), *const *words = fields->address;

	for (size_t at = 0; list && at < fields->size / sizeof(*words); at++)
		if (words[at] && PyList_Append(list, words[at]) < 0)
			sg_python_clear(&list);
	return list;
}

/* What the collector is told of. */
static PyObject *told_words(PyObject *object, const struct sg_memory *fields)
{
	PyObject *referents = sg_cpython_referents(object), *list = referents ? PyList_New(0) : NULL, *found;
	PyObject *const *words = fields->address;

	for (size_t at = 0; list && at < fields->size / sizeof(*words); at++) {
		for (Py_ssize_t i = 0; list && i < PyList_Size(referents); i++) {
			found = PyList_GetItem(referents, i);
			if (found != words[at])
				continue;
			if (PyList_Append(list, found) < 0)
				sg_python_clear(&list);
			break;
		}
	}
	sg_python_clear(&referents);
	return list;
}

/* The references in there, of which the object owns each: a new list. */
static PyObject *references_in(PyObject *object, const struct sg_memory *fields)
{
	if (holds_references_only(object))
		return all_words(fields);
	return told_words(object, fields);
}

PyObject *sg_fields_save(PyObject *object, const struct sg_memory *fields)
{
	PyObject *references = references_in(object, fields), *bytes, *snapshot = NULL;

	bytes = references ? PyBytes_FromStringAndSize(fields->address, (Py_ssize_t)fields->size) : NULL;
	if (bytes)
		snapshot = PyTuple_Pack(2, bytes, references);
	sg_python_clear(&bytes);
	sg_python_clear(&references);
	return snapshot;
}

int sg_fields_same(const struct sg_memory *fields, PyObject *snapshot)
{
	Py_ssize_t size;
	char *bytes;

	if (PyBytes_AsStringAndSize(PyTuple_GetItem(snapshot, 0), &bytes, &size) < 0)
		return -1;
	return memcmp(fields->address, bytes, (size_t)size) == 0;
}

int sg_fields_restore(PyObject *object, const struct sg_memory *fields, PyObject *snapshot)
{
	PyObject *now = references_in(object, fields), *then = PyTuple_GetItem(snapshot, 1);
	Py_ssize_t size;
	char *bytes;

	if (!now || PyBytes_AsStringAndSize(PyTuple_GetItem(snapshot, 0), &bytes, &size) < 0) {
		sg_python_clear(&now);
		return -1;
	}
	for (Py_ssize_t i = 0; i < PyList_Size(then); i++)
		Py_IncRef(PyList_GetItem(then, i));
	memcpy((void *)fields->address, bytes, (size_t)size);
	for (Py_ssize_t i = 0; i < PyList_Size(now); i++)
		Py_DecRef(PyList_GetItem(now, i));
	Py_DecRef(now);
	return 0;
}

/* --- probes ------------------------------------------------------------------------------------ */

/*
 * i is the iterator, gone on by at least one item; what it draws from, where that moves as well, is among the parts. A type
 * that this interpreter does not have is made as another one.
 */
#define TOKEN "import contextvars\nv = contextvars.ContextVar('v')\ni = v.set(1)\n" \
	"def look():\n    v.set(3); v.reset(i); return v.get(2)\n" \
	"def advance(): return look() == 2\n"
#define DRAWS "inner = iter([3, 0, 1, 2, 0, 4, 5, 0, 6, 7]); "

static struct probe {
	const char *type, *source;
	enum sg_fields_result result;
} probes[] = {
	{.type = "itertools.count", .source = "i = count(2.5, 0.5); next(i)\n"},
	{.type = "itertools.cycle", .source = "i = cycle(['a']); next(i)\n"},
	{.type = "itertools.repeat", .source = "i = repeat('a', 5); next(i)\n"},
	{.type = "itertools.chain", .source = DRAWS "i = chain([1], inner); next(i), next(i); parts = [i, inner]\n"},
	{.type = "itertools.islice", .source = DRAWS "i = islice(inner, 1, 4); next(i); parts = [i, inner]\n"},
	{.type = "itertools.accumulate", .source = DRAWS "i = accumulate(inner); next(i); parts = [i, inner]\n"},
	{.type = "itertools.starmap", .source = "inner = repeat((1, 2), 5); i = starmap(max, inner); next(i); parts = [i, inner]\n"},
	{.type = "itertools.takewhile", .source = DRAWS "i = takewhile(bool, inner); next(i); parts = [i, inner]\n"},
	{.type = "itertools.dropwhile", .source = DRAWS "i = dropwhile(bool, inner); parts = [i, inner]\n"},
	{.type = "itertools.filterfalse", .source = DRAWS "i = filterfalse(bool, inner); next(i); parts = [i, inner]\n"},
	{.type = "itertools.compress", .source = DRAWS "i = compress(repeat(1), inner); next(i); parts = [i, inner]\n"},
	{.type = "list_iterator", .source = "i = iter([[1], [2], [3]]); next(i)\n"},
	{.type = "tuple_iterator", .source = "i = iter(([1], [2], [3])); next(i)\n"},
	{.type = "range_iterator", .source = "i = iter(range(1, 1000, 300)); next(i)\n"},
	{.type = "longrange_iterator", .source = "i = iter(range(1 << 70, 1 << 72, 1 << 69)); next(i)\n"},
	{.type = "str_iterator", .source = "i = iter('\\u20ac\\u0101bc'); next(i)\n"},
	{.type = "str_ascii_iterator", .source = "i = iter('abcd'); next(i)\n"},
	{.type = "bytes_iterator", .source = "i = iter(b'abcd'); next(i)\n"},
	{.type = "list_reverseiterator", .source = "i = reversed([[1], [2], [3]]); next(i)\n"},
	{.type = "dict_keyiterator", .source = "i = iter({1.5: [1], 2.5: [2], 3.5: [3]}); next(i)\n"},
	{.type = "dict_valueiterator", .source = "i = iter({1.5: [1], 2.5: [2], 3.5: [3]}.values()); next(i)\n"},
	{.type = "dict_itemiterator", .source = "i = iter({1.5: [1], 2.5: [2], 3.5: [3]}.items()); next(i)\n"},
	{.type = "set_iterator", .source = "i = iter({1.5, 2.5, 3.5, 4.5}); next(i)\n"},
	{.type = "callable_iterator", .source = "n = [0]\ndef f(): return n[0]\n"
		"i = iter(f, 1); next(i)\ndef advance(): n[0] = 1; end = next(i, 'end'); n[0] = 0; return end == 'end'\n"},
	{.type = "enumerate", .source = "i = enumerate(repeat('a')); next(i)\n"},
	{.type = "zip", .source = DRAWS "i = zip(inner, repeat('a')); next(i); parts = [i, inner]\n"},
	{.type = "map", .source = DRAWS "i = map(str, inner); next(i); parts = [i, inner]\n"},
	{.type = "filter", .source = DRAWS "i = filter(None, inner); next(i); parts = [i, inner]\n"},
	{.type = "reversed", .source = "class S:\n    def __len__(self): return 4\n    def __getitem__(self, n): return [n]\n"
		"i = reversed(S()); next(i)\n"},
	{.type = "_contextvars.Token", .source = TOKEN},
	{.type = "Token", .source = TOKEN},
};

#define PROBES (int)(sizeof(probes) / sizeof(probes[0]))
#define PARTS_MAX 2

static const char *const before =
	"from itertools import *\n"
	"def take(n): return [next(i, 'end') for _ in range(n)]\n"
	"def advance(): take(3); return 1\n"
	"def look(): return take(3)\n"
	"parts = None\n";

static const char *const after =
	"parts = parts or [i]\n"
	"def first():\n    global answers; answers = look(); return 1\n"
	"def again(): return look() == answers\n";

static struct sg_memory memory_of(PyObject *object)
{
	Py_ssize_t size = sg_cpython_basicsize(sg_cpython_type(object)) - sg_cpython_fields();

	return (struct sg_memory){(char *)object + sg_cpython_fields(), (size_t)size};
}

/* Saves or puts back what is in the list. 0, or -1. */
static int save_all(PyObject *parts, PyObject *snapshots[PARTS_MAX])
{
	for (Py_ssize_t i = 0; i < PyList_Size(parts); i++) {
		const struct sg_memory memory = memory_of(PyList_GetItem(parts, i));

		sg_python_clear(&snapshots[i]);
		snapshots[i] = sg_fields_save(PyList_GetItem(parts, i), &memory);
		if (!snapshots[i])
			return -1;
	}
	return 0;
}

static int restore_all(PyObject *parts, PyObject *snapshots[PARTS_MAX])
{
	for (Py_ssize_t i = 0; i < PyList_Size(parts); i++) {
		const struct sg_memory memory = memory_of(PyList_GetItem(parts, i));

		if (sg_fields_restore(PyList_GetItem(parts, i), &memory, snapshots[i]) < 0 ||
		    sg_fields_same(&memory, snapshots[i]) != 1)
			return -1;
	}
	return 0;
}

/* What it owns the collector knows, or we do: what is neither may not point anywhere. */
static bool owns_what_is_told(PyObject *object)
{
	const struct sg_memory memory = memory_of(object);
	void *const *words = memory.address;

	if ((PyType_GetFlags(sg_cpython_type(object)) & Py_TPFLAGS_HAVE_GC) || holds_references_only(object))
		return true;
	for (size_t i = 0; i < memory.size / sizeof(*words); i++)
		if (sg_cpython_readable(words[i], 1))
			return false;
	return true;
}

static enum sg_fields_result probe_type(const struct probe *probe)
{
	PyObject *source = PyUnicode_FromFormat("%s%s%s", before, probe->source, after), *snapshots[PARTS_MAX] = {NULL, NULL};
	PyObject *namespace = source ? sg_cpython_run(sg_python_text(source), NULL, NULL) : NULL, *i, *parts;
	enum sg_fields_result result = SG_FIELDS_FAILED;

	i = namespace ? sg_cpython_item(namespace, "i") : NULL;
	parts = i ? sg_cpython_item(namespace, "parts") : NULL;
	if (i && strcmp(sg_cpython_type_name(sg_cpython_type(i)), probe->type) != 0)
		result = SG_FIELDS_NOT_THERE;
	else if (parts && PyList_Size(parts) <= PARTS_MAX && owns_what_is_told(i) && save_all(parts, snapshots) == 0 &&
		 sg_cpython_call(sg_cpython_item(namespace, "first")) == 1 && restore_all(parts, snapshots) == 0 &&
		 sg_cpython_call(sg_cpython_item(namespace, "again")) == 1 && restore_all(parts, snapshots) == 0 &&
		 sg_cpython_call(sg_cpython_item(namespace, "advance")) == 1 && restore_all(parts, snapshots) == 0 &&
		 sg_cpython_call(sg_cpython_item(namespace, "again")) == 1)
		result = SG_FIELDS_PROVED;
	PyErr_Clear();
	for (int n = 0; n < PARTS_MAX; n++)
		sg_python_clear(&snapshots[n]);
	sg_python_clear(&namespace);
	sg_python_clear(&source);
	return result;
}

void sg_fields_probe(void)
{
	for (int n = 0; n < PROBES; n++)
		probes[n].result = probe_type(&probes[n]);
}

bool sg_fields_proved(const char *type)
{
	for (int n = 0; n < PROBES; n++)
		if (strcmp(probes[n].type, type) == 0)
			return probes[n].result == SG_FIELDS_PROVED;
	return false;
}

const char *sg_fields_next(int *position, enum sg_fields_result *ret_result)
{
	if (*position >= PROBES)
		return NULL;
	*ret_result = probes[*position].result;
	return probes[(*position)++].type;
}
