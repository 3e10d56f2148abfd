#define _GNU_SOURCE 1

#include "config/command/object.h"

#include "config/command/reader.h"
#include "config/command/vdso.h"

#include <endian.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENTS_MAX 4096
#define SECTIONS_MAX 100000 /* libelf allocates for as many as the file claims */

static int damaged(struct sg_reader *reader, const char *what)
{
	return sg_reader_fail(reader, -EINVAL, "damaged ELF file: %s", what);
}

const char *sg_object_kind_name(enum sg_object_kind kind)
{
	static const char *const names[] = {"extension", "library", "program"};

	return names[kind];
}

const char *sg_object_machine_name(uint16_t machine)
{
	switch (machine) {
	case EM_X86_64: return "x86-64";
	case EM_AARCH64: return "aarch64";
	case EM_386: return "i386";
	case EM_ARM: return "arm";
	case EM_PPC64: return "ppc64";
	case EM_S390: return "s390";
	case EM_RISCV: return "riscv";
	default: return NULL;
	}
}

int sg_object_is_elf(int file)
{
	char magic[SELFMAG];
	ssize_t got = pread(file, magic, sizeof(magic), 0);

	if (got < 0)
		return -errno;
	return got == sizeof(magic) && memcmp(magic, ELFMAG, SELFMAG) == 0;
}

static int read_header(struct sg_reader *reader)
{
	if (!gelf_getehdr(reader->elf, &reader->header))
		return damaged(reader, "its header is cut off or not valid");
	switch (reader->header.e_type) {
	case ET_DYN: case ET_EXEC:
		break;
	case ET_REL:
		return sg_reader_fail(reader, -ENOEXEC, "a relocatable file (.o); accepted: shared objects, "
				"programs, "
				"wheels and directories");
	case ET_CORE:
		return sg_reader_fail(reader, -ENOEXEC, "a core dump; accepted: shared objects, programs, wheels and "
				"directories");
	default:
		return damaged(reader, "its type is not one of an object or program");
	}
	reader->object->machine = reader->header.e_machine;
	return 0;
}

static int read_segments(struct sg_reader *reader)
{
	size_t count;

	if (elf_getphdrnum(reader->elf, &count) != 0)
		return damaged(reader, "its program headers are out of reach");
	if (!count)
		return damaged(reader, "it has no program headers, so nothing of it can be loaded");
	if (count > SEGMENTS_MAX)
		return damaged(reader, "it has more than 4096 program headers");
	reader->segments = calloc(count, sizeof(*reader->segments));
	if (!reader->segments)
		return sg_reader_fail(reader, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		if (!gelf_getphdr(reader->elf, (int)i, &reader->segments[i]))
			return damaged(reader, "a program header is cut off");
	reader->segment_count = count;
	for (size_t i = 0; i < count; i++) {
		const GElf_Phdr *segment = &reader->segments[i];

		if (segment->p_type == PT_LOAD && !sg_reader_within(reader, segment->p_offset, segment->p_filesz))
			return damaged(reader, "a segment lies beyond the end of the file (truncated?)");
		if (segment->p_type == PT_INTERP)
			reader->interpreter = true;
		if (segment->p_type == PT_GNU_EH_FRAME)
			reader->unwind = segment->p_vaddr;
	}
	return 0;
}

static void note_dynamic(struct sg_reader *reader, const GElf_Dyn *entry)
{
	switch (entry->d_tag) {
	case DT_NEEDED:
		reader->needs = true;
		break;
	case DT_SONAME:
		reader->soname = true;
		break;
	case DT_SYMTAB:
		reader->symbols = entry->d_un.d_ptr;
		break;
	case DT_STRTAB:
		reader->strings = entry->d_un.d_ptr;
		break;
	case DT_STRSZ:
		reader->strings_size = entry->d_un.d_val;
		break;
	case DT_HASH:
		reader->hash = entry->d_un.d_ptr;
		break;
	case DT_GNU_HASH:
		reader->gnu_hash = entry->d_un.d_ptr;
		break;
	case DT_RELA:
		reader->relocations[0].address = entry->d_un.d_ptr;
		break;
	case DT_RELASZ:
		reader->relocations[0].size = entry->d_un.d_val;
		break;
	case DT_JMPREL:
		reader->relocations[1].address = entry->d_un.d_ptr;
		break;
	case DT_PLTRELSZ:
		reader->relocations[1].size = entry->d_un.d_val;
		break;
	case DT_SYMBOLIC:
		reader->object->symbolic = true;
		break;
	case DT_FLAGS:
		if (entry->d_un.d_val & DF_SYMBOLIC)
			reader->object->symbolic = true;
		break;
	case DT_FLAGS_1:
		if (entry->d_un.d_val & DF_1_PIE)
			reader->pie = true;
		break;
	default:
		break;
	}
}

static int read_dynamic(struct sg_reader *reader)
{
	for (size_t i = 0; i < reader->segment_count; i++) {
		const GElf_Phdr *segment = &reader->segments[i];
		uint64_t size = segment->p_filesz;
		Elf_Data *data;
		GElf_Dyn entry;

		if (segment->p_type != PT_DYNAMIC)
			continue;
		reader->dynamic = true;
		if (!size)
			continue; /* debug files keep the header only */
		if (size > SG_OBJECT_TABLE_MAX || !sg_reader_within(reader, segment->p_offset, size))
			return damaged(reader, "its dynamic section lies beyond the end of the file");
		data = elf_getdata_rawchunk(reader->elf, (int64_t)segment->p_offset, size, ELF_T_DYN);
		if (!data)
			return damaged(reader, "its dynamic section cannot be read");
		for (int j = 0; gelf_getdyn(data, j, &entry) && entry.d_tag != DT_NULL; j++)
			note_dynamic(reader, &entry);
		break;
	}
	return 0;
}

/* Nothing in an object says how many dynamic symbols it has. The most that any of these sources says. */
static uint64_t symbol_count(struct sg_reader *reader, size_t entry_size)
{
	uint64_t count = 0;
	Elf_Scn *section = NULL;
	uint32_t word;

	while ((section = elf_nextscn(reader->elf, section))) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == SHT_DYNSYM &&
				header.sh_addr == reader->symbols)
			count = header.sh_size / entry_size;
	}
	if (reader->hash && sg_reader_word(reader, reader->hash + 4, &word) && word > count)
		count = word;
	/* The first symbol that others may find: those that are looked for elsewhere stand before it. */
	if (reader->gnu_hash && sg_reader_word(reader, reader->gnu_hash + 4, &word) && word > count)
		count = word;
	/* Linkers put the names right behind the symbols. */
	if (count <= 1 && reader->strings > reader->symbols)
		count = (reader->strings - reader->symbols) / entry_size;
	return count;
}

static void note_symbol(struct sg_reader *reader, const GElf_Sym *symbol, const char *name, uint32_t index)
{
	struct sg_object *object = reader->object;
	int entry;

	if (symbol->st_shndx == SHN_UNDEF) {
		entry = sg_entries_find(name);
		if (entry >= 0)
			sg_entry_set_add(&object->imports, entry);
		if (strcmp(name, "clock_gettime") == 0)
			reader->clock_symbols[0] = index;
		else if (strcmp(name, "__clock_gettime") == 0)
			reader->clock_symbols[1] = index;
	} else if (GELF_ST_BIND(symbol->st_info) != STB_LOCAL) {
		if (strncmp(name, "PyInit_", 7) == 0 && object->kind == SG_OBJECT_LIBRARY)
			object->kind = SG_OBJECT_EXTENSION;
		if (!object->defines_entries && sg_entries_hooked(sg_entries_find(name)))
			object->defines_entries = true;
	}
}

static int read_symbols(struct sg_reader *reader)
{
	size_t entry_size = gelf_fsize(reader->elf, ELF_T_SYM, 1, EV_CURRENT);
	uint64_t offset, left, strings_offset, strings_left, count;
	Elf_Data *data;
	char *strings;
	int error = 0;

	if (!reader->dynamic || !reader->symbols || !reader->strings)
		return 0;
	if (!sg_reader_locate(reader, reader->symbols, &offset, &left))
		return damaged(reader, "its table of symbols is outside of what is loaded");
	if (!sg_reader_locate(reader, reader->strings, &strings_offset, &strings_left))
		return damaged(reader, "its table of names is outside of what is loaded");
	count = symbol_count(reader, entry_size);
	if (count > left / entry_size)
		count = left / entry_size;
	if (reader->strings_size < strings_left)
		strings_left = reader->strings_size;
	if (count * entry_size > SG_OBJECT_TABLE_MAX || strings_left > SG_OBJECT_TABLE_MAX)
		return sg_reader_fail(reader, -EFBIG, "its table of symbols has more than 256 MiB");
	if (!count || !strings_left)
		return 0;
	data = elf_getdata_rawchunk(reader->elf, (int64_t)offset, count * entry_size, ELF_T_SYM);
	strings = malloc(strings_left + 1);
	if (!data || !strings) {
		error = sg_reader_fail(reader, -ENOMEM, "its table of symbols cannot be read: %s",
				data ? "out of memory" : elf_errmsg(-1));
	} else if (sg_read_at(reader->file, strings, strings_left, strings_offset) != 0) {
		error = damaged(reader, "its table of names cannot be read");
	} else {
		GElf_Sym symbol;

		strings[strings_left] = 0;
		for (uint64_t i = 1; i < count && gelf_getsym(data, (int)i, &symbol); i++)
			if (symbol.st_name < strings_left)
				note_symbol(reader, &symbol, strings + symbol.st_name, (uint32_t)i);
	}
	free(strings);
	return error;
}

/* UPX puts its mark behind the program headers, and again near the end. */
static void look_for_upx(struct sg_reader *reader)
{
	char buffer[4096];
	size_t size = reader->size < sizeof(buffer) ? (size_t)reader->size : sizeof(buffer);
	size_t tail = size < 512 ? size : 512;

	if (sg_read_at(reader->file, buffer, size, 0) == 0 && memmem(buffer, size, "UPX!", 4))
		reader->object->upx = true;
	if (sg_read_at(reader->file, buffer, tail, reader->size - tail) == 0 &&
			memmem(buffer, tail, "UPX!", 4))
		reader->object->upx = true;
}

static void classify(struct sg_reader *reader, const char *name)
{
	struct sg_object *object = reader->object;

	if (reader->header.e_type == ET_EXEC || reader->pie || (reader->interpreter && !reader->soname))
		object->kind = SG_OBJECT_PROGRAM;
	else if (strstr(name, ".cpython-") || strstr(name, ".abi3.so"))
		object->kind = SG_OBJECT_EXTENSION;
	else
		object->kind = SG_OBJECT_LIBRARY;
	object->is_static = object->kind == SG_OBJECT_PROGRAM && !reader->interpreter && !reader->needs;
}

/* The header's own words, before libelf believes them. */
static int check_section_count(struct sg_reader *reader)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf64_Ehdr wide;
		Elf32_Ehdr narrow;
	} header = {0};
	union {
		Elf64_Shdr wide;
		Elf32_Shdr narrow;
	} first = {0};
	bool wide, swap = false;
	uint64_t count, offset;

	if (reader->size < sizeof(header.narrow) ||
			sg_read_at(reader->file, &header,
			reader->size < sizeof(header) ? sizeof(header.narrow)
				: sizeof(header), 0) != 0)
		return damaged(reader, "its header is cut off or not valid");
	wide = header.ident[EI_CLASS] == ELFCLASS64;
	swap = header.ident[EI_DATA] == ELFDATA2MSB;
	count = wide ? header.wide.e_shnum : header.narrow.e_shnum;
	offset = !wide ? (swap ? be32toh(header.narrow.e_shoff) : header.narrow.e_shoff)
		: (swap ? be64toh(header.wide.e_shoff) : header.wide.e_shoff);
	if (count || !offset || sg_read_at(reader->file, &first, wide ? sizeof(first.wide)
				: sizeof(first.narrow), offset) != 0)
		return 0;
	count = !wide ? (swap ? be32toh(first.narrow.sh_size) : first.narrow.sh_size)
		: (swap ? be64toh(first.wide.sh_size) : first.wide.sh_size);
	return count > SECTIONS_MAX ? damaged(reader, "it claims more than 100000 sections") : 0;
}

int sg_object_read(struct sg_object *ret_object, int file, const char *name, char *message, size_t size)
{
	struct sg_object object = {0};
	struct sg_reader reader = {.object = &object, .file = file, .message = message, .message_size = size};
	size_t sections = 0;
	struct stat status;
	int error;

	if (fstat(file, &status) != 0)
		return sg_reader_fail(&reader, -errno, "cannot be examined: %s", strerror(errno));
	reader.size = (uint64_t)status.st_size;
	error = check_section_count(&reader);
	if (error)
		return error;
	elf_version(EV_CURRENT);
	reader.elf = elf_begin(file, ELF_C_READ, NULL);
	if (!reader.elf)
		return damaged(&reader, elf_errmsg(-1));
	if (elf_kind(reader.elf) != ELF_K_ELF) {
		error = elf_kind(reader.elf) == ELF_K_AR
			? sg_reader_fail(&reader, -ENOEXEC, "a static archive (.a); accepted: shared "
			"objects, programs, "
				"wheels and directories")
			: damaged(&reader, "its header is cut off or not valid");
		elf_end(reader.elf);
		return error;
	}
	error = read_header(&reader);
	if (!error) {
		object.no_sections = elf_getshdrnum(reader.elf, &sections) != 0 || sections == 0;
		error = read_segments(&reader);
	}
	if (!error)
		error = read_dynamic(&reader);
	if (!error) {
		classify(&reader, name);
		error = read_symbols(&reader);
	}
	if (!error)
		error = sg_reader_scan_code(&reader);
	if (!error) {
		look_for_upx(&reader);
		sg_vdso_look(&object, file, reader.segments, reader.segment_count);
		*ret_object = object;
	}
	free(reader.segments);
	free(reader.code);
	elf_end(reader.elf);
	return error;
}
