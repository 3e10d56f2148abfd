/*
 * generator.h - facts about generators, coroutines and asynchronous generators, with the probes that prove them.
 *
 * All three are called generators here. The interpreter ends a suspended one (GeneratorExit at the yield, so its
 * finally blocks run) in tp_finalize of its type: where its last reference goes, or in the collector, on whichever
 * thread that happens. The gate stands in that slot of the three types. Who is finished already, which is nearly every
 * one, is let through after the test of one byte. GIL: held, everywhere.
 */
#ifndef SG_GENERATOR_H
#define SG_GENERATOR_H

#include "shim/interpreter/python.h"

#include <stdbool.h>

enum sg_generator_state {
	SG_GENERATOR_CREATED,
	SG_GENERATOR_RUNNING,
	SG_GENERATOR_SUSPENDED,
	SG_GENERATOR_FINISHED
};

/* What an object refers to, one call for each reference. 0, or what visit answered to end the walk. */
typedef int (*sg_visit)(PyObject *object, void *argument);
int sg_generator_traverse(PyObject *object, sg_visit visit, void *argument);

/* Can states be told on this interpreter? False: each seems to run, and no gate may be installed. */
extern bool sg_generator_known;
void sg_generator_probe(void);

bool sg_generator_check(PyObject *object);
enum sg_generator_state sg_generator_state(PyObject *generator);

/*
 * Globals of the code of one that is not finished: borrowed, or NULL. *ret_awaits: it may wait for another; false: it
 * holds none.
 */
PyObject *sg_generator_globals(PyObject *generator, bool *ret_awaits);

/* The generator that this one waits for in a "yield from" or an await: borrowed, as it holds it; NULL: none. */
PyObject *sg_generator_awaited(PyObject *generator);

/*
 * May the interpreter end this one, which is not finished, here and now? False: it is not run; the gate may have taken
 * a reference, else it is freed as it stands. The interpreter asks once in its life. No exception may be left set.
 */
typedef bool (*sg_generator_gate)(PyObject *generator);

/* 0; -1: not on this interpreter (no exception). There is no way back: the end of the interpreter is when it counts. */
int sg_generator_install(sg_generator_gate gate);

/* What the interpreter does to it when it is not held up. */
void sg_generator_end(PyObject *generator);

#endif
