/*
 * function.h - catches the calls of a Python function in place.
 *
 * The companion of cpython.h: its rules hold here too. GIL: held.
 */
#ifndef SG_FUNCTION_H
#define SG_FUNCTION_H

#include "shim/interpreter/cpython.h"

/* Fills functions, getters and what they need of sg_cpython. After the type slots have been proved. */
void sg_function_probe(void);

/*
 * Catches every call of a Python function: all of them arrive at hook with the same arguments. The original is
 * called through sg_function_call(). Returns 0; -EEXIST: the hook is there already; -ENOTSUP: the function is not
 * a plain one or was hooked by somebody else.
 */
int sg_function_hook(PyObject *function, sg_vectorcall hook);
void sg_function_unhook(PyObject *function);

/* The same of a hooked function that is the getter of a property of class: reads specialised before and after arrive there. 0 or -ENOTSUP. */
int sg_function_hook_reads(PyObject *getter, PyTypeObject *class);

PyObject *sg_function_call(PyObject *function, PyObject *const *args, size_t nargsf, PyObject *kwnames);

/* Where in a function its vectorcall pointer is: after all that Python code can change. */
Py_ssize_t sg_function_vectorcall_offset(void);

/* A subtype of function, for those that specialised calls must not take for one: borrowed, NULL if it cannot be made. */
PyTypeObject *sg_function_subtype(void);

/* For probes: a hook that answers 2. */
PyObject *sg_function_probe_hook(PyObject *function, PyObject *const *args, size_t nargsf, PyObject *kwnames);

#endif
