/*
 * libc.c - entropy, and generators that the whole process shares: the libc entries.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"

#define HOOK SG_NATIVE_SHELL
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/random/rows.h"

#include "shim/run/answer.h"

#include "hooks/poison.h"

/*
 * Who takes less than good entropy rather than wait has no use for it but keys that nobody sees: GRND_INSECURE is how Rust's
 * standard library takes those of its hash tables, GRND_NONBLOCK how allocators (mimalloc, in pyarrow and others) take those
 * of their free lists, once a thread. Whoever wants random numbers to use them asks without.
 */
SG_EXPORT ssize_t SG_SHELL(getrandom)(void *buffer, size_t size, unsigned int flags)
{
	if (sg_answer_active()) {
		sg_answer_bytes(buffer, size);
		return (ssize_t)size;
	}
	if (!(flags & (GRND_INSECURE | GRND_NONBLOCK)))
		SG_NATIVE_JUDGE(random, getrandom);
	return REAL(getrandom)(buffer, size, flags);
}
