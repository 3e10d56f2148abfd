/*
 * trampoline.h - one tiny function for each guarded C entry.
 *
 * A C function is called without a hint of which function it is, so each guard needs a code address of its
 * own. Pools of functions, one pool for each calling convention, are written out by the preprocessor: no
 * executable memory is made at run time. Each loads the context and, when there is none, jumps to the original.
 */
#ifndef SG_TRAMPOLINE_H
#define SG_TRAMPOLINE_H

#include "shim/guard/decide.h"

enum sg_convention {
	SG_CONVENTION_OBJECT,        /* (self, arg): METH_NOARGS, METH_O, METH_VARARGS */
	SG_CONVENTION_KEYWORDS,      /* (self, tuple, dict): METH_VARARGS | METH_KEYWORDS, tp_new */
	SG_CONVENTION_INIT,          /* the same, returning int: tp_init */
	SG_CONVENTION_FAST,          /* (self, args, nargs): METH_FASTCALL */
	SG_CONVENTION_FAST_KEYWORDS, /* (self, args, nargs, kwnames): METH_FASTCALL | METH_KEYWORDS */
	SG_CONVENTION_METHOD,        /* (self, class, args, nargs, kwnames): METH_METHOD ... */
	SG_CONVENTION_COUNT
};

struct sg_trampoline {
	void *original;
	const struct sg_rule *rule;
	sg_condition condition;
	int flags;  /* ml_flags, where the convention leaves a question open */
};

/*
 * The address of a trampoline of the convention with this content: one that is there already, since each run may bring
 * its own copy of a class, else a free one. NULL when none is left.
 */
void *sg_trampoline_get(enum sg_convention convention, const struct sg_trampoline *content);

/* Is address one of ours? Then its record. */
struct sg_trampoline *sg_trampoline_at(const void *address);

#endif
