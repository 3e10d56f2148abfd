/*
 * tsc.h - whether instructions that read the time stamp counter raise SIGSEGV on this thread (hardened.h). GIL: not needed.
 */
#ifndef SG_TSC_H
#define SG_TSC_H

#include <stdbool.h>

/* They do, since sg_tsc_catch(). */
extern __thread bool sg_tsc_caught;

/* False: the kernel would not. */
bool sg_tsc_catch(void);
bool sg_tsc_release(void);

/* Before a process, a program or a thread is started: rdtsc is free until the next activation. */
static inline void sg_tsc_pause(void)
{
	if (__builtin_expect(sg_tsc_caught, 0)) {
		sg_tsc_release();
		sg_tsc_caught = false;
	}
}

/* The same before exec, where the memory may be that of the parent: nothing is written. */
static inline void sg_tsc_before_exec(void)
{
	if (__builtin_expect(sg_tsc_caught, 0))
		sg_tsc_release();
}

#endif
