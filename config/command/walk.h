/*
 * walk.h - finds the objects below a path: a file, a wheel, or a directory with everything in it.
 *
 * Links to files are followed and an object is looked at once; links to directories are not followed, so there are
 * no loops. A directory is read as it comes, never as a whole.
 */
#ifndef SG_COMMAND_WALK_H
#define SG_COMMAND_WALK_H

#include "config/command/findings.h"

#define SG_WALK_DEPTH_MAX 100

/* Audits one path of the command line. 0, or what sg_findings_add() returns. */
int sg_walk_audit(struct sg_findings *findings, size_t root);

#endif
