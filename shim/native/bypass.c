/*
 * Rules of this file:
 *  1. Objects are looked at in a callback of dl_iterate_phdr(), which holds the loader's lock on its lists: nothing is loaded,
 *     looked up or allocated there, and no Python runs.
 *  2. Only what is known is written over: a slot that holds libc's function, or still the loader's lazy stub, and
 *     whose symbol has the name of a row. What goes in is what the global scope gives for that name.
 */
#define _GNU_SOURCE 1
#include "shim/native/bypass.h"

#include "shim/base/dynamic.h"
#include "shim/base/loader.h"
#include "shim/base/log.h"
#include "shim/base/raw.h"
#include "shim/base/real.h"
#include "shim/native/caller.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#undef p_type /* of resolv.h */

#if defined(__x86_64__)
#define SLOT_JUMP R_X86_64_JUMP_SLOT
#define SLOT_DATA R_X86_64_GLOB_DAT
#elif defined(__aarch64__)
#define SLOT_JUMP R_AARCH64_JUMP_SLOT
#define SLOT_DATA R_AARCH64_GLOB_DAT
#endif

#define SEEN_MAX 4096
#define TEXT_MAX (4ul << 20)
#define NOTE_GO 4

/* A row: where libc has it, and where everybody else's calls go. */
static struct entry {
	const char *name;
	uintptr_t libc, usual;
} entries[SG_REAL_COUNT];
static size_t entry_count;

static uintptr_t getauxval_address, own_base, libc_base;
static const struct r_debug_extended *debug;
static uintptr_t page;
static unsigned long long changes, removals; /* of the loader's lists, when they were last looked at */

static struct {
	const void *dynamic;
	uintptr_t base;
} seen[SEEN_MAX];
static size_t seen_count;

/* --- the rows ---------------------------------------------------------------------------------- */

static const char *const names[] = {
#define HOOK(family, need, type, name, parameters, arguments) #name,
#define HOOK_VARIADIC(family, need, type, name, parameters) #name,
#define NOHOOK(name, why)
#include "hooks/rows.h"
};

static int by_address(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	return one->libc < other->libc ? -1 : one->libc > other->libc;
}

static uintptr_t base_of(const void *address)
{
	struct sg_loaded object;

	return sg_loader_find(address, &object) ? object.base : 0;
}

/* A name that only old programs are bound to has no address here, and no new object has it either. */
static void find_entries(void *libc)
{
	for (size_t i = 0; i < SG_REAL_COUNT; i++) {
		struct entry *entry = &entries[entry_count];

		entry->name = names[i];
		entry->libc = (uintptr_t)dlsym(libc, names[i]);
		entry->usual = (uintptr_t)dlsym(RTLD_DEFAULT, names[i]);
		if (entry->libc && entry->usual && entry->libc != entry->usual)
			entry_count++;
	}
	dlerror(); /* nobody asked */
	qsort(entries, entry_count, sizeof(entries[0]), by_address);
}

/* Several names may have one address: the one that is meant, else any. */
static const struct entry *entry_at(uintptr_t address, const char *name)
{
	struct entry key = {.libc = address};
	const struct entry *found = bsearch(&key, entries, entry_count, sizeof(entries[0]), by_address);

	if (!found)
		return NULL;
	for (size_t i = 0; i < entry_count; i++)
		if (entries[i].libc == address && strcmp(entries[i].name, name) == 0)
			return &entries[i];
	return found;
}

static const struct entry *entry_named(const char *name)
{
	for (size_t i = 0; i < entry_count; i++)
		if (strcmp(entries[i].name, name) == 0)
			return &entries[i];
	return NULL;
}

/* --- one object -------------------------------------------------------------------------------- */

struct object {
	const struct dl_phdr_info *info;
	uintptr_t low, high;             /* what is mapped */
	struct sg_dynamic linked;
	const void *dynamic;
	bool at_start;                   /* loaded before us: bound like everything else */
	bool asks_for_vdso, is_go;
	int bound, unbound;
	char list[200];                  /* names of those past us */
};

static bool has_go_note(const struct object *object, const ElfW(Phdr) *header)
{
	const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(object->info->dlpi_addr + header->p_vaddr);
	const char *end = (const char *)note + header->p_memsz;

	while ((const char *)(note + 1) + 4 <= end) {
		const char *name = (const char *)(note + 1);

		if (note->n_type == NOTE_GO && note->n_namesz == 4 && memcmp(name, "Go\0", 4) == 0)
			return true;
		name += ((note->n_namesz + 3ul) & ~3ul) + ((note->n_descsz + 3ul) & ~3ul);
		note = (const ElfW(Nhdr) *)name;
	}
	return false;
}

static void read_headers(struct object *object)
{
	for (int i = 0; i < object->info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &object->info->dlpi_phdr[i];
		uintptr_t low = object->info->dlpi_addr + header->p_vaddr, high = low + header->p_memsz;

		switch (header->p_type) {
		case PT_LOAD:
			object->low = !object->high || low < object->low ? low : object->low;
			object->high = high > object->high ? high : object->high;
			break;
		case PT_DYNAMIC:
			object->dynamic = (const void *)low;
			break;
		case PT_GNU_RELRO:
			sg_dynamic_relro(&object->linked, header, page);
			break;
		case PT_NOTE:
			object->is_go = object->is_go || has_go_note(object, header);
			break;
		default:
			break;
		}
	}
}

static bool protect(uintptr_t slot, long protection)
{
	return sg_raw_syscall(SYS_mprotect, (long)(slot & ~(page - 1)), (long)page, protection, 0) == 0;
}

static bool write_slot(const struct object *object, uintptr_t slot, uintptr_t value)
{
	bool guarded = slot >= object->linked.relro_low && slot < object->linked.relro_high;

	if (guarded && !protect(slot, PROT_READ | PROT_WRITE))
		return false;
	atomic_store((_Atomic uintptr_t *)slot, value);
	if (guarded)
		protect(slot, PROT_READ);
	return true;
}

static void note_name(struct object *object, const char *name)
{
	size_t length = strlen(object->list);

	if (length + strlen(name) + 2 < sizeof(object->list))
		snprintf(object->list + length, sizeof(object->list) - length, "%s%s", length ? "," : "", name);
}

static void look_at_slot(struct object *object, const ElfW(Rela) *relocation)
{
	unsigned long type = ELF64_R_TYPE(relocation->r_info);
	const ElfW(Sym) *symbol = &object->linked.symbols[ELF64_R_SYM(relocation->r_info)];
	uintptr_t slot = object->info->dlpi_addr + relocation->r_offset, value;
	const struct entry *entry;

	if ((type != SLOT_JUMP && type != SLOT_DATA) || symbol->st_shndx != SHN_UNDEF)
		return;
	value = *(const uintptr_t *)slot;
	if (value == getauxval_address)
		object->asks_for_vdso = true;
	if (type == SLOT_JUMP && value >= object->low && value < object->high) {
		/* Not bound yet: the loader may still do it past us, and nobody would be told. */
		entry = object->at_start ? NULL : entry_named(object->linked.strings + symbol->st_name);
		if (entry)
			write_slot(object, slot, entry->usual);
		return;
	}
	entry = entry_at(value, object->linked.strings + symbol->st_name);
	if (!entry)
		return;
	note_name(object, entry->name);
	if (write_slot(object, slot, entry->usual))
		object->bound++;
	else
		object->unbound++;
}

/* --- what is said of it ------------------------------------------------------------------------ */

/* Of an object that is allowed everything nobody needs to hear. */
static enum sg_log_level level_of(uintptr_t address, enum sg_log_level usual)
{
	const char *path;

	return sg_caller_action((const void *)address, SG_NATIVE_CLOCK, &path) == SG_ACTION_ALLOW ?
		SG_LOG_DEBUG : usual;
}

static void say(enum sg_log_level level, const char *path, const char *kind, const char *action,
		const char *entry_list, const char *reason)
{
	struct sg_line line;

	if (!sg_log_begin(&line, level, "bypass"))
		return;
	sg_log_text(&line, "object", path);
	sg_log_text(&line, "kind", kind);
	sg_log_text(&line, "action", action);
	sg_log_text(&line, "entries", entry_list);
	sg_log_text(&line, "reason", reason);
	sg_log_end(&line);
}

/* In its constant data, which is small where the loader maps it by itself. */
static bool holds_vdso_name(const struct object *object)
{
	for (int i = 0; i < object->info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &object->info->dlpi_phdr[i];

		if (header->p_type == PT_LOAD && !(header->p_flags & PF_W) && (header->p_flags & PF_R) &&
		    header->p_memsz <= TEXT_MAX &&
		    memmem((const void *)(object->info->dlpi_addr + header->p_vaddr), header->p_memsz,
				    "__vdso_clock_gettime", 20))
			return true;
	}
	return false;
}

static void report(const struct object *object, bool first)
{
	const char *path = object->info->dlpi_name;

	if (object->bound)
		say(SG_LOG_INFO, path, "deepbind", "bound", object->list,
				"it was bound to the C library past Sandglass, as by RTLD_DEEPBIND");
	if (object->unbound)
		say(level_of(object->low, SG_LOG_WARN), path, "deepbind", "unseen", object->list,
				"it was bound to the C library past Sandglass, and its slots cannot be written");
	if (!first)
		return;
	if (object->is_go)
		say(level_of(object->low, SG_LOG_WARN), path, "go", "unseen", NULL,
				"a Go runtime reads the clock through the vDSO and makes system calls by itself; "
				"SANDGLASS_HARDENED=1 sees the system calls");
	else if (object->asks_for_vdso && holds_vdso_name(object))
		say(level_of(object->low, SG_LOG_WARN), path, "vdso", "unseen", NULL,
				"it looks for the vDSO's clock by itself");
}

/* --- all of them ------------------------------------------------------------------------------- */

static bool remember(const void *dynamic, uintptr_t base)
{
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].dynamic == dynamic && seen[i].base == base)
			return false;
	if (seen_count < SEEN_MAX) {
		seen[seen_count].dynamic = dynamic;
		seen[seen_count++].base = base;
	}
	return true;
}

/* How to look: what is told by the state of the lists before. */
struct pass {
	bool changed;
	bool at_start;
	bool again;    /* something was removed, and what is new may be where it was */
};

static int look_at_object(struct dl_phdr_info *info, size_t size, void *data)
{
	const struct pass *pass = data;
	struct object object = {.info = info, .linked.base = info->dlpi_addr, .at_start = pass->at_start};
	bool first;

	(void)size;
	changes = info->dlpi_adds;
	removals = info->dlpi_subs;
	if (info->dlpi_addr == own_base || info->dlpi_addr == libc_base || sg_loader_is_named(info->dlpi_name))
		return 0;
	read_headers(&object);
	first = object.dynamic && remember(object.dynamic, info->dlpi_addr);
	if (!object.dynamic || (!first && !pass->again))
		return 0;
	sg_dynamic_read(&object.linked, object.dynamic);
	if (!object.linked.strings || !object.linked.symbols)
		return 0;
	for (int table = 0; table < 2; table++)
		for (size_t i = 0; object.linked.tables[table] && i < object.linked.sizes[table]; i++)
			look_at_slot(&object, &object.linked.tables[table][i]);
	report(&object, first);
	return 0;
}

static bool is_libc(const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	return !*name || strncmp(name, "libc.so", 7) == 0 || strncmp(name, "ld-linux", 8) == 0 ||
	       strncmp(name, "linux-vdso", 10) == 0;
}

/* The lists are stable: we are called with the loader's lock held. */
static void look_at_namespaces(void)
{
	const struct r_debug_extended *space = debug && debug->base.r_version > 1 ? debug->r_next : NULL;

	for (; space; space = space->r_next)
		for (const struct link_map *map = space->base.r_map; map; map = map->l_next)
			if (!is_libc(map->l_name) && remember(map->l_ld, map->l_addr))
				say(level_of((uintptr_t)map->l_ld, SG_LOG_WARN), map->l_name,
						"namespace", "unseen", NULL,
						"dlmopen gave it a C library of its own");
}

/* The first object tells whether the lists have changed. */
static int look(struct dl_phdr_info *info, size_t size, void *data)
{
	struct pass *pass = data;

	(void)size;
	pass->changed = info->dlpi_adds != changes;
	pass->again = info->dlpi_subs != removals;
	if (pass->changed)
		look_at_namespaces();
	return 1;
}

void sg_bypass_look(void)
{
	struct pass pass = {.at_start = !changes};
	int saved_errno = errno;

	if (!entry_count)
		return;
	dl_iterate_phdr(look, &pass);
	if (pass.changed)
		dl_iterate_phdr(look_at_object, &pass);
	errno = saved_errno;
}

void sg_bypass_start(void)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	if (!libc || entry_count)
		return;
	page = getauxval(AT_PAGESZ);
	getauxval_address = (uintptr_t)dlsym(libc, "getauxval");
	debug = dlsym(RTLD_DEFAULT, "_r_debug");
	own_base = base_of(sg_bypass_start);
	libc_base = base_of(gnu_get_libc_version);
	find_entries(libc);
	sg_bypass_look();
}
