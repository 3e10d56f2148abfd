#define _GNU_SOURCE 1

#include "config/command/vdso.h"

#include <string.h>

#define PIECE 65536
#define NOTES_MAX 65536
#define NOTE_GO 4

static const char wanted[] = "__vdso_clock_gettime";

/* In pieces that overlap by what one might cut in two. left: how much may still be read. */
static bool holds_name(int file, const GElf_Phdr *segment, uint64_t *left)
{
	static char buffer[PIECE];
	uint64_t step = PIECE - sizeof(wanted), size = segment->p_filesz < *left ? segment->p_filesz : *left;

	*left -= size;
	for (uint64_t done = 0; done < size; done += step) {
		size_t length = size - done < PIECE ? (size_t)(size - done) : PIECE;

		if (sg_read_at(file, buffer, length, segment->p_offset + done) != 0)
			return false;
		if (memmem(buffer, length, wanted, sizeof(wanted) - 1))
			return true;
	}
	return false;
}

/* Notes: three words, a name, a text, both filled up to four bytes. Of any version of Go, also in a library. */
static bool has_go_note(int file, const GElf_Phdr *segment)
{
	static char buffer[NOTES_MAX];
	size_t size = segment->p_filesz < NOTES_MAX ? (size_t)segment->p_filesz : NOTES_MAX, at = 0;
	GElf_Nhdr note;

	if (sg_read_at(file, buffer, size, segment->p_offset) != 0)
		return false;
	while (size - at >= sizeof(note) + 4) {
		uint64_t length;

		memcpy(&note, buffer + at, sizeof(note));
		if (note.n_type == NOTE_GO && note.n_namesz == 4 &&
				memcmp(buffer + at + sizeof(note), "Go\0", 4) == 0)
			return true;
		length = sizeof(note) + (((uint64_t)note.n_namesz + 3) & ~3ull) +
			(((uint64_t)note.n_descsz + 3) & ~3ull);
		if (length > size - at)
			return false;
		at += (size_t)length;
	}
	return false;
}

void sg_vdso_look(struct sg_object *object, int file, const GElf_Phdr *segments, size_t count)
{
	uint64_t left = SG_OBJECT_CODE_MAX;

	for (size_t i = 0; i < count; i++) {
		const GElf_Phdr *segment = &segments[i];

		if (segment->p_type == PT_NOTE && !object->is_go)
			object->is_go = has_go_note(file, segment);
		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W) && !object->looks_for_vdso)
			object->looks_for_vdso = holds_name(file, segment, &left);
	}
}
