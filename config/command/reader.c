#include "config/command/reader.h"

#include "config/command/scan.h"

#include <stdarg.h>
#include <stdio.h>

int sg_reader_fail(struct sg_reader *reader, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reader->message, reader->message_size, format, arguments);
	va_end(arguments);
	return error;
}

bool sg_reader_within(const struct sg_reader *reader, uint64_t offset, uint64_t size)
{
	return offset <= reader->size && size <= reader->size - offset;
}

bool sg_reader_locate(const struct sg_reader *reader, uint64_t address, uint64_t *ret_offset,
		uint64_t *ret_left)
{
	for (size_t i = 0; i < reader->segment_count; i++) {
		const GElf_Phdr *segment = &reader->segments[i];
		uint64_t into = address - segment->p_vaddr;

		if (segment->p_type != PT_LOAD || address < segment->p_vaddr || into >= segment->p_filesz ||
				!sg_reader_within(reader, segment->p_offset, segment->p_filesz))
			continue;
		*ret_offset = segment->p_offset + into;
		*ret_left = segment->p_filesz - into;
		return true;
	}
	return false;
}

bool sg_reader_word(const struct sg_reader *reader, uint64_t address, uint32_t *ret_word)
{
	uint64_t offset, left;
	uint8_t bytes[4];

	if (!sg_reader_locate(reader, address, &offset, &left) || left < 4 ||
			sg_read_at(reader->file, bytes, 4, offset) != 0)
		return false;
	if (reader->header.e_ident[EI_DATA] == ELFDATA2MSB)
		*ret_word = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
	else
		*ret_word = (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
	return true;
}
