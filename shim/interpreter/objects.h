/*
 * objects.h - facts about the inside of cells, functions, partials, instances, abstract classes, locals and queues, each with
 * its probe.
 *
 * The companion of cpython.h: its rules hold here too. GIL: held.
 */
#ifndef SG_OBJECTS_H
#define SG_OBJECTS_H

#include "shim/interpreter/python.h"

#include <stdbool.h>

struct sg_objects {
	bool cells;             /* content */
	bool functions;         /* every word up to the vectorcall pointer is a reference, but for the list of weak ones */
	bool partials;          /* function, arguments, keywords, one after the other */
	bool instance_dicts;    /* where an instance has its dict when it is not among its fields */
	bool registries;        /* of an abstract class: the first word of its _abc_data */
	bool locals;            /* see sg_objects_locals_by_thread() */
	bool queue_lists;       /* a SimpleQueue keeps its items in a list */
};

extern struct sg_objects sg_objects;

/* After sg_cpython_probe() and sg_function_probe(). What is not proved is false. */
void sg_objects_probe(void);

/* Where a reference lies; NULL: that is not known. The word itself may be NULL. */
PyObject **sg_objects_cell(PyObject *cell);
PyObject **sg_objects_registry(PyObject *abc_data);
PyObject **sg_objects_partial(PyObject *partial);           /* see partials */
PyObject **sg_objects_instance_dict(PyObject *object);      /* NULL as well when its class has another way */

/* The words of a function: from the first one up to *ret_end, without the one at *ret_weak, bytes from its start. */
void sg_objects_function_words(Py_ssize_t *ret_weak, Py_ssize_t *ret_end);

/*
 * Does a threading.local have a dict of contents, under a key that a thread has for all locals? Else the thread's dict has,
 * under a key made of the local's address, an object that stands for the thread; the first word of that is the content, which
 * the local keeps alive in a dict under a weak reference to the object.
 */
bool sg_objects_locals_by_thread(void);

/* Where the object has it that stands for the thread; NULL: that is not known. */
PyObject **sg_objects_local_content(PyObject *stand_in);

/* A number that a class has for its instances, such as __weakrefoffset__; 0: none. */
Py_ssize_t sg_objects_class_number(PyTypeObject *class, const char *name);

#endif
