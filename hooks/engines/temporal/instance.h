/*
 * instance.h - what a worker holds for a run: an object of a class below WorkflowInstance.
 *
 * Its methods enter the run and call the SDK's own instance, which does the work. Its record outlives the object
 * where the run has yet to end (shim/life/leave.h). GIL: held.
 */
#ifndef SG_TEMPORAL_INSTANCE_H
#define SG_TEMPORAL_INSTANCE_H

#include "shim/run/context.h"

#include <stdbool.h>

struct instance {
	struct sg_run run;    /* its root is the SDK's instance that does the work */
	PyObject *object;     /* borrowed; NULL: it is gone */
	PyObject *info;
	PyObject *seed;       /* of its random numbers, as it was made with */
	PyObject *completion; /* of the activation with which it left */
	bool escaped;         /* what ends the process left an activation, which the SDK does not answer then */
};

/* base: the SDK's WorkflowInstance. 0, or -1 with an exception. */
int sg_temporal_instance_install(PyObject *base);

/* What a worker keeps for a run: our object, or one that holds it. NULL without an exception: it is neither. */
struct instance *sg_temporal_instance_kept(PyObject *kept);

/* A new object, without the SDK's instance, and its record, which the object owns. NULL with an exception. */
PyObject *sg_temporal_instance_new(struct instance **ret_instance);

/* It has the SDK's instance now: methods that run no code of users are called there directly. 0 or -1. */
int sg_temporal_instance_lend(struct instance *instance);

/* See struct sg_engine. */
PyObject *sg_temporal_knows(const struct sg_run *run, int64_t *ret_now);
bool sg_temporal_aside(const struct sg_run *run);
void sg_temporal_ended(struct sg_run *run);
void sg_temporal_free(struct sg_run *run);

#endif
