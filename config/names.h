/*
 * names.h - dotted names: whether they are well formed, which one was meant, and a table of them.
 *
 * No function here logs, and none touches Python; the GIL is not needed.
 */
#ifndef SG_NAMES_H
#define SG_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* From name to number. Zero-initialised is empty. The keys belong to the caller and must stay. */
struct sg_names {
	const char **keys;
	size_t *values;
	size_t capacity; /* 0 or a power of two, never more than half full */
	size_t count;
};

/* Returns 0, -EEXIST (the old value stays) or -ENOMEM. */
int sg_names_add(struct sg_names *names, const char *key, size_t value);

/* *ret_value may be left out (NULL). */
bool sg_names_find(const struct sg_names *names, const char *key, size_t *ret_value);

/* Of a name that is there. */
void sg_names_change(struct sg_names *names, const char *key, size_t value);

void sg_names_release(struct sg_names *names);

/* Identifiers between dots, nothing else. Bytes above 127 are letters: Python has them too. */
bool sg_name_is_dotted(const char *name);

/* Is it end, or has it that behind a dot? */
bool sg_name_ends_in(const char *name, const char *end);

/* Keeps the candidate that differs least from what was written, if it is near: two edits off. */
struct sg_nearest {
	const char *written;
	const char *best; /* NULL: nothing is near */
	size_t distance;
};

void sg_nearest_offer(struct sg_nearest *nearest, const char *candidate);

/* Does a text fit a pattern, in which '*' is any text, slashes too, and '?' one byte? */
bool sg_names_fit(const char *pattern, const char *text);

#endif
