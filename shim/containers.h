/*
 * containers.h - facts about the inside of dict, set and lru_cache, each proved by a probe.
 *
 * The companion of cpython.h: its rules hold here too. GIL: held.
 */
#ifndef SG_CONTAINERS_H
#define SG_CONTAINERS_H

#include "shim/python.h"

#include <stdbool.h>

struct sg_containers {
	bool dict_tags;             /* a dict has a version that every change changes */
	bool instance_tags;         /* ... an instance's dict too, when attributes are set by hot code */
	bool sets;                  /* the table of a set is where we think */
	bool caches;                /* the list of an lru_cache is where we think */
};

extern struct sg_containers sg_containers;

/* Fills sg_containers; what is not proved is false. */
void sg_containers_probe(void);

/* A number that changes with every change of the dict; 0 where this interpreter has none (see dict_tags). */
uint64_t sg_containers_dict_tag(PyObject *dict);

/* May attributes of an instance be changed past the dict? Then only instance_tags makes the number good. */
bool sg_containers_dict_is_split(PyObject *dict);

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

#endif
