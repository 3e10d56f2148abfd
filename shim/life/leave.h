/*
 * leave.h - a run leaves: it ends, on a thread of the engine's or on ours, and its record goes.
 *
 * The engine says when: it has evicted the run (sg_leave_end(), on that workflow thread), or nobody holds it any more
 * (sg_leave_drop()), or whoever held it has ended (sg_leave_later()). In the last two the run ends on a thread of ours that
 * does nothing else. At exit runs that are there still end on that thread as well, and exit waits for them,
 * SECONDS_AT_EXIT at most.
 *
 * To end is: in the context and with the delta in place, all that ending.h finds is closed between what the engine does
 * before and after (end of struct sg_engine), so that what is in no cycle goes at once, with its weakref callbacks, and not
 * in the collector. GIL: held.
 */
#ifndef SG_LEAVE_H
#define SG_LEAVE_H

#include "shim/run/context.h"

/* 0, or -1 with an exception. Remove, at exit: ends the runs that are left. */
int sg_leave_install(void);
void sg_leave_remove(void);

/* Ends the run, once; whoever calls it holds the run until it returns. Keeps a pending exception. */
void sg_leave_end(struct sg_run *run);

/* Nobody but the core knows the run any more: it is ended, then freed, now or by somebody else. May be called anywhere. */
void sg_leave_drop(struct sg_run *run);

/* It is to be ended, unless it has not begun, or still is in an activation, on a thread that the engine has given up. */
void sg_leave_later(struct sg_run *run);
void sg_leave_start(void); /* after some of these */

/* Drops every reference of the run, and what the core knows of it. */
void sg_run_release(struct sg_run *run);

#endif
