/*
 * libc.c - what tells one host, user or process from another: the libc entries. The rules for Python's are in rules.conf.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"

#define HOOK SG_NATIVE_SHELL
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/host/rows.h"

#include "shim/run/world.h"

#include <errno.h>

#include "hooks/poison.h"

static int name_of_world(char *ret_name, size_t size)
{
	int error = sg_world_name(ret_name, size);

	if (error)
		errno = -error;
	return error ? -1 : 0;
}

SG_EXPORT int SG_SHELL(gethostname)(char *ret_name, size_t size)
{
	SG_NATIVE_JUDGE(host, gethostname);
	return sg_world_is_other() ? name_of_world(ret_name, size) : REAL(gethostname)(ret_name, size);
}

SG_EXPORT int SG_SHELL(__gethostname_chk)(char *ret_name, size_t size, size_t room)
{
	SG_NATIVE_JUDGE(host, __gethostname_chk);
	if (sg_world_is_other() && size <= room)
		return name_of_world(ret_name, size);
	return REAL(__gethostname_chk)(ret_name, size, room);
}

SG_EXPORT int SG_SHELL(uname)(struct utsname *ret_names)
{
	int error;

	SG_NATIVE_JUDGE(host, uname);
	error = REAL(uname)(ret_names);
	if (!error && sg_world_is_other())
		name_of_world(ret_names->nodename, sizeof(ret_names->nodename));
	return error;
}

/* Most of what sysconf() tells is the same everywhere: page size, limits of this libc. */
SG_EXPORT long SG_SHELL(sysconf)(int name)
{
	switch (name) {
	case _SC_NPROCESSORS_CONF:
	case _SC_NPROCESSORS_ONLN:
		SG_NATIVE_JUDGE(pool, sysconf);
		break;
	case _SC_PHYS_PAGES:
	case _SC_AVPHYS_PAGES:
		SG_NATIVE_JUDGE(host, sysconf);
		break;
	default:
		break;
	}
	return REAL(sysconf)(name);
}

/* The interpreter has asked before, by its own functions, or was let: here it is compiled code, which is told what they tell. */
SG_EXPORT int SG_SHELL(isatty)(int file)
{
	if (sg_context_active() && sg_native_no_terminal()) {
		errno = ENOTTY;
		return 0;
	}
	SG_NATIVE_JUDGE(host, isatty);
	return REAL(isatty)(file);
}
