/*
 * check.h - `sandglass check`: what one run of it found, and how that is written.
 *
 * The user's Python runs the engine's driver (hooks/engines/NAME/command/) with the object in it. What the object says in its log,
 * and the driver of what it has loaded and replayed, becomes findings. Nothing here needs a server.
 *
 * --format json, one object:
 *   version, mode, python, engine, sdk: texts; status: 0, 1 or 2, as the exit status
 *   workflows: [{name, file, line, guarded: 0|1, loaded: 0|1}]
 *   histories: [{file, workflow, state: "replayed"|"failed"|"left out"|"unreadable"}]
 *   findings: [{level: "error"|"warning"|"note", rule, message, and where known: file, line, function, workflow, history, chain, instead}]
 *   problems: [text]: why status is 2
 *
 * --format sarif: each finding of the three levels is a result with a place, each problem too (rule "unchecked"), as GitHub takes
 * no result without one; where nothing better is known it is the start of the workflow, or of a file. Places are relative to the
 * folder of the repository that the working directory is in, else to that.
 */
#ifndef SG_COMMAND_CHECK_H
#define SG_COMMAND_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Python text, see hooks/engines/NAME/command/driver.c. */
extern const char sg_check_driver[];

enum sg_finding_level { SG_FINDING_NOTE, SG_FINDING_WARNING, SG_FINDING_ERROR };

/* Texts are allocated; NULL: not known. */
struct sg_finding {
	enum sg_finding_level level;
	char *rule, *message, *file, *function, *workflow, *history, *chain, *instead;
	long line;
};

/* A workflow, or a history. */
struct sg_check_subject {
	char *name, *file, *state; /* state: of a history */
	long line;
	bool guarded, loaded;
};

struct sg_check_problem {
	char *text, *file; /* file: NULL where it is about none */
	long line;
};

struct sg_check {
	struct sg_finding *findings;
	struct sg_check_subject *workflows, *histories, *answers; /* answers: rule and history (its run's id, first) */
	struct sg_check_problem *problems;
	size_t finding_count, workflow_count, history_count, answer_count, problem_count;
	char *mode, *python, *engine, *sdk;
	unsigned int worlds;        /* how many others, 0: none was asked for */
	bool asked;                 /* histories are to be replayed */
	int ended_by;               /* a signal, 0: none */
	char *busy;                 /* what the driver began last: where it stopped, if it does not end */
	bool out_of_memory;
};

/* place: FILE:LINE or NULL. The finding has these and its message; the caller adds the rest to what is returned, NULL without memory. */
struct sg_finding *sg_check_add(struct sg_check *check, enum sg_finding_level level, const char *rule, const char *place,
		const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Status 2. place: FILE:LINE, FILE or NULL. */
void sg_check_problem(struct sg_check *check, const char *place, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* An item at the end of an array of *count, zeroed; NULL: out of memory, which is noted. */
void *sg_check_grow(struct sg_check *check, void *array, size_t *count, size_t size);

/* A copy, or NULL for NULL and an empty text. */
char *sg_check_copy(struct sg_check *check, const char *text);

/* Reads what the object logged and what the driver wrote. log may be NULL. */
void sg_check_gather(struct sg_check *check, FILE *log, FILE *driver);

/* The first command, of each history, that two worlds do not have in common. Both files are read from their beginning. */
void sg_check_compare(struct sg_check *check, FILE *one, FILE *other, unsigned int world);

size_t sg_check_count(const struct sg_check *check, enum sg_finding_level level);

void sg_check_text(FILE *file, const struct sg_check *check);
void sg_check_json(FILE *file, const struct sg_check *check, int status);
void sg_check_sarif(FILE *file, const struct sg_check *check);
void sg_check_release(struct sg_check *check);

#endif
