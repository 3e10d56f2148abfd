#define _GNU_SOURCE 1

#include "config/command/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CODE_SECTIONS_MAX 1024
#define PACKED_ENTROPY 7.3      /* compiled code has 5.5 to 6.7 bits in a byte, compressed data 7.9 */

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
static uint64_t *read_functions(struct sg_reader *reader, size_t *ret_count)
{
	uint64_t offset, left, count;
	uint64_t *functions = NULL;
	int32_t *pairs = NULL;
	uint8_t head[4];
	uint32_t word;

	*ret_count = 0;
	if (!reader->unwind || !sg_reader_locate(reader, reader->unwind, &offset, &left) || left < 12 ||
			reader->header.e_ident[EI_DATA] != ELFDATA2LSB ||
			sg_read_at(reader->file, head, 4, offset) != 0 || head[0] != 1 ||
			head[2] != 0x03 || head[3] != 0x3b || !sg_reader_word(reader, reader->unwind + 8, &word))
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
static int read_code_sections(struct sg_reader *reader)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	reader->code = calloc(CODE_SECTIONS_MAX, sizeof(*reader->code));
	if (!reader->code)
		return sg_reader_fail(reader, -ENOMEM, "out of memory");
	while ((section = elf_nextscn(reader->elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS ||
				!(header.sh_flags & SHF_EXECINSTR) || !sg_reader_within(reader,
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
static int scan_segment(struct sg_reader *reader, struct sg_scan *scan, const GElf_Phdr *segment)
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
static void find_clock_slots(struct sg_reader *reader, struct sg_scan_clocks *clocks)
{
	static Elf64_Rela pieces[4096];

	for (int table = 0; table < 2; table++) {
		uint64_t offset, left, done = 0, size = reader->relocations[table].size;

		if ((!reader->clock_symbols[0] && !reader->clock_symbols[1]) ||
				!sg_reader_locate(reader, reader->relocations[table].address, &offset, &left))
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

int sg_reader_scan_code(struct sg_reader *reader)
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
			error = sg_reader_fail(reader, -EFBIG, "more than 8 GiB of code");
		else if (scan_segment(reader, &scan, segment) != 0)
			error = sg_reader_fail(reader, -EIO, "its code cannot be read");
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
