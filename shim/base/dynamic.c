#define _GNU_SOURCE 1
#include "shim/base/dynamic.h"

#include <elf.h>

/* The loader has made addresses of these; on some machines they are still relative. */
static const void *pointer(const struct sg_dynamic *object, ElfW(Addr) value)
{
	return (const void *)(value < object->base ? value + object->base : value);
}

void sg_dynamic_relro(struct sg_dynamic *object, const ElfW(Phdr) *header, uintptr_t page)
{
	uintptr_t low = object->base + header->p_vaddr;

	object->relro_low = low & ~(page - 1);
	object->relro_high = (low + header->p_memsz) & ~(page - 1); /* as the loader does */
}

void sg_dynamic_read(struct sg_dynamic *object, const ElfW(Dyn) *entry)
{
	for (; entry->d_tag != DT_NULL; entry++) {
		switch (entry->d_tag) {
		case DT_STRTAB:
			object->strings = pointer(object, entry->d_un.d_ptr);
			break;
		case DT_SYMTAB:
			object->symbols = pointer(object, entry->d_un.d_ptr);
			break;
		case DT_RELA:
			object->tables[0] = pointer(object, entry->d_un.d_ptr);
			break;
		case DT_RELASZ:
			object->sizes[0] = entry->d_un.d_val / sizeof(ElfW(Rela));
			break;
		case DT_JMPREL:
			object->tables[1] = pointer(object, entry->d_un.d_ptr);
			break;
		case DT_PLTRELSZ:
			object->sizes[1] = entry->d_un.d_val / sizeof(ElfW(Rela));
			break;
		default:
			break;
		}
	}
}
