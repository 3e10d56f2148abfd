/*
 * classes.h - calls of Python classes, with the probe that proves what is said here.
 *
 * From 3.12 on a call site that has met a plain class a few times makes the object and runs its Python __init__ at once,
 * without asking the class's slots, and from 3.13 on without the function's vectorcall either. What it does ask is whether
 * __init__ is exactly a function, and tp_alloc exactly the usual one.
 *
 * GIL: held.
 */
#ifndef SG_CLASSES_H
#define SG_CLASSES_H

#include "shim/interpreter/cpython.h"

struct sg_classes {
	bool makers;    /* the __init__ of a class can be hooked */
	bool need_type; /* ... only by a subtype of function */
	bool slots;     /* a class can be made to go by its slots */
};

extern struct sg_classes sg_classes;

/* After sg_cpython_probe(), which calls it. What is not proved is false. */
void sg_classes_probe(void);

/*
 * sg_function_hook() for the __init__ or __new__ of a class, for the classes below it as well. Undone by
 * sg_function_unhook(). Returns as it does.
 */
int sg_classes_hook(PyTypeObject *class, PyObject *function, sg_vectorcall hook);

/*
 * From now on each call of the class asks its tp_init, also where it inherits a Python __init__. 0, or -ENOTSUP.
 * The caller changes the slot and calls PyType_Modified().
 */
int sg_classes_use_slots(PyTypeObject *type);

/*
 * The byte of a class that tells what a match statement takes its objects for, a mapping or a sequence, in these bits: to
 * register it with such an abstract class sets them. NULL: where it lies is not known.
 */
#define SG_CLASSES_MATCHED 0x60
unsigned char *sg_classes_matched(PyTypeObject *class);

#endif
