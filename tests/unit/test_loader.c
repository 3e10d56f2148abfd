/*
 * What is mapped where, told in both ways: by the loader's own function, and by a walk, as on older C libraries.
 */
#define _GNU_SOURCE 1
#include "shim/base/decimal.h"
#include "shim/base/loader.h"
#include "shim/base/older.h"
#include "shim/base/real.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(both_ways_tell_the_same)
{
	const void *addresses[] = {(const void *)sg_loader_find, (const void *)strlen, (const void *)srunner_create, &addresses,
		(const void *)((uintptr_t)sg_loader_find & ~0xffful), stdout, NULL, (const void *)UINTPTR_MAX};
	struct sg_loaded walked, found;

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		bool by_walk, by_loader;

		memset(&walked, 0, sizeof(walked));
		memset(&found, 0, sizeof(found));
		sg_loader_start(false);
		by_walk = sg_loader_find(addresses[i], &walked);
		sg_loader_start(true);
		by_loader = sg_loader_find(addresses[i], &found);
		ck_assert_int_eq(by_walk, by_loader);
		ck_assert_uint_eq(walked.start, found.start);
		ck_assert_uint_eq(walked.base, found.base);
		ck_assert_ptr_eq(walked.name, found.name);
		ck_assert_ptr_eq(walked.dynamic, found.dynamic);
		if (by_walk)
			ck_assert(walked.start <= (uintptr_t)addresses[i] && (uintptr_t)addresses[i] < walked.end);
	}
	ck_assert(sg_loader_find(addresses[0], &found) && !sg_loader_find(&addresses, &found));
}
END_TEST

START_TEST(numbers_end_where_their_digits_do)
{
	const char *end;

	ck_assert_int_eq(sg_decimal("310.2", &end), 310);
	ck_assert_str_eq(end, ".2");
	ck_assert_int_eq(sg_decimal("-1", &end), 0);
	ck_assert_str_eq(end, "-1");
	ck_assert_int_eq(sg_decimal("99999999999999999999999 ", &end), LONG_MAX);
	ck_assert_str_eq(end, " ");
	ck_assert_int_eq(sg_decimal("9223372036854775807", &end), LONG_MAX);
}
END_TEST

START_TEST(a_library_that_came_later_is_found)
{
	void *library;

	ck_assert_ptr_null(sg_real_elsewhere("td_init"));
	library = dlopen("libthread_db.so.1", RTLD_LAZY | RTLD_LOCAL);
	ck_assert_ptr_nonnull(library);
	ck_assert_ptr_null(dlsym(RTLD_DEFAULT, "td_init"));
	ck_assert_ptr_nonnull(sg_real_elsewhere("td_init"));
	ck_assert_ptr_eq(sg_real_elsewhere("td_init"), dlsym(library, "td_init"));
	ck_assert_ptr_null(sg_real_elsewhere("sg_real_elsewhere"));
	/* It stays, since a slot may lead there. */
	dlclose(library);
	ck_assert_ptr_nonnull(dlopen("libthread_db.so.1", RTLD_LAZY | RTLD_NOLOAD));
}
END_TEST

#define OLDER(name) ((sg_real_##name##_function *)sg_older_find(#name))

static void same_file(const struct stat *one, const struct stat *other)
{
	ck_assert_uint_eq(one->st_ino, other->st_ino);
	ck_assert_uint_eq(one->st_mode, other->st_mode);
	ck_assert_uint_eq(one->st_dev, other->st_dev);
	ck_assert_int_eq(one->st_size, other->st_size);
	ck_assert_int_eq(one->st_mtim.tv_nsec, other->st_mtim.tv_nsec);
}

START_TEST(older_libraries_get_files_from_the_kernel)
{
	char directory[] = "/tmp/sandglass.XXXXXX", path[64];
	struct stat usual, older;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/link", directory);
	ck_assert_int_eq(symlink("/bin", path), 0);
	ck_assert_int_eq(stat(path, &usual), 0);
	ck_assert_int_eq(OLDER(stat)(path, &older), 0);
	same_file(&usual, &older);
	ck_assert_int_eq(OLDER(stat64)(path, (struct stat64 *)&older), 0);
	same_file(&usual, &older);
	ck_assert_int_eq(lstat(path, &usual), 0);
	ck_assert_int_eq(OLDER(lstat)(path, &older), 0);
	same_file(&usual, &older);
	ck_assert_int_eq(OLDER(fstatat)(AT_FDCWD, path, &older, AT_SYMLINK_NOFOLLOW), 0);
	same_file(&usual, &older);
	unlink(path);
	errno = 0;
	ck_assert_int_eq(OLDER(lstat)(path, &older), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(OLDER(mknod)(path, S_IFIFO | 0600, 0), 0);
	ck_assert_int_eq(OLDER(mknodat)(AT_FDCWD, path, S_IFIFO | 0600, 0), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert(lstat(path, &usual) == 0 && S_ISFIFO(usual.st_mode));
	unlink(path);
	rmdir(directory);
}
END_TEST

START_TEST(older_libraries_get_the_rest_from_the_kernel)
{
	unsigned char bytes[512] = {0};
	unsigned int seen = 0;
	char *arguments[] = {"true", NULL};
	int descriptor, status;
	pid_t child;

	OLDER(arc4random_buf)(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		seen += bytes[i] != 0;
	ck_assert_uint_gt(seen, sizeof(bytes) / 2);
	seen = 0;
	for (int i = 0; i < 1000; i++)
		seen |= 1u << OLDER(arc4random_uniform)(5);
	ck_assert_uint_eq(seen, 0x1f);
	ck_assert_uint_eq(OLDER(arc4random_uniform)(0), 0);
	ck_assert(OLDER(arc4random)() != OLDER(arc4random)() || OLDER(arc4random)() != OLDER(arc4random)());
	ck_assert_int_eq(OLDER(gettid)(), gettid());
	ck_assert_int_eq(OLDER(getcpu)(&seen, NULL), 0);
	ck_assert_uint_lt(seen, (unsigned int)get_nprocs_conf());
	descriptor = OLDER(pidfd_open)(getpid(), 0);
	ck_assert_int_ge(descriptor, 0);
	close(descriptor);
	child = fork();
	if (!child) {
		OLDER(execveat)(AT_FDCWD, "/bin/true", arguments, arguments + 1, 0);
		_exit(99);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_ptr_null(sg_older_find("openat"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loader");
	TCase *cases = tcase_create("loader");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(cases, both_ways_tell_the_same);
	tcase_add_test(cases, numbers_end_where_their_digits_do);
	tcase_add_test(cases, a_library_that_came_later_is_found);
	tcase_add_test(cases, older_libraries_get_files_from_the_kernel);
	tcase_add_test(cases, older_libraries_get_the_rest_from_the_kernel);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
