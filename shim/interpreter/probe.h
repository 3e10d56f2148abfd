/*
 * probe.h - all that is proved on the very interpreter before anything leans on it.
 */
#ifndef SG_PROBE_H
#define SG_PROBE_H

#include <stdbool.h>

/* 0; -ENOTSUP with a reason when this interpreter is not supported. What is not proved is false, and told by sg_probe_each(). */
int sg_probe(const char **ret_reason);

/*
 * Calls told for each probe that this interpreter has a use for. without: what comes of it when it is not proved. GIL: held.
 */
void sg_probe_each(void (*told)(const char *name, bool proved, const char *without));

#endif
