/*
 * random.h - the numbers that the fuzzers draw: the same for a seed on every machine.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>
#include <stdint.h>

static uint64_t random_state; /* the seed, at first */

static inline uint64_t random_next(void) /* splitmix64 */
{
	uint64_t value = (random_state += 0x9e3779b97f4a7c15u);

	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
	value = (value ^ value >> 27) * 0x94d049bb133111ebu;
	return value ^ value >> 31;
}

static inline size_t random_below(size_t limit)
{
	return limit ? (size_t)(random_next() % limit) : 0;
}

#endif
