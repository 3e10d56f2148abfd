/*
 * table.h - records about objects, found by an object's address. Several may be about the same one. Not locked.
 */
#ifndef SG_TABLE_H
#define SG_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* The first member of what is kept. */
struct sg_record {
	struct sg_record *next;
	const void *about;
};

struct sg_table {
	struct sg_record **buckets;
	size_t size, count;
};

/* False: no memory, and nothing is kept. */
bool sg_table_add(struct sg_table *table, struct sg_record *record, const void *about);

/* One about that object, another one, or NULL; in no order. */
struct sg_record *sg_table_find(const struct sg_table *table, const void *about);
struct sg_record *sg_table_next(const struct sg_record *record);

/* Takes one out, which the caller frees; NULL: there is none. */
struct sg_record *sg_table_take(struct sg_table *table, const void *about);

#endif
