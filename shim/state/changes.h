/*
 * changes.h - which of an image's objects have changed since they were pristine, found without looking at each.
 *
 * Changes of a watched dict are told by the interpreter (3.12). The memory that changes with an object's content, a
 * dict's version included (until 3.13), is compared with what it was, some nanoseconds for each object: in a large
 * image that of objects on pages that have been written to, where the kernel tells which (pages.h), else all of it.
 * What has no such memory is saved and compared, each time. A hit is only a suspicion: the content itself decides.
 * GIL: held.
 */
#ifndef SG_CHANGES_H
#define SG_CHANGES_H

#include "shim/state/state.h"

/* One aspect of one object whose content may change. */
struct sg_slot {
	PyObject *object;              /* owned */
	const struct sg_state_kind *kind;
	PyObject *pristine;            /* snapshot */
	unsigned first_look;
	unsigned own;                  /* its place in slots->own, if its kind has one */
	unsigned char looks;
	bool always;                   /* can only be compared */
	bool suspected;
	bool foreign;                  /* holds the content of the run that is active: not looked at */
	bool held;                     /* see sg_slots_referred() */
	bool loose;                    /* its memory has moved to pages that are not watched for it */
};

struct sg_look;
struct sg_own;
struct sg_pages;

struct sg_slots {
	struct sg_slot *items;
	size_t count, size;
	struct sg_look *looks;
	size_t look_count, look_size;
	char *expected;                /* what the looks should find, one after the other */
	size_t expected_used, expected_size;
	unsigned *suspects;            /* room for every slot; told ones are added at any time */
	size_t suspect_count;
	unsigned *always;
	size_t always_count;
	struct sg_own *own;            /* those of which a run must have its own while it refers to them, in order */
	size_t own_count, own_size;
	struct sg_pages *pages;        /* NULL: all memory is looked at */
	unsigned *loose;               /* room for every slot */
	size_t loose_count;
	unsigned age, old;             /* of the pages, in changes of runs; when it is time for others */
};

/* Adds an aspect of an object, whose content now is pristine. 0, or -1 with an exception. */
int sg_slots_add(struct sg_slots *slots, PyObject *object, const struct sg_state_kind *kind);

/* All have been added: from now on changes are noticed. 0, or -1 with an exception. */
int sg_slots_seal(struct sg_slots *slots);

/* Is there one of that object? They have been sealed. */
bool sg_slots_has(const struct sg_slots *slots, PyObject *object);

/* NULL: the image is small, or the kernel tells which of its pages have been written to. Else why it does not. */
const char *sg_slots_unwatched(const struct sg_slots *slots);

void sg_slots_free(struct sg_slots *slots);

/*
 * The slots that have changed, foreign ones not among them: their numbers, valid until sg_slots_settle(), which must
 * follow.
 */
size_t sg_slots_changed(struct sg_slots *slots, const unsigned **ret_numbers);

/*
 * Of the kinds whose iterators know where the content lies: the next slot, from *position on, to whose object somebody
 * refers who did not when it was pristine, by an iterator perhaps. Everything is pristine. Held ones are left out.
 */
bool sg_slots_referred(struct sg_slots *slots, size_t *position, unsigned *ret_number);

/* The slot's content is the pristine one again, possibly elsewhere in memory. */
void sg_slots_renew(struct sg_slots *slots, unsigned number);

/* Forgets all suspicions: everything is pristine. */
void sg_slots_settle(struct sg_slots *slots);

#endif
