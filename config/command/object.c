#define _GNU_SOURCE 1

#include "config/command/object.h"

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
#define CODE_SECTIONS_MAX 1024
#define PACKED_ENTROPY 7.3      /* compiled code has 5.5 to 6.7 bits in a byte, compressed data 7.9 */

struct reader {
	struct sg_object *object;
	Elf *elf;
	int file;
	uint64_t size;
	GElf_Ehdr header;
	GElf_Phdr *segments;
	size_t segment_count;
	bool dynamic, needs, interpreter, soname, pie;
	uint64_t symbols, strings, strings_size, hash, gnu_hash;
	uint64_t unwind;                /* address of PT_GNU_EH_FRAME */
	struct sg_scan_range relocations[2]; /* DT_RELA and DT_JMPREL: address and size */
	uint32_t clock_symbols[2];      /* clock_gettime and its other name; 0: not there */
	struct sg_scan_range *code;     /* sections, sorted; address is not set */
	size_t code_count;
	char *message;
	size_t message_size;
};

__attribute__((format(printf, 3, 4)))
static int fail(struct reader *reader, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reader->message, reader->message_size, format, arguments);
	va_end(arguments);
	return error;
}

static int damaged(struct reader *reader, const char *what)
{
	return fail(reader, -EINVAL, "damaged ELF file: %s", what);
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

static bool within(const struct reader *reader, uint64_t offset, uint64_t size)
{
	return offset <= reader->size && size <= reader->size - offset;
}

/* Where an address of the loaded object is in the file, and how many bytes follow there. */
static bool locate(const struct reader *reader, uint64_t address, uint64_t *ret_offset,
		uint64_t *ret_left)
{
	for (size_t i = 0; i < reader->segment_count; i++) {
		const GElf_Phdr *segment = &reader->segments[i];
		uint64_t into = address - segment->p_vaddr;

		if (segment->p_type != PT_LOAD || address < segment->p_vaddr || into >= segment->p_filesz ||
				!within(reader, segment->p_offset, segment->p_filesz))
			continue;
		*ret_offset = segment->p_offset + into;
		*ret_left = segment->p_filesz - into;
		return true;
	}
	return false;
}

static int read_header(struct reader *reader)
{
	if (!gelf_getehdr(reader->elf, &reader->header))
		return damaged(reader, "its header is cut off or not valid");
	switch (reader->header.e_type) {
	case ET_DYN: case ET_EXEC:
		break;
	case ET_REL:
		return fail(reader, -ENOEXEC, "a relocatable file (.o); accepted: shared objects, "
				"programs, "
				"wheels and directories");
	case ET_CORE:
		return fail(reader, -ENOEXEC, "a core dump; accepted: shared objects, programs, wheels and "
				"directories");
	default:
		return damaged(reader, "its type is not one of an object or program");
	}
	reader->object->machine = reader->header.e_machine;
	return 0;
}

static int read_segments(struct reader *reader)
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
		return fail(reader, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		if (!gelf_getphdr(reader->elf, (int)i, &reader->segments[i]))
			return damaged(reader, "a program header is cut off");
	reader->segment_count = count;
	for (size_t i = 0; i < count; i++) {
		const GElf_Phdr *segment = &reader->segments[i];

		if (segment->p_type == PT_LOAD && !within(reader, segment->p_offset, segment->p_filesz))
			return damaged(reader, "a segment lies beyond the end of the file (truncated?)");
		if (segment->p_type == PT_INTERP)
			reader->interpreter = true;
		if (segment->p_type == PT_GNU_EH_FRAME)
			reader->unwind = segment->p_vaddr;
	}
	return 0;
}

static void note_dynamic(struct reader *reader, const GElf_Dyn *entry)
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

static int read_dynamic(struct reader *reader)
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
		if (size > SG_OBJECT_TABLE_MAX || !within(reader, segment->p_offset, size))
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

/* A word of 32 bits at an address, in the object's byte order. */
static bool read_word(const struct reader *reader, uint64_t address, uint32_t *ret_word)
{
	uint64_t offset, left;
	uint8_t bytes[4];

	if (!locate(reader, address, &offset, &left) || left < 4 ||
			sg_read_at(reader->file, bytes, 4, offset) != 0)
		return false;
	if (reader->header.e_ident[EI_DATA] == ELFDATA2MSB)
		*ret_word = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
	else
		*ret_word = (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
	return true;
}

/* Nothing in an object says how many dynamic symbols it has. The most that any of these sources says. */
static uint64_t symbol_count(struct reader *reader, size_t entry_size)
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
	if (reader->hash && read_word(reader, reader->hash + 4, &word) && word > count)
		count = word;
	/* The first symbol that others may find: those that are looked for elsewhere stand before it. */
	if (reader->gnu_hash && read_word(reader, reader->gnu_hash + 4, &word) && word > count)
		count = word;
	/* Linkers put the names right behind the symbols. */
	if (count <= 1 && reader->strings > reader->symbols)
		count = (reader->strings - reader->symbols) / entry_size;
	return count;
}

static void note_symbol(struct reader *reader, const GElf_Sym *symbol, const char *name, uint32_t index)
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
		if (!object->defines_entries && sg_entries_find(name) >= 0)
			object->defines_entries = true;
	}
}

static int read_symbols(struct reader *reader)
{
	size_t entry_size = gelf_fsize(reader->elf, ELF_T_SYM, 1, EV_CURRENT);
	uint64_t offset, left, strings_offset, strings_left, count;
	Elf_Data *data;
	char *strings;
	int error = 0;

	if (!reader->dynamic || !reader->symbols || !reader->strings)
		return 0;
	if (!locate(reader, reader->symbols, &offset, &left))
		return damaged(reader, "its table of symbols is outside of what is loaded");
	if (!locate(reader, reader->strings, &strings_offset, &strings_left))
		return damaged(reader, "its table of names is outside of what is loaded");
	count = symbol_count(reader, entry_size);
	if (count > left / entry_size)
		count = left / entry_size;
	if (reader->strings_size < strings_left)
		strings_left = reader->strings_size;
	if (count * entry_size > SG_OBJECT_TABLE_MAX || strings_left > SG_OBJECT_TABLE_MAX)
		return fail(reader, -EFBIG, "its table of symbols has more than 256 MiB");
	if (!count || !strings_left)
		return 0;
	data = elf_getdata_rawchunk(reader->elf, (int64_t)offset, count * entry_size, ELF_T_SYM);
	strings = malloc(strings_left + 1);
	if (!data || !strings) {
		error = fail(reader, -ENOMEM, "its table of symbols cannot be read: %s",
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

static int compare_offsets(const void *a, const void *b)
{
	const struct sg_scan_range *left = a, *right = b;

	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static int compare_addresses(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* The index of the unwind table, as every linker writes it: pairs of 32 bit, relative to itself. */
static uint64_t *read_functions(struct reader *reader, size_t *ret_count)
{
	uint64_t offset, left, count;
	uint64_t *functions = NULL;
	int32_t *pairs = NULL;
	uint8_t head[4];
	uint32_t word;

	*ret_count = 0;
	if (!reader->unwind || !locate(reader, reader->unwind, &offset, &left) || left < 12 ||
			reader->header.e_ident[EI_DATA] != ELFDATA2LSB ||
			sg_read_at(reader->file, head, 4, offset) != 0 || head[0] != 1 ||
			head[2] != 0x03 || head[3] != 0x3b || !read_word(reader, reader->unwind + 8, &word))
		return NULL;
	count = word;
	if (count > (left - 12) / 8)
		count = (left - 12) / 8;
	if (!count || count * 8 > SG_OBJECT_TABLE_MAX)
		return NULL;
	pairs = malloc(count * 8);
	functions = malloc(count * sizeof(*functions));
	if (!pairs || !functions || sg_read_at(reader->file, pairs, count * 8, offset + 12) != 0) {
		free(pairs);
		free(functions);
		return NULL;
	}
	for (uint64_t i = 0; i < count; i++)
		functions[i] = reader->unwind + (uint64_t)(int64_t)pairs[i * 2];
	free(pairs);
	qsort(functions, count, sizeof(*functions), compare_addresses);
	*ret_count = count;
	return functions;
}

/* Sections of code, by offset; with none, or too many to be honest, whole segments are taken. */
static int read_code_sections(struct reader *reader)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	reader->code = calloc(CODE_SECTIONS_MAX, sizeof(*reader->code));
	if (!reader->code)
		return fail(reader, -ENOMEM, "out of memory");
	while ((section = elf_nextscn(reader->elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS ||
				!(header.sh_flags & SHF_EXECINSTR) || !within(reader,
				header.sh_offset, header.sh_size))
			continue;
		if (reader->code_count == CODE_SECTIONS_MAX) {
			reader->code_count = 0;
			break;
		}
		reader->code[reader->code_count++] =
			(struct sg_scan_range){header.sh_offset, header.sh_size, 0, true};
	}
	qsort(reader->code, reader->code_count, sizeof(*reader->code), compare_offsets);
	return 0;
}

/* What lies between the sections of an executable segment is looked at too, more doubtfully. */
static int scan_segment(struct reader *reader, struct sg_scan *scan, const GElf_Phdr *segment)
{
	uint64_t done = segment->p_offset, end = segment->p_offset + segment->p_filesz;
	uint64_t shift = segment->p_vaddr - segment->p_offset;
	int error = 0;

	for (size_t i = 0; i <= reader->code_count && done < end && !error; i++) {
		bool last = i == reader->code_count;
		uint64_t start = last ? end : reader->code[i].offset;
		uint64_t stop = last ? end : start + reader->code[i].size;
		struct sg_scan_range range = {done, 0, done + shift, reader->code_count == 0};

		if (stop <= done || (start >= end && !last))
			continue;
		start = start < done ? done : start;
		stop = stop > end ? end : stop;
		range.size = start - done;
		if (range.size)
			error = sg_scan_range(scan, &range);
		range = (struct sg_scan_range){start, stop - start, start + shift, true};
		if (range.size && !error)
			error = sg_scan_range(scan, &range);
		done = stop;
	}
	return error;
}

/* Where the loader will write the address of clock_gettime. Tables may be large: read in pieces. */
static void find_clock_slots(struct reader *reader, struct sg_scan_clocks *clocks)
{
	static Elf64_Rela pieces[4096];

	for (int table = 0; table < 2; table++) {
		uint64_t offset, left, done = 0, size = reader->relocations[table].size;

		if ((!reader->clock_symbols[0] && !reader->clock_symbols[1]) ||
				!locate(reader, reader->relocations[table].address, &offset, &left))
			continue;
		if (size > left)
			size = left;
		while (size - done >= sizeof(*pieces)) {
			size_t count = (size - done) / sizeof(*pieces);

			if (count > sizeof(pieces) / sizeof(*pieces))
				count = sizeof(pieces) / sizeof(*pieces);
			if (sg_read_at(reader->file, pieces, count * sizeof(*pieces), offset + done) != 0)
				break;
			for (size_t i = 0; i < count; i++) {
				uint64_t symbol = ELF64_R_SYM(pieces[i].r_info);

				if (!symbol || (symbol != reader->clock_symbols[0] &&
						symbol != reader->clock_symbols[1]))
					continue;
				if (clocks->slot_count < sizeof(clocks->slots) / sizeof(clocks->slots[0]))
					clocks->slots[clocks->slot_count++] = pieces[i].r_offset;
				else
					clocks->unknown = true;
				/* A pointer in data may be called from anywhere. */
				if (ELF64_R_TYPE(pieces[i].r_info) == R_X86_64_64)
					clocks->unknown = true;
			}
			done += count * sizeof(*pieces);
		}
	}
}

static int scan_code(struct reader *reader)
{
	struct sg_object *object = reader->object;
	struct sg_scan scan = {.file = reader->file, .machine = object->machine};
	uint64_t *functions = NULL, total = 0;
	int error = read_code_sections(reader);

	object->scanned = reader->header.e_ident[EI_CLASS] == ELFCLASS64 &&
		(object->machine == EM_X86_64 || object->machine == EM_AARCH64);
	if (object->scanned && object->machine == EM_X86_64 &&
			reader->header.e_ident[EI_DATA] == ELFDATA2LSB) {
		functions = read_functions(reader, &scan.function_count);
		find_clock_slots(reader, &scan.clocks);
	}
	scan.functions = functions;
	for (size_t i = 0; i < reader->segment_count && !error; i++) {
		const GElf_Phdr *segment = &reader->segments[i];

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
			continue;
		total += segment->p_filesz;
		if (total > SG_OBJECT_CODE_MAX)
			error = fail(reader, -EFBIG, "more than 8 GiB of code");
		else if (scan_segment(reader, &scan, segment) != 0)
			error = fail(reader, -EIO, "its code cannot be read");
	}
	free(functions);
	memcpy(object->instructions, scan.hits, sizeof(scan.hits));
	object->wall_clock = scan.clocks.wall;
	object->only_monotonic = scan.clocks.monotonic && !scan.clocks.wall && !scan.clocks.unknown;
	object->entropy = sg_scan_entropy(&scan);
	if (object->entropy < PACKED_ENTROPY)
		object->entropy = 0;
	return error;
}

/* UPX puts its mark behind the program headers, and again near the end. */
static void look_for_upx(struct reader *reader)
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

static void classify(struct reader *reader, const char *name)
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
static int check_section_count(struct reader *reader)
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
	struct reader reader = {.object = &object, .file = file, .message = message, .message_size = size};
	size_t sections = 0;
	struct stat status;
	int error;

	if (fstat(file, &status) != 0)
		return fail(&reader, -errno, "cannot be examined: %s", strerror(errno));
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
			? fail(&reader, -ENOEXEC, "a static archive (.a); accepted: shared "
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
		error = scan_code(&reader);
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
