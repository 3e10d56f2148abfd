/*
 * draft.h - a configuration while it is being read.
 *
 * All readers (files, environment) write into one draft. It knows where it is (source, line, key,
 * value), so that an error needs only to say what is wrong. Errors: every function returns 0 or a
 * negative errno, and with the latter the sentence for the user has been written by sg_draft_fail;
 * a caller passes it on. The first error ends the reading; the draft is then thrown away whole.
 * Strings live in the draft's memory and end up with the configuration. GIL: not needed.
 */
#ifndef SG_DRAFT_H
#define SG_DRAFT_H

#include "config/config.h"
#include "config/memory.h"

struct sg_draft {
	struct sg_config config;
	const char *const *known_conditions;
	bool builtin;       /* reading the built-in file: only it may bring in engines */

	/* Where reading is. */
	const char *source; /* one pointer for each source, in the draft's memory or static */
	int line;           /* 0: the environment */
	const char *key;    /* may be NULL */
	const char *value;  /* may be NULL */

	struct sg_names seen;   /* what this source has stated, to find what it states twice */
	struct sg_arena scratch; /* lives until the draft is finished or thrown away */
	char *error;
	size_t error_size;
};

/* Every list is empty and never NULL. */
int sg_draft_init(struct sg_draft *draft, const char *const *known_conditions, char *error,
		size_t size);

/* Frees what does not belong to the configuration, which is handed over. */
void sg_draft_finish(struct sg_draft *draft, struct sg_config *ret_config);
void sg_draft_release(struct sg_draft *draft);

/* A new file, or the environment. source is copied. */
int sg_draft_begin_source(struct sg_draft *draft, const char *source);

/* Writes "SOURCE:LINE: KEY = VALUE: MESSAGE" and returns error. */
int sg_draft_fail(struct sg_draft *draft, int error, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* Fails when the source has stated the name under this heading before, such as a file's section. */
int sg_draft_state_once(struct sg_draft *draft, const char *heading, const char *name);

/* Fails when it is not the name of a module. */
int sg_draft_check_module(struct sg_draft *draft, const char *name);

/* Copies of text; NULL when out of memory, with the error written. */
char *sg_draft_copy(struct sg_draft *draft, const char *text, size_t length);
char *sg_draft_scratch(struct sg_draft *draft, const char *text, size_t length);

/*
 * Index of the word in a NULL-terminated list. Fails otherwise, naming the list. 'what' is for the
 * message: "action".
 */
int sg_draft_choose(struct sg_draft *draft, const char *what, const char *word,
		const char *const *accepted, int *ret_index);

/*
 * Calls each(draft, item, user) for every item between commas, white space taken off; an empty one
 * fails. The item may be kept until the draft is finished.
 */
int sg_draft_each_item(struct sg_draft *draft, const char *list,
		int (*each)(struct sg_draft *draft, char *item, void *user), void *user);

/* NULL-terminated lists. Adding what is there already does nothing. */
int sg_draft_list_add(struct sg_draft *draft, char ***list, const char *name);
void sg_draft_list_remove(char **list, const char *name);

/* A new rule, zeroed but for its name. The name must not be there yet. */
int sg_draft_add_rule(struct sg_draft *draft, const char *name, struct sg_rule **ret_rule);
int sg_draft_add_sink(struct sg_draft *draft, const char *module, struct sg_sink **ret_sink);
int sg_draft_add_type(struct sg_draft *draft, const char *name, struct sg_type_rule **ret_rule);
int sg_draft_add_native(struct sg_draft *draft, const char *object, struct sg_native_rule **ret_rule);
int sg_draft_add_engine(struct sg_draft *draft, const char *name,
		struct sg_engine_config **ret_engine);
int sg_draft_add_word(struct sg_draft *draft, struct sg_engine_config *engine, const char *name, struct sg_word **ret_word);

/* Takes white space off both ends, in place. */
char *sg_draft_trim(char *text);

/*
 * Cuts "WORDS | REASON" at the '|': text becomes the trimmed words, *ret_reason a copy of the reason. accepted: what
 * the line should look like, for the message.
 */
int sg_draft_cut_reason(struct sg_draft *draft, char *text, const char *accepted, const char **ret_reason);

#endif
