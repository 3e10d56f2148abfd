/*
 * undo.h - what a run changed in objects that others share, put back when its activation ends.
 *
 * An activation notes what it is about to change, with what was there before. Its end puts that back, the last change
 * first, wherever the run's own value is still in place: what somebody else has written since stays. So the host sees a
 * change at most while that activation runs, and other runs never: from the first on it has its turn alone (turn.h).
 * Not in modules that are neither the standard library's nor installed: a worker that shares its own modules with its
 * workflows may be there to see what they write. Calls are put back by what the interpreter or the library has for it; a
 * call that nothing is known to undo is only reported. Modes that only watch put nothing back.
 *
 * Notes belong to the thread: an activation does not change threads. GIL: held.
 */
#ifndef SG_UNDO_H
#define SG_UNDO_H

#include "shim/guard/decide.h"

/* An attribute of a module, class or function is about to become value, NULL: to go. No exception. */
void sg_undo_note_store(PyObject *target, PyObject *name, PyObject *value);

/* Has the activation changed an attribute of it already? */
bool sg_undo_knows(PyObject *target);

/* May what the module holds be put back? */
bool sg_undo_may(PyObject *module);

/*
 * A guarded call with a rule that can be undone is about to be made. rule: true, where what it changes can be compared, and
 * then the verdict is left to the end of the activation: at the place of its first call, if the change is still there.
 * NULL: the call has been judged. No exception.
 */
bool sg_undo_note_call(const struct sg_call *call, const struct sg_rule *rule, PyObject *code, int line);

typedef enum sg_action (*sg_undo_judge)(struct sg_run *run, const struct sg_rule *rule, const char *name, PyObject *code, int line);

/*
 * The end of an activation, or of anything else that entered a context; late: sg_decide_late(). Keeps a pending exception.
 * Cheap where nothing has been noted.
 */
void sg_undo_all(sg_undo_judge late);

/* 0, or -1 with an exception. */
int sg_undo_install(void);
void sg_undo_remove(void);

#endif
