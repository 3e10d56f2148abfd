/*
 * generics.h - what typing makes of a workflow's classes and names, Box[int], List[Order], Optional['Order'], is the run's.
 *
 * typing remembers it by the class and the parameters, for all. What a run has made of the class meanwhile (other
 * parameters, none at all) would not be asked for again, an attribute that a run gives to Box[int] would be another
 * run's, and a name would stand for ever for the class of whoever looked it up first. So typing is given a function in
 * place of each of its caches that, in a run, keeps what belongs to classes of the workflow's, or is given a text, for the
 * run, or, while the modules are executed, for all runs of these modules. GIL: held.
 */
#ifndef SG_GENERICS_H
#define SG_GENERICS_H

#include "shim/run/context.h"

/* After sg_subclasses_install(). */
void sg_generics_install(void);
void sg_generics_remove(void);

/* The run's modules become an image's: what was made for them, for the image; new dict, NULL: nothing. */
PyObject *sg_generics_of_modules(struct sg_run *run);

#endif
