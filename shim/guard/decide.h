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
struct sg_answer;

/* The arguments of a guarded call, whatever the calling convention. All borrowed. */
struct sg_call {
	const struct sg_rule *rule;
	struct sg_run *run;     /* set by sg_decide() */
	bool importing;         /* set by sg_decide(): the workflow's modules are being imported */
	PyObject *self;
	PyObject *entry;        /* of a mapping: the key of the one entry that is read; NULL: not that */
	PyObject *const *args;  /* vector of nargs, followed by the values of kwnames; or NULL */
	Py_ssize_t nargs;
	PyObject *kwnames;      /* tuple or NULL */
	PyObject *tuple;        /* positional arguments where args is NULL; may be NULL: none */
	PyObject *kwargs;       /* dict or NULL */
	const char *name;       /* set by a condition that knows a better name for what is called */
	bool exact;             /* set by a condition: no function of the same package further out speaks for this call */
	/* Set by a condition: done to a call that is answered, before it goes on. 0, or -1: it cannot be answered. */
	int (*answer)(struct sg_call *call, const struct sg_answer *answer);
	bool zone;              /* set by a condition: it is about the time zone alone, see sg_config.zone */
	PyObject *value;        /* what is read (guard=read, set by a condition) or what the call gives (set by answer) instead: new reference */
	bool watched;           /* set by a condition: harmless, but not what the call may do inside */
};

/* Does the call do what its rule is about? True: the rule applies. Exceptions must be cleared. */
typedef bool (*sg_condition)(struct sg_call *call, int argument);

/* Argument by position or, with a keyword, by name: borrowed, NULL when absent. No exception. */
PyObject *sg_call_argument(const struct sg_call *call, int position, const char *keyword);

enum sg_decision { SG_DECIDED_NO = -1, SG_DECIDED_GO, SG_DECIDED_INSIDE, SG_DECIDED_ANSWER };

/*
 * GO: go on, outside the context; INSIDE: go on in it; NO: refused, with the engine's exception set; ANSWER: as GO, with
 * *ret_answer as the thread's mark (answer.h) and call->self as it now is. Who cannot do that gives NULL, and gets GO: what
 * the function calls is decided there. condition may be NULL.
 */
enum sg_decision sg_decide(struct sg_call *call, sg_condition condition, struct sg_answer *ret_answer);

/*
 * What workflow code has done is only seen when the activation ends: by the function of code, at that line, to what name
 * says. Logs and refuses as any other call; a refusal is left in run->refusal. Returns what the verdict is. No exception.
 */
enum sg_action sg_decide_late(struct sg_run *run, const struct sg_rule *rule, const char *name, PyObject *code, int line);

/* The same for what was asked for while the workflow was imported: kept_as is the global that keeps what came of it. */
enum sg_action sg_decide_kept(struct sg_run *run, const struct sg_rule *rule, const char *name, PyObject *code, int line, const char *kept_as);

/*
 * Warns once for each place and text in the whole process, however many runs import the warned code anew: as
 * from module, at the line of code. code may be NULL. 0, or -1 with an exception (the filters made it one).
 */
int sg_decide_warn(PyObject *category, const char *text, const char *module, PyObject *code, int line);

/*
 * The text of would= in the log, "enforce:warn,strict:block": what the modes that refuse would do, enforce and strict, but for the worker's
 * own. modes[SG_WOULD_SIZE], empty at first. The mode that is to be added next; SG_MODE_OFF: none is left.
 */
#define SG_WOULD_SIZE 64
enum sg_mode sg_decide_next_mode(const char *modes);
void sg_decide_add_mode(char *modes, enum sg_mode mode, enum sg_action action);

/*
 * Adds to the count of a violation, for the summary. True: this log file has no line of it yet, there and by workflows of that
 * type. No exception.
 */
bool sg_decide_count(const char *rule, const char *place, enum sg_action action, const struct sg_run *run, unsigned long times);

/* Writes counts of all violations so far to the log, most frequent first. */
void sg_decide_summary(void);

/* The same for what has been counted since, where the setting summary asks for it and it is time. GIL: held. No exception. */
void sg_decide_summary_if_due(void);

#endif
