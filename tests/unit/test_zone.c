/* The own reader of time zones against libc's, zone by zone. */
#define _GNU_SOURCE 1

#include "config/zone.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATABASE "/usr/share/zoneinfo"

/* Both hemispheres, half hours, summer that is winter (Dublin), night that turns (Troll), days left out, names in <>, no rule. */
static const char *const zones[] = {
	"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Dublin",
	"Africa/Casablanca", "Antarctica/Troll", "Pacific/Apia", "Pacific/Kiritimati", "America/Sao_Paulo", "America/St_Johns",
	"Asia/Tehran", "America/Nuuk", "Asia/Gaza", "Africa/Monrovia", "Etc/GMT+12", "Pacific/Chatham", "Asia/Jerusalem",
};
#define ZONES ((int)(sizeof(zones) / sizeof(zones[0])))

static struct sg_arena arena;

static void teardown(void)
{
	sg_arena_release(&arena);
}

static const struct sg_zone *zone_of(const char *name)
{
	const struct sg_zone *zone = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", DATABASE, name);
	if (access(path, R_OK) != 0)
		return NULL; /* an older database */
	ck_assert_int_eq(sg_zone_read(&arena, name, &zone), 0);
	setenv("TZ", name, 1);
	tzset();
	return zone;
}

static uint64_t state = 1;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void assert_same(const char *name, int64_t when, const struct tm *own, const struct tm *libc)
{
	ck_assert_msg(own->tm_sec == libc->tm_sec && own->tm_min == libc->tm_min && own->tm_hour == libc->tm_hour &&
			own->tm_mday == libc->tm_mday && own->tm_mon == libc->tm_mon && own->tm_year == libc->tm_year &&
			own->tm_wday == libc->tm_wday && own->tm_yday == libc->tm_yday && own->tm_isdst == libc->tm_isdst &&
			own->tm_gmtoff == libc->tm_gmtoff && strcmp(own->tm_zone, libc->tm_zone) == 0,
			"%s, %lld: %d-%d-%d %d:%d:%d %+ld %s %d, libc %d-%d-%d %d:%d:%d %+ld %s %d", name, (long long)when,
			own->tm_year + 1900, own->tm_mon + 1, own->tm_mday, own->tm_hour, own->tm_min, own->tm_sec, own->tm_gmtoff,
			own->tm_zone, own->tm_isdst, libc->tm_year + 1900, libc->tm_mon + 1, libc->tm_mday, libc->tm_hour,
			libc->tm_min, libc->tm_sec, libc->tm_gmtoff, libc->tm_zone, libc->tm_isdst);
}

static void compare_local(const struct sg_zone *zone, const char *name, int64_t when)
{
	time_t time = when;
	struct tm own, libc;
	bool there = localtime_r(&time, &libc) != NULL;

	ck_assert_msg((sg_zone_local(zone, when, &own) == 0) == there, "%s, %lld", name, (long long)when);
	if (there)
		assert_same(name, when, &own, &libc);
}

START_TEST(local_time_is_libcs)
{
	const char *name = zones[_i];
	const struct sg_zone *zone = zone_of(name);
	const struct sg_zone_kind *kind;

	if (!zone)
		return;
	for (int i = 0; i < 20000; i++)
		compare_local(zone, name, (int64_t)(draw() % 8000000000u) - 4000000000); /* 1843 to 2096 */
	for (int i = 0; i < 20000; i++)
		compare_local(zone, name, (int64_t)(draw() % 400000000000u) - 100000000000); /* to the year 11000 */
	/* The seconds around each change, found by halving. */
	for (int64_t low = -4000000000, step = 86400 * 5; low < 20000000000; low += step) {
		int64_t a = low, b = low + step;

		kind = sg_zone_kind(zone, a);
		if (kind->offset == sg_zone_kind(zone, b)->offset)
			continue;
		while (b - a > 1) {
			int64_t middle = a + (b - a) / 2;

			if (sg_zone_kind(zone, middle)->offset == kind->offset)
				a = middle;
			else
				b = middle;
		}
		compare_local(zone, name, a);
		compare_local(zone, name, b);
	}
}
END_TEST

START_TEST(years_have_the_bits_that_libc_gives_them)
{
	static const int64_t far[] = {
		INT64_MIN, INT64_MAX, -67768040609740800, -67768040609740801, 67768036191676799, 67768036191676800, 253402300800, -62135596801,
	};
	const struct sg_zone *zone = zone_of("UTC");

	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		compare_local(zone, "UTC", far[i]);
}
END_TEST

static void compare_time(const struct sg_zone *zone, const char *name, struct tm given)
{
	struct tm own = given, libc = given, other;
	time_t answer = mktime(&libc);
	int64_t time;

	ck_assert_int_eq(sg_zone_time(zone, &own, &time), 0);
	if (time == answer) {
		assert_same(name, time, &own, &libc);
		return;
	}
	/* libc's answer depends on its last one where a time is there twice or not at all: then both are near. */
	ck_assert_msg(given.tm_isdst < 0 && llabs((long long)time - (long long)answer) <= 86400,
			"%s: %d-%d-%d %d:%d:%d isdst %d: %lld, libc %lld", name,
			given.tm_year + 1900, given.tm_mon + 1, given.tm_mday, given.tm_hour, given.tm_min, given.tm_sec, given.tm_isdst,
			(long long)time, (long long)answer);
	sg_zone_local(zone, answer, &other);
	ck_assert_msg(other.tm_gmtoff != own.tm_gmtoff, "%s: %lld, libc %lld", name, (long long)time, (long long)answer);
	if (other.tm_hour == given.tm_hour && other.tm_min == given.tm_min) /* twice: the first */
		ck_assert_int_lt(time, answer);
}

START_TEST(the_way_back_is_libcs)
{
	const char *name = zones[_i];
	const struct sg_zone *zone = zone_of(name);
	struct tm given;
	time_t time;

	if (!zone)
		return;
	for (int i = 0; i < 20000; i++) {
		time = (time_t)(draw() % 5000000000u); /* libc is at a loss before zones had rules of their own */
		localtime_r(&time, &given);
		given.tm_isdst = i % 3 == 0 ? given.tm_isdst : -1;
		compare_time(zone, name, given);
		given.tm_mon += (int)(draw() % 60) - 30;
		given.tm_mday += (int)(draw() % 200) - 100;
		given.tm_hour += (int)(draw() % 300) - 150;
		given.tm_min += (int)(draw() % 300) - 150;
		given.tm_isdst = -1;
		compare_time(zone, name, given);
	}
}
END_TEST

/* What tm_isdst says is meant, where it is not so. */
START_TEST(the_wrong_half_of_the_year_is_libcs)
{
	static const char *const names[] = {"Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "UTC"};
	const struct sg_zone *zone = zone_of(names[_i]);
	struct tm given;

	for (int month = 0; zone && month < 12; month++)
		for (int isdst = 0; isdst < 2; isdst++) {
			given = (struct tm){.tm_year = 124, .tm_mon = month, .tm_mday = 15, .tm_hour = 12, .tm_isdst = isdst};
			compare_time(zone, names[_i], given);
		}
}
END_TEST

START_TEST(a_turned_clock_is_read_as_fold_0)
{
	static const struct {
		int month, day, hour, isdst;
		int64_t time;
	} cases[] = {
		{9, 27, 2, -1, 1729989000}, {9, 27, 2, 1, 1729989000}, {9, 27, 2, 0, 1729992600}, /* 2:30 is there twice */
		{2, 31, 2, -1, 1711848600}, /* 2:30 is left out */
	};
	const struct sg_zone *zone = zone_of("Europe/Berlin");
	int64_t time;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tm tm = {.tm_year = 124, .tm_mon = cases[i].month, .tm_mday = cases[i].day, .tm_hour = cases[i].hour,
			.tm_min = 30, .tm_isdst = cases[i].isdst};

		ck_assert_int_eq(sg_zone_time(zone, &tm, &time), 0);
		ck_assert_int_eq(time, cases[i].time);
	}
}
END_TEST

START_TEST(what_is_no_zone_is_refused)
{
	const struct sg_zone *zone = NULL;
	static const struct {
		const char *name;
		int error;
	} names[] = {
		{"", -ENOENT}, {"Europe/Berlinn", -ENOENT}, {"../../../etc/passwd", -ENOENT}, {"/etc/localtime", -ENOENT},
		{"CET-1CEST", -ENOENT}, {"zone.tab", -ENOENT}, {"tzdata.zi", -ENOENT}, {"Europe", -EINVAL},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(sg_zone_read(&arena, names[i].name, &zone) == names[i].error, "%s", names[i].name);
	if (access(DATABASE "/right/UTC", R_OK) == 0)
		ck_assert_int_eq(sg_zone_read(&arena, "right/UTC", &zone), -ENOTSUP);
	ck_assert_ptr_null(zone);
}
END_TEST

/* No byte of a file that is cut or changed leads out of it. Run under a sanitizer, this says more. */
START_TEST(a_broken_file_is_refused_or_read_within_bounds)
{
	static unsigned char whole[65536];
	FILE *file = fopen(DATABASE "/Europe/Berlin", "r");
	size_t size = fread(whole, 1, sizeof(whole), file);
	const struct sg_zone *zone;
	struct tm tm;

	fclose(file);
	for (int i = 0; i < 20000; i++) {
		size_t length = i % 2 ? size : draw() % size;
		unsigned char *copy = malloc(length + 1);

		memcpy(copy, whole, length);
		for (int changes = 0; length && changes < i % 7; changes++)
			copy[draw() % length] = (unsigned char)draw();
		if (sg_zone_parse(&arena, copy, length, &zone) == 0)
			for (int64_t time = -4000000000; time < 8000000000; time += 100000007)
				sg_zone_local(zone, time, &tm);
		free(copy);
		if (i % 500 == 0)
			sg_arena_release(&arena);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("zone");
	TCase *tests = tcase_create("zone");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_loop_test(tests, local_time_is_libcs, 0, ZONES);
	tcase_add_test(tests, years_have_the_bits_that_libc_gives_them);
	tcase_add_loop_test(tests, the_way_back_is_libcs, 0, ZONES);
	tcase_add_loop_test(tests, the_wrong_half_of_the_year_is_libcs, 0, 5);
	tcase_add_test(tests, a_turned_clock_is_read_as_fold_0);
	tcase_add_test(tests, what_is_no_zone_is_refused);
	tcase_add_test(tests, a_broken_file_is_refused_or_read_within_bounds);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
