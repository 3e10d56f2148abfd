/*
 * matrix.c - one tiny snippet for an interposed entry of the C library, in every situation in which a hook may be met:
 * plainly, in a library's constructor, in a signal handler, after fork, inside itself (a signal handler that interrupts the
 * same call), on a second thread. What a snippet says must be the same with and without Sandglass.
 *
 * A shared object: its constructor runs the first situation, matrix() the others. Answers that differ from call to
 * call (a time, a number) are said as whether they make sense; errno is said where it is the answer.
 */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <ifaddrs.h>
#include <limits.h>
#include <mqueue.h>
#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define MISSING "/nonexistent/file"
extern char **environ;
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
static unsigned short seed[3] = {1, 2, 3};
static const struct timespec short_while = {0, 1000};

/* S: the number itself is the answer. T: whether it makes sense. */
#define SNIPPETS(S, T, UNSAFE) \
	T(clock_gettime, clock_gettime(CLOCK_REALTIME, &ts) == 0 && ts.tv_sec > 1e9) \
	T(clock_gettime_monotonic, clock_gettime(CLOCK_MONOTONIC, &ts) == 0) \
	S(clock_gettime_error, clock_gettime(12345, &ts)) \
	T(timespec_get, timespec_get(&ts, TIME_UTC) == TIME_UTC) \
	T(time, time(NULL) > 1000000000) \
	T(gettimeofday, gettimeofday(&tv, NULL) == 0 && tv.tv_sec > 1e9) \
	T(clock, clock() != (clock_t)-1) \
	T(times, times(&tms) != (clock_t)-1) \
	S(getrusage, getrusage(RUSAGE_SELF, &usage)) \
	S(getrusage_error, getrusage(77, &usage)) \
	T(localtime_r, localtime_r(&(time_t){86400}, &tm) == &tm && tm.tm_year == 70) \
	T(ctime_r, ctime_r(&(time_t){86400}, buffer) == buffer) \
	T(mktime, mktime(&(struct tm){.tm_year = 100, .tm_mday = 1}) > 0) \
	S(nanosleep, nanosleep(&short_while, NULL)) \
	S(nanosleep_error, nanosleep(&(struct timespec){0, -1}, NULL)) \
	S(clock_nanosleep, clock_nanosleep(CLOCK_MONOTONIC, 0, &short_while, NULL)) \
	S(sleep, (int)sleep(0)) \
	S(usleep, usleep(1)) \
	S(thrd_sleep, thrd_sleep(&short_while, NULL)) \
	S(alarm, (int)alarm(0)) \
	S(timerfd_create, close_after(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC))) \
	T(getrandom, getrandom(buffer, 16, 0) == 16) \
	T(getrandom_insecure, getrandom(buffer, 16, GRND_INSECURE) == 16) \
	S(getentropy, getentropy(buffer, 16)) \
	S(getentropy_error, getentropy(buffer, 1000)) \
	T(arc4random, (arc4random(), 1)) \
	T(arc4random_buf, (arc4random_buf(buffer, 8), 1)) \
	T(arc4random_uniform, arc4random_uniform(5) < 5) \
	T(rand, rand() >= 0) \
	T(random, random() >= 0) \
	T(drand48, drand48() < 1) \
	T(lrand48, lrand48() >= 0) \
	S(srand, (srand(5), rand())) \
	S(srandom, (srandom(6), (int)random())) \
	S(srand48, (srand48(7), (int)lrand48())) \
	T(seed48, seed48(seed) != NULL) \
	T(getenv, getenv("PATH") != NULL) \
	T(getenv_missing, getenv("SG_MATRIX_NO_SUCH") == NULL) \
	T(secure_getenv, secure_getenv("PATH") != NULL) \
	UNSAFE(S, setenv, setenv("SG_MATRIX", "1", 1)) \
	UNSAFE(S, unsetenv, unsetenv("SG_MATRIX")) \
	S(setenv_error, setenv("", "1", 1)) \
	S(open, open(MISSING, O_RDONLY)) \
	S(open_ok, close_after(open("/dev/null", O_RDONLY | O_CLOEXEC))) \
	S(open64, open64(MISSING, O_RDONLY)) \
	S(openat, openat(AT_FDCWD, MISSING, O_RDONLY)) \
	S(openat64, openat64(-1, "relative", O_RDONLY)) \
	S(creat, creat(MISSING, 0600)) \
	S(open_tmpfile, close_after(open("/tmp", O_TMPFILE | O_RDWR, 0600))) \
	UNSAFE(T, fopen, fopen(MISSING, "r") == NULL) \
	UNSAFE(T, fopen64, fopen64(MISSING, "r") == NULL) \
	UNSAFE(T, opendir, opendir(MISSING) == NULL) \
	UNSAFE(S, scandir, scandir(MISSING, (struct dirent ***)buffer, NULL, NULL)) \
	UNSAFE(S, glob, glob(MISSING "*", 0, NULL, (glob_t *)buffer)) \
	UNSAFE(S, ftw, ftw(MISSING, none, 4)) \
	S(stat, stat(MISSING, &st)) \
	S(stat_ok, stat("/", &st)) \
	S(stat64, stat64(MISSING, &st64)) \
	S(lstat, lstat(MISSING, &st)) \
	S(fstatat, fstatat(AT_FDCWD, MISSING, &st, 0)) \
	S(statx, statx(AT_FDCWD, MISSING, 0, STATX_SIZE, &sx)) \
	S(statfs, statfs(MISSING, &fs)) \
	S(statvfs, statvfs(MISSING, &vfs)) \
	S(access, access(MISSING, R_OK)) \
	S(access_ok, access("/", R_OK)) \
	S(faccessat, faccessat(AT_FDCWD, MISSING, R_OK, 0)) \
	S(euidaccess, euidaccess(MISSING, R_OK)) \
	S(readlink, (int)readlink(MISSING, buffer, sizeof(buffer))) \
	S(readlinkat, (int)readlinkat(AT_FDCWD, MISSING, buffer, sizeof(buffer))) \
	UNSAFE(T, realpath, realpath(MISSING, NULL) == NULL) \
	T(realpath_ok, realpath("/", buffer) == buffer) \
	T(getcwd, getcwd(buffer, sizeof(buffer)) == buffer) \
	T(getcwd_error, getcwd(buffer, 1) == NULL) \
	S(chdir, chdir(MISSING)) \
	S(mkdir, mkdir(MISSING, 0700)) \
	S(mkfifo, mkfifo(MISSING, 0700)) \
	S(chmod, chmod(MISSING, 0700)) \
	S(chown, chown(MISSING, 0, 0)) \
	S(link, link(MISSING, MISSING "2")) \
	S(symlink, symlink("x", MISSING)) \
	S(rename, rename(MISSING, MISSING "2")) \
	S(renameat2, renameat2(AT_FDCWD, MISSING, AT_FDCWD, MISSING "2", 0)) \
	S(unlink, unlink(MISSING)) \
	S(unlinkat, unlinkat(AT_FDCWD, MISSING, 0)) \
	S(rmdir, rmdir(MISSING)) \
	S(remove, remove(MISSING)) \
	S(truncate, truncate(MISSING, 0)) \
	S(utimensat, utimensat(AT_FDCWD, MISSING, NULL, 0)) \
	S(mkstemp_error, mkstemp((char[]){"nothing"})) \
	T(mkdtemp_error, mkdtemp((char[]){"nothing"}) == NULL) \
	S(pathconf, (int)pathconf(MISSING, _PC_NAME_MAX)) \
	S(getxattr, (int)getxattr(MISSING, "user.x", buffer, 8)) \
	S(shm_open, shm_open("/sg-matrix-none", O_RDONLY, 0)) \
	UNSAFE(T, sem_open, sem_open("/sg-matrix-none", 0) == SEM_FAILED) \
	S(mq_open, (int)mq_open("/sg-matrix-none", O_RDONLY)) \
	S(memfd_create, close_after(memfd_create("sg", MFD_CLOEXEC))) \
	S(shmget, shmget(0x5347, 0, 0)) \
	S(socket, close_after(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))) \
	S(socket_error, socket(-1, SOCK_STREAM, 0)) \
	S(connect, connect(-1, NULL, 0)) \
	S(bind, bind(-1, NULL, 0)) \
	S(listen, listen(-1, 0)) \
	S(accept, accept(-1, NULL, NULL)) \
	S(accept4, accept4(-1, NULL, NULL, 0)) \
	S(send, (int)send(-1, "", 0, 0)) \
	S(sendto, (int)sendto(-1, "", 0, 0, NULL, 0)) \
	S(sendmsg, (int)sendmsg(-1, &(struct msghdr){0}, 0)) \
	S(recv, (int)recv(-1, buffer, 1, 0)) \
	S(recvfrom, (int)recvfrom(-1, buffer, 1, 0, NULL, NULL)) \
	S(recvmsg, (int)recvmsg(-1, &(struct msghdr){0}, 0)) \
	UNSAFE(S, getaddrinfo, getaddrinfo("127.0.0.1", "80", &(struct addrinfo){.ai_flags = \
		AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_family = 99}, (struct addrinfo **)buffer)) \
	UNSAFE(T, gethostbyname, gethostbyname("127.0.0.1") != NULL) \
	UNSAFE(S, getnameinfo, getnameinfo(NULL, 0, buffer, 8, NULL, 0, 0)) \
	S(fork, child(fork())) \
	S(_Fork, child(_Fork())) \
	S(posix_spawn, spawned(false)) \
	S(posix_spawnp, spawned(true)) \
	S(execve, execve(MISSING, (char *[]){"x", NULL}, environ)) \
	S(execl, execl(MISSING, "x", (char *)NULL)) \
	UNSAFE(S, system, system("exit 3")) \
	UNSAFE(T, popen, pclose(popen("exit 4", "r")) == 4 << 8) \
	S(kill, kill(0x7ffffff0, 0)) \
	UNSAFE(S, pthread_create, joined()) \
	UNSAFE(S, thrd_create, joined_c11()) \
	S(syscall, (int)syscall(SYS_openat, AT_FDCWD, MISSING, O_RDONLY)) \
	T(syscall_getpid, syscall(SYS_getpid) == getpid()) \
	T(syscall_six, syscall(SYS_mmap, 0L, 4096L, (long)PROT_READ, (long)(MAP_PRIVATE | MAP_ANONYMOUS), \
		-1L, 0L) > 0) \
	S(syscall_unknown, (int)syscall(100000)) \
	S(gethostname, gethostname(buffer, sizeof(buffer))) \
	S(gethostname_error, gethostname(buffer, 0)) \
	S(uname, uname(&un)) \
	S(sysinfo, sysinfo(&si)) \
	T(get_nprocs, get_nprocs() > 0) \
	T(sysconf, sysconf(_SC_NPROCESSORS_ONLN) > 0) \
	S(sysconf_page, (int)sysconf(_SC_PAGESIZE)) \
	S(sysconf_error, (int)sysconf(123456)) \
	T(getpid, getpid() > 0) \
	T(getppid, getppid() >= 0) \
	T(gettid, gettid() > 0) \
	S(getuid, (int)getuid()) \
	S(getgroups, getgroups(-1, NULL)) \
	UNSAFE(S, getpwuid_r, getpwuid_r(0, &pw, buffer, sizeof(buffer), &pwp)) \
	UNSAFE(S, getpwnam_r, getpwnam_r("root", &pw, buffer, sizeof(buffer), &pwp)) \
	UNSAFE(S, getgrgid_r, getgrgid_r(0, &gr, buffer, sizeof(buffer), &grp)) \
	T(sched_getcpu, sched_getcpu() >= 0) \
	S(sched_getaffinity, sched_getaffinity(0, 0, NULL)) \
	S(if_nametoindex, (int)if_nametoindex("sg-none"))

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
