/*
 * Which pages have been written to: the kernel's answers, and what is left when it gives none.
 */
#define _GNU_SOURCE 1
#include "shim/base/pages.h"
#include "shim/base/raw.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 16

static size_t size;
static char *memory;

static void setup(void)
{
	size = (size_t)sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, PAGES * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	memset(memory, 1, PAGES * size);
}

static struct sg_pages_piece piece(size_t page, unsigned number)
{
	return (struct sg_pages_piece){memory + page * size + 8, 16, number};
}

/* One piece a page: page 1 has number 10, page 2 number 20 ... */
static struct sg_pages *watch(size_t first, size_t count)
{
	struct sg_pages_piece pieces[PAGES];
	struct sg_pages *pages;

	for (size_t i = 0; i < count; i++)
		pieces[i] = piece(first + i, (unsigned)(10 * (first + i)));
	pages = sg_pages_watch(pieces, count);
	ck_assert_ptr_nonnull(pages);
	return pages;
}

static void change(size_t page)
{
	((volatile char *)memory)[page * size + size / 2]++;
}

static bool has(const unsigned *numbers, size_t count, unsigned number)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/* Exactly these numbers, ended by 0. */
static void expect(struct sg_pages *pages, const unsigned *expected)
{
	const unsigned *numbers;
	size_t count, n = 0;

	ck_assert_int_eq(sg_pages_written(pages, &numbers, &count), 0);
	for (; expected[n]; n++)
		ck_assert_msg(has(numbers, count, expected[n]), "%u is missing", expected[n]);
	ck_assert_uint_eq(count, n);
}

#define EXPECT(pages, ...) expect(pages, (const unsigned[]){__VA_ARGS__})

START_TEST(writes_are_told_once)
{
	struct sg_pages *pages = watch(1, 5);

	EXPECT(pages, 0);
	change(2);
	change(4);
	change(4);
	change(9); /* nobody's */
	EXPECT(pages, 20, 40, 0);
	EXPECT(pages, 0);
	change(4);
	EXPECT(pages, 40, 0);
	ck_assert_int_eq(memory[2 * size], 1);
	sg_pages_free(pages);
}
END_TEST

START_TEST(reading_is_no_writing)
{
	struct sg_pages *pages = watch(1, 5);
	volatile int sum = 0;

	for (size_t i = 0; i < PAGES * size; i++)
		sum += memory[i];
	EXPECT(pages, 0);
}
END_TEST

START_TEST(writes_by_the_kernel_count)
{
	struct sg_pages *pages = watch(1, 5);
	int file = open("/proc/self/maps", O_RDONLY);

	ck_assert_int_eq(read(file, memory + 3 * size + 100, 8), 8);
	close(file);
	EXPECT(pages, 30, 0);
}
END_TEST

START_TEST(pages_far_apart)
{
	size_t far = 4096;
	char *area = mmap(NULL, far * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sg_pages_piece pieces[] = {
		{area + 7 * size, 8, 7}, {area + (far - 1) * size, 8, 9}, {area, 8, 8},
		{area + 7 * size + 64, 8, 11},
	};
	struct sg_pages *pages = sg_pages_watch(pieces, 4);

	ck_assert_ptr_nonnull(pages);
	area[0]++;
	EXPECT(pages, 8, 0);
	area[(far - 1) * size + 9]++;
	area[7 * size]++;
	EXPECT(pages, 7, 9, 11, 0);
	/* More answers than fit at once. */
	for (size_t i = 0; i < far; i += 2)
		area[i * size]++;
	EXPECT(pages, 8, 0);
}
END_TEST

START_TEST(more_pages_than_answers_fit_at_once)
{
	size_t many = 1000;
	char *area = mmap(NULL, many * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sg_pages_piece *pieces = calloc(many, sizeof(*pieces));
	struct sg_pages *pages;
	const unsigned *numbers;
	size_t count;

	for (size_t i = 0; i < many; i++)
		pieces[i] = (struct sg_pages_piece){area + i * size, 8, (unsigned)i};
	pages = sg_pages_watch(pieces, many);
	ck_assert_ptr_nonnull(pages);
	for (size_t i = 0; i < many; i += 2)
		area[i * size]++;
	ck_assert_int_eq(sg_pages_written(pages, &numbers, &count), 0);
	ck_assert_uint_eq(count, many / 2);
	for (size_t i = 0; i < many; i += 2)
		ck_assert(has(numbers, count, (unsigned)i));
	EXPECT(pages, 0);
	free(pieces);
}
END_TEST

START_TEST(a_piece_on_two_pages)
{
	struct sg_pages_piece across = {memory + 3 * size - 8, 16, 5};
	struct sg_pages *pages = sg_pages_watch(&across, 1);

	ck_assert_ptr_nonnull(pages);
	change(2);
	EXPECT(pages, 5, 0);
	change(3);
	EXPECT(pages, 5, 0);
	change(4);
	EXPECT(pages, 0);
}
END_TEST

START_TEST(what_one_set_asks_is_not_lost_to_another)
{
	struct sg_pages *one = watch(1, 5), *other = watch(3, 6);

	change(2);
	change(4);
	change(7);
	EXPECT(one, 20, 40, 0);
	EXPECT(one, 0);
	EXPECT(other, 40, 70, 0);
	change(5);
	/* A set that is made later takes the kernel's note, too. */
	watch(1, 8);
	EXPECT(other, 50, 0);
	EXPECT(one, 50, 0);
	sg_pages_free(one);
	change(4);
	EXPECT(other, 40, 0);
}
END_TEST

/* Left unprotected, it counts as written to; that ends, and the others are told as ever. */
START_TEST(a_page_that_is_always_written_to)
{
	struct sg_pages *pages = watch(1, 5);
	const unsigned *numbers;
	size_t count, quiet = 0, round;

	for (int i = 0; i < 50; i++) {
		change(2);
		EXPECT(pages, 20, 0);
	}
	EXPECT(pages, 20, 0);
	for (round = 0; round < 300; round++) {
		if (round % 20 == 0)
			change(3);
		ck_assert_int_eq(sg_pages_written(pages, &numbers, &count), 0);
		ck_assert_int_eq(has(numbers, count, 30), round % 20 == 0);
		quiet = has(numbers, count, 20) ? 0 : quiet + 1;
	}
	ck_assert_uint_gt(quiet, 50);
	ck_assert_uint_lt(quiet, 300);
	change(2);
	EXPECT(pages, 20, 0);
}
END_TEST

START_TEST(cover)
{
	struct sg_pages *pages = watch(1, 3);
	struct sg_pages_piece inside = piece(2, 20), across = {memory + 3 * size - 8, 16, 20}, outside = piece(5, 20);

	ck_assert(sg_pages_cover(pages, &inside));
	ck_assert(!sg_pages_cover(pages, &across));
	ck_assert(!sg_pages_cover(pages, &outside));
	inside.number = 30;
	ck_assert(!sg_pages_cover(pages, &inside));
}
END_TEST

static void expect_unknown(struct sg_pages *pages)
{
	const unsigned *numbers;
	size_t count;

	ck_assert_int_eq(sg_pages_written(pages, &numbers, &count), -1);
}

START_TEST(memory_that_was_replaced)
{
	struct sg_pages *pages = watch(1, 5), *other = watch(4, 1);

	change(4);
	ck_assert_ptr_eq(mmap(memory + 3 * size, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
			memory + 3 * size);
	change(3);
	expect_unknown(pages);
	EXPECT(other, 40, 0);
	sg_pages_free(pages);
	/* The new memory can be watched as any other. */
	pages = watch(1, 5);
	change(3);
	EXPECT(pages, 30, 0);
}
END_TEST

START_TEST(memory_that_is_gone)
{
	struct sg_pages *pages = watch(1, 5);

	munmap(memory + 3 * size, size);
	change(4);
	EXPECT(pages, 40, 0);
}
END_TEST

START_TEST(memory_that_cannot_be_watched)
{
	struct sg_pages_piece nowhere = {(void *)0x10, 8, 1};

	ck_assert_ptr_null(sg_pages_watch(&nowhere, 1));
}
END_TEST

START_TEST(something_foreign_in_the_gap)
{
	struct sg_pages_piece pieces[] = {piece(1, 10), piece(9, 90)};
	int file = open("/dev/zero", O_RDONLY);
	struct sg_pages *pages;

	ck_assert_ptr_eq(mmap(memory + 5 * size, size, PROT_NONE, MAP_SHARED | MAP_FIXED, file, 0), memory + 5 * size);
	munmap(memory + 6 * size, size);
	pages = sg_pages_watch(pieces, 2);
	ck_assert_ptr_nonnull(pages);
	change(9);
	EXPECT(pages, 90, 0);
	change(1);
	EXPECT(pages, 10, 0);
}
END_TEST

START_TEST(a_child_knows_nothing)
{
	struct sg_pages *pages = watch(1, 5);
	int status;
	pid_t child;

	change(2);
	child = fork();
	if (child == 0) {
		struct sg_pages_piece again = piece(1, 10);
		const unsigned *numbers;
		size_t count;

		sg_pages_after_fork();
		change(3);
		_exit(sg_pages_written(pages, &numbers, &count) != -1 || !sg_pages_missing() || sg_pages_watch(&again, 1));
	}
	waitpid(child, &status, 0);
	ck_assert_int_eq(status, 0);
	EXPECT(pages, 20, 0);
}
END_TEST

/* The child keeps the old pages, so the parent's first write to each makes a copy. */
START_TEST(writes_after_fork)
{
	struct sg_pages *pages = watch(1, 5);
	pid_t child;

	change(2);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	change(3);
	EXPECT(pages, 20, 30, 0);
	change(3);
	change(4);
	EXPECT(pages, 30, 40, 0);
	EXPECT(pages, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
END_TEST

static void closed_files(int first)
{
	for (int file = first; file < 1024; file++)
		close(file);
}

START_TEST(files_closed_by_the_application)
{
	struct sg_pages *pages = watch(1, 5);
	struct sg_pages_piece again = piece(1, 10);

	closed_files(3);
	change(2);
	expect_unknown(pages);
	ck_assert_int_ne(memory[2 * size + size / 2], 1);
	ck_assert_ptr_null(sg_pages_watch(&again, 1));
}
END_TEST

START_TEST(files_replaced_by_the_application)
{
	struct sg_pages *pages = watch(1, 5);
	struct sg_pages_piece again = piece(1, 10);
	int file = open("/proc/self/maps", O_RDONLY);

	for (int number = 3; number < 1024; number++)
		if (number != file && fcntl(number, F_GETFD) >= 0)
			dup2(file, number);
	change(2);
	expect_unknown(pages);
	ck_assert_ptr_null(sg_pages_watch(&again, 1));
}
END_TEST

START_TEST(files_are_out_of_the_way)
{
	bool before[1024];
	int fresh = 0;

	for (int file = 0; file < 1024; file++)
		before[file] = fcntl(file, F_GETFD) >= 0;
	watch(1, 1);
	for (int file = 0; file < 1024; file++) {
		if (before[file] || fcntl(file, F_GETFD) < 0)
			continue;
		fresh++;
		ck_assert_int_ge(file, 64);
		ck_assert(fcntl(file, F_GETFD) & FD_CLOEXEC);
	}
	ck_assert_int_eq(fresh, 2);
}
END_TEST

/* A filter that ends whoever makes this system call, as some services have it. */
static void forbid(int number, unsigned action)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

START_TEST(a_filter_that_kills)
{
	struct sg_pages_piece one = piece(1, 10);

	forbid(SYS_userfaultfd, SECCOMP_RET_KILL_PROCESS);
	ck_assert_ptr_nonnull(strstr(sg_pages_missing(), "was killed"));
	ck_assert_ptr_null(sg_pages_watch(&one, 1));
}
END_TEST

START_TEST(a_filter_that_refuses)
{
	struct sg_pages_piece one = piece(1, 10);

	forbid(SYS_userfaultfd, SECCOMP_RET_ERRNO | EPERM);
	ck_assert_ptr_nonnull(strstr(sg_pages_missing(), "forbids"));
	ck_assert_ptr_null(sg_pages_watch(&one, 1));
}
END_TEST

/* Asked in a process of its own: tests begin where nobody has asked yet. */
static bool is_known(void)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(sg_pages_missing() != NULL);
	waitpid(child, &status, 0);
	return status == 0;
}

static Suite *pages_suite(void)
{
	Suite *suite = suite_create("pages");
	TCase *told = tcase_create("told"), *lost = tcase_create("lost"), *without = tcase_create("without");

	tcase_add_checked_fixture(told, setup, NULL);
	tcase_add_test(told, writes_are_told_once);
	tcase_add_test(told, reading_is_no_writing);
	tcase_add_test(told, writes_by_the_kernel_count);
	tcase_add_test(told, pages_far_apart);
	tcase_add_test(told, more_pages_than_answers_fit_at_once);
	tcase_add_test(told, a_piece_on_two_pages);
	tcase_add_test(told, what_one_set_asks_is_not_lost_to_another);
	tcase_add_test(told, a_page_that_is_always_written_to);
	tcase_add_test(told, cover);
	tcase_add_checked_fixture(lost, setup, NULL);
	tcase_add_test(lost, memory_that_was_replaced);
	tcase_add_test(lost, memory_that_is_gone);
	tcase_add_test(lost, memory_that_cannot_be_watched);
	tcase_add_test(lost, something_foreign_in_the_gap);
	tcase_add_test(lost, a_child_knows_nothing);
	tcase_add_test(lost, writes_after_fork);
	tcase_add_test(lost, files_closed_by_the_application);
	tcase_add_test(lost, files_replaced_by_the_application);
	tcase_add_test(lost, files_are_out_of_the_way);
	tcase_add_checked_fixture(without, setup, NULL);
	tcase_add_test(without, a_filter_that_kills);
	tcase_add_test(without, a_filter_that_refuses);
	if (is_known()) {
		suite_add_tcase(suite, told);
		suite_add_tcase(suite, lost);
	} else {
		puts("skipped: this kernel does not tell which pages have been written to, or a filter of seccomp forbids it");
	}
	suite_add_tcase(suite, without);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(pages_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
