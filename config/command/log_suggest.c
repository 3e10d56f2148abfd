#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/entries.h"
#include "config/command/log_report.h"

#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for one more, with copies of both texts. */
static void suggest(struct sg_report *report, const char *setting, const char *text)
{
	struct sg_report_setting *grown = reallocarray(report->settings, report->setting_count + 1, sizeof(*grown));

	if (!grown) {
		report->out_of_memory = true;
		return;
	}
	report->settings = grown;
	grown += report->setting_count++;
	grown->setting = strdup(setting);
	grown->text = strdup(text);
	report->out_of_memory |= !grown->setting || !grown->text;
}

/* The configuration of a worker with these settings and no others. */
static int load(struct sg_config *ret_config, const char *mode, const char *rules, const char *file)
{
	char error[1024];

	sg_command_clear_settings();
	if (setenv("SANDGLASS", mode, 1) || (rules && *rules && setenv("SANDGLASS_RULES", rules, 1)) ||
	    (file && setenv("SANDGLASS_CONFIG", file, 1)))
		return -ENOMEM;
	return sg_config_load(ret_config, sg_condition_names, error, sizeof(error));
}

/* What a message says to allow: the name that a setting needs for this rule. */
static bool setting_name(const char *rule, char *name, size_t size)
{
	struct sg_config config;
	const struct sg_rule *found;

	if (load(&config, "enforce", NULL, NULL) != 0)
		return false;
	found = sg_config_rule(&config, rule);
	snprintf(name, size, "%s", found && found->setting ? found->setting : rule);
	sg_config_release(&config);
	return found != NULL;
}

/* Does a worker start with these settings, and does it let the rule pass? */
static bool lets_pass(const char *mode, const char *rules, const char *rule)
{
	const struct sg_rule *found;
	struct sg_config config;
	bool passes;

	if (load(&config, mode, rules, NULL) != 0)
		return false;
	found = sg_config_rule(&config, rule);
	passes = found && (sg_config_is_strict(&config) ? found->strict : found->action) <= SG_ACTION_WARN && found->at_import <= SG_ACTION_WARN;
	sg_config_release(&config);
	return passes;
}

/* Mode answer is strict but for what is answered. */
static bool is_refused(const struct sg_report_place *place, const char *mode)
{
	return strcmp(strcmp(mode, "enforce") == 0 ? place->enforce : place->strict, "block") == 0;
}

static bool is_first_of_rule(const struct sg_report *report, const char *mode, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(report->places[i].rule, report->places[index].rule) == 0 && is_refused(&report->places[i], mode))
			return false;
	return is_refused(&report->places[index], mode);
}

static size_t places_of_rule(const struct sg_report *report, const char *mode, const char *rule)
{
	size_t count = 0;

	for (size_t i = 0; i < report->place_count; i++)
		count += strcmp(report->places[i].rule, rule) == 0 && is_refused(&report->places[i], mode);
	return count;
}

/* The mode, but for what it would refuse; the code of those places is to be mended, and then the setting goes. */
static void suggest_mode(struct sg_report *report, const char *mode)
{
	char *rules = NULL, name[300], text[400];
	size_t size, left_out = 0, taken = 0;
	FILE *stream = open_memstream(&rules, &size);

	for (size_t i = 0; stream && i < report->place_count; i++) {
		char one[320];

		if (!is_first_of_rule(report, mode, i))
			continue;
		if (setting_name(report->places[i].rule, name, sizeof(name)) && snprintf(one, sizeof(one), "%s=warn", name) > 0 &&
		    lets_pass(mode, one, report->places[i].rule)) {
			fflush(stream);
			if (!rules || !strstr(rules, one))
				fprintf(stream, "%s%s", taken ? "," : "", one);
			taken += places_of_rule(report, mode, report->places[i].rule);
		} else {
			left_out += places_of_rule(report, mode, report->places[i].rule);
		}
	}
	if (!stream || fclose(stream) != 0) {
		report->out_of_memory = true;
		return;
	}
	/* Each by itself, and now all at once. */
	for (size_t i = 0; taken && i < report->place_count; i++)
		if (is_first_of_rule(report, mode, i) && setting_name(report->places[i].rule, name, sizeof(name)) && strstr(rules, name) &&
		    !lets_pass(mode, rules, report->places[i].rule))
			taken = 0;
	if (taken) {
		char *setting;

		snprintf(text, sizeof(text), "refuses all but what was seen (%zu place%s), which passes with a warning until it is mended%s",
				taken, taken == 1 ? "" : "s", left_out ? "; others have no rule of that name and would be refused" : "");
		if (asprintf(&setting, "SANDGLASS=%s SANDGLASS_RULES=%s", mode, rules) < 0) {
			report->out_of_memory = true;
		} else {
			suggest(report, setting, text);
			free(setting);
		}
	}
	free(rules);
}

static bool has_mode(const struct sg_report *report, const char *mode)
{
	for (size_t i = 0; i < report->process_count; i++)
		if (strcmp(report->processes[i].mode, mode) == 0)
			return true;
	return false;
}

/* A section that the log names, in a file: "[types] acme.Table = fixed | REASON, if ...". */
static void suggest_types(struct sg_report *report, const struct sg_report_other *other)
{
	char path[] = "/tmp/sandglass-report-XXXXXX", statement[700], text[900];
	size_t length = strcspn(other->setting, "|");
	struct sg_config config;
	FILE *file;
	int descriptor;

	if (strncmp(other->setting, "[types] ", strlen("[types] ")) != 0 || length >= sizeof(statement) - 16)
		return;
	descriptor = mkstemp(path);
	file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
	if (!file)
		return;
	snprintf(statement, sizeof(statement), "%.*s| REASON", (int)length, other->setting);
	fprintf(file, "[types]\n%s\n", statement + strlen("[types] "));
	if (fclose(file) == 0 && load(&config, "enforce", NULL, path) == 0) {
		snprintf(text, sizeof(text), "in a file of SANDGLASS_CONFIG: %.300s makes modules private, so that each run executes them%.300s",
				other->subject, other->setting + length + strcspn(other->setting + length, ","));
		suggest(report, statement, text);
		sg_config_release(&config);
	}
	unlink(path);
}

void sg_report_suggest(struct sg_report *report)
{
	static const char *const stricter[] = {"strict", "answer"};
	size_t refused = sg_report_would(report, "enforce", "block"), unknown = sg_report_would(report, "enforce", "");
	size_t strict = sg_report_would(report, "strict", "block"), strict_unknown = sg_report_would(report, "strict", "");
	struct sg_config config;

	if (!report->process_count)
		return;
	if (refused)
		suggest_mode(report, "enforce");
	else if (!unknown && (strict || strict_unknown))
		suggest(report, "SANDGLASS=enforce", "nothing that was seen would be refused");
	/* Who runs in such a mode already has reasons to. */
	for (size_t i = 0; i < 2 && strict; i++)
		if (has_mode(report, stricter[i]))
			suggest_mode(report, stricter[i]);
	if (!strict && !strict_unknown && !refused)
		suggest(report, "SANDGLASS=strict", "nothing that was seen would be refused, by whomever it was called");
	for (size_t i = 0; i < report->other_count; i++) {
		if (strcmp(report->others[i].event, "zone") == 0 && setenv("SANDGLASS_TZ", "UTC", 1) == 0 &&
		    sg_config_load(&config, sg_condition_names, (char[1024]){0}, 1024) == 0) {
			sg_config_release(&config);
			suggest(report, "SANDGLASS_TZ=UTC", "or another zone, the same on every worker: workflow code asks for local time");
			break;
		}
	}
	for (size_t i = 0; i < report->other_count; i++)
		suggest_types(report, &report->others[i]);
}
