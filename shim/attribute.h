/*
 * attribute.h - guards on reading an attribute of a module.
 *
 * The module's type is changed in place to a subclass of module. That costs the interpreter's fast path for every
 * attribute of that module, so a host's module has the type only while some thread runs workflow code; a
 * run's own copy keeps it. GIL: held.
 */
#ifndef SG_ATTRIBUTE_H
#define SG_ATTRIBUTE_H

#include "config/config.h"
#include "shim/python.h"

/* 0 or a negative errno: -ENOTSUP where the module has a type of its own. */
int sg_attribute_guard(const struct sg_rule *rule, PyObject *module, const char *name);

/* Workflow code starts, or stops, to run on a thread. Calls are paired. */
void sg_attribute_enter(void);
void sg_attribute_leave(void);

void sg_attribute_remove_all(void);

#endif
