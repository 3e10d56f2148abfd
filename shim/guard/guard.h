/*
 * guard.h - guards on callables, patched in place.
 *
 * The object that everybody already holds is changed, never replaced, so identity, pickling, isinstance and
 * "from x import y" taken earlier stay true:
 *  - C functions and C methods: PyMethodDef.ml_meth becomes a trampoline of the same calling convention.
 *  - Python functions: see sg_function_hook().
 *  - C classes: tp_init, or tp_new where the class has no own tp_init, with the slot wrapper and the subclasses
 *    that inherited the pointer.
 *  - Python classes: their own __init__, else their own __new__, as Python functions.
 *  - Properties: the Python function that reads them.
 * A guard costs one load and one branch outside a context. GIL: held.
 */
#ifndef SG_GUARD_H
#define SG_GUARD_H

#include "shim/guard/decide.h"

/*
 * Puts a guard for rule on target. copy: target was found in a run's own module; what a Python statement made there goes
 * with the run, so it is neither listed nor kept alive. 0; -EEXIST: a guard is there already; -ENOTSUP: not a
 * kind of callable that can be guarded, or a foreign replacement; -EROFS: in read-only memory; -ENOSPC: no trampoline
 * left.
 */
int sg_guard_install(const struct sg_rule *rule, sg_condition condition, PyObject *target, bool copy);

/* Undoes all, in reverse order. */
void sg_guard_remove_all(void);

/*
 * Workflow code is about to run. What had replaced a C function in place before us, as time-machine does, may have put it back
 * meanwhile, and our guard is gone with it: it is put there again. Cheap where there is none.
 */
void sg_guard_look_again(void);

/* How many are in place. */
int sg_guard_count(void);

#endif
