#define _GNU_SOURCE
#include "shim/state/image.h"

#include "shim/base/log.h"
#include "shim/base/real.h"
#include "shim/base/status.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/shared/abstract.h"
#include "shim/shared/generics.h"
#include "shim/shared/locals.h"
#include "shim/shared/overloads.h"
#include "shim/shared/subclasses.h"
#include "shim/state/age.h"
#include "shim/state/changes.h"
#include "shim/state/scan.h"
#include "shim/state/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct sg_image {
	struct sg_image *next;         /* other lanes of the policy */
	struct sg_policy *policy;
	PyObject *modules, *memo;
	uint64_t family;
	bool begun;                    /* its modules are being executed */
	PyObject *generators;          /* seeded while it was executed */
	bool listens;                  /* a handler of a sink was made */
	struct sg_slots slots;
	struct sg_run *owner;          /* whose content is in place; NULL: the pristine content */
	struct sg_run orphan;          /* stands in for an owner that is gone */
	struct sg_delta *dead;         /* list: content of runs that are gone, see bury() */
	struct sg_run host;            /* what the host changes has a place like what a run changes, if it gets at any */
	bool exposed;                  /* ... it does: its content is in place between activations */
	bool lost;                     /* some content could not be kept or put back: no run may go on with it */
	size_t runs;                   /* that have it */
	size_t users;                  /* the same, and those that have ended and are still there */
	bool retired;                  /* nobody else gets it */
	size_t waits;                  /* for the lock, since the last lane was made */
	PyObject *locals;              /* see shim/shared/locals.h: list or NULL */
	PyObject *overloads;           /* see shim/shared/overloads.h, or NULL */
	PyObject *registered;          /* see shim/shared/abstract.h: dict or NULL */
	PyObject *generics;            /* see shim/shared/generics.h: dict or NULL */
	PyObject *asked;               /* see shim/import/kept.h: list or NULL */
	void *lock;
	unsigned long holder;          /* thread that holds the lock */
	int depth;                     /* ... how often */
	struct timespec start;
};

/* What a run changed: (slot index, snapshot), in the order of the slots. */
struct sg_delta {
	struct sg_delta *next;         /* among the dead */
	size_t count;
	uint64_t bytes;                /* about, as it was when it was taken */
	struct {
		unsigned slot;
		PyObject *content;     /* of the run; while it is active, the pristine content */
	} entries[];
};

/* --- locking ----------------------------------------------------------------------------------- */

static bool try_lock(struct sg_image *image)
{
	unsigned long self = PyThread_get_thread_ident();

	/* An activation that creates or activates another run of the same image on the same thread nests. */
	if (image->holder == self)
		return false;
	if (!PyThread_acquire_lock(image->lock, 0))
		return false;
	image->holder = self;
	image->depth = 1;
	return true;
}

/* A wait of that long is worth a line: runs of a workflow file wait for each other. */
#define LONG_WAIT_MS 100

static void log_wait(const struct sg_image *image, const char *holder, const struct timespec *start)
{
	struct timespec end;
	struct sg_line line;
	int64_t milliseconds;

	REAL(clock_gettime)(CLOCK_MONOTONIC, &end);
	milliseconds = (end.tv_sec - start->tv_sec) * 1000 + (end.tv_nsec - start->tv_nsec) / 1000000;
	if (milliseconds < LONG_WAIT_MS || !sg_log_begin(&line, SG_LOG_DEBUG, "wait"))
		return;
	sg_log_text(&line, "module", sg_python_text(image->policy->workflow_module));
	sg_log_text(&line, "holder", holder);
	sg_log_number(&line, "milliseconds", milliseconds);
	sg_log_end(&line);
}

/* False: somebody else had it all the time. */
static bool lock_within(struct sg_image *image, long long microseconds)
{
	struct timespec start;
	char who[256];
	void *state;
	int got;

	if (image->holder == PyThread_get_thread_ident()) {
		image->depth++;
		return true;
	}
	if (try_lock(image))
		return true;
	REAL(clock_gettime)(CLOCK_MONOTONIC, &start);
	snprintf(who, sizeof(who), "%s", image->owner && image->owner->workflow_id ?
			sg_python_text(image->owner->workflow_id) : "");
	image->waits++;
	state = PyEval_SaveThread();
	got = PyThread_acquire_lock_timed(image->lock, microseconds, 0);
	PyEval_RestoreThread(state);
	log_wait(image, who, &start);
	if (!got)
		return false;
	image->holder = PyThread_get_thread_ident();
	image->depth = 1;
	return true;
}

static void lock(struct sg_image *image)
{
	lock_within(image, -1);
}

static void unlock(struct sg_image *image)
{
	if (--image->depth)
		return;
	image->holder = 0;
	PyThread_release_lock(image->lock);
}

/* --- making an image --------------------------------------------------------------------------- */

static void end_making(struct sg_image *image)
{
	if (image->begun)
		sg_age_end();
	image->begun = false;
}

static void free_image(struct sg_image *image)
{
	end_making(image);
	sg_slots_free(&image->slots);
	sg_python_clear(&image->modules);
	sg_python_clear(&image->memo);
	sg_python_clear(&image->generators);
	sg_python_clear(&image->locals);
	sg_python_clear(&image->overloads);
	sg_python_clear(&image->registered);
	sg_python_clear(&image->generics);
	sg_python_clear(&image->asked);
	if (image->lock)
		PyThread_free_lock(image->lock);
	free(image);
}

static struct sg_image *new_image(struct sg_policy *policy)
{
	struct sg_image *image = calloc(1, sizeof(*image));

	if (image) {
		REAL(clock_gettime)(CLOCK_MONOTONIC, &image->start);
		image->policy = policy;
		image->lock = PyThread_allocate_lock();
		image->family = sg_subclasses_number();
		image->begun = true;
		if (sg_age_begin() == 0) {
			/* What is in the table is the image's, too. */
			image->modules = sg_modules_new_table();
			image->memo = PyDict_New();
			image->overloads = sg_overloads_new();
		}
		if (image->lock && image->modules && image->memo && image->overloads)
			return image;
		free_image(image);
	}
	if (!PyErr_Occurred())
		PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
	return NULL;
}

#define LANES_MAX 16
#define WAITS_MANY 8 /* activations that had to wait for another run's: then it is time for another lane */

/* The free lane with the fewest runs, locked; NULL: there is none, or those there are too crowded. */
static struct sg_image *find_lane(struct sg_policy *policy)
{
	struct sg_image *best = NULL, *image;
	size_t lanes = 0, waits = 0;

	for (image = policy->images; image; image = image->next) {
		lanes++;
		waits += image->waits;
		if (try_lock(image)) {
			if (best && best->runs <= image->runs) {
				unlock(image);
				continue;
			}
			if (best)
				unlock(best);
			best = image;
		}
	}
	if (!best || waits < WAITS_MANY || lanes >= LANES_MAX)
		return best;
	unlock(best);
	for (image = policy->images; image; image = image->next)
		image->waits = 0;
	return NULL;
}

struct sg_image *sg_image_take(struct sg_policy *policy, bool *ret_new)
{
	struct sg_image *image = find_lane(policy);

	*ret_new = !image;
	if (image) {
		image->runs++;
		image->users++;
		return image;
	}
	image = new_image(policy);
	if (image) {
		image->runs = image->users = 1;
		lock(image);
	}
	return image;
}

PyObject *sg_image_modules(struct sg_image *image)
{
	return image->modules;
}

void sg_image_join(struct sg_image *image, struct sg_run *run)
{
	run->family = image->family;
	run->overloads = sg_python_ref(image->overloads);
	run->image_locals = image->locals;
	run->image_registered = image->registered;
	run->image_generics = image->generics;
	run->asked = sg_python_ref(image->asked);
}

PyObject *sg_image_memo(struct sg_image *image)
{
	return image->memo;
}

void sg_image_discard(struct sg_image *image)
{
	unlock(image);
	free_image(image);
}

/* --- activations ------------------------------------------------------------------------------- */

static void unlist(struct sg_image *image)
{
	struct sg_image **place = &image->policy->images;

	while (*place && *place != image)
		place = &(*place)->next;
	if (*place)
		*place = image->next;
}

/* The image is of no more use: not for runs that begin, which would lose the same, nor for those that have it. */
static void lose(struct sg_image *image, const struct sg_slot *slot, const char *what)
{
	struct sg_line line;

	PyErr_Clear();
	image->lost = true;
	if (!image->retired) {
		image->policy->unshareable = true;
		sg_status.private_images++;
		unlist(image);
		image->retired = true;
	}
	if (!sg_log_begin(&line, SG_LOG_ERROR, "lost"))
		return;
	sg_log_text(&line, "module", sg_python_text(image->policy->workflow_module));
	sg_log_text(&line, "what", what);
	sg_log_text(&line, "kind", slot->kind->name);
	sg_log_text(&line, "type", sg_cpython_type_name(sg_cpython_type(slot->object)));
	sg_log_text(&line, "effect", "runs that share the modules fail their next task and begin anew; each run executes the "
			"modules for itself");
	sg_log_end(&line);
}

/* Content can go when no other run's is in place: see bury(). */
static void let_die(struct sg_image *image, struct sg_delta *delta)
{
	if (!delta)
		return;
	delta->next = image->dead;
	image->dead = delta;
}

static void free_dead(struct sg_image *image)
{
	struct sg_delta *delta;

	while ((delta = image->dead)) {
		image->dead = delta->next;
		for (size_t i = 0; i < delta->count; i++)
			sg_python_clear(&delta->entries[i].content);
		sg_status.delta_containers -= delta->count;
		sg_status.delta_bytes -= delta->bytes;
		free(delta);
	}
}

void sg_image_delta(const struct sg_run *run, int (*visit)(PyObject *, void *), void *argument)
{
	for (size_t i = 0; run->delta && i < run->delta->count; i++)
		if (visit(run->delta->entries[i].content, argument) != 0)
			break;
}

/* What is in place and what the delta holds change places: the last in is the first out. */
static void exchange_delta(struct sg_image *image, struct sg_delta *delta, bool foreign)
{
	for (size_t n = 0; delta && n < delta->count; n++) {
		size_t i = foreign ? n : delta->count - 1 - n;
		unsigned number = delta->entries[i].slot;
		struct sg_slot *slot = &image->slots.items[number];

		if (sg_state_exchange(slot->kind, slot->object, &delta->entries[i].content) < 0)
			lose(image, slot, foreign ? "the run's content could not be put in place"
					       : "the pristine content could not be put back");
		slot->foreign = foreign;
		if (!foreign)
			sg_slots_renew(&image->slots, number);
	}
}

/* Of a copy of a container's content, without what it refers to. */
static uint64_t size_of(PyObject *content)
{
	enum { HEADER = 56, WORD = 8, ITEM = 100 }; /* of a dict, with its place in the table of hashes */

	if (PyType_IsSubtype(sg_cpython_type(content), &PyDict_Type))
		return HEADER + ITEM * (uint64_t)PyDict_Size(content);
	if (PyType_IsSubtype(sg_cpython_type(content), &PyTuple_Type))
		return HEADER + WORD * (uint64_t)PyTuple_Size(content);
	return HEADER + (PyType_IsSubtype(sg_cpython_type(content), &PyList_Type) ? WORD * (uint64_t)PyList_Size(content) : 0);
}

static struct sg_delta *add_entry(struct sg_delta *delta, unsigned slot, PyObject *content)
{
	size_t count = delta ? delta->count : 0;
	struct sg_delta *grown = delta;
	uint64_t bytes;

	/* Sizes 1, 2, 4, 8 ...: most deltas are small. */
	if ((count & (count - 1)) == 0)
		grown = realloc(delta, sizeof(*delta) + (count ? 2 * count : 1) * sizeof(delta->entries[0]));
	if (!grown) {
		sg_python_clear(&content);
		return delta;
	}
	if (!count) {
		grown->next = NULL;
		grown->bytes = 0;
	}
	bytes = size_of(content) + sizeof(grown->entries[0]);
	grown->bytes += bytes;
	sg_status.delta_bytes += bytes;
	sg_status.delta_containers++;
	grown->count = count + 1;
	grown->entries[count].slot = slot;
	grown->entries[count].content = content;
	return grown;
}

static void log_delta(const struct sg_image *image, const struct sg_run *run)
{
	struct sg_line line;

	if (!run->delta || !sg_log_begin(&line, SG_LOG_TRACE, "delta"))
		return;
	sg_log_text(&line, "workflow_id", run->workflow_id ? sg_python_text(run->workflow_id) : NULL);
	sg_log_number(&line, "containers", (int64_t)run->delta->count);
	for (size_t i = 0; i < run->delta->count && i < 16; i++) {
		const struct sg_slot *slot = &image->slots.items[run->delta->entries[i].slot];

		sg_log_text(&line, slot->kind->name, sg_cpython_type_name(sg_cpython_type(slot->object)));
	}
	sg_log_end(&line);
}

/* The content of a slot that the run has changed for the first time; the pristine one is put back. NULL: lost. */
static PyObject *take_content(struct sg_slot *slot)
{
	PyObject *content;

	if (slot->kind->exchange) {
		/* The pristine content moves in, so another copy of it is needed. */
		content = slot->kind->exchange(slot->object, &slot->pristine) < 0 ? NULL : slot->pristine;
		if (content)
			slot->pristine = slot->kind->save(slot->object);
		return content;
	}
	content = slot->kind->save(slot->object);
	if (content && slot->kind->restore(slot->object, slot->pristine) < 0)
		sg_python_clear(&content);
	return content;
}

static struct sg_delta *take_slot(struct sg_image *image, struct sg_delta *delta, unsigned number)
{
	struct sg_slot *slot = &image->slots.items[number];
	PyObject *content;

	if (!slot->pristine) /* lost before: there is nothing to put in its place */
		return delta;
	content = take_content(slot);
	if (content)
		delta = add_entry(delta, number, content);
	if (!content || !slot->pristine)
		lose(image, slot, "what the run changed could not be kept");
	sg_slots_renew(&image->slots, number);
	return delta;
}

/* Adds what has changed to the delta, which may move. */
static struct sg_delta *take_changes(struct sg_image *image, struct sg_delta *delta)
{
	const unsigned *numbers;
	size_t count = sg_slots_changed(&image->slots, &numbers);

	for (size_t i = 0; i < count; i++)
		delta = take_slot(image, delta, numbers[i]);
	sg_slots_settle(&image->slots);
	return delta;
}

static void hold(struct sg_image *image, const struct sg_delta *delta, bool held)
{
	for (size_t i = 0; delta && i < delta->count; i++)
		image->slots.items[delta->entries[i].slot].held = held;
}

/* Adds what the run may have iterators of, which know where in memory the content lies: that becomes the run's. */
static struct sg_delta *take_iterated(struct sg_image *image, struct sg_delta *delta)
{
	size_t position = 0;
	unsigned number;

	if (!image->slots.own_count)
		return delta;
	hold(image, delta, true);
	while (sg_slots_referred(&image->slots, &position, &number))
		delta = take_slot(image, delta, number);
	hold(image, delta, false);
	return delta;
}

#define FUNERALS_MAX 8

/*
 * What dies may be told of (a weak reference's callback, __del__), and what code of the workflow's does then belongs to
 * nobody: it finds the pristine content, and its changes go the same way.
 */
static void bury(struct sg_image *image)
{
	int collecting = PyGC_Disable();

	for (int i = 0; image->dead && i < FUNERALS_MAX; i++) {
		free_dead(image);
		let_die(image, take_changes(image, NULL));
	}
	free_dead(image);
	if (collecting)
		PyGC_Enable();
}

/*
 * Keeps what the owner changed and puts the pristine content back. The owner may be freed meanwhile, by another thread:
 * then the orphan is the owner.
 */
static void settle(struct sg_image *image)
{
	struct sg_run *run = image->owner;
	struct sg_delta *delta = run->delta;

	run->delta = NULL;
	exchange_delta(image, delta, false);
	delta = take_changes(image, delta);
	delta = take_iterated(image, delta);
	if (image->owner == run && run != &image->orphan) {
		run->delta = delta;
		if (run != &image->host)
			log_delta(image, run);
	} else {
		let_die(image, delta);
	}
	image->owner = NULL;
}

/*
 * Puts a run's content in place; NULL: the host's, which is the pristine one unless it changed that. Until 3.11 any
 * allocation may collect garbage, whose destructors would see half of it.
 */
static void change_owner(struct sg_image *image, struct sg_run *run)
{
	PyObject *type, *value, *traceback;
	int collecting;

	if (!run && image->exposed)
		run = &image->host;
	if (image->owner == run)
		return;
	PyErr_Fetch(&type, &value, &traceback);
	collecting = PyGC_Disable();
	if (image->owner)
		settle(image);
	if (image->dead)
		bury(image);
	if (run)
		exchange_delta(image, run->delta, true);
	image->owner = run;
	if (collecting)
		PyGC_Enable();
	PyErr_Restore(type, value, traceback);
}

void sg_image_touch(struct sg_image *image, struct sg_run *run)
{
	change_owner(image, run);
}

int sg_image_enter(struct sg_image *image, struct sg_run *run, int milliseconds)
{
	if (!lock_within(image, milliseconds < 0 ? -1 : milliseconds * 1000LL))
		return -EBUSY;
	change_owner(image, run);
	run->image_generators = image->generators;
	run->listens |= image->listens;
	return 0;
}

bool sg_image_idle(const struct sg_run *run)
{
	return !run->image || !run->image->holder || run->image->holder == PyThread_get_thread_ident();
}

bool sg_image_lost(const struct sg_image *image)
{
	return image->lost;
}

bool sg_image_owns(const struct sg_run *run, PyObject *object)
{
	if (run->image && sg_slots_has(&run->image->slots, object))
		return true;
	for (const struct sg_image *image = run->policy->images; image; image = image->next)
		if (sg_slots_has(&image->slots, object))
			return true;
	return false;
}

PyObject *sg_image_occupant(const struct sg_image *image)
{
	return image->owner ? image->owner->workflow_id : NULL;
}

void sg_image_leave(struct sg_image *image)
{
	if (image->exposed && image->depth == 1)
		change_owner(image, NULL);
	unlock(image);
}

void sg_image_settle(struct sg_run *run)
{
	struct sg_image *image = run->image;

	if (!image || !image->owner)
		return;
	lock(image);
	if (image->depth == 1)
		change_owner(image, NULL);
	unlock(image);
}

void sg_image_forget(struct sg_run *run)
{
	struct sg_image *image = run->image;
	struct sg_delta *delta = run->delta;

	run->delta = NULL;
	if (image && !run->forgotten)
		image->runs--;
	run->forgotten = true;
	run->image_locals = run->image_registered = run->image_generics = NULL; /* the image may be freed before the run */
	if (image && image->owner == run) {
		/* Another thread may be about to settle it: that is left to whoever comes next. */
		image->orphan.delta = delta;
		image->owner = &image->orphan;
		return;
	}
	if (!image || !delta)
		return;
	let_die(image, delta);
	if (!try_lock(image))
		return;
	if (!image->owner)
		bury(image);
	unlock(image);
}

/* --- retirement -------------------------------------------------------------------------------- */

static void free_retired(struct sg_image *image)
{
	struct sg_context *token;
	PyObject *type, *value, *traceback;

	if (!image->retired || image->users)
		return;
	token = sg_context_suspend();
	PyErr_Fetch(&type, &value, &traceback);
	let_die(image, image->orphan.delta);
	free_dead(image);
	free_image(image);
	PyErr_Restore(type, value, traceback);
	sg_context_leave(token);
}

void sg_image_drop(struct sg_run *run)
{
	struct sg_image *image = run->image;

	run->image = NULL;
	run->image_generators = NULL;
	if (!image)
		return;
	image->users--;
	free_retired(image);
}

void sg_image_retire(struct sg_policy *policy)
{
	struct sg_image *image = policy->images, *next;

	policy->images = NULL;
	for (; image; image = next) {
		next = image->next;
		image->next = NULL;
		image->retired = true;
		free_retired(image);
	}
}

/* --- the scan ---------------------------------------------------------------------------------- */

static void log_image(const struct sg_image *image, const struct sg_scanned *scanned)
{
	struct timespec end;
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_INFO, "image"))
		return;
	REAL(clock_gettime)(CLOCK_MONOTONIC, &end);
	sg_log_text(&line, "module", sg_python_text(image->policy->workflow_module));
	sg_log_number(&line, "modules", PyDict_Size(image->modules));
	sg_log_number(&line, "objects", (int64_t)scanned->objects);
	sg_log_number(&line, "containers", (int64_t)image->slots.count);
	sg_log_text(&line, "changes", image->slots.pages ? "pages" : "memory");
	sg_log_text(&line, "reason", sg_slots_unwatched(&image->slots));
	sg_log_text(&line, "held", scanned->exposed ? scanned->held : NULL);
	sg_log_text(&line, "holder", scanned->exposed ? scanned->who : NULL);
	sg_log_number(&line, "milliseconds", (end.tv_sec - image->start.tv_sec) * 1000 +
			(end.tv_nsec - image->start.tv_nsec) / 1000000);
	sg_log_end(&line);
}

/* The image is given up; the run keeps the table. */
static int give_up(struct sg_image *image, int answer)
{
	image->policy->unshareable = true;
	sg_status.private_images++;
	sg_image_discard(image);
	return answer;
}

int sg_image_scan(struct sg_image *image, struct sg_run *run)
{
	PyObject *const own[] = {image->modules, image->memo, image->overloads, run->locals, run->generics, NULL};
	PyObject *overloads = sg_overloads_registry(image->overloads);
	struct sg_scanned scanned;
	int error;

	sg_python_clear(&run->answers); /* it refers to classes of the image */
	error = sg_scan(&image->slots, image->modules, overloads, own, image->policy->workflow_module, &scanned);
	end_making(image);
	if (error)
		return give_up(image, PyErr_Occurred() ? -1 : 0);
	image->exposed = scanned.exposed;
	/* Generators that the modules seeded are good for every run. */
	image->generators = run->generators;
	run->generators = NULL;
	run->image_generators = image->generators;
	image->listens = run->listens;
	image->locals = sg_locals_of_modules(run);
	run->image_locals = image->locals;
	image->registered = sg_abstract_of_modules(run);
	run->image_registered = image->registered;
	image->generics = sg_generics_of_modules(run);
	run->image_generics = image->generics;
	image->asked = sg_python_ref(run->asked);
	change_owner(image, run);
	image->next = image->policy->images;
	image->policy->images = image;
	sg_status.images++;
	log_image(image, &scanned);
	return 1;
}
