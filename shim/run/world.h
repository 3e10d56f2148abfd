/*
 * world.h - a replay as on another machine, at another time: what workflow code reads of the wall clock and of the host's name
 * is shifted, so that what depends on it shows (`sandglass check --worlds`). Only on threads that are in a run, also while a
 * call of its passes: waits and the rest of the process keep the real time. GIL: may or may not be held.
 */
#ifndef SG_WORLD_H
#define SG_WORLD_H

#include "shim/run/context.h"

#include <time.h>

/* 0, 1: this one. Set before the first run. */
extern unsigned int sg_world;

static inline bool sg_world_is_other(void)
{
	return __builtin_expect(sg_world > 1, 0) && sg_context_run;
}

/* 463 days a world: another date, week day, month and year. The caller has asked. */
static inline time_t sg_world_seconds(void)
{
	return (time_t)(sg_world - 1) * 40000000;
}

/* "world2" and so on, cut to size, as gethostname() has it: 0, or -ENAMETOOLONG. */
int sg_world_name(char *name, size_t size);

#endif
