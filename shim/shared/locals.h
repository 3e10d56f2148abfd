/*
 * locals.h - what a workflow keeps in a threading.local belongs to the run, whichever thread runs it.
 *
 * A run is like a thread of its own: its activations may be on different threads, and its threads run others. So each
 * threading.local that workflow code makes (also while its modules are executed) is known to its run; at the end of
 * an activation what the run has there is taken away from the thread, at the beginning of the next one it is given to
 * the thread that the run is on then. A run begins with nothing in there, as on a new thread (a subclass's __init__ is
 * called by the interpreter at the first use): what was put there by the thread that imported the modules is dropped, as
 * no activation would find it without us either.
 *
 * Where the inside of a threading.local is not proved, its content cannot be moved: an image that has one is private.
 * GIL: held. No function here runs workflow code, but for what dies with a local.
 */
#ifndef SG_LOCALS_H
#define SG_LOCALS_H

#include "shim/run/context.h"

/* Proved for this interpreter, and new ones are told? */
extern bool sg_locals_known;

/* After sg_subclasses_install(), whose look-up of subclasses it needs. */
void sg_locals_install(void);

/* The run's modules become an image's: their locals, for the image; new list, NULL: it has none. */
PyObject *sg_locals_of_modules(struct sg_run *run);

/* The current thread enters the run: what it has there for another is put aside. New reference for leave, or NULL. */
PyObject *sg_locals_enter(struct sg_run *run);

/* Takes what enter answered. keep: as part of the run; else what is there now is dropped. */
void sg_locals_leave(struct sg_run *run, PyObject *aside, bool keep);

#endif
