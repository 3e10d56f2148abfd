/*
 * Hardened mode beside others who want its signals: handlers of the application, and sandboxes of its own (seccomp).
 */
#include "tests/unit/hardened_fixture.h"

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

int main(void)
{
	TCase *cases = tcase_create("signals");

	if (!available()) {
		puts("Syscall User Dispatch is not to be had here: nothing to test");
		return 0;
	}
	tcase_add_loop_test(cases, a_handler_gets_its_faults, 0, 2);
	tcase_add_loop_test(cases, a_fault_ends_the_process, 0, 4);
	tcase_add_loop_test(cases, a_sandbox_gets_its_traps, 0, 2);
	tcase_add_test(cases, a_trap_without_a_handler_ends_the_process);
	tcase_add_loop_test(cases, a_filter_of_prctl_is_survived, 0, 4);
	tcase_add_test(cases, a_handler_that_blocks_everything);
	tcase_add_test(cases, a_handler_put_there_by_a_system_call_is_taken_beneath);
	return run("hardened signals", cases);
}
