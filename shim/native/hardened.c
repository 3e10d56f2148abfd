#define _GNU_SOURCE 1
#include "shim/native/hardened.h"

#include "shim/base/attempt.h"
#include "shim/base/decimal.h"
#include "shim/base/loader.h"
#include "shim/base/log.h"
#include "shim/base/raw.h"
#include "shim/base/real.h"
#include "shim/base/signals.h"
#include "shim/native/native.h"
#include "shim/native/trap.h"
#include "shim/native/tsc.h"
#include "shim/run/context.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

#define KERNEL_SET_SIZE 8

bool sg_hardened_active;

static bool watch_syscalls, watch_tsc;
static uintptr_t libc_low, libc_high; /* its text */
static long filters;                  /* of seccomp, when it was probed */

static __thread unsigned int depth;
static __thread bool known; /* this thread has been looked at */

static long dispatch(bool on)
{
	return sg_raw_syscall6(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, on ? PR_SYS_DISPATCH_ON : 0,
			on ? (long)libc_low : 0, on ? (long)(libc_high - libc_low) : 0,
			on ? (long)&sg_context_selector : 0, 0);
}

/* --- libc's text ------------------------------------------------------------------------------- */

static int look_for_libc(struct dl_phdr_info *info, size_t size, void *address)
{
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t low = info->dlpi_addr + header->p_vaddr;

		if (header->p_type != PT_LOAD || !(header->p_flags & PF_X) || (uintptr_t)address < low ||
		    (uintptr_t)address >= low + header->p_memsz)
			continue;
		libc_low = low;
		libc_high = low + header->p_memsz;
		return 1;
	}
	return 0;
}

/* Handlers return by a system call of the restorer that libc gives them: it must be among those let through. */
static bool returns_through_libc(int number)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		uintptr_t restorer;
		uint64_t mask;
	} action = {0};

	return sg_raw_syscall(SYS_rt_sigaction, number, 0, (long)&action, KERNEL_SET_SIZE) == 0 &&
		action.restorer >= libc_low && action.restorer < libc_high;
}

/* --- probing ----------------------------------------------------------------------------------- */

static volatile sig_atomic_t sprung;

static void spring_syscall(int number, siginfo_t *info, void *machine)
{
	(void)number;
	(void)info;
	(void)machine;
	sg_context_selector = 0;
	sprung = 1;
}

#if defined(__x86_64__)
static void spring_tsc(int number, siginfo_t *info, void *machine)
{
	(void)number;
	(void)info;
	(void)machine;
	/* The instruction runs again, now for good. */
	if (sprung++ || !sg_tsc_release())
		sg_raw_syscall(SYS_exit_group, EPERM, 0, 0, 0);
}
#endif

static void catch(int number, sg_signals_handler handler)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER};
	sigset_t mask;

	action.sa_sigaction = handler;
	REAL(sigaction)(number, &action, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, number);
	sg_raw_syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&mask, 0, KERNEL_SET_SIZE);
}

/* 0 or a positive errno, as the child's exit status. */
static long try_syscalls(void)
{
	long error;

	catch(SIGSYS, spring_syscall);
	if (!returns_through_libc(SIGSYS))
		return EDOM;
	error = dispatch(true);
	if (error)
		return -error;
	sg_context_selector = 1;
	sg_raw_syscall(SYS_getppid, 0, 0, 0, 0);
	sg_context_selector = 0;
	return sprung ? 0 : ENOSYS;
}

static long try_tsc(void)
{
#if defined(__x86_64__)
	int state = 0;
	long error = sg_raw_syscall(SYS_prctl, PR_GET_TSC, (long)&state, 0, 0);

	if (error)
		return -error;
	if (state != PR_TSC_ENABLE)
		return EBUSY;
	catch(SIGSEGV, spring_tsc);
	error = sg_raw_syscall(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0);
	if (error)
		return -error;
	__asm__ volatile("rdtsc" ::: "rax", "rdx");
	return sprung ? 0 : ENOSYS;
#else
	return ENOSYS;
#endif
}

/* NULL: it works. Else why not. */
static const char *probe(long (*try)(void))
{
	const char *reason = NULL;

	switch (sg_attempt(try, &reason)) {
	case -1:
		return reason;
	case 0:
		return NULL;
	case EPERM:
	case EACCES:
		return "a filter of seccomp, such as a container's, forbids it";
	case EDOM:
		return "this C library returns from signal handlers in a way that is not known";
	case EBUSY:
		return "somebody else uses it in this process";
	default:
		return "this kernel or processor does not have it";
	}
}

/* How many filters of seccomp this thread has; 0 also where that cannot be read. */
static long count_filters(void)
{
	static const char name[] = "Seccomp_filters:\t";
	char text[4096];
	long file = sg_raw_syscall(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/status",
			O_RDONLY | O_CLOEXEC, 0), length;
	const char *found;

	if (file < 0)
		return 0;
	length = sg_raw_syscall(SYS_read, file, (long)text, sizeof(text) - 1, 0);
	sg_raw_syscall(SYS_close, file, 0, 0, 0);
	text[length > 0 ? length : 0] = '\0';
	found = strstr(text, name);
	return found ? sg_decimal(found + sizeof(name) - 1, &found) : 0;
}

/* --- start and stop ---------------------------------------------------------------------------- */

static void log_state(const char *syscalls, const char *tsc)
{
	struct sg_line line;
	bool complete = !syscalls && !tsc;

	if (!sg_log_begin(&line, complete ? SG_LOG_INFO : SG_LOG_WARN, "hardened"))
		return;
	sg_log_text(&line, "syscalls", syscalls ? "unseen" : "seen");
	sg_log_text(&line, "syscalls_reason", syscalls);
	sg_log_text(&line, "rdtsc", tsc ? "unseen" : "seen");
	sg_log_text(&line, "rdtsc_reason", tsc);
	sg_log_end(&line);
}

/* Filters that come later may forbid it to new threads, and can do no more than that here: it stays off from then on. */
static void give_up(const char *reason)
{
	watch_syscalls = watch_tsc = false;
	log_state(reason, reason);
}

bool sg_hardened_start(const struct sg_config *config, sg_trap_entry entry_of)
{
	const char *syscalls, *tsc;

	if (!config->hardened || sg_hardened_active)
		return sg_hardened_active;
	if (config->native == SG_NATIVE_OFF) {
		log_state("SANDGLASS_NATIVE is off", "SANDGLASS_NATIVE is off");
		return false;
	}
	sg_trap_entry_of = entry_of;
	sg_trap_report = sg_native_trap;
	filters = count_filters();
	dl_iterate_phdr(look_for_libc, (void *)gnu_get_libc_version);
	syscalls = probe(try_syscalls);
	/* Without it, programs that are started by system calls of their own would inherit the other trap. */
	tsc = syscalls ? "system calls are not seen" : probe(try_tsc);
	watch_syscalls = !syscalls && sg_signals_take(SIGSYS, sg_trap_syscall) == 0;
	watch_tsc = !tsc && sg_signals_take(SIGSEGV, sg_trap_fault) == 0;
	sg_hardened_active = watch_syscalls;
	log_state(syscalls, tsc);
	return sg_hardened_active;
}

void sg_hardened_stop(void)
{
	sg_tsc_pause();
	watch_syscalls = watch_tsc = false;
}

void sg_hardened_after_fork(void)
{
	if (!sg_hardened_active)
		return;
	sg_tsc_pause();
	sg_signals_after_fork();
	depth = 0;
	known = false;
}

/* --- threads ----------------------------------------------------------------------------------- */

/* The first time on a thread. */
static bool look_at_thread(void)
{
	const char *reason = NULL;
	sigset_t mask;
	long now = count_filters();

	if (now != filters)
		reason = probe(try_syscalls);
	if (reason) {
		give_up(reason);
		return false;
	}
	sg_signals_strip_handlers();
	sigemptyset(&mask);
	sg_raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&mask, KERNEL_SET_SIZE);
	sg_signals_strip(&mask);
	sg_raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, KERNEL_SET_SIZE);
	known = true;
	return true;
}

/* Said to the kernel each time: it is cheap, and right after any kind of fork. */
static void begin(void)
{
	if (!watch_syscalls || (!known && !look_at_thread()))
		return;
	sg_signals_retake(SIGSYS);
	if (dispatch(true) != 0) {
		give_up("the kernel takes it back");
		return;
	}
	if (!watch_tsc)
		return;
	sg_signals_retake(SIGSEGV);
	sg_tsc_caught = true; /* first: a signal may come in between */
	if (!sg_tsc_catch())
		sg_tsc_caught = false;
}

void sg_hardened_begin(void)
{
	int saved_errno = errno;

	if (depth++ == 0)
		begin();
	errno = saved_errno;
}

void sg_hardened_end(void)
{
	if (depth && --depth == 0)
		sg_tsc_pause();
}
