/*
 * The traps of hardened mode in this very process, without Python: what is judged is told by the function that maps a
 * number to an entry. Each test is a process of its own (Check forks), so it may end as it likes.
 */
#define _GNU_SOURCE 1
#include "shim/context.h"
#include "shim/family.h"
#include "shim/hardened.h"
#include "shim/policy.h"
#include "shim/raw.h"
#include "shim/real.h"
#include "shim/signals.h"
#include "shim/trap.h"

#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* The core walks the sections that hooks fill. */
SG_FAMILY(no_family) = {.name = "none"};
SG_ENGINE(no_engine) = {.name = "none"};

static struct sg_config config = {.hardened = true};
static struct sg_context context;
static volatile int judged;
static volatile long last_number;

static const struct sg_native_entry *count(long number, long first, long third)
{
	(void)first;
	(void)third;
	judged++;
	last_number = number;
	return NULL;
}

/* Not inlined into libc, hence caught in a context. */
#define raw sg_raw_syscall

static void start(void)
{
	sg_policy_config = &config;
	config.hardened = true;
	sg_hardened_start(&config, count);
}

static struct sg_context *enter(void)
{
	sg_hardened_enter();
	return sg_context_enter(&context);
}

static void leave(struct sg_context *token)
{
	sg_context_leave(token);
	sg_hardened_leave();
}

static int tsc_state(void)
{
	int state = -1;

	raw(SYS_prctl, PR_GET_TSC, (long)&state, 0, 0);
	return state;
}

static unsigned long counter(void)
{
	unsigned int low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (unsigned long)high << 32 | low;
}

static int status_of(pid_t child)
{
	int status = -1;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

START_TEST(only_in_a_context)
{
	struct sg_context *token;
	char text[8] = "";

	start();
	raw(SYS_getppid, 0, 0, 0, 0);
	ck_assert_int_eq(judged, 0);
	token = enter();
	ck_assert_int_eq(raw(SYS_getpid, 0, 0, 0, 0), getpid());
	ck_assert_int_eq(judged, 1);
	ck_assert_int_eq(last_number, SYS_getpid);
	ck_assert_int_eq(raw(SYS_close, -1, 0, 0, 0), -EBADF);
	ck_assert_int_eq(raw(SYS_prctl, PR_GET_NAME, (long)text, 0, 0), 0);
	ck_assert_str_ne(text, "");
	ck_assert_int_eq(judged, 3);
	getppid(); /* libc's own is not */
	ck_assert_int_eq(judged, 3);
	sg_context_suspend();
	raw(SYS_getppid, 0, 0, 0, 0);
	sg_context_leave(&context);
	ck_assert_int_eq(judged, 3);
	leave(token);
	raw(SYS_getppid, 0, 0, 0, 0);
	ck_assert_int_eq(judged, 3);
}
END_TEST

START_TEST(off_is_off)
{
	config.hardened = false;
	sg_policy_config = &config;
	ck_assert(!sg_hardened_start(&config, count));
	leave(enter());
	enter();
	raw(SYS_getppid, 0, 0, 0, 0);
	ck_assert_int_eq(judged, 0);
	ck_assert(!sg_signals_taken(SIGSYS));
}
END_TEST

static void *in_thread(void *unused)
{
	int before = judged;

	(void)unused;
	/* Not armed, and rdtsc, which it has from its maker, is given back. */
	raw(SYS_getppid, 0, 0, 0, 0);
	ck_assert_int_eq(judged, before);
	ck_assert_uint_gt(counter(), 0);
	ck_assert_int_eq(tsc_state(), PR_TSC_ENABLE);
	enter();
	raw(SYS_getppid, 0, 0, 0, 0);
	ck_assert_int_eq(judged, before + 1);
	ck_assert_uint_gt(counter(), 0);
	return NULL;
}

/* Looks at stack that was used before: how many frames are there, and how many does the mark not tell to be past? */
__attribute__((noinline, no_sanitize("address")))
static int frames_below(uintptr_t restorer, int *ret_alive)
{
	uintptr_t used[4096], *word = used;
	int found = 0;

	__asm__ volatile("" : "+r"(word) :: "memory");
	for (*ret_alive = 0; word < used + 4090; word++) {
		if (*word != restorer || (word[1] & ~1ul) != 6)
			continue;
		found++;
		*ret_alive += sg_trap_may_be_frame(word);
	}
	return found;
}

START_TEST(a_trap_that_is_past_is_told_from_a_signal_handler)
{
	struct {
		void *handler;
		unsigned long flags;
		uintptr_t restorer;
		unsigned long mask;
	} action;
	int alive, found;

	start();
	enter();
	ck_assert_int_eq(syscall(SYS_rt_sigaction, SIGSYS, NULL, &action, 8), 0);
	raw(SYS_getppid, 0, 0, 0, 0);
	found = frames_below(action.restorer, &alive);
	ck_assert_int_gt(found, 0);
	ck_assert_int_eq(alive, 0);
	if (tsc_state() != PR_TSC_SIGSEGV)
		return;
	counter();
	found = frames_below(action.restorer, &alive);
	ck_assert_int_gt(found, 0);
	ck_assert_int_eq(alive, 0);
}
END_TEST

START_TEST(each_thread_for_itself)
{
	pthread_t thread;

	start();
	enter();
	ck_assert_int_eq(pthread_create(&thread, NULL, in_thread, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	judged = 0;
	raw(SYS_getppid, 0, 0, 0, 0);
	ck_assert_int_eq(judged, 1);
}
END_TEST

static volatile int arrived;

static void on_signal(int number)
{
	(void)number;
	raw(SYS_getppid, 0, 0, 0, 0);
	arrived++;
}

START_TEST(signals_arrive_and_return)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t mask;

	sigaddset(&action.sa_mask, SIGUSR1);
	start();
	enter();
	ck_assert_int_eq(REAL(sigaction)(SIGUSR2, &action, NULL), 0);
	raise(SIGUSR2); /* returns by libc's restorer */
	ck_assert_int_eq(arrived, 1);
	ck_assert_int_eq(judged, 1);
	raw(SYS_tkill, raw(SYS_gettid, 0, 0, 0, 0), SIGUSR2, 0, 0); /* inside of the trap */
	ck_assert_int_eq(arrived, 2);
	/* A mask that is set by a trapped call outlives the trap. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	ck_assert_int_eq(raw(SYS_rt_sigprocmask, SIG_BLOCK, (long)&mask, 0, 8), 0);
	raise(SIGUSR2);
	ck_assert_int_eq(arrived, 2);
	ck_assert_int_eq(raw(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&mask, 0, 8), 0);
	ck_assert_int_eq(arrived, 3);
	/* What would end the process cannot be blocked. */
	sigfillset(&mask);
	ck_assert_int_eq(raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, 8), 0);
	judged = 0;
	raw(SYS_getppid, 0, 0, 0, 0);
	ck_assert_int_eq(judged, 1);
}
END_TEST

/* The handler is on the old stack, and returning from it would put that back. */
START_TEST(what_means_the_frame_is_done_in_it)
{
	static char first[65536], alternative[65536];
	stack_t stack = {.ss_sp = first, .ss_size = sizeof(first)}, now;

	start();
	enter();
	ck_assert_int_eq(sigaltstack(&stack, NULL), 0);
	stack.ss_sp = alternative;
	ck_assert_int_eq(raw(SYS_sigaltstack, (long)&stack, 0, 0, 0), 0);
	ck_assert_int_eq(sigaltstack(NULL, &now), 0);
	ck_assert_ptr_eq(now.ss_sp, alternative);
	/* The selector was left open; the next guard shuts it. */
	sg_context_leave(sg_context_suspend());
	judged = 0;
	raw(SYS_getppid, 0, 0, 0, 0); /* now on the alternative stack */
	ck_assert_int_eq(judged, 1);
}
END_TEST

#if defined(__x86_64__)
static long raw_i386(long number)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "0"(number) : "memory", "r8", "r9", "r10", "r11");
	return result;
}

/* The numbers of 32 bits mean other calls. */
START_TEST(calls_of_32_bits_are_left_alone)
{
	pid_t child = fork();

	if (child == 0)
		_exit(raw_i386(20) != getpid());
	if (status_of(child) != 0)
		return; /* not in this kernel */
	start();
	enter();
	ck_assert_int_eq(raw_i386(20), getpid());
	ck_assert_int_eq(judged, 0);
}
END_TEST
#endif

START_TEST(fork_in_a_context)
{
	pid_t child;

	start();
	enter();
	child = fork();
	if (child == 0) {
		int before = judged;

		sg_context_leave(NULL);
		sg_hardened_after_fork();
		raw(SYS_getppid, 0, 0, 0, 0);
		if (judged != before || counter() == 0)
			_exit(2);
		enter();
		raw(SYS_getppid, 0, 0, 0, 0);
		_exit(judged == before + 1 && counter() ? 0 : 3);
	}
	ck_assert_int_eq(status_of(child), 0);
	/* By a system call of its own: nobody is told, and it works all the same. */
	child = (pid_t)raw(SYS_clone, SIGCHLD, 0, 0, 0);
	if (child == 0) {
		struct sg_context *token = sg_context_suspend();
		unsigned long first = counter();

		sg_context_leave(token);
		_exit(counter() > first ? 0 : 4);
	}
	ck_assert_int_eq(status_of(child), 0);
	ck_assert_uint_gt(counter(), 0);
}
END_TEST

/* The kernel hands the trap of rdtsc on to programs, whose first look at the clock would end them. */
START_TEST(a_program_can_read_the_clock)
{
	char *arguments[] = {"date", NULL}, *environment[] = {NULL};
	struct sg_context *token;
	pid_t child;

	start();
	/* fork and exec of libc's, clone and exec by system calls, fork of libc's and then a raw exec. */
	for (int how = 0; how < 3; how++) {
		token = enter();
		child = how == 1 ? (pid_t)raw(SYS_clone, SIGCHLD, 0, 0, 0) : fork();
		if (child == 0) {
			if (!freopen("/dev/null", "w", stdout))
				_exit(7);
			if (how == 2) {
				sg_hardened_after_fork();
				enter();
			}
			if (how) {
				raw(SYS_execve, (long)"/bin/date", (long)arguments, (long)environment, 0);
				_exit(9);
			}
			sg_hardened_before_exec();
			REAL(execve)("/bin/date", arguments, environment);
			_exit(8);
		}
		ck_assert_int_eq(status_of(child), 0);
		leave(token);
	}
}
END_TEST

START_TEST(the_counter_is_read)
{
	struct sg_context *token;
	struct timespec first, second;
	unsigned int low, high, processor = ~0u;
	unsigned long before = counter(), within, after;

	start();
	token = enter();
	if (tsc_state() != PR_TSC_SIGSEGV)
		return; /* not on this machine */
	clock_gettime(CLOCK_MONOTONIC, &first); /* the vDSO's own, or libc's */
	within = counter();
	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(processor));
	ck_assert_uint_ne(processor, ~0u);
	ck_assert_uint_gt((unsigned long)high << 32 | low, within);
	__asm__ volatile(".byte 0x48, 0x0f, 0x31" : "=a"(low), "=d"(high)); /* with a prefix */
	clock_gettime(CLOCK_MONOTONIC, &second);
	ck_assert(second.tv_sec > first.tv_sec ||
		  (second.tv_sec == first.tv_sec && second.tv_nsec > first.tv_nsec));
	ck_assert_int_eq(tsc_state(), PR_TSC_SIGSEGV);
	enter();
	leave(&context);
	ck_assert_int_eq(tsc_state(), PR_TSC_SIGSEGV); /* the inner one does not end it */
	leave(token);
	ck_assert_int_eq(tsc_state(), PR_TSC_ENABLE);
	after = counter();
	ck_assert(before < within && within < after);
}
END_TEST

/* --- somebody else's signals -------------------------------------------------------------------- */

static siginfo_t seen;
static sigset_t seen_mask;
static volatile uintptr_t seen_at;

static void on_fault(int number, siginfo_t *info, void *machine)
{
	(void)number;
	seen = *info;
	raw(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&seen_mask, 8);
#if defined(__x86_64__)
	seen_at = (uintptr_t)((ucontext_t *)machine)->uc_mcontext.gregs[REG_RIP];
	((ucontext_t *)machine)->uc_mcontext.gregs[REG_RIP] += 2; /* past "mov %eax, (%rdi)" */
#endif
}

static void fault(void *address)
{
	__asm__ volatile("mov %%eax, (%%rdi)" :: "D"(address), "a"(1) : "memory");
}

static void put(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_flags = flags | SA_SIGINFO}, old;

	action.sa_sigaction = handler;
	sigaddset(&action.sa_mask, SIGUSR1);
	if (sg_signals_taken(number)) {
		ck_assert_int_eq(sg_signals_change(number, &action, NULL), 0);
		ck_assert_int_eq(sg_signals_change(number, NULL, &old), 0);
		ck_assert_ptr_eq(old.sa_sigaction, handler);
	} else {
		ck_assert_int_eq(REAL(sigaction)(number, &action, NULL), 0);
	}
}

/* _i: 0 the handler was there before, 1 it comes after. */
START_TEST(a_handler_gets_its_faults)
{
	if (_i == 0)
		put(SIGSEGV, on_fault, 0);
	start();
	if (_i == 1)
		put(SIGSEGV, on_fault, 0);
	enter();
	fault((void *)0x123450);
	ck_assert_int_eq(seen.si_signo, SIGSEGV);
	ck_assert_int_eq(seen.si_code, SEGV_MAPERR);
	ck_assert_ptr_eq(seen.si_addr, (void *)0x123450);
	ck_assert(sigismember(&seen_mask, SIGSEGV) && sigismember(&seen_mask, SIGUSR1));
	raw(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&seen_mask, 8);
	ck_assert(!sigismember(&seen_mask, SIGSEGV) && !sigismember(&seen_mask, SIGUSR1));
	judged = 0;
	raw(SYS_getppid, 0, 0, 0, 0);
	ck_assert_int_eq(judged, 1);
}
END_TEST

/* faulthandler's way: it puts back what was there before, and raises the signal again. */
static void on_fault_give_up(int number, siginfo_t *info, void *machine)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	(void)info;
	(void)machine;
	ck_assert_int_eq(sg_signals_change(number, &action, NULL), 0);
	raise(number);
}

static void no_core(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
}

/* _i: 0 nobody has a handler, 1 one that gives up, 2 it is ignored, which a fault is not, 3 somebody sends it. */
START_TEST(a_fault_ends_the_process)
{
	pid_t child;

	start();
	child = fork();
	if (child == 0) {
		no_core();
		sg_hardened_after_fork();
		if (_i == 1)
			put(SIGSEGV, on_fault_give_up, SA_NODEFER | SA_ONSTACK);
		if (_i == 2) {
			struct sigaction action = {.sa_handler = SIG_IGN};

			sg_signals_change(SIGSEGV, &action, NULL);
			raise(SIGSEGV);
		}
		enter();
		if (_i == 3)
			raise(SIGSEGV);
		else
			fault(NULL);
		_exit(0);
	}
	ck_assert_int_eq(WTERMSIG(status_of(child)), SIGSEGV);
}
END_TEST

/* --- seccomp ------------------------------------------------------------------------------------ */

static void filter(unsigned int number, unsigned int answer)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void on_filtered(int number, siginfo_t *info, void *machine)
{
	(void)number;
	seen = *info;
#if defined(__x86_64__)
	((ucontext_t *)machine)->uc_mcontext.gregs[REG_RAX] = 4711;
#endif
}

/* _i: 0 the sandbox was there before, 1 it comes after. Its trap answers both libc's calls and those that we trap. */
START_TEST(a_sandbox_gets_its_traps)
{
	if (_i == 0) {
		put(SIGSYS, on_filtered, 0);
		filter(SYS_getppid, SECCOMP_RET_TRAP);
	}
	start();
	enter();
	if (_i == 1) {
		put(SIGSYS, on_filtered, 0);
		filter(SYS_getppid, SECCOMP_RET_TRAP);
	}
	ck_assert_int_eq(getppid(), 4711);
	ck_assert_int_eq(seen.si_code, 1 /* SYS_SECCOMP */);
	ck_assert_int_eq(seen.si_syscall, SYS_getppid);
	judged = 0;
	ck_assert_int_eq(raw(SYS_getppid, 0, 0, 0, 0), 4711);
	ck_assert_int_eq(judged, 1);
	ck_assert_int_eq(raw(SYS_getpid, 0, 0, 0, 0), getpid());
	ck_assert_int_eq(judged, 2);
}
END_TEST

START_TEST(a_trap_without_a_handler_ends_the_process)
{
	pid_t child = fork();

	if (child == 0) {
		no_core();
		start();
		enter();
		filter(SYS_getppid, SECCOMP_RET_TRAP);
		getppid();
		_exit(0);
	}
	ck_assert_int_eq(WTERMSIG(status_of(child)), SIGSYS);
}
END_TEST

/* A filter that refuses prctl, or ends who calls it. _i: 0, 1 before; 2, 3 after the start, met by a new thread. */
static void *enter_late(void *unused)
{
	filter(SYS_prctl, *(unsigned int *)unused);
	leave(enter());
	enter();
	raw(SYS_getppid, 0, 0, 0, 0);
	return NULL;
}

START_TEST(a_filter_of_prctl_is_survived)
{
	unsigned int answer = _i & 1 ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM;
	pthread_t thread;

	if (_i < 2)
		filter(SYS_prctl, answer);
	start();
	ck_assert_int_eq(sg_hardened_active, _i >= 2);
	if (_i >= 2) {
		ck_assert_int_eq(pthread_create(&thread, NULL, enter_late, &answer), 0);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
	} else {
		leave(enter());
		enter();
		raw(SYS_getppid, 0, 0, 0, 0);
	}
	ck_assert_int_eq(judged, 0);
}
END_TEST

START_TEST(a_handler_put_there_by_a_system_call_is_taken_beneath)
{
	struct sigaction old;
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} action = {(void *)on_filtered, SA_SIGINFO, NULL, 0}, ours;

	start();
	leave(enter());
	ck_assert_int_eq(syscall(SYS_rt_sigaction, SIGSYS, NULL, &ours, 8), 0);
	action.mask = 0;
	action.flags |= 0x04000000; /* SA_RESTORER */
	action.restorer = ours.restorer;
	ck_assert_int_eq(syscall(SYS_rt_sigaction, SIGSYS, &action, NULL, 8), 0);
	enter();
	raw(SYS_getppid, 0, 0, 0, 0);
	ck_assert_int_eq(judged, 1);
	ck_assert_int_eq(sg_signals_change(SIGSYS, NULL, &old), 0);
	ck_assert_ptr_eq(old.sa_sigaction, on_filtered);
	/* In a context it is seen. */
	judged = 0;
	action.handler = (void *)on_fault;
	ck_assert_int_eq(raw(SYS_rt_sigaction, SIGSYS, (long)&action, (long)&ours, 8), 0);
	ck_assert_ptr_eq(ours.handler, on_filtered);
	raw(SYS_getppid, 0, 0, 0, 0);
	ck_assert_int_eq(judged, 2);
}
END_TEST

static void *block_and_trap(void *restorer)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} action = {(void *)on_signal, 0x04000000, restorer, ~0ul};

	ck_assert_int_eq(syscall(SYS_rt_sigaction, SIGUSR2, &action, NULL, 8), 0);
	enter();
	raise(SIGUSR2);
	return NULL;
}

/* As some runtimes set it without libc; noticed when a thread is looked at. */
START_TEST(a_handler_that_blocks_everything)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} ours;
	pthread_t thread;

	start();
	ck_assert_int_eq(syscall(SYS_rt_sigaction, SIGSYS, NULL, &ours, 8), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, block_and_trap, ours.restorer), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(arrived, 1);
	ck_assert_int_eq(judged, 1);
}
END_TEST

static bool available(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		start();
		_exit(sg_hardened_active);
	}
	return waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 1;
}

int main(void)
{
	Suite *suite = suite_create("hardened");
	TCase *cases = tcase_create("traps");
	SRunner *runner;
	int failed;

	tcase_add_test(cases, off_is_off);
	if (available()) {
		tcase_add_test(cases, only_in_a_context);
		tcase_add_test(cases, a_trap_that_is_past_is_told_from_a_signal_handler);
		tcase_add_test(cases, each_thread_for_itself);
		tcase_add_test(cases, signals_arrive_and_return);
		tcase_add_test(cases, what_means_the_frame_is_done_in_it);
#if defined(__x86_64__)
		tcase_add_test(cases, calls_of_32_bits_are_left_alone);
#endif
		tcase_add_test(cases, fork_in_a_context);
		tcase_add_test(cases, a_program_can_read_the_clock);
		tcase_add_test(cases, the_counter_is_read);
		tcase_add_loop_test(cases, a_handler_gets_its_faults, 0, 2);
		tcase_add_loop_test(cases, a_fault_ends_the_process, 0, 4);
		tcase_add_loop_test(cases, a_sandbox_gets_its_traps, 0, 2);
		tcase_add_test(cases, a_trap_without_a_handler_ends_the_process);
		tcase_add_loop_test(cases, a_filter_of_prctl_is_survived, 0, 4);
		tcase_add_test(cases, a_handler_that_blocks_everything);
		tcase_add_test(cases, a_handler_put_there_by_a_system_call_is_taken_beneath);
	} else {
		puts("Syscall User Dispatch is not to be had here: only its absence is tested");
	}
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
