/*
 * attribute.h - guards on reading an attribute of a module, or of the objects of a class.
 *
 * The module's type is changed in place to a subclass of module. That costs the interpreter's fast path for every
 * attribute of that module, so a host's module has the type only while some thread runs workflow code; a
 * run's own copy keeps it. The same goes for tp_getattro of a class. GIL: held.
 */
#ifndef SG_ATTRIBUTE_H
#define SG_ATTRIBUTE_H

#include "config/config.h"
#include "shim/guard/decide.h"
#include "shim/interpreter/python.h"

/* Makes the type that guarded modules have, before there are runs whose it could be. */
void sg_attribute_start(void);

/* 0 or a negative errno: -ENOTSUP where the module has a type of its own. */
int sg_attribute_guard(const struct sg_rule *rule, sg_condition condition, PyObject *module, const char *name);

/* Guards every attribute look-up on objects of a Python class. 0 or a negative errno. */
int sg_attribute_guard_class(const struct sg_rule *rule, PyTypeObject *type);

/* Workflow code starts, or stops, to run on a thread. Calls are paired. */
void sg_attribute_enter(void);
void sg_attribute_leave(void);

void sg_attribute_remove_all(void);

#endif
