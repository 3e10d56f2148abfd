#define _GNU_SOURCE 1

#include "config/command/check.h"
#include "config/command/line.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void *sg_check_grow(struct sg_check *check, void *array, size_t *count, size_t size)
{
	void **items = array;
	void *grown = reallocarray(*items, *count + 1, size);

	if (!grown) {
		check->out_of_memory = true;
		return NULL;
	}
	*items = grown;
	return memset((char *)grown + (*count)++ * size, 0, size);
}

char *sg_check_copy(struct sg_check *check, const char *text)
{
	char *copy = text && *text ? strdup(text) : NULL;

	check->out_of_memory |= text && *text && !copy;
	return copy;
}

/* FILE:LINE taken apart. */
static char *copy_place(struct sg_check *check, const char *place, long *ret_line)
{
	char *file = sg_check_copy(check, place), *colon = file ? strrchr(file, ':') : NULL;

	if (colon) {
		*ret_line = strtol(colon + 1, NULL, 10);
		*colon = '\0';
	}
	return file;
}

struct sg_finding *sg_check_add(struct sg_check *check, enum sg_finding_level level, const char *rule, const char *place,
		const char *format, ...)
{
	struct sg_finding *finding = sg_check_grow(check, &check->findings, &check->finding_count, sizeof(*finding));
	va_list arguments;

	if (!finding)
		return NULL;
	va_start(arguments, format);
	if (vasprintf(&finding->message, format, arguments) < 0) {
		finding->message = NULL;
		check->out_of_memory = true;
	}
	va_end(arguments);
	finding->level = level;
	finding->rule = sg_check_copy(check, rule);
	finding->file = copy_place(check, place, &finding->line);
	return finding;
}

void sg_check_problem(struct sg_check *check, const char *place, const char *format, ...)
{
	struct sg_check_problem *problem = sg_check_grow(check, &check->problems, &check->problem_count, sizeof(*problem));
	va_list arguments;

	if (!problem)
		return;
	va_start(arguments, format);
	if (vasprintf(&problem->text, format, arguments) < 0)
		problem->text = NULL;
	va_end(arguments);
	check->out_of_memory |= !problem->text;
	problem->file = copy_place(check, place, &problem->line);
}

/* --- the log ------------------------------------------------------------------------------------ */

static void add_violation(struct sg_check *check, const struct sg_log_line *line)
{
	const char *action = sg_log_line_text(line, "action"), *library = sg_log_line_get(line, "library");
	const char *object = sg_log_line_get(line, "object"), *reason = sg_log_line_get(line, "reason");
	enum sg_finding_level level = strcmp(action, "block") == 0 ? SG_FINDING_ERROR : strcmp(action, "warn") == 0 ?
		SG_FINDING_WARNING : SG_FINDING_NOTE;
	const char *place = sg_log_line_get(line, "where");
	bool installed = library && (strstr(library, "/site-packages/") || strstr(library, "/dist-packages/"));
	const char *by = installed || !sg_log_line_is(line, "origin", "passthrough") ? ", by a library at " : ", by passed-through code at ";
	struct sg_finding *finding = sg_check_add(check, level, sg_log_line_text(line, "rule"), place ? place : library,
			"%s: %s%s%s%s%s", sg_log_line_text(line, "rule"), reason ? reason : "compiled code calls the C library",
			library ? by : object ? ", in " : "", library ? library : object ? object : "",
			sg_log_line_is(line, "phase", "import") ? ", while the workflow is imported" : "",
			level == SG_FINDING_ERROR ? "" : level == SG_FINDING_WARNING ? "; let pass with a warning" : "; let pass");

	if (!finding)
		return;
	finding->function = sg_check_copy(check, sg_log_line_get(line, "function"));
	finding->workflow = sg_check_copy(check, sg_log_line_get(line, "workflow_type"));
	finding->history = sg_check_copy(check, sg_log_line_get(line, "run_id"));
	finding->instead = sg_check_copy(check, sg_log_line_get(line, "instead"));
	if (!sg_log_line_is(line, "chain", sg_log_line_text(line, "rule")))
		finding->chain = sg_check_copy(check, sg_log_line_get(line, "chain"));
}

static void add_answer(struct sg_check *check, const struct sg_log_line *line)
{
	struct sg_check_subject *answer = sg_check_grow(check, &check->answers, &check->answer_count, sizeof(*answer));

	if (!answer)
		return;
	answer->name = sg_check_copy(check, sg_log_line_get(line, "rule"));
	answer->file = sg_check_copy(check, sg_log_line_get(line, "run_id"));
}

static void add_private(struct sg_check *check, const struct sg_log_line *line)
{
	const char *object = sg_log_line_get(line, "object"), *holder = sg_log_line_get(line, "holder");
	struct sg_finding *finding = sg_check_add(check, SG_FINDING_WARNING, "private", NULL,
			"%s%s%s cannot be saved between runs (%s)%s%s: %s",
			object ? object : sg_log_line_text(line, "module"), sg_log_line_get(line, "type") ? ", a " : "",
			sg_log_line_text(line, "type"), sg_log_line_text(line, "reason"), holder ? ", held by " : "",
			holder ? holder : "", sg_log_line_text(line, "effect"));

	if (finding)
		finding->instead = sg_check_copy(check, sg_log_line_get(line, "setting"));
}

/* A line that says something of a module, as it is. */
static void add_plain(struct sg_check *check, enum sg_finding_level level, const struct sg_log_line *line)
{
	static const char *const keys[] = {"module", "object", "name", "rule", "source", "reason", "effect", "refusal", "setting"};
	struct sg_finding *finding;
	char text[1600] = "";
	size_t length = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && length < sizeof(text); i++) {
		const char *value = sg_log_line_get(line, keys[i]);

		if (value)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", length ? ": " : "", value);
	}
	finding = sg_check_add(check, level, sg_log_line_text(line, "event"), sg_log_line_get(line, "where"), "%s", text);
	if (finding)
		finding->workflow = sg_check_copy(check, sg_log_line_get(line, "workflow_type"));
}

static void take_log_line(struct sg_check *check, const struct sg_log_line *line)
{
	static const struct {
		const char *event;
		enum sg_finding_level level;
	} plain[] = {
		{"lost", SG_FINDING_ERROR}, {"zone", SG_FINDING_WARNING}, {"apart", SG_FINDING_NOTE},
		{"unanswered", SG_FINDING_NOTE}, {"unguarded", SG_FINDING_WARNING},
	};
	const char *event = sg_log_line_text(line, "event");

	if (strcmp(event, "start") == 0 && !check->mode) {
		check->mode = sg_check_copy(check, sg_log_line_get(line, "mode"));
		check->python = sg_check_copy(check, sg_log_line_get(line, "python"));
		check->engine = sg_check_copy(check, sg_log_line_get(line, "engine"));
		check->sdk = sg_check_copy(check, sg_log_line_get(line, "sdk"));
	} else if (strcmp(event, "dormant") == 0) {
		sg_check_problem(check, NULL, "not guarded: %s", sg_log_line_text(line, "reason"));
	} else if (strcmp(event, "violation") == 0) {
		add_violation(check, line);
	} else if (strcmp(event, "answered") == 0) {
		add_answer(check, line);
	} else if (strcmp(event, "private") == 0) {
		add_private(check, line);
	} else if (strcmp(event, "shared") == 0) {
		sg_check_add(check, SG_FINDING_NOTE, event, NULL, "all runs share %s, which is not executed for each: it %s",
				sg_log_line_text(line, "module"), sg_log_line_text(line, "reason"));
	} else if (strcmp(event, "swallowed") == 0) {
		sg_check_add(check, SG_FINDING_NOTE, event, NULL, "%s has caught a refusal; its task fails all the same",
				sg_log_line_text(line, "workflow_type"));
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(plain[i].event, event) == 0)
			add_plain(check, plain[i].level, line);
}

/* --- the driver --------------------------------------------------------------------------------- */

static void take_workflow(struct sg_check *check, const struct sg_log_line *line)
{
	struct sg_check_subject *workflow = sg_check_grow(check, &check->workflows, &check->workflow_count, sizeof(*workflow));
	const char *fault = sg_log_line_get(line, "text"), *cause = sg_log_line_get(line, "cause");
	struct sg_finding *finding;

	if (!workflow)
		return;
	workflow->name = sg_check_copy(check, sg_log_line_get(line, "name"));
	workflow->file = copy_place(check, sg_log_line_get(line, "where"), &workflow->line);
	workflow->guarded = sg_log_line_number(line, "guarded");
	workflow->loaded = !fault && !sg_log_line_get(line, "refused");
	if (!fault)
		return;
	finding = sg_check_add(check, SG_FINDING_ERROR, "load", cause ? cause : sg_log_line_get(line, "where"),
			"workflow %s cannot be made: %s", sg_log_line_text(line, "name"), fault);
	if (finding)
		finding->workflow = sg_check_copy(check, sg_log_line_get(line, "name"));
}

/* Was something refused in that run? Then it is known why its replay failed. */
static bool is_explained(const struct sg_check *check, const char *run_id)
{
	for (size_t i = 0; run_id && i < check->finding_count; i++) {
		const struct sg_finding *finding = &check->findings[i];

		if (finding->level == SG_FINDING_ERROR && finding->history && strcmp(finding->history, run_id) == 0)
			return true;
	}
	return false;
}

static void rename_history(struct sg_check *check, char **history, const char *run_id, const char *path)
{
	if (!*history || strcmp(*history, run_id) != 0)
		return;
	free(*history);
	*history = sg_check_copy(check, path);
}

/* The object knows the run by its id, the user by the file of its history. */
static void name_history(struct sg_check *check, const char *run_id, const char *path)
{
	for (size_t i = 0; run_id && i < check->finding_count; i++)
		rename_history(check, &check->findings[i].history, run_id, path);
	for (size_t i = 0; run_id && i < check->answer_count; i++)
		rename_history(check, &check->answers[i].file, run_id, path);
}

static void take_history(struct sg_check *check, const struct sg_log_line *line, const char *state)
{
	struct sg_check_subject *history = sg_check_grow(check, &check->histories, &check->history_count, sizeof(*history));
	const char *fault = sg_log_line_get(line, "text"), *path = sg_log_line_text(line, "history");
	const char *run_id = sg_log_line_get(line, "run_id");
	bool replayed = strcmp(state, "replayed") == 0;
	struct sg_finding *finding;

	if (!history)
		return;
	history->file = sg_check_copy(check, path);
	history->name = sg_check_copy(check, sg_log_line_get(line, "workflow"));
	history->state = sg_check_copy(check, replayed && fault ? "failed" : state);
	if (replayed && fault && !is_explained(check, run_id)) {
		finding = sg_check_add(check, SG_FINDING_ERROR, "replay", sg_log_line_get(line, "where"), "%s does not replay: %s", path, fault);
		if (finding) {
			finding->history = sg_check_copy(check, path);
			finding->workflow = sg_check_copy(check, history->name);
			if (strstr(fault, "history says"))
				finding->instead = sg_check_copy(check,
						"workflow.patched() around what has changed; the line made the last command before");
		}
	} else if (strcmp(state, "unreadable") == 0) {
		sg_check_problem(check, path, "%s is not a history: %s", path, fault ? fault : "");
	} else if (sg_log_line_number(line, "asked")) {
		sg_check_problem(check, path, "%s is of workflow %s, which is none of those loaded", path, history->name ? history->name : "?");
	}
	if (replayed)
		name_history(check, run_id, path);
}

static void begin(struct sg_check *check, const char *what, const char *name)
{
	free(check->busy);
	if (asprintf(&check->busy, "%s%s", what, name) < 0)
		check->busy = NULL;
}

static void take_driver_line(struct sg_check *check, const struct sg_log_line *line)
{
	const char *event = sg_log_line_text(line, "event"), *target = sg_log_line_text(line, "target");
	const char *where = sg_log_line_get(line, "where");

	if (strcmp(event, "workflow") == 0)
		take_workflow(check, line);
	else if (strcmp(event, "replayed") == 0)
		take_history(check, line, event);
	else if (strcmp(event, "foreign") == 0)
		take_history(check, line, "left out");
	else if (strcmp(event, "unreadable") == 0)
		take_history(check, line, event);
	else if (strcmp(event, "broken") == 0)
		sg_check_problem(check, NULL, "%s", sg_log_line_text(line, "text"));
	else if (strcmp(event, "unloadable") == 0)
		sg_check_problem(check, where ? where : target, "%s cannot be imported: %s%s%s", target, sg_log_line_text(line, "text"),
				where ? ", at " : "", where ? where : "");
	else if (strcmp(event, "double") == 0)
		sg_check_problem(check, where, "workflow %s is at %s and at %s: only the first was checked", sg_log_line_text(line, "name"),
				sg_log_line_text(line, "first"), where);
	else if (strcmp(event, "bare") == 0)
		sg_check_problem(check, NULL, "%s has no *.json: no history", sg_log_line_text(line, "folder"));
	else if (strcmp(event, "empty") == 0 && sg_log_line_get(line, "wanted"))
		sg_check_problem(check, target, "%s has no workflow %s of %s%s%s", target, sg_log_line_text(line, "wanted"),
				sg_log_line_text(line, "engine"), sg_log_line_get(line, "names") ? "; it has " : "", sg_log_line_text(line, "names"));
	else if (strcmp(event, "empty") == 0)
		sg_check_add(check, SG_FINDING_NOTE, "empty", NULL, "%s has no workflow of %s; those of other engines are guarded where a "
				"worker runs them", target, sg_log_line_text(line, "engine"));
	else if (strcmp(event, "loading") == 0 || strcmp(event, "replaying") == 0)
		begin(check, *target ? "importing " : "replaying ", *target ? target : sg_log_line_text(line, "history"));
}

/* A driver that stopped, or that histories of other workflows were given, is trouble as well. */
static void look_at_end(struct sg_check *check, bool ended)
{
	size_t replayed = 0;

	for (size_t i = 0; i < check->history_count; i++)
		replayed += check->histories[i].state && strcmp(check->histories[i].state, "left out") != 0;
	if (!ended && check->ended_by)
		sg_check_problem(check, NULL, "Python was ended by signal %d while %s", check->ended_by, check->busy ? check->busy : "starting");
	else if (!ended && !check->problem_count)
		sg_check_problem(check, NULL, "Python ended while %s, before the check was done", check->busy ? check->busy : "starting");
	else if (check->asked && check->workflow_count && !replayed && !check->problem_count)
		sg_check_problem(check, NULL, "none of the %zu histories is of a workflow that was loaded: nothing was replayed",
				check->history_count);
	/* The engine's own run, by which it tries a workflow, has no history. */
	for (size_t i = 0; i < check->finding_count; i++) {
		struct sg_finding *finding = &check->findings[i];
		bool known = false;

		for (size_t k = 0; finding->history && k < check->history_count && !known; k++)
			known = check->histories[k].file && strcmp(check->histories[k].file, finding->history) == 0;
		if (!known) {
			free(finding->history);
			finding->history = NULL;
		}
	}
}

void sg_check_gather(struct sg_check *check, FILE *log, FILE *driver)
{
	struct sg_log_line line;
	size_t room = 0;
	char *text = NULL;
	bool ended = false;

	while (log && getline(&text, &room, log) >= 0)
		if (sg_log_line_parse(&line, text))
			take_log_line(check, &line);
	while (getline(&text, &room, driver) >= 0) {
		sg_log_line_fields(&line, text);
		take_driver_line(check, &line);
		ended |= sg_log_line_is(&line, "event", "end") || sg_log_line_is(&line, "event", "broken");
	}
	free(text);
	look_at_end(check, ended);
}

/* --- worlds ------------------------------------------------------------------------------------- */

/* What a world's driver says of one history after another: its commands, and then that it has been replayed. */
struct reader {
	FILE *file;
	char *text;
	size_t room;
	struct sg_log_line line;
	long number;            /* of the command in its history, from 1 */
	bool there, at_end;     /* of the file; of a history */
};

static void next_line(struct reader *reader)
{
	if (reader->at_end)
		reader->number = 0;
	while ((reader->there = getline(&reader->text, &reader->room, reader->file) >= 0)) {
		sg_log_line_fields(&reader->line, reader->text);
		reader->at_end = sg_log_line_is(&reader->line, "event", "replayed");
		reader->number++;
		if (reader->at_end || sg_log_line_is(&reader->line, "event", "command"))
			return;
		reader->number--;
	}
}

static void pass_history(struct reader *reader)
{
	while (reader->there && !reader->at_end)
		next_line(reader);
}

/* Does the finding that this would be stand there already, by another world? */
static bool is_known(const struct sg_check *check, const char *history)
{
	for (size_t i = 0; i < check->finding_count; i++)
		if (check->findings[i].rule && strcmp(check->findings[i].rule, "world") == 0 && check->findings[i].history &&
		    strcmp(check->findings[i].history, history) == 0)
			return true;
	return false;
}

/* The first line of a command's text that the other has not at the same place, without its blanks. */
static void differing_line(const char *text, const char *other, char *ret_line, size_t size)
{
	const char *start = text;

	for (; *text && *text == *other; text++, other++)
		if (*text == '\n')
			start = text + 1;
	start += strspn(start, " ");
	snprintf(ret_line, size, "%.*s", (int)strcspn(start, "\n"), start);
}

/* What was given a value of the engine's there, for one. */
static const char *answered_in(const struct sg_check *check, const char *history)
{
	for (size_t i = 0; i < check->answer_count; i++)
		if (check->answers[i].file && strcmp(check->answers[i].file, history) == 0)
			return check->answers[i].name;
	return NULL;
}

static void add_difference(struct sg_check *check, const struct reader *one, const struct reader *other, unsigned int world)
{
	const struct reader *made = one->at_end ? other : one;
	const char *kind = sg_log_line_text(&made->line, "kind"), *place = sg_log_line_get(&made->line, "where");
	const char *history = sg_log_line_text(&made->line, "history"), *answered;
	struct sg_finding *finding;
	char here[300], there[300];

	if (is_known(check, history))
		return;
	if (one->at_end || other->at_end) {
		finding = sg_check_add(check, SG_FINDING_ERROR, "world", place, "command %ld of the workflow, %s, is made in one world only "
				"(%u of 1 and %u)", made->number, kind, one->at_end ? world : 1, world);
	} else if (!sg_log_line_is(&other->line, "kind", kind)) {
		finding = sg_check_add(check, SG_FINDING_ERROR, "world", place, "command %ld of the workflow is %s; in world %u it is %s, made at %s",
				made->number, kind, world, sg_log_line_text(&other->line, "kind"), sg_log_line_text(&other->line, "where"));
	} else {
		differing_line(sg_log_line_text(&one->line, "text"), sg_log_line_text(&other->line, "text"), here, sizeof(here));
		differing_line(sg_log_line_text(&other->line, "text"), sg_log_line_text(&one->line, "text"), there, sizeof(there));
		finding = sg_check_add(check, SG_FINDING_ERROR, "world", place, "command %ld of the workflow, %s, has %s; in world %u it has %s",
				made->number, kind, here, world, there);
	}
	if (!finding)
		return;
	finding->history = sg_check_copy(check, history);
	finding->chain = sg_check_copy(check, sg_log_line_get(&made->line, "way"));
	answered = answered_in(check, history);
	if (answered && check->mode &&
	    asprintf(&finding->instead, "nothing, if it comes from %s: mode %s answers that, which is the same on replay; worlds do not", answered,
	    check->mode) < 0)
		finding->instead = NULL;
}

void sg_check_compare(struct sg_check *check, FILE *one, FILE *other, unsigned int world)
{
	struct reader first = {.file = one}, second = {.file = other};

	rewind(one);
	rewind(other);
	for (;;) {
		next_line(&first);
		next_line(&second);
		if (!first.there || !second.there)
			break;
		if (first.at_end != second.at_end ||
		    (!first.at_end && strcmp(sg_log_line_text(&first.line, "text"), sg_log_line_text(&second.line, "text")) != 0)) {
			add_difference(check, &first, &second, world);
			pass_history(&first);
			pass_history(&second);
		}
	}
	free(first.text);
	free(second.text);
}
