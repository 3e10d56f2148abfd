/*
 * seed.h - the seed of the hashes of str and bytes, so the order in which sets of them are gone through.
 *
 * An interpreter takes it from PYTHONHASHSEED, once, while it starts. SANDGLASS_HASHSEED is told to it as the answer of
 * getenv(): neither the environment, and so os.environ, nor a child process has it. None gets the hash that it has from
 * CPython 3.12 on. GIL: not needed.
 */
#ifndef SG_SEED_H
#define SG_SEED_H

#include "config/config.h"

/* The interpreter has not started yet. */
extern bool sg_seed_awaited;

/* In the constructor, with a Python in the process, and when it has started. */
void sg_seed_await(const struct sg_config *config);
void sg_seed_started(void);

/* What getenv("PYTHONHASHSEED") gives in place of given, which is what the environment has, or NULL. */
const char *sg_seed_ask(const char *given);

/* A number, or "random". */
const char *sg_seed_in_use(void);

/* A seed is set: what is not as it says, and why; NULL: nothing. GIL: held. */
const char *sg_seed_missed(void);

#define SG_SEED_ANSWERED(variable) \
	(__builtin_expect(sg_seed_awaited, 0) && strcmp(variable, "PYTHONHASHSEED") == 0)

#endif
