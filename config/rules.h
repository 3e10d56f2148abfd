/*
 * rules.h - the grammar of a rule and of a sink. Errors as in draft.h. GIL: not needed.
 */
#ifndef SG_RULES_H
#define SG_RULES_H

#include "config/draft.h"

/* A line of [rules]: name is a rule, a new rule, or PREFIX.*; value as in config.h. */
int sg_rules_line(struct sg_draft *draft, const char *name, const char *value);

/* NAME=ACTION,NAME=ACTION: only rules that exist, and PREFIX.*. */
int sg_rules_list(struct sg_draft *draft, const char *list);

/* A line of [sinks]. */
int sg_rules_sink(struct sg_draft *draft, const char *module, const char *value);

#endif
