#define _GNU_SOURCE 1

#include "config/rules.h"

#include "shim/base/decimal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOT_STATED (-1)
#define HIGHEST_ARGUMENT 99
#define ENTRIES "name:"
#define SET "set" /* of an entry */

static const char *const actions[] = {"allow", "log", "warn", "answer", "block", NULL};
static const char *const guards[] = {"call", "frame", "module", "read", "mapping", "store", NULL};
static const char *const words[] = {"import=", "via=", "when=", "guard=", "allow=", "strict=", "answer=", NULL};
/* In the order of enum sg_source. */
static const char *const sources[] = {"none", "clock", "random", "locale", "terminal", "entropy", "identity", "address", "order", "zeros", NULL};
static const char *const trusts[] = {"nearest", "host", "anywhere", "through", NULL};

/* What one line says; NOT_STATED and NULL where it is silent. */
struct statement {
	int action;
	int at_import;
	int via;
	int strict;
	int guard;
	int answer;
	bool states_condition;
	const char *condition; /* NULL with states_condition: always */
	int condition_argument;
	const char *entries;
	const char *setting;
	const char *reason;
	const char *replacement;
};

const char *sg_config_action_name(enum sg_action action)
{
	return actions[action];
}

const char *sg_config_source_name(enum sg_source source)
{
	return sources[source];
}

static int parse_condition(struct sg_draft *draft, struct statement *statement, char *text)
{
	char *number = strchr(text, ':');
	int index;
	int error;

	statement->states_condition = true;
	if (strncmp(text, ENTRIES, strlen(ENTRIES)) == 0 && text[strlen(ENTRIES)]) {
		statement->entries = text + strlen(ENTRIES);
		return 0;
	}
	if (number)
		*number++ = 0;
	if (!number && strcmp(text, "always") == 0)
		return 0;
	error = sg_draft_choose(draft, "condition", text, draft->known_conditions, &index);
	if (error)
		return error;
	statement->condition = draft->known_conditions[index];
	if (number) {
		const char *end;
		long argument = sg_decimal(number, &end);

		if (*number < '0' || *number > '9' || *end || argument > HIGHEST_ARGUMENT)
			return sg_draft_fail(draft, -EINVAL,
					"\"%.40s\" is no number for the condition %s; accepted: "
					"0 to %d",
					number, text, HIGHEST_ARGUMENT);
		statement->condition_argument = (int)argument;
	}
	return 0;
}

static int parse_word(struct sg_draft *draft, struct statement *statement, char *word)
{
	char *value = strchr(word, '=');
	char *name;
	int which;
	int error;

	/* The list has the '=' with each word, so a bare "import" is told what it lacks. */
	name = sg_draft_scratch(draft, word, value ? (size_t)(value + 1 - word) : strlen(word));
	if (!name)
		return -ENOMEM;
	error = sg_draft_choose(draft, "word after the action", name, words, &which);
	if (error)
		return error;
	error = sg_draft_state_once(draft, draft->key, name);
	if (error)
		return error;
	value++;
	if (!*value)
		return sg_draft_fail(draft, -EINVAL, "%s has no value", name);
	if (which == 2)
		return parse_condition(draft, statement, value);
	if (which == 3)
		return sg_draft_choose(draft, "guard", value, guards, &statement->guard);
	if (which == 4) {
		statement->setting = value;
		return 0;
	}
	if (which == 6)
		return sg_draft_choose(draft, "source", value, sources, &statement->answer);
	return sg_draft_choose(draft, "action", value, actions,
			which == 0 ? &statement->at_import : which == 1 ? &statement->via : &statement->strict);
}

/* "REASON | REPLACEMENT" */
static int parse_text(struct sg_draft *draft, struct statement *statement, char *text)
{
	char *replacement = strchr(text, '|');

	if (!replacement || strchr(replacement + 1, '|'))
		return sg_draft_fail(draft, -EINVAL,
				"wrong number of '|'; accepted: ACTION WORDS | REASON | "
				"REPLACEMENT");
	*replacement++ = 0;
	statement->reason = sg_draft_trim(text);
	statement->replacement = sg_draft_trim(replacement);
	if (!*statement->reason || !*statement->replacement)
		return sg_draft_fail(draft, -EINVAL,
				"the %s is empty; accepted: ACTION WORDS | REASON | REPLACEMENT",
				*statement->reason ? "replacement" : "reason");
	return 0;
}

static int parse_statement(struct sg_draft *draft, const char *value,
		struct statement *ret_statement)
{
	struct statement statement = {
			.at_import = NOT_STATED, .via = NOT_STATED, .strict = NOT_STATED, .guard = NOT_STATED,
			.answer = NOT_STATED};
	char *text, *rest, *word;
	int error;

	rest = sg_draft_scratch(draft, value, strlen(value));
	if (!rest)
		return -ENOMEM;
	text = strchr(rest, '|');
	if (text) {
		*text++ = 0;
		error = parse_text(draft, &statement, text);
		if (error)
			return error;
	}
	rest = sg_draft_trim(rest);
	word = strsep(&rest, " \t");
	error = sg_draft_choose(draft, "action", word, actions, &statement.action);
	while (!error && (word = strsep(&rest, " \t")))
		if (*word)
			error = parse_word(draft, &statement, word);
	if (!error)
		*ret_statement = statement;
	return error;
}

static enum sg_action lower(enum sg_action a, enum sg_action b)
{
	return a < b ? a : b;
}

static enum sg_action higher(enum sg_action a, enum sg_action b)
{
	return a > b ? a : b;
}

/*
 * Without this, "time.time = allow" would leave a "via=warn" behind that nobody asked for, and a
 * rule that is raised from allow to block would still let everything pass at import. Whoever states an action means
 * it in mode strict as well.
 */
static void change_actions(struct sg_rule *rule, const struct statement *statement)
{
	enum sg_action before = rule->action;
	enum sg_action action = statement->action;

	rule->action = action;
	rule->strict = statement->strict != NOT_STATED ? (enum sg_action)statement->strict : action;
	if (action < before) {
		rule->at_import = lower(rule->at_import, action);
		rule->via = lower(rule->via, action);
	} else if (action > before) {
		rule->at_import = higher(rule->at_import, lower(action, SG_ACTION_WARN));
		rule->via = higher(rule->via, lower(action, SG_ACTION_WARN));
	}
	if (statement->at_import != NOT_STATED)
		rule->at_import = statement->at_import;
	if (statement->via != NOT_STATED)
		rule->via = statement->via;
}

static void note_source(const struct sg_draft *draft, struct sg_rule *rule)
{
	rule->source = draft->line ? draft->source : "SANDGLASS_RULES";
	rule->line = draft->line;
	rule->stated = !draft->builtin;
}

/* What is allowed is so with all that lies below its name, functions without a rule of their own included. */
static int note_allowed(struct sg_draft *draft, const char *name, size_t length, enum sg_action action)
{
	char *copy = sg_draft_scratch(draft, name, length);

	if (!copy)
		return -ENOMEM;
	if (action == SG_ACTION_ALLOW)
		return sg_draft_list_add(draft, &draft->config.allowed, copy);
	sg_draft_list_remove(draft->config.allowed, copy);
	return 0;
}

static void allow_below(struct sg_draft *draft, const struct sg_rule *parent, const struct statement *statement)
{
	size_t length = strlen(parent->name);

	for (size_t i = 0; i < draft->config.rule_count; i++) {
		struct sg_rule *rule = &draft->config.rules[i];

		if (strncmp(rule->name, parent->name, length) != 0 || rule->name[length] != '.')
			continue;
		change_actions(rule, statement);
		note_source(draft, rule);
	}
}

static bool may_be_tested(const struct sg_rule *rule)
{
	bool of_entry = strcmp(rule->condition, SET) == 0;

	return of_entry ? rule->guard == SG_GUARD_MAPPING : rule->guard == SG_GUARD_CALL || rule->guard == SG_GUARD_READ;
}

static int fail_unanswered(struct sg_draft *draft, const struct sg_rule *rule, const struct statement *statement)
{
	const int stated[] = {statement->action, statement->at_import, statement->via, statement->strict};

	for (size_t i = 0; !sg_config_has_answer(rule) && i < sizeof(stated) / sizeof(stated[0]); i++)
		if (stated[i] == SG_ACTION_ANSWER)
			return sg_draft_fail(draft, -EINVAL, "%.100s has no answer; accepted: allow, log, warn, block",
					rule->name);
	return 0;
}

static int change_rule(struct sg_draft *draft, struct sg_rule *rule,
		const struct statement *statement)
{
	int error = note_allowed(draft, rule->name, strlen(rule->name), (enum sg_action)statement->action);

	if (error)
		return error;
	change_actions(rule, statement);
	/* The built-in file says for each name what it means. */
	if (statement->action == SG_ACTION_ALLOW && !draft->builtin)
		allow_below(draft, rule, statement);
	if (statement->guard != NOT_STATED)
		rule->guard = statement->guard;
	if (statement->answer != NOT_STATED)
		rule->answer = (enum sg_source)statement->answer;
	error = fail_unanswered(draft, rule, statement);
	if (error)
		return error;
	if (statement->states_condition) {
		rule->condition = statement->condition;
		rule->condition_argument = statement->condition_argument;
		rule->entries = NULL;
	}
	if (statement->entries && rule->guard != SG_GUARD_MAPPING)
		return sg_draft_fail(draft, -EINVAL, "the condition " ENTRIES "%.60s needs guard=mapping, and a name below that of a mapping",
				statement->entries);
	if (statement->entries)
		rule->entries = sg_draft_copy(draft, statement->entries, strlen(statement->entries));
	if (statement->entries && !rule->entries)
		return -ENOMEM;
	if (rule->condition && !may_be_tested(rule))
		return sg_draft_fail(draft, -EINVAL,
				"the condition %s cannot be tested with guard=%s; accepted: "
				"guard=call or read (" SET ": guard=mapping), or when=always",
				rule->condition, guards[rule->guard]);
	if (statement->reason) {
		rule->reason = sg_draft_copy(draft, statement->reason, strlen(statement->reason));
		rule->replacement = sg_draft_copy(
				draft, statement->replacement, strlen(statement->replacement));
		if (!rule->reason || !rule->replacement)
			return -ENOMEM;
	}
	if (statement->setting)
		rule->setting = sg_draft_copy(draft, statement->setting, strlen(statement->setting));
	if (statement->setting && !rule->setting)
		return -ENOMEM;
	note_source(draft, rule);
	return 0;
}

/* The one rule that ends in this name: "datetime.now" is short for datetime.datetime.now. NULL: none does, or several. */
static const char *rule_that_ends_in(const struct sg_draft *draft, const char *name)
{
	const char *found = NULL;

	for (size_t i = 0; i < draft->config.rule_count; i++) {
		if (!sg_name_ends_in(draft->config.rules[i].name, name))
			continue;
		if (found)
			return NULL;
		found = draft->config.rules[i].name;
	}
	return found;
}

static int fail_unknown_rule(struct sg_draft *draft, const char *name, const char *accepted)
{
	struct sg_nearest nearest = {.written = name};
	const char *meant = rule_that_ends_in(draft, name);

	for (size_t i = 0; i < draft->config.rule_count && !meant; i++)
		sg_nearest_offer(&nearest, draft->config.rules[i].name);
	meant = meant ? meant : nearest.best;
	return sg_draft_fail(draft, -EINVAL, "no rule is named %.100s%s%s%s; accepted: %s; `sandglass rules` lists them", name,
			meant ? ", did you mean " : "", meant ? meant : "", meant ? "?" : "", accepted);
}

/* prefix still has its ".*". */
static int change_prefix(struct sg_draft *draft, const char *prefix,
		const struct statement *statement)
{
	size_t length = strlen(prefix) - 1;
	bool found = false;

	if (statement->states_condition || statement->guard != NOT_STATED || statement->reason || statement->setting)
		return sg_draft_fail(draft, -EINVAL,
				"a prefix changes actions only; accepted: ACTION [import=ACTION] "
				"[via=ACTION] [strict=ACTION]");
	for (size_t i = 0; i < draft->config.rule_count; i++) {
		struct sg_rule *rule = &draft->config.rules[i];

		if (strncmp(rule->name, prefix, length) != 0)
			continue;
		if (fail_unanswered(draft, rule, statement) < 0)
			return -EINVAL;
		change_actions(rule, statement);
		note_source(draft, rule);
		found = true;
		if (statement->action != SG_ACTION_ALLOW &&
		    note_allowed(draft, rule->name, strlen(rule->name), (enum sg_action)statement->action) < 0)
			return -ENOMEM;
	}
	if (!found)
		return fail_unknown_rule(draft, prefix,
				"the beginning of a rule's name, up to a dot, and .*");
	return note_allowed(draft, prefix, length - 1, (enum sg_action)statement->action);
}

/* Takes ".*" off in a copy to see whether a name is what is left. */
static bool is_prefix(const char *name, char *buffer, size_t size)
{
	size_t length = strlen(name);

	if (length < 3 || length - 2 >= size || strcmp(name + length - 2, ".*") != 0)
		return false;
	memcpy(buffer, name, length - 2);
	buffer[length - 2] = 0;
	return sg_name_is_dotted(buffer);
}

static int state_rule(struct sg_draft *draft, const char *name, const char *value, bool may_define)
{
	char buffer[256];
	struct statement statement;
	struct sg_rule *rule;
	bool prefix = is_prefix(name, buffer, sizeof(buffer));
	int error;

	if (!prefix && !sg_name_is_dotted(name))
		return sg_draft_fail(draft, -EINVAL,
				"\"%.100s\" is not the name of a rule; accepted: identifiers with "
				"dots between them, and PREFIX.*",
				name);
	error = sg_draft_state_once(draft, "rules", name);
	if (error)
		return error;
	error = parse_statement(draft, value, &statement);
	if (error)
		return error;
	if (prefix)
		return change_prefix(draft, name, &statement);
	rule = sg_config_rule(&draft->config, name);
	if (rule)
		return change_rule(draft, rule, &statement);
	if (!may_define)
		return fail_unknown_rule(draft, name, "a rule that exists, or PREFIX.*");
	if (!statement.reason)
		return fail_unknown_rule(draft, name,
				"a rule that exists, PREFIX.*, or a new one with | REASON | "
				"REPLACEMENT");
	if (!strchr(name, '.') && statement.guard != SG_GUARD_MODULE)
		return sg_draft_fail(draft, -EINVAL,
				"a name without a dot is a module; accepted: MODULE.NAME, or "
				"guard=module");
	error = sg_draft_add_rule(draft, name, &rule);
	return error ? error : change_rule(draft, rule, &statement);
}

int sg_rules_line(struct sg_draft *draft, const char *name, const char *value)
{
	return state_rule(draft, name, value, true);
}

static int list_item(struct sg_draft *draft, char *item, void *user)
{
	const char *variable = draft->key;
	const char *list = draft->value;
	char *action = strchr(item, '=');
	char *name;
	int error;

	(void)user;
	draft->value = item;
	if (!action)
		return sg_draft_fail(draft, -EINVAL, "there is no '='; accepted: NAME=ACTION,...");
	name = sg_draft_scratch(draft, item, (size_t)(action - item));
	action = sg_draft_scratch(draft, action + 1, strlen(action + 1));
	if (!name || !action)
		return -ENOMEM;
	/* An action and nothing else: words and texts are for files. */
	action = sg_draft_trim(action);
	if (strpbrk(action, " \t|"))
		return sg_draft_fail(draft, -EINVAL,
				"text after the action; accepted: NAME=ACTION,...");
	error = state_rule(draft, sg_draft_trim(name), action, false);
	draft->key = variable;
	draft->value = list;
	return error;
}

int sg_rules_list(struct sg_draft *draft, const char *list)
{
	return sg_draft_each_item(draft, list, list_item, NULL);
}

#define SINK_ACCEPTED "nearest | REASON, nearest only=NAME,NAME | REASON, host | REASON, anywhere | REASON, " \
	"through | REASON"

static int only_item(struct sg_draft *draft, char *item, void *sink)
{
	if (!sg_name_is_dotted(item))
		return sg_draft_fail(draft, -EINVAL, "\"%.100s\" is not the name of a rule; accepted: " SINK_ACCEPTED, item);
	return sg_draft_list_add(draft, &((struct sg_sink *)sink)->only, item);
}

/* "nearest", or "nearest only=NAME,NAME": what follows the first word. */
static int state_only(struct sg_draft *draft, struct sg_sink *sink, const char *words)
{
	static const char only[] = "only=";
	static char *no_names[] = {NULL};

	sink->only = NULL;
	if (!*words)
		return 0;
	if (strncmp(words, only, strlen(only)) != 0 || sink->trust != SG_TRUST_NEAREST)
		return sg_draft_fail(draft, -EINVAL, "text after the trust; accepted: " SINK_ACCEPTED);
	sink->only = no_names;
	return sg_draft_each_item(draft, words + strlen(only), only_item, sink);
}

int sg_rules_sink(struct sg_draft *draft, const char *module, const char *value)
{
	char *text = sg_draft_scratch(draft, value, strlen(value));
	struct sg_sink *sink = NULL;
	char *reason, *words;
	int trust;
	int error;

	if (!text)
		return -ENOMEM;
	error = sg_draft_check_module(draft, module);
	if (!error)
		error = sg_draft_state_once(draft, "sinks", module);
	if (error)
		return error;
	reason = strchr(text, '|');
	if (reason) {
		*reason++ = 0;
		reason = sg_draft_trim(reason);
	}
	text = sg_draft_trim(text);
	words = text + strcspn(text, " \t");
	if (*words)
		*words++ = 0;
	error = sg_draft_choose(draft, "trust", text, trusts, &trust);
	if (error)
		return error;
	for (size_t i = 0; i < draft->config.sink_count; i++)
		if (strcmp(draft->config.sinks[i].module, module) == 0)
			sink = &draft->config.sinks[i];
	if ((reason && (!*reason || strchr(reason, '|'))) || (!reason && !sink))
		return sg_draft_fail(draft, -EINVAL,
				"%s; accepted: " SINK_ACCEPTED,
				reason && *reason ? "there is a second '|'" : "there is no reason");
	if (!sink) {
		error = sg_draft_add_sink(draft, module, &sink);
		if (error)
			return error;
	}
	sink->trust = (enum sg_trust)trust;
	error = state_only(draft, sink, sg_draft_trim(words));
	if (error)
		return error;
	if (reason) {
		sink->reason = sg_draft_copy(draft, reason, strlen(reason));
		if (!sink->reason)
			return -ENOMEM;
	}
	return 0;
}
