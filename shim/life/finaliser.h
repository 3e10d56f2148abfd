/*
 * finaliser.h - no generator of a workflow is ended outside of its run.
 *
 * A suspended generator or coroutine that loses its last reference is ended then and there: its finally blocks run.
 * Within an activation of its own run that is what the workflow asked for. Anywhere else (on the thread of an
 * activity, in another run's activation, and wherever the garbage collector finds it in a cycle, which happens at
 * another time on replay) it would run on a stranger's thread and see a stranger's module state. So the gate of
 * shim/interpreter/generator.h holds it up:
 *   - the run it belongs to is known and has not left: it is kept, and closed when the run ends (shim/life/ending.h)
 *   - else it is freed without being run. That is so when its run has left already, and for a run of a shared
 *     image, since nothing in it tells which one of several it belongs to. (For the same reason one that a run gave
 *     to the host, and another run of the image drops, counts as the other's.)
 * It belongs to the run in whose module its code is, or the code of what it awaits. Generators of the host and of
 * shared libraries are not held up. Other finalisers (__del__, weakref callbacks) are not either; the end of a
 * run calls those it can reach. An interpreter on which the gate is not proved does without (logged).
 * GIL: held, everywhere.
 */
#ifndef SG_FINALISER_H
#define SG_FINALISER_H

#include "shim/run/context.h"

void sg_finaliser_install(void);

/* The run has modules, and will have left by sg_finaliser_forget(), where what was kept is forgotten as well. */
void sg_finaliser_track(struct sg_run *run);
void sg_finaliser_forget(struct sg_run *run);

/* The runs that have not left, by ->next. */
struct sg_run *sg_finaliser_runs(void);

/* One that would not die is freed without being run again. */
void sg_finaliser_refuse(PyObject *generator);

/* Is the generator, or what it awaits, code of one of the modules in this table? */
bool sg_finaliser_is_of(PyObject *generator, PyObject *modules);

#endif
