/*
 * image.h - the modules of a workflow, executed once and shared by its runs without their noticing.
 *
 * After the first import the image is scanned: every mutable object that belongs to it is listed with a snapshot
 * of its content, the pristine state. An activation holds the image's lock and works on the objects themselves.
 * When another run needs the image, what changed is kept with the run that changed it (its delta) and the pristine
 * content is put back in place; before that run's next activation the delta is put in again. So activations of one
 * run in a row cost nothing, and a change of runs costs a look at the image, for a run that changed nothing.
 *
 * An object belongs to the image when it was made while the image was executed, whoever else refers to it (graph.h). Code of
 * the host may get at it, too, by a logger, a registry, atexit. Then the host has content of its own, like a run: what it
 * changes between activations no run sees, and it finds that again afterwards.
 *
 * A type that nobody knows how to save makes the image private: each run executes the modules for itself.
 * A busy image is not waited for when a run is created: another one, a lane, is made.
 * GIL: held everywhere; sg_image_enter() gives it up while it waits for the lock.
 */
#ifndef SG_IMAGE_H
#define SG_IMAGE_H

#include "shim/run/context.h"
#include "shim/run/policy.h"

struct sg_image;

/*
 * For a run that is being created: a lane that nobody uses, locked; a new one if need be. *ret_new: its
 * modules are still to be imported, then sg_image_scan() is to be called. NULL with an exception.
 */
struct sg_image *sg_image_take(struct sg_policy *policy, bool *ret_new);

/* The table of modules: borrowed. */
PyObject *sg_image_modules(struct sg_image *image);

/* The run has its modules from the image: and what of them is kept elsewhere (family, image_* of struct sg_run). */
void sg_image_join(struct sg_image *image, struct sg_run *run);

/* A dict in which the engine may keep what it knows of the pristine image: borrowed. */
PyObject *sg_image_memo(struct sg_image *image);

/*
 * The modules have been imported. 1: the image can be shared from now on. 0: it cannot (logged); it has been
 * given up, and the run keeps its modules for itself. -1: exception, given up as well.
 */
int sg_image_scan(struct sg_image *image, struct sg_run *run);

/* The import failed. */
void sg_image_discard(struct sg_image *image);

/* The image is locked, and code other than the engine's is about to run in it: puts the run's content in place. */
void sg_image_touch(struct sg_image *image, struct sg_run *run);

/*
 * Locks the image and puts the run's content in place. milliseconds: how long to wait for another run's activation to
 * end, -1: for ever. 0, or -EBUSY.
 */
int sg_image_enter(struct sg_image *image, struct sg_run *run, int milliseconds);

/* Could the run enter its image now, if it has one? */
bool sg_image_idle(const struct sg_run *run);

/*
 * Some content could not be kept or put back: nobody can tell what the run would see, so it must begin anew. The image
 * has been retired.
 */
bool sg_image_lost(const struct sg_image *image);

/* Is it an object whose content is kept apart, of the run's image or another lane? */
bool sg_image_owns(const struct sg_run *run, PyObject *object);

/* Whose content is in place: the id of its workflow, borrowed, or NULL. */
PyObject *sg_image_occupant(const struct sg_image *image);

/* Unlocks it. The run's content stays until another run needs the image. Keeps a pending exception. */
void sg_image_leave(struct sg_image *image);

/* Puts the pristine content in place: now what the run changed is in its delta, and nothing of another run in the way. */
void sg_image_settle(struct sg_run *run);

/* Calls visit for each content that the run's delta holds; it answers 0 to go on. */
void sg_image_delta(const struct sg_run *run, int (*visit)(PyObject *content, void *argument), void *argument);

/* The run ends. */
void sg_image_forget(struct sg_run *run);

/* No thread works with the run any more: it lets go of its image, which is freed with the last one where it has retired. */
void sg_image_drop(struct sg_run *run);

/* No run gets the policy's images any more. Freeing them may run code of the workflow's modules (destructors). */
void sg_image_retire(struct sg_policy *policy);

#endif
