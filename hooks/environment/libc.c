/*
 * libc.c - the environment of the process: the libc entries. os.environ has rules in rules.conf.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"
#include "shim/interpreter/seed.h"
#include "shim/life/appear.h"

#include <string.h>

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
#include "hooks/environment/rows.h"

/* The seed of hashes is told to the interpreter alone. */
#define READS(name) \
	SG_EXPORT char *SG_SHELL(name)(const char *variable) \
	{ \
		SG_APPEAR_LOOK(NULL); \
		if (SG_SEED_ANSWERED(variable)) \
			return (char *)sg_seed_ask(REAL(name)(variable)); \
		SG_NATIVE_JUDGE(environment, name); \
		return REAL(name)(variable); \
	}
READS(getenv)
READS(secure_getenv)

#include "hooks/poison.h"
