/*
 * text.h - what the sub-commands write: names from files made harmless, lines wrapped, JSON strings.
 */
#ifndef SG_COMMAND_TEXT_H
#define SG_COMMAND_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* Columns of a terminal on standard output, from 60 to 200; 100 elsewhere. */
int sg_text_width(void);

/* A line being filled. indent is where lines after the first begin. */
struct sg_wrap {
	FILE *file;
	int indent;
	int column;
	bool blank;     /* one is due before the next word, or a new line in its place */
};

/* Bytes that would steer a terminal become \xNN. */
void sg_text_name(FILE *file, const char *name);

/* Breaks at blanks only. Ends no line. */
void sg_wrap_text(struct sg_wrap *wrap, const char *text);
void sg_wrap_end(struct sg_wrap *wrap);

/* With its quotes. A byte that is not part of UTF-8 becomes \udcNN, as Python's surrogateescape has it. */
void sg_json_string(FILE *file, const char *text);

/* "sandglass NAME: ..." on standard error, one line whatever is in it. */
void sg_complain(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
