#include "shim/interpreter/guts.h"

#include "shim/interpreter/containers.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/layout.h"

#include <string.h>

/* A range of bytes of an object; the head, reference count and type, is never part of one. */
struct range {
	long from, to;
};

#define RANGES_MAX 3
#define WORD ((long)sizeof(void *))
#define WHOLE 0xffff /* to the end of an object of the C class */

/*
 * Who exports a buffer gives it back while the content is in place. The version of a dict is handled apart. Since 3.15 a
 * bytearray ends in the object that has the memory.
 */
static struct layout {
	struct range ranges[RANGES_MAX];
	bool dict;
} layouts[SG_GUTS_KINDS];

static void describe(void)
{
	const struct range used = {sg_at(dict_used), sg_at(dict_used) + WORD};
	const struct range keys = {sg_at(dict_keys), sg_at(dict_keys) + WORD}, values = {sg_at(dict_values), sg_at(dict_values) + WORD};

	layouts[SG_GUTS_LIST] = (struct layout){{{sg_at(list_size), sg_at(list_end)}}, false};
	layouts[SG_GUTS_DICT] = (struct layout){{used, keys, values}, true};
	layouts[SG_GUTS_DEQUE] = (struct layout){{{sg_at(deque_size), sg_at(deque_most) + WORD}}, false};
	layouts[SG_GUTS_ORDERED] = (struct layout){{used, {sg_at(dict_keys), sg_at(ordered_end)}}, true};
	layouts[SG_GUTS_BYTEARRAY] = (struct layout){{{sg_at(bytearray_size), WHOLE}}, false};
	layouts[SG_GUTS_ARRAY] = (struct layout){{{sg_at(array_size), sg_at(array_descriptor)},
		{sg_at(array_exports), sg_at(array_exports) + WORD}}, false};
}

bool sg_guts_known[SG_GUTS_KINDS];

static char *at(PyObject *object, long offset)
{
	return (char *)object + offset;
}

/* --- exchange ---------------------------------------------------------------------------------- */

bool sg_guts_movable(enum sg_guts kind, PyObject *object)
{
	if (!sg_guts_known[kind])
		return false;
	return !layouts[kind].dict ||
		(!sg_containers_dict_is_split(object) && !sg_containers_dict_is_watched(object));
}

/* The smaller one of the two is no instance of a subclass. */
static long end_of(const struct range *range, PyObject *a, PyObject *b)
{
	Py_ssize_t one = sg_cpython_basicsize(sg_cpython_type(a)), other = sg_cpython_basicsize(sg_cpython_type(b));

	return range->to != WHOLE ? range->to : one < other ? one : other;
}

#define EXCHANGE_MAX 96

static void swap_bytes(char *a, char *b, size_t size)
{
	char kept[EXCHANGE_MAX];

	memcpy(kept, a, size);
	memcpy(a, b, size);
	memcpy(b, kept, size);
}

/* A dict of plain values may be none of the collector's business; what holds others must be. */
static void share_tracking(PyObject *a, PyObject *b)
{
	if (PyObject_GC_IsTracked(a) && !PyObject_GC_IsTracked(b))
		PyObject_GC_Track(b);
	else if (PyObject_GC_IsTracked(b) && !PyObject_GC_IsTracked(a))
		PyObject_GC_Track(a);
}

void sg_guts_exchange(enum sg_guts kind, PyObject *a, PyObject *b)
{
	const struct layout *layout = &layouts[kind];

	for (int i = 0; i < RANGES_MAX && layout->ranges[i].to; i++)
		swap_bytes(at(a, layout->ranges[i].from), at(b, layout->ranges[i].from),
				(size_t)(end_of(&layout->ranges[i], a, b) - layout->ranges[i].from));
	if (layout->dict) {
		sg_containers_dict_swap_tags(a, b);
		share_tracking(a, b);
	}
}

/* --- memory ------------------------------------------------------------------------------------ */

static int add(struct sg_memory memory[], int count, const void *address, size_t size)
{
	if (size)
		memory[count++] = (struct sg_memory){address, size};
	return count;
}

static int list_memory(PyObject *list, struct sg_memory memory[])
{
	add(memory, 0, at(list, sg_at(list_size)), (size_t)(sg_at(list_end) - sg_at(list_size)));
	return add(memory, 1, sg_field(list, list_items), (size_t)sg_field(list, list_size) * sizeof(PyObject *));
}

/* Its items lie in blocks that are linked; one of very many is rare enough. */
static int deque_memory(PyObject *deque, struct sg_memory memory[])
{
	void *block = sg_field(deque, deque_left);
	Py_ssize_t first = sg_field(deque, deque_first), left = sg_field(deque, deque_size), here;
	int count = add(memory, 0, at(deque, sg_at(deque_size)), (size_t)(sg_at(deque_most) + WORD - sg_at(deque_size)));

	for (; left > 0; left -= here, first = 0) {
		if (count == SG_MEMORY_MAX)
			return 0;
		here = left < sg_at(block_count) - first ? left : sg_at(block_count) - first;
		count = add(memory, count, &sg_field(block, block_items) + first, (size_t)here * sizeof(PyObject *));
		block = sg_field(block, block_next);
	}
	return count;
}

static int bytearray_memory(PyObject *object, struct sg_memory memory[])
{
	add(memory, 0, at(object, sg_at(bytearray_size)), (size_t)(sg_at(bytearray_exports) - sg_at(bytearray_size)) + sizeof(Py_ssize_t));
	return add(memory, 1, sg_field(object, bytearray_start), (size_t)sg_field(object, bytearray_size));
}

static int array_memory(PyObject *array, struct sg_memory memory[])
{
	int item_size = sg_field(sg_field(array, array_descriptor), descriptor_item_size);

	add(memory, 0, at(array, sg_at(array_size)), (size_t)(sg_at(array_descriptor) - sg_at(array_size)));
	add(memory, 1, at(array, sg_at(array_exports)), sizeof(Py_ssize_t));
	return add(memory, 2, sg_field(array, array_items), (size_t)(sg_field(array, array_size) * item_size));
}

bool sg_guts_exported(enum sg_guts kind, PyObject *object)
{
	return (kind == SG_GUTS_ARRAY ? sg_field(object, array_exports) : sg_field(object, bytearray_exports)) != 0;
}

int sg_guts_memory(enum sg_guts kind, PyObject *object, struct sg_memory memory[SG_MEMORY_MAX])
{
	if (!sg_guts_known[kind])
		return 0;
	switch (kind) {
	case SG_GUTS_LIST:
		return list_memory(object, memory);
	case SG_GUTS_DEQUE:
		return deque_memory(object, memory);
	case SG_GUTS_ORDERED: /* beside the dict */
		return add(memory, 0, at(object, sg_at(ordered_state)), (size_t)(sg_at(ordered_end) - sg_at(ordered_state)));
	case SG_GUTS_BYTEARRAY:
		return bytearray_memory(object, memory);
	case SG_GUTS_ARRAY:
		return array_memory(object, memory);
	default:
		return 0;
	}
}

/* --- probes ------------------------------------------------------------------------------------ */

/*
 * Two objects a and b of the kind, and what must hold of them before their insides are exchanged, right after it, when
 * nothing may be changed yet, and later.
 */
static const char *const programs[SG_GUTS_KINDS] = {
	[SG_GUTS_LIST] =
		"a, b = [object(), 2, 3], list(range(1000))\n"
		"first = a[0]\n"
		"sizes = [a.__sizeof__(), b.__sizeof__()]\n"
		"def before(): return len(a) == 3 and len(b) == 1000\n"
		"def there(): return [b.__sizeof__(), a.__sizeof__()] == sizes\n"
		"def change(): a[1] = 4; return 1\n"
		"def undo(): a[1] = 2; return 1\n"
		"def after():\n"
		"    a.append(7); b.append(8); b.extend(range(100)); a.sort()\n"
		"    return len(a) == 1001 and a[:3] == [0, 1, 2] and b[:4] == [first, 2, 3, 8] and len(b) == 104\n",
	[SG_GUTS_DICT] =
		"a, b = {'x': 1, 'y': object()}, {i: i for i in range(1000)}\n"
		"y = a['y']\n"
		"it = iter(a); next(it)\n"
		"def before(): return a['x'] == 1 and b[5] == 5\n"
		"def there(): return len(a) == 1000 and len(b) == 2 and b['x'] == 1 and a[5] == 5\n"
		"def change(): return 1\n"
		"def undo(): return 1\n"
		"def after():\n"
		"    a['z'] = 3; b['w'] = 4; del a[0]; rest = a.popitem()\n"
		"    return (len(a) == 999 and rest == ('z', 3) and a[999] == 999 and 'x' not in a and\n"
		"            list(b.items()) == [('x', 1), ('y', y), ('w', 4)])\n",
	[SG_GUTS_DEQUE] =
		"import collections\n"
		"a, b = collections.deque([object(), 2, 3]), collections.deque(range(1000), 2000)\n"
		"b.rotate(7); first = a[0]\n"
		"it = iter(b); next(it)\n"
		"def before(): return a[2] == 3 and b[0] == 993\n"
		"def there():\n"
		"    if len(a) != 1000 or a.maxlen != 2000 or b.maxlen is not None: return 0\n"
		"    try: next(it)\n"
		"    except RuntimeError: return 1\n"
		"def change(): a[1] = 4; return 1\n"
		"def undo(): a[1] = 2; return 1\n"
		"def after():\n"
		"    a.append(7); b.appendleft(8); a.rotate(-8)\n"
		"    return len(a) == 1001 and a[0] == 1 and a.maxlen == 2000 and list(b) == [8, first, 2, 3]\n",
	[SG_GUTS_ORDERED] =
		"import collections\n"
		"a = collections.OrderedDict((i, i) for i in range(50))\n"
		"b = collections.OrderedDict(x=1, y=2); b.move_to_end('x')\n"
		"it = iter(b); next(it); a.mark = 1\n"
		"def before(): return len(a) == 50 and list(b) == ['y', 'x']\n"
		"def there(): return a.mark == 1 and next(reversed(b)) == 49 and next(reversed(a)) == 'x' and next(iter(a)) == 'y'\n"
		"def change(): a.move_to_end(3); a.move_to_end(49); return 1\n"
		"def undo(): return 1\n"
		"def after():\n"
		"    a['z'] = 3; a.move_to_end('z', last=False); del b[7]; b.move_to_end(8); b.popitem(last=False)\n"
		"    return list(a.items()) == [('z', 3), ('y', 2), ('x', 1)] and len(b) == 48 and list(b)[-3:] == [3, 49, 8]\n",
	[SG_GUTS_BYTEARRAY] =
		"a, b = bytearray(b'abc'), bytearray(b'x' * 1000)\n"
		"del b[:10]\n"
		"def export(): global view; view = memoryview(a); return 1\n"
		"def release(): view.release(); return 1\n"
		"sizes = [a.__sizeof__(), b.__sizeof__()]\n"
		"def before(): return bytes(a) == b'abc' and len(b) == 990\n"
		"def there(): return [b.__sizeof__(), a.__sizeof__()] == sizes\n"
		"def change(): a[1] = 4; return 1\n"
		"def undo(): a[1] = 98; return 1\n"
		"def after():\n"
		"    a.extend(b'yz'); b.extend(b'd' * 100)\n"
		"    return len(a) == 992 and a[-3:] == b'xyz' and b[:4] == b'abcd' and len(b) == 103\n",
	[SG_GUTS_ARRAY] =
		"import array\n"
		"a, b = array.array('h', [1, 2, 3]), array.array('h', range(1000))\n"
		"def export(): global view; view = memoryview(a); return 1\n"
		"def release(): view.release(); return 1\n"
		"sizes = [a.__sizeof__(), b.__sizeof__()]\n"
		"def before(): return a[2] == 3 and b[999] == 999\n"
		"def there(): return [b.__sizeof__(), a.__sizeof__()] == sizes\n"
		"def change(): a[1] = 4; return 1\n"
		"def undo(): a[1] = 2; return 1\n"
		"def after():\n"
		"    a.append(7); b.extend(range(100)); b.pop()\n"
		"    return len(a) == 1001 and a[-1] == 7 and b[:4].tolist() == [1, 2, 3, 0] and len(b) == 102\n",
};

static PyObject *const *items_of(PyObject *list)
{
	return sg_field(list, list_items);
}

static bool most_is_told(PyObject *deque)
{
	PyObject *most = sg_python_attribute_or_null(deque, "maxlen");
	bool told = most && sg_field(deque, deque_most) == (most == Py_None ? -1 : PyLong_AsLong(most));

	sg_python_clear(&most);
	return told;
}

/* It has these items, of which the blocks of a deque are full but the first and the last one. */
static bool deque_is_told(PyObject *deque)
{
	void *block = sg_field(deque, deque_left);
	Py_ssize_t index = sg_field(deque, deque_first), left = sg_field(deque, deque_size);
	PyObject *list = PySequence_List(deque);
	bool told = list && PyList_Size(list) == left && index >= 0;

	for (Py_ssize_t i = 0; told && i < left; i++, index++) {
		if (index == sg_at(block_count)) {
			block = sg_cpython_readable(block, (size_t)sg_at(block_next) + sizeof(void *)) ? sg_field(block, block_next) : NULL;
			index = 0;
		}
		told = block && sg_cpython_readable(&sg_field(block, block_items) + index, sizeof(PyObject *)) &&
			(&sg_field(block, block_items))[index] == PyList_GetItem(list, i);
	}
	sg_python_clear(&list);
	return told;
}

/* An export is counted, and nothing else is. */
static bool exports_are_told(enum sg_guts kind, PyObject *namespace, PyObject *object)
{
	if (kind != SG_GUTS_BYTEARRAY && kind != SG_GUTS_ARRAY)
		return true;
	return !sg_guts_exported(kind, object) && sg_cpython_call(sg_cpython_item(namespace, "export")) == 1 &&
	       sg_guts_exported(kind, object) && sg_cpython_call(sg_cpython_item(namespace, "release")) == 1 &&
	       !sg_guts_exported(kind, object);
}

/* Are the bytes there those that Python tells? */
static bool bytes_are_told(PyObject *object, const void *address)
{
	PyObject *bytes = sg_python_attribute_or_null(object, "tobytes"), *told = NULL;
	Py_ssize_t size;
	char *text;
	bool same;

	told = bytes ? PyObject_CallObject(bytes, NULL) : NULL;
	same = told && PyBytes_AsStringAndSize(told, &text, &size) == 0 && sg_cpython_readable(address, (size_t)size) &&
		memcmp(text, address, (size_t)size) == 0;
	PyErr_Clear();
	sg_python_clear(&told);
	sg_python_clear(&bytes);
	return same;
}

static bool array_is_told(PyObject *array)
{
	PyObject *size = sg_python_attribute_or_null(array, "itemsize");
	void *descriptor = sg_field(array, array_descriptor);
	bool told = size && sg_cpython_readable(descriptor, 16) && sg_field(descriptor, descriptor_item_size) == PyLong_AsLong(size) &&
		bytes_are_told(array, sg_field(array, array_items));

	sg_python_clear(&size);
	return told;
}

/* What is read of it, held against what Python says of it. */
static bool is_told(enum sg_guts kind, PyObject *object)
{
	switch (kind) {
	case SG_GUTS_LIST:
		return sg_field(object, list_size) == PyObject_Size(object) && sg_cpython_readable(items_of(object), sizeof(PyObject *)) &&
			items_of(object)[0] == PyList_GetItem(object, 0);
	case SG_GUTS_DICT:
	case SG_GUTS_ORDERED:
		return sg_containers.dicts && sg_field(object, dict_used) == PyObject_Size(object);
	case SG_GUTS_DEQUE:
		return sg_field(object, deque_size) == PyObject_Size(object) && most_is_told(object) && deque_is_told(object);
	case SG_GUTS_BYTEARRAY:
		return sg_field(object, bytearray_size) == PyByteArray_Size(object) &&
			sg_field(object, bytearray_start) == PyByteArray_AsString(object);
	case SG_GUTS_ARRAY:
		return sg_field(object, array_size) == PyObject_Size(object) && array_is_told(object);
	default:
		return false;
	}
}

/* Does every piece stay as it is, and change with the content? What is pointed to must be there to be looked at. */
static bool memory_tells(enum sg_guts kind, PyObject *namespace)
{
	struct sg_memory memory[SG_MEMORY_MAX];
	PyObject *object = sg_cpython_item(namespace, "a");
	int count = sg_guts_memory(kind, object, memory);
	char kept[SG_MEMORY_MAX][128];
	bool changed = false;

	if (kind == SG_GUTS_DICT)
		return true;
	for (int i = 0; i < count; i++) {
		if (memory[i].size > sizeof(kept[0]) || !sg_cpython_readable(memory[i].address, memory[i].size))
			return false;
		memcpy(kept[i], memory[i].address, memory[i].size);
	}
	if (sg_cpython_call(sg_cpython_item(namespace, "change")) != 1)
		return false;
	for (int i = 0; i < count; i++)
		changed |= memcmp(kept[i], memory[i].address, memory[i].size) != 0;
	return changed && sg_cpython_call(sg_cpython_item(namespace, "undo")) == 1;
}

/* All that is read or written lies within the object. */
static bool is_inside(enum sg_guts kind, PyObject *object)
{
	const struct range *ranges = layouts[kind].ranges;
	long end = sg_cpython_basicsize(sg_cpython_type(object));

	for (int i = 0; i < RANGES_MAX && ranges[i].to; i++) {
		long to = ranges[i].to == WHOLE ? end : ranges[i].to;

		if (ranges[i].from < sg_at(object_fields) || ranges[i].from > to || to > end || to - ranges[i].from > EXCHANGE_MAX)
			return false;
	}
	return (kind != SG_GUTS_BYTEARRAY || sg_at(bytearray_exports) + WORD <= end) &&
	       (kind != SG_GUTS_ORDERED || sg_at(ordered_state) + 3 * WORD == sg_at(ordered_end));
}

/* Back again where that was no exchange, before anything is freed. */
static bool exchange_is_good(enum sg_guts kind, PyObject *namespace, PyObject *a, PyObject *b)
{
	sg_guts_exchange(kind, a, b);
	if (PyObject_Size(a) > 0 && PyObject_Size(b) > 0 && sg_cpython_call(sg_cpython_item(namespace, "there")) == 1)
		return sg_cpython_call(sg_cpython_item(namespace, "after")) == 1;
	sg_guts_exchange(kind, a, b);
	return false;
}

static bool probe(enum sg_guts kind)
{
	PyObject *namespace = sg_cpython_run(programs[kind], NULL, NULL), *a, *b;
	bool good;

	a = namespace ? sg_cpython_item(namespace, "a") : NULL;
	b = namespace ? sg_cpython_item(namespace, "b") : NULL;
	sg_guts_known[kind] = true;
	good = a && b && is_inside(kind, a) && is_told(kind, a) && is_told(kind, b) && exports_are_told(kind, namespace, a) &&
		sg_cpython_call(sg_cpython_item(namespace, "before")) == 1 && memory_tells(kind, namespace) &&
		sg_guts_movable(kind, a) && sg_guts_movable(kind, b) && exchange_is_good(kind, namespace, a, b);
	sg_guts_known[kind] = good;
	PyErr_Clear();
	sg_python_clear(&namespace);
	return good;
}

void sg_guts_probe(void)
{
	describe();
	for (int kind = 0; kind < SG_GUTS_KINDS; kind++)
		probe(kind);
}
