/*
 * holders.h - who beside the image refers to its objects, so that code of the host may get at them.
 *
 * Not every reference counts: classes stand in tuples, in the caches of typing and in frames, tuples in code objects, where
 * nobody changes them. An object other than those that has a reference which no other object tells of is held by compiled
 * code. GIL: held; no Python code runs.
 */
#ifndef SG_HOLDERS_H
#define SG_HOLDERS_H

#include "shim/state/graph.h"

struct sg_holders {
	const struct sg_graph_node *held; /* NULL: the host gets at none */
	char who[512];                    /* refers to it: a path, such as "list in logging.Logger" */
};

/*
 * The graph has been built and its age is not over yet (age.h). Looks at all objects of the process, if there is any
 * reference to ask about. own: the table of modules, what else does not count, NULL. Fills holders. 0, or -1 with an exception.
 */
int sg_holders_find(const struct sg_graph *graph, PyObject *const own[], struct sg_holders *holders);

/* Who refers to this one? As above; who is "" when nobody does. */
int sg_holders_of(const struct sg_graph *graph, PyObject *const own[], const struct sg_graph_node *node,
		struct sg_holders *holders);

#endif
