/*
 * origin.h - who made the guarded call: a walk outward over the Python frames.
 *
 * Called with the context suspended (it runs Python code such as attribute look-ups). GIL: held.
 */
#ifndef SG_ORIGIN_H
#define SG_ORIGIN_H

#include "config/config.h"
#include "shim/import/code.h"
#include "shim/run/context.h"

#define SG_ORIGIN_CHAIN 6

enum sg_origin_kind {
	SG_ORIGIN_TRUSTED,      /* the engine, a trusted sink, or nobody's Python code: not the workflow's doing */
	SG_ORIGIN_IMPORTED,     /* installed third-party code of the run, while it is being imported */
	SG_ORIGIN_SINK,         /* a trusted sink of which workflow code gets to see what it asked for: answered, or else trusted */
	SG_ORIGIN_DIRECT,       /* workflow code, at most through the standard library */
	SG_ORIGIN_PASSTHROUGH   /* a shared library that workflow code called */
};

struct sg_origin {
	enum sg_origin_kind kind;
	const struct sg_rule *rule;     /* of the outermost standard library function on the way, or NULL */
	int rule_position;              /* its place in the chain */
	const struct sg_rule *stated;   /* the same, of rules that do not only lend a name */
	PyObject *chain[SG_ORIGIN_CHAIN]; /* code objects of the standard library, innermost first */
	PyObject *chain_module[SG_ORIGIN_CHAIN];
	const struct sg_rule *chain_rule[SG_ORIGIN_CHAIN];
	int chain_length;
	PyObject *user_code;            /* workflow code that is answerable; NULL for TRUSTED, and where a SINK's caller is not found */
	int user_line;
	PyObject *library_code;         /* the library's or sink's frame next to the call, or NULL */
	int library_line;
	bool noted;                     /* SINK: by a log, which shows it to nobody else */
	bool third_party;               /* that library, shared or the run's own, is an installed one */
	const struct sg_rule *library_rule; /* that names the library's outermost function, or its package; or NULL */
};

/*
 * called: the rule of what is called, or NULL. answerable: what a sink asks for could be the same on replay; a sink is no more
 * than TRUSTED otherwise.
 */
void sg_origin_find(const struct sg_context *context, const struct sg_rule *called, bool answerable, struct sg_origin *ret);
void sg_origin_release(struct sg_origin *origin);

/* 0, or -1 with an exception. Later rules for the same code or module are ignored. */
int sg_origin_add_code(const struct sg_rule *rule, PyObject *code);
int sg_origin_add_module(const struct sg_rule *rule, const char *module);

#endif
