/*
 * age.h - which objects are older than an image, told exactly.
 *
 * Before the modules of an image are executed, the collector sets aside what it looks at (gc.freeze); what it looks at
 * afterwards is new. What it does not look at (dicts of plain values, locks, arrays) is listed then, by a walk over
 * all objects, and kept alive until the end, so that no address can become another object's. GIL: held.
 */
#ifndef SG_AGE_H
#define SG_AGE_H

#include "shim/interpreter/python.h"

#include <stdbool.h>
#include <stddef.h>

/* A set of addresses. {0}: empty. */
struct sg_addresses {
	PyObject **slots;
	size_t size, count;
};

/* 1: added, 0: was there, -ENOMEM. */
int sg_addresses_add(struct sg_addresses *set, PyObject *object);
bool sg_addresses_has(const struct sg_addresses *set, PyObject *object);
void sg_addresses_free(struct sg_addresses *set);

/* At the start of Sandglass, when the program has not frozen anything yet. */
void sg_age_install(void);

/*
 * Around the execution of an image's modules and the scan. Another thread may begin to make an image meanwhile: it has the
 * same beginning. 0, or -1 with an exception; sg_age_end() must follow in both cases, and keeps a pending exception.
 */
int sg_age_begin(void);
void sg_age_end(void);

/* Is a module, which is as new as what it has made, not among that? Somebody has set it all aside besides: logged. */
bool sg_age_hides(const struct sg_addresses *made, PyObject *module);

/* Adds what the collector looks at and has been made since to made. 0, -ENOMEM, or -1 with an exception. */
int sg_age_collect_new(struct sg_addresses *made);

/* Was it there before? made: from sg_age_collect_new(). */
bool sg_age_was_there(const struct sg_addresses *made, PyObject *object);

/*
 * Calls visit for all objects, those set aside included, which ends the setting aside, until it answers other than 0: that
 * is returned, or -1 with an exception. Of none while somebody else is making an image. visit must not make or free objects.
 */
int sg_age_visit_everything(int (*visit)(PyObject *object, void *argument), void *argument);

/* Calls visit for each reference that an object tells the collector of, as long as it answers 0. */
int sg_age_traverse(PyObject *object, int (*visit)(PyObject *referent, void *argument), void *argument);

#endif
