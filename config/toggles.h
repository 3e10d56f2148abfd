/*
 * toggles.h - the settings: in [settings] of a file, and as SANDGLASS and SANDGLASS_* in the
 * environment. Errors as in draft.h. GIL: not needed.
 */
#ifndef SG_TOGGLES_H
#define SG_TOGGLES_H

#include "config/draft.h"

/* SANDGLASS=off, or a process whose environment is not to be trusted (AT_SECURE). */
bool sg_toggles_are_off(void);

/* A line of [settings]. */
int sg_toggles_setting(struct sg_draft *draft, const char *key, const char *value);

/* Refuses variables SANDGLASS_* that this version does not know. */
int sg_toggles_check_names(struct sg_draft *draft);

/* The value of SANDGLASS_CONFIG, NULL when it is not set. */
const char *sg_toggles_config_files(void);

/* All variables but SANDGLASS_CONFIG, which comes before them. */
int sg_toggles_environment(struct sg_draft *draft);

/* Does the environment name rules, or files that may? */
bool sg_toggles_need_rules(void);

#endif
