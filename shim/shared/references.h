/*
 * references.h - which weak references to an object a run can count.
 *
 * An object knows all weak references to it, and weakref.getweakrefcount() and getweakrefs() would show a run those of
 * others. So a weak reference or proxy that workflow code makes is noted with the run, or with the modules that are being
 * executed; the two functions, guarded in place, show a run its own, those of its modules and those that nobody noted
 * (the host's and the interpreter's), and the host the latter. One without a callback is the same for all who ask for
 * it, so it may be several runs'. A reference is forgotten when it dies: its type's tp_dealloc tells.
 *
 * Where that is not proved all are shown (logged: event=unguarded). GIL: held. Without a context, making a reference and its
 * death cost a branch each.
 */
#ifndef SG_REFERENCES_H
#define SG_REFERENCES_H

#include "shim/interpreter/python.h"

/* After sg_subclasses_install(). */
void sg_references_install(void);
void sg_references_remove(void);

/* A weak reference of our own, which nobody is shown until somebody makes the same one: new, or NULL with an exception. */
PyObject *sg_references_hidden(PyObject *object);

#endif
