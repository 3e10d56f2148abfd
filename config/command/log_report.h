/*
 * log_report.h - `sandglass report`: what logs say, added up.
 *
 * Lines are read one after another, so logs may be of any size; what is kept grows with the number of places, not of lines.
 * A place is written to the log once in a process and counted from then on: the counts stand in the lines event=total, which
 * are written with SANDGLASS_SUMMARY and at level info at the end. Where there are none, a count is a least one.
 *
 * --format json, one object:
 *   version, files, lines, torn, first, last: of the lines of the log; processes: [{pid, mode, version, python, engine, sdk, started}]
 *   enforce, strict: {block, answer, warn, pass}: how many places that mode would treat so; unknown: the log does not say
 *   places: [{workflow, rule, where, origin, phase, action, count, least: true|false, first, last, enforce, strict, reason, instead, chain}]
 *   images: [{module, count, milliseconds, slowest}]
 *   others: [{event, subject, count, first, last, text}]: private, shared, unguarded, swallowed, lost and so on
 *   settings: [{setting, text}]: suggestions; each was tried with the rules of this sandglass
 *   timeline: {start, seconds, counts: [...]}: refused, let pass or answered, in stretches of so many seconds
 */
#ifndef SG_COMMAND_LOG_REPORT_H
#define SG_COMMAND_LOG_REPORT_H

#include "config/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* All texts are allocated; empty where the log says nothing. Times are those of the log, as texts: they sort. */
struct sg_report_place {
	char *key, *workflow, *rule, *where, *origin, *phase, *action, *enforce, *strict, *reason, *instead, *chain, *first, *last;
	long count;
	bool least; /* a process told no total */
};

struct sg_report_process {
	char *pid, *mode, *version, *python, *engine, *sdk, *started;
};

struct sg_report_image {
	char *module;
	long count, milliseconds, slowest;
};

struct sg_report_other {
	char *key, *event, *subject, *text, *setting, *first, *last;
	long count;
};

struct sg_report_setting {
	char *setting, *text;
};

#define SG_REPORT_STRETCHES 120

struct sg_report {
	unsigned long files, lines, strange, torn; /* torn: last lines without their end */
	char *first, *last;
	struct sg_report_place *places;
	struct sg_report_process *processes;
	struct sg_report_image *images;
	struct sg_report_other *others;
	struct sg_report_setting *settings;
	size_t place_count, process_count, image_count, other_count, setting_count;
	struct {
		int64_t start, width; /* seconds; width 0: nothing yet */
		unsigned long counts[SG_REPORT_STRETCHES];
	} timeline;
	bool out_of_memory;
};

struct sg_report_reader;

/* NULL: out of memory. */
struct sg_report_reader *sg_report_reader_new(struct sg_report *report);

/* Adds a log; progress on standard error where that is a terminal. 0, or -1 with errno. name: of the file, for people. */
int sg_report_read(struct sg_report_reader *reader, FILE *file, const char *name);

/* Counts are complete after it. */
void sg_report_reader_end(struct sg_report_reader *reader);

/* What could be set, after the reader's end. Takes the environment's settings of Sandglass away. */
void sg_report_suggest(struct sg_report *report);

/* How many places that mode ("enforce", "strict") treats so; action "": it is not known. */
size_t sg_report_would(const struct sg_report *report, const char *mode, const char *action);

/* How many places a worker has refused. */
size_t sg_report_refused(const struct sg_report *report);

void sg_report_write_text(FILE *file, const struct sg_report *report);
void sg_report_write_json(FILE *file, const struct sg_report *report);

/* One page that needs nothing else. */
void sg_report_write_html(FILE *file, const struct sg_report *report);

void sg_report_release(struct sg_report *report);

#endif
