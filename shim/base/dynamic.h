/*
 * dynamic.h - what a loaded ELF object tells the loader: its symbols, and the slots that are bound to them. GIL: not needed.
 */
#ifndef SG_DYNAMIC_H
#define SG_DYNAMIC_H

#include <link.h>
#include <stddef.h>
#include <stdint.h>

struct sg_dynamic {
	uintptr_t base;
	uintptr_t relro_low, relro_high; /* read-only after the loader is done: whole pages */
	const char *strings;
	const ElfW(Sym) *symbols;
	const ElfW(Rela) *tables[2];
	size_t sizes[2];
};

/* A header of type PT_GNU_RELRO. base must be set. */
void sg_dynamic_relro(struct sg_dynamic *object, const ElfW(Phdr) *header, uintptr_t page);

/* From entry on, what the struct has room for. base must be set. */
void sg_dynamic_read(struct sg_dynamic *object, const ElfW(Dyn) *entry);

#endif
