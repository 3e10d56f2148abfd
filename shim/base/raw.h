/*
 * raw.h - system calls straight to the kernel.
 *
 * Neither libc's wrappers nor its syscall() may be used by code that hooks run through: all of them
 * are, or will be, interposed by Sandglass itself, and from our own object the name would reach our
 * hook. These never touch errno: the result is the kernel's, a negative errno on failure.
 * Async-signal-safe, usable between vfork and exec. GIL: not needed.
 */
#ifndef SG_RAW_H
#define SG_RAW_H

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)

static inline long sg_raw_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

static inline long sg_raw_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#else
#error "shim/base/raw.h: this processor's system call instruction is missing"
#endif

/* The usual case: up to four arguments. */
static inline long sg_raw_syscall(long number, long a, long b, long c, long d)
{
	return sg_raw_syscall6(number, a, b, c, d, 0, 0);
}

/*
 * A high copy of a descriptor, out of the way of programs that expect small numbers or close ranges of them. The limit
 * may be small; then as high as it lets us. Returns the copy, closed by exec, or a negative errno.
 */
static inline int sg_raw_descriptor_raise(int descriptor)
{
	long copy = -EINVAL;

	for (int lowest = 512; lowest > 2 && copy == -EINVAL; lowest /= 2)
		copy = sg_raw_syscall(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, lowest, 0);
	return (int)copy;
}

#endif
