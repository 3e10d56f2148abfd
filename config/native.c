#define _GNU_SOURCE 1

#include "config/native.h"

#include "config/names.h"

#include <errno.h>
#include <string.h>

/* What compiled code is told is not answered. */
static const char *const actions[] = {"allow", "log", "warn", "block", NULL};
static const enum sg_action meant[] = {SG_ACTION_ALLOW, SG_ACTION_LOG, SG_ACTION_WARN, SG_ACTION_BLOCK};
static const char *const families[] = {
	"clock", "monotonic", "sleep", "random", "environment", "file", "network", "process",
	"thread", "host", "pool", NULL
};

const char *sg_config_native_family_name(enum sg_native_family family)
{
	return families[family];
}

static int add_family(struct sg_draft *draft, char *item, void *user)
{
	unsigned int *mask = user;
	int family;
	int error = sg_draft_choose(draft, "family", item, families, &family);

	if (!error)
		*mask |= 1u << family;
	return error;
}

/* "ACTION [only=LIST]": the words before the '|'. */
static int parse_words(struct sg_draft *draft, char *text, struct sg_native_rule *rule)
{
	char *only = text + strcspn(text, " \t");
	int action;
	int error;

	if (*only) {
		*only++ = 0;
		only = sg_draft_trim(only);
	}
	error = sg_draft_choose(draft, "action", text, actions, &action);
	if (error)
		return error;
	rule->action = meant[action];
	rule->families = ~0u;
	if (!*only)
		return 0;
	if (strncmp(only, "only=", 5) != 0)
		return sg_draft_fail(draft, -EINVAL,
				"\"%.40s\" after the action; accepted: only=FAMILY,FAMILY ...", only);
	rule->families = 0;
	return sg_draft_each_item(draft, only + 5, add_family, &rule->families);
}

int sg_native_line(struct sg_draft *draft, const char *object, const char *value)
{
	char *text = sg_draft_scratch(draft, value, strlen(value));
	struct sg_native_rule *rule;
	const char *reason;
	int error;

	if (!text)
		return -ENOMEM;
	error = sg_draft_state_once(draft, "native", object);
	if (error)
		return error;
	error = sg_draft_cut_reason(draft, text, "ACTION [only=FAMILY,FAMILY] | REASON", &reason);
	if (!error)
		error = sg_draft_add_native(draft, object, &rule);
	if (error)
		return error;
	rule->reason = reason;
	return parse_words(draft, text, rule);
}

/* The whole path, or what stands behind one of its slashes. */
static bool fits_path(const char *pattern, const char *path)
{
	if (sg_names_fit(pattern, path))
		return true;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
		if (sg_names_fit(pattern, slash + 1))
			return true;
	return false;
}

enum sg_action sg_native_rule_action(const struct sg_config *config, const char *path,
		enum sg_native_family family, enum sg_action usual)
{
	for (size_t i = config->native_rule_count; i-- > 0;) {
		const struct sg_native_rule *rule = &config->native_rules[i];

		if ((rule->families & 1u << family) && fits_path(rule->object, path))
			return rule->action;
	}
	return usual;
}
