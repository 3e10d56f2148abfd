/*
 * trap.h - the handlers of hardened mode (hardened.h): what is done when a trap springs.
 *
 * They run on the thread that was caught, as part of the instruction: what it holds, they hold. errno and the selector
 * are as they were when they return. GIL: may or may not be held.
 */
#ifndef SG_TRAP_H
#define SG_TRAP_H

#include "shim/hardened.h"

#include <signal.h>
#include <stdint.h>

extern sg_hardened_entry sg_trap_entry_of;

/*
 * A word of the stack is where signal handlers return to. Can a frame of a signal begin there? Not if it is what is left of
 * some struct sigaction, or of a trap that has been dealt with.
 */
bool sg_trap_may_be_frame(const uintptr_t *word);

void sg_trap_syscall(int number, siginfo_t *info, void *machine);
void sg_trap_fault(int number, siginfo_t *info, void *machine);

#endif
