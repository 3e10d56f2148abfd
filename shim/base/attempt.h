/*
 * attempt.h - tries something in a child process: a filter of seccomp may end whoever tries it.
 *
 * The child is made without libc's fork(), whose handlers belong to the program; it sends no signal when it ends, and is
 * not seen by anybody's wait(). It has a copy of the memory and one thread. GIL: not needed.
 */
#ifndef SG_ATTEMPT_H
#define SG_ATTEMPT_H

/*
 * What try() returned there, which must be 0 or a positive errno; -1 when it did not come back: then *ret_reason says
 * why, in words for the log.
 */
int sg_attempt(long (*try)(void), const char **ret_reason);

#endif
