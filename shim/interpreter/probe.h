/*
 * probe.h - all that is proved on the very interpreter before anything leans on it.
 */
#ifndef SG_PROBE_H
#define SG_PROBE_H

/* 0; -ENOTSUP with a reason when this interpreter is not supported. What is not proved is false, and said in the log. */
int sg_probe(const char **ret_reason);

#endif
