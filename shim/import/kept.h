/*
 * kept.h - what a library asked the host for while the workflow's modules were imported, and they keep: judged where it is used.
 *
 * CFG = Settings() is setup where only activities use CFG, and there the rules only warn. But a value of this host that the
 * run uses is another one where it is replayed. So each such call is noted with the frames of the workflow's own code that led
 * to it, out to the statement at the top of a module (or in the body of a class) there. Once the modules have been imported, the
 * bytecode tells where the value may have gone: names that the statement stores to, what it stores an attribute or an item of,
 * the list, dict or own object whose method it calls; of a function on the way what it stores to after the call, locals apart,
 * and its cache (lru_cache, cached_property). None where the value is dropped. What turned out to be a function of somebody
 * else's, a class, a module or a logger is forgotten: decorators and base classes are setup. A function of the run's own keeps
 * its default arguments and its closure.
 *
 * The rest is looked for in the code that the run's workflow leads to by name: its methods, the functions and classes of the
 * run's own modules that they name, and so on, but not what the engine runs apart (activities, other workflows). What is found
 * there the first activation reports, as the call's own rule has it. What is made of such a global is taken for one, too.
 *
 * Not seen: a value that only decides what is stored (if Settings().debug: ...), one that a function puts into what it was
 * given (fill(TABLE, Settings())), and what is reached by getattr(), globals() and the like. Where an engine has no mark for
 * what it runs apart, only the workflow's own function is looked through. GIL: held everywhere. No exceptions.
 */
#ifndef SG_KEPT_H
#define SG_KEPT_H

#include "config/config.h"
#include "shim/run/context.h"

/*
 * While modules are imported, called from the guarded call, the context suspended: a call was let pass for a library alone. name
 * (or NULL), code and line: see sg_decide_late(). No bytecode is run.
 */
void sg_kept_note(const struct sg_context *context, const struct sg_rule *rule, const char *name, PyObject *code, int line);

/*
 * The modules have been imported, no context, the run's content is in place: finds what the run uses. own: the run's class or
 * function. marks: attributes of what the engine runs apart, NULL-terminated, or NULL. memo: a dict of the image's, or NULL.
 */
void sg_kept_find(struct sg_run *run, PyObject *own, const char *const *marks, PyObject *memo);

/* Calls judge for each such use, and forgets them. kept_as: the global. */
typedef enum sg_action (*sg_kept_judge)(struct sg_run *run, const struct sg_rule *rule, const char *name, PyObject *code, int line,
		const char *kept_as);
void sg_kept_judge_all(struct sg_run *run, sg_kept_judge judge);

#endif
