#define _GNU_SOURCE 1

#include "config/command/scan.h"

#include <elf.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WINDOW ((size_t)1 << 20)
#define BACK ((size_t)256 << 10)    /* context that is kept before a window */
#define LEAST_FOR_ENTROPY (16 << 10)
#define STARTS 16                   /* places before a hit to decode from, 48 to 63 bytes off */
#define NEAREST 48
#define ENOUGH 12
#define PREFIXES 2                  /* that may stand before the opcode */

int sg_read_at(int file, void *buffer, size_t size, uint64_t offset)
{
	size_t done = 0;

	if (offset > INT64_MAX - size)
		return -EIO;
	while (done < size) {
		ssize_t got = pread(file, (char *)buffer + done, size - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		done += (size_t)got;
	}
	return 0;
}

/* The greatest start that is not above the address; 0 when there is none. */
static uint64_t function_before(const struct sg_scan *scan, uint64_t address)
{
	size_t low = 0, high = scan->function_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (scan->functions[middle] <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? scan->functions[low - 1] : 0;
}

/* Where decoding from here gets to: the hit, somewhere behind it, or what is no instruction. */
static const uint8_t *decode_to(const uint8_t *code, const uint8_t *hit)
{
	while (code < hit) {
		size_t length = sg_x86_length(code, (size_t)(hit - code) + SG_X86_LONGEST, NULL);

		if (!length)
			break;
		code += length;
	}
	return code;
}

static bool leads_to(const uint8_t *code, const uint8_t *hit)
{
	return decode_to(code, hit) == hit;
}

static bool most_lead_to(const uint8_t *start, const uint8_t *hit)
{
	int agree = 0;

	if (hit - start < NEAREST + STARTS)
		return leads_to(start, hit);
	for (int i = 0; i < STARTS; i++)
		agree += leads_to(hit - NEAREST - i, hit);
	return agree >= ENOUGH;
}

/*
 * Where decoding from the start of its function gets to: next to the hit, or stuck before it; NULL when that is out of
 * reach. It goes on from where it stood at the hit before, so all hits together cost one pass.
 */
static const uint8_t *decode_function(struct sg_scan *scan, const uint8_t *start, const uint8_t *hit, uint64_t address)
{
	uint64_t function = function_before(scan, address);
	const uint8_t *code;

	if (!function)
		return NULL;
	if (function != scan->function) {
		scan->function = function;
		scan->decoded = function;
	}
	if (scan->decoded > address)
		return hit + (scan->decoded - address);
	if (address - scan->decoded > (uint64_t)(hit - start))
		return NULL;
	code = decode_to(hit - (address - scan->decoded), hit - PREFIXES);
	scan->decoded = code < hit ? address - (uint64_t)(hit - code) : address + (uint64_t)(code - hit);
	return code;
}

/* What follows must be code too, up to a ret or jump; ud2, int3 and the end of the function are. */
static bool goes_on(const uint8_t *code, size_t size)
{
	for (int i = 0; i < 3 && size > 2 * SG_X86_LONGEST; i++) {
		size_t length = sg_x86_length(code, size, NULL);

		if (!length)
			return false;
		if (code[0] == 0xc3 || code[0] == 0xe9 || code[0] == 0xeb)
			return true;
		code += length;
		size -= length;
	}
	return true;
}

/*
 * Is the hit an opcode where instructions are, rather than bytes in the middle of one? Prefixes may stand before
 * it; the instruction then begins at the first of them.
 */
static bool is_instruction(struct sg_scan *scan, const struct sg_scan_range *range,
		const uint8_t *start, const uint8_t *hit, const uint8_t *end, uint64_t address)
{
	enum sg_instruction kind = SG_INSTRUCTION_OTHER, whole;
	size_t length = sg_x86_length(hit, (size_t)(end - hit), &kind);
	const uint8_t *decoded;

	if (!length || !goes_on(hit + length, (size_t)(end - hit) - length))
		return false;
	decoded = decode_function(scan, start, hit, address);
	for (int prefixes = 0; prefixes <= PREFIXES && hit - prefixes >= start; prefixes++) {
		const uint8_t *first = hit - prefixes;
		const uint8_t *reached = decoded ? decode_to(decoded, first) : NULL;

		if (sg_x86_length(first, (size_t)(end - first),
				&whole) != length + (size_t)prefixes || whole != kind)
			break;
		/* Data among the code may stop it: then what is around the hit tells. */
		if (reached == first || ((!reached || reached < first) && range->named && most_lead_to(start, first)))
			return true;
	}
	return false;
}

static void note(struct sg_scan *scan, enum sg_instruction kind, uint64_t address)
{
	struct sg_scan_hits *hits = &scan->hits[kind];

	if (!hits->count++)
		hits->first = address;
}

/* Only bytes that can begin the opcode are decoded. */
static bool may_begin(const uint8_t *code)
{
	if (code[0] == 0xcd)
		return code[1] == 0x80;
	if (code[0] != 0x0f)
		return false;
	return code[1] == 0x05 || code[1] == 0x34 || code[1] == 0x31 ||
	       (code[1] == 0x01 && code[2] == 0xf9) || (code[1] == 0xc7 && code[2] >= 0xf0);
}

/* ---- clock_gettime: which clock? The first argument is in edi. ---- */

#define UNKNOWN_CLOCK (-1)

/* What an instruction leaves in edi: clock as it was, a constant, or UNKNOWN_CLOCK. */
static int64_t clock_after(const uint8_t *code, size_t length, int64_t clock)
{
	uint8_t rex = code[0] >> 4 == 4 ? *code : 0;

	if (rex) {
		code++;
		length--;
	}
	if (length == 2 && (code[0] == 0x31 || code[0] == 0x33) && code[1] == 0xff && !(rex & 5))
		return 0; /* xor %edi,%edi */
	if (length == 5 && code[0] == 0xbf && !(rex & 1))
		return (int64_t)((uint32_t)code[1] | (uint32_t)code[2] << 8 | (uint32_t)code[3] << 16 |
				(uint32_t)code[4] << 24);
	/* Calls and jumps lead away; mov, lea, movslq and pop may write the register. */
	if (code[0] == 0xe8 || code[0] == 0xe9 || code[0] == 0xeb || code[0] == 0xc3 || code[0] == 0xff)
		return UNKNOWN_CLOCK;
	if (length > 1 && (code[0] == 0x8b || code[0] == 0x8d || code[0] == 0x63) &&
			(code[1] >> 3 & 7) == 7 &&
			!(rex & 4))
		return UNKNOWN_CLOCK;
	if (length > 1 && code[0] == 0x89 && code[1] >> 6 == 3 && (code[1] & 7) == 7 && !(rex & 1))
		return UNKNOWN_CLOCK;
	return code[0] == 0x5f && !(rex & 1) ? UNKNOWN_CLOCK : clock;
}

static int64_t clock_at(const uint8_t *start, const uint8_t *call)
{
	for (int i = 0; i < STARTS && call - start >= NEAREST + STARTS; i++) {
		const uint8_t *code = call - NEAREST - i;
		int64_t clock = UNKNOWN_CLOCK;

		if (!leads_to(code, call))
			continue;
		while (code < call) {
			size_t length = sg_x86_length(code, (size_t)(call - code) + SG_X86_LONGEST, NULL);

			clock = clock_after(code, length, clock);
			code += length;
		}
		return clock;
	}
	return UNKNOWN_CLOCK;
}

static void note_clock(struct sg_scan_clocks *clocks, int64_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE: case CLOCK_TAI: case CLOCK_REALTIME_ALARM:
		clocks->wall = true;
		break;
	case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_RAW: case CLOCK_MONOTONIC_COARSE: case CLOCK_BOOTTIME:
	case CLOCK_PROCESS_CPUTIME_ID: case CLOCK_THREAD_CPUTIME_ID:
		clocks->monotonic = true;
		break;
	default:
		clocks->unknown = true;
		break;
	}
}

static bool is_one_of(const uint64_t *list, size_t count, uint64_t address)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == address)
			return true;
	return false;
}

/* address: of the byte at code. */
static void look_for_clock(struct sg_scan_clocks *clocks, const uint8_t *start, const uint8_t *code,
		const uint8_t *end, uint64_t address)
{
	size_t head = code[0] == 0xe8 ? 1 : 2;
	int32_t distance;
	uint64_t target;

	if ((code[0] != 0xe8 && code[0] != 0xff && code[0] != 0x8b) || (size_t)(end - code) < head + 4)
		return;
	memcpy(&distance, code + head, 4); /* both are little-endian */
	target = address + head + 4 + (uint64_t)(int64_t)distance;
	if (code[0] == 0xe8) {
		/* The jump may stand behind an endbr64, or have a prefix. */
		for (uint64_t skip = 0; skip <= 5 && clocks->stub_count; skip++)
			if ((skip == 0 || skip >= 4 || skip == 1) &&
					is_one_of(clocks->stubs, clocks->stub_count, target + skip)) {
				note_clock(clocks, clock_at(start, code));
				break;
			}
	} else if (is_one_of(clocks->slots, clocks->slot_count, target)) {
		if (code[0] == 0x8b && (code[1] & 0xc7) == 0x05)
			clocks->unknown = true;
		else if (code[0] == 0xff && code[1] == 0x15)
			note_clock(clocks, clock_at(start, code));
		else if (code[0] == 0xff && code[1] == 0x25) {
			int64_t clock = clock_at(start, code);

			if (clock != UNKNOWN_CLOCK)
				note_clock(clocks, clock);
			if (clocks->stub_count < sizeof(clocks->stubs) / sizeof(clocks->stubs[0]))
				clocks->stubs[clocks->stub_count++] = address;
			else
				clocks->unknown = true;
		}
	}
}

/* start..end is what is in memory; hits are looked for from code on. */
static void scan_x86(struct sg_scan *scan, const struct sg_scan_range *range, const uint8_t *start,
		const uint8_t *code, const uint8_t *stop, const uint8_t *end, uint64_t offset)
{
	for (; code < stop && end - code >= 3; code++) {
		enum sg_instruction kind = SG_INSTRUCTION_OTHER;
		uint64_t here = range->address + (offset - range->offset) + (uint64_t)(code - start);

		if (scan->clocks.slot_count)
			look_for_clock(&scan->clocks, start, code, end, here);
		if (!may_begin(code))
			continue;
		/* The prefix 0xf3 makes another instruction of rdrand's bytes. */
		if (code[1] == 0xc7 && code > start && code[-1] == 0xf3)
			continue;
		if (!sg_x86_length(code, (size_t)(end - code), &kind) || kind >= SG_INSTRUCTION_KINDS)
			continue;
		if (is_instruction(scan, range, start, code, end, here))
			note(scan, kind, here);
	}
}

static void scan_aarch64(struct sg_scan *scan, const struct sg_scan_range *range,
		const uint8_t *start, const uint8_t *code, const uint8_t *stop, uint64_t offset)
{
	code += (4 - (range->address + offset + (uint64_t)(code - start) - range->offset) % 4) % 4;
	for (; code < stop && stop - code >= 4; code += 4) {
		uint32_t word = (uint32_t)code[0] | (uint32_t)code[1] << 8 | (uint32_t)code[2] << 16 |
				(uint32_t)code[3] << 24;
		uint64_t here = range->address + (offset - range->offset) + (uint64_t)(code - start);

		if (word == 0xd4000001u) /* svc #0 */
			note(scan, SG_INSTRUCTION_SYSCALL, here);
		else if ((word & ~0x1fu) == 0xd53be040u || (word & ~0x1fu) == 0xd53be0c0u)
			note(scan, SG_INSTRUCTION_RDTSC, here); /* mrs CNTVCT_EL0, CNTVCTSS_EL0 */
		else if ((word & ~0x1fu) == 0xd53b2400u)
			note(scan, SG_INSTRUCTION_RDRAND, here);
		else if ((word & ~0x1fu) == 0xd53b2420u)
			note(scan, SG_INSTRUCTION_RDSEED, here);
	}
}

int sg_scan_range(struct sg_scan *scan, const struct sg_scan_range *range)
{
	uint8_t *window = malloc(BACK + WINDOW + SG_X86_LONGEST * 5);
	uint64_t done = 0;
	int error = 0;

	if (!window)
		return -ENOMEM;
	while (done < range->size) {
		size_t back = done < BACK ? (size_t)done : BACK;
		size_t fresh = range->size - done < WINDOW ? (size_t)(range->size - done) : WINDOW;
		uint64_t beyond = range->size - done - fresh;
		size_t ahead = beyond < SG_X86_LONGEST * 4 ? (size_t)beyond : SG_X86_LONGEST * 4;
		uint64_t offset = range->offset + done - back;

		error = sg_read_at(scan->file, window, back + fresh + ahead, offset);
		if (error)
			break;
		/* Decoding may look this far beyond the end. */
		memset(window + back + fresh + ahead, 0, SG_X86_LONGEST);
		for (size_t i = 0; i < fresh; i++)
			scan->bytes[window[back + i]]++;
		if (scan->machine == EM_X86_64)
			scan_x86(scan, range, window, window + back, window + back + fresh,
					window + back + fresh + ahead, offset);
		else if (scan->machine == EM_AARCH64)
			scan_aarch64(scan, range, window, window + back, window + back + fresh, offset);
		done += fresh;
	}
	free(window);
	return error;
}

double sg_scan_entropy(const struct sg_scan *scan)
{
	uint64_t total = 0;
	double bits = 0;

	for (int i = 0; i < 256; i++)
		total += scan->bytes[i];
	if (total < LEAST_FOR_ENTROPY)
		return 0;
	for (int i = 0; i < 256; i++) {
		double share = (double)scan->bytes[i] / (double)total;

		if (scan->bytes[i])
			bits -= share * log2(share);
	}
	return bits;
}
