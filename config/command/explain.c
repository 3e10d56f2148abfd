#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/line.h"
#include "config/command/options.h"
#include "config/command/text.h"

#include "config/names.h"
#include "config/words.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"usage: sandglass explain [RULE|PATTERN|MESSAGE...]\n"
	"What a worker started here would do about a name, why, and what to write instead; the environment and the\n"
	"files of SANDGLASS_CONFIG count. RULE: time.time, or the end of it: uuid4. PATTERN: 'os.path.*', '*now*'.\n"
	"MESSAGE: the text of a refusal, or a line of the log, in quotes: its rule, where it was, and what can be done.\n"
	"Without arguments: every rule, one line each.\n"
	"Exit status: 0, 1 no such rule, 2 wrong usage or a configuration that is not valid.\n";

#define LABEL 11

/* As shim/guard/decide.c has it: no way in is held to more than the action, strict makes no difference between the ways. */
static enum sg_action action_of(const struct sg_config *config, const struct sg_rule *rule, enum sg_action way)
{
	enum sg_action most = sg_config_is_strict(config) ? rule->strict : rule->action;
	enum sg_action action = way < most ? way : most;

	if (sg_config_is_strict(config) && action == SG_ACTION_WARN)
		action = most;
	if (!sg_config_refuses(config) && action > SG_ACTION_WARN)
		action = SG_ACTION_WARN;
	return action;
}

/* wanted: whoever asks in this way is answered, where there is an answer. */
static const char *name_of(const struct sg_config *config, const struct sg_rule *rule, enum sg_action action, bool wanted)
{
	if (action >= SG_ACTION_WARN && wanted && sg_config_refuses(config) && sg_config_has_answer(rule) &&
	    config->answered & 1u << rule->answer)
		action = SG_ACTION_ANSWER;
	else if (action == SG_ACTION_ANSWER)
		action = SG_ACTION_BLOCK;
	return sg_config_action_name(action);
}

static const char *at_run_time(const struct sg_config *config, const struct sg_rule *rule)
{
	enum sg_action action = action_of(config, rule, SG_ACTION_BLOCK);

	return name_of(config, rule, action, config->mode == SG_MODE_ANSWER || action == SG_ACTION_ANSWER);
}

static const char *at_import(const struct sg_config *config, const struct sg_rule *rule)
{
	return name_of(config, rule, action_of(config, rule, rule->at_import), false);
}

static const char *via(const struct sg_config *config, const struct sg_rule *rule)
{
	return name_of(config, rule, action_of(config, rule, rule->via), true);
}

static void line(const char *label, const char *text)
{
	struct sg_wrap wrap = {stdout, LABEL + 2, 0, false};

	wrap.column = printf("  %-*s", LABEL, label);
	sg_wrap_text(&wrap, text);
	sg_wrap_end(&wrap);
}

/* Each engine has its own words for it. */
static void explain_replacement(const struct sg_config *config, const char *replacement)
{
	char words[SG_WORDS_SIZE], text[SG_WORDS_SIZE + 64];

	if (!strchr(replacement, '{')) {
		line("instead", replacement);
		return;
	}
	for (size_t i = 0; i < config->engine_count; i++) {
		sg_words_put(config, config->engines[i].name, replacement, words, sizeof(words));
		snprintf(text, sizeof(text), "%s: %s", config->engines[i].name, words);
		line(i ? "" : "instead", text);
	}
}

static void explain_rule(const struct sg_config *config, const struct sg_rule *rule)
{
	static const char *const held[] = {
		"when it is called", "when it is met in a chain of calls",
				"for every function of the module",
		"when it is read", "when it is read or changed", "when what is shared is changed"
	};
	char text[512];

	sg_text_name(stdout, rule->name);
	putchar('\n');
	snprintf(text, sizeof(text), "%s at run time, %s while the workflow is imported, %s "
			"through a passed-through library",
			at_run_time(config, rule), at_import(config, rule), via(config, rule));
	line("action", text);
	if (rule->condition) {
		int length = snprintf(text, sizeof(text), "%s, condition %.200s", held[rule->guard],
				rule->condition);

		if (strcmp(rule->condition, "missing") == 0)
			snprintf(text + length, sizeof(text) - (size_t)length, ":%d",
					rule->condition_argument);
		line("holds", text);
	} else {
		line("holds", held[rule->guard]);
	}
	line("because", rule->reason ? rule->reason : "");
	explain_replacement(config, rule->replacement ? rule->replacement : "");
	if (rule->action == SG_ACTION_ALLOW)
		snprintf(text, sizeof(text), "it is; to refuse it: SANDGLASS_RULES=%.200s=block",
				rule->name);
	else
		snprintf(text, sizeof(text), "SANDGLASS_RULES=%.200s=allow", rule->setting ? rule->setting : rule->name);
	line("to allow", text);
	if (rule->line)
		snprintf(text, sizeof(text), "%.400s:%d", rule->source ? rule->source : "?", rule->line);
	else
		snprintf(text, sizeof(text), "%.400s", rule->source ? rule->source : "?");
	line("stated in", text);
}

static void explain_sink(const struct sg_sink *sink)
{
	static const char *const actions[] = {
		[SG_TRUST_NEAREST] = "trusted when it is the first code outside the standard library on "
				"the way to a call",
		[SG_TRUST_HOST] = "trusted, and so are libraries and code of the host that it calls back",
		[SG_TRUST_ANYWHERE] = "trusted, and so is what it calls back",
		[SG_TRUST_THROUGH] = "looked through, as the standard library is",
	};

	sg_text_name(stdout, sink->module);
	putchar('\n');
	line("action", actions[sink->trust]);
	line("because", sink->reason ? sink->reason : "");
}

/* A name, the end of one, or a pattern. */
static bool fits(const char *wanted, const char *name)
{
	size_t length = strlen(name), wanted_length = strlen(wanted);

	if (strpbrk(wanted, "*?["))
		return fnmatch(wanted, name, 0) == 0;
	if (wanted_length > length || strcmp(name + length - wanted_length, wanted) != 0)
		return false;
	return wanted_length == length || name[length - wanted_length - 1] == '.';
}

/* Rules below the same module, for a name that has none. */
static void list_neighbours(const struct sg_config *config, const char *wanted)
{
	size_t length = strcspn(wanted, "."), count = 0;
	char text[1200] = "";

	for (size_t i = 0; i < config->rule_count; i++) {
		const char *name = config->rules[i].name;
		size_t used = strlen(text);

		if (strncmp(name, wanted, length) != 0 || name[length] != '.')
			continue;
		if (++count <= 12)
			snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "", name);
	}
	if (count > 12)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " and %zu more: sandglass explain '%.*s.*'", count - 12, (int)length,
				wanted);
	if (count)
		line("beside it", text);
}

static void explain_unknown(const struct sg_config *config, const char *wanted, const char *nearest)
{
	sg_complain("explain", "%s: no rule has this name%s%s%s; accepted: the name of a rule, the end of one, a pattern such as "
			"'os.*', or a whole message; all of them: sandglass explain", wanted, nearest ? ", did you mean " : "",
			nearest ? nearest : "", nearest ? "?" : "");
	if (!sg_name_is_dotted(wanted))
		return;
	sg_text_name(stdout, wanted);
	putchar('\n');
	line("no rule", "it is not refused by its own name. What it calls is judged where it ends: in a clock, entropy, the environment, "
			"files, sockets, processes, threads. A refusal then names the way, NAME -> ... -> RULE");
	line("to find out", "sandglass check FILE --history HISTORY, or a worker with SANDGLASS=warn");
	list_neighbours(config, wanted);
}

static size_t explain(const struct sg_config *config, const char *wanted)
{
	struct sg_nearest nearest = {.written = wanted};
	const struct sg_rule *exact = sg_config_rule(config, wanted);
	size_t found = 0;

	for (size_t i = 0; i < config->rule_count; i++) {
		const struct sg_rule *rule = &config->rules[i];

		sg_nearest_offer(&nearest, rule->name);
		if (exact ? rule == exact : fits(wanted, rule->name)) {
			explain_rule(config, rule);
			found++;
		}
	}
	for (size_t i = 0; i < config->sink_count && !exact; i++)
		if (fits(wanted, config->sinks[i].module)) {
			explain_sink(&config->sinks[i]);
			found++;
		}
	if (!found)
		explain_unknown(config, wanted, nearest.best);
	return found;
}

/* What stands between two texts; empty: they are not there. */
static void cut_out(const char *message, const char *before, const char *after, char *part, size_t size)
{
	const char *start = strstr(message, before), *end;

	*part = '\0';
	if (!start)
		return;
	start += strlen(before);
	end = *after ? strstr(start, after) : start + strlen(start);
	if (end)
		snprintf(part, size, "%.*s", (int)(end - start), start);
}

/* What can be done about a refusal, the smallest first. */
static void list_options(const struct sg_config *config, const struct sg_rule *rule, const char *name)
{
	char text[SG_WORDS_SIZE + 200], words[SG_WORDS_SIZE];

	line("options", "write what stands at \"instead\"; or move the call into an activity");
	for (size_t i = 0; i < config->engine_count; i++) {
		sg_words_put(config, config->engines[i].name, "{unrestricted}", words, sizeof(words));
		if (*words == '{')
			continue; /* an engine without such a block */
		snprintf(text, sizeof(text), "%s: allow the block: %s, where its answer cannot change what the workflow does",
				config->engines[i].name, words);
		line("", text);
	}
	snprintf(text, sizeof(text), "allow the name on this worker: SANDGLASS_RULES=%.200s=allow, or =warn to be told of it",
			rule && rule->setting ? rule->setting : name);
	line("", text);
	if (rule && sg_config_has_answer(rule))
		line("", "have it answered with a value that is the same on replay: SANDGLASS=answer");
}

/* A terminal or a page may have wrapped it: every run of blanks and line ends is one blank. New text, or NULL. */
static char *unwrap(const char *text)
{
	char *line = malloc(strlen(text) + 1), *end = line;

	for (; line && *text; text++)
		if (!strchr(" \t\r\n", *text))
			*end++ = *text;
		else if (end != line && end[-1] != ' ')
			*end++ = ' ';
	if (line)
		*end = '\0';
	return line;
}

/* The text of a refusal, as shim/guard/decide.c makes it, or a line of the log. 1, or 0: it is neither. */
static size_t explain_message(const struct sg_config *config, const char *wrapped)
{
	char name[300], place[600], way[600], *copy = strdup(wrapped), *message = unwrap(wrapped);
	struct sg_log_line log;
	const struct sg_rule *rule = NULL;

	if (!copy || !message) {
		free(copy);
		free(message);
		return 0;
	}
	if (sg_log_line_parse(&log, copy)) {
		snprintf(name, sizeof(name), "%s", sg_log_line_text(&log, "rule"));
		snprintf(place, sizeof(place), "%s in %s", sg_log_line_text(&log, "where"), sg_log_line_text(&log, "function"));
		snprintf(way, sizeof(way), "%s", sg_log_line_text(&log, "chain"));
	} else {
		cut_out(message, "Cannot access ", " from inside", name, sizeof(name));
		if (!*name)
			cut_out(message, "Cannot change ", " from inside", name, sizeof(name));
		cut_out(message, "alled ", ". Instead: ", place, sizeof(place));
		if (!*place)
			cut_out(message, "hanged ", ". Instead: ", place, sizeof(place));
		cut_out(place, " (", ")", way, sizeof(way));
	}
	if (*name)
		rule = sg_config_rule(config, name);
	else
		sg_complain("explain", "\"%.60s...\": neither a refusal nor a line of the log about a rule; accepted: the whole text, in quotes",
				message);
	free(message);
	free(copy);
	if (!*name)
		return 0;
	if (rule) {
		explain_rule(config, rule);
	} else {
		sg_text_name(stdout, name);
		putchar('\n');
		line("no rule", "of this name; the worker's own restrictions, or a rule for every object of a kind, are behind it");
	}
	if (*place)
		line("called", place);
	if (*way && strcmp(way, name) != 0)
		line("by way of", way);
	list_options(config, rule, name);
	return 1;
}

static void list_all(const struct sg_config *config)
{
	printf("%-46s %-6s %-7s %-6s instead\n", "rule", "action", "import", "via");
	for (size_t i = 0; i < config->rule_count; i++) {
		const struct sg_rule *rule = &config->rules[i];
		const char *instead = rule->replacement ? rule->replacement : "";

		/* One line each, so that grep works; cut where the line is full. */
		printf("%-46s %-6s %-7s %-6s %.32s%s\n", rule->name, at_run_time(config, rule), at_import(config, rule),
				via(config, rule),
				instead, strlen(instead) > 32 ? "..." : "");
	}
	printf("\n%zu rules. sandglass explain RULE says more about one.\n", config->rule_count);
}

int sg_command_explain(int count, char **arguments)
{
	const struct sg_option options[] = {{0}};
	const struct sg_usage usage = {"explain", usage_text, options, "[RULE|PATTERN|MESSAGE...]", false};
	int status, left = sg_options_take(&usage, count, arguments, &status);
	struct sg_config config;
	bool off;

	if (left < 0)
		return status;
	status = SG_EXIT_OK;
	if (sg_command_config(&config, "explain", &off) != 0)
		return SG_EXIT_TROUBLE;
	if (off)
		printf("SANDGLASS=off: nothing of this is in force.\n");
	else if (config.mode != SG_MODE_ENFORCE)
		printf("mode %s\n", sg_config_mode_name(config.mode));
	if (!left)
		list_all(&config);
	for (int i = 0; i < left; i++)
		if (!(strchr(arguments[i], ' ') ? explain_message : explain)(&config, arguments[i]))
			status = SG_EXIT_NO;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		sg_complain("explain", "the text cannot be written: %m");
		status = SG_EXIT_TROUBLE;
	}
	sg_config_release(&config);
	return status;
}
