#define _GNU_SOURCE 1

#include "config/zone.h"

#include "shim/base/raw.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define DAY 86400
#define FILE_MAX 65536
#define HEADER 44

/* When clocks are turned each year, by the footer of a file. */
struct change {
	enum { MONTH_WEEK_DAY, DAY_OF_YEAR, DAY_WITHOUT_LEAP } how;
	int month, week, day;
	int64_t time;       /* of that day, by the clock that is in use before */
};

struct sg_zone {
	size_t count;       /* of transitions */
	const int64_t *times;
	const unsigned char *indices;
	const struct sg_zone_kind *kinds;
	size_t kind_count;
	const struct sg_zone_kind *first; /* before all transitions */
	bool goes_on;       /* after the last transition: the rest is about that */
	bool turns;
	struct sg_zone_kind standard, summer;
	struct change begin, end; /* of summer */
};

const char *const sg_zone_directories[] = {
	"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo", NULL
};

const struct sg_zone sg_zone_utc = {.goes_on = true, .standard = {0, false, "UTC"}};

/* --- calendar ---------------------------------------------------------------------------------- */

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days from 1970-01-01 to that day; month 1 to 12. Years begin in March here, so that leap days come last. */
static int64_t days_until(int64_t year, int month, int64_t day)
{
	int64_t era, of_era, of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	year -= month <= 2;
	era = floor_divide(year, 400);
	of_era = year - era * 400;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t year_of(int64_t days, int *ret_month, int *ret_day)
{
	int64_t era = floor_divide(days + 719468, 146097), of_era = days + 719468 - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int of_year = (int)(of_era - (365 * year + year / 4 - year / 100)), month = (5 * of_year + 2) / 153;

	*ret_day = of_year - (153 * month + 2) / 5 + 1;
	*ret_month = month < 10 ? month + 3 : month - 9;
	return year + era * 400 + (*ret_month <= 2);
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* --- what holds when --------------------------------------------------------------------------- */

static int64_t day_of_change(const struct change *change, int64_t year)
{
	int64_t first, next;

	switch (change->how) {
	case DAY_OF_YEAR:
		return days_until(year, 1, 1) + change->day;
	case DAY_WITHOUT_LEAP:
		return days_until(year, 1, 1) + change->day - 1 + (is_leap(year) && change->day >= 60);
	case MONTH_WEEK_DAY:
		break;
	}
	first = days_until(year, change->month, 1);
	next = change->month == 12 ? days_until(year + 1, 1, 1) : days_until(year, change->month + 1, 1);
	/* 1970-01-01 was a Thursday. */
	first += (change->day - (first + 4) % 7 + 14) % 7 + 7 * (change->week - 1);
	return first < next ? first : first - 7;
}

static int64_t time_of_change(const struct change *change, int64_t year, const struct sg_zone_kind *before)
{
	return day_of_change(change, year) * DAY + change->time - before->offset;
}

static const struct sg_zone_kind *kind_by_rule(const struct sg_zone *zone, int64_t time)
{
	int month, day;
	int64_t year, begin, end;

	if (!zone->turns)
		return &zone->standard;
	year = year_of(floor_divide(time, DAY), &month, &day);
	begin = time_of_change(&zone->begin, year, &zone->standard);
	end = time_of_change(&zone->end, year, &zone->summer);
	if (begin < end ? time >= begin && time < end : time >= begin || time < end)
		return &zone->summer;
	return &zone->standard;
}

const struct sg_zone_kind *sg_zone_kind(const struct sg_zone *zone, int64_t time)
{
	size_t low = 0, high = zone->count;

	if (zone->goes_on && (!zone->count || time >= zone->times[zone->count - 1]))
		return kind_by_rule(zone, time);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->times[middle] <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &zone->kinds[zone->indices[low - 1]] : zone->first;
}

static bool has_kind(const struct sg_zone *zone, bool summer)
{
	for (size_t i = 0; i < zone->kind_count; i++)
		if (zone->kinds[i].summer == summer)
			return true;
	return zone->goes_on && (!summer || zone->turns);
}

/* --- localtime and mktime ---------------------------------------------------------------------- */

int sg_zone_local(const struct sg_zone *zone, int64_t time, struct tm *ret_tm)
{
	const struct sg_zone_kind *kind;
	int64_t local, days, year;
	int month, day, second;

	/* Years have 32 bits, here as there. */
	if (time / DAY / 366 > INT_MAX || time / DAY / 366 < INT_MIN)
		return -EOVERFLOW;
	kind = sg_zone_kind(zone, time);
	local = time + kind->offset;
	days = floor_divide(local, DAY);
	second = (int)(local - days * DAY);
	year = year_of(days, &month, &day);
	if (year - 1900 > INT_MAX || year - 1900 < INT_MIN)
		return -EOVERFLOW;
	*ret_tm = (struct tm){
		.tm_sec = second % 60, .tm_min = second / 60 % 60, .tm_hour = second / 3600,
		.tm_mday = day, .tm_mon = month - 1, .tm_year = (int)(year - 1900),
		.tm_wday = (int)(days + 4 - floor_divide(days + 4, 7) * 7), .tm_yday = (int)(days - days_until(year, 1, 1)),
		.tm_isdst = kind->summer, .tm_gmtoff = kind->offset, .tm_zone = kind->name
	};
	return 0;
}

/* The time by a clock that is that far ahead: is it the one in use then? */
static bool is_in_use(const struct sg_zone *zone, int64_t local, int32_t offset)
{
	return sg_zone_kind(zone, local - offset)->offset == offset;
}

#define STRIDE 601200
#define FARTHEST 268828200 /* these two as libc has them, so that we find the same neighbour */

/* The offset of the nearest time at which it is summer, or not; an hour from that of the other where there is none. */
static int32_t offset_of_other(const struct sg_zone *zone, int64_t time, bool summer, int32_t other)
{
	const struct sg_zone_kind *kind;

	for (int64_t delta = STRIDE; has_kind(zone, summer) && delta < FARTHEST; delta += STRIDE)
		for (int direction = -1; direction <= 1; direction += 2) {
			kind = sg_zone_kind(zone, time + direction * delta);
			if (kind->summer == summer)
				return kind->offset;
		}
	return other + (summer ? 3600 : -3600);
}

int sg_zone_time(const struct sg_zone *zone, struct tm *tm, int64_t *ret_time)
{
	int64_t year = 1900 + (int64_t)tm->tm_year + floor_divide(tm->tm_mon, 12), local, time;
	int month = (int)(tm->tm_mon - floor_divide(tm->tm_mon, 12) * 12) + 1;
	int32_t before, after, offset;
	bool twice;

	local = (days_until(year, month, 1) + tm->tm_mday - 1) * DAY + 3600 * (int64_t)tm->tm_hour +
		60 * (int64_t)tm->tm_min + tm->tm_sec;
	before = sg_zone_kind(zone, local - DAY)->offset;
	after = sg_zone_kind(zone, local + DAY)->offset;
	twice = is_in_use(zone, local, before) && is_in_use(zone, local, after);
	offset = is_in_use(zone, local, before) || !is_in_use(zone, local, after) ? before : after;
	if (tm->tm_isdst >= 0 && sg_zone_kind(zone, local - offset)->summer != (tm->tm_isdst > 0)) {
		if (twice && sg_zone_kind(zone, local - after)->summer == (tm->tm_isdst > 0))
			offset = after;
		else
			offset = offset_of_other(zone, local - offset, tm->tm_isdst > 0, offset);
	}
	time = local - offset;
	if (sg_zone_local(zone, time, tm) < 0)
		return -EOVERFLOW;
	*ret_time = time;
	return 0;
}

/* --- the footer -------------------------------------------------------------------------------- */

struct text {
	const char *at, *end;
};

static char next(const struct text *text)
{
	return text->at < text->end ? *text->at : '\0';
}

static bool take(struct text *text, char byte)
{
	if (next(text) != byte || !byte)
		return false;
	text->at++;
	return true;
}

static bool take_number(struct text *text, int lowest, int highest, int *ret)
{
	int value = 0, digits = 0;

	for (; next(text) >= '0' && next(text) <= '9' && digits < 4; digits++)
		value = 10 * value + (*text->at++ - '0');
	*ret = value;
	return digits && value >= lowest && value <= highest;
}

/* [+-]HH[:MM[:SS]] in seconds */
static bool take_time(struct text *text, int highest, int64_t *ret)
{
	int part[3] = {0, 0, 0};
	bool negative = take(text, '-');

	if (!negative)
		take(text, '+');
	if (!take_number(text, 0, highest, &part[0]))
		return false;
	for (int i = 1; i < 3 && take(text, ':'); i++)
		if (!take_number(text, 0, 59, &part[i]))
			return false;
	*ret = (negative ? -1 : 1) * (part[0] * 3600 + part[1] * 60 + part[2]);
	return true;
}

static bool is_letter(char byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* CET or <+03>, copied. */
static bool take_name(struct sg_arena *arena, struct text *text, const char **ret)
{
	bool quoted = take(text, '<');
	const char *start = text->at;
	size_t length;
	char *copy;

	while (quoted ? next(text) && next(text) != '>' : is_letter(next(text)))
		text->at++;
	length = (size_t)(text->at - start);
	copy = length >= 3 && (!quoted || take(text, '>')) ? sg_arena_take(arena, length + 1) : NULL;
	if (!copy)
		return false;
	memcpy(copy, start, length);
	copy[length] = '\0';
	*ret = copy;
	return true;
}

/* ,M3.5.0/3 */
static bool take_change(struct text *text, struct change *ret)
{
	*ret = (struct change){.time = 2 * 3600};
	if (!take(text, ','))
		return false;
	if (take(text, 'M')) {
		ret->how = MONTH_WEEK_DAY;
		if (!take_number(text, 1, 12, &ret->month) || !take(text, '.') || !take_number(text, 1, 5, &ret->week) ||
		    !take(text, '.') || !take_number(text, 0, 6, &ret->day))
			return false;
	} else {
		ret->how = take(text, 'J') ? DAY_WITHOUT_LEAP : DAY_OF_YEAR;
		if (!take_number(text, ret->how == DAY_WITHOUT_LEAP, 365, &ret->day))
			return false;
	}
	return !take(text, '/') || take_time(text, 167, &ret->time);
}

/* CET-1CEST,M3.5.0,M10.5.0/3: offsets are west of Greenwich */
static bool read_footer(struct sg_arena *arena, struct text *text, struct sg_zone *zone)
{
	int64_t west, summer;

	if (!take_name(arena, text, &zone->standard.name) || !take_time(text, 24, &west))
		return false;
	zone->standard.offset = (int32_t)-west;
	zone->goes_on = true;
	if (text->at == text->end)
		return true;
	zone->turns = zone->summer.summer = true;
	summer = west - 3600;
	if (!take_name(arena, text, &zone->summer.name) || (next(text) != ',' && !take_time(text, 24, &summer)))
		return false;
	zone->summer.offset = (int32_t)-summer;
	return take_change(text, &zone->begin) && take_change(text, &zone->end) && text->at == text->end;
}

/* --- the file ---------------------------------------------------------------------------------- */

static int64_t big_endian(const unsigned char *bytes, int size)
{
	uint64_t value = bytes[0] & 0x80 ? ~(uint64_t)0 : 0;

	for (int i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

struct block {
	size_t marks, standards, leaps, times, kinds, names; /* how many, as the header has them */
	size_t size;        /* of what follows the header */
};

static bool read_header(const unsigned char *bytes, size_t size, int width, struct block *ret)
{
	size_t *const counts[] = {&ret->marks, &ret->standards, &ret->leaps, &ret->times, &ret->kinds, &ret->names};

	if (size < HEADER || memcmp(bytes, "TZif", 4) != 0)
		return false;
	for (int i = 0; i < 6; i++) {
		int64_t count = big_endian(bytes + 20 + 4 * i, 4);

		if (count < 0 || count > FILE_MAX)
			return false;
		*counts[i] = (size_t)count;
	}
	ret->size = ret->times * (size_t)(width + 1) + ret->kinds * 6 + ret->names + ret->leaps * (size_t)(width + 4) +
		ret->standards + ret->marks;
	return ret->kinds > 0 && ret->kinds <= 256 && ret->names > 0 && HEADER + ret->size <= size;
}

static int read_block(struct sg_arena *arena, const unsigned char *bytes, const struct block *block, int width,
		struct sg_zone *zone)
{
	const unsigned char *indices = bytes + block->times * (size_t)width, *types = indices + block->times;
	const char *names = (const char *)types + block->kinds * 6;
	int64_t *times = sg_arena_take(arena, block->times * sizeof(*times) + 1);
	struct sg_zone_kind *kinds = sg_arena_take(arena, block->kinds * sizeof(*kinds));

	if (!times || !kinds)
		return -ENOMEM;
	if (names[block->names - 1])
		return -EINVAL;
	for (size_t i = 0; i < block->times; i++) {
		times[i] = big_endian(bytes + i * (size_t)width, width);
		if (indices[i] >= block->kinds || (i && times[i] <= times[i - 1]))
			return -EINVAL;
	}
	for (size_t i = 0; i < block->kinds; i++, types += 6) {
		if (types[5] >= block->names || types[4] > 1)
			return -EINVAL;
		kinds[i] = (struct sg_zone_kind){(int32_t)big_endian(types, 4), types[4], names + types[5]};
		if (kinds[i].offset < -DAY || kinds[i].offset > 2 * DAY)
			return -EINVAL;
		if (!zone->first && !kinds[i].summer)
			zone->first = &kinds[i];
	}
	if (!zone->first)
		zone->first = kinds;
	zone->count = block->times;
	zone->times = times;
	zone->indices = indices;
	zone->kinds = kinds;
	zone->kind_count = block->kinds;
	return 0;
}

int sg_zone_parse(struct sg_arena *arena, const unsigned char *bytes, size_t size, const struct sg_zone **ret_zone)
{
	const unsigned char *end = bytes + size, *newline;
	struct sg_zone *zone = sg_arena_take(arena, sizeof(*zone));
	struct block block;
	struct text footer;
	int width = 4, error;

	if (!zone)
		return -ENOMEM;
	memset(zone, 0, sizeof(*zone));
	if (!read_header(bytes, size, width, &block))
		return -EINVAL;
	/* From version 2 on the same follows once more, with times of 64 bits. */
	if (bytes[4]) {
		bytes += HEADER + block.size;
		width = 8;
		if (!read_header(bytes, (size_t)(end - bytes), width, &block))
			return -EINVAL;
	}
	if (block.leaps)
		return -ENOTSUP;
	error = read_block(arena, bytes + HEADER, &block, width, zone);
	if (error)
		return error;
	bytes += HEADER + block.size;
	if (width == 8 && end - bytes > 2) {
		newline = memchr(bytes + 1, '\n', (size_t)(end - bytes) - 1);
		footer = (struct text){(const char *)bytes + 1, (const char *)newline};
		if (*bytes != '\n' || !newline || !read_footer(arena, &footer, zone))
			return -EINVAL;
	}
	*ret_zone = zone;
	return 0;
}

/* A path below a directory of the database, and nowhere else. */
static bool is_name(const char *name)
{
	if (!*name || *name == '/' || strstr(name, ".."))
		return false;
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == strlen(name);
}

int sg_zone_read(struct sg_arena *arena, const char *name, const struct sg_zone **ret_zone)
{
	unsigned char *bytes;
	char path[PATH_MAX];
	long file = -ENOENT, got = 1;
	size_t size = 0;

	if (!is_name(name))
		return -ENOENT;
	for (const char *const *directory = sg_zone_directories; *directory && file < 0; directory++)
		if (snprintf(path, sizeof(path), "%s/%s", *directory, name) < (int)sizeof(path))
			file = sg_raw_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (file < 0)
		return -ENOENT;
	bytes = sg_arena_take(arena, FILE_MAX);
	for (; bytes && got > 0 && size < FILE_MAX; size += got > 0 ? (size_t)got : 0)
		got = sg_raw_syscall(SYS_read, file, (long)(bytes + size), (long)(FILE_MAX - size), 0);
	sg_raw_syscall(SYS_close, file, 0, 0, 0);
	return bytes ? sg_zone_parse(arena, bytes, size, ret_zone) : -ENOMEM;
}
