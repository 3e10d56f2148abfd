#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/text.h"

#include "config/names.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: sandglass explain [RULE|PATTERN...]\n"
	"What a worker started here would do about a name, why, and what to write instead; the "
	"environment and the\n"
	"files of SANDGLASS_CONFIG count. RULE: time.time, or the end of it: uuid4. PATTERN: "
	"'os.path.*', '*now*'.\n"
	"Without arguments: every rule, one line each.\n"
	"Exit status: 0, 1 no such rule, 2 wrong usage or a configuration that is not valid.\n";

#define LABEL 11

/* As shim/guard/decide.c has it: no way in is held to more than the action, strict makes no difference between the ways. */
static const char *action_name(const struct sg_config *config, const struct sg_rule *rule,
		enum sg_action way)
{
	enum sg_action most = config->mode == SG_MODE_STRICT ? rule->strict : rule->action;
	enum sg_action action = way < most ? way : most;

	if (config->mode == SG_MODE_STRICT && action == SG_ACTION_WARN)
		action = most;
	if ((config->mode == SG_MODE_WARN || config->mode == SG_MODE_OBSERVE) && action > SG_ACTION_WARN)
		action = SG_ACTION_WARN;
	return sg_config_action_name(action);
}

static void line(const char *label, const char *text)
{
	struct sg_wrap wrap = {stdout, LABEL + 2, 0, false};

	wrap.column = printf("  %-*s", LABEL, label);
	sg_wrap_text(&wrap, text);
	sg_wrap_end(&wrap);
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
			action_name(config, rule, SG_ACTION_BLOCK), action_name(config, rule, rule->at_import),
			action_name(config, rule, rule->via));
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
	line("instead", rule->replacement ? rule->replacement : "");
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
		sg_complain("explain", "%s: no rule has this name%s%s%s; accepted: the name of a "
				"rule, the end of one, "
				"or a pattern such as 'os.*'; all of them: sandglass explain", wanted,
				nearest.best ? ", did you mean " : "", nearest.best ? nearest.best : "",
				nearest.best ? "?" : "");
	return found;
}

static void list_all(const struct sg_config *config)
{
	printf("%-46s %-6s %-7s %-5s instead\n", "rule", "action", "import", "via");
	for (size_t i = 0; i < config->rule_count; i++) {
		const struct sg_rule *rule = &config->rules[i];

		/* One line each, so that grep works; cut where the line is full. */
		printf("%-46s %-6s %-7s %-5s %.32s%s\n", rule->name, action_name(config, rule,
				rule->action),
				action_name(config, rule, rule->at_import), action_name(config,
				rule, rule->via),
				rule->replacement ? rule->replacement : "",
				rule->replacement && strlen(rule->replacement) > 32 ? "..." : "");
	}
	printf("\n%zu rules. sandglass explain RULE says more about one.\n", config->rule_count);
}

int sg_command_explain(int count, char **arguments)
{
	struct sg_config config;
	int status = SG_EXIT_OK;
	bool off;

	for (int i = 1; i < count; i++) {
		if (!strcmp(arguments[i], "--help") || !strcmp(arguments[i], "-h")) {
			fputs(usage, stdout);
			return SG_EXIT_OK;
		}
		if (arguments[i][0] == '-' || !arguments[i][0]) {
			sg_complain("explain", "\"%s\": neither a rule nor a pattern; accepted: "
					"[RULE|PATTERN...]",
					arguments[i]);
			return SG_EXIT_TROUBLE;
		}
	}
	if (sg_command_config(&config, "explain", &off) != 0)
		return SG_EXIT_TROUBLE;
	if (off)
		printf("SANDGLASS=off: nothing of this is in force.\n");
	else if (config.mode != SG_MODE_ENFORCE)
		printf("mode %s\n", sg_config_mode_name(config.mode));
	if (count < 2)
		list_all(&config);
	for (int i = 1; i < count; i++)
		if (!explain(&config, arguments[i]))
			status = SG_EXIT_NO;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		sg_complain("explain", "the text cannot be written: %m");
		status = SG_EXIT_TROUBLE;
	}
	sg_config_release(&config);
	return status;
}
