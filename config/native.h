/*
 * native.h - the section [native]: what compiled objects may do by themselves. Errors as in draft.h. GIL: not needed.
 */
#ifndef SG_CONFIG_NATIVE_H
#define SG_CONFIG_NATIVE_H

#include "config/draft.h"

/* A line of [native]: OBJECT = ACTION [only=FAMILY,FAMILY] | REASON */
int sg_native_line(struct sg_draft *draft, const char *object, const char *value);

/* What the last rule that fits says, else usual. Allocates nothing. */
enum sg_action sg_native_rule_action(const struct sg_config *config, const char *path,
		enum sg_native_family family, enum sg_action usual);

#endif
