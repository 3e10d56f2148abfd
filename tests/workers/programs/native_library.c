/*
 * A compiled library as a workflow may use one: each function calls the C library once, and says what it was told. Those called
 * native_raw_... go past it.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifndef GRND_INSECURE
#define GRND_INSECURE 4
#endif

#define EXPORT __attribute__((visibility("default"))) long

EXPORT native_nothing(void);
EXPORT native_nothing(void) { return 1; }

EXPORT native_clock(void);
EXPORT native_clock(void) { volatile time_t now = time(NULL); return now > 0; }

/* The time of day, in each of the ways to ask for it: the same second, or -1. */
EXPORT native_clocks(void);
EXPORT native_clocks(void)
{
	struct timespec ask, get;
	struct timeval day;
	long now = time(NULL);

	if (clock_gettime(CLOCK_REALTIME, &ask) != 0 || timespec_get(&get, TIME_UTC) != TIME_UTC || gettimeofday(&day, NULL) != 0)
		return -1;
	return ask.tv_sec == now && get.tv_sec == now && day.tv_sec == now ? now : -1;
}

EXPORT native_monotonic(void);
EXPORT native_monotonic(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_MONOTONIC, &now) + 1;
}

EXPORT native_random(void);
EXPORT native_random(void) { char byte[4]; return getrandom(byte, sizeof(byte), 0) / 4; }

EXPORT native_hash_keys(void);
EXPORT native_hash_keys(void) { char byte[4]; return getrandom(byte, sizeof(byte), GRND_INSECURE) / 4; }

EXPORT native_environment(void);
EXPORT native_environment(void) { volatile char *value = getenv("PATH"); return value != NULL; }

EXPORT native_file(void);
EXPORT native_file(void) { volatile int got = open("/nonexistent", O_RDONLY); return got == -1; }

EXPORT native_stat(void);
EXPORT native_stat(void) { struct stat status; return stat("/", &status) + 1; }

/* As who lists the time zone data base, where the host's own zone is one of the entries. */
EXPORT native_zones(void);
EXPORT native_zones(void)
{
	struct stat status;

	return stat("/usr/share/zoneinfo/Europe", &status) <= 0 && stat("/usr/share/zoneinfo/localtime", &status) <= 0;
}

EXPORT native_zone(void);
EXPORT native_zone(void) { volatile int got = open("/usr/share/zoneinfo/localtime", O_RDONLY); return got >= -1; }

EXPORT native_socket(void);
EXPORT native_socket(void) { return close(socket(AF_UNIX, SOCK_STREAM, 0)) + 1; }

EXPORT native_host(void);
EXPORT native_host(void) { char name[256]; return gethostname(name, sizeof(name)) + 1; }

EXPORT native_sleep(void);
EXPORT native_sleep(void) { return usleep(1) + 1; }

EXPORT native_syscall(void);
EXPORT native_syscall(void) { volatile long id = syscall(SYS_getpid); return id > 0; }

EXPORT native_system(void);
EXPORT native_system(void) { return system("exit 0") == 0; }

static void *run(void *argument) { return argument; }

EXPORT native_thread(void);
EXPORT native_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, run, NULL) || pthread_join(thread, NULL) ? 0 : 1;
}

/* The clock is read by a signal handler that interrupts us. */
static void on_signal(int number) { volatile time_t now = time(NULL); (void)now; (void)number; }

EXPORT native_signal(void);
EXPORT native_signal(void)
{
	struct sigaction action = {.sa_handler = on_signal}, old;

	sigaction(SIGUSR2, &action, &old);
	raise(SIGUSR2);
	return sigaction(SIGUSR2, &old, NULL) + 1;
}

static void *tell(void *argument)
{
	struct timespec now;

	return clock_gettime(CLOCK_MONOTONIC, &now) == 0 ? argument : NULL;
}

/* All signals blocked, as threads that libc starts by itself have them. */
EXPORT native_helper(void);
EXPORT native_helper(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all;
	void *result = NULL;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setsigmask_np(&attributes, &all);
	return pthread_create(&thread, &attributes, tell, &thread) == 0 && pthread_join(thread, &result) == 0 && result == &thread;
}

/* By the number of the call. */
EXPORT native_blocked(void);
EXPORT native_blocked(void)
{
	unsigned long all = ~0ul, old;
	long answer;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof(all));
#if defined(__x86_64__)
	__asm__ volatile("syscall" : "=a"(answer) : "0"(SYS_getppid) : "rcx", "r11", "memory");
#endif
	answer = native_clock() && answer > 0;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(old));
	return answer;
}

EXPORT native_fault(void);
EXPORT native_fault(void) { return *(volatile int *)0x123450; }

#if defined(__x86_64__)

static long raw(long number, long a, long b, long c, long d)
{
	long result;
	register long r10 __asm__("r10") = d;

	__asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return result;
}

EXPORT native_raw_random(void);
EXPORT native_raw_random(void) { char byte[4]; return raw(SYS_getrandom, (long)byte, sizeof(byte), 0, 0) / 4; }

EXPORT native_raw_clock(void);
EXPORT native_raw_clock(void)
{
	struct timespec now = {0, 0};

	return raw(SYS_clock_gettime, CLOCK_REALTIME, (long)&now, 0, 0) == 0 && now.tv_sec > 0;
}

EXPORT native_raw_file(void);
EXPORT native_raw_file(void) { return raw(SYS_openat, AT_FDCWD, (long)"/nonexistent", O_RDONLY, 0) == -ENOENT; }

/* What nobody minds: also that arguments and answers are the right ones. */
EXPORT native_raw_harmless(void);
EXPORT native_raw_harmless(void)
{
	int ends[2];
	char text[3] = "";
	long good = raw(SYS_pipe2, (long)ends, O_CLOEXEC, 0, 0) == 0 && raw(SYS_write, ends[1], (long)"ab", 2, 0) == 2 &&
		raw(SYS_read, ends[0], (long)text, 2, 0) == 2 && text[0] == 'a' && text[1] == 'b';

	return good && raw(SYS_close, ends[0], 0, 0, 0) == 0 && raw(SYS_close, ends[1], 0, 0, 0) == 0;
}

static unsigned long counter(void)
{
	unsigned int low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (unsigned long)high << 32 | low;
}

EXPORT native_raw_counter(void);
EXPORT native_raw_counter(void)
{
	unsigned long first = counter();
	unsigned int low, high, processor = ~0u;

	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(processor));
	return processor != ~0u && ((unsigned long)high << 32 | low) > first && first > 0;
}

static void on_signal_raw(int number) { native_raw_clock(); (void)number; }

EXPORT native_raw_signal(void);
EXPORT native_raw_signal(void)
{
	struct sigaction action = {.sa_handler = on_signal_raw}, old;

	sigfillset(&action.sa_mask);
	sigaction(SIGUSR2, &action, &old);
	raise(SIGUSR2);
	return sigaction(SIGUSR2, &old, NULL) + 1;
}

#endif
