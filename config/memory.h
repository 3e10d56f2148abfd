/*
 * memory.h - what owns the strings and lists of a configuration.
 */
#ifndef SG_CONFIG_MEMORY_H
#define SG_CONFIG_MEMORY_H

#include "config/config.h"
#include "config/names.h"

#include <stddef.h>

struct sg_arena {
	struct sg_arena_block *blocks;
};

struct sg_draft_memory {
	struct sg_arena arena;
	struct sg_names rules; /* name to index */
};

/* NULL: out of memory. */
void *sg_arena_take(struct sg_arena *arena, size_t size);
void sg_arena_release(struct sg_arena *arena);

#endif
