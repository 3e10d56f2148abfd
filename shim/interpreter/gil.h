/*
 * gil.h - has another thread run Python code since? The interpreter counts how often its lock has gone to another thread.
 *
 * The companion of cpython.h: its rules hold here too. GIL: held.
 */
#ifndef SG_GIL_H
#define SG_GIL_H

#include <stdbool.h>

/* It is known where the interpreter counts. */
extern bool sg_gil_known;

/* After sg_cpython_probe(). */
void sg_gil_probe(void);

/* The count; while it stays the same nobody else has had the lock. 0 where it is not known. */
unsigned long sg_gil_switches(void);

#endif
