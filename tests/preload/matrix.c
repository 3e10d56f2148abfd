/*
 * matrix.c - one tiny snippet (snippets.h) for each interposed entry of the C library, in every situation in which a hook may be met:
 * plainly, in a library's constructor, in a signal handler, after fork, inside itself (a signal handler that interrupts the
 * same call), on a second thread. What a snippet says must be the same with and without Sandglass.
 *
 * A shared object: its constructor runs the first situation, matrix() the others. Answers that differ from call to
 * call (a time, a number) are said as whether they make sense; errno is said where it is the answer.
 */
#define _GNU_SOURCE 1
#include <arpa/nameser.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <ifaddrs.h>
#include <limits.h>
#include <locale.h>
#include <mqueue.h>
#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <pty.h>
#include <pwd.h>
#include <resolv.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timeb.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include <wchar.h>
#include <wordexp.h>

#define MISSING "/nonexistent/file"
extern char **environ;
size_t __strftime_l(char *text, size_t size, const char *format, const struct tm *tm, locale_t locale);
size_t __wcsftime_l(wchar_t *text, size_t size, const wchar_t *format, const struct tm *tm, locale_t locale);
const char *matrix(void);

/* Text of the answers, without stdio: a signal handler writes it too. */
static char text[1 << 20];
static size_t used;

static void say(const char *word)
{
	size_t length = strlen(word);

	if (used + length < sizeof(text)) {
		memcpy(text + used, word, length + 1);
		used += length;
	}
}

static void say_number(long number)
{
	char digits[24], *digit = digits + sizeof(digits) - 1;
	unsigned long rest = number < 0 ? -(unsigned long)number : (unsigned long)number;

	*digit = '\0';
	do
		*--digit = (char)('0' + rest % 10);
	while (rest /= 10);
	say(number < 0 ? "-" : "");
	say(digit);
}

static int close_after(int descriptor)
{
	int saved = errno;

	if (descriptor >= 0)
		close(descriptor);
	errno = saved;
	return descriptor >= 0 ? 1 : -1;
}

static int none(const char *path, const struct stat *status, int flag)
{
	return !path && status && flag;
}

static void *nothing(void *argument)
{
	return argument;
}

static int nothing_c11(void *argument)
{
	return argument != NULL;
}

static int joined(void)
{
	pthread_t thread;
	void *result = NULL;

	return pthread_create(&thread, NULL, nothing, text) || pthread_join(thread, &result) ? -1 :
		result == text;
}

static int joined_c11(void)
{
	thrd_t thread;
	int result = -1;

	return thrd_create(&thread, nothing_c11, text) == thrd_success &&
	       thrd_join(thread, &result) == thrd_success ? result : -1;
}

static int child(pid_t process)
{
	int status = -1;

	if (process == 0)
		_exit(7);
	return process < 0 || waitpid(process, &status, 0) < 0 ? -1 : status;
}

static int spawned(bool search)
{
	char *arguments[] = {"true", NULL};
	pid_t process;
	int status = -1;
	int error = search ? posix_spawnp(&process, "true", NULL, NULL, arguments, environ) :
		posix_spawn(&process, MISSING, NULL, NULL, arguments, environ);

	return error ? error : waitpid(process, &status, 0) < 0 ? -1 : status;
}

static struct timespec ts;
static struct timeval tv;
static struct tm tm;
static struct stat st;
static struct stat64 st64;
static struct statfs fs;
static struct statvfs vfs;
static struct statx sx;
static struct rusage usage;
static struct tms tms;
static struct utsname un;
static struct sysinfo si;
static struct passwd pw, *pwp;
static struct group gr, *grp;
static char buffer[8192];
static wchar_t wide[16];

static locale_t c_locale(void)
{
	static locale_t made;

	return made ? made : (made = newlocale(LC_ALL_MASK, "C", NULL));
}
static unsigned short seed[3] = {1, 2, 3};
static const struct timespec short_while = {0, 1000};

static int paused(void)
{
	sigset_t none;
	pid_t process = fork();

	if (process == 0) {
		sigemptyset(&none);
		signal(SIGALRM, SIG_DFL);
		sigprocmask(SIG_SETMASK, &none, NULL);
		ualarm(1000, 0);
		pause();
	}
	return child(process);
}

static int cleared(void)
{
	pid_t process = fork();

	if (process == 0)
		_exit(clearenv() == 0 && !getenv("PATH") ? 5 : 6);
	return child(process);
}

static int daemonized(void)
{
	pid_t process = fork();

	if (process == 0)
		_exit(daemon(1, 1) == 0 ? 7 : 8); /* by then the parent has ended, with 0 */
	return child(process);
}

static int cloned(void)
{
	static char stack[65536];
	int status = -1;
	pid_t process = clone(nothing_c11, stack + sizeof(stack), SIGCHLD, text);

	return process < 0 || waitpid(process, &status, 0) < 0 ? -1 : status;
}

static int closed(FILE *stream)
{
	return stream ? fclose(stream) : -1;
}

static int freed(char *string)
{
	free(string);
	return string != NULL;
}

static int terminal(void)
{
	int ends[2];

	return openpty(&ends[0], &ends[1], NULL, NULL, NULL) ? -1 : close_after(ends[0]) + close_after(ends[1]);
}

static int interfaces(void)
{
	struct if_nameindex *list = if_nameindex();

	if (list)
		if_freenameindex(list);
	return list != NULL;
}

/* What no header of this libc declares any more, or only under other macros. */
extern int __open(const char *, int, ...), __open64(const char *, int, ...), __open_2(const char *, int), __open64_2(const char *, int),
	__openat_2(int, const char *, int), __openat64_2(int, const char *, int), __statfs(const char *, struct statfs *),
	__xstat(int, const char *, struct stat *), __lxstat(int, const char *, struct stat *),
	__fxstatat(int, int, const char *, struct stat *, int), __xstat64(int, const char *, struct stat64 *),
	__lxstat64(int, const char *, struct stat64 *), __fxstatat64(int, int, const char *, struct stat64 *, int),
	__xmknod(int, const char *, mode_t, dev_t *), __xmknodat(int, int, const char *, mode_t, dev_t *), __connect(int, const void *, socklen_t),
	__gethostname_chk(char *, size_t, size_t), __getdomainname_chk(char *, size_t, size_t), __getgroups_chk(int, gid_t *, size_t),
	__getlogin_r_chk(char *, size_t, size_t), __gettimeofday(struct timeval *, void *), __nanosleep(const struct timespec *, struct timespec *),
	__sigaction(int, const struct sigaction *, struct sigaction *), __adjtimex(struct timex *);
extern ssize_t __readlink_chk(const char *, char *, size_t, size_t), __readlinkat_chk(int, const char *, char *, size_t, size_t),
	__send(int, const void *, size_t, int), __recv_chk(int, void *, size_t, size_t, int),
	__recvfrom_chk(int, void *, size_t, size_t, int, void *, socklen_t *);
extern char *__realpath_chk(const char *, char *, size_t), *__getcwd_chk(char *, size_t, size_t), *__getwd_chk(char *, size_t);
extern mqd_t __mq_open_2(const char *, int);
extern pid_t __fork(void), __getpid(void), __getpgid(pid_t);
extern unsigned int __res_randomid(void);
extern int __res_init(void), __res_ninit(res_state);
extern int pidfd_open(pid_t, unsigned int), getcpu(unsigned int *, unsigned int *);
extern sighandler_t bsd_signal(int, sighandler_t), __sysv_signal(int, sighandler_t);

#define NO_NAME "a-label-that-is-longer-than-the-sixty-three-bytes-that-a-label-may-have-at-most.invalid."

static struct itimerval interval;
static char random_state[64];
static struct hostent host, *hostp;
static struct servent service, *servicep;
static struct __res_state resolver;
static wordexp_t words;
static int number;
static union { struct file_handle handle; char room[256]; } handle_room;
#define handle (&handle_room.handle)

#include "snippets.h"

#define SAFE_UNSAFE(KIND, name, call) /* not async-signal-safe */
#define ALL_UNSAFE(KIND, name, call) KIND(name, call)

#define SAY(name, call, known) \
	do { \
		long answer_; \
		\
		errno = 4711; \
		answer_ = (long)(call); \
		say(#name " "); \
		say_number(known ? answer_ : answer_ != 0); \
		say(" "); \
		/* What an answer that makes sense leaves in errno is nobody's business, but ours is to leave it alone. */ \
		say_number(errno); \
		say("\n"); \
	} while (0);
#define SAY_NUMBER(name, call) SAY(name, call, 1)
#define SAY_SENSE(name, call) SAY(name, call, 0)

static void run_all(const char *situation)
{
	say("== ");
	say(situation);
	say("\n");
	SNIPPETS(SAY_NUMBER, SAY_SENSE, ALL_UNSAFE)
}

/* Those that a signal handler may call. */
static void run_safe(const char *situation)
{
	say("== ");
	say(situation);
	say("\n");
	SNIPPETS(SAY_NUMBER, SAY_SENSE, SAFE_UNSAFE)
}

static void on_signal(int number)
{
	int saved = errno;

	run_safe(number == SIGUSR1 ? "signal handler" : "inside itself");
	errno = saved;
}

static void *on_thread(void *unused)
{
	run_all("second thread");
	return unused;
}

__attribute__((constructor)) static void constructor(void)
{
	run_all("constructor");
}

const char *matrix(void)
{
	struct sigaction action = {.sa_handler = on_signal}, old[2];
	struct itimerspec soon = {.it_value = {0, 2000000}};
	/* To this very thread: it may not be the main one. */
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
	timer_t timer;
	pthread_t thread;
	pid_t process;
	int status, ends[2];
	ssize_t got;

	run_all("plain");
	sigaction(SIGUSR1, &action, &old[0]);
	raise(SIGUSR1);
	sigaction(SIGUSR1, &old[0], NULL);

	sigaction(SIGALRM, &action, &old[1]);
	event._sigev_un._tid = gettid();
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &soon, NULL);
	status = nanosleep(&(struct timespec){1, 0}, NULL);
	timer_delete(timer);
	say("interrupted ");
	say_number(status);
	say("\n");
	sigaction(SIGALRM, &old[1], NULL);

	if (pthread_create(&thread, NULL, on_thread, NULL) == 0)
		pthread_join(thread, NULL);

	fflush(NULL);
	if (pipe(ends) < 0)
		return "no pipe";
	process = fork();
	if (process == 0) {
		used = 0;
		run_all("after fork");
		for (size_t sent = 0; sent < used; sent += (size_t)got) {
			got = write(ends[1], text + sent, used - sent);
			if (got <= 0)
				break;
		}
		_exit(0);
	}
	close(ends[1]);
	while ((got = read(ends[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
	close(ends[0]);
	waitpid(process, &status, 0);
	return text;
}
