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
	else if (!check->asked)
		fputs(", nothing replayed (--history does)", file);
	if (left_out)
		fprintf(file, " (and %zu of other workflows)", left_out);
	if (check->worlds)
		fprintf(file, ", in %u world%s", check->worlds + 1, plural(check->worlds + 1));
	fprintf(file, ": %zu error%s, %zu warning%s", errors, plural(errors), warnings, plural(warnings));
	if (check->problem_count)
		fprintf(file, ", %zu thing%s not checked", check->problem_count, plural(check->problem_count));
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
		sg_json_string(file, check->problems[i].text);
	}
	fputs("]}\n", file);
}

/* Paths of SARIF are those of the repository. Its folder, or the working directory, with a slash at the end. */
static const char *root(void)
{
	static char folder[4096];
	char probe[sizeof(folder) + sizeof(".git")];

	if (*folder || !getcwd(folder, sizeof(folder) - 1))
		return folder;
	for (char *end = folder + strlen(folder); end; end = strrchr(folder, '/')) {
		*end = '\0';
		snprintf(probe, sizeof(probe), "%s/.git", folder);
		if (access(probe, F_OK) == 0)
			break;
	}
	if (!*folder && !getcwd(folder, sizeof(folder) - 1))
		return folder;
	return strcat(folder, "/");
}

static void sarif_place(FILE *file, const char *path, long line)
{
	char whole[4096];

	if (realpath(path, whole))
		path = whole;
	if (strncmp(path, root(), strlen(root())) == 0)
		path += strlen(root());
	fputs(",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"", file);
	if (*path == '/')
		fputs("file://", file);
	for (const char *at = path; *at; at++) {
		bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || strchr("/-._~", *at);

		fprintf(file, plain ? "%c" : "%%%02X", (unsigned char)*at);
	}
	fprintf(file, "\"%s},\"region\":{\"startLine\":%ld}}}]", *path == '/' ? "" : ",\"uriBaseId\":\"%SRCROOT%\"", line > 0 ? line : 1);
}

/* Where a finding without a place belongs: the workflow that it is about, or one at all. */
static const struct sg_check_subject *workflow_of(const struct sg_check *check, const char *name)
{
	for (size_t i = 0; i < check->workflow_count; i++)
		if (name && check->workflows[i].name && strcmp(check->workflows[i].name, name) == 0)
			return &check->workflows[i];
	return check->workflow_count ? &check->workflows[0] : NULL;
}

static bool is_result(const struct sg_check *check, size_t index)
{
	const struct sg_finding *finding = &check->findings[index];

	return strcmp(finding->rule, "empty") != 0 && (finding->file || workflow_of(check, finding->workflow));
}

static bool is_first_of_rule(const struct sg_check *check, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_result(check, i) && strcmp(check->findings[i].rule, check->findings[index].rule) == 0)
			return false;
	return is_result(check, index);
}

#define UNCHECKED "unchecked"

/* SARIF has its texts in objects of their own. */
static void sarif_text(FILE *file, const char *separator, const char *key, const char *text)
{
	fprintf(file, "%s\"%s\":{", separator, key);
	json_text(file, "", "text", text);
	fputc('}', file);
}

static void sarif_rule(FILE *file, const char *separator, const char *id, const char *text, const char *help)
{
	fputs(separator, file);
	json_text(file, "{", "id", id);
	sarif_text(file, ",", "shortDescription", text);
	sarif_text(file, ",", "help", help);
	fputc('}', file);
}

static void sarif_rules(FILE *file, const struct sg_check *check)
{
	const char *separator = "";
	char help[600];

	for (size_t i = 0; i < check->finding_count; i++) {
		const struct sg_finding *finding = &check->findings[i];

		if (!is_first_of_rule(check, i))
			continue;
		snprintf(help, sizeof(help), "%s%s`sandglass explain %s` says more.", finding->instead ? finding->instead : "",
				finding->instead ? ". " : "", finding->rule);
		sarif_rule(file, separator, finding->rule, finding->message, help);
		separator = ",";
	}
	if (check->problem_count)
		sarif_rule(file, separator, UNCHECKED, "It could not be loaded or read", "What is there was not checked.");
}

static void sarif_result(FILE *file, const char *separator, const char *rule, const char *level, const char *text)
{
	fputs(separator, file);
	json_text(file, "{", "ruleId", rule);
	json_text(file, ",", "level", level);
	sarif_text(file, ",", "message", text);
}

static void sarif_finding(FILE *file, const struct sg_check *check, const struct sg_finding *finding, const char *separator)
{
	const struct sg_check_subject *workflow = workflow_of(check, finding->workflow);
	char *text;

	if (asprintf(&text, "%s%s%s%s%s%s%s%s%s", finding->message, finding->function ? ", in " : "",
			finding->function ? finding->function : "", finding->chain ? ". By way of: " : "", finding->chain ? finding->chain : "",
			finding->history ? ". History: " : "", finding->history ? shown_path(finding->history) : "",
			finding->instead ? ". Instead: " : "", finding->instead ? finding->instead : "") < 0)
		return;
	sarif_result(file, separator, finding->rule, levels[finding->level], text);
	sarif_place(file, finding->file ? finding->file : workflow->file, finding->file ? finding->line : workflow->line);
	fputc('}', file);
	free(text);
}

/* https://docs.oasis-open.org/sarif/sarif/v2.1.0/ */
void sg_check_sarif(FILE *file, const struct sg_check *check)
{
	const char *separator = "";

	fputs("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":"
			"{\"name\":\"sandglass\",\"version\":\"" SG_VERSION "\",\"rules\":[", file);
	sarif_rules(file, check);
	fputs("]}}", file);
	if (*root() && strcmp(root(), "/") != 0)
		fputs(",\"originalUriBaseIds\":{\"%SRCROOT%\":{\"description\":{\"text\":\"the repository\"}}}", file);
	fprintf(file, ",\"invocations\":[{\"executionSuccessful\":%s,\"toolExecutionNotifications\":[", check->problem_count ? "false" : "true");
	for (size_t i = 0; i < check->problem_count; i++, separator = ",") {
		fprintf(file, "%s{\"level\":\"error\"", separator);
		sarif_text(file, ",", "message", check->problems[i].text);
		fputc('}', file);
	}
	fputs("]}],\"results\":[", file);
	separator = "\n";
	for (size_t i = 0; i < check->finding_count; i++) {
		if (!is_result(check, i))
			continue;
		sarif_finding(file, check, &check->findings[i], separator);
		separator = ",\n";
	}
	for (size_t i = 0; i < check->problem_count; i++) {
		if (!check->problems[i].file || access(check->problems[i].file, F_OK) != 0)
			continue;
		sarif_result(file, separator, UNCHECKED, "error", check->problems[i].text);
		sarif_place(file, check->problems[i].file, check->problems[i].line);
		fputc('}', file);
		separator = ",\n";
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
	for (size_t i = 0; i < check->problem_count; i++) {
		free(check->problems[i].text);
		free(check->problems[i].file);
	}
	free(check->busy);
	release_subjects(check->workflows, check->workflow_count);
	release_subjects(check->histories, check->history_count);
	release_subjects(check->answers, check->answer_count);
	free(check->findings);
	free(check->problems);
	free(check->mode);
	free(check->python);
	free(check->engine);
	free(check->sdk);
}
