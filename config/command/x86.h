/*
 * x86.h - how long an instruction of x86-64 is, and whether it is one that goes around the C library.
 *
 * A table of lengths, no disassembler: good enough to tell an instruction from the middle of another one.
 */
#ifndef SG_COMMAND_X86_H
#define SG_COMMAND_X86_H

#include <stddef.h>
#include <stdint.h>

enum sg_instruction {
	SG_INSTRUCTION_SYSCALL, /* syscall, sysenter, int 0x80; svc on AArch64 */
	SG_INSTRUCTION_RDTSC,   /* rdtsc, rdtscp; the virtual counter on AArch64 */
	SG_INSTRUCTION_RDRAND,  /* RNDR on AArch64 */
	SG_INSTRUCTION_RDSEED,  /* RNDRRS on AArch64 */
	SG_INSTRUCTION_KINDS,
	SG_INSTRUCTION_OTHER
};

#define SG_X86_LONGEST 15

/* Length, or 0: not an instruction, or cut off by the end of the code. *ret_kind may be left out (NULL). */
size_t sg_x86_length(const uint8_t *code, size_t size, enum sg_instruction *ret_kind);

#endif
