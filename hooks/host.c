/*
 * host.c - what tells one host, user or process from another: the libc entries. The rules for Python's are in
 * config/default.conf.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"

#define HOOK SG_NATIVE_SHELL
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/host_rows.h"

#include "hooks/poison.h"

/* Most of what sysconf() tells is the same everywhere: page size, limits of this libc. */
SG_EXPORT long SG_SHELL(sysconf)(int name)
{
	switch (name) {
	case _SC_NPROCESSORS_CONF:
	case _SC_NPROCESSORS_ONLN:
	case _SC_PHYS_PAGES:
	case _SC_AVPHYS_PAGES:
		SG_NATIVE_JUDGE(host, sysconf);
		break;
	default:
		break;
	}
	return REAL(sysconf)(name);
}
