/*
 * config.h - what the user asked for: toggles, rules, trusted sinks, sharing of modules.
 *
 * One struct sg_config is filled once, in the constructor of the preloaded object, from these sources
 * (later wins): the embedded config/default.conf, the files of SANDGLASS_CONFIG in order, the
 * environment variables SANDGLASS and SANDGLASS_*. After that it is read-only and lives as long as
 * the process. No function here touches Python; the GIL is not needed. Environment is read through
 * secure_getenv only.
 *
 * Syntax of a configuration file: INI (inih). '#' at the start of a line begins a comment.
 *
 *   [settings]         the toggles, same names as the variables without prefix (SANDGLASS is "mode")
 *   [rules]            NAME = ACTION [import=ACTION] [via=ACTION] [strict=ACTION] [when=CONDITION]
 *                             [guard=KIND] [allow=NAME]
 *                             [| REASON | REPLACEMENT]
 *                      A name that exists is changed: only what the line states; but a lower ACTION
 *                      also lowers import and via, and a higher one lifts them to warn, unless
 *                      they are stated. "PREFIX.*" changes the actions of every rule below the
 *                      prefix. A name that does not exist defines a new rule, and must then give
 *                      REASON and REPLACEMENT.
 *   [sinks]            MODULE = nearest [only=NAME,NAME] | REASON, or anywhere, or through
 *   [native]           OBJECT = ACTION [only=FAMILY,FAMILY] | REASON
 *   [types]            TYPE = TRAIT | REASON          TRAIT: fixed, private, fields, kept
 *   [engine NAME]      packages = MODULE, MODULE ...
 */
#ifndef SG_CONFIG_H
#define SG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct sg_draft_memory;

enum sg_mode { SG_MODE_ENFORCE, SG_MODE_STRICT, SG_MODE_WARN, SG_MODE_OBSERVE, SG_MODE_OFF };
enum sg_isolation { SG_ISOLATION_SHARED, SG_ISOLATION_PRIVATE, SG_ISOLATION_OFF };
/* What is done about compiled code that calls libc by itself; by mode: block in strict, else warn. */
enum sg_native { SG_NATIVE_BY_MODE, SG_NATIVE_OFF, SG_NATIVE_WARN, SG_NATIVE_BLOCK };
enum sg_inherit { SG_INHERIT_PYTHON, SG_INHERIT_ALL, SG_INHERIT_NONE };

/* In rising order of severity: comparing with < and > is meant. */
enum sg_action { SG_ACTION_ALLOW, SG_ACTION_LOG, SG_ACTION_WARN, SG_ACTION_BLOCK };

/* How a rule takes hold of its target. */
enum sg_guard_kind {
	SG_GUARD_CALL,   /* calling it: C function, method, Python function or class, patched in place */
	SG_GUARD_FRAME,  /* a Python function that ends in another guard; recognised in the call chain */
	SG_GUARD_MODULE, /* every function of a module, recognised in the call chain as above */
	SG_GUARD_READ,   /* reading the attribute from its module */
	SG_GUARD_MAPPING, /* reading and writing a dict in place (os.environ) */
	SG_GUARD_STORE   /* changing what is shared, whichever object it is: its name is no path */
};

struct sg_rule {
	const char *name;           /* dotted path of the target, unique: "time.time" */
	enum sg_guard_kind guard;   /* default SG_GUARD_CALL */
	enum sg_action action;      /* called by workflow code at run time */
	enum sg_action at_import;   /* called while the workflow's own modules are imported; default warn */
	enum sg_action via;         /* called by a passed-through library; default warn */
	enum sg_action strict;      /* what action is in mode strict; default action */
	const char *condition;      /* name of a condition that must hold, or NULL: always */
	int condition_argument;     /* the N of "when=NAME:N", else 0 */
	const char *reason;         /* why it is not deterministic: completes "because ..." */
	const char *replacement;    /* what to write instead */
	const char *setting;        /* what the message says to allow, or NULL: name */
	const char *source;         /* file or variable that stated it last */
	int line;                   /* 1-based; 0 for a variable */
	bool only_named;            /* a worker's settings name it: action is for calls by others, not a statement */
};

enum sg_trust {
	SG_TRUST_NEAREST,
	SG_TRUST_ANYWHERE,  /* also workflow code that it calls back, such as a logging handler */
	SG_TRUST_THROUGH    /* neither trusted nor blamed: its caller is answerable for what it calls */
};

struct sg_sink {
	const char *module;
	enum sg_trust trust;
	char **only;        /* SG_TRUST_NEAREST: names of the rules that it is trusted with, NULL-terminated; NULL: all */
	const char *reason;
};

/* What a libc entry gives away. */
enum sg_native_family {
	SG_NATIVE_CLOCK,
	SG_NATIVE_MONOTONIC, /* a clock that only waiting and measuring can be made of */
	SG_NATIVE_SLEEP,
	SG_NATIVE_RANDOM,
	SG_NATIVE_ENVIRONMENT,
	SG_NATIVE_FILE,
	SG_NATIVE_NETWORK,
	SG_NATIVE_PROCESS,
	SG_NATIVE_THREAD,
	SG_NATIVE_HOST,
	SG_NATIVE_FAMILIES
};

struct sg_native_rule {
	const char *object;     /* a pattern for the path of a shared object */
	enum sg_action action;
	unsigned int families;  /* a bit for each that it is about */
	const char *reason;
};

/* What is known of the objects of a type whose content could not be saved without. */
enum sg_type_trait {
	SG_TYPE_UNKNOWN,
	SG_TYPE_FIXED,    /* it never changes, or no workflow can tell */
	SG_TYPE_PRIVATE,  /* it changes */
	SG_TYPE_FIELDS,   /* it is what the object itself holds */
	SG_TYPE_KEPT      /* no run lets such an object go */
};

struct sg_type_rule {
	const char *name;       /* a pattern for the name of a type, as C code gave it */
	enum sg_type_trait trait;
	const char *reason;
};

struct sg_engine_config {
	const char *name;
	char **packages;    /* NULL-terminated */
};

struct sg_config {
	enum sg_mode mode;
	enum sg_isolation isolation;
	enum sg_inherit inherit;
	enum sg_native native;
	bool hardened;              /* also what goes past libc, see shim/native/hardened.h */
	bool required;              /* no worker without every guard that the mode needs */
	int log_level;              /* enum sg_log_level */
	const char *log;            /* "stderr" or a path, in which %p is the process id */
	struct sg_rule *rules;
	size_t rule_count;
	struct sg_sink *sinks;
	size_t sink_count;
	struct sg_native_rule *native_rules; /* a later one wins */
	size_t native_rule_count;
	struct sg_type_rule *type_rules;     /* a later one wins */
	size_t type_rule_count;
	struct sg_engine_config *engines;
	size_t engine_count;
	char **allowed;             /* NULL-terminated: NAME of "NAME = allow" and of "NAME.* = allow" */
	char **passthrough;         /* NULL-terminated module names: force sharing */
	char **reload;              /* NULL-terminated module names: force isolation */
	struct sg_draft_memory *memory; /* owns every string and list above; private to config/ */
};

/*
 * Fills *ret_config from all sources. On failure returns a negative errno, leaves *ret_config untouched
 * and writes one sentence (source, line, key, value, what is accepted) to error[size].
 * A condition name is checked against known_conditions, a NULL-terminated array whose strings are
 * kept.
 * SANDGLASS=off and a process with AT_SECURE give mode off: then nothing else is looked at, no list has
 * an entry, and the call succeeds.
 */
int sg_config_load(struct sg_config *ret_config, const char *const *known_conditions,
		char *error, size_t size);

/*
 * The same, but rules and sinks may be left out (rule_count 0) where the user has stated none: the object is
 * loaded into many programs, and few of them are workers.
 */
int sg_config_load_settings(struct sg_config *ret_config, const char *const *known_conditions,
		char *error, size_t size);

/* Frees everything. Only tests need it. */
void sg_config_release(struct sg_config *config);

/* Finds a rule by exact name; NULL when there is none. */
struct sg_rule *sg_config_rule(const struct sg_config *config, const char *name);

const char *sg_config_mode_name(enum sg_mode mode);
const char *sg_config_isolation_name(enum sg_isolation isolation);
const char *sg_config_action_name(enum sg_action action);
const char *sg_config_native_family_name(enum sg_native_family family);

#endif
