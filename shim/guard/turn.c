#define _GNU_SOURCE
#include "shim/guard/turn.h"

#include "shim/base/real.h"
#include "shim/interpreter/python.h"

#include <time.h>

#define WAIT_MOST 1000 /* milliseconds; an engine that watches its activations allows twice as many */

static __thread int depth; /* of what has begun on this thread */

static int running;  /* threads on which something has begun, but for those that wait for a turn */
static int given_up; /* of those: have been waited for long enough */
static int waiting;  /* for a turn */
static const int *taken; /* the depth of the thread that has it; NULL: none */

static bool may_begin(void)
{
	return !taken && !waiting;
}

static bool may_be_alone(void)
{
	return !taken && running <= given_up;
}

/* True: it holds. */
static bool wait_until(bool (*holds)(void))
{
	struct timespec moment = {0, 200000};

	for (int i = 0; !holds(); i++) {
		void *state;

		if (i >= WAIT_MOST * 5)
			return false;
		state = PyEval_SaveThread();
		REAL(nanosleep)(&moment, NULL);
		PyEval_RestoreThread(state);
	}
	return true;
}

void sg_turn_begin(void)
{
	if (!depth) {
		const int *holder = taken;

		if (!wait_until(may_begin) && taken == holder)
			taken = NULL; /* not everybody is to wait for it in vain */
		running++;
	}
	depth++;
}

void sg_turn_end(void)
{
	if (--depth)
		return;
	running--;
	if (running < given_up)
		given_up = running;
	if (taken == &depth)
		taken = NULL;
}

void sg_turn_alone(void)
{
	if (!depth || taken == &depth)
		return;
	running--;
	waiting++;
	if (!wait_until(may_be_alone))
		given_up = running;
	waiting--;
	running++;
	if (!taken)
		taken = &depth;
}

void sg_turn_after_fork(void)
{
	running = depth > 0;
	given_up = waiting = 0;
	taken = taken == &depth ? taken : NULL;
}
