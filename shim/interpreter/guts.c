#include "shim/interpreter/guts.h"

#include "shim/interpreter/containers.h"
#include "shim/interpreter/cpython.h"

#include <string.h>

/* A range of bytes of an object; the head, reference count and type, is never part of one. */
struct range {
	unsigned short from, to;
};

#define RANGES_MAX 3
#define WHOLE 0xffff /* to the end of an object of the C class */

/*
 * The same in 3.10-3.15. list: size, items, room. dict: used; keys, values (the version between them is handled
 * apart). deque: size, first and last block, both indices, state. OrderedDict: dict, then nodes, state, ends.
 * bytearray: size, room, memory, start, exports, since 3.15 the object that has the memory. array: size, items, room;
 * exports. Who exports a buffer gives it back while the content is in place.
 */
static const struct layout {
	struct range ranges[RANGES_MAX];
	bool dict;
} layouts[SG_GUTS_KINDS] = {
	[SG_GUTS_LIST] = {{{16, 40}}, false},
	[SG_GUTS_DICT] = {{{16, 24}, {32, 48}}, true},
	[SG_GUTS_DEQUE] = {{{16, 64}}, false},
	[SG_GUTS_ORDERED] = {{{16, 24}, {32, 96}}, true},
	[SG_GUTS_BYTEARRAY] = {{{16, WHOLE}}, false},
	[SG_GUTS_ARRAY] = {{{16, 40}, {56, 64}}, false},
};

bool sg_guts_known[SG_GUTS_KINDS];

static char *at(PyObject *object, size_t offset)
{
	return (char *)object + offset;
}

static Py_ssize_t size_at(PyObject *object, size_t offset)
{
	return *(Py_ssize_t *)at(object, offset);
}

static const void *pointer_at(PyObject *object, size_t offset)
{
	return *(void **)at(object, offset);
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
static size_t end_of(const struct range *range, PyObject *a, PyObject *b)
{
	Py_ssize_t one = sg_cpython_basicsize(sg_cpython_type(a)), other = sg_cpython_basicsize(sg_cpython_type(b));

	return range->to != WHOLE ? range->to : (size_t)(one < other ? one : other);
}

static void swap_bytes(char *a, char *b, size_t size)
{
	char kept[64];

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
				end_of(&layout->ranges[i], a, b) - layout->ranges[i].from);
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
	add(memory, 0, at(list, 16), 16);
	return add(memory, 1, pointer_at(list, 24), (size_t)size_at(list, 16) * sizeof(PyObject *));
}

#define BYTEARRAY_EXPORTS 48
#define ARRAY_EXPORTS 56

#define BLOCK_HEAD 8 /* a block begins with the address of the one to its left, and ends with that of the next */
#define BLOCK_ITEMS 64

/* Its items lie in blocks that are linked; one of very many is rare enough. */
static int deque_memory(PyObject *deque, struct sg_memory memory[])
{
	const char *block = pointer_at(deque, 24);
	Py_ssize_t first = size_at(deque, 40), left = size_at(deque, 16), here;
	int count = add(memory, 0, at(deque, 16), 48);

	for (; left > 0; left -= here, first = 0) {
		if (count == SG_MEMORY_MAX)
			return 0;
		here = left < BLOCK_ITEMS - first ? left : BLOCK_ITEMS - first;
		count = add(memory, count, block + BLOCK_HEAD + first * (Py_ssize_t)sizeof(PyObject *),
				(size_t)here * sizeof(PyObject *));
		block = *(const char *const *)(block + BLOCK_HEAD + BLOCK_ITEMS * (Py_ssize_t)sizeof(PyObject *));
	}
	return count;
}

static int bytearray_memory(PyObject *object, struct sg_memory memory[])
{
	add(memory, 0, at(object, 16), 40);
	return add(memory, 1, pointer_at(object, 40), (size_t)size_at(object, 16));
}

/* The item size follows the type code in the descriptor. */
static int array_memory(PyObject *array, struct sg_memory memory[])
{
	const struct { char code; int item_size; } *descriptor = pointer_at(array, 40);

	add(memory, 0, at(array, 16), 16);
	add(memory, 1, at(array, ARRAY_EXPORTS), 8);
	return add(memory, 2, pointer_at(array, 24), (size_t)(size_at(array, 16) * descriptor->item_size));
}

bool sg_guts_exported(enum sg_guts kind, PyObject *object)
{
	return size_at(object, kind == SG_GUTS_ARRAY ? ARRAY_EXPORTS : BYTEARRAY_EXPORTS) != 0;
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
	case SG_GUTS_ORDERED: /* state, first, last: beside the dict */
		return add(memory, 0, at(object, 72), 24);
	case SG_GUTS_BYTEARRAY:
		return bytearray_memory(object, memory);
	case SG_GUTS_ARRAY:
		return array_memory(object, memory);
	default:
		return 0;
	}
}

/* fill, used, mask, table; where pop() goes on; then the table. */
int sg_guts_set_memory(PyObject *set, struct sg_memory memory[])
{
	if (!sg_containers.sets)
		return 0;
	add(memory, 0, at(set, 16), 32);
	add(memory, 1, at(set, 56), 8);
	return add(memory, 2, pointer_at(set, 40), (size_t)(size_at(set, 32) + 1) * 16);
}

/* --- probes ------------------------------------------------------------------------------------ */

/* Two objects a and b of the kind, and what must hold of them before and after their insides were exchanged. */
static const char *const programs[SG_GUTS_KINDS] = {
	[SG_GUTS_LIST] =
		"a, b = [object(), 2, 3], list(range(1000))\n"
		"first = a[0]\n"
		"def before(): return len(a) == 3 and len(b) == 1000\n"
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
		"def change(): return 1\n"
		"def undo(): return 1\n"
		"def after():\n"
		"    a['z'] = 3; b['w'] = 4; del a[0]; rest = a.popitem()\n"
		"    return (len(a) == 999 and rest == ('z', 3) and a[999] == 999 and 'x' not in a and\n"
		"            list(b.items()) == [('x', 1), ('y', y), ('w', 4)])\n",
	[SG_GUTS_DEQUE] =
		"import collections\n"
		"a, b = collections.deque([object(), 2, 3]), collections.deque(range(1000), 1000)\n"
		"b.rotate(7); first = a[0]\n"
		"it = iter(b); next(it)\n"
		"def before(): return a[2] == 3 and b[0] == 993\n"
		"def change(): a[1] = 4; return 1\n"
		"def undo(): a[1] = 2; return 1\n"
		"def after():\n"
		"    a.append(7); b.appendleft(8); a.rotate(-8)\n"
		"    return len(a) == 1001 and a[0] == 1 and a.maxlen is None and list(b) == [8, first, 2, 3]\n",
	[SG_GUTS_ORDERED] =
		"import collections\n"
		"a = collections.OrderedDict((i, i) for i in range(50))\n"
		"b = collections.OrderedDict(x=1, y=2); b.move_to_end('x')\n"
		"it = iter(b); next(it)\n"
		"def before(): return len(a) == 50 and list(b) == ['y', 'x']\n"
		"def change(): a.move_to_end(49); a.move_to_end(3); return 1\n"
		"def undo(): return 1\n"
		"def after():\n"
		"    a['z'] = 3; a.move_to_end('z', last=False); del b[7]; b.move_to_end(8); b.popitem(last=False)\n"
		"    return list(a.items()) == [('z', 3), ('y', 2), ('x', 1)] and len(b) == 48 and list(b)[-2:] == [3, 8]\n",
	[SG_GUTS_BYTEARRAY] =
		"a, b = bytearray(b'abc'), bytearray(b'x' * 1000)\n"
		"del b[:10]\n"
		"def before(): return bytes(a) == b'abc' and len(b) == 990\n"
		"def change(): a[1] = 4; return 1\n"
		"def undo(): a[1] = 98; return 1\n"
		"def after():\n"
		"    a.extend(b'yz'); b.extend(b'd' * 100)\n"
		"    return len(a) == 992 and a[-3:] == b'xyz' and b[:4] == b'abcd' and len(b) == 103\n",
	[SG_GUTS_ARRAY] =
		"import array\n"
		"a, b = array.array('h', [1, 2, 3]), array.array('h', range(1000))\n"
		"def before(): return a[2] == 3 and b[999] == 999\n"
		"def change(): a[1] = 4; return 1\n"
		"def undo(): a[1] = 2; return 1\n"
		"def after():\n"
		"    a.append(7); b.extend(range(100)); b.pop()\n"
		"    return len(a) == 1001 and a[-1] == 7 and b[:4].tolist() == [1, 2, 3, 0] and len(b) == 102\n",
};

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

static bool probe(enum sg_guts kind)
{
	static const Py_ssize_t sizes[SG_GUTS_KINDS] = {
		[SG_GUTS_LIST] = 40, [SG_GUTS_DICT] = 48, [SG_GUTS_DEQUE] = 64, [SG_GUTS_ORDERED] = 96,
		[SG_GUTS_BYTEARRAY] = 56, [SG_GUTS_ARRAY] = 64
	};
	PyObject *namespace = sg_cpython_run(programs[kind], NULL, NULL), *a, *b;
	bool good = false;

	a = namespace ? sg_cpython_item(namespace, "a") : NULL;
	b = namespace ? sg_cpython_item(namespace, "b") : NULL;
	sg_guts_known[kind] = true;
	if (a && b && sg_cpython_basicsize(sg_cpython_type(a)) >= sizes[kind] &&
	    size_at(a, 16) == PyObject_Size(a) && size_at(b, 16) == PyObject_Size(b) &&
	    sg_cpython_call(sg_cpython_item(namespace, "before")) == 1 && memory_tells(kind, namespace) &&
	    sg_guts_movable(kind, a) && sg_guts_movable(kind, b)) {
		sg_guts_exchange(kind, a, b);
		good = size_at(a, 16) == PyObject_Size(a) &&
			sg_cpython_call(sg_cpython_item(namespace, "after")) == 1;
	}
	sg_guts_known[kind] = good;
	PyErr_Clear();
	sg_python_clear(&namespace);
	return good;
}

void sg_guts_probe(void)
{
	for (int kind = 0; kind < SG_GUTS_KINDS; kind++)
		probe(kind);
}
