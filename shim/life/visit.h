/*
 * visit.h - a thread enters a run and leaves it: image, context, context variables and all that takes notice.
 *
 * GIL: held. A visit lives on the C stack of whoever began it. A pending exception is kept by all but the functions that say
 * that they set one.
 */
#ifndef SG_VISIT_H
#define SG_VISIT_H

#include "shim/run/context.h"

struct sg_visit {
	struct sg_context context, *token;
	PyObject *variables;
	PyObject *locals; /* what the thread has for others */
	unsigned long outer; /* a stuck thread that the engine has given up */
};

/*
 * One activation of a run begins: the image is locked, and the run's content put in place. milliseconds: as for
 * sg_image_enter(). 0, -EBUSY where another run does not come to an end, or -ENOENT where this one has ended meanwhile; then
 * no visit has begun, and no exception is set.
 */
int sg_visit_begin(struct sg_run *run, struct sg_visit *visit, int milliseconds);
void sg_visit_end(struct sg_run *run, struct sg_visit *visit);

/* Set the exception that fails the activation: it was busy; what the run changed could not be kept (sg_image_lost). */
void sg_visit_fail_busy(const struct sg_run *run, int milliseconds);
void sg_visit_fail_lost(const struct sg_run *run);

/*
 * After each visit: it has had an answer; NULL: it raised. told: the answer tells of a refusal. Where workflow code caught one,
 * and nobody is told, that is logged and raised again, and the answer dropped: it is no more deterministic than what was
 * refused. The refusal is forgotten, and with it the frames that it holds.
 */
void sg_visit_check_swallowed(struct sg_run *run, PyObject **answer, bool told);

/* In the run, and not in an activation that it can tell from others: function(run), with nothing of it to be told. */
void sg_visit_inside(struct sg_run *run, void (*function)(struct sg_run *));

/* For make.c: without the image. The context is filled in by whoever enters. */
void sg_visit_enter(struct sg_run *run, struct sg_visit *visit);
void sg_visit_leave(struct sg_run *run, struct sg_visit *visit);

/* Drops what has been set in context variables since the visit began, while the run has none of its own. */
void sg_visit_drop_variables(struct sg_visit *visit);

#endif
