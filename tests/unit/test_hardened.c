/*
 * Hardened mode: which threads and processes are watched, and what of theirs is judged.
 */
#include "tests/unit/hardened_fixture.h"

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
			sg_tsc_before_exec();
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

int main(void)
{
	TCase *cases = tcase_create("traps");

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
	} else {
		puts("Syscall User Dispatch is not to be had here: only its absence is tested");
	}
	return run("hardened", cases);
}
