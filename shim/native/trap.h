/*
 * trap.h - the handlers of hardened mode (hardened.h): what is done when a trap springs.
 *
 * They run on the thread that was caught, as part of the instruction: what it holds, they hold. errno and the selector
 * are as they were when they return. GIL: may or may not be held.
 */
#ifndef SG_TRAP_H
#define SG_TRAP_H

#include "shim/native/native.h"

#include <signal.h>
#include <stdint.h>

/* The libc entry that a system call stands for, by its number and two of its arguments; NULL: none. */
typedef const struct sg_native_entry *(*sg_trap_entry)(long number, long first, long third);

extern sg_trap_entry sg_trap_entry_of;

/* What is told of such an entry: see sg_native_trap(). */
extern void (*sg_trap_report)(const struct sg_native_entry *entry, const void *caller, const void *stack);

/*
 * A word of the stack is where signal handlers return to. Can a frame of a signal begin there? Not if it is what is left of
 * some struct sigaction, or of a trap that has been dealt with.
 */
bool sg_trap_may_be_frame(const uintptr_t *word);

void sg_trap_syscall(int number, siginfo_t *info, void *machine);
void sg_trap_fault(int number, siginfo_t *info, void *machine);

#endif
