/*
 * line.h - a line of the debug log, taken apart: logfmt, or JSON with SANDGLASS_LOG_FORMAT=json, whatever stands before it.
 */
#ifndef SG_COMMAND_LINE_H
#define SG_COMMAND_LINE_H

#include <stdbool.h>

#define SG_LINE_FIELDS 48

struct sg_log_line {
	int count;
	struct {
		const char *key, *value;
	} fields[SG_LINE_FIELDS];
};

/*
 * Takes text apart in place, so that the fields point into it: false when it is not a line of the log. What stands before it
 * (a date of journald's) is left out. A cut line gives the fields that are whole.
 */
bool sg_log_line_parse(struct sg_log_line *ret_line, char *text);

/* KEY=VALUE KEY="VALUE" ... without the beginning of a line of the log. */
void sg_log_line_fields(struct sg_log_line *ret_line, char *text);

/* NULL: the line has no such field. */
const char *sg_log_line_get(const struct sg_log_line *line, const char *key);

/* The same; empty instead of NULL. */
const char *sg_log_line_text(const struct sg_log_line *line, const char *key);

bool sg_log_line_is(const struct sg_log_line *line, const char *key, const char *value);

/* 0: there is no such number. */
long sg_log_line_number(const struct sg_log_line *line, const char *key);

#endif
