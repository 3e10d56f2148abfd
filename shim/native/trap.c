/*
 * Rules of this file:
 *  1. Until the handler is done the selector allows everything: our own system calls are not in libc's text.
 *  2. The trapped code may hold any lock and stand on any stack, such as a goroutine's: little stack, no allocation.
 *  3. A system call is made here for the trapped code, and its answer put into the saved registers. Those that mean the
 *     stack, the registers or the frame that they are made in cannot be: they are made by the trapped code itself, by
 *     running its instruction once more with the selector left open, until the next guard or the end of the activation
 *     sets it again.
 */
#define _GNU_SOURCE 1
#include "shim/native/trap.h"

#include "shim/base/raw.h"
#include "shim/base/signals.h"
#include "shim/native/tsc.h"
#include "shim/run/context.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <ucontext.h>

sg_trap_entry sg_trap_entry_of;
void (*sg_trap_report)(const struct sg_native_entry *entry, const void *caller, const void *stack);

#if defined(__x86_64__)

#define CODE_USER_DISPATCH 2
#define ARCH_X86_64 0xc000003eu
#define GENERAL_PROTECTION 13
#define CANONICAL (1ul << 47)
#define FRAME_MAX (64ul << 10) /* of a signal, with all that a processor has to save */
#define KERNEL_SET_SIZE 8

static const struct sg_native_entry rdtsc_entry = {"rdtsc", SG_NATIVE_MONOTONIC};

/* Where the stack of the trapped code ends, if we are on it. */
static const void *stack_of(const ucontext_t *machine)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t there = (uintptr_t)machine->uc_mcontext.gregs[REG_RSP];

	if (there < here || there - here > FRAME_MAX)
		return NULL;
	return (const void *)((there + 7) & ~7ul);
}

/*
 * The mark of a frame that is done with, in a field that the kernel leaves NULL and does not look at. A frame begins with
 * the address to return to; the machine's state follows, with flags that the kernel always sets.
 */
static const char past;

#define STATE_FLAGS 6ul /* UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS; the lowest bit varies */

bool sg_trap_may_be_frame(const uintptr_t *word)
{
	const ucontext_t *machine = (const ucontext_t *)(word + 1);

	return (machine->uc_flags & ~1ul) == STATE_FLAGS && machine->uc_link != (const ucontext_t *)&past;
}

static void leave(ucontext_t *machine, int saved_errno)
{
	machine->uc_link = (ucontext_t *)&past;
	errno = saved_errno;
}

/* --- system calls ------------------------------------------------------------------------------ */

/* The kernel's own form of struct sigaction. */
struct kernel_action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static void from_kernel(struct sigaction *action, const struct kernel_action *from)
{
	memset(action, 0, sizeof(*action));
	action->sa_handler = from->handler;
	action->sa_flags = (int)from->flags;
	action->sa_restorer = from->restorer;
	memcpy(&action->sa_mask, &from->mask, sizeof(from->mask));
}

static long change_action(int number, const struct kernel_action *wanted, struct kernel_action *ret_old)
{
	struct sigaction action, old;
	long error;

	if (wanted)
		from_kernel(&action, wanted);
	error = sg_signals_change(number, wanted ? &action : NULL, &old);
	if (error || !ret_old)
		return error;
	ret_old->handler = old.sa_handler;
	ret_old->flags = (unsigned int)old.sa_flags;
	ret_old->restorer = old.sa_restorer;
	memcpy(&ret_old->mask, &old.sa_mask, sizeof(ret_old->mask));
	return 0;
}

/* Returning from the handler sets the mask of the frame, so that is where a change has to go. */
static long change_mask(const greg_t *registers, ucontext_t *machine)
{
	long result = sg_raw_syscall(SYS_rt_sigprocmask, registers[REG_RDI], registers[REG_RSI],
			registers[REG_RDX], registers[REG_R10]);

	sg_raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&machine->uc_sigmask, KERNEL_SET_SIZE);
	sg_signals_strip(&machine->uc_sigmask);
	return result;
}

/* Rule 3: those that only the trapped code itself can make. */
static bool must_be_repeated(const siginfo_t *info)
{
	if (info->si_arch != ARCH_X86_64)
		return true;
	switch (info->si_syscall) {
	case SYS_rt_sigreturn:
	case SYS_sigaltstack:
	case SYS_clone:
	case SYS_clone3:
	case SYS_fork:
	case SYS_vfork:
		return true;
	default:
		return false;
	}
}

static void make(long number, ucontext_t *machine)
{
	greg_t *registers = machine->uc_mcontext.gregs;
	long result;

	if (number == SYS_execve || number == SYS_execveat)
		sg_tsc_before_exec();
	if (number == SYS_rt_sigprocmask)
		result = change_mask(registers, machine);
	else if (number == SYS_rt_sigaction && sg_signals_taken((int)registers[REG_RDI]))
		result = change_action((int)registers[REG_RDI],
				(const struct kernel_action *)registers[REG_RSI],
				(struct kernel_action *)registers[REG_RDX]);
	else
		result = sg_raw_syscall6(number, registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
				registers[REG_R10], registers[REG_R8], registers[REG_R9]);
	registers[REG_RAX] = result;
}

static void judge(const siginfo_t *info, const ucontext_t *machine)
{
	const greg_t *registers = machine->uc_mcontext.gregs;
	const struct sg_native_entry *entry = NULL;

	if (info->si_arch == ARCH_X86_64)
		entry = sg_trap_entry_of(info->si_syscall, registers[REG_RDI], registers[REG_RDX]);
	if (entry && sg_context_active())
		sg_trap_report(entry, info->si_call_addr, stack_of(machine));
}

void sg_trap_syscall(int number, siginfo_t *info, void *data)
{
	ucontext_t *machine = data;
	int saved_errno = errno;

	sg_context_selector = 0;
	if (info->si_code != CODE_USER_DISPATCH) {
		/* Its handler is not ours to watch, and may have all signals blocked. */
		sg_tsc_pause();
		sg_signals_forward(number, info, machine);
	} else {
		judge(info, machine);
		sg_context_selector = 0; /* judging has been in and out of the context */
		if (must_be_repeated(info)) {
			sg_tsc_pause();
			machine->uc_mcontext.gregs[REG_RIP] -= 2;
			machine->uc_mcontext.gregs[REG_RAX] = info->si_syscall;
			leave(machine, saved_errno);
			return;
		}
		make(info->si_syscall, machine);
	}
	leave(machine, saved_errno);
	sg_context_selector = sg_context_active();
}

/* --- the time stamp counter -------------------------------------------------------------------- */

/* Length of the instruction if it is rdtsc or rdtscp, else 0. It was fetched, so it can be read: but no byte more. */
static int length_of_rdtsc(const ucontext_t *machine, bool *ret_with_processor)
{
	const greg_t *registers = machine->uc_mcontext.gregs;
	const uint8_t *code = (const uint8_t *)registers[REG_RIP];
	int at = 0;

	if (registers[REG_TRAPNO] != GENERAL_PROTECTION || (uintptr_t)code >= CANONICAL)
		return 0;
	while (at < 4 && (code[at] == 0x66 || (code[at] & 0xf0) == 0x40))
		at++;
	if (code[at] != 0x0f)
		return 0;
	*ret_with_processor = code[at + 1] == 0x01;
	if (code[at + 1] == 0x31)
		return at + 2;
	return code[at + 1] == 0x01 && code[at + 2] == 0xf9 ? at + 3 : 0;
}

/* As a thread or a child has it from the thread that made it: given back, and the instruction runs once more. */
static bool was_inherited(void)
{
	int state = 0;

	return !sg_tsc_caught && sg_raw_syscall(SYS_prctl, PR_GET_TSC, (long)&state, 0, 0) == 0 &&
	       state == PR_TSC_SIGSEGV && sg_tsc_release();
}

static void read_tsc(ucontext_t *machine, bool with_processor)
{
	greg_t *registers = machine->uc_mcontext.gregs;
	uint32_t low, high, processor = 0;

	if (with_processor)
		__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(processor));
	else
		__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	registers[REG_RAX] = low;
	registers[REG_RDX] = high;
	if (with_processor)
		registers[REG_RCX] = processor;
}

static void fault(int number, siginfo_t *info, ucontext_t *machine)
{
	bool with_processor = false;
	int length = length_of_rdtsc(machine, &with_processor);

	if (length && was_inherited())
		return;
	if (!length || !sg_tsc_caught || !sg_tsc_release()) {
		sg_tsc_pause();
		sg_signals_forward(number, info, machine);
		return;
	}
	if (sg_context_active())
		sg_trap_report(&rdtsc_entry, (const void *)machine->uc_mcontext.gregs[REG_RIP],
				stack_of(machine));
	read_tsc(machine, with_processor);
	machine->uc_mcontext.gregs[REG_RIP] += length;
	sg_context_selector = 0;
	sg_tsc_catch();
}

void sg_trap_fault(int number, siginfo_t *info, void *data)
{
	int saved_errno = errno;

	sg_context_selector = 0;
	fault(number, info, data);
	leave(data, saved_errno);
	sg_context_selector = sg_context_active();
}

#else

bool sg_trap_may_be_frame(const uintptr_t *word)
{
	(void)word;
	return true;
}

void sg_trap_syscall(int number, siginfo_t *info, void *machine)
{
	sg_signals_forward(number, info, machine);
}

void sg_trap_fault(int number, siginfo_t *info, void *machine)
{
	sg_signals_forward(number, info, machine);
}

#endif
