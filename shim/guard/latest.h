/*
 * latest.h - what a shared library keeps in a global of the times that it was told is the run's.
 *
 * uuid6() and its kin remember the time of their last identifier, and add to it where the clock has not moved on. A run is
 * told its own time, so that of another run, or of the same one before its replay, would make its identifiers others. So a
 * global that a function stores to which asked for something that was answered is exchanged then, before the function goes
 * on, and put back when the activation ends. A run begins with what the module's own code gives to that global: where that
 * is no constant, nothing is exchanged. Not seen: what is kept in an object or a closure, what the function read of the
 * global before it asked, and what those store that called it. GIL: held.
 */
#ifndef SG_LATEST_H
#define SG_LATEST_H

#include "shim/run/context.h"

/*
 * In an activation, the context suspended: this code, of a frame on this thread, is told something. aside: where nothing may be
 * left behind (a query). No exception.
 */
void sg_latest_told(struct sg_run *run, PyObject *code, bool aside);

/* The activation ends. */
void sg_latest_leave(struct sg_run *run);

#endif
