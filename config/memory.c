#include "config/memory.h"

#include <stdlib.h>

#define BLOCK 16384

struct sg_arena_block {
	struct sg_arena_block *next;
	size_t size;
	size_t used;
	_Alignas(void *) char bytes[];
};

void *sg_arena_take(struct sg_arena *arena, size_t size)
{
	struct sg_arena_block *block = arena->blocks;
	void *bytes;

	size = (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
	if (!block || block->size - block->used < size) {
		size_t room = size > BLOCK ? size : BLOCK;

		block = malloc(sizeof(*block) + room);
		if (!block)
			return NULL;
		block->next = arena->blocks;
		block->size = room;
		block->used = 0;
		arena->blocks = block;
	}
	bytes = block->bytes + block->used;
	block->used += size;
	return bytes;
}

void sg_arena_release(struct sg_arena *arena)
{
	while (arena->blocks) {
		struct sg_arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}

static void free_memory(struct sg_draft_memory *memory)
{
	if (!memory)
		return;
	sg_names_release(&memory->rules);
	sg_arena_release(&memory->arena);
	free(memory);
}

void sg_config_release(struct sg_config *config)
{
	free(config->rules);
	free(config->sinks);
	free(config->native_rules);
	free(config->type_rules);
	for (size_t i = 0; i < config->engine_count; i++)
		free(config->engines[i].words);
	free(config->engines);
	free_memory(config->memory);
	*config = (struct sg_config){0};
}

struct sg_rule *sg_config_rule(const struct sg_config *config, const char *name)
{
	size_t index;

	if (!config->memory || !sg_names_find(&config->memory->rules, name, &index))
		return NULL;
	return &config->rules[index];
}
