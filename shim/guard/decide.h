/*
 * decide.h - one decision for every guarded call: allow, log, warn or block.
 *
 * Called in a context only. The walk goes outward over the Python frames of the call: standard library frames are
 * transparent (they become the chain "uuid.uuid4 -> os.urandom"); the first frame of workflow code,
 * of the engine or of a trusted sink settles it; a shared library met on the way makes it "via passthrough". GIL: held.
 */
#ifndef SG_DECIDE_H
#define SG_DECIDE_H

#include "config/config.h"
#include "shim/interpreter/python.h"

#include <stdbool.h>

struct sg_run;

/* The arguments of a guarded call, whatever the calling convention. All borrowed. */
struct sg_call {
	const struct sg_rule *rule;
	struct sg_run *run;     /* set by sg_decide() */
	bool importing;         /* set by sg_decide(): the workflow's modules are being imported */
	PyObject *self;
	PyObject *const *args;  /* vector of nargs, followed by the values of kwnames; or NULL */
	Py_ssize_t nargs;
	PyObject *kwnames;      /* tuple or NULL */
	PyObject *tuple;        /* positional arguments where args is NULL; may be NULL: none */
	PyObject *kwargs;       /* dict or NULL */
	const char *name;       /* set by a condition that knows a better name for what is called */
	bool exact;             /* set by a condition: no function of the same package further out speaks for this call */
	bool watched;           /* set by a condition: harmless, but not what the call may do inside */
};

/* Does the call do what its rule is about? True: the rule applies. Exceptions must be cleared. */
typedef bool (*sg_condition)(struct sg_call *call, int argument);

/* Argument by position or, with a keyword, by name: borrowed, NULL when absent. No exception. */
PyObject *sg_call_argument(const struct sg_call *call, int position, const char *keyword);

/* 0: go on; 1: go on, inside the context; -1: refused, with the engine's exception set. condition may be NULL. */
int sg_decide(struct sg_call *call, sg_condition condition);

/*
 * What workflow code has done is only seen when the activation ends: by the function of code, at that line, to what name
 * says. Logs and refuses as any other call; a refusal is left in run->refusal. Returns what the verdict is. No exception.
 */
enum sg_action sg_decide_late(struct sg_run *run, const struct sg_rule *rule, const char *name, PyObject *code, int line);

/*
 * Warns once for each place and text in the whole process, however many runs import the warned code anew: as
 * from module, at the line of code. code may be NULL. 0, or -1 with an exception (the filters made it one).
 */
int sg_decide_warn(PyObject *category, const char *text, const char *module, PyObject *code, int line);

/* Adds to the count of a violation, for the summary; returns how often it has been seen. No exception. */
long sg_decide_count(const char *rule, const char *place, enum sg_action action, unsigned long times);

/* Writes counts of all violations so far to the log, most frequent first. */
void sg_decide_summary(void);

#endif
