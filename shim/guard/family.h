/*
 * family.h - how hooks/ and hooks/engines/ plug into the core, which never names them.
 *
 * Each file of hooks/ defines one SG_FAMILY, each engine one SG_ENGINE. The linker gathers them in a section, so a
 * new file is complete by itself. Callbacks run with the GIL, outside any context unless said otherwise.
 */
#ifndef SG_FAMILY_H
#define SG_FAMILY_H

#include "shim/guard/decide.h"
#include "shim/run/context.h"

struct sg_condition_entry {
	const char *name;
	sg_condition holds;
};

struct sg_family {
	const char *name;
	const struct sg_condition_entry *conditions;  /* ends with a NULL name; may be NULL */
	/*
	 * In the constructor: no Python yet, no GIL. Also in a program that has no Python, with a configuration that says
	 * nothing but inherit = all, and once more with the whole one if a Python is loaded there. May be NULL, like the others.
	 */
	void (*configure)(const struct sg_config *config, const char *own_path);
	/* When the first engine appears. 0, or -1 with an exception (logged; the worker goes on). */
	int (*install)(void);

	void (*remove)(void);
};

/* What the worker's own settings say about a name. */
struct sg_judgement {
	enum { SG_JUDGED_SILENT, SG_JUDGED_ALLOWED, SG_JUDGED_REFUSED } verdict;
	bool at_import;     /* REFUSED: also while the workflow's modules are imported */
	PyObject *message;  /* REFUSED: str that replaces our own text, or NULL */
	PyObject *warning;  /* REFUSED: warning class to be used instead of an exception, or NULL */
};

/* What an engine gives; the rest is the core's: shim/life/make.h, visit.h and leave.h are what it calls. */
struct sg_engine {
	const char *name;     /* as in [engine NAME] */
	const char *trigger;  /* the module whose import means that this engine is in use */
	const char *main_name; /* the name under which runs have the worker's own script */
	/* Puts guards on the boundary functions of the trigger module. 0, or -1 with an exception. */
	int (*install)(PyObject *module);
	/* Does the engine share this module between runs? settings: what the worker gave. -1: exception. */
	int (*shares)(PyObject *settings, PyObject *module_name);
	PyObject **refusal;   /* the engine's exception for a refused call, once it is installed */
	/*
	 * The run leaves. end: in the run, calls close(run), which closes what workflow code left, and lets go of what run->root
	 * leads to. free: sg_run_release(), and the engine's record goes with it.
	 */
	void (*end)(struct sg_run *run, void (*close)(struct sg_run *run));
	void (*free)(struct sg_run *run);

	/* All that follows may be NULL: there is no such thing. */

	const char *library;  /* how the path of its compiled library can be told from others: a part of it */
	const char *warns_as; /* the module under whose name its own sandbox warns of restricted calls */
	const char *calls_back; /* the name of its function that calls what workflow code has given to it */
	const char *const *apart; /* attributes with which it marks functions and classes that do not run in the run that names them */
	/* Sets that exception, where a text is not all that it is made of. */
	void (*refuse)(const char *qualified_name, const char *message);
	/* Of the SDK that is loaded, where its distribution does not tell: new reference to a str, or NULL with or without an exception. */
	PyObject *(*version)(void);
	void (*remove)(void);
	/* This thread begins or ends to run workflow code; a pending exception is kept. */
	void (*inside)(bool inside);
	/*
	 * In context. The run is on this thread now, or is about to leave it: a block in which workflow code waits, and of which the
	 * engine keeps something with the thread, is this run's alone. A pending exception is kept.
	 */
	void (*carry)(struct sg_run *run, bool inside);
	/* run->root is about to be dropped, on this thread, outside of the run. */
	void (*ended)(struct sg_run *run);
	/* In context. Is workflow code in a block that the engine lets do anything? */
	bool (*unrestricted)(void);
	/* In context. Is workflow code in a block whose imports are shared? */
	bool (*importing_shared)(void);
	/* Judges a dotted name by the worker's settings: fills *ret with new references. 0, or -1 with an exception. */
	int (*judge)(PyObject *settings, const char *name, struct sg_judgement *ret);
	/* Calls add() for each name below which the settings refuse more than our rules know. 0 or -1. */
	int (*additions)(PyObject *settings, int (*add)(const char *name, enum sg_guard_kind kind));
	/* In context, before a module is loaded for a run. -1 with an exception: it must not be. */
	int (*loading)(struct sg_context *context, PyObject *name, bool shared);
	/* May a run see a shared module that it has not imported by itself? */
	bool (*lazy)(PyObject *settings);
	/* Must not even be imported. 1, 0, or -1 with an exception. */
	int (*forbids)(PyObject *settings, PyObject *name, enum sg_phase phase);
	/*
	 * In context, in an activation: the engine's time in nanoseconds since 1970. New reference to an object whose text is the
	 * run's random seed, the same object as long as it is the same seed. NULL: it is not known, and nothing is answered.
	 */
	PyObject *(*knows)(const struct sg_run *run, int64_t *ret_now);
	/* In context, in an activation: is what runs not replayed, such as a query? No exception. NULL: nothing is. */
	bool (*aside)(const struct sg_run *run);
};

static inline bool sg_engine_is_unrestricted(const struct sg_engine *engine)
{
	return engine->unrestricted && engine->unrestricted();
}

static inline void sg_engine_refuse(const struct sg_engine *engine, const char *qualified_name, const char *message)
{
	if (engine->refuse)
		engine->refuse(qualified_name, message);
	else
		PyErr_SetString(*engine->refusal, message);
}

#define SG_FAMILY(identifier) \
	static const struct sg_family identifier; \
	__attribute__((section("sg_families"), used)) \
	static const struct sg_family *const identifier##_entry = &identifier; \
	static const struct sg_family identifier

#define SG_ENGINE(identifier) \
	static const struct sg_engine identifier; \
	__attribute__((section("sg_engines"), used)) \
	static const struct sg_engine *const identifier##_entry = &identifier; \
	static const struct sg_engine identifier

extern const struct sg_family *const __start_sg_families[] __attribute__((visibility("hidden")));
extern const struct sg_family *const __stop_sg_families[] __attribute__((visibility("hidden")));
extern const struct sg_engine *const __start_sg_engines[] __attribute__((visibility("hidden")));
extern const struct sg_engine *const __stop_sg_engines[] __attribute__((visibility("hidden")));

#define sg_each_family(entry) \
	(const struct sg_family *const *entry = __start_sg_families; entry < __stop_sg_families; entry++)
#define sg_each_engine(entry) \
	(const struct sg_engine *const *entry = __start_sg_engines; entry < __stop_sg_engines; entry++)

#endif
