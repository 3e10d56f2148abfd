/*
 * scan.h - lists what belongs to an image: each object whose content may change, with its first content.
 */
#ifndef SG_SCAN_H
#define SG_SCAN_H

#include "shim/state/changes.h"

struct sg_scanned {
	size_t objects;
	bool exposed;           /* code of the host gets at some of them */
	char held[256], who[512]; /* ... at this one, since that refers to it; for the log */
};

/*
 * modules: the image's table; other: an object of the image that is in none of them, or NULL; own: that, and what else of
 * ours refers to the image's objects, NULL; name: of the workflow's module, for the log. Fills and seals slots. 0; -E2BIG or
 * -ENOTSUP: they cannot be shared, which is logged; -1 with an exception. The caller frees slots in any case. GIL: held.
 */
int sg_scan(struct sg_slots *slots, PyObject *modules, PyObject *other, PyObject *const own[], PyObject *name,
		struct sg_scanned *ret_scanned);

#endif
