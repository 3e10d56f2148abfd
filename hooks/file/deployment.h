/*
 * deployment.h - places whose files are the same on every worker, for who looks at them without Python.
 *
 * GIL: not needed.
 */
#ifndef SG_FILE_DEPLOYMENT_H
#define SG_FILE_DEPLOYMENT_H

#include <fcntl.h>
#include <stdbool.h>

/*
 * Does it lie below the standard library, an installed package or the time zone data base? Only by an absolute path without
 * "..", and below no name that begins with a dot. False until the first engine appears.
 */
bool sg_deployment_installed(const char *path);

/* Is it the file of the time zone data base that leads to the host's own zone? */
bool sg_deployment_host_zone(const char *path);

/*
 * Is that where a library reads how many processors it may use (Rust's standard library, mimalloc, pandas), or which others
 * divide work as well (threadpoolctl)?
 */
bool sg_deployment_processors(const char *path);

/* Flags of open(). */
#define SG_ONLY_READS(flags) (((flags) & O_ACCMODE) == O_RDONLY && !((flags) & (O_CREAT | O_TRUNC)))

#endif
