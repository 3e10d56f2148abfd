/*
 * arm.h - finds the target of each rule and puts the right guard on it.
 *
 * A rule waits until the module that its name leads through has been imported by the host; nothing is
 * imported on its account. What cannot be guarded is logged with its reason, and the worker goes on. GIL: held, context
 * suspended.
 */
#ifndef SG_ARM_H
#define SG_ARM_H

#include "config/config.h"
#include "shim/interpreter/python.h"

/* Arms every rule whose module is loaded; later modules are told to sg_arm_module(). */
void sg_arm_start(const struct sg_config *config);

/* A module has been imported by the host. Cheap when no rule waits for it. */
void sg_arm_module(const char *name);

/*
 * A name that some worker's settings refuse and no rule knows. Its rule allows by itself; the policy of the run
 * decides (family.h, judge). "a.b.*" is every attribute of module a.b. 0, or -1 with an exception.
 */
int sg_arm_add(const char *name, enum sg_guard_kind kind);

/* A run has loaded its own copy of a module: what Python made anew is guarded there too. */
void sg_arm_copy(PyObject *name, PyObject *module);

/*
 * A run is about to execute code of a file, NULL: of one that nobody has seen. A guard on reading an attribute makes all
 * attributes of its module dearer, so it is there only from when code of the workflows' own, not of a library, has the names
 * of both. No exception.
 */
void sg_arm_code(PyObject *name, PyObject *code);

/* How many guards could not be put where the rule wants more than to let pass; writes their names to names[size]. */
int sg_arm_missing(char *names, size_t size);

/*
 * What keeps runs apart, or their answers the same, otherwise than by a guard, failed its probe here: logged as event=unguarded,
 * and counted. sg_arm_lacks() has their names, NULL: there are none.
 */
void sg_arm_lacking(const char *name, const char *reason);
const char *sg_arm_lacks(void);

/* Undoes every guard. */
void sg_arm_stop(void);

#endif
