/*
 * containers.h - facts about the inside of dict, set and lru_cache, each proved by a probe.
 *
 * The companion of cpython.h: its rules hold here too. GIL: held.
 */
#ifndef SG_CONTAINERS_H
#define SG_CONTAINERS_H

#include "shim/interpreter/guts.h"
#include "shim/interpreter/python.h"

#include <stdbool.h>

struct sg_containers {
	bool dicts;                 /* keys and values of a dict are where we think, split or not */
	bool dict_tags;             /* a dict has a version that every change changes */
	bool instance_tags;         /* ... an instance's dict too, when attributes are set by hot code */
	bool split_memory;          /* where an instance keeps the values of its dict (3.13) */
	bool watchers;              /* every change of a watched dict is told, an instance's dict included */
	bool changes;               /* ... one way or the other every change of every dict can be seen */
	bool watched;               /* a dict says whether somebody watches it */
	bool sets;                  /* the table of a set is where we think */
	bool caches;                /* the list of an lru_cache is where we think */
};

extern struct sg_containers sg_containers;

/* Fills sg_containers; what is not proved is false. */
void sg_containers_probe(void);

/*
 * What changes with every change of the dict: the version where there is one (see dict_tags), or its parts (see
 * split_memory), which are three. Returns how many; 0: nothing is known to.
 */
int sg_containers_dict_memory(PyObject *dict, struct sg_memory memory[]);

/* Do its values lie with an instance, which may change them past the dict? */
bool sg_containers_dict_is_split(PyObject *dict);

/*
 * What changes with every change of a set, as sg_guts_memory() answers.
 */
int sg_containers_set_memory(PyObject *set, struct sg_memory memory[]);

/* Has somebody else asked to be told of changes of this dict? */
bool sg_containers_dict_is_watched(PyObject *dict);

/* The version belongs to the content: where it is exchanged, so is the version. */
void sg_containers_dict_swap_tags(PyObject *a, PyObject *b);

/* Asks to be told of changes of the dict. 0, or -1 with an exception. */
int sg_containers_watch(PyObject *dict);
void sg_containers_unwatch(PyObject *dict);

/* Called before each change of a watched dict, from within it: may only take notes. NULL: nobody cares. */
extern void (*sg_containers_changed)(PyObject *dict);

/*
 * A set's table as it is, deleted entries included: what order its items come in depends on all of it. save: new
 * bytes object, which holds no references. restore: the set must be empty, the items alive.
 */
PyObject *sg_containers_set_save(PyObject *set);
int sg_containers_set_same(PyObject *set, PyObject *saved);
int sg_containers_set_restore(PyObject *set, PyObject *saved);

/*
 * The answers that an lru_cache keeps beside its dict, their order, and its counts. save: new tuple. The dict is
 * an object of its own.
 */
PyObject *sg_containers_cache_save(PyObject *cache);
int sg_containers_cache_same(PyObject *cache, PyObject *saved);
int sg_containers_cache_restore(PyObject *cache, PyObject *saved);
int sg_containers_cache_memory(PyObject *cache, struct sg_memory memory[SG_MEMORY_MAX]);

#endif
