#define _GNU_SOURCE 1
#include "shim/native/caller.h"

#include "config/native.h"
#include "shim/base/loader.h"
#include "shim/interpreter/python.h"
#include "shim/run/policy.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 1024 /* a power of two; a worker loads a few hundred objects */
#define PROBES 16
#define BUSY 1     /* start of a slot that is being filled */

static struct slot {
	_Atomic uintptr_t start;
	uintptr_t end;
	const char *name;
	const void *dynamic;
	uint8_t actions[SG_NATIVE_FAMILIES];
} slots[SLOTS];

#define RUNTIME_MAX 3
static uintptr_t runtime[RUNTIME_MAX]; /* where these objects are mapped */

static uintptr_t start_of(const void *address)
{
	struct sg_loaded object;

	return sg_loader_find(address, &object) ? object.start : 0;
}

void sg_caller_init(void)
{
	runtime[0] = start_of((const void *)PyGILState_Check);
	runtime[1] = start_of((const void *)sg_caller_init);
	/* A preloaded allocator reads the clock with its own locks held, on behalf of nobody in particular. */
	runtime[2] = start_of((const void *)malloc);
}

static bool is_runtime(uintptr_t start, const char *path)
{
	if (!*path) /* the program itself */
		return true;
	for (int i = 0; i < RUNTIME_MAX; i++)
		if (runtime[i] == start)
			return true;
	return false;
}

static enum sg_action usual_action(enum sg_mode mode)
{
	switch (sg_policy_config->native) {
	case SG_NATIVE_OFF:
		return SG_ACTION_ALLOW;
	case SG_NATIVE_WARN:
		return SG_ACTION_WARN;
	case SG_NATIVE_BLOCK:
		return SG_ACTION_BLOCK;
	case SG_NATIVE_BY_MODE:
		break;
	}
	return sg_mode_is_strict(mode) ? SG_ACTION_BLOCK : SG_ACTION_WARN;
}

enum sg_action sg_caller_action_in(enum sg_mode mode, const char *path, enum sg_native_family family)
{
	enum sg_action action = usual_action(mode);

	if (action == SG_ACTION_ALLOW)
		return action;
	action = sg_native_rule_action(sg_policy_config, path, family, action);
	return action > SG_ACTION_WARN && !sg_mode_refuses(mode) ? SG_ACTION_WARN : action;
}

static enum sg_action compute(uintptr_t start, const char *path, enum sg_native_family family)
{
	return is_runtime(start, path) ? SG_ACTION_ALLOW : sg_caller_action_in(sg_policy_config->mode, path, family);
}

static size_t first_probe(uintptr_t start)
{
	return (size_t)((start >> 12) * 0x9e3779b97f4a7c15u >> 40);
}

static const struct slot *find(const struct sg_loaded *object)
{
	size_t probe = first_probe(object->start);

	for (int i = 0; i < PROBES; i++, probe++) {
		const struct slot *slot = &slots[probe % SLOTS];
		uintptr_t known = atomic_load_explicit(&slot->start, memory_order_acquire);

		if (!known)
			return NULL;
		/* Another object may be mapped where one was before. */
		if (known == object->start && slot->end == object->end && slot->name == object->name &&
		    slot->dynamic == object->dynamic)
			return slot;
	}
	return NULL;
}

/* Whoever finds no free slot, or loses the race for one, asks again the next time. */
static void keep(const struct sg_loaded *object)
{
	size_t probe = first_probe(object->start);

	for (int i = 0; i < PROBES; i++, probe++) {
		struct slot *slot = &slots[probe % SLOTS];
		uintptr_t none = 0;

		if (!atomic_compare_exchange_strong(&slot->start, &none, BUSY))
			continue;
		slot->end = object->end;
		slot->name = object->name;
		slot->dynamic = object->dynamic;
		for (int family = 0; family < SG_NATIVE_FAMILIES; family++)
			slot->actions[family] = (uint8_t)compute(object->start, object->name,
					(enum sg_native_family)family);
		atomic_store_explicit(&slot->start, object->start, memory_order_release);
		return;
	}
}

enum sg_action sg_caller_action(const void *address, enum sg_native_family family,
		const char **ret_path)
{
	struct sg_loaded object;
	const struct slot *slot;

	*ret_path = NULL;
	if (!sg_loader_find(address, &object))
		return compute(0, "(generated code)", family);
	*ret_path = object.name;
	slot = find(&object);
	if (slot)
		return (enum sg_action)slot->actions[family];
	keep(&object);
	return compute(object.start, *ret_path, family);
}

const char *sg_caller_short_name(const char *path)
{
	static const char *const below[] = {"/site-packages/", "/dist-packages/"};
	const char *found, *slash;

	if (!path)
		return "(generated code)";
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		found = strstr(path, below[i]);
		if (found)
			return found + strlen(below[i]);
	}
	slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}
