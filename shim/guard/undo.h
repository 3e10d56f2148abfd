/*
 * undo.h - what a run changed in objects that others share, put back when its activation ends.
 *
 * An activation notes what it is about to change, with what was there before. Its end puts that back, the last change
 * first, wherever the run's own value is still in place: what somebody else has written since stays. So the host and
 * other runs see a change at most while that activation runs. Not in modules that are neither the standard library's nor
 * installed: a worker that shares its own modules with its workflows may be there to see what they write. Calls are put back by what the interpreter or the library
 * has for it; a call that nothing is known to undo is only reported. Modes that only watch put nothing back.
 *
 * Notes belong to the thread: an activation does not change threads. GIL: held.
 */
#ifndef SG_UNDO_H
#define SG_UNDO_H

#include "shim/guard/decide.h"

/* An attribute of a module, class or function is about to become value, NULL: to go. No exception. */
void sg_undo_note_store(PyObject *target, PyObject *name, PyObject *value);

/* May what the module holds be put back? */
bool sg_undo_may(PyObject *module);

/* A guarded call with a rule that can be undone is about to be made. No exception. */
void sg_undo_note_call(const struct sg_call *call);

/*
 * The end of an activation, or of anything else that entered a context. Keeps a pending exception. Cheap where nothing
 * has been noted.
 */
void sg_undo_all(void);

/* 0, or -1 with an exception. */
int sg_undo_install(void);
void sg_undo_remove(void);

#endif
