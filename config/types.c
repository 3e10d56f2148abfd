#include "config/types.h"

#include "config/names.h"

#include <errno.h>
#include <string.h>

int sg_types_line(struct sg_draft *draft, const char *name, const char *value)
{
	static const char *const traits[] = {"fixed", "private", "fields", "kept", NULL};
	char *text = sg_draft_scratch(draft, value, strlen(value));
	struct sg_type_rule *rule;
	const char *reason;
	int error, trait;

	if (!text)
		return -ENOMEM;
	error = sg_draft_state_once(draft, "types", name);
	if (!error)
		error = sg_draft_cut_reason(draft, text, "fixed | REASON, private | REASON", &reason);
	if (!error)
		error = sg_draft_choose(draft, "trait", text, traits, &trait);
	if (!error)
		error = sg_draft_add_type(draft, name, &rule);
	if (error)
		return error;
	rule->trait = (enum sg_type_trait)(SG_TYPE_FIXED + trait);
	rule->reason = reason;
	return 0;
}

enum sg_type_trait sg_type_trait(const struct sg_config *config, const char *name)
{
	for (size_t i = config->type_rule_count; i-- > 0;)
		if (sg_names_fit(config->type_rules[i].name, name))
			return config->type_rules[i].trait;
	return SG_TYPE_UNKNOWN;
}
