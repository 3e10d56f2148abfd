/*
 * Rules of this file:
 * 1. Every system call goes through raw.h: the log is written from inside hooks, and must not meet
 *    one.
 * 2. No locks: a line may be written in a signal handler that interrupted another one, and in the
 *    child of a fork whose other threads are gone. Whoever loses a race does a little more work
 *    instead.
 * 3. A descriptor is written to, or closed, only while it is still the file that we opened.
 */
#define _GNU_SOURCE 1
#include "shim/base/log.h"

#include "shim/base/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Without its newline. Beyond the limit is room for the end of a cut line: ... in logfmt, ..."} in JSON. */
#define LINE_FULL (sizeof(((struct sg_line *)0)->text) - 1)
#define LINE_LIMIT (LINE_FULL - 5)

#define LEVEL_CLOSED (-1)

static struct {
	_Atomic int level;
	_Atomic int descriptor;     /* -1: none, open the path again */
	bool json;
	_Atomic unsigned long device, inode, type;  /* of what descriptor was when we opened it */
	_Atomic unsigned int generation;
	void (*begin)(void);        /* writes the first lines of a file made anew */
	_Atomic long looked_at;     /* when it was asked for: seconds */
	atomic_flag reopening;
	char path[PATH_MAX];        /* absolute, %p not yet replaced; empty: stderr */
} state = { .level = LEVEL_CLOSED, .descriptor = -1, .reopening = ATOMIC_FLAG_INIT };

static const char *const level_names[] = { "error", "warn", "info", "debug", "trace" };

/* ---- descriptor ---- */

static void descriptor_close(int descriptor)
{
	sg_raw_syscall(SYS_close, descriptor, 0, 0, 0);
}

/* The application may have closed our descriptor, and may even have been given its number again. */
static bool descriptor_is_ours(int descriptor)
{
	struct stat status;

	return descriptor >= 0 && sg_raw_syscall(SYS_fstat, descriptor, (long)&status, 0, 0) == 0 &&
			status.st_dev == state.device && status.st_ino == state.inode;
}

static size_t decimal(char digits[20], uint64_t value)
{
	size_t start = 20;

	do {
		digits[--start] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	memmove(digits, digits + start, 20 - start);
	return 20 - start;
}

int sg_log_path(const char *destination, uint64_t process, char *path, size_t size)
{
	char digits[20];
	size_t used = 0;

	for (const char *from = destination; *from; from++) {
		bool is_pid = from[0] == '%' && from[1] == 'p';
		size_t length = 1;

		if (is_pid) {
			length = decimal(digits, process);
			from++;
		}
		if (used + length >= size)
			return -ENAMETOOLONG;
		memcpy(path + used, is_pid ? digits : from, length);
		used += length;
	}
	path[used] = '\0';
	return 0;
}

/* The path for the process that asks. Returns 0 or a negative errno. */
static int path_expand(char path[PATH_MAX])
{
	return sg_log_path(state.path, (uint64_t)sg_raw_syscall(SYS_getpid, 0, 0, 0, 0), path, PATH_MAX);
}

/* Of the system's own, such as /dev/stdout: nobody else can put a link there. */
static bool path_may_be_link(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0 || (strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0);
}

static int path_open(const char *path)
{
	int link = path_may_be_link(path) ? 0 : O_NOFOLLOW, descriptor;

	/* Not waiting for somebody who reads a pipe: that could be for ever. Lines do wait for him. */
	descriptor = (int)sg_raw_syscall(SYS_openat, AT_FDCWD, (long)path,
			O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | link, 0600);
	if (descriptor >= 0)
		sg_raw_syscall(SYS_fcntl, descriptor, F_SETFL, O_APPEND, 0);
	return descriptor;
}

/* Opens state.path for the process that asks. Returns a descriptor or a negative errno. */
static int descriptor_open(void)
{
	char path[PATH_MAX];
	int low, high;

	low = path_expand(path);
	if (!low)
		low = path_open(path);
	if (low < 0)
		return low;
	high = sg_raw_descriptor_raise(low);
	if (high < 0)
		return low;
	descriptor_close(low);
	return high;
}

/* Makes descriptor the one that everybody writes to. */
static int descriptor_publish(int descriptor)
{
	struct stat status;
	int error = (int)sg_raw_syscall(SYS_fstat, descriptor, (long)&status, 0, 0);

	if (error)
		return error;
	/* In between, a reader sees no descriptor, never one with another file's identity. */
	state.descriptor = -1;
	state.device = status.st_dev;
	state.inode = status.st_ino;
	state.type = status.st_mode & S_IFMT;
	state.descriptor = descriptor;
	return 0;
}

/*
 * logrotate has renamed or removed the file: the same descriptor becomes the new one of that name, so that a thread
 * that is about to write to it never finds a file of somebody else's behind the number. What cannot be made anew
 * (the directory is gone) is written on as it is.
 */
static void descriptor_renew(int descriptor)
{
	char path[PATH_MAX];
	struct stat status;
	bool renewed = false;
	int fresh;
	long error;

	if (state.type != S_IFREG || path_expand(path) != 0)
		return;
	error = sg_raw_syscall(SYS_newfstatat, AT_FDCWD, (long)path, (long)&status, AT_SYMLINK_NOFOLLOW);
	/* Only a plain file can be opened without waiting for somebody. */
	if (error ? error != -ENOENT : !S_ISREG(status.st_mode) ||
			(status.st_dev == state.device && status.st_ino == state.inode))
		return;
	if (atomic_flag_test_and_set(&state.reopening))
		return;
	fresh = path_open(path);
	if (fresh >= 0 && fresh != descriptor) {
		if (descriptor_is_ours(descriptor) &&
				sg_raw_syscall(SYS_dup3, fresh, descriptor, O_CLOEXEC, 0) == descriptor && descriptor_publish(descriptor) == 0) {
			state.generation++;
			renewed = true;
		}
		descriptor_close(fresh);
	}
	atomic_flag_clear(&state.reopening);
	if (renewed && state.begin)
		state.begin();
}

void sg_log_begin_files(void (*begin)(void))
{
	state.begin = begin;
}

unsigned int sg_log_generation(void)
{
	struct timespec now = {0};
	int descriptor = state.descriptor;

	sg_raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, (long)&now, 0, 0);
	if (now.tv_sec != state.looked_at && state.path[0] && descriptor_is_ours(descriptor)) {
		state.looked_at = now.tv_sec;
		descriptor_renew(descriptor);
	}
	return state.generation;
}

/* Returns the descriptor to write to, or -1. When *ret_own is set, the caller has to close it. */
static int descriptor_acquire(bool *ret_own)
{
	int descriptor = state.descriptor;

	*ret_own = false;
	if (descriptor_is_ours(descriptor)) {
		if (state.path[0])
			descriptor_renew(descriptor);
		return descriptor;
	}
	if (!state.path[0]) {
		/* Descriptor 2 may be something else by now, and is the application's. */
		state.level = LEVEL_CLOSED;
		return -1;
	}
	/* Forgotten before the file is opened again, which may well give us the same number. */
	atomic_compare_exchange_strong(&state.descriptor, &descriptor, -1);
	descriptor = descriptor_open();
	if (descriptor < 0)
		return -1;
	*ret_own = true;
	if (!atomic_flag_test_and_set(&state.reopening)) {
		/* Another thread may have finished reopening since we looked. */
		if (!descriptor_is_ours(state.descriptor) && descriptor_publish(descriptor) == 0)
			*ret_own = false;
		atomic_flag_clear(&state.reopening);
	}
	return descriptor;
}

/* A reader that went away must not kill a process that would have lived without us. */
static void descriptor_write(int descriptor, const char *text, size_t length)
{
	bool may_signal = state.type == S_IFIFO || state.type == S_IFSOCK;
	/* Sets as the kernel knows them: one word of 64 signals. */
	const uint64_t pipe_signal = UINT64_C(1) << (SIGPIPE - 1);
	uint64_t blocked = 0, pending = 0;
	struct timespec at_once = { 0, 0 };
	long result;

	if (may_signal) {
		sg_raw_syscall(SYS_rt_sigpending, (long)&pending, sizeof(pending), 0, 0);
		sg_raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&pipe_signal, (long)&blocked,
				sizeof(blocked));
	}
	do
		result = sg_raw_syscall(SYS_write, descriptor, (long)text, (long)length, 0);
	while (result == -EINTR);
	if (may_signal) {
		if (result == -EPIPE && !(pending & pipe_signal))
			sg_raw_syscall(SYS_rt_sigtimedwait, (long)&pipe_signal, 0, (long)&at_once,
					sizeof(pipe_signal));
		sg_raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&blocked, 0, sizeof(blocked));
	}
}

/* ---- formatter ---- */

/* Adds all of it or nothing: a cut never splits a character or an escape. */
static void line_add(struct sg_line *line, const char *text, size_t length)
{
	if (line->cut || line->length + length > LINE_LIMIT) {
		line->cut = true;
		return;
	}
	memcpy(line->text + line->length, text, length);
	line->length += length;
}

static void line_add_number(struct sg_line *line, uint64_t value, size_t width)
{
	static const char zeros[] = "0000";
	char digits[20];
	size_t length = decimal(digits, value);

	if (length < width)
		line_add(line, zeros, width - length);
	line_add(line, digits, length);
}

/* Keys come from our own code; one that would break the line apart is mended all the same. */
static void line_add_key(struct sg_line *line, const char *key)
{
	if (state.json)
		line_add(line, ",\"", 2);
	else
		line_add(line, " ", 1);
	for (; *key; key++) {
		unsigned char byte = (unsigned char)*key;
		bool plain = byte > ' ' && byte < 0x7f && byte != '=' && byte != '"' && byte != '\\';

		line_add(line, plain ? key : "_", 1);
	}
	if (state.json)
		line_add(line, "\":", 2);
	else
		line_add(line, "=", 1);
}

/*
 * Decodes one character of UTF-8. Returns its length, 0 when the bytes are not valid (too long a
 * form, half of a surrogate pair, beyond Unicode, cut off).
 */
static size_t decode(const unsigned char *bytes, uint32_t *ret_character)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xc0 ? 0 : bytes[0] < 0xe0 ? 2 :
			bytes[0] < 0xf0 ? 3 : bytes[0] < 0xf8 ? 4 : 0;
	uint32_t character;

	if (length < 2) {
		*ret_character = bytes[0];
		return length;
	}
	character = bytes[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80) /* also stops at the terminating NUL */
			return 0;
		character = character << 6 | (bytes[i] & 0x3f);
	}
	if (character < smallest[length] || character > 0x10ffff ||
			(character >= 0xd800 && character < 0xe000))
		return 0;
	*ret_character = character;
	return length;
}

/* What ends a line, moves the cursor or turns the direction of writing on a screen. */
static bool is_control(uint32_t character)
{
	return character < ' ' || (character >= 0x7f && character < 0xa0) ||
			(character >= 0x2028 && character <= 0x202e) ||
			(character >= 0x2066 && character <= 0x2069);
}

/* JSON has no bytes, so that its \x is the text of the escape. */
static void line_add_escape(struct sg_line *line, char kind, uint32_t value, unsigned int digits)
{
	char escape[3 + 4] = "\\\\";
	size_t length = kind == 'x' && state.json ? 2 : 1;

	escape[length++] = kind;
	for (unsigned int i = 0; i < digits; i++)
		escape[length++] = "0123456789abcdef"[value >> 4 * (digits - 1 - i) & 0xf];
	line_add(line, escape, length);
}

static bool needs_quotes(const char *value)
{
	uint32_t character;
	size_t length;

	if (!*value)
		return true;
	for (; *value; value += length) {
		length = decode((const unsigned char *)value, &character);
		if (!length || is_control(character) || strchr(" =\"\\", *value))
			return true;
	}
	return false;
}

static void line_add_value(struct sg_line *line, const char *value)
{
	bool quoted = state.json || needs_quotes(value);
	uint32_t character;
	size_t length;

	if (quoted)
		line_add(line, "\"", 1);
	for (; *value && !line->cut; value += length) {
		length = decode((const unsigned char *)value, &character);
		if (!length) {
			line_add_escape(line, 'x', (unsigned char)*value, 2);
			length = 1;
		} else if (character == '"' || character == '\\') {
			line_add_escape(line, (char)character, 0, 0);
		} else if (character == '\n' || character == '\r' || character == '\t') {
			char kind = character == '\n' ? 'n' : character == '\r' ? 'r' : 't';

			line_add_escape(line, kind, 0, 0);
		} else if (is_control(character)) {
			line_add_escape(line, 'u', character, 4);
		} else {
			line_add(line, value, length);
		}
	}
	if (quoted)
		line_add(line, "\"", 1);
}

/* 2026-11-24T23:40:37.123Z, by hand: gmtime() takes the lock of the time zone data. */
static void line_add_time(struct sg_line *line)
{
	struct timespec now = { 0, 0 };
	uint64_t seconds, days, era, year, month;

	sg_raw_syscall(SYS_clock_gettime, CLOCK_REALTIME, (long)&now, 0, 0);
	seconds = now.tv_sec > 0 ? (uint64_t)now.tv_sec : 0;
	/* Days counted from 1 March of the year 0, so that a leap day is the last of its year. */
	days = seconds / 86400 + 719468;
	seconds %= 86400;
	era = days / 146097;
	days %= 146097;
	year = (days - days / 1460 + days / 36524 - days / 146096) / 365;
	days -= 365 * year + year / 4 - year / 100;
	month = (5 * days + 2) / 153;
	days -= (153 * month + 2) / 5;

	line_add_number(line, era * 400 + year + (month >= 10), 4);
	line_add(line, "-", 1);
	line_add_number(line, month < 10 ? month + 3 : month - 9, 2);
	line_add(line, "-", 1);
	line_add_number(line, days + 1, 2);
	line_add(line, "T", 1);
	line_add_number(line, seconds / 3600, 2);
	line_add(line, ":", 1);
	line_add_number(line, seconds / 60 % 60, 2);
	line_add(line, ":", 1);
	line_add_number(line, seconds % 60, 2);
	line_add(line, ".", 1);
	line_add_number(line, (uint64_t)now.tv_nsec / 1000000, 3);
	line_add(line, "Z", 1);
}

/* ---- interface ---- */

int sg_log_open(const char *destination, enum sg_log_level level)
{
	char path[PATH_MAX] = "";
	size_t used = 0;
	int descriptor, previous, error;

	if (strcmp(destination, "stderr") != 0) {
		/* Absolute: the application may be elsewhere when we open it again. */
		if (destination[0] != '/') {
			long length = sg_raw_syscall(SYS_getcwd, (long)path, sizeof(path), 0, 0);

			if (length < 0)
				return (int)length;
			used = (size_t)length - 1;
			path[used++] = '/';
		}
		if (!*destination)
			return -ENOENT;
		if (used + strlen(destination) >= sizeof(path))
			return -ENAMETOOLONG;
		strcpy(path + used, destination);
	}
	previous = descriptor_is_ours(state.descriptor) ? state.descriptor : -1;
	state.level = LEVEL_CLOSED;
	memcpy(state.path, path, sizeof(path));
	descriptor = path[0] ? descriptor_open() : sg_raw_descriptor_raise(2);
	error = descriptor < 0 ? descriptor : descriptor_publish(descriptor);
	if (previous >= 0)
		descriptor_close(previous);
	if (error) {
		state.descriptor = -1;
		/* A daemon's standard error is closed: nobody listens, no reason to complain. */
		return !path[0] && error == -EBADF ? 0 : error;
	}
	state.level = level;
	return 0;
}

void sg_log_as_json(bool json)
{
	state.json = json;
}

bool sg_log_enabled(enum sg_log_level level)
{
	return (int)level <= atomic_load_explicit(&state.level, memory_order_relaxed);
}

static bool begin(struct sg_line *line, enum sg_log_level least, enum sg_log_level level, const char *event)
{
	if (!sg_log_enabled(least))
		return false;
	line->length = 0;
	line->cut = false;
	if (state.json)
		line_add(line, "{\"source\":\"sandglass\",\"ts\":\"", strlen("{\"source\":\"sandglass\",\"ts\":\""));
	else
		line_add(line, "sandglass ts=", strlen("sandglass ts="));
	line_add_time(line);
	if (state.json)
		line_add(line, "\"", 1);
	sg_log_number(line, "pid", sg_raw_syscall(SYS_getpid, 0, 0, 0, 0));
	sg_log_text(line, "level", level_names[level]);
	sg_log_text(line, "event", event);
	return true;
}

bool sg_log_begin(struct sg_line *line, enum sg_log_level level, const char *event)
{
	return begin(line, level, level, event);
}

bool sg_log_begin_notice(struct sg_line *line, const char *event)
{
	return begin(line, SG_LOG_WARN, SG_LOG_INFO, event);
}

/* There is always room for it. */
static void cut_off(struct sg_line *line, const char *end)
{
	memcpy(line->text + line->length, end, strlen(end));
	line->length += strlen(end);
}

void sg_log_text(struct sg_line *line, const char *key, const char *value)
{
	size_t start = line->length, value_start;

	if (!value || line->cut)
		return;
	line_add_key(line, key);
	value_start = line->length;
	line_add_value(line, value);
	if (!line->cut)
		return;
	if (!state.json) {
		cut_off(line, "...");
	} else if (line->length > value_start) {
		cut_off(line, "...\"");
	} else {
		line->length = start; /* not even its key */
	}
}

void sg_log_number(struct sg_line *line, const char *key, int64_t value)
{
	char text[22];
	size_t length = 0, start = line->length;

	if (line->cut)
		return;
	if (value < 0)
		text[length++] = '-';
	length += decimal(text + length, value < 0 ? -(uint64_t)value : (uint64_t)value);
	line_add_key(line, key);
	line_add(line, text, length);
	if (!line->cut)
		return;
	line->length = start;
	if (!state.json)
		cut_off(line, "...");
}

void sg_log_end(struct sg_line *line)
{
	bool own;
	int descriptor = descriptor_acquire(&own);

	if (descriptor < 0)
		return;
	if (state.json)
		line->text[line->length++] = '}';
	line->text[line->length++] = '\n';
	descriptor_write(descriptor, line->text, line->length);
	if (own)
		descriptor_close(descriptor);
}

void sg_log_unguarded(enum sg_log_level level, const char *key, const char *what, const char *reason)
{
	struct sg_line line;

	if (!sg_log_begin(&line, level, "unguarded"))
		return;
	sg_log_text(&line, key, what);
	sg_log_text(&line, "reason", reason);
	sg_log_end(&line);
}

void sg_log_after_fork(void)
{
	int descriptor = state.descriptor;

	/* Another thread of the parent may have been in the middle of reopening. */
	atomic_flag_clear(&state.reopening);
	if (!strstr(state.path, "%p"))
		return;
	/*
	 * The file is made by the first line, not here: most children call exec next and would
	 * leave an empty one behind.
	 */
	if (descriptor_is_ours(descriptor))
		descriptor_close(descriptor);
	state.descriptor = -1;
}
