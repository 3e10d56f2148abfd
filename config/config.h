/*
 * config.h - what the user asked for: toggles, rules, trusted sinks, sharing of modules.
 *
 * One struct sg_config is filled once, in the constructor of the preloaded object, from these sources
 * (later wins): the embedded default.conf, the files of SANDGLASS_CONFIG in order, the
 * environment variables SANDGLASS and SANDGLASS_*. After that it is read-only and lives as long as
 * the process. No function here touches Python; the GIL is not needed. Environment is read through
 * secure_getenv only.
 *
 * Syntax of a configuration file: INI (inih). '#' at the start of a line begins a comment.
 *
 *   [settings]         the toggles, same names as the variables without prefix (SANDGLASS is "mode")
 *   [rules]            NAME = ACTION [import=ACTION] [via=ACTION] [strict=ACTION] [when=CONDITION]
 *                             [guard=KIND] [allow=NAME] [answer=SOURCE]
 *                             [| REASON | REPLACEMENT]
 *                      A name that exists is changed: only what the line states; but a lower ACTION
 *                      also lowers import and via, and a higher one lifts them to warn, unless
 *                      they are stated. "PREFIX.*" changes the actions of every rule below the
 *                      prefix. A name that does not exist defines a new rule, and must then give
 *                      REASON and REPLACEMENT.
 *   [sinks]            MODULE = nearest [only=NAME,NAME] | REASON, or host, anywhere or through
 *   [native]           OBJECT = ACTION [only=FAMILY,FAMILY] | REASON
 *   [types]            TYPE = TRAIT | REASON          TRAIT: fixed, private, fields, kept
 *   [engine NAME]      packages = MODULE, MODULE ...
 *                      worker = MODULE
 *                      WORD = TEXT (only the built-in file brings in new ones)
 */
#ifndef SG_CONFIG_H
#define SG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct sg_draft_memory;
struct sg_zone;

/* The built-in configuration, as `sandglass rules` prints it: put together by the build, see config/default.conf. */
extern const char sg_default_conf[];
extern const size_t sg_default_conf_size;

enum sg_mode { SG_MODE_ENFORCE, SG_MODE_STRICT, SG_MODE_ANSWER, SG_MODE_WARN, SG_MODE_OBSERVE, SG_MODE_OFF };
enum sg_isolation { SG_ISOLATION_SHARED, SG_ISOLATION_PRIVATE, SG_ISOLATION_OFF };
/* What is done about compiled code that calls libc by itself; by mode: block in strict, else warn. */
enum sg_native { SG_NATIVE_BY_MODE, SG_NATIVE_OFF, SG_NATIVE_WARN, SG_NATIVE_BLOCK };
/* The seed of hashes: by mode (SG_STRICT_SEED in strict, else Python's own), Python's own, or the one of the setting. */
enum sg_seed { SG_SEED_BY_MODE, SG_SEED_RANDOM, SG_SEED_NUMBER };
#define SG_STRICT_SEED 1
enum sg_inherit { SG_INHERIT_PYTHON, SG_INHERIT_ALL, SG_INHERIT_NONE };

/* In rising order of severity: comparing with < and > is meant. */
enum sg_action { SG_ACTION_ALLOW, SG_ACTION_LOG, SG_ACTION_WARN, SG_ACTION_ANSWER, SG_ACTION_BLOCK };

/*
 * What there is a deterministic value for: of the engine's, or, for LOCALE, TERMINAL and IDENTITY, always the same. ENTROPY: what
 * RANDOM is made of, answered below a function that is RANDOM. ADDRESS: a number of the run's for the object.
 * ORDER: the same call, made to keep an order. ZEROS: what is in memory that nobody has written to yet.
 */
enum sg_source {
	SG_SOURCE_NONE, SG_SOURCE_CLOCK, SG_SOURCE_RANDOM, SG_SOURCE_LOCALE, SG_SOURCE_TERMINAL, SG_SOURCE_ENTROPY, SG_SOURCE_IDENTITY,
	SG_SOURCE_ADDRESS, SG_SOURCE_ORDER, SG_SOURCE_ZEROS,
	SG_SOURCES
};

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
	enum sg_source answer;      /* what a call can be answered from */
	const char *entries;        /* the patterns of "when=name:PATTERN,PATTERN", or NULL: which entries of a mapping it is about */
	const char *reason;         /* why it is not deterministic: completes "because ..." */
	const char *replacement;    /* what to write instead */
	const char *setting;        /* what the message says to allow, or NULL: name */
	const char *source;         /* file or variable that stated it last */
	int line;                   /* 1-based; 0 for a variable */
	bool stated;                /* by more than the built-in file */
	bool only_named;            /* a worker's settings name it: action is for calls by others, not a statement */
};

enum sg_trust {
	SG_TRUST_NEAREST,
	SG_TRUST_HOST,      /* also libraries and code of the host that it calls back, such as a logging handler */
	SG_TRUST_ANYWHERE,  /* also workflow code that it calls back, as a debugger does */
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
	SG_NATIVE_POOL, /* processors and the number of the thread: how work is divided, who holds a lock */
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

struct sg_word {
	const char *name, *text;
};

struct sg_engine_config {
	const char *name;
	char **packages;       /* NULL-terminated */
	const char *distribution; /* under which it is installed; NULL: the name of the first package */
	const char *worker;    /* the module whose import brings it in */
	const char *tested;    /* "1.8 to 1.35", see words.h; NULL: not stated */
	struct sg_word *words; /* see words.h */
	size_t word_count;
};

struct sg_config {
	enum sg_mode mode;
	enum sg_isolation isolation;
	enum sg_inherit inherit;
	enum sg_native native;
	const char *tz;             /* as stated: "UTC", "host", "Europe/Berlin"; never NULL but where nothing was read */
	const struct sg_zone *zone; /* in which workflow code sees local time, see zone.h; NULL: that of the host */
	bool host_zone;             /* the setting says host */
	enum sg_seed seed;
	unsigned int hash_seed;     /* where sg_config_pins_seed() */
	bool hardened;              /* also what goes past libc, see shim/native/hardened.h */
	unsigned int answered;      /* a bit for each enum sg_source that is answered */
	bool required;              /* no worker without every guard that the mode needs */
	unsigned int world;         /* see shim/run/world.h; 0, 1: this one */
	int log_level;              /* enum sg_log_level */
	bool log_json;              /* a line is a JSON object, else logfmt */
	unsigned int summary;       /* minutes between two summaries; 0: one at the end */
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

/* Is it about state that others share, which modules may change while they are imported? Strict refuses what it warns of. */
static inline bool sg_rule_is_about_state(const struct sg_rule *rule)
{
	return rule->action == SG_ACTION_WARN && rule->strict > rule->action && rule->at_import == SG_ACTION_ALLOW;
}

/* Finds a rule by exact name; NULL when there is none. */
struct sg_rule *sg_config_rule(const struct sg_config *config, const char *name);

/* Is the seed of hashes ours to say? */
bool sg_config_pins_seed(const struct sg_config *config);

const char *sg_config_mode_name(enum sg_mode mode);
const char *sg_config_isolation_name(enum sg_isolation isolation);
const char *sg_config_action_name(enum sg_action action);
const char *sg_config_source_name(enum sg_source source);

/* Can a call of it be answered? */
static inline bool sg_config_has_answer(const struct sg_rule *rule)
{
	return rule->answer == SG_SOURCE_CLOCK || rule->answer == SG_SOURCE_RANDOM;
}

/* Modes strict and answer: they differ only in what workflow code itself is given where there is an answer. */
static inline bool sg_mode_is_strict(enum sg_mode mode)
{
	return mode == SG_MODE_STRICT || mode == SG_MODE_ANSWER;
}

static inline bool sg_config_is_strict(const struct sg_config *config)
{
	return sg_mode_is_strict(config->mode);
}

/* Modes in which what is refused is refused. */
static inline bool sg_mode_refuses(enum sg_mode mode)
{
	return mode <= SG_MODE_ANSWER;
}

static inline bool sg_config_refuses(const struct sg_config *config)
{
	return sg_mode_refuses(config->mode);
}
const char *sg_config_native_family_name(enum sg_native_family family);

#endif
