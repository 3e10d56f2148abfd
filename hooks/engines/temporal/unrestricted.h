/*
 * unrestricted.h - is workflow code in a "with workflow.unsafe.sandbox_unrestricted():" block?
 *
 * The SDK keeps the answer in a threading.local, behind a Python function. It is asked at every decision, also where
 * no Python code may run, and even where this thread does not hold the GIL; so the object's type is changed in place to
 * one that notes what is stored (sg_native_unrestricted). GIL: held, but for reading that variable.
 */
#ifndef SG_TEMPORAL_UNRESTRICTED_H
#define SG_TEMPORAL_UNRESTRICTED_H

#include "shim/run/context.h"

#include <stdbool.h>

/* is_unrestricted: the SDK's function, or NULL where it has none. Never fails: what cannot be followed is asked. */
void sg_temporal_unrestricted_install(PyObject *is_unrestricted);
void sg_temporal_unrestricted_remove(void);

bool sg_temporal_unrestricted(void);

/*
 * The SDK's answer is the thread's: a run that waits in such a block would leave it to whichever run comes next on that thread,
 * and find another on the thread that it goes on with.
 */
void sg_temporal_unrestricted_carry(struct sg_run *run, bool inside);

#endif
