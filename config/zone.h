/*
 * zone.h - a time zone of the zone database: local time without TZ, tzset() and their lock.
 *
 * A zone is read once, from its TZif file (RFC 9636), and never changes. The functions that use one take no lock, allocate
 * nothing and are async-signal-safe; what tm_zone points to lives as long as the zone. GIL: not needed.
 */
#ifndef SG_ZONE_H
#define SG_ZONE_H

#include "config/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A kind of local time. */
struct sg_zone_kind {
	int32_t offset;     /* seconds east of Greenwich */
	bool summer;        /* tm_isdst */
	const char *name;   /* CET */
};

struct sg_zone;

/* Where the zone database may be; ends with NULL. */
extern const char *const sg_zone_directories[];

/* UTC, without a file. */
extern const struct sg_zone sg_zone_utc;

/*
 * Reads "Europe/Berlin" into the arena. 0, -ENOENT: no directory of the database has a file of that name, -EINVAL: it is no
 * zone, -ENOTSUP: it counts leap seconds, -ENOMEM.
 */
int sg_zone_read(struct sg_arena *arena, const char *name, const struct sg_zone **ret_zone);

/* The same from the bytes of a file, which must stay. */
int sg_zone_parse(struct sg_arena *arena, const unsigned char *bytes, size_t size, const struct sg_zone **ret_zone);

/* What holds at a time, in seconds since 1970. */
const struct sg_zone_kind *sg_zone_kind(const struct sg_zone *zone, int64_t time);

/* As localtime_r(). 0, or -EOVERFLOW. */
int sg_zone_local(const struct sg_zone *zone, int64_t time, struct tm *ret_tm);

/*
 * As mktime(): puts the fields in order, too. Where clocks are turned and tm_isdst does not tell, a time that is there
 * twice is the first, and one that is left out is taken by the clock before: as datetime does with fold=0, whereas
 * libc's answer depends on what it was asked last. 0, or -EOVERFLOW.
 */
int sg_zone_time(const struct sg_zone *zone, struct tm *tm, int64_t *ret_time);

#endif
