/*
 * temporal_visit.h - a thread enters a run and leaves it, with the context variables and all that takes notice.
 *
 * GIL: held. A visit lives on the C stack of whoever began it. A pending exception is kept.
 */
#ifndef SG_TEMPORAL_VISIT_H
#define SG_TEMPORAL_VISIT_H

#include "hooks/engines/temporal_instance.h"

struct sg_temporal_visit {
	struct sg_context context, *token; /* the context is filled in by whoever begins */
	PyObject *variables;
	PyObject *locals; /* what the thread has for others */
	unsigned long outer; /* a stuck thread that the SDK has given up */
};

void sg_temporal_visit_begin(struct instance *instance, struct sg_temporal_visit *visit);

/* Drops what has been set in context variables since the visit began, while the run has none of its own. */
void sg_temporal_visit_drop_variables(struct sg_temporal_visit *visit);

void sg_temporal_visit_end(struct instance *instance, struct sg_temporal_visit *visit);

#endif
