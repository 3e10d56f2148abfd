#define _GNU_SOURCE 1

#include "config/command/check.h"
#include "config/command/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const levels[] = {"note", "warning", "error"};

size_t sg_check_count(const struct sg_check *check, enum sg_finding_level level)
{
	size_t count = 0;

	for (size_t i = 0; i < check->finding_count; i++)
		count += check->findings[i].level == level;
	return count;
}

/* As seen from the working directory, where it lies there. */
static const char *shown_path(const char *path)
{
	static char directory[4096];
	size_t length;

	if (!*directory && !getcwd(directory, sizeof(directory)))
		return path;
	length = strlen(directory);
	return strncmp(path, directory, length) == 0 && path[length] == '/' ? path + length + 1 : path;
}

static void print_finding(FILE *file, const struct sg_finding *finding)
{
	if (finding->file) {
		sg_text_name(file, shown_path(finding->file));
		fprintf(file, ":%ld: ", finding->line);
	}
	fprintf(file, "%s: ", levels[finding->level]);
	sg_text_name(file, finding->message ? finding->message : "");
	if (finding->function) {
		fputs(" (in ", file);
		sg_text_name(file, finding->function);
		fputc(')', file);
	}
	fputc('\n', file);
	if (finding->chain) {
		fputs("    by way of: ", file);
		sg_text_name(file, finding->chain);
		fputc('\n', file);
	}
	if (finding->instead) {
		fputs("    instead: ", file);
		sg_text_name(file, finding->instead);
		fputc('\n', file);
	}
	if (finding->history) {
		fputs("    history: ", file);
		sg_text_name(file, shown_path(finding->history));
		fputc('\n', file);
	}
}

static size_t count_state(const struct sg_check *check, const char *state)
{
	size_t count = 0;

	for (size_t i = 0; i < check->history_count; i++)
		count += check->histories[i].state && strcmp(check->histories[i].state, state) == 0;
	return count;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

void sg_check_text(FILE *file, const struct sg_check *check)
{
	size_t errors = sg_check_count(check, SG_FINDING_ERROR), warnings = sg_check_count(check, SG_FINDING_WARNING);
	size_t loaded = 0, left_out = count_state(check, "left out");

	for (size_t i = 0; i < check->finding_count; i++)
		print_finding(file, &check->findings[i]);
	for (size_t i = 0; i < check->workflow_count; i++) {
		loaded += check->workflows[i].loaded;
		if (!check->workflows[i].guarded) {
			fputs("note: ", file);
			sg_text_name(file, check->workflows[i].name ? check->workflows[i].name : "?");
			fputs(" is not guarded: its definition says sandboxed=False\n", file);
		}
	}
	if (check->problem_count && !check->workflow_count)
		return; /* that has been told */
	fprintf(file, "%zu of %zu workflow%s loaded", loaded, check->workflow_count, plural(check->workflow_count));
	if (check->history_count)
		fprintf(file, ", %zu of %zu histor%s replayed", count_state(check, "replayed"), check->history_count - left_out,
				check->history_count - left_out == 1 ? "y" : "ies");
	if (left_out)
		fprintf(file, " (%zu of other workflows)", left_out);
	if (check->worlds)
		fprintf(file, ", in %u world%s", check->worlds + 1, plural(check->worlds + 1));
	fprintf(file, ": %zu error%s, %zu warning%s", errors, plural(errors), warnings, plural(warnings));
	if (check->mode)
		fprintf(file, " (mode %s, Python %s, %s SDK %s)", check->mode, check->python, check->engine, check->sdk);
	fputc('\n', file);
}

/* ,"KEY":"VALUE" */
static void json_text(FILE *file, const char *separator, const char *key, const char *value)
{
	if (!value)
		return;
	fprintf(file, "%s\"%s\":", separator, key);
	sg_json_string(file, value);
}

void sg_check_json(FILE *file, const struct sg_check *check, int status)
{
	fputs("{\"version\":\"" SG_VERSION "\"", file);
	json_text(file, ",", "mode", check->mode);
	json_text(file, ",", "python", check->python);
	json_text(file, ",", "engine", check->engine);
	json_text(file, ",", "sdk", check->sdk);
	fprintf(file, ",\"status\":%d,\"workflows\":[", status);
	for (size_t i = 0; i < check->workflow_count; i++) {
		const struct sg_check_subject *workflow = &check->workflows[i];

		json_text(file, i ? ",{" : "{", "name", workflow->name ? workflow->name : "");
		json_text(file, ",", "file", workflow->file);
		fprintf(file, ",\"line\":%ld,\"guarded\":%d,\"loaded\":%d}", workflow->line, workflow->guarded, workflow->loaded);
	}
	fputs("],\"histories\":[", file);
	for (size_t i = 0; i < check->history_count; i++) {
		const struct sg_check_subject *history = &check->histories[i];

		json_text(file, i ? ",{" : "{", "file", history->file ? history->file : "");
		json_text(file, ",", "workflow", history->name);
		json_text(file, ",", "state", history->state);
		fputc('}', file);
	}
	fputs("],\"findings\":[", file);
	for (size_t i = 0; i < check->finding_count; i++) {
		const struct sg_finding *finding = &check->findings[i];

		json_text(file, i ? ",\n{" : "\n{", "level", levels[finding->level]);
		json_text(file, ",", "rule", finding->rule);
		json_text(file, ",", "message", finding->message);
		json_text(file, ",", "file", finding->file);
		if (finding->file)
			fprintf(file, ",\"line\":%ld", finding->line);
		json_text(file, ",", "function", finding->function);
		json_text(file, ",", "workflow", finding->workflow);
		json_text(file, ",", "history", finding->history);
		json_text(file, ",", "chain", finding->chain);
		json_text(file, ",", "instead", finding->instead);
		fputc('}', file);
	}
	fputs("],\"problems\":[", file);
	for (size_t i = 0; i < check->problem_count; i++) {
		fputs(i ? "," : "", file);
		sg_json_string(file, check->problems[i]);
	}
	fputs("]}\n", file);
}

static bool is_first_of_rule(const struct sg_check *check, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(check->findings[i].rule, check->findings[index].rule) == 0)
			return false;
	return true;
}

static void sarif_place(FILE *file, const struct sg_finding *finding)
{
	const char *path = shown_path(finding->file);

	fputs(",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"", file);
	if (*path == '/')
		fputs("file://", file);
	for (; *path; path++) {
		bool plain = (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') || (*path >= '0' && *path <= '9') ||
			strchr("/-._~", *path);

		fprintf(file, plain ? "%c" : "%%%02X", (unsigned char)*path);
	}
	fprintf(file, "\"},\"region\":{\"startLine\":%ld}}}]", finding->line > 0 ? finding->line : 1);
}

/* https://docs.oasis-open.org/sarif/sarif/v2.1.0/ */
void sg_check_sarif(FILE *file, const struct sg_check *check)
{
	const char *separator = "";

	fputs("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":"
			"{\"name\":\"sandglass\",\"version\":\"" SG_VERSION "\",\"rules\":[", file);
	for (size_t i = 0; i < check->finding_count; i++) {
		if (!is_first_of_rule(check, i))
			continue;
		json_text(file, i ? ",{" : "{", "id", check->findings[i].rule);
		fputc('}', file);
	}
	fprintf(file, "]}},\"invocations\":[{\"executionSuccessful\":%s,\"toolExecutionNotifications\":[",
			check->problem_count ? "false" : "true");
	for (size_t i = 0; i < check->problem_count; i++, separator = ",") {
		fprintf(file, "%s{\"level\":\"error\",\"message\":{", separator);
		json_text(file, "", "text", check->problems[i]);
		fputs("}}", file);
	}
	fputs("]}],\"results\":[", file);
	for (size_t i = 0; i < check->finding_count; i++) {
		const struct sg_finding *finding = &check->findings[i];
		char *text;

		if (asprintf(&text, "%s%s%s%s", finding->message, finding->instead ? ". Instead: " : "",
				finding->instead ? finding->instead : "", finding->instead ? "." : "") < 0)
			continue;
		json_text(file, i ? ",\n{" : "\n{", "ruleId", finding->rule);
		json_text(file, ",", "level", levels[finding->level]);
		json_text(file, ",\"message\":{", "text", text);
		fputc('}', file);
		if (finding->file)
			sarif_place(file, finding);
		fputc('}', file);
		free(text);
	}
	fputs("]}]}\n", file);
}

static void release_subjects(struct sg_check_subject *subjects, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(subjects[i].name);
		free(subjects[i].file);
		free(subjects[i].state);
	}
	free(subjects);
}

void sg_check_release(struct sg_check *check)
{
	for (size_t i = 0; i < check->finding_count; i++) {
		struct sg_finding *finding = &check->findings[i];
		char *texts[] = {finding->rule, finding->message, finding->file, finding->function, finding->workflow, finding->history,
			finding->chain, finding->instead};

		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			free(texts[k]);
	}
	for (size_t i = 0; i < check->problem_count; i++)
		free(check->problems[i]);
	release_subjects(check->workflows, check->workflow_count);
	release_subjects(check->histories, check->history_count);
	free(check->findings);
	free(check->problems);
	free(check->mode);
	free(check->python);
	free(check->engine);
	free(check->sdk);
}
