#include "shim/base/table.h"

#include "shim/base/address.h"

#include <stdlib.h>

#define SIZE_MIN 256

static struct sg_record **bucket_of(const struct sg_table *table, const void *about)
{
	return &table->buckets[sg_address_hash(about, table->size)];
}

static void put(struct sg_table *table, struct sg_record *record)
{
	struct sg_record **bucket = bucket_of(table, record->about);

	record->next = *bucket;
	*bucket = record;
}

static bool grow(struct sg_table *table)
{
	struct sg_table old = *table;

	if (table->count < table->size)
		return true;
	table->size = old.size ? 2 * old.size : SIZE_MIN;
	table->buckets = calloc(table->size, sizeof(struct sg_record *));
	if (!table->buckets) {
		*table = old;
		return false;
	}
	for (size_t i = 0; i < old.size; i++) {
		for (struct sg_record *record = old.buckets[i], *next; record; record = next) {
			next = record->next;
			put(table, record);
		}
	}
	free(old.buckets);
	return true;
}

static struct sg_record *about(struct sg_record *record, const void *object)
{
	while (record && record->about != object)
		record = record->next;
	return record;
}

bool sg_table_add(struct sg_table *table, struct sg_record *record, const void *about)
{
	if (!grow(table))
		return false;
	record->about = about;
	put(table, record);
	table->count++;
	return true;
}

struct sg_record *sg_table_find(const struct sg_table *table, const void *object)
{
	return table->count ? about(*bucket_of(table, object), object) : NULL;
}

struct sg_record *sg_table_next(const struct sg_record *record)
{
	return about(record->next, record->about);
}

struct sg_record *sg_table_take(struct sg_table *table, const void *about)
{
	struct sg_record **link = table->count ? bucket_of(table, about) : NULL, *record;

	while (link && (record = *link)) {
		if (record->about == about) {
			*link = record->next;
			table->count--;
			return record;
		}
		link = &record->next;
	}
	return NULL;
}
