/*
 * libc.c - sockets and names of hosts: the libc entries. The rules for Python's are in rules.conf.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"

#define HOOK SG_NATIVE_SHELL
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/network/rows.h"

#include "hooks/poison.h"

#define OLD_NAME(old, new, parameters, ...) \
	SG_EXPORT int SG_SHELL(old) parameters \
	{ \
		SG_NATIVE_JUDGE(network, new); \
		return REAL(new)(__VA_ARGS__); \
	}

OLD_NAME(__res_query, res_query,
		(const char *name, int class, int type, unsigned char *ret_answer, int size),
		name, class, type, ret_answer, size)
OLD_NAME(__res_search, res_search,
		(const char *name, int class, int type, unsigned char *ret_answer, int size),
		name, class, type, ret_answer, size)
OLD_NAME(__res_send, res_send,
		(const unsigned char *message, int size, unsigned char *ret_answer, int room),
		message, size, ret_answer, room)
OLD_NAME(__res_nquery, res_nquery,
		(res_state state, const char *name, int class, int type, unsigned char *ret_answer,
		 int size),
		state, name, class, type, ret_answer, size)
OLD_NAME(__res_nsearch, res_nsearch,
		(res_state state, const char *name, int class, int type, unsigned char *ret_answer,
		 int size),
		state, name, class, type, ret_answer, size)
OLD_NAME(__res_nsend, res_nsend,
		(res_state state, const unsigned char *message, int size, unsigned char *ret_answer,
		 int room),
		state, message, size, ret_answer, room)
