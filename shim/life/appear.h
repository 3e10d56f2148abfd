/*
 * appear.h - a Python that is loaded later, and an engine that is imported where nothing guards it.
 *
 * The object's Python symbols are weak, and the loader binds them once: in a program that opens libpython itself (the
 * launcher of a frozen worker, a host of plug-ins) they stay NULL. Neither dlopen() nor the allocator may be hooked, so the
 * hooks that every start of a Python comes through, open() and getenv(), look whether something has been loaded. When
 * that is a CPython, our symbols are bound to it as the loader would have done, and life.c begins.
 *
 * What cannot be guarded (PyPy, another version, a Python whose symbols nobody can see) must not be silent where an engine
 * is used. It is in use when the file of its trigger module is opened while its compiled library is loaded: a copying
 * or compiling program does the first, a mere client of the engine the second.
 *
 * While nothing is awaited, which is so in every Python that was there from the start, a look is one branch. It never
 * changes errno. GIL: may or may not be held; not needed.
 */
#ifndef SG_APPEAR_H
#define SG_APPEAR_H

#include "shim/guard/family.h"

#include <stdbool.h>

/*
 * Once, in the constructor of a program without CPython. attach is called on some thread when one has been loaded and
 * our symbols are bound; as long as it answers false it is called again at later looks.
 */
void sg_appear_await_python(bool (*attach)(void));

/* seen is called once, on the thread that imports the engine's file. NULL: nothing is to be said any more. */
void sg_appear_await_engine(void (*seen)(const struct sg_engine *engine));

extern bool sg_appear_watching;

/* path: of a file that is about to be opened, or NULL. */
void sg_appear_look(const char *path);

#define SG_APPEAR_LOOK(path) \
	do { \
		if (__builtin_expect(sg_appear_watching, 0)) \
			sg_appear_look(path); \
	} while (0)

#endif
