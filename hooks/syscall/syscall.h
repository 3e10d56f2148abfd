/*
 * syscall.h - which entry a system call by number is.
 */
#ifndef SG_HOOKS_SYSCALL_H
#define SG_HOOKS_SYSCALL_H

#include "shim/native/native.h"

/* NULL: nobody minds. first and third: of its arguments. Async-signal-safe. */
const struct sg_native_entry *sg_syscall_entry(long number, long first, long third);

#endif
