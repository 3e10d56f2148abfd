/*
 * environment.c - the environment of the process: the libc entries. os.environ has rules in config/default.conf.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"

#define HOOK SG_NATIVE_SHELL
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/environment_rows.h"

#include "hooks/poison.h"
