/*
 * answer.h - a deterministic value instead of a refusal, where the engine knows one.
 *
 * What is answered is not the call but what it asks the C library for: the guard puts a mark on the thread, the real
 * function runs, and while the mark stands the interposed clock tells the time of the activation and interposed entropy
 * is the run's own stream. So every format, subclass and argument works as always.
 *
 * The stream: SipHash-2-4 in counter mode, its key made of the seed that the engine gives the run, so that it is the same
 * whenever the run is replayed, and another one after a reset. It is as predictable as that seed for whoever reads the
 * history: good for identifiers and choices, never for secrets. Queries and validators, which are not replayed, have a
 * stream of their own, and so have sinks.
 */
#ifndef SG_ANSWER_H
#define SG_ANSWER_H

#include "config/config.h"
#include "shim/interpreter/python.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct sg_run;

struct sg_stream {
	uint64_t key[2], drawn; /* drawn: bytes */
	PyObject *generators;   /* dict: a generator that others draw from -> the run's own instead of it; NULL: none */
};

/* What is drawn by the one does not move the others: a sink may be switched on for one worker and off for another. */
enum sg_stream_kind { SG_STREAM_REPLAYED, SG_STREAM_ASIDE, SG_STREAM_SINKS, SG_STREAMS };

/* What a run needs to be answered; zero at first. */
struct sg_answers {
	PyObject *seed;               /* what the streams were made of; NULL: they were not made */
	struct sg_stream streams[SG_STREAMS];
	unsigned long clock;          /* reads answered in this activation, at the same time: */
	int64_t now;
	int64_t compiled;             /* time of the activation for compiled code, with or without GIL, 0: not known; the engine sets it */
};

struct sg_answer {
	int64_t now;              /* nanoseconds since 1970 */
	struct sg_stream *stream;
};

/* The mark; NULL: none. */
extern __thread const struct sg_answer *sg_answer_current;

static inline bool sg_answer_active(void)
{
	return __builtin_expect(sg_answer_current != NULL, 0);
}

/* Is what rules of this source are about answered here? Not where a trial at start has shown that it does not arrive. */
bool sg_answer_can(enum sg_source source);

/*
 * Fills *ret for a call of the run. now: the engine's; seed: an object whose text is the seed, the same object while it
 * is the same seed. 0, or -1 without an exception: nothing is known. GIL: held.
 */
int sg_answer_prepare(struct sg_answers *answers, int64_t now, PyObject *seed, enum sg_stream_kind kind, struct sg_answer *ret);

/* While modules are imported there is neither time nor seed of a run: the same whoever does it, the year 2000 among them. */
#define SG_ANSWER_IMPORT_TIME (INT64_C(946684800) * 1000000000)

/* A clock that stands still: who waits for it to move would wait for ever. Beyond so many reads at one time there is no answer. */
#define SG_ANSWER_READS_MAX 100000

/* The engine's time is now: reads of another time are not counted any more. */
void sg_answer_at(struct sg_answers *answers, int64_t now);

/* GIL: may or may not be held. */
struct timespec sg_answer_time(int64_t now);

/* A datetime, in UTC whether it says so or not, in nanoseconds since 1970; negative: none of these, without an exception. */
int64_t sg_answer_moment(PyObject *datetime);

/* While the mark stands (the caller has looked). GIL: may or may not be held. */
void sg_answer_bytes(void *buffer, size_t size);

/* The next bytes of a stream. */
void sg_answer_draw(struct sg_stream *stream, void *buffer, size_t size);

/*
 * The run's own generator instead of one that others draw from, made and seeded when it is first asked for; borrowed. Of
 * class, which takes a seed of 32 bits; NULL: of random.Random. NULL with an exception. GIL: held.
 */
PyObject *sg_answer_generator(struct sg_stream *stream, PyObject *generator, PyObject *class);

void sg_answer_release(struct sg_answers *answers);

/* Calls time.time_ns() and os.urandom() under a mark, before the first guard is armed; what differs is not answered. */
void sg_answer_try(void);

#endif
