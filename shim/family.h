/*
 * family.h - how hooks/ and hooks/engines/ plug into the core, which never names them.
 *
 * Each file of hooks/ defines one SG_FAMILY, each engine one SG_ENGINE. The linker gathers them in a section, so a
 * new file is complete by itself. Callbacks run with the GIL, outside any context unless said otherwise.
 */
#ifndef SG_FAMILY_H
#define SG_FAMILY_H

#include "shim/context.h"
#include "shim/decide.h"

struct sg_condition_entry {
	const char *name;
	sg_condition holds;
};

struct sg_family {
	const char *name;
	const struct sg_condition_entry *conditions;  /* ends with a NULL name; may be NULL */
	/* In the constructor: no Python yet, no GIL. May be NULL, like the others. */
	void (*configure)(const struct sg_config *config, const char *own_path);
	/* When the first engine appears. 0, or -1 with an exception (logged; the worker goes on). */
	int (*install)(void);

	void (*remove)(void);
};

struct sg_engine {
	const char *name;
	const char *trigger;  /* the module whose import means that this engine is in use */
	/* Puts guards on the boundary functions of the trigger module. 0, or -1 with an exception. */
	int (*install)(PyObject *module);
	void (*remove)(void);
	/* In context. Is workflow code in a block that the engine lets do anything? */
	bool (*unrestricted)(void);
	/* In context. Is workflow code in a block whose imports are shared? */
	bool (*importing_shared)(void);
	/* Does the engine share this module between runs? settings: what the worker gave. -1: exception. */
	int (*shares)(PyObject *settings, PyObject *module_name);
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
