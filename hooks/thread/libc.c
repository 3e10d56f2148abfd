/*
 * libc.c - starting threads: the libc entries.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"

#define HOOK SG_NATIVE_SHELL
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/thread/rows.h"

#include "hooks/poison.h"
