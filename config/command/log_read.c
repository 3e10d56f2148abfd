#define _GNU_SOURCE 1

#include "config/command/line.h"
#include "config/command/log_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What one process says of one place: it is written once, and then counted. */
struct tally {
	char *key;
	size_t place;
	long lines, total;
};

struct sg_report_reader {
	struct sg_report *report;
	struct sg_names places, images, others, tallies, running; /* running: FILE and process id, or id and since -> process */
	char **running_keys;
	struct tally *tallies_list;
	size_t tally_count, running_count;
};

struct sg_report_reader *sg_report_reader_new(struct sg_report *report)
{
	struct sg_report_reader *reader = calloc(1, sizeof(*reader));

	if (reader)
		reader->report = report;
	return reader;
}

static char *copy(struct sg_report *report, const char *text)
{
	char *new = strdup(text ? text : "");

	report->out_of_memory |= !new;
	return new;
}

/* Another value takes the place of an old one. */
static void replace(struct sg_report *report, char **text, const char *value)
{
	if (*text && strcmp(*text, value) == 0)
		return;
	free(*text);
	*text = copy(report, value);
}

/* An item more, zeroed, in an array of *count. NULL: out of memory. */
static void *grow(struct sg_report *report, void *array, size_t *count, size_t size)
{
	void **items = array, *grown;

	/* A power of two is full. */
	if (*count && (*count & (*count - 1)))
		return memset((char *)*items + (*count)++ * size, 0, size);
	grown = reallocarray(*items, *count ? *count * 2 : 1, size);
	if (!grown) {
		report->out_of_memory = true;
		return NULL;
	}
	*items = grown;
	return memset((char *)grown + (*count)++ * size, 0, size);
}

static char *join(const char *const *parts)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	for (size_t i = 0; stream && parts[i]; i++)
		fprintf(stream, "%s%c", parts[i], 0x1f);
	if (stream && fclose(stream) != 0)
		text = NULL;
	return text;
}

/*
 * The item of that key in an array, made where it is new; *ret_new tells. The key is the caller's until then, and the item's after.
 * NULL: out of memory; the key is freed.
 */
static void *item_of(struct sg_report *report, struct sg_names *names, void *array, size_t *count, size_t size, char *key, bool *ret_new)
{
	void **items = array, *item;
	size_t index;

	*ret_new = false;
	if (!key) {
		report->out_of_memory = true;
		return NULL;
	}
	if (sg_names_find(names, key, &index)) {
		free(key);
		return (char *)*items + index * size;
	}
	item = grow(report, array, count, size);
	if (!item || sg_names_add(names, key, *count - 1) != 0) {
		report->out_of_memory = true;
		*count -= item != NULL;
		free(key);
		return NULL;
	}
	*ret_new = true;
	return item;
}

/* --- time --------------------------------------------------------------------------------------- */

static void note_first(struct sg_report *report, char **first, char **last, const char *when)
{
	if (!*first || strcmp(when, *first) < 0)
		replace(report, first, when);
	if (!*last || strcmp(when, *last) > 0)
		replace(report, last, when);
}

/* Seconds since 1970 of 2026-11-24T23:40:37.123Z; -1: it is none. */
static int64_t seconds_of(const char *when)
{
	struct tm parts = {0};

	return strptime(when, "%Y-%m-%dT%H:%M:%S", &parts) ? (int64_t)timegm(&parts) : -1;
}

/* Where it does not reach, two stretches become one, until it does. */
static void add_to_timeline(struct sg_report *report, const char *when, unsigned long count)
{
	int64_t second = seconds_of(when), from;
	unsigned long *counts = report->timeline.counts;

	if (second < 0)
		return;
	if (!report->timeline.width) {
		report->timeline.width = 1;
		report->timeline.start = second;
	}
	while (second < report->timeline.start || second >= report->timeline.start + report->timeline.width * SG_REPORT_STRETCHES) {
		from = second < report->timeline.start ? SG_REPORT_STRETCHES / 2 : 0;
		for (int64_t i = 0; i < SG_REPORT_STRETCHES / 2 && !from; i++)
			counts[i] = counts[2 * i] + counts[2 * i + 1];
		for (int64_t i = SG_REPORT_STRETCHES / 2 - 1; i >= 0 && from; i--)
			counts[from + i] = counts[2 * i] + counts[2 * i + 1];
		if (from) {
			/* The upper half in place, from its end: what is read lies below what is written but for the first. */
			report->timeline.start -= report->timeline.width * SG_REPORT_STRETCHES;
			memset(counts, 0, (size_t)from * sizeof(*counts));
		} else {
			memset(counts + SG_REPORT_STRETCHES / 2, 0, SG_REPORT_STRETCHES / 2 * sizeof(*counts));
		}
		report->timeline.width *= 2;
	}
	counts[(second - report->timeline.start) / report->timeline.width] += count;
}

/* --- events ------------------------------------------------------------------------------------- */

/* "enforce:warn,strict:block" -> what it says of that mode. */
static void take_would(struct sg_report *report, char **ret, const char *would, const char *mode)
{
	const char *found = would ? strstr(would, mode) : NULL;
	char word[32] = "";

	if (found)
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(found + strlen(mode) + 1, ","), found + strlen(mode) + 1);
	replace(report, ret, word);
}

static struct tally *tally_of(struct sg_report_reader *reader, size_t process, size_t place)
{
	struct tally *tally;
	char *key;
	bool new;

	if (asprintf(&key, "%zu %zu", process, place) < 0)
		key = NULL;
	tally = item_of(reader->report, &reader->tallies, &reader->tallies_list, &reader->tally_count, sizeof(*tally), key, &new);
	if (tally && new) {
		tally->key = key;
		tally->place = place;
	}
	return tally;
}

/* The place that a line is about; a total says less of it than a violation. */
static size_t place_of(struct sg_report_reader *reader, const struct sg_log_line *line, const char *action)
{
	const char *where = sg_log_line_get(line, "where"), *object = sg_log_line_text(line, "object");
	const char *const parts[] = {sg_log_line_text(line, "workflow_type"), sg_log_line_text(line, "rule"), where ? where : object, action, NULL};
	struct sg_report *report = reader->report;
	struct sg_report_place *place;
	char *key = join(parts);
	bool new;

	place = item_of(report, &reader->places, &report->places, &report->place_count, sizeof(*place), key, &new);
	if (place && new) {
		char **empty[] = {&place->origin, &place->phase, &place->enforce, &place->strict, &place->reason, &place->instead, &place->chain};

		place->key = key;
		place->workflow = copy(report, parts[0]);
		place->rule = copy(report, parts[1]);
		place->where = copy(report, parts[2]);
		place->action = copy(report, action);
		for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
			*empty[i] = copy(report, "");
	}
	return place ? (size_t)(place - report->places) : SIZE_MAX;
}

static const char *mode_of(const struct sg_report_reader *reader, size_t process)
{
	return process < reader->report->process_count ? reader->report->processes[process].mode : "";
}

static void take_violation(struct sg_report_reader *reader, const struct sg_log_line *line, size_t process, const char *when)
{
	static const char *const keys[] = {"origin", "phase", "reason", "instead", "chain"};
	bool answered = sg_log_line_is(line, "event", "answered");
	const char *action = answered ? "answer" : sg_log_line_text(line, "action"), *mode = mode_of(reader, process);
	size_t index = place_of(reader, line, action);
	struct sg_report *report = reader->report;
	struct sg_report_place *place;
	struct tally *tally;

	if (index == SIZE_MAX)
		return;
	place = &report->places[index];
	{
		char **texts[] = {&place->origin, &place->phase, &place->reason, &place->instead, &place->chain};

		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			replace(report, texts[i], sg_log_line_text(line, keys[i]));
	}
	take_would(report, &place->enforce, sg_log_line_get(line, "would"), "enforce");
	take_would(report, &place->strict, sg_log_line_get(line, "would"), "strict");
	if (strcmp(mode, "enforce") == 0)
		replace(report, &place->enforce, action);
	else if (strcmp(mode, "strict") == 0 || strcmp(mode, "answer") == 0)
		replace(report, &place->strict, action);
	note_first(report, &place->first, &place->last, when);
	tally = tally_of(reader, process, index);
	if (tally)
		tally->lines++;
	add_to_timeline(report, when, 1);
}

static void take_total(struct sg_report_reader *reader, const struct sg_log_line *line, size_t process, const char *when)
{
	size_t index = place_of(reader, line, sg_log_line_text(line, "action"));
	long total = sg_log_line_number(line, "count"), before;
	struct tally *tally = index == SIZE_MAX ? NULL : tally_of(reader, process, index);
	struct sg_report *report = reader->report;

	if (!tally)
		return;
	before = tally->total > tally->lines ? tally->total : tally->lines;
	if (total > before)
		add_to_timeline(report, when, (unsigned long)(total - before));
	if (total > tally->total)
		tally->total = total;
	note_first(report, &report->places[index].first, &report->places[index].last, when);
}

static void take_image(struct sg_report_reader *reader, const struct sg_log_line *line)
{
	struct sg_report *report = reader->report;
	long milliseconds = sg_log_line_number(line, "milliseconds");
	char *key = strdup(sg_log_line_text(line, "module"));
	struct sg_report_image *image;
	bool new;

	image = item_of(report, &reader->images, &report->images, &report->image_count, sizeof(*image), key, &new);
	if (!image)
		return;
	if (new)
		image->module = key;
	image->count++;
	image->milliseconds += milliseconds;
	if (milliseconds > image->slowest)
		image->slowest = milliseconds;
}

static void take_other(struct sg_report_reader *reader, const struct sg_log_line *line, const char *event, const char *when)
{
	static const char *const subjects[] = {"object", "module", "name", "rule", "where", "source", "workflow_type", "reason"};
	static const char *const texts[] = {"type", "holder", "kind", "action", "reason", "effect", "without", "refusal"};
	const char *parts[] = {event, "", NULL};
	struct sg_report *report = reader->report;
	struct sg_report_other *other;
	char *key, text[1500] = "";
	size_t length = 0;
	bool new;

	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]) && !*parts[1]; i++)
		parts[1] = sg_log_line_text(line, subjects[i]);
	key = join(parts);
	other = item_of(report, &reader->others, &report->others, &report->other_count, sizeof(*other), key, &new);
	if (!other)
		return;
	other->count++;
	note_first(report, &other->first, &other->last, when);
	if (!new)
		return;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && length < sizeof(text); i++) {
		const char *value = sg_log_line_text(line, texts[i]);

		if (*value && strcmp(value, parts[1]) != 0)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", length ? "; " : "", value);
	}
	other->key = key;
	other->event = copy(report, event);
	other->subject = copy(report, parts[1]);
	other->text = copy(report, text);
	other->setting = copy(report, sg_log_line_text(line, "setting"));
}

/* --- processes ---------------------------------------------------------------------------------- */

static size_t add_process(struct sg_report *report, const struct sg_log_line *line, bool starts, const char *when)
{
	struct sg_report_process *process = grow(report, &report->processes, &report->process_count, sizeof(*process));

	if (!process)
		return SIZE_MAX;
	process->pid = copy(report, sg_log_line_text(line, "pid"));
	process->started = copy(report, starts ? when : "");
	process->mode = copy(report, sg_log_line_text(line, starts ? "mode" : ""));
	process->version = copy(report, sg_log_line_text(line, starts ? "version" : ""));
	process->python = copy(report, sg_log_line_text(line, starts ? "python" : ""));
	process->engine = copy(report, sg_log_line_text(line, starts ? "engine" : ""));
	process->sdk = copy(report, sg_log_line_text(line, starts ? "sdk" : ""));
	return report->process_count - 1;
}

/* Takes key. */
static void note_process(struct sg_report_reader *reader, char *key, size_t index)
{
	char **kept = grow(reader->report, &reader->running_keys, &reader->running_count, sizeof(*kept));

	if (!kept) {
		free(key);
		return;
	}
	*kept = key;
	if (sg_names_add(&reader->running, key, index) == -EEXIST)
		sg_names_change(&reader->running, key, index);
}

/*
 * A line event=start begins another process, also under a number that was there before; but each file that was made anew by
 * rotation begins with one of the same process, with the same since=.
 */
static size_t process_of(struct sg_report_reader *reader, const struct sg_log_line *line, const char *file, const char *when)
{
	const char *const here[] = {file, sg_log_line_text(line, "pid"), NULL};
	const char *const anywhere[] = {"", sg_log_line_text(line, "pid"), sg_log_line_text(line, "since"), NULL};
	bool starts = sg_log_line_is(line, "event", "start"), has_name = starts && *anywhere[2];
	char *key = join(here), *name = has_name ? join(anywhere) : NULL;
	size_t index = SIZE_MAX;

	if (!key || (has_name && !name)) {
		reader->report->out_of_memory = true;
	} else if (starts || !sg_names_find(&reader->running, key, &index)) {
		if (!name || !sg_names_find(&reader->running, name, &index)) {
			index = add_process(reader->report, line, starts, when);
			if (name)
				note_process(reader, name, index);
			name = NULL;
		}
		note_process(reader, key, index);
		key = NULL;
	}
	free(name);
	free(key);
	return index;
}

static void take(struct sg_report_reader *reader, const struct sg_log_line *line, const char *file)
{
	static const char *const others[] = {"private", "shared", "apart", "reloaded", "lost", "swallowed", "unguarded", "unanswered",
		"zone", "hashseed", "dormant", "bypass", "left"};
	const char *event = sg_log_line_text(line, "event"), *when = sg_log_line_text(line, "ts");
	size_t process = process_of(reader, line, file, when);

	reader->report->lines++;
	note_first(reader->report, &reader->report->first, &reader->report->last, when);
	if (strcmp(event, "violation") == 0 || strcmp(event, "answered") == 0)
		take_violation(reader, line, process, when);
	else if (strcmp(event, "total") == 0)
		take_total(reader, line, process, when);
	else if (strcmp(event, "image") == 0)
		take_image(reader, line);
	else if (strcmp(event, "probe") == 0 && !sg_log_line_is(line, "result", "proved"))
		take_other(reader, line, event, when);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(others[i], event) == 0 && !sg_log_line_is(line, "level", "debug"))
			take_other(reader, line, event, when);
}

static void show_progress(const char *name, off_t read, off_t size)
{
	if (size > 0)
		fprintf(stderr, "\r%s: %ld %%", name, (long)(read * 100 / size));
	else
		fprintf(stderr, "\r%s: %ld MB", name, (long)(read >> 20));
}

int sg_report_read(struct sg_report_reader *reader, FILE *file, const char *name)
{
	bool shows = isatty(STDERR_FILENO), shown = false;
	struct sg_log_line line;
	struct stat status;
	off_t read = 0, next = 16 << 20;
	char *text = NULL;
	size_t room = 0;
	ssize_t length;
	int error;

	reader->report->files++;
	if (fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode))
		status.st_size = 0;
	errno = 0;
	while ((length = getline(&text, &room, file)) >= 0 && !reader->report->out_of_memory) {
		bool whole = text[length - 1] == '\n';

		read += length;
		if (!sg_log_line_parse(&line, text))
			reader->report->strange++;
		else if (whole)
			take(reader, &line, name);
		else
			reader->report->torn++; /* a line is written with its end, in one call */
		if (shows && read >= next) {
			show_progress(name, read, status.st_size);
			shown = true;
			next += 16 << 20;
		}
	}
	error = ferror(file) ? errno : 0;
	free(text);
	if (shown)
		fputs("\r\x1b[K", stderr);
	errno = error ? error : reader->report->out_of_memory ? ENOMEM : 0;
	return errno ? -1 : 0;
}

void sg_report_reader_end(struct sg_report_reader *reader)
{
	struct sg_report *report = reader->report;

	for (size_t i = 0; i < reader->tally_count; i++) {
		struct tally *tally = &reader->tallies_list[i];
		struct sg_report_place *place = &report->places[tally->place];

		place->count += tally->total > tally->lines ? tally->total : tally->lines;
		place->least |= !tally->total;
		free(tally->key);
	}
	for (size_t i = 0; i < reader->running_count; i++)
		free(reader->running_keys[i]);
	free(reader->running_keys);
	free(reader->tallies_list);
	sg_names_release(&reader->places);
	sg_names_release(&reader->images);
	sg_names_release(&reader->others);
	sg_names_release(&reader->tallies);
	sg_names_release(&reader->running);
	free(reader);
}

size_t sg_report_would(const struct sg_report *report, const char *mode, const char *action)
{
	size_t count = 0;

	for (size_t i = 0; i < report->place_count; i++)
		count += strcmp(*mode == 'e' ? report->places[i].enforce : report->places[i].strict, action) == 0;
	return count;
}

size_t sg_report_refused(const struct sg_report *report)
{
	size_t count = 0;

	for (size_t i = 0; i < report->place_count; i++)
		count += strcmp(report->places[i].action, "block") == 0;
	return count;
}

void sg_report_release(struct sg_report *report)
{
	for (size_t i = 0; i < report->place_count; i++) {
		struct sg_report_place *place = &report->places[i];
		char *texts[] = {place->key, place->workflow, place->rule, place->where, place->origin, place->phase, place->action,
			place->enforce, place->strict, place->reason, place->instead, place->chain, place->first, place->last};

		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			free(texts[k]);
	}
	for (size_t i = 0; i < report->process_count; i++) {
		struct sg_report_process *process = &report->processes[i];
		char *texts[] = {process->pid, process->mode, process->version, process->python, process->engine, process->sdk,
			process->started};

		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			free(texts[k]);
	}
	for (size_t i = 0; i < report->image_count; i++)
		free(report->images[i].module);
	for (size_t i = 0; i < report->other_count; i++) {
		struct sg_report_other *other = &report->others[i];
		char *texts[] = {other->key, other->event, other->subject, other->text, other->setting, other->first, other->last};

		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			free(texts[k]);
	}
	for (size_t i = 0; i < report->setting_count; i++) {
		free(report->settings[i].setting);
		free(report->settings[i].text);
	}
	free(report->places);
	free(report->processes);
	free(report->images);
	free(report->others);
	free(report->settings);
	free(report->first);
	free(report->last);
}
