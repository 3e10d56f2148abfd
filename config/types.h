/*
 * types.h - the section [types]: what is known of objects whose content cannot be saved. Errors as in draft.h. GIL: not
 * needed.
 */
#ifndef SG_CONFIG_TYPES_H
#define SG_CONFIG_TYPES_H

#include "config/draft.h"

/* A line of [types]: TYPE = TRAIT | REASON */
int sg_types_line(struct sg_draft *draft, const char *name, const char *value);

/* What the last line that fits the name of a type says. */
enum sg_type_trait sg_type_trait(const struct sg_config *config, const char *name);

#endif
