/*
 * cpython.h - every fact about CPython's inside that is not in its manual, with the probe that proves it.
 *
 * Nothing else in the tree knows an offset or a version. sg_cpython_probe() proves, on the very interpreter that is
 * running, each technique below; what fails is switched off or has a documented slower way, and the
 * caller logs it. GIL: held, everywhere.
 *
 * Rules of this file:
 *  1. Memory is read only after sg_cpython_readable() said it is mapped, until the probe passed.
 *  2. Memory is written only when sg_cpython_writable() said so (a const PyMethodDef lies in RELRO).
 *  3. A layout is compared with what the public API says about the same object before it is believed.
 */
#ifndef SG_CPYTHON_H
#define SG_CPYTHON_H

#include "shim/interpreter/python.h"

#include <stdbool.h>

typedef PyObject *(*sg_vectorcall)(PyObject *, PyObject *const *, size_t, PyObject *);
typedef int (*sg_initproc)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*sg_newproc)(PyTypeObject *, PyObject *, PyObject *);

/* The 3.x that are served. */
#define SG_CPYTHON_OLDEST 10
#define SG_CPYTHON_NEWEST 15

struct sg_cpython {
	int major, minor;
	char version[32];           /* "3.11.7" */
	bool method_defs;           /* PyMethodDef of a C function is found and can be swapped */
	bool functions;             /* calls of a Python function can be caught in place */
	bool functions_need_type;   /* ... only by a subtype of function (3.11) */
	bool getters;               /* ... of one that is a property's, too */
	bool getters_need_type;     /* ... only by that subtype (3.14) */
	bool type_slots;            /* tp_init and tp_new are where we think */
	bool type_versions;         /* a class may have few versions in its life (3.13): which it has is where we think */
	bool dict_types;            /* the type of a dict can be changed in place */
};

extern struct sg_cpython sg_cpython;

/*
 * The version alone. 0, or -ENOTSUP when this interpreter cannot be served at all (unknown version,
 * free-threaded): then *ret_reason says why.
 */
int sg_cpython_version(const char **ret_reason);

/* Fills all of sg_cpython; returns as above. A technique that is not proved is false. */
int sg_cpython_probe(const char **ret_reason);

bool sg_cpython_readable(const void *address, size_t size);
bool sg_cpython_writable(const void *address, size_t size);

/* Where an object's own fields begin, after reference count and type. */
Py_ssize_t sg_cpython_fields(void);

PyTypeObject *sg_cpython_type(PyObject *object);

/* Is it a class, a str? */
bool sg_cpython_is_class(PyObject *object);
bool sg_cpython_is_text(PyObject *object);
const void *sg_cpython_type_word(PyObject *object);           /* where the object says so */

PyTypeObject *sg_cpython_type_base(PyTypeObject *type);       /* borrowed, NULL for object */
PyObject *sg_cpython_type_dict(PyTypeObject *type);           /* borrowed; of a heap type */
const char *sg_cpython_type_name(PyTypeObject *type);         /* tp_name */
Py_ssize_t sg_cpython_basicsize(PyTypeObject *type);
Py_ssize_t sg_cpython_refcount(PyObject *object);

/* Changes the type of an object in place. new_type gains a reference, the old one loses none if it is static. */
void sg_cpython_set_type(PyObject *object, PyTypeObject *new_type);

/*
 * PyMethodDef behind a builtin function or bound method, a method descriptor or a classmethod
 * descriptor; NULL (no exception) for anything else.
 */
PyMethodDef *sg_cpython_method_def(PyObject *callable);

/* m_self of a builtin function or bound C method: borrowed, may be NULL. */
PyObject *sg_cpython_method_self(PyObject *callable);

/* The function pointer inside a slot wrapper such as socket.__init__; NULL when it is none. */
void **sg_cpython_wrapped_slot(PyObject *wrapper);

/* One of the same slot (see above) for a type's own function. New reference, or NULL with an exception. */
PyObject *sg_cpython_new_wrapper(PyTypeObject *type, PyObject *wrapper, void *function);

/* Address of a slot in the type object. */
sg_initproc *sg_cpython_init_slot(PyTypeObject *type);
sg_newproc *sg_cpython_new_slot(PyTypeObject *type);
void **sg_cpython_dealloc_slot(PyTypeObject *type);
void **sg_cpython_hash_slot(PyTypeObject *type);
void **sg_cpython_repr_slot(PyTypeObject *type);
void **sg_cpython_iter_slot(PyTypeObject *type);
void **sg_cpython_getattro_slot(PyTypeObject *type);
void **sg_cpython_setattro_slot(PyTypeObject *type);
void **sg_cpython_vectorcall_slot(PyTypeObject *type);  /* of calling the type itself */

/* The version that a class has for the interpreter's caches, 0: none; NULL: see type_versions. */
unsigned int *sg_cpython_version_tag(PyTypeObject *type);

/* What the class C that source makes has in a slot, NULL: that failed. */
void *sg_cpython_slot_of(const char *source, int slot);

/* Was the class made by C code (PyType_FromSpec, static), as opposed to a class statement? */
bool sg_cpython_is_c_class(PyTypeObject *type);

/* What a weak reference leads to: borrowed, NULL without an exception when it is gone. */
PyObject *sg_cpython_referent(PyObject *reference);

/* The objects that an object refers to, with repetitions: new list. */
PyObject *sg_cpython_referents(PyObject *object);

/* Number of positional arguments in a vectorcall's nargsf. */
static inline Py_ssize_t sg_cpython_vectorcall_nargs(size_t nargsf)
{
	return (Py_ssize_t)(nargsf & ~((size_t)1 << (8 * sizeof(size_t) - 1)));
}

/* For probes: runs source in a new namespace that holds value under a name (or NULL, NULL): new dict. */
PyObject *sg_cpython_run(const char *source, const char *name, PyObject *value);

/* For probes: an item of such a namespace, borrowed or NULL; the int or bool that a call answers, -1: it failed. */
PyObject *sg_cpython_item(PyObject *dict, const char *key);
long sg_cpython_call(PyObject *callable);

/*
 * For probes: a namespace in which target is called in several ways, specialised ones included (NULL: a Python
 * function that answers 1); and does each way answer what is expected?
 */
PyObject *sg_cpython_run_calls(PyObject *target);
bool sg_cpython_calls_answer(PyObject *namespace, long expected);

/* Globals of a frame: new reference, NULL without an exception when it has none. */
PyObject *sg_cpython_frame_globals(PyObject *frame);

/*
 * Outward over the Python frames of this thread: struct sg_frames at = {0}; while (sg_frames_next(&at)) ...; sg_frames_end(&at).
 * What it holds goes with the next step and with the end.
 */
struct sg_frames {
	PyObject *frame, *code, *globals; /* globals may be NULL */
	bool begun;
};
bool sg_frames_next(struct sg_frames *at);
void sg_frames_end(struct sg_frames *at);

/* A variable of the frame (of a class's body: of the class), new reference; NULL: it has none. No exception. */
PyObject *sg_frames_local(const struct sg_frames *at, const char *name);

/* What this frame calls at this moment: does it let go of the answer? No exception. */
bool sg_cpython_result_dropped(const struct sg_frames *at);

/*
 * This frame calls a global function of that name: is the answer made into a text at once or a number made smaller by a constant, or
 * given to one of the functions or methods named in takers (up to NULL) alone? Or is it called for what the frame calls with key=, which
 * puts in order? No exception.
 */
bool sg_cpython_result_told(const struct sg_frames *at, const char *function, const char *const *takers);

/*
 * A new type NAME derived from a builtin base; new reference. The spec is turned into a heap type that is never
 * freed (objects are switched to and from it).
 */
PyTypeObject *sg_cpython_new_type(PyType_Spec *spec, PyTypeObject *base);

#endif
