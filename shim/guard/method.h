/*
 * method.h - a method of the engine's in whose place a function of ours stands. GIL: held.
 */
#ifndef SG_METHOD_H
#define SG_METHOD_H

#include "shim/interpreter/python.h"

struct sg_method {
	const char *class, *name;
	/* args: all that it is called with, the object itself first. */
	PyObject *(*call)(struct sg_method *method, PyObject *args, PyObject *kwargs);
	void *data;
	PyObject *owner, *original; /* filled in: the class of that name in the engine's module, and its own */
	PyMethodDef def;
};

/* 0, or -1 with an exception. */
int sg_method_put(struct sg_method *method, PyObject *module);

/* If it was put there. Never fails. */
void sg_method_remove(struct sg_method *method);

#endif
