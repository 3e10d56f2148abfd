/*
 * object.h - what can be told of a shared object or program from its file.
 *
 * Everything the loader would use is taken from the program headers, not from the sections, which a loader does
 * not look at and a file need not have. No size that the file states is believed: memory is bounded by
 * SG_OBJECT_TABLE_MAX for each of two tables, reading by SG_OBJECT_CODE_MAX.
 */
#ifndef SG_COMMAND_OBJECT_H
#define SG_COMMAND_OBJECT_H

#include "config/command/entries.h"
#include "config/command/scan.h"

#define SG_OBJECT_TABLE_MAX ((uint64_t)256 << 20)
#define SG_OBJECT_CODE_MAX ((uint64_t)8 << 30)

enum sg_object_kind { SG_OBJECT_EXTENSION, SG_OBJECT_LIBRARY, SG_OBJECT_PROGRAM };

struct sg_object {
	enum sg_object_kind kind;
	uint16_t machine;           /* e_machine */
	bool scanned;               /* the machine is one whose instructions are known */
	bool is_static;             /* no loader takes part in starting it */
	bool symbolic;              /* DF_SYMBOLIC: finds its own definitions first */
	bool defines_entries;       /* ... and has some with names of our rows */
	bool is_go;                 /* has the note of Go's linker */
	bool looks_for_vdso;        /* knows the name of the vDSO's clock */
	bool upx;
	bool no_sections;
	double entropy;             /* of its code */
	bool wall_clock;            /* calls clock_gettime for the time of day */
	bool only_monotonic;        /* calls it for nothing but measuring */
	struct sg_entry_set imports;
	struct sg_scan_hits instructions[SG_INSTRUCTION_KINDS];
};

/* 0: not an ELF file; 1: one; -errno. */
int sg_object_is_elf(int file);

/*
 * name is only for telling an extension module by it. Returns 0; or a negative errno, with a sentence that says
 * what is wrong with the file in message[size].
 */
int sg_object_read(struct sg_object *ret_object, int file, const char *name, char *message, size_t size);

const char *sg_object_kind_name(enum sg_object_kind kind);

/* "x86-64"; NULL for one that has no name here. */
const char *sg_object_machine_name(uint16_t machine);

#endif
