/*
 * zone.c - local time: the libc entries that know the zone of the host.
 *
 * In workflow code they answer in the zone of the configuration, where it has one (SANDGLASS_TZ): whoever asks, since what is
 * answered is the same on every worker. Otherwise they are judged like a clock.
 */
#define _GNU_SOURCE 1
#include "hooks/native.h"

#include "config/zone.h"
#include "shim/run/answer.h"
#include "shim/run/policy.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

#define FORMAT_MAX 1024

/* The zone in which this thread sees local time; NULL: the real one. What is answered runs with the context suspended. */
static inline const struct sg_zone *zone_here(void)
{
	return sg_context_active() || sg_answer_active() ? sg_policy_config->zone : NULL;
}

static struct tm *local(const struct sg_zone *zone, time_t time, struct tm *ret_tm)
{
	if (sg_zone_local(zone, time, ret_tm) == 0)
		return ret_tm;
	errno = EOVERFLOW;
	return NULL;
}

static time_t time_of(const struct sg_zone *zone, struct tm *tm)
{
	int64_t time;

	if (sg_zone_time(zone, tm, &time) == 0)
		return time;
	errno = EOVERFLOW;
	return -1;
}

static char *text_of(const struct sg_zone *zone, time_t time, char *ret_text)
{
	struct tm tm;

	return local(zone, time, &tm) ? asctime_r(&tm, ret_text) : NULL;
}

static __thread struct tm own_tm;
static __thread char own_text[32];

#define SHELL(type, name, parameters, answer, arguments) \
	SG_EXPORT type SG_SHELL(name) parameters \
	{ \
		const struct sg_zone *zone = zone_here(); \
		\
		if (__builtin_expect(zone != NULL, 0)) \
			return answer; \
		SG_NATIVE_JUDGE(clock, name); \
		return REAL(name) arguments; \
	}

SHELL(struct tm *, localtime, (const time_t *time), local(zone, *time, &own_tm), (time))
SHELL(struct tm *, localtime_r, (const time_t *restrict time, struct tm *restrict ret_tm), local(zone, *time, ret_tm), (time, ret_tm))
SHELL(time_t, mktime, (struct tm *tm), time_of(zone, tm), (tm))
SHELL(time_t, timelocal, (struct tm *tm), time_of(zone, tm), (tm))
SHELL(char *, ctime, (const time_t *time), text_of(zone, *time, own_text), (time))
SHELL(char *, ctime_r, (const time_t *restrict time, char *restrict ret_text), text_of(zone, *time, ret_text), (time, ret_text))

/* --- strftime ---------------------------------------------------------------------------------- */

/* A copy that names its zone where it has none, for %Z, and the seconds since 1970, for %s. */
static void complete(const struct sg_zone *zone, const struct tm *tm, struct tm *ret_tm, char digits[24])
{
	struct tm ordered = *tm;
	int64_t time = -1;
	uint64_t rest;
	char *at = digits + 23;

	*ret_tm = *tm;
	if (sg_zone_time(zone, &ordered, &time) == 0 && (!tm->tm_zone || !*tm->tm_zone) && tm->tm_isdst >= 0)
		ret_tm->tm_zone = ordered.tm_zone;
	rest = time < 0 ? -(uint64_t)time : (uint64_t)time;
	*at = '\0';
	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (time < 0)
		*--at = '-';
	memmove(digits, at, strlen(at) + 1);
}

/* Puts digits where %s stands in the format. False: it does not fit. */
#define PUT_SECONDS(name, type) \
	static bool name(const type *format, const char *digits, type ret[FORMAT_MAX]) \
	{ \
		size_t length = 0, size; \
		\
		for (; *format; format += size) { \
			for (size = 1; *format == '%' && format[size] && format[size] < 0x7f && \
					strchr("_-0^#+:123456789EO", (int)format[size]); size++) \
				; \
			size += *format == '%' && format[size]; \
			if (length + size + 24 > FORMAT_MAX) \
				return false; \
			if (*format == '%' && format[size - 1] == 's') \
				for (const char *digit = digits; *digit; digit++) \
					ret[length++] = (type)*digit; \
			else \
				for (size_t i = 0; i < size; i++) \
					ret[length++] = format[i]; \
		} \
		ret[length] = 0; \
		return true; \
	}
PUT_SECONDS(put_seconds, char)
PUT_SECONDS(put_seconds_wide, wchar_t)

#define FORMATS(name, type, put, more, given) \
	__attribute__((noinline, cold)) \
	static size_t name##_here(const struct sg_zone *zone, type *ret_text, size_t size, const type *format, \
			const struct tm *tm more) \
	{ \
		type own[FORMAT_MAX]; \
		char digits[24]; \
		struct tm copy; \
		\
		complete(zone, tm, &copy, digits); \
		return REAL(name)(ret_text, size, put(format, digits, own) ? own : format, &copy given); \
	} \
	SG_EXPORT size_t SG_SHELL(name)(type *restrict ret_text, size_t size, const type *restrict format, \
			const struct tm *restrict tm more) \
	{ \
		const struct sg_zone *zone = zone_here(); \
		\
		return __builtin_expect(!zone, 1) ? REAL(name)(ret_text, size, format, tm given) : \
			name##_here(zone, ret_text, size, format, tm given); \
	}
#define NOTHING
#define WITH_LOCALE , locale_t locale
#define LOCALE , locale
FORMATS(strftime, char, put_seconds, NOTHING, NOTHING)
FORMATS(strftime_l, char, put_seconds, WITH_LOCALE, LOCALE)
FORMATS(__strftime_l, char, put_seconds, WITH_LOCALE, LOCALE)
FORMATS(wcsftime, wchar_t, put_seconds_wide, NOTHING, NOTHING)
FORMATS(wcsftime_l, wchar_t, put_seconds_wide, WITH_LOCALE, LOCALE)
FORMATS(__wcsftime_l, wchar_t, put_seconds_wide, WITH_LOCALE, LOCALE)

#include "hooks/poison.h"
