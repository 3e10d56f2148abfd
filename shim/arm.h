/*
 * arm.h - finds the target of each rule and puts the right guard on it.
 *
 * A rule waits until the module that its name leads through has been imported by the host; nothing is
 * imported on its account. What cannot be guarded is logged with its reason, and the worker goes on. GIL: held, context
 * suspended.
 */
#ifndef SG_ARM_H
#define SG_ARM_H

#include "config/config.h"

/* Arms every rule whose module is loaded; later modules are told to sg_arm_module(). */
void sg_arm_start(const struct sg_config *config);

/* A module has been imported by the host. Cheap when no rule waits for it. */
void sg_arm_module(const char *name);

/* Undoes every guard. */
void sg_arm_stop(void);

#endif
