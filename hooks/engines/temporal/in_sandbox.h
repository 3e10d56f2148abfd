/*
 * in_sandbox.h - what the SDK's workflow.unsafe.in_sandbox() answers on this thread: is workflow code running? GIL: held.
 */
#ifndef SG_TEMPORAL_IN_SANDBOX_H
#define SG_TEMPORAL_IN_SANDBOX_H

#include <stdbool.h>

/* Old versions of the SDK lack it. A pending exception is kept. */
void sg_temporal_in_sandbox(bool inside);

#endif
