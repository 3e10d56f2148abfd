/*
 * abstract.h - what abstract base classes remember of a run's classes is the run's.
 *
 * An abstract base class remembers which classes were registered with it and how issubclass() was answered. Those of the
 * standard library and of shared libraries are the same for all runs; those of an image have answers that depend on what the
 * run has made of its classes. So the three functions of module _abc by which all goes are guarded in place. In a run
 *   - a class that is registered with a shared one is registered for the run, or, while the modules are executed, for all
 *     runs of these modules
 *   - a question with a class of the workflow's in it is answered as _abc does it, from what the run sees, and is
 *     remembered for the run
 *   - any other is first answered as for the host, which may remember it; then what was registered for the run and the
 *     workflow's abstract classes below the one that was asked are
 * What is registered with a class of the image is its state (shim/state/state_code.c). Not the run's own is what a match
 * statement then takes the class for, a mapping or a sequence: it is written into the class.
 *
 * Where the functions are not as expected, one memory serves all (logged: event=unguarded).
 * GIL: held.
 */
#ifndef SG_ABSTRACT_H
#define SG_ABSTRACT_H

#include "shim/run/context.h"

/* After sg_subclasses_install(). */
void sg_abstract_install(void);
void sg_abstract_remove(void);

/*
 * A run's turn begins or ends. The interpreter's token, by which functools.singledispatch and others see whether what they have
 * kept of abstract classes still holds, changes, if they are registered in another way for this run than for others. Keeps a
 * pending exception.
 */
void sg_abstract_turn(const struct sg_run *run);

/* The run's modules become an image's: what they registered, for the image; new dict, NULL: nothing. */
PyObject *sg_abstract_of_modules(struct sg_run *run);

#endif
