/*
 * named.h - what shared modules hold and workflow code gets at by name: lists, dicts, sets, objects, and their attributes.
 *
 * A store to a container is seen by nobody (urllib.parse.uses_relative.append, pprint.PrettyPrinter._dispatch[...]), so
 * what a run does to it is found by comparison. What to compare is told by the names in the workflow's own code: each that
 * leads from a global or an imported module to something of a shared module; and, where the name is that of a shared
 * function that says it changes something (set..., add..., register...), by the names in that function, so that the
 * setters of unknown libraries are seen, but not the caches that their other functions keep. Where that code writes to
 * something, also what containers hold (four levels, 64 entries of each), and what its calls are handed: a global that a
 * function returns, what it remembers (lru_cache), the one object of a class (singletons), members of an enumeration, the
 * thread, from the first activation on that began after it was made. Buffers (bytearray, array, numpy) up to 1 MiB.
 *
 * All that is compared before and after each activation, some nanoseconds for each (a dict's version, where there is one),
 * reported as state.object at the line that has the name, refused in mode strict by failing the task, and put back. Where
 * other threads have run in between, the change may be one of theirs: it is reported and refused all the same, for nobody
 * can tell, but not put back.
 *
 * Iterators of C code are compared as they are in memory, and not put back. A library's counters are its own business, as its
 * caches are. But a module of the user's own may be shared, too: what its functions count (globals, attributes, cells of a
 * closure that hold numbers) and the iterators that they take from are compared, whatever the functions are called, but for
 * activities. Where an activity calls the same function meanwhile nobody can tell who has counted: it is told.
 *
 * Not seen: how far a generator is, what is reached by an alias that workflow code makes at run time, what C code keeps to
 * itself. GIL: held.
 */
#ifndef SG_NAMED_H
#define SG_NAMED_H

#include "shim/run/context.h"

/* Around an activation, outside the context. A pending exception is kept. */
void sg_named_begin(struct sg_run *run);
void sg_named_end(struct sg_run *run);

/*
 * In an activation: something begins, or ends, whose changes are the host's and stay: a block in which workflow code may do
 * anything, a shared module that is executed because the run is the first to import it.
 */
void sg_named_host_changes(struct sg_run *run, bool begins);

/* The policy ends, or its workflow file has changed: what its code names is looked for anew. */
void sg_named_forget(struct sg_policy *policy);

void sg_named_remove(void);

#endif
