/*
 * subclasses.h - which classes a run sees among the subclasses of another.
 *
 * Each class knows those below it, whoever made them: LookupError.__subclasses__() would show a run what others made. So a
 * class that workflow code makes (type's own __new__ makes them all) is noted with the run that made it, or with the
 * run's modules where these are being executed, and type.__subclasses__, which is guarded in place, shows
 *   - a run: its own classes, those of its modules, and the host's
 *   - the host: the host's
 * Not among the host's are, for a run, what the host has made in another copy of a module that the run has for itself, or
 * a function of a library for that module while the host imported it.
 * The interpreter keeps its list as it is: only what the method answers is chosen. functools, typing, enum and the abstract
 * base classes ask the method. A class that is gone is forgotten with its weak reference, which is the one that its bases
 * have: nobody can count it. A run keeps the last 256 classes that it made until it ends: else which it sees would depend on
 * when the collector was at work.
 *
 * An interpreter on which the technique is not proved shows all classes to all (logged: event=unguarded).
 * GIL: held. Without a context, making a class costs one branch.
 */
#ifndef SG_SUBCLASSES_H
#define SG_SUBCLASSES_H

#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"

/* Proved for this interpreter? */
extern bool sg_subclasses_known;

/* The current thread asks for the host for once, though it is in a run. */
extern __thread bool sg_subclasses_as_host;

/* After sg_cpython_probe(). */
void sg_subclasses_install(void);
void sg_subclasses_remove(void);

/* May the current thread's run, or the host, see the class? */
bool sg_subclasses_visible(PyObject *class);

/* What else is done with a class that workflow code has made, in its context; NULL: nothing. A pending exception is not changed. */
extern void (*sg_subclasses_made)(PyTypeObject *class);

/* Was it made by workflow code, or while a workflow's modules were executed? */
bool sg_subclasses_is_noted(PyObject *class);

/*
 * Numbers count up in a run for what it makes, in place of addresses. Of such a class; 0: none. Those of its modules, of images
 * (shim/shared/identity.c) and of what runs aside are apart from the run's own, which its replay must come to.
 */
#define SG_HASHES_OF_MODULES ((Py_ssize_t)1 << 40)
#define SG_HASHES_OF_IMAGES ((Py_ssize_t)2 << 40)
#define SG_HASHES_ASIDE ((Py_ssize_t)3 << 40)
Py_ssize_t sg_subclasses_hash(PyObject *class);
Py_ssize_t sg_subclasses_next_hash(struct sg_run *run);
extern bool sg_subclasses_numbered; /* has a workflow's run, or its image, given any? */

/* Was it made by somebody else than the run and its modules: the host, another run? */
bool sg_subclasses_is_others(PyObject *class, const struct sg_run *run);

/* How many ever were. */
long sg_subclasses_noted(void);

/* The visible ones of these below an abstract class that are abstract themselves: new list, NULL with an exception. */
PyObject *sg_subclasses_abstract_below(PyObject *class);

/* Those right below a class, whoever made them: new list. NULL: not known, or with an exception. */
PyObject *sg_subclasses_all(PyObject *class);

/*
 * Puts a function into a slot of a class and of those below it that have it from there, which must go on having the same. 0,
 * or -1, with or without an exception.
 */
int sg_subclasses_replace(PyTypeObject *class, void **(*slot_of)(PyTypeObject *), void *original, void *replacement);
int sg_subclasses_replace_new(PyTypeObject *class, sg_newproc original, sg_newproc replacement);

/* The number of the run that makes something now, or 0: its modules are being executed, and it is theirs. */
uint64_t sg_subclasses_maker(const struct sg_context *context);

/* A number that nobody else has, for a run or for a table of modules. */
uint64_t sg_subclasses_number(void);

#endif
