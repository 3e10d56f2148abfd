/*
 * reader.h - one ELF file that is being read: what object.c and code.c share. libelf is used there only.
 *
 * Nothing that the file states is believed: each place is looked for within the file before it is read.
 */
#ifndef SG_COMMAND_READER_H
#define SG_COMMAND_READER_H

#include "config/command/object.h"

#include <gelf.h>
#include <libelf.h>

struct sg_reader {
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

/* Writes the sentence that the user reads. Returns error. */
int sg_reader_fail(struct sg_reader *reader, int error, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* Is this within the file? */
bool sg_reader_within(const struct sg_reader *reader, uint64_t offset, uint64_t size);

/* Where an address of the loaded object is in the file, and how many bytes follow there. */
bool sg_reader_locate(const struct sg_reader *reader, uint64_t address, uint64_t *ret_offset,
		uint64_t *ret_left);

/* A word of 32 bits at an address, in the object's byte order. */
bool sg_reader_word(const struct sg_reader *reader, uint64_t address, uint32_t *ret_word);

/* Fills what the object's code tells: instructions, clocks, entropy. 0 or a negative errno, with the sentence written. */
int sg_reader_scan_code(struct sg_reader *reader);

#endif
