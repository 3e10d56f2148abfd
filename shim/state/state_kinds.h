/*
 * state_kinds.h - the kinds of content there are, for the table in state.c, and what their files share.
 */
#ifndef SG_STATE_KINDS_H
#define SG_STATE_KINDS_H

#include "config/types.h"
#include "shim/state/state.h"

/* state_containers.c */
extern const struct sg_state_kind sg_state_factory, sg_state_list, sg_state_set, sg_state_deque, sg_state_ordered,
	sg_state_bytearray, sg_state_array;
/* state_objects.c */
extern const struct sg_state_kind sg_state_generator, sg_state_struct, sg_state_buffer, sg_state_lock, sg_state_queue,
	sg_state_cache, sg_state_iterator, sg_state_fields, sg_state_context, sg_state_module, sg_state_partial;
/* state_code.c */
extern const struct sg_state_kind sg_state_function, sg_state_cell, sg_state_class, sg_state_names,
	sg_state_registry, sg_state_slots;

/* Has a class of its own register of subclasses? */
bool sg_state_has_registry(PyObject *class);

/* Has the object's class __slots__? */
bool sg_state_has_slots(PyTypeObject *type);

/* Stands for "no value" in snapshots: borrowed. */
PyObject *sg_state_no_value(void);

/* Calls a method; argument: NULL for none. New reference. */
PyObject *sg_state_call(PyObject *object, const char *method, PyObject *argument);
int sg_state_call_and_drop(PyObject *object, const char *method, PyObject *argument);

/* The same for a method of the object's C class, which a subclass may have overridden. */
PyObject *sg_state_call_base(PyObject *object, const char *method, PyObject *argument);
int sg_state_call_base_and_drop(PyObject *object, const char *method, PyObject *argument);

/* An attribute by the descriptor of the object's C class, whatever a subclass makes of it. value: NULL deletes. */
PyObject *sg_state_get_base(PyObject *object, const char *name);
int sg_state_set_base(PyObject *object, const char *name, PyObject *value);

/* Have two dicts the same items in the same order, at whatever positions? */
bool sg_state_same_order(PyObject *dict, PyObject *twin);

/* Do two tuples hold the same objects? */
bool sg_state_same_items(PyObject *a, PyObject *b);

/* Is now, a new reference or NULL, the same tuple, by that measure? 1, 0, -1: now is NULL. */
int sg_state_compare_items(PyObject *now, PyObject *snapshot);

/* Is it equal? Only for values whose == runs no Python code. */
int sg_state_compare(PyObject *now, PyObject *snapshot);

/* What the configuration says of a C class. */
enum sg_type_trait sg_state_declared(PyTypeObject *type);

/* The C class that says what an object's own memory holds. */
PyTypeObject *sg_state_c_class(PyTypeObject *type);

/* The first C class, which may add fields to what that one holds. */
PyTypeObject *sg_state_first_c_class(PyTypeObject *type);

/* Where in an object's memory from a certain offset on a reference lies: NULL when there is none. */
const void *sg_state_find_word(PyObject *object, Py_ssize_t from, Py_ssize_t to, PyObject *value);

#endif
