/*
 * identity.h - numbers where addresses would be seen.
 *
 * Where an object lies differs on each worker. Python code sees it in two ways that cannot be refused, as harmless code goes
 * by them all the time:
 *   - the text of an object that has none of its own, "<Order object at 0x7f3a10>". In a run it shows a number, which the
 *     object gets when its text is asked for the first time
 *   - the order of sets, by the hash of objects that have none of their own. Classes that workflow code makes have a
 *     number there, too, and their instances, its functions, coroutines and generators one the first time that a hash is asked for, for
 *     their lives; those that belong to an image have theirs when the image is complete. A method's hash is put together from such numbers
 * What runs aside (a query) gives no number in texts, as it is not replayed, and numbers of their own to what is hashed there
 * first; texts for sinks have numbers of their own, as loggers are silent on replay.
 * Numbers count up in each run, those in texts by 16 as addresses do, so that its replay comes to the same ones. In the
 * host, addresses are shown as ever. An object without weak references cannot be told from the next one at its address: it
 * shares the number there, and its hash is the address. So is that of others' classes and functions, and instances of
 * others' classes, which the host asks for as well.
 *
 * Each technique that is not proved on an interpreter is left out (logged: event=unguarded). GIL: held. Without a context, a
 * text costs one branch, and a hash a look for the number.
 */
#ifndef SG_IDENTITY_H
#define SG_IDENTITY_H

#include "shim/interpreter/python.h"
#include "shim/run/context.h"

/* After sg_subclasses_install(). */
void sg_identity_install(void);
void sg_identity_remove(void);

/* The host has imported this module. */
void sg_identity_imported(const char *module);

/* The number in the texts of an object in a run; 0: no memory, or it has none and what runs is not replayed. A pending exception is kept. */
unsigned long sg_identity_number(struct sg_run *run, PyObject *object);

/* One of the objects of an image that is complete, of these modules, and which: that must not depend on addresses. */
void sg_identity_of_image(PyObject *object, size_t number, PyObject *modules);

/* The run leaves. */
void sg_identity_release(struct sg_run *run);

#endif
