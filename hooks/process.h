/*
 * process.h - starting other programs.
 *
 * libc: the exec family, posix_spawn, system and popen, for SANDGLASS_INHERIT (its meaning:
 * hooks/inherit.h). Without a changed environment every call is handed to libc as it came. system()
 * and popen() start their shell inside libc, out of reach: the shell, in which we are dormant, is
 * told by a prefix of its command ("unset LD_PRELOAD;") to pass the preload on to nobody.
 */
#ifndef SG_PROCESS_H
#define SG_PROCESS_H

#include "config/config.h"

#include <stdbool.h>

/*
 * Puts SANDGLASS_INHERIT in force. own_path: where our object was loaded from. Until this call, and
 * after it with SG_INHERIT_ALL, the hooks are pure pass-through; returns whether they are in force.
 * The family's configure callback calls it, after sg_real_resolve(): a hook that runs between vfork
 * and exec must not be the first to resolve its slot. GIL: not needed.
 */
bool sg_process_inherit_configure(enum sg_inherit inherit, const char *own_path);

#endif
