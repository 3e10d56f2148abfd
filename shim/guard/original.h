/*
 * original.h - what a rule's name led to before anybody replaced it.
 *
 * Tracers, test and concurrency libraries put wrappers in the place of os.system, open or subprocess.Popen, often before
 * the engine is imported; the function beneath lives on and is what must be guarded. So in every Python the
 * targets of the built-in rules are remembered when their module has just been imported, which is before the code that
 * imported it can reach them: a reference each, a few microseconds a module.
 *
 * When a guard is armed, a target that has been replaced gives way to its original, and the modules that the wrapper is
 * made of are noted with the rule: their frames, next to a call, speak for their caller (origin.h). What was replaced
 * before we could look (a Python that was found late) is looked for beneath __wrapped__. GIL: held.
 */
#ifndef SG_ORIGINAL_H
#define SG_ORIGINAL_H

#include "config/config.h"
#include "shim/interpreter/python.h"

#include <stdbool.h>

/* The host has imported a module, perhaps anew. No exception. */
void sg_original_note(const char *module);

/* The same for all modules that are there already. */
void sg_original_note_all(void);

/* What the rule's name led to at first: borrowed; NULL: not known. */
PyObject *sg_original_of(const char *rule_name);

/* The __init__ or __new__ that a class had then, if it is written in Python: borrowed, else NULL. */
PyObject *sg_original_maker(const char *rule_name);

/* Is it still the same, or the same made anew (by importlib.reload, say), and not somebody's wrapper? */
bool sg_original_is(PyObject *original, PyObject *current);

/*
 * The function whose own code a wrapper's has replaced in place (ddtrace): code that was compiled has no functions among its
 * constants, this has the wrapper and a function with the old code. New reference, or NULL. No exception.
 */
PyObject *sg_original_displaced(PyObject *function);

/* What a wrapper says that it wraps: new reference, or NULL. No exception. */
PyObject *sg_original_beneath(PyObject *wrapper);

/* The rule's calls come through this wrapper. original: where its code ends, may be NULL. */
void sg_original_wrapped(const struct sg_rule *rule, PyObject *wrapper, PyObject *original);

/* Looks for wrappers that have been put there since; NULL: nobody does. Runs Python. */
extern void (*sg_original_look_again)(const struct sg_rule *rule);

/* Is it a module whose code wraps what the rule is about? */
bool sg_original_wraps(const struct sg_rule *rule, PyObject *globals);

/* Drops everything. */
void sg_original_forget(void);

#endif
