#define _GNU_SOURCE 1

#include "config/parser.h"

#include "config/native.h"
#include "config/rules.h"
#include "config/toggles.h"
#include "config/types.h"
#include "config/words.h"
#include "shim/base/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LONGEST_LINE 1000
#define LARGEST_FILE (1024 * 1024)

enum section { SECTION_NONE, SECTION_SETTINGS, SECTION_RULES, SECTION_SINKS, SECTION_NATIVE,
	SECTION_TYPES, SECTION_ENGINE };

struct reading {
	struct sg_draft *draft;
	const char *next;
	const char *end;
	enum section section;
	struct sg_engine_config *engine;
	int status; /* of the first failure */
};

static int find_engine(struct reading *reading, const char *name)
{
	struct sg_draft *draft = reading->draft;
	struct sg_nearest nearest = {.written = name};

	for (size_t i = 0; i < draft->config.engine_count; i++) {
		struct sg_engine_config *engine = &draft->config.engines[i];

		sg_nearest_offer(&nearest, engine->name);
		if (strcmp(engine->name, name) == 0) {
			reading->engine = engine;
			return 0;
		}
	}
	/* An engine takes code, so a file cannot bring one in. */
	if (draft->builtin)
		return sg_draft_add_engine(draft, name, &reading->engine);
	return sg_draft_fail(draft, -EINVAL, "unknown engine%s%s%s; accepted: %s",
			nearest.best ? ", did you mean [engine " : "",
			nearest.best ? nearest.best : "", nearest.best ? "]?" : "",
			draft->config.engine_count ? draft->config.engines[0].name : "none");
}

/*
 * line begins with '['. Not left to inih, which would cut the name at 49 bytes, and say nothing of
 * an unknown section that has no keys.
 */
static int enter_section(struct reading *reading, char *line)
{
	static const char *const names[] = {"settings", "rules", "sinks", "native", "types", NULL};
	struct sg_draft *draft = reading->draft;
	struct sg_nearest nearest;
	char *close = strchr(line, ']');
	char *name = line + 1;

	draft->key = line;
	if (!close || close[1])
		return sg_draft_fail(draft, -EINVAL,
				"%s; accepted: [settings], [rules], [sinks], [native], [types], [engine NAME]",
				close ? "there is text after the ']'" : "there is no ']'");
	name = sg_draft_scratch(draft, name, (size_t)(close - name));
	if (!name)
		return -ENOMEM;
	if (strncmp(name, "engine ", 7) == 0) {
		reading->section = SECTION_ENGINE;
		return find_engine(reading, sg_draft_trim(name + 7));
	}
	nearest = (struct sg_nearest){.written = name};
	for (int i = 0; names[i]; i++) {
		sg_nearest_offer(&nearest, names[i]);
		if (strcmp(names[i], name) == 0) {
			reading->section = SECTION_SETTINGS + i;
			return 0;
		}
	}
	return sg_draft_fail(draft, -EINVAL,
			"unknown section%s%s%s; accepted: [settings], [rules], [sinks], "
			"[native], [types], [engine NAME]",
			nearest.best ? ", did you mean [" : "", nearest.best ? nearest.best : "",
			nearest.best ? "]?" : "");
}

static int check_line(struct reading *reading, char *line)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	struct sg_draft *draft = reading->draft;

	if (draft->line == 1 && strncmp(line, byte_order_mark, 3) == 0)
		line += 3;
	line = sg_draft_trim(line);
	/* The place of what inih itself cannot parse; for the rest, take_value says better. */
	draft->key = line;
	draft->value = NULL;
	return *line == '[' ? enter_section(reading, line) : 0;
}

/* fgets for inih, one call a line. */
static char *read_line(char *buffer, int size, void *stream)
{
	struct reading *reading = stream;
	struct sg_draft *draft = reading->draft;
	size_t left = (size_t)(reading->end - reading->next);
	const char *newline;
	size_t length;
	char *line;

	if (!left || reading->status)
		return NULL;
	newline = memchr(reading->next, '\n', left);
	length = newline ? (size_t)(newline - reading->next) : left;
	draft->line++;
	draft->key = NULL;
	draft->value = NULL;
	if (length > LONGEST_LINE || length + 2 > (size_t)size) {
		reading->status = sg_draft_fail(draft, -EINVAL,
				"the line has %zu bytes; accepted: at most %d", length,
				LONGEST_LINE);
		return NULL;
	}
	if (memchr(reading->next, 0, length)) {
		reading->status = sg_draft_fail(draft, -EINVAL, "a zero byte; accepted: text");
		return NULL;
	}
	memcpy(buffer, reading->next, length);
	buffer[length] = 0;
	reading->next += length + (newline ? 1 : 0);
	line = sg_draft_scratch(draft, buffer, length);
	reading->status = line ? check_line(reading, line) : -ENOMEM;
	return reading->status ? NULL : buffer;
}

static int add_package(struct sg_draft *draft, char *item, void *user)
{
	struct sg_engine_config *engine = user;
	int error = sg_draft_check_module(draft, item);

	return error ? error : sg_draft_list_add(draft, &engine->packages, item);
}

/* Only the built-in file brings in a word. */
static int take_word(struct sg_draft *draft, struct sg_engine_config *engine, const char *key, const char *value)
{
	struct sg_nearest nearest = {.written = key};
	struct sg_word *word = NULL;
	char *text = sg_draft_copy(draft, value, strlen(value));
	int error = text ? 0 : -ENOMEM;

	sg_nearest_offer(&nearest, "packages");
	sg_nearest_offer(&nearest, "worker");
	for (size_t i = 0; i < engine->word_count && !word; i++) {
		sg_nearest_offer(&nearest, engine->words[i].name);
		if (strcmp(engine->words[i].name, key) == 0)
			word = &engine->words[i];
	}
	if (!error && !word && !draft->builtin)
		return sg_draft_fail(draft, -EINVAL, "unknown key%s%s%s; accepted: packages, worker, tested, and the words that "
				"`sandglass rules` has there", nearest.best ? ", did you mean " : "",
				nearest.best ? nearest.best : "", nearest.best ? "?" : "");
	if (!error && !word)
		error = sg_draft_add_word(draft, engine, key, &word);
	if (!error)
		word->text = text;
	return error;
}

static int take_value(struct reading *reading, const char *key, const char *value)
{
	struct sg_draft *draft = reading->draft;
	int error;

	draft->key = key;
	draft->value = value;
	if (reading->section == SECTION_NONE)
		return sg_draft_fail(draft, -EINVAL,
				"it stands before the first section; accepted: [settings], "
				"[rules], [sinks], [native], [types], [engine NAME]");
	if (!*key || !*value)
		return sg_draft_fail(draft, -EINVAL, "the %s is empty; accepted: NAME = VALUE",
				*key ? "value" : "name");
	switch (reading->section) {
	case SECTION_SETTINGS:
		return sg_toggles_setting(draft, key, value);
	case SECTION_RULES:
		return sg_rules_line(draft, key, value);
	case SECTION_SINKS:
		return sg_rules_sink(draft, key, value);
	case SECTION_NATIVE:
		return sg_native_line(draft, key, value);
	case SECTION_TYPES:
		return sg_types_line(draft, key, value);
	default:
		break;
	}
	error = sg_draft_state_once(draft, reading->engine->name, key);
	if (error)
		return error;
	if (strcmp(key, "packages") == 0)
		return sg_draft_each_item(draft, value, add_package, reading->engine);
	if (strcmp(key, "worker") == 0) {
		reading->engine->worker = sg_draft_copy(draft, value, strlen(value));
		return reading->engine->worker ? sg_draft_check_module(draft, value) : -ENOMEM;
	}
	if (strcmp(key, "distribution") == 0) {
		reading->engine->distribution = sg_draft_copy(draft, value, strlen(value));
		return reading->engine->distribution ? 0 : -ENOMEM;
	}
	if (strcmp(key, "tested") == 0) {
		if (sg_words_tested(value, "0") < 0)
			return sg_draft_fail(draft, -EINVAL, "it is no range of versions; accepted: 1.8 to 1.35");
		reading->engine->tested = sg_draft_copy(draft, value, strlen(value));
		return reading->engine->tested ? 0 : -ENOMEM;
	}
	return take_word(draft, reading->engine, key, value);
}

/* inih's section is not looked at, see enter_section. */
static int handle(void *user, const char *section, const char *key, const char *value)
{
	struct reading *reading = user;

	(void)section;
	if (!reading->status)
		reading->status = take_value(reading, key, value);
	return reading->status == 0;
}

int sg_parser_text(struct sg_draft *draft, const char *source, const char *text, size_t size)
{
	struct reading reading = {.draft = draft, .next = text, .end = text + size};
	int error;

	ini_allow_inline_comments = false; /* ';' may stand in a reason */
	ini_allow_multiline = false;       /* an indented line does not go on with the one before */
	ini_stop_on_first_error = true;
	ini_use_stack = true;
	ini_max_line = LONGEST_LINE + 3;
	error = sg_draft_begin_source(draft, source);
	if (error)
		return error;
	error = ini_parse_stream(read_line, &reading, handle, &reading);
	if (reading.status)
		return reading.status;
	if (error)
		return sg_draft_fail(draft, -EINVAL,
				"it has no '='; accepted: NAME = VALUE, [SECTION], or '#' and a "
				"comment");
	return 0;
}

/* Reads the whole of an open file. *ret_text is freed by the caller. */
static int read_all(int descriptor, char **ret_text, size_t *ret_size)
{
	char *text = malloc(LARGEST_FILE + 1);
	size_t size = 0;
	long got;

	if (!text)
		return -ENOMEM;
	do {
		got = sg_raw_syscall(SYS_read, descriptor, (long)(text + size),
				(long)(LARGEST_FILE + 1 - size), 0);
		if (got > 0)
			size += (size_t)got;
	} while ((got > 0 && size <= LARGEST_FILE) || got == -EINTR);
	if (got < 0 || size > LARGEST_FILE) {
		free(text);
		return got < 0 ? (int)got : -EFBIG;
	}
	*ret_text = text;
	*ret_size = size;
	return 0;
}

/* Straight to the kernel: from this object, libc's open is our own hook. */
int sg_parser_file(struct sg_draft *draft, const char *path)
{
	struct stat status;
	char *text = NULL;
	size_t size = 0;
	long descriptor;
	int error;

	descriptor = sg_raw_syscall(SYS_openat, AT_FDCWD, (long)path,
			O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (descriptor < 0)
		return sg_draft_fail(draft, (int)descriptor, "%s: %s; accepted: PATH[:PATH]", path,
				strerror((int)-descriptor));
	error = (int)sg_raw_syscall(SYS_fstat, descriptor, (long)&status, 0, 0);
	if (!error && S_ISDIR(status.st_mode))
		error = -EISDIR;
	else if (!error && !S_ISREG(status.st_mode))
		error = -ENODEV;
	if (!error)
		error = read_all((int)descriptor, &text, &size);
	sg_raw_syscall(SYS_close, descriptor, 0, 0, 0);
	if (error)
		return sg_draft_fail(draft, error,
				"%s: %s; accepted: text files of at most 1 MiB", path,
				error == -ENODEV ? "Not a regular file" : strerror(-error));
	error = sg_parser_text(draft, path, text, size);
	free(text);
	return error;
}
