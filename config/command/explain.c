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
	"MESSAGE: the text of a refusal, a line of the log, or a finding of `sandglass check`, in quotes: its rule, where it\n"
	"was, and what can be done. A finding without a rule goes by its id: replay, world, load, private ...\n"
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

/* Findings of check that are about no rule, and what their text has in it. */
static const struct {
	const char *id, *mark, *meaning;
} ids[] = {
	{"load", " cannot be made: ", "the workflow's file could not be imported, or its class is no definition: what is raised is in the finding, "
		"and no worker could take it either"},
	{"replay", " does not replay: ", "with the code as it is now, the workflow asked for other things than its history has: what it does has "
		"changed without a patch or a version, or it depends on something that is not in the history"},
	{"world", " of the workflow", "replayed with another clock, zone, locale, hash seed or environment, the workflow made another command: "
		"what it asks there gets into what it does"},
	{"private", " cannot be saved between runs", "a module of the workflow holds an object whose content cannot be saved, so each run "
		"executes these modules for itself: correct, but slower to start"},
	{"swallowed", NULL, "workflow code caught a refusal and went on; the task fails all the same"},
	{"lost", NULL, "what a run changed could not be kept apart from other runs: such runs fail their next task and begin anew"},
	{"zone", NULL, "workflow code asks for local time, and the zone is that of the host: SANDGLASS_TZ says which one is meant"},
	{"apart", NULL, "a library that could be shared is executed for these runs, since it does not accept twice what they register with it"},
	{"shared", NULL, "a library that each run would execute is shared by all of them, since it cannot be executed twice"},
	{"unanswered", NULL, "this Python cannot be given an answer of that kind, so such calls are not answered"},
	{"unguarded", NULL, "a rule could not be put into force in this Python or SDK: calls of that name are not seen"},
};

#define IDS (sizeof(ids) / sizeof(ids[0]))

static void explain_id(size_t index)
{
	puts(ids[index].id);
	line("finding", ids[index].meaning);
}

#define ALL_ENGINES ~0u

static bool is_meant(unsigned int engines, size_t index)
{
	return index >= 32 || engines & 1u << index;
}

/* Each engine has its own words for it. */
static void explain_replacement(const struct sg_config *config, const char *replacement, unsigned int engines)
{
	char words[SG_WORDS_SIZE], text[SG_WORDS_SIZE + 64];
	bool first = true;

	if (!strchr(replacement, '{')) {
		line("instead", replacement);
		return;
	}
	for (size_t i = 0; i < config->engine_count; i++) {
		if (!is_meant(engines, i))
			continue;
		sg_words_put(config, config->engines[i].name, replacement, words, sizeof(words));
		snprintf(text, sizeof(text), "%s: %s", config->engines[i].name, words);
		line(first ? "instead" : "", text);
		first = false;
	}
}

static void explain_rule(const struct sg_config *config, const struct sg_rule *rule, unsigned int engines)
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
	line("mode", sg_config_mode_name(config->mode));
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
	explain_replacement(config, rule->replacement ? rule->replacement : "", engines);
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
	return strpbrk(wanted, "*?[") ? fnmatch(wanted, name, 0) == 0 : sg_name_ends_in(name, wanted);
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
	line("find out", "sandglass check FILE --history HISTORY, or a worker with SANDGLASS=warn");
	list_neighbours(config, wanted);
}

static size_t explain(const struct sg_config *config, const char *wanted)
{
	struct sg_nearest nearest = {.written = wanted};
	const struct sg_rule *exact = sg_config_rule(config, wanted);
	size_t found = 0;

	for (size_t i = 0; i < IDS; i++)
		if (strcmp(ids[i].id, wanted) == 0) {
			explain_id(i);
			found++;
		}
	for (size_t i = 0; i < config->rule_count; i++) {
		const struct sg_rule *rule = &config->rules[i];

		sg_nearest_offer(&nearest, rule->name);
		if (exact ? rule == exact : fits(wanted, rule->name)) {
			explain_rule(config, rule, ALL_ENGINES);
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

/* What a message or a line tells; empty: it does not. */
struct told {
	char name[300], place[600], way[600], setting[600], instead[SG_WORDS_SIZE];
	bool changed; /* a name of what is shared, not of a rule */
};

/* Those whose words it has; where it has nobody's, all of them. */
static unsigned int engines_of(const struct sg_config *config, const struct sg_rule *rule, const struct told *told)
{
	char words[SG_WORDS_SIZE];
	unsigned int found = 0;

	for (size_t i = 0; rule && rule->replacement && i < config->engine_count && i < 32; i++)
		if (strcmp(sg_words_put(config, config->engines[i].name, rule->replacement, words, sizeof(words)), told->instead) == 0)
			found |= 1u << i;
	return found ? found : ALL_ENGINES;
}

/* What can be done about a refusal, the smallest first. */
static void list_options(const struct sg_config *config, const struct sg_rule *rule, const struct told *told, unsigned int engines)
{
	char text[SG_WORDS_SIZE + 200], words[SG_WORDS_SIZE];
	bool variable = strncmp(told->setting, "SANDGLASS_RULES=", strlen("SANDGLASS_RULES=")) == 0;

	line("options", "write what stands at \"instead\"; or move the call into an activity");
	for (size_t i = 0; i < config->engine_count; i++) {
		sg_words_put(config, config->engines[i].name, "{unrestricted}", words, sizeof(words));
		if (*words == '{' || !is_meant(engines, i))
			continue; /* an engine without such a block */
		snprintf(text, sizeof(text), "%s: allow the block: %s, where its answer cannot change what the workflow does",
				config->engines[i].name, words);
		line("", text);
	}
	if (*told->setting && (!rule || !variable))
		snprintf(text, sizeof(text), "allow it on this worker: %s", told->setting);
	else
		snprintf(text, sizeof(text), "allow the name on this worker: SANDGLASS_RULES=%.200s=allow, or =warn to be told of it",
				!rule ? "" : rule->setting ? rule->setting : rule->name);
	if (rule || *told->setting)
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

/* A line of the log; shim/guard/decide.c and shim/native/native.c write them. */
static void read_line(const struct sg_log_line *log, struct told *told)
{
	snprintf(told->name, sizeof(told->name), "%s", sg_log_line_text(log, "rule"));
	snprintf(told->place, sizeof(told->place), "%s in %s", sg_log_line_text(log, "where"), sg_log_line_text(log, "function"));
	snprintf(told->way, sizeof(told->way), "%s", sg_log_line_text(log, "chain"));
	snprintf(told->instead, sizeof(told->instead), "%s", sg_log_line_text(log, "instead"));
	if (sg_log_line_is(log, "origin", "native"))
		snprintf(told->setting, sizeof(told->setting), "a line \"%.300s = allow only=%.50s | REASON\" in section [native] of a file "
				"named by SANDGLASS_CONFIG", sg_log_line_text(log, "object"), sg_log_line_text(log, "family"));
}

/* The text of a refusal, as the same two make it. */
static void read_refusal(const char *message, struct told *told)
{
	cut_out(message, "Cannot access ", " from inside", told->name, sizeof(told->name));
	if (!*told->name) {
		cut_out(message, "Cannot change ", " from inside", told->name, sizeof(told->name));
		told->changed = *told->name;
	}
	cut_out(message, told->changed ? "hanged " : "alled ", ". Instead: ", told->place, sizeof(told->place));
	for (const char *way = told->place; (way = strstr(way, " (")); way++) /* the last one: an object or a library may be before it */
		cut_out(way, " (", ")", told->way, sizeof(told->way));
	if (!strstr(told->way, " -> "))
		*told->way = '\0';
	cut_out(message, ". Instead: ", ". To allow it", told->instead, sizeof(told->instead));
	cut_out(message, "To allow it on this worker: ", "", told->setting, sizeof(told->setting));
	if (strncmp(told->setting, "SANDGLASS_", strlen("SANDGLASS_")) == 0)
		told->setting[strcspn(told->setting, " \"'")] = '\0'; /* what follows is another's */
	if (!*told->setting)
		cut_out(message, "To allow it: ", "", told->setting, sizeof(told->setting));
}

/* "FILE:LINE: LEVEL: RULE: REASON (in FUNCTION)", as check_report.c writes it; what follows it is all in one line now. Its id. */
static size_t read_finding(const struct sg_config *config, const char *message, struct told *told)
{
	static const char *const levels[] = {"error: ", "warning: ", "note: "};
	static const char *const ends[] = {" history: ", ""};
	const char *text = NULL, *function;
	char name[300];

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]) && !text; i++) {
		const char *found = strstr(message, levels[i]);

		if (found && (found == message || (found - message > 2 && found[-1] == ' ' && found[-2] == ':')))
			text = found + strlen(levels[i]);
	}
	if (!text)
		return IDS;
	cut_out(text, "", ": ", name, sizeof(name));
	if (!sg_config_rule(config, name) && strncmp(name, "native.", strlen("native.")) != 0) {
		size_t id = 0;

		while (id < IDS && !(ids[id].mark && strstr(text, ids[id].mark)))
			id++;
		return id;
	}
	function = strstr(text, " (in ");
	snprintf(told->name, sizeof(told->name), "%s", name);
	snprintf(told->place, sizeof(told->place), "%.*s", (int)strcspn(message, " "), message);
	if (told->place[0] && told->place[strlen(told->place) - 1] == ':')
		told->place[strlen(told->place) - 1] = '\0';
	if (text - message < 10)
		told->place[0] = '\0'; /* no file before the level */
	if (function && *told->place)
		snprintf(told->place + strlen(told->place), sizeof(told->place) - strlen(told->place), " in %.*s",
				(int)strcspn(function + strlen(" (in "), ")"), function + strlen(" (in "));
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && !*told->instead; i++)
		cut_out(text, " instead: ", ends[i], told->instead, sizeof(told->instead));
	cut_out(text, " by way of: ", *told->instead ? " instead: " : "", told->way, sizeof(told->way));
	return IDS;
}

/* 1, or 0: it is no message. */
static size_t explain_message(const struct sg_config *config, const char *wrapped)
{
	char *copy = strdup(wrapped), *message = unwrap(wrapped), name[300];
	const struct sg_rule *rule = NULL, *of_setting;
	struct told told = {.changed = false};
	unsigned int engines;
	struct sg_log_line log;
	size_t id = IDS;

	if (copy && message && sg_log_line_parse(&log, copy)) {
		read_line(&log, &told);
	} else if (message) {
		read_refusal(message, &told);
		if (!*told.name)
			id = read_finding(config, message, &told);
	}
	if (message && !*told.name && id == IDS)
		sg_complain("explain", "\"%.60s...\": neither a refusal nor a line of the log about a rule, nor a finding of sandglass check; "
				"accepted: the whole text, in quotes", message);
	free(message);
	free(copy);
	if (id < IDS)
		explain_id(id);
	if (!*told.name)
		return id < IDS;
	/* What a message says to allow is the rule, where the name is that of an object. */
	cut_out(told.setting, "SANDGLASS_RULES=", "=", name, sizeof(name));
	of_setting = *name ? sg_config_rule(config, name) : NULL;
	rule = told.changed ? NULL : sg_config_rule(config, told.name);
	if (!rule)
		rule = of_setting ? of_setting : sg_config_rule(config, told.name);
	engines = engines_of(config, rule, &told);
	if (rule) {
		explain_rule(config, rule, engines);
	} else {
		sg_text_name(stdout, told.name);
		putchar('\n');
		line("no rule", "of this name; the worker's own restrictions, or the C library as compiled code calls it, are behind it");
		if (*told.instead)
			line("instead", told.instead);
	}
	if (told.changed)
		line("changed", told.name);
	if (*told.place)
		line(told.changed ? "where" : "called", told.place);
	if (*told.way && strcmp(told.way, told.name) != 0)
		line("by way of", told.way);
	list_options(config, rule, &told, engines);
	return 1;
}

/* Words that a shell has made of a message: answered once, not each for itself. */
static bool is_taken_apart(int count, char **arguments)
{
	static const char *const words[] = {"Cannot", "because", "error:", "warning:", "note:", "sandglass"};

	for (int i = 0; i < count && count > 2; i++)
		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			if (strcmp(arguments[i], words[k]) == 0)
				return true;
	return false;
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
	printf("\n%zu rules. What is said of them is what mode %s does; sandglass explain RULE says more about one.\n", config->rule_count,
			sg_config_mode_name(config->mode));
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
	if (is_taken_apart(left, arguments)) {
		sg_complain("explain", "%s %s ...: several words; accepted: a message as one argument, in quotes", arguments[0], arguments[1]);
		return SG_EXIT_TROUBLE;
	}
	status = SG_EXIT_OK;
	if (sg_command_config(&config, "explain", &off) != 0)
		return SG_EXIT_TROUBLE;
	if (off)
		printf("SANDGLASS=off: nothing of this is in force.\n");
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
