/*
 * distribution.h - which package an object belongs to: by RECORD of NAME-VERSION.dist-info, which lists what an
 * installer put there; else by the first directory below site-packages, or below the path that was named.
 */
#ifndef SG_COMMAND_DISTRIBUTION_H
#define SG_COMMAND_DISTRIBUTION_H

#include "config/command/findings.h"

struct sg_distributions {
	char **directories;     /* paths that end in .dist-info */
	size_t count, capacity;
};

/* Remembers the path if it is that of a .dist-info directory. 0 or -ENOMEM. */
int sg_distributions_offer(struct sg_distributions *distributions, const char *path);

/* Gives every finding from the index on a package. 0 or -ENOMEM. */
int sg_distributions_assign(struct sg_distributions *distributions, struct sg_findings *findings,
		size_t first);

void sg_distributions_release(struct sg_distributions *distributions);

#endif
