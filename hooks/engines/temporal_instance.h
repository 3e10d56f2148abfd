/*
 * temporal_instance.h - what a worker holds for a run: an object of a class below WorkflowInstance.
 *
 * Its methods enter the run and call the SDK's own instance, which does the work. Its record outlives the object
 * where the run has yet to end (temporal_ending.h). GIL: held.
 */
#ifndef SG_TEMPORAL_INSTANCE_H
#define SG_TEMPORAL_INSTANCE_H

#include "shim/run/context.h"

#include <stdbool.h>

struct sg_ending;

struct instance {
	struct sg_run run;
	PyObject *object;     /* borrowed; NULL: it is gone */
	PyObject *inner;      /* the SDK's instance that does the work; NULL: the run has left */
	PyObject *info;
	PyObject *completion; /* of the activation with which it left */
	PyObject *variables;  /* context variables of its activations; NULL: there was none yet */
	unsigned long thread; /* that is in activate(), 0: none */
	bool activated;       /* workflow code has run */
	bool dropped;         /* nobody but the ending knows it */
	bool waiting;         /* to be ended */
	bool escaped;         /* what ends the process left an activation, which the SDK does not answer then */
	bool copied;          /* by a fork: its parent's, never ended here */
	bool ending;          /* somebody is at it: threads that the SDK gave up may all want to */
	struct instance *next;
	struct sg_ending *found; /* what is to be closed */
};

/* base: the SDK's WorkflowInstance. 0, or -1 with an exception. */
int sg_temporal_instance_install(PyObject *base);

/* Exit: ends the runs that are left. */
void sg_temporal_instance_remove(void);

/* A new object, without inner, and its record, which the object owns. NULL with an exception. */
PyObject *sg_temporal_instance_new(struct instance **ret_instance);

/* It has its inner now: methods that run no code of users are called there directly. 0 or -1. */
int sg_temporal_instance_lend(struct instance *instance);

#endif
