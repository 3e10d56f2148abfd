/*
 * random_libc.c - entropy, and generators that the whole process shares: the libc entries.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"

#define HOOK SG_NATIVE_SHELL
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/random_rows.h"

#include "hooks/poison.h"

/*
 * GRND_INSECURE is how Rust's standard library, and nobody else that we know of, takes the keys of its hash tables, once
 * a thread. Whoever wants random numbers to use them asks without.
 */
SG_EXPORT ssize_t SG_SHELL(getrandom)(void *buffer, size_t size, unsigned int flags)
{
	if (!(flags & GRND_INSECURE))
		SG_NATIVE_JUDGE(random, getrandom);
	return REAL(getrandom)(buffer, size, flags);
}
