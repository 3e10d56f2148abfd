#define _GNU_SOURCE 1
#include "shim/base/loader.h"

#include <stddef.h>
#include <string.h>

/* <dlfcn.h> of an older glibc has no struct dl_find_object. This is its beginning, and room for all of it. */
struct found {
	unsigned long long flags;
	void *start, *end;
	struct link_map *map;
	unsigned long long rest[10];
};

static int (*find_object)(void *address, struct found *ret_found);

void sg_loader_start(bool by_loader)
{
	find_object = by_loader ? (int (*)(void *, struct found *))dlsym(RTLD_DEFAULT, "_dl_find_object") : NULL;
	if (by_loader && !find_object)
		dlerror(); /* nobody asked */
}

extern int __register_atfork(void (*)(void), void (*)(void), void (*in_child)(void), void *object) __attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));

int sg_loader_after_fork(void (*in_child)(void))
{
	return __register_atfork ? __register_atfork(NULL, NULL, in_child, __dso_handle) : -1;
}

struct search {
	uintptr_t address;
	struct sg_loaded *object;
};

static int is_there(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct search *search = argument;
	struct sg_loaded object = {.start = UINTPTR_MAX, .base = info->dlpi_addr, .name = info->dlpi_name};

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + (header->p_vaddr & -header->p_align), end = info->dlpi_addr + header->p_vaddr + header->p_memsz;

		if (header->p_type == PT_DYNAMIC)
			object.dynamic = (const void *)(info->dlpi_addr + header->p_vaddr);
		if (header->p_type != PT_LOAD)
			continue;
		object.start = start < object.start ? start : object.start;
		object.end = end > object.end ? end : object.end;
	}
	if (search->address < object.start || search->address >= object.end)
		return 0;
	*search->object = object;
	return 1;
}

bool sg_loader_find(const void *address, struct sg_loaded *ret_object)
{
	struct search search = {(uintptr_t)address, ret_object};
	struct found found;

	if (!find_object)
		return dl_iterate_phdr(is_there, &search) == 1;
	if (find_object((void *)address, &found) != 0)
		return false;
	*ret_object = (struct sg_loaded){(uintptr_t)found.start, (uintptr_t)found.end, found.map->l_addr, found.map->l_name, found.map->l_ld};
	return true;
}

/* --- ourselves, twice --------------------------------------------------------------------------- */

#define OBJECT "libsandglass.so"

struct others {
	uintptr_t own;
	const char *name;
	bool own_seen, before;
};

bool sg_loader_is_named(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, OBJECT) == 0;
}

static int look_for_other(struct dl_phdr_info *info, size_t size, void *data)
{
	struct others *others = data;

	(void)size;
	if (info->dlpi_addr == others->own) {
		others->own_seen = true;
	} else if (sg_loader_is_named(info->dlpi_name)) {
		others->name = info->dlpi_name;
		others->before = !others->own_seen;
	}
	return others->name && others->before;
}

const char *sg_loader_other(bool *ret_before)
{
	static struct others others; /* what is preloaded is there before the first question */
	Dl_info info;

	if (!others.own && dladdr((void *)sg_loader_other, &info)) {
		others.own = (uintptr_t)info.dli_fbase;
		dl_iterate_phdr(look_for_other, &others);
	}
	*ret_before = others.before;
	return others.name;
}
