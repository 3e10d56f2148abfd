/*
 * scan.h - looks through the machine code of an object for instructions that go around the C library.
 *
 * A pattern of two bytes also turns up by chance, in the middle of another instruction or in data among the code.
 * So each hit is decoded: from the start of its function, where the unwind table names one not too far away, else from
 * sixteen places before it, most of which must come to stand on it. What is left is still only "possible".
 */
#ifndef SG_COMMAND_SCAN_H
#define SG_COMMAND_SCAN_H

#include "config/command/x86.h"

#include <stdbool.h>
#include <stdint.h>

struct sg_scan_hits {
	uint64_t count;
	uint64_t first;     /* its address, as disassemblers show it */
};

struct sg_scan_range {
	uint64_t offset, size, address;
	bool named;         /* a section says that it is code; else an executable segment around one */
};

/* Which clocks are named where clock_gettime is called; only x86-64 code is looked at for it. */
struct sg_scan_clocks {
	uint64_t slots[4];  /* addresses of the pointers to clock_gettime, filled by the loader */
	uint64_t stubs[8];  /* addresses of jumps through them (the PLT), found on the way */
	uint8_t slot_count, stub_count;
	bool wall;          /* somewhere CLOCK_REALTIME or a relative of it is passed */
	bool monotonic;     /* ... CLOCK_MONOTONIC, or a processor's time */
	bool unknown;       /* ... something that is not a constant, or its address is taken */
};

struct sg_scan {
	int file;
	uint16_t machine;           /* EM_X86_64 or EM_AARCH64 */
	const uint64_t *functions;  /* their addresses, sorted; may be NULL */
	size_t function_count;
	uint64_t function, decoded; /* the one that is being decoded, and how far it is */
	struct sg_scan_clocks clocks;
	struct sg_scan_hits hits[SG_INSTRUCTION_KINDS];
	uint64_t bytes[256];        /* how often each value was seen */
};

/* 0, or -errno when the file cannot be read there. Memory: two windows of a fixed size. */
int sg_scan_range(struct sg_scan *scan, const struct sg_scan_range *range);

/* Bits in a byte, 0 to 8, over all ranges; 0 when less than 16 KiB were seen. */
double sg_scan_entropy(const struct sg_scan *scan);

/* Reads exactly size bytes; -EIO when the file is shorter. */
int sg_read_at(int file, void *buffer, size_t size, uint64_t offset);

#endif
