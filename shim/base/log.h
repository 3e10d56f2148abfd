/*
 * log.h - the debug log: logfmt or JSON, one line an event, one write(2) a line.
 *
 * Usable from the constructor on, from any thread, in signal handlers and after fork. Never calls Python,
 * malloc, stdio or a function that Sandglass interposes; errno is preserved. GIL: not needed.
 * The descriptor is a high one (>= 512 where the limit allows), close-on-exec; when the application closes it, the
 * log is reopened (a path) or falls silent (stderr). A plain file that is renamed or removed, as logrotate does, is
 * made anew under its name by the next line. A full disk or a removed directory costs lines, nothing else.
 * A line longer than the buffer (4000 bytes) is cut: logfmt ends in "...", JSON stays whole, with the last value cut so, and the
 * keys behind it missing.
 *
 *     struct sg_line line;
 *     if (sg_log_begin(&line, SG_LOG_WARN, "violation")) {
 *             sg_log_text(&line, "rule", rule->name);
 *             sg_log_number(&line, "line", 12);
 *             sg_log_end(&line);
 *     }
 *
 * gives: sandglass ts=2026-11-24T23:40:37.123Z pid=41 level=warn event=violation rule=time.time line=12
 * or:    {"source":"sandglass","ts":"2026-11-24T23:40:37.123Z","pid":41,"level":"warn",...,"line":12}
 */
#ifndef SG_LOG_H
#define SG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sg_log_level { SG_LOG_ERROR, SG_LOG_WARN, SG_LOG_INFO, SG_LOG_DEBUG, SG_LOG_TRACE };

struct sg_line {
	size_t length;
	bool cut;
	char text[4000];
};

/*
 * destination: "stderr" or a path (%p = process id, created 0600, appended). Where others may write to a directory, a link
 * could send lines into any file of the user's: one at the end of the path is followed under /dev and /proc only. Returns 0
 * or a negative errno.
 */
int sg_log_open(const char *destination, enum sg_log_level level);

/* The path of a destination in a process: its number for %p. Returns 0 or -ENAMETOOLONG. */
int sg_log_path(const char *destination, uint64_t process, char *path, size_t size);

/* Which of the two formats the lines after it have: logfmt at first. */
void sg_log_as_json(bool json);

bool sg_log_enabled(enum sg_log_level level);

/* begin() writes what each file made anew begins with, as any line is written. NULL: nothing. */
void sg_log_begin_files(void (*begin)(void));

/* Goes up when the file is made anew under its name, which this looks for, too, once a second. */
unsigned int sg_log_generation(void);

/* Starts a line. False when the level is not logged: then nothing else need be called. */
bool sg_log_begin(struct sg_line *line, enum sg_log_level level, const char *event);

/* The same for a line that is level info, yet written at the default level (warn) already. */
bool sg_log_begin_notice(struct sg_line *line, const char *event);

/* Quotes the value where logfmt needs it; NULL value: the key is left out. */
void sg_log_text(struct sg_line *line, const char *key, const char *value);
void sg_log_number(struct sg_line *line, const char *key, int64_t value);
void sg_log_end(struct sg_line *line);

/* event=unguarded: what is not guarded, under that key ("rule" or "name"), and why. */
void sg_log_unguarded(enum sg_log_level level, const char *key, const char *what, const char *reason);

/* The child of a fork reopens a %p path under its own process id. */
void sg_log_after_fork(void);

#endif
