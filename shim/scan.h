/*
 * scan.h - lists what belongs to an image: each object whose content may change, with its first content.
 */
#ifndef SG_SCAN_H
#define SG_SCAN_H

#include "shim/changes.h"

/*
 * modules: the image's table; name: of the workflow's module, for the log. Fills and seals slots. 0; -E2BIG or -ENOTSUP:
 * they cannot be shared, which is logged; -1 with an exception. The caller frees slots in any case. GIL: held.
 */
int sg_scan(struct sg_slots *slots, PyObject *modules, PyObject *name, size_t *ret_objects);

#endif
