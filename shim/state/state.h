/*
 * state.h - saving and putting back the content of a mutable object, in place.
 *
 * One table says what a type's content is and how it is read, compared and exchanged; a type that is not in it is
 * either known to be immutable or unknown. An object of a Python class is taken apart: the content of its C base (dict,
 * list, object ...), its __dict__ (an object of its own, a dict) and its __slots__. Identity of the object is
 * never touched. Comparison is by identity of what is contained, never by ==. GIL: held, context suspended; no
 * function here runs workflow code.
 */
#ifndef SG_STATE_H
#define SG_STATE_H

#include "shim/interpreter/guts.h"
#include "shim/interpreter/python.h"

#include <stdbool.h>

struct sg_state_kind {
	const char *name;
	/* A new reference to a snapshot; NULL with an exception. */
	PyObject *(*save)(PyObject *object);
	/* 1: the content is that of the snapshot, 0: not, -1: exception. */
	int (*same)(PyObject *object, PyObject *snapshot);
	/* Makes the content that of the snapshot. 0, or -1 with an exception. NULL: there is exchange. */
	int (*restore)(PyObject *object, PyObject *snapshot);
	/* The same, and what was there becomes the snapshot's. NULL: there is restore. */
	int (*exchange)(PyObject *object, PyObject **snapshot);
	/* The memory that changes with the content, in addition to the dict below. NULL, or 0: there is none known. */
	int (*memory)(PyObject *object, struct sg_memory memory[SG_MEMORY_MAX]);
	/* The dict that holds the content or a part of it: borrowed. NULL: none. */
	PyObject *(*dict)(PyObject *object);
	bool hashes;    /* a dict, and to save the pristine content asks its keys for their hashes */
	bool own;       /* iterators know where in memory it lies: a run that may have one keeps it */
};

#define SG_STATE_KINDS_MAX 4

/*
 * The kinds that make up an object's own content, its __dict__ not included: fills kinds[], returns how many;
 * 0: it has none or cannot change; -1: its type is not known (no exception).
 */
int sg_state_kinds(PyObject *object, const struct sg_state_kind *kinds[SG_STATE_KINDS_MAX]);

/* Puts the snapshot's content in place; *snapshot becomes what was there. 0, or -1 with an exception. */
int sg_state_exchange(const struct sg_state_kind *kind, PyObject *object, PyObject **snapshot);

/* Objects of this type hold nothing that can change and lead to nothing else: not worth a look. */
bool sg_state_atomic(PyTypeObject *type);

/* Does an object refer to nothing but machinery of its own, as a threading.local does? */
bool sg_state_leads_nowhere(PyObject *object);

/* The C class that an object's class is or derives from. */
PyTypeObject *sg_state_type(PyObject *object);

/* The Python class among the bases that has __del__: borrowed, or NULL. */
PyTypeObject *sg_state_destructor(PyTypeObject *type);

/* The name that section [types] has for a class: MODULE.NAME, or as C code gave it. */
void sg_state_class_name(PyTypeObject *class, char *text, size_t size);

/* Does the configuration say that no run lets go of such an object? */
bool sg_state_is_kept(PyObject *object);

/* The kind of any dict. */
extern const struct sg_state_kind sg_state_dict;

/* Of the generator of a context manager that was entered and never left: that it stays so. Cannot be restored. */
extern const struct sg_state_kind sg_state_entered;

/* Of an object that has a __dict__: which one, and its class. */
extern const struct sg_state_kind sg_state_namespace;

#endif
