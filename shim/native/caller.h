/*
 * caller.h - whose code an address is in, and what the configuration says of that object.
 *
 * Used by libc hooks on their way through: no lock, no allocation, no Python, async-signal-safe. The loader's own
 * table answers (shim/base/loader.h: always up to date, also after dlopen and dlclose);
 * verdicts are kept in a fixed table beside it. GIL: not needed.
 */
#ifndef SG_CALLER_H
#define SG_CALLER_H

#include "config/config.h"

/* Once, with the interpreter present. */
void sg_caller_init(void);

/*
 * What is to be done when the code at address calls an entry of that family. Part of the runtime (the program,
 * libpython, our own object, whoever provides malloc): SG_ACTION_ALLOW. *ret_path: the loader's name of the
 * object, valid while its code is running; NULL: code in no object, such as a JIT compiler's.
 */
enum sg_action sg_caller_action(const void *address, enum sg_native_family family,
		const char **ret_path);

/* The same for an object of that path, which is not of the runtime, in any mode. */
enum sg_action sg_caller_action_in(enum sg_mode mode, const char *path, enum sg_native_family family);

/* The part of a path that tells one object from another: below site-packages, else the file's name. */
const char *sg_caller_short_name(const char *path);

#endif
