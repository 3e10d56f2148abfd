#include "config/command/x86.h"

#include <stdbool.h>
#include <string.h>

/* What follows the opcode: one letter for each of the 256. */
enum shape {
	NONE = '.',
	MODRM = 'm',
	MODRM_1 = 'b',      /* and an immediate of one byte */
	MODRM_Z = 'z',      /* of four, of two after 0x66 */
	BYTE = '1',
	WORD = '2',
	WORD_BYTE = '3',
	LONG = '4',         /* four in any case: jumps and calls */
	SIZED = 'Z',        /* four, two after 0x66 */
	WIDE = 'W',         /* eight after REX.W */
	ADDRESS = 'A',      /* eight, four after 0x67 */
	GROUP_3 = 'g',      /* an immediate of one byte for two of the eight operations */
	GROUP_3_Z = 'G',
	INVALID = ' '
};

static const char one_byte[] =
	"mmmm1Z  mmmm1Z  " /* 00; 0x0f is taken out before */
	"mmmm1Z  mmmm1Z  " /* 10 */
	"mmmm1Z  mmmm1Z  " /* 20 */
	"mmmm1Z  mmmm1Z  " /* 30 */
	"                " /* 40: REX */
	"................" /* 50 */
	"   m    Zz1b...." /* 60 */
	"1111111111111111" /* 70 */
	"bz bmmmmmmmmmmmm" /* 80 */
	".......... ....." /* 90 */
	"AAAA....1Z......" /* a0 */
	"11111111WWWWWWWW" /* b0 */
	"bb2.  bz3.2..1 ." /* c0 */
	"mmmm   .mmmmmmmm" /* d0 */
	"1111111144 1...." /* e0 */
	" .  ..gG......mm" /* f0 */;

static const char two_byte[] =
	"mmmm ..... .m.b " /* 00, the last three by hand below */
	"mmmmmmmmmmmmmmmm" /* 10 */
	"mmmm    mmmmmmmm" /* 20 */
	"...... .        " /* 30 */
	"mmmmmmmmmmmmmmmm" /* 40 */
	"mmmmmmmmmmmmmmmm" /* 50 */
	"mmmmmmmmmmmmmmmm" /* 60 */
	"bbbbmmm.mm  mmmm" /* 70 */
	"4444444444444444" /* 80 */
	"mmmmmmmmmmmmmmmm" /* 90 */
	"...mbm  ...mbmmm" /* a0 */
	"mmmmmmmmmmbmmmmm" /* b0 */
	"mmbmbbbm........" /* c0 */
	"mmmmmmmmmmmmmmmm" /* d0 */
	"mmmmmmmmmmmmmmmm" /* e0 */
	"mmmmmmmmmmmmmmmm" /* f0 */;

struct decoder {
	const uint8_t *code;
	size_t size, at;
	bool operand_16, address_32, repeat, wide;
};

static bool is_prefix(struct decoder *decoder, uint8_t byte)
{
	switch (byte) {
	case 0x66:
		decoder->operand_16 = true;
		return true;
	case 0x67:
		decoder->address_32 = true;
		return true;
	case 0xf3:
		decoder->repeat = true;
		return true;
	case 0xf2: case 0xf0: case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
		return true;
	default:
		return false;
	}
}

/* The byte of operands, and the address behind it. */
static size_t modrm_length(const uint8_t *code, size_t size)
{
	uint8_t mode, low;
	size_t length = 1;

	if (!size)
		return 0;
	mode = code[0] >> 6;
	low = code[0] & 7;
	if (mode == 3)
		return 1;
	if (low == 4) {
		if (size < 2)
			return 0;
		length = 2;
		if (mode == 0 && (code[1] & 7) == 5)
			length += 4;
	} else if (mode == 0 && low == 5) {
		length += 4;
	}
	return length + (mode == 1 ? 1 : mode == 2 ? 4 : 0);
}

/* The whole length, once the opcode has been read and its shape is known. */
static size_t finish(const struct decoder *decoder, char shape)
{
	const uint8_t *rest = decoder->code + decoder->at;
	size_t left = decoder->size - decoder->at, length = 0;
	size_t sized = decoder->operand_16 && !decoder->wide ? 2 : 4;

	if (shape == INVALID)
		return 0;
	if (strchr("mbzgG", shape)) {
		length = modrm_length(rest, left);
		if (!length)
			return 0;
	}
	switch (shape) {
	case MODRM_1: case BYTE:
		length += 1;
		break;
	case WORD:
		length += 2;
		break;
	case WORD_BYTE:
		length += 3;
		break;
	case LONG:
		length += 4;
		break;
	case MODRM_Z: case SIZED:
		length += sized;
		break;
	case WIDE:
		length += decoder->wide ? 8 : sized;
		break;
	case ADDRESS:
		length += decoder->address_32 ? 4 : 8;
		break;
	case GROUP_3:
		length += (rest[0] >> 3 & 7) < 2 ? 1 : 0;
		break;
	case GROUP_3_Z:
		length += (rest[0] >> 3 & 7) < 2 ? sized : 0;
		break;
	default:
		break;
	}
	length += decoder->at;
	return length <= decoder->size && length <= SG_X86_LONGEST ? length : 0;
}

/* VEX, EVEX and XOP: map 1 is that of 0x0f, 2 and 3 those of 0x0f38 and 0x0f3a. */
static size_t finish_vector(struct decoder *decoder, unsigned int map, size_t prefix)
{
	uint8_t opcode;
	char shape = MODRM;

	if (decoder->size - decoder->at <= prefix)
		return 0;
	opcode = decoder->code[decoder->at + prefix];
	decoder->at += prefix + 1;
	decoder->operand_16 = false;
	if (map == 1 && opcode == 0x77)
		shape = NONE;
	else if (map == 1 && ((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 ||
			(opcode >= 0xc4 && opcode <= 0xc6)))
		shape = MODRM_1;
	else if (map == 3 || map == 8)
		shape = MODRM_1;
	else if (map == 10)
		shape = MODRM_Z;
	else if (map == 0 || map == 4 || map == 7 || map > 10)
		shape = INVALID;
	return finish(decoder, shape);
}

static enum sg_instruction kind_of_two(const struct decoder *decoder, uint8_t opcode)
{
	uint8_t operands = decoder->at < decoder->size ? decoder->code[decoder->at] : 0;

	switch (opcode) {
	case 0x05: case 0x34:
		return SG_INSTRUCTION_SYSCALL;
	case 0x31:
		return SG_INSTRUCTION_RDTSC;
	case 0x01:
		return operands == 0xf9 ? SG_INSTRUCTION_RDTSC : SG_INSTRUCTION_OTHER;
	case 0xc7: /* after 0xf3 these are others, such as rdpid */
		if (decoder->repeat || operands < 0xf0)
			return SG_INSTRUCTION_OTHER;
		return operands < 0xf8 ? SG_INSTRUCTION_RDRAND : SG_INSTRUCTION_RDSEED;
	default:
		return SG_INSTRUCTION_OTHER;
	}
}

static size_t two_byte_length(struct decoder *decoder, enum sg_instruction *kind)
{
	uint8_t opcode;

	if (decoder->at >= decoder->size)
		return 0;
	opcode = decoder->code[decoder->at++];
	if (opcode == 0x38 || opcode == 0x3a) {
		if (decoder->at++ >= decoder->size)
			return 0;
		return finish(decoder, opcode == 0x38 ? MODRM : MODRM_1);
	}
	*kind = kind_of_two(decoder, opcode);
	if (opcode == 0x0d)
		return finish(decoder, MODRM);
	if (opcode == 0x0e)
		return finish(decoder, NONE);
	if (opcode == 0x0f)
		return finish(decoder, MODRM_1);
	return finish(decoder, two_byte[opcode]);
}

size_t sg_x86_length(const uint8_t *code, size_t size, enum sg_instruction *ret_kind)
{
	struct decoder decoder = {.code = code, .size = size};
	enum sg_instruction kind = SG_INSTRUCTION_OTHER;
	size_t length;
	uint8_t byte;

	while (decoder.at < size && decoder.at < SG_X86_LONGEST && is_prefix(&decoder, code[decoder.at]))
		decoder.at++;
	if (decoder.at < size && code[decoder.at] >> 4 == 4)
		decoder.wide = code[decoder.at++] & 8;
	if (decoder.at >= size)
		return 0;
	byte = code[decoder.at++];
	if (byte == 0x0f) {
		length = two_byte_length(&decoder, &kind);
	} else if (byte == 0xc5) {
		length = finish_vector(&decoder, 1, 1);
	} else if (byte == 0xc4 || (byte == 0x8f && decoder.at < size && (code[decoder.at] & 0x1f) >= 8)) {
		length = decoder.at < size ? finish_vector(&decoder, code[decoder.at] & 0x1f, 2) : 0;
	} else if (byte == 0x62) {
		length = decoder.at < size ? finish_vector(&decoder, code[decoder.at] & 7, 3) : 0;
	} else {
		if (byte == 0xcd && decoder.at < size && code[decoder.at] == 0x80)
			kind = SG_INSTRUCTION_SYSCALL;
		length = finish(&decoder, one_byte[byte]);
	}
	if (length && ret_kind)
		*ret_kind = kind;
	return length;
}
