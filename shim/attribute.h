/*
 * attribute.h - guards on reading an attribute of a module.
 *
 * The module's type is changed in place to a subclass of module. That costs the worker the interpreter's
 * fast path for every attribute of that module, so it is done only for modules that have such a rule. GIL: held.
 */
#ifndef SG_ATTRIBUTE_H
#define SG_ATTRIBUTE_H

#include "config/config.h"
#include "shim/python.h"

/* 0 or a negative errno: -ENOTSUP where the module has a type of its own. */
int sg_attribute_guard(const struct sg_rule *rule, PyObject *module, const char *name);
void sg_attribute_remove_all(void);

#endif
