/*
 * leave.h - the end of a run's record. GIL: held.
 */
#ifndef SG_LEAVE_H
#define SG_LEAVE_H

#include "shim/run/context.h"

/* Drops every reference of the run. */
void sg_run_release(struct sg_run *run);

#endif
