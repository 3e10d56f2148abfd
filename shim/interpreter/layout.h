/*
 * layout.h - the heads of CPython's structures, for cpython.c and function.c alone.
 *
 * The same in 3.10-3.15 with a GIL. Each is declared as far as it is used; the probes compare it with the public API.
 */
#ifndef SG_LAYOUT_H
#define SG_LAYOUT_H

#include "shim/interpreter/cpython.h"

struct object {
	Py_ssize_t refcount;
	PyTypeObject *type;
};

struct c_function {
	struct object base;
	PyMethodDef *def;
	PyObject *self;
};

struct descriptor {
	struct object base;
	PyTypeObject *owner;
	PyObject *name;
	PyObject *qualname;
	void *payload;  /* PyMethodDef *, or struct wrapperbase * of a slot wrapper */
	void *wrapped;  /* the slot's function, of a slot wrapper */
};

struct type_head {
	struct object base;
	Py_ssize_t size;
	const char *name;
	Py_ssize_t basicsize, itemsize;
	void *dealloc;
	Py_ssize_t vectorcall_offset;
	void *getattr, *setattr, *as_async, *repr;
	void *as_number, *as_sequence, *as_mapping;
	void *hash, *call, *str, *getattro, *setattro;
	void *as_buffer;
	unsigned long flags;
	const char *doc;
	void *traverse, *clear, *richcompare;
	Py_ssize_t weaklist_offset;
	void *iter, *iternext;
	void *methods, *members, *getset;
	PyTypeObject *type_base;
	PyObject *dict;
	void *descr_get, *descr_set;
	Py_ssize_t dict_offset;
	sg_initproc init;
	void *alloc;
	sg_newproc new;
	void *free, *is_gc;
	PyObject *bases, *mro, *cache, *subclasses, *weaklist;
	void *del;
	unsigned int version_tag;
};

#endif
