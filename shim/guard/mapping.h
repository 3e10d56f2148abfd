/*
 * mapping.h - guards on a dict that holds host state, such as the one behind os.environ.
 *
 * The dict's type is changed in place to a dict subclass, so every alias of it (os.environ, os.environb,
 * posix.environ) is guarded by one rule. Fallback where the type of a dict cannot be changed: -ENOTSUP, logged by
 * the caller. GIL: held.
 */
#ifndef SG_MAPPING_H
#define SG_MAPPING_H

#include "shim/guard/decide.h"

/* target: a dict, or a mapping that keeps its items in a dict called _data. 0 or a negative errno. */
int sg_mapping_guard(const struct sg_rule *rule, sg_condition condition, PyObject *target);
void sg_mapping_remove_all(void);

#endif
