/*
 * guts.h - where in memory the content of a container lies: exchanged between two objects, and looked at for changes.
 *
 * Exchanging the inside of an object with that of a twin of the same C type keeps everything about it: order,
 * free room, and the iterators and memoryviews that a run holds across an await. Nothing is copied, nothing
 * destroyed. Each layout is proved by a probe; one that is not is never touched. The companion of containers.h: its
 * rules hold here too. GIL: held.
 */
#ifndef SG_GUTS_H
#define SG_GUTS_H

#include "shim/interpreter/python.h"

#include <stdbool.h>

enum sg_guts {
	SG_GUTS_LIST, SG_GUTS_DICT, SG_GUTS_DEQUE, SG_GUTS_ORDERED, SG_GUTS_BYTEARRAY, SG_GUTS_ARRAY,
	SG_GUTS_KINDS
};

/* Bytes that change whenever the content does. */
struct sg_memory {
	const void *address;
	size_t size;
};

#define SG_MEMORY_MAX 5

/* Proved for this interpreter? */
extern bool sg_guts_known[SG_GUTS_KINDS];

void sg_guts_probe(void);

/* May this object's content be exchanged? Not a dict whose values lie in an instance or that somebody else watches. */
bool sg_guts_movable(enum sg_guts kind, PyObject *object);

/* Both objects are movable. */
void sg_guts_exchange(enum sg_guts kind, PyObject *a, PyObject *b);

/* Of a bytearray or an array: does a memoryview look at its memory? */
bool sg_guts_exported(enum sg_guts kind, PyObject *object);

/*
 * What to look at, in this order: if one piece has changed, those after it may be gone. Returns how many; 0: the
 * layout is not known. Keys and values of a dict are not among it.
 */
int sg_guts_memory(enum sg_guts kind, PyObject *object, struct sg_memory memory[SG_MEMORY_MAX]);

#endif
