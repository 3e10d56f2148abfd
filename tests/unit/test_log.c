#define _GNU_SOURCE 1
#include "shim/base/log.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/sandglass-log-XXXXXX";
static char path[PATH_MAX];

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/log", directory);
}

static void teardown(void)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

static const char *content(const char *file)
{
	static char text[100000];
	FILE *stream = fopen(file, "r");
	size_t length;

	if (!stream)
		return "";
	length = fread(text, 1, sizeof(text) - 1, stream);
	text[length] = '\0';
	fclose(stream);
	return text;
}

static size_t count_lines(const char *file)
{
	size_t lines = 0;

	for (const char *at = content(file); (at = strchr(at, '\n')); at++)
		lines++;
	return lines;
}

static void write_event(const char *event)
{
	struct sg_line line;

	if (sg_log_begin(&line, SG_LOG_WARN, event))
		sg_log_end(&line);
}

/* The descriptor behind which file is open, or -1. Not the one of a FILE of ours: there is none. */
static int find_descriptor(const char *file)
{
	DIR *descriptors = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1;

	while ((entry = readdir(descriptors))) {
		char link[300], target[PATH_MAX] = "";

		snprintf(link, sizeof(link), "/proc/self/fd/%s", entry->d_name);
		if (readlink(link, target, sizeof(target) - 1) > 0 && strcmp(target, file) == 0)
			found = atoi(entry->d_name);
	}
	closedir(descriptors);
	return found;
}

static void assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&regex, text, 0, NULL, 0) == 0, "%s\ndoes not match\n%s", text,
			pattern);
	regfree(&regex);
}

/* ---- formatter ---- */

START_TEST(test_line)
{
	struct sg_line line;
	char now[32];
	time_t seconds;

	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	ck_assert(sg_log_begin(&line, SG_LOG_WARN, "violation"));
	sg_log_text(&line, "rule", "time.time");
	sg_log_text(&line, "left_out", NULL);
	sg_log_number(&line, "line", 12);
	sg_log_end(&line);
	seconds = time(NULL);
	assert_matches(content(path), "^sandglass ts=20[0-9]{2}-[0-9]{2}-[0-9]{2}T"
			"[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z pid=[0-9]+ level=warn "
			"event=violation rule=time\\.time line=12\n$");
	/* By the hour: a test that starts at the end of one would be unlucky. */
	strftime(now, sizeof(now), "%Y-%m-%dT%H:", gmtime(&seconds));
	ck_assert_int_eq(strncmp(content(path) + strlen("sandglass ts="), now, strlen(now)), 0);
}
END_TEST

static const struct {
	const char *value, *expected;
} values[] = {
	{ "plain", "plain" },
	{ "", "\"\"" },
	{ "two words", "\"two words\"" },
	{ "a=b", "\"a=b\"" },
	{ "say \"hi\"", "\"say \\\"hi\\\"\"" },
	{ "back\\slash", "\"back\\\\slash\"" },
	{ "line\nbreak\r\tx", "\"line\\nbreak\\r\\tx\"" },
	{ "\x01\x1b[31m\x7f", "\"\\u0001\\u001b[31m\\u007f\"" },
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x8d",
		"\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x8d\"" },
	{ "\xe2\x82\xac", "\xe2\x82\xac" },
	{ "\xc2\x85next", "\"\\u0085next\"" },
	{ "\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6", "\"\\u2028\\u202e\\u2066\"" },
	{ "\x80", "\"\\x80\"" },                       /* continuation alone */
	{ "\xc3", "\"\\xc3\"" },                       /* cut off */
	{ "\xe2\x82", "\"\\xe2\\x82\"" },
	{ "\xc0\xaf", "\"\\xc0\\xaf\"" },              /* too long a form of / */
	{ "\xe0\x80\x8a", "\"\\xe0\\x80\\x8a\"" },     /* and of a newline */
	{ "\xed\xa0\x80", "\"\\xed\\xa0\\x80\"" },     /* surrogate */
	{ "\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\"" },
	{ "\xff\xfe", "\"\\xff\\xfe\"" },
};

START_TEST(test_value)
{
	struct sg_line line;
	size_t before;

	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	ck_assert(sg_log_begin(&line, SG_LOG_INFO, "e"));
	before = line.length;
	sg_log_text(&line, "k", values[_i].value);
	line.text[line.length] = '\0';
	ck_assert_str_eq(line.text + before + strlen(" k="), values[_i].expected);
}
END_TEST

static const struct {
	int64_t value;
	const char *expected;
} numbers[] = {
	{ 0, " k=0" }, { -1, " k=-1" }, { 10, " k=10" },
	{ INT64_MAX, " k=9223372036854775807" }, { INT64_MIN, " k=-9223372036854775808" },
};

START_TEST(test_number)
{
	struct sg_line line = { .length = 0 };

	sg_log_number(&line, "k", numbers[_i].value);
	line.text[line.length] = '\0';
	ck_assert_str_eq(line.text, numbers[_i].expected);
}
END_TEST

START_TEST(test_key_is_mended)
{
	struct sg_line line = { .length = 0 };

	sg_log_text(&line, "a b\nc=\"d\xc3\xbc", "v");
	line.text[line.length] = '\0';
	ck_assert_str_eq(line.text, " a_b_c__d__=v");
}
END_TEST

/* Every length around the end of the buffer, with each kind of unit that must not be split. */
START_TEST(test_cut)
{
	static const char *const units[] = { "a", "\xe2\x82\xac", "\n", "\x01", "\xff" };
	const char *unit = units[_i];

	for (size_t padding = 0; padding < 12; padding++) {
		struct sg_line line = { .length = 0 };
		char value[5000] = "";
		size_t length = padding;

		memset(value, 'x', padding);
		while (length + strlen(unit) < sizeof(value)) {
			strcpy(value + length, unit);
			length += strlen(unit);
		}
		sg_log_text(&line, "k", value);
		ck_assert_uint_lt(line.length, sizeof(line.text));
		ck_assert_int_eq(memcmp(line.text + line.length - 3, "...", 3), 0);
		length = line.length;
		sg_log_text(&line, "later", "ignored");
		sg_log_number(&line, "later", 1);
		ck_assert_uint_eq(line.length, length);
		while (line.text[length - 1] == '.')
			length--;
		if (unit[0] == '\xe2')
			ck_assert_int_eq(memcmp(line.text + length - 3, unit, 3), 0);
		if (unit[0] == '\x01')
			ck_assert_int_eq(memcmp(line.text + length - 6, "\\u0001", 6), 0);
	}
}
END_TEST

START_TEST(test_fits_exactly)
{
	struct sg_line line = { .length = 0 };
	char value[4000];

	memset(value, 'x', sizeof(value));
	value[sizeof(line.text) - 6 - strlen(" k=")] = '\0';
	sg_log_text(&line, "k", value);
	ck_assert_uint_eq(line.length, sizeof(line.text) - 6);
	ck_assert_int_eq(line.text[line.length - 1], 'x');
}
END_TEST

START_TEST(test_cut_line_is_written)
{
	struct sg_line line;
	char value[5000];

	memset(value, '\n', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	ck_assert(sg_log_begin(&line, SG_LOG_INFO, "e"));
	sg_log_text(&line, "k", value);
	sg_log_end(&line);
	ck_assert_uint_gt(strlen(content(path)), 3990);
	ck_assert_uint_le(strlen(content(path)), 4000);
	ck_assert_uint_eq(count_lines(path), 1);
	assert_matches(content(path), "\\.\\.\\.\n$");
}
END_TEST

START_TEST(test_json_line)
{
	struct sg_line line;

	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	sg_log_as_json(true);
	ck_assert(sg_log_begin(&line, SG_LOG_WARN, "violation"));
	sg_log_text(&line, "rule", "time.time");
	sg_log_text(&line, "text", "a \"b\" \\ \n \x01 \xff \xc3\xbc");
	sg_log_text(&line, "empty", "");
	sg_log_number(&line, "line", -12);
	sg_log_end(&line);
	assert_matches(content(path), "^\\{\"source\":\"sandglass\",\"ts\":\"20[0-9]{2}-[0-9:.T-]+Z\",\"pid\":[0-9]+,"
			"\"level\":\"warn\",\"event\":\"violation\",\"rule\":\"time\\.time\",\"text\":\"a "
			"\\\\\"b\\\\\" \\\\\\\\ \\\\n \\\\u0001 \\\\\\\\xff \xc3\xbc\",\"empty\":\"\",\"line\":-12}\n$");
}
END_TEST

/* Whatever does not fit, the object is whole. */
START_TEST(test_json_is_cut)
{
	static const char *const units[] = {"a", "\xe2\x82\xac", "\n", "\x01", "\xff"};
	struct sg_line line;
	char value[5000];

	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	sg_log_as_json(true);
	for (size_t padding = 0; padding < 12; padding++) {
		value[0] = '\0';
		for (size_t i = 0; i < padding; i++)
			strcat(value, "x");
		while (strlen(value) + 8 < sizeof(value))
			strcat(value, units[_i]);
		ck_assert(sg_log_begin(&line, SG_LOG_INFO, "e"));
		sg_log_text(&line, "k", value);
		sg_log_text(&line, "later", "ignored");
		sg_log_number(&line, "later", 1);
		sg_log_end(&line);
		ck_assert_uint_le(line.length, sizeof(line.text));
		ck_assert_int_eq(memcmp(line.text + line.length - 6, "...\"}\n", 6), 0);
		ck_assert_ptr_null(memmem(line.text, line.length, "later", 5));
	}
	/* A key or a number that does not fit is not there at all. */
	for (size_t left = 0; left < 30; left++) {
		ck_assert(sg_log_begin(&line, SG_LOG_INFO, "e"));
		memset(value, 'x', sizeof(value));
		value[3900 - left] = '\0';
		sg_log_text(&line, "k", value);
		sg_log_number(&line, "number", INT64_MAX);
		sg_log_text(&line, "text", "a");
		sg_log_end(&line);
		ck_assert_int_eq(line.text[line.length - 2], '}');
		ck_assert(line.text[line.length - 3] == '"' || line.text[line.length - 3] == '7');
	}
}
END_TEST

START_TEST(test_level)
{
	struct sg_line line;

	ck_assert(!sg_log_enabled(SG_LOG_ERROR));
	ck_assert(!sg_log_begin(&line, SG_LOG_ERROR, "before open"));
	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	ck_assert(sg_log_enabled(SG_LOG_ERROR));
	ck_assert(sg_log_enabled(SG_LOG_INFO));
	ck_assert(!sg_log_enabled(SG_LOG_DEBUG));
	ck_assert(!sg_log_begin(&line, SG_LOG_DEBUG, "e"));
}
END_TEST

/* ---- descriptor ---- */

START_TEST(test_descriptor_is_high_and_close_on_exec)
{
	int descriptor;
	struct stat status;

	umask(0);
	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	descriptor = find_descriptor(path);
	ck_assert_int_ge(descriptor, 512);
	ck_assert_int_eq(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
	ck_assert(fcntl(descriptor, F_GETFL) & O_APPEND);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(test_link_is_not_followed)
{
	char other[PATH_MAX + 8];

	snprintf(other, sizeof(other), "%s.other", path);
	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), -ELOOP);
	ck_assert_int_eq(access(other, F_OK), -1);
	ck_assert_int_eq(sg_log_open("/dev/stdout", SG_LOG_INFO), 0);
}
END_TEST

START_TEST(test_link_in_the_place_of_a_removed_log_is_not_followed)
{
	char other[PATH_MAX + 8];

	snprintf(other, sizeof(other), "%s.other", path);
	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	ck_assert_int_eq(close(open(other, O_WRONLY | O_CREAT, 0600)), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink(other, path), 0);
	write_event("one");
	ck_assert_uint_eq(count_lines(other), 0);
	close_range(100, ~0U, 0);
	write_event("two");
	ck_assert_uint_eq(count_lines(other), 0);
}
END_TEST

START_TEST(test_small_limit)
{
	struct rlimit limit = { 40, 40 };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	ck_assert_int_ge(find_descriptor(path), 32);
	write_event("e");
	ck_assert_uint_eq(count_lines(path), 1);
}
END_TEST

START_TEST(test_open_fails)
{
	char long_path[PATH_MAX + 2];

	memset(long_path, 'x', sizeof(long_path));
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	ck_assert_int_eq(sg_log_open("/nonexistent/log", SG_LOG_INFO), -ENOENT);
	ck_assert_int_eq(sg_log_open(long_path, SG_LOG_INFO), -ENAMETOOLONG);
	ck_assert_int_eq(sg_log_open("", SG_LOG_INFO), -ENOENT);
	ck_assert_int_eq(sg_log_open("/tmp", SG_LOG_INFO), -EISDIR);
	ck_assert(!sg_log_enabled(SG_LOG_ERROR));
}
END_TEST

START_TEST(test_path_closed_by_application)
{
	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	write_event("one");
	close_range(100, ~0U, 0);
	write_event("two");
	write_event("three");
	ck_assert_uint_eq(count_lines(path), 3);
	ck_assert_int_ge(find_descriptor(path), 512);
}
END_TEST

START_TEST(test_descriptor_reused_by_application)
{
	char other[PATH_MAX + 8];
	int descriptor, file;

	snprintf(other, sizeof(other), "%s.other", path);
	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	descriptor = find_descriptor(path);
	file = open(other, O_RDWR | O_CREAT, 0600);
	ck_assert_int_eq(dup2(file, descriptor), descriptor);
	write_event("one");
	sg_log_after_fork();
	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	ck_assert_str_eq(content(other), "");
	ck_assert_int_ge(fcntl(descriptor, F_GETFD), 0);
	ck_assert_uint_eq(count_lines(path), 1);
}
END_TEST

START_TEST(test_stderr_falls_silent)
{
	int saved = dup(2), file = open(path, O_RDWR | O_CREAT, 0600), descriptor;

	dup2(file, 2);
	ck_assert_int_eq(sg_log_open("stderr", SG_LOG_INFO), 0);
	/* The application may move its standard error elsewhere. */
	dup2(saved, 2);
	close(file);
	write_event("one");
	ck_assert_uint_eq(count_lines(path), 1);
	descriptor = find_descriptor(path);
	ck_assert_int_ge(descriptor, 512);
	close(descriptor);
	write_event("two");
	ck_assert(!sg_log_enabled(SG_LOG_ERROR));
	ck_assert_uint_eq(count_lines(path), 1);
}
END_TEST

START_TEST(test_stderr_closed_at_start)
{
	close(2);
	ck_assert_int_eq(sg_log_open("stderr", SG_LOG_INFO), 0);
	ck_assert(!sg_log_enabled(SG_LOG_ERROR));
}
END_TEST

START_TEST(test_errno_is_preserved)
{
	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	errno = 12345;
	write_event("one");
	close_range(100, ~0U, 0);
	unlink(path);
	rmdir(directory);
	errno = 12345;
	write_event("cannot be reopened");
	sg_log_after_fork();
	sg_log_open("/nonexistent/log", SG_LOG_INFO);
	ck_assert_int_eq(errno, 12345);
	mkdir(directory, 0700);
}
END_TEST

START_TEST(test_relative_path_after_chdir)
{
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(sg_log_open("log", SG_LOG_INFO), 0);
	ck_assert_int_eq(chdir("/"), 0);
	close(find_descriptor(path));
	write_event("one");
	ck_assert_uint_eq(count_lines(path), 1);
}
END_TEST

START_TEST(test_fork)
{
	char template[PATH_MAX + 4], own[PATH_MAX + 20], quiet[PATH_MAX + 20], loud[PATH_MAX + 20];
	pid_t child;

	snprintf(template, sizeof(template), "%s.%%p", path);
	snprintf(own, sizeof(own), "%s.%d", path, getpid());
	ck_assert_int_eq(sg_log_open(template, SG_LOG_INFO), 0);
	child = fork();
	if (child == 0) {
		sg_log_after_fork();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	snprintf(quiet, sizeof(quiet), "%s.%d", path, child);
	child = fork();
	if (child == 0) {
		sg_log_after_fork();
		write_event("child");
		_exit(0);
	}
	waitpid(child, NULL, 0);
	snprintf(loud, sizeof(loud), "%s.%d", path, child);
	write_event("parent");
	ck_assert_int_eq(access(quiet, F_OK), -1);
	ck_assert_ptr_nonnull(strstr(content(loud), "event=child"));
	ck_assert_uint_eq(count_lines(own), 1);
}
END_TEST

START_TEST(test_broken_pipe_kills_nobody)
{
	int ends[2];
	sigset_t pending;

	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], 2);
	ck_assert_int_eq(sg_log_open("stderr", SG_LOG_INFO), 0);
	close(ends[0]);
	write_event("nobody reads this");
	sigpending(&pending);
	ck_assert(!sigismember(&pending, SIGPIPE));
	/* One that was pending before is not ours to take. */
	sigemptyset(&pending);
	sigaddset(&pending, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pending, NULL);
	pthread_kill(pthread_self(), SIGPIPE);
	write_event("nor this");
	sigpending(&pending);
	ck_assert(sigismember(&pending, SIGPIPE));
}
END_TEST

static void *write_many(void *unused)
{
	for (int i = 0; i < 200; i++)
		write_event("many");
	return unused;
}

/* However often the descriptor is taken away, lines arrive and no descriptor is left over. */
START_TEST(test_threads_reopen)
{
	pthread_t threads[4];
	int open_descriptors = 0;

	ck_assert_int_eq(sg_log_open(path, SG_LOG_INFO), 0);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, write_many, NULL);
	for (int i = 0; i < 200; i++) {
		int other = open("/dev/null", O_WRONLY), descriptor = find_descriptor(path);

		/* Replaced, not closed: that it is free for a moment in between cannot be seen. */
		if (descriptor >= 512)
			dup2(other, descriptor);
		close(other);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	write_event("last");
	for (int descriptor = find_descriptor(path); descriptor >= 0;
			descriptor = find_descriptor(path)) {
		open_descriptors++;
		close(descriptor);
	}
	ck_assert_int_eq(open_descriptors, 1);
	/* A line is lost only if its descriptor was replaced between the check and the write. */
	ck_assert_uint_gt(count_lines(path), 700);
}
END_TEST

Suite *log_suite(void);

Suite *log_suite(void)
{
	Suite *suite = suite_create("log");
	TCase *format = tcase_create("format"), *descriptor = tcase_create("descriptor");

	tcase_add_checked_fixture(format, setup, teardown);
	tcase_add_test(format, test_line);
	tcase_add_loop_test(format, test_value, 0, sizeof(values) / sizeof(values[0]));
	tcase_add_loop_test(format, test_number, 0, sizeof(numbers) / sizeof(numbers[0]));
	tcase_add_test(format, test_key_is_mended);
	tcase_add_loop_test(format, test_cut, 0, 5);
	tcase_add_test(format, test_fits_exactly);
	tcase_add_test(format, test_cut_line_is_written);
	tcase_add_test(format, test_json_line);
	tcase_add_loop_test(format, test_json_is_cut, 0, 5);
	tcase_add_test(format, test_level);
	suite_add_tcase(suite, format);

	tcase_add_checked_fixture(descriptor, setup, teardown);
	tcase_add_test(descriptor, test_descriptor_is_high_and_close_on_exec);
	tcase_add_test(descriptor, test_link_is_not_followed);
	tcase_add_test(descriptor, test_link_in_the_place_of_a_removed_log_is_not_followed);
	tcase_add_test(descriptor, test_small_limit);
	tcase_add_test(descriptor, test_open_fails);
	tcase_add_test(descriptor, test_path_closed_by_application);
	tcase_add_test(descriptor, test_descriptor_reused_by_application);
	tcase_add_test(descriptor, test_stderr_falls_silent);
	tcase_add_test(descriptor, test_stderr_closed_at_start);
	tcase_add_test(descriptor, test_errno_is_preserved);
	tcase_add_test(descriptor, test_relative_path_after_chdir);
	tcase_add_test(descriptor, test_fork);
	tcase_add_test(descriptor, test_broken_pipe_kills_nobody);
	tcase_add_test(descriptor, test_threads_reopen);
	suite_add_tcase(suite, descriptor);
	return suite;
}

/* Weak: alone this file is a program, and a runner of several suites brings its own. */
__attribute__((weak)) int main(void)
{
	SRunner *runner = srunner_create(log_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
