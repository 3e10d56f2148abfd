/*
 * context.h - which workflow run, if any, the current thread is executing.
 *
 * The whole hot path of Sandglass is sg_context_current: one initial-exec TLS load and one branch. It
 * is NULL outside workflow code, and while a guarded original, a passthrough import or the garbage
 * collector is running inside it (suspended). Contexts nest and live on the C stack of whoever entered; a context
 * belongs to the thread that entered it, never to another. GIL: needed for what the pointers lead to, not
 * for enter, leave and the test itself. Zero is a valid "no context"; there are no destructors.
 */
#ifndef SG_CONTEXT_H
#define SG_CONTEXT_H

#include "shim/base/assert.h"
#include "shim/interpreter/python.h"
#include "shim/run/answer.h"

#include <stdbool.h>
#include <stdint.h>

enum sg_phase { SG_PHASE_IMPORT, SG_PHASE_RUNTIME };

struct sg_policy;
struct sg_image;
struct sg_delta;
struct sg_native_record;
struct sg_line;
struct sg_named;
struct sg_numbers;
struct sg_ending;

/* One workflow execution. In a record of the engine's; made by sg_run_make() (make.h), released by sg_run_release() (leave.h). */
struct sg_run {
	struct sg_policy *policy;   /* held, see sg_policies_hold(); NULL: there was none yet */
	PyObject *modules;          /* dict: modules of this run alone, by name; NULL: no isolation */
	PyObject *generators;       /* dict: address -> weak reference of generators seeded in this run */
	PyObject *image_generators; /* borrowed: the same of its image, or NULL */
	bool listens;               /* to what sinks write: its modules or it has made a handler of theirs */
	struct sg_image *image;     /* borrowed: where its modules live, or NULL: modules of its own */
	struct sg_delta *delta;     /* what it changed in the image */
	bool forgotten;             /* by the image: it is not counted any more */
	uint64_t family, number;    /* see shim/shared/subclasses.h: of its modules, 0: no isolation; of itself, 0: none yet */
	PyObject *workflow_type, *workflow_id, *run_id; /* str or NULL, for the log */
	struct sg_answers answered, importing; /* see answer.h; the second while its modules are imported */
	PyObject *refusal;          /* last exception raised for a refused call in this activation */
	unsigned long refusals;     /* refused calls in this activation */
	struct sg_native_record *native; /* what compiled code did, see shim/native/native.h; NULL: nothing */
	struct sg_run *next, **link; /* see shim/life/finaliser.h: among the runs that have not left */
	PyObject *locals, *image_locals; /* see shim/shared/locals.h: lists or NULL; its own, with content; borrowed: of its image */
	PyObject *registered, *image_registered, *answers; /* see shim/shared/abstract.h: dicts or NULL; the second is borrowed */
	PyObject *generics, *image_generics; /* see shim/shared/generics.h: likewise */
	PyObject *classes;          /* see shim/shared/subclasses.h: list of those it made, or NULL */
	unsigned long futures, tasks; /* see shim/shared/tasks.h: how many it made, of the second without a name */
	unsigned long hashes, hashes_of_modules, hashes_aside; /* see shim/shared/subclasses.h: how many objects have a number as their hash */
	struct sg_numbers *numbers, *sink_numbers; /* ... and those in texts, or NULL */
	PyObject *latest;           /* see shim/guard/latest.h: dict or NULL */
	PyObject *overloads;        /* see shim/shared/overloads.h; NULL: none of its own */
	bool late;                  /* refusal was not raised where it belongs, see sg_decide_late() */
	struct sg_named *named;     /* see shim/state/named.h: what is compared in this activation */
	PyObject *asked, *used;     /* see shim/import/kept.h: lists or NULL; of its modules, its image's too; of itself */
	unsigned long switches;     /* ... and the count of gil.h when it began, or one that never comes */
	PyObject *kept;             /* list of generators that its end will close, or NULL */
	PyObject *root;             /* what the engine runs, and what leads to all that is the run's; NULL: it has ended */
	PyObject *fence;            /* borrowed, or NULL: an object of the engine's, behind which its end looks for nothing */
	PyObject *variables;        /* context variables of its activations; NULL: there was none yet */
	unsigned long thread;       /* that is in an activation, 0: none */
	bool activated;             /* workflow code has run */
	bool unrestricted;          /* it waits in a block that the engine lets do anything */
	bool outer_unrestricted;    /* in an activation: the thread came out of such a block */
	struct {                    /* see shim/life/leave.h */
		bool dropped, waiting, copied, ending, ended;
		struct sg_run *next;
		struct sg_ending *found;
	} leaving;
};

struct sg_context {
	struct sg_run *run;
	enum sg_phase phase;
	bool activation;  /* the engine lets the workflow run, as opposed to setting it up */
	PyObject *entry;  /* borrowed: the frame that entered; what is further out is not the run's */
	struct sg_run *outer; /* the run that this thread was in */
	struct sg_context *beside; /* the next one of those that are running */
};

/* Those of activations that have begun and not ended, on whatever thread. GIL: held. */
extern struct sg_context *sg_context_running;

extern __thread struct sg_context *sg_context_current;

/*
 * The run that this thread is in, also while its context is suspended for a call that it made; NULL while the
 * collector is at work.
 */
extern __thread struct sg_run *sg_context_run;

/* The kernel reads it where hardened mode (hardened.h) watches system calls: 1 while there is a context, else 0. */
extern __thread volatile unsigned char sg_context_selector;

/* Makes context current; returns what was current, the token that sg_context_leave() must be given. */
static inline struct sg_context *sg_context_enter(struct sg_context *context)
{
	struct sg_context *token = sg_context_current;

	sg_context_current = context;
	sg_context_selector = context != NULL;
	return token;
}

static inline void sg_context_leave(struct sg_context *token)
{
	sg_context_enter(token);
}

/* No context until sg_context_leave(token). */
static inline struct sg_context *sg_context_suspend(void)
{
	return sg_context_enter(NULL);
}

static inline bool sg_context_active(void)
{
	return __builtin_expect(sg_context_current != NULL, 0);
}

/* The run of the current context, where runs are kept apart; NULL: there is no context, or no isolation. */
static inline struct sg_run *sg_context_isolated(void)
{
	return sg_context_active() && sg_context_current->run->family ? sg_context_current->run : NULL;
}

/* A stretch of workflow code begins and ends on this thread: sg_context_run is the context's. They nest. */
static inline void sg_context_begin(struct sg_context *context)
{
	context->outer = sg_context_run;
	sg_context_run = context->run;
	context->beside = sg_context_running;
	sg_context_running = context;
}

static inline void sg_context_end(struct sg_context *context)
{
	struct sg_context **link = &sg_context_running;

	sg_assert(sg_context_run == context->run);
	sg_context_run = context->outer;
	while (*link && *link != context)
		link = &(*link)->beside;
	if (*link)
		*link = context->beside;
}

/* For probes: what sg_cpython_call() answers in that run. */
long sg_context_try(struct sg_run *run, PyObject *callable);

/* Writes workflow_id and run_id, as far as they are known, to a line of the log. GIL: held. */
void sg_run_log(const struct sg_run *run, struct sg_line *line);

#endif
