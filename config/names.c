#include "config/names.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NEAR 2
#define LONGEST 127 /* names above it are not compared: the row of distances is on the stack */

static size_t slot_of(const struct sg_names *names, const char *key)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	size_t slot;

	for (const unsigned char *byte = (const unsigned char *)key; *byte; byte++)
		hash = (hash ^ *byte) * 1099511628211u;
	slot = (hash ^ hash >> 32) & (names->capacity - 1);
	while (names->keys[slot] && strcmp(names->keys[slot], key) != 0)
		slot = (slot + 1) & (names->capacity - 1);
	return slot;
}

static int grow(struct sg_names *names)
{
	struct sg_names larger = {.capacity = names->capacity ? names->capacity * 2 : 64};

	larger.keys = calloc(larger.capacity, sizeof(*larger.keys));
	larger.values = calloc(larger.capacity, sizeof(*larger.values));
	if (!larger.keys || !larger.values) {
		sg_names_release(&larger);
		return -ENOMEM;
	}
	for (size_t i = 0; i < names->capacity; i++) {
		size_t slot;

		if (!names->keys[i])
			continue;
		slot = slot_of(&larger, names->keys[i]);
		larger.keys[slot] = names->keys[i];
		larger.values[slot] = names->values[i];
	}
	larger.count = names->count;
	sg_names_release(names);
	*names = larger;
	return 0;
}

int sg_names_add(struct sg_names *names, const char *key, size_t value)
{
	size_t slot;

	if (names->count * 2 >= names->capacity) {
		int error = grow(names);

		if (error)
			return error;
	}
	slot = slot_of(names, key);
	if (names->keys[slot])
		return -EEXIST;
	names->keys[slot] = key;
	names->values[slot] = value;
	names->count++;
	return 0;
}

bool sg_names_find(const struct sg_names *names, const char *key, size_t *ret_value)
{
	size_t slot;

	if (!names->capacity)
		return false;
	slot = slot_of(names, key);
	if (!names->keys[slot])
		return false;
	if (ret_value)
		*ret_value = names->values[slot];
	return true;
}

void sg_names_change(struct sg_names *names, const char *key, size_t value)
{
	names->values[slot_of(names, key)] = value;
}

void sg_names_release(struct sg_names *names)
{
	free(names->keys);
	free(names->values);
	*names = (struct sg_names){0};
}

static bool is_letter(unsigned char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
	       byte >= 0x80;
}

bool sg_name_ends_in(const char *name, const char *end)
{
	size_t length = strlen(name), end_length = strlen(end);

	return end_length <= length && strcmp(name + length - end_length, end) == 0 &&
		(end_length == length || name[length - end_length - 1] == '.');
}

bool sg_name_is_dotted(const char *name)
{
	bool start = true;

	for (const unsigned char *byte = (const unsigned char *)name; *byte; byte++) {
		if (*byte == '.' && !start)
			start = true;
		else if (is_letter(*byte) || (!start && *byte >= '0' && *byte <= '9'))
			start = false;
		else
			return false;
	}
	return !start;
}

static size_t distance_between(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t row[LONGEST + 1];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t above = row[j];
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = above;
			row[j] = best;
		}
	}
	return row[b_length];
}

void sg_nearest_offer(struct sg_nearest *nearest, const char *candidate)
{
	size_t written = strlen(nearest->written);
	size_t length = strlen(candidate);
	size_t difference = written > length ? written - length : length - written;
	size_t distance;

	/* Two edits turn nearly any three letters into any other three: short names need more. */
	if (difference > NEAR || written > LONGEST || length > LONGEST)
		return;
	distance = distance_between(nearest->written, written, candidate, length);
	if (distance > NEAR || distance * 2 > length)
		return;
	if (!nearest->best || distance < nearest->distance) {
		nearest->best = candidate;
		nearest->distance = distance;
	}
}

/* fnmatch() would look at the locale, and may allocate. */
bool sg_names_fit(const char *pattern, const char *text)
{
	const char *after_star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			after_star = ++pattern;
			retry = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (after_star) {
			pattern = after_star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
