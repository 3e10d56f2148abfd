/*
 * graph.h - what belongs to an image: a walk over all objects that its modules lead to, and over those that they have made
 * without a name: functions of their code, their classes, and objects of these, which a registry in C code's memory may hold.
 *
 * Creation decides: what was made while the image was executed (age.h) is the image's, whoever else refers to it. Exceptions
 * are modules that are shared, what they lead to when they were imported meanwhile, and classes of shared modules.
 *
 * GIL: held; no Python code runs during the walk, so nothing changes meanwhile. What is done with the nodes may run some, and
 * drop the last reference of one (a cache that is filled anew), so they are kept alive afterwards.
 */
#ifndef SG_GRAPH_H
#define SG_GRAPH_H

#include "shim/interpreter/python.h"

#include <stdbool.h>

struct sg_graph_node {
	PyObject *object;       /* kept alive from the end of the walk to sg_graph_release() */
	Py_ssize_t edges;       /* references from other nodes, and from the table of modules */
	Py_ssize_t held;        /* references from elsewhere */
	Py_ssize_t told;        /* ... of which those that other objects tell of (holders.h) */
	struct sg_graph_node *parent;
	bool doubtful;          /* of the image, or of a library that was imported meanwhile */
	bool part;              /* the dict inside a class, or the like: it is only changed through its owner */
};

struct sg_graph {
	struct sg_graph_node **nodes;
	size_t count;
	size_t size;            /* of the hash table; a power of two */
	bool held;
};

/*
 * modules: the image's table; other: an object of the image that is in none of them, or NULL; between sg_age_begin() and
 * sg_age_end(). 0; -E2BIG: more objects than it is reasonable to look at; -1 with an exception.
 */
int sg_graph_build(struct sg_graph *graph, PyObject *modules, PyObject *other);
void sg_graph_release(struct sg_graph *graph);

/* The node of an object that belongs to the image, or NULL. */
struct sg_graph_node *sg_graph_find(const struct sg_graph *graph, PyObject *object);

/* Is there one? */
bool sg_graph_has(const struct sg_graph *graph, PyObject *object);

/* A path that leads to the node, such as "orders.REGISTRY[3].lock": written to text[size]. */
void sg_graph_path(const struct sg_graph_node *node, char *text, size_t size);

#endif
