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

struct sg_engine {
	const char *name;
	/* Of the SDK that is loaded: new reference to a str, or NULL with or without an exception. May be NULL. */
	PyObject *(*version)(void);
	const char *trigger;  /* the module whose import means that this engine is in use */
	const char *library;  /* how the path of its compiled library can be told from others: a part of it */
	const char *warns_as; /* the module under whose name its own sandbox warns of restricted calls */
	/* Puts guards on the boundary functions of the trigger module. 0, or -1 with an exception. */
	int (*install)(PyObject *module);
	void (*remove)(void);
	/* In context. Is workflow code in a block that the engine lets do anything? */
	bool (*unrestricted)(void);
	/* In context. Is workflow code in a block whose imports are shared? */
	bool (*importing_shared)(void);
	/* Does the engine share this module between runs? settings: what the worker gave. -1: exception. */
	int (*shares)(PyObject *settings, PyObject *module_name);
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
	/* Sets the engine's exception for a refused call. */
	void (*refuse)(const char *qualified_name, const char *message);
	/* In context. Loads a module that only the engine knows; NULL without an exception: not one of those. */
	PyObject *(*load)(PyObject *name);
};

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
