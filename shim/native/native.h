/*
 * native.h - what compiled code did in a context by calling libc itself.
 *
 * A libc hook tells sg_native_call() which entry was called, and from where. The caller's object gives the verdict
 * (caller.h, section [native] of the configuration); the call itself is made in any case, its answer is just
 * not used: a refused call raises the engine's exception at the very Python line, as soon as the compiled function
 * returns to the interpreter. Where the thread does not hold the GIL, or the exception was lost, the end of
 * the activation raises it. Who asks for the time of day is answered instead, where the engine knows it.
 */
#ifndef SG_NATIVE_H
#define SG_NATIVE_H

#include "config/config.h"
#include "shim/run/context.h"

#include <stdbool.h>

struct sg_engine;

/*
 * The engine lets workflow code on this thread do anything; for engines that can tell without the GIL. Others leave it
 * false: their unrestricted() is asked where the GIL is held, and elsewhere the call is judged.
 */
extern __thread bool sg_native_unrestricted;

/* One for each libc entry, static. */
struct sg_native_entry {
	const char *name;
	enum sg_native_family family;
};

/*
 * In a context (the caller has looked). errno is preserved. Async-signal-safe; never runs Python code, never
 * allocates with malloc. GIL: may or may not be held.
 */
void sg_native_call(const struct sg_native_entry *entry, const void *caller);

/* The same of a clock that tells the time of day. True: *ret_now is the answer, in nanoseconds since 1970. */
bool sg_native_clock(const struct sg_native_entry *entry, const void *caller, int64_t *ret_now);

/* In a context. Is there no terminal, whoever asks? Async-signal-safe. GIL: may or may not be held. */
bool sg_native_no_terminal(void);

/*
 * The same as sg_native_call() for code that went past libc, from the handler of the trap (hardened.h). stack: where the stack of the trapped
 * code ends, NULL when the handler does not run on it: then there may be no room, and no frame is looked at.
 */
void sg_native_trap(const struct sg_native_entry *entry, const void *caller, const void *stack);

/* The engine has its exception. 0, or -1 with an exception. GIL: held. */
int sg_native_install(const struct sg_engine *engine);
void sg_native_remove(void);

/*
 * The end of an activation, or of the creation of a run, before any other Python code: reports what was put off,
 * takes back an exception that did not arrive, and leaves it in run->refusal. A pending exception is kept. Returns
 * the number of calls refused here. GIL: held, still or again in the context.
 */
int sg_native_settle(struct sg_run *run);

void sg_native_release(struct sg_run *run);

#endif
