/*
 * turn.h - an activation that changes what all runs share has its turn alone: no other runs until it ends.
 *
 * Activations run on several threads at once. A change that is put back at the activation's end would be seen until then by
 * those beside it, and what they found, another's change, they would put back in their turn: for ever. So before the first
 * such change the thread waits until all others have ended theirs, or wait for their own turn, and none begins before this
 * one has ended. Nearly no activation changes anything that is shared, so that nearly always these are a few counts.
 *
 * Nobody waits for longer than a second, and then goes on beside the others: a thread that the engine has given up may never
 * end. The host's own threads go on meanwhile. GIL: held; given up while it waits.
 */
#ifndef SG_TURN_H
#define SG_TURN_H

#include <stdbool.h>

/* Workflow code begins, or ends, to run on this thread; calls are paired, and may be within each other. */
void sg_turn_begin(void);
void sg_turn_end(void);

/* From now on, until it ends, this thread's is the only one. */
void sg_turn_alone(void);

/* A child has none of the other threads. */
void sg_turn_after_fork(void);

#endif
