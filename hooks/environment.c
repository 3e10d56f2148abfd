/*
 * environment.c - the environment of the process: the libc entries. os.environ has rules in config/default.conf.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"
#include "shim/life/appear.h"

/* Every start of a Python asks for variables: where one may yet be loaded, this is where it is noticed. */
#define HOOK(family, need, type, name, parameters, arguments) \
	SG_EXPORT type SG_SHELL(name) parameters; \
	SG_EXPORT type SG_SHELL(name) parameters \
	{ \
		SG_APPEAR_LOOK(NULL); \
		SG_NATIVE_JUDGE(family, name); \
		return REAL(name) arguments; \
	}
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/environment_rows.h"

#include "hooks/poison.h"
