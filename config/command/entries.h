/*
 * entries.h - functions that give another answer on replay, and how bad it is that code imports them.
 *
 * Those of the C library come from the rows of the hooks (hooks/rows.h), so the audit and the preloaded object
 * know the same names. Those of other libraries - C++, OpenSSL, CPython - stand in entries.c.
 */
#ifndef SG_COMMAND_ENTRIES_H
#define SG_COMMAND_ENTRIES_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In rising order: the worst counts. */
enum sg_verdict { SG_VERDICT_SAFE, SG_VERDICT_DEPENDS, SG_VERDICT_UNSAFE };

struct sg_entry {
	const char *name;                   /* the linker's */
	const char *shown;                  /* for people: as name, but for C++ */
	const char *family;                 /* for people: "clock", "exec" ... */
	enum sg_native_family native;       /* for the configuration's [native] */
	enum sg_verdict verdict;
};

#define SG_ENTRIES_MAX 1024
#define SG_ENTRY_WORDS (SG_ENTRIES_MAX / 64)

struct sg_entry_set {
	uint64_t bits[SG_ENTRY_WORDS];
};

/* 0 or -ENOMEM. Once, before the others. */
int sg_entries_init(void);
void sg_entries_release(void);

size_t sg_entries_count(void);
const struct sg_entry *sg_entries_at(size_t index);

/* Index of a name, or -1. */
int sg_entries_find(const char *name);

/* Is it one of the hooks' rows? The others are of libraries that nobody interposes. */
bool sg_entries_hooked(int index);

/* Why a family matters, in the words of a report. */
const char *sg_entries_reason(const char *family);

/* The words that reports use; the second is for --json. */
const char *sg_verdict_text(enum sg_verdict verdict);
const char *sg_verdict_word(enum sg_verdict verdict);

static inline void sg_entry_set_add(struct sg_entry_set *set, int index)
{
	set->bits[index / 64] |= (uint64_t)1 << (index % 64);
}

static inline int sg_entry_set_has(const struct sg_entry_set *set, size_t index)
{
	return (int)(set->bits[index / 64] >> (index % 64) & 1);
}

/* build/gen/command_rows.c, from the rows of the hooks: ends with a NULL name. */
struct sg_entry_row {
	const char *family, *name;
};
extern const struct sg_entry_row sg_entry_rows[];
extern const char *const sg_condition_names[]; /* the same, from hooks/(any).c: for sg_config_load() */

#endif
