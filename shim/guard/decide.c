#define _GNU_SOURCE
#include "shim/guard/decide.h"

#include "config/words.h"
#include "shim/base/log.h"
#include "shim/base/real.h"
#include "shim/base/status.h"
#include "shim/guard/family.h"
#include "shim/guard/latest.h"
#include "shim/guard/origin.h"
#include "shim/guard/stray.h"
#include "shim/guard/undo.h"
#include "shim/import/code.h"
#include "shim/import/kept.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/run/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* rule, place, action and workflow type, a \x1f between them -> how often; what is repeated is counted, not logged again */
static PyObject *counts;
static PyObject *told; /* a dict as a set: those keys that the log's file has a line of */

PyObject *sg_call_argument(const struct sg_call *call, int position, const char *keyword)
{
	Py_ssize_t keywords = call->kwnames ? PyTuple_Size(call->kwnames) : 0;
	PyObject *name, *value;

	if (call->args && position < call->nargs)
		return call->args[position];
	if (call->tuple && position < PyTuple_Size(call->tuple))
		return PyTuple_GetItem(call->tuple, position);
	if (!keyword)
		return NULL;
	for (Py_ssize_t i = 0; i < keywords; i++)
		if (PyUnicode_CompareWithASCIIString(PyTuple_GetItem(call->kwnames, i), keyword) == 0)
			return call->args[call->nargs + i];
	if (!call->kwargs)
		return NULL;
	name = PyUnicode_FromString(keyword);
	value = name ? PyDict_GetItemWithError(call->kwargs, name) : NULL;
	sg_python_clear(&name);
	PyErr_Clear();
	return value;
}

/* A bounded text that grows by pieces; what does not fit is cut. */
struct text {
	size_t length;
	char buffer[2048];
};

__attribute__((format(printf, 2, 3)))
static void append(struct text *text, const char *format, ...)
{
	va_list arguments;
	int written;

	va_start(arguments, format);
	written = vsnprintf(text->buffer + text->length, sizeof(text->buffer) - text->length, format,
			arguments);
	va_end(arguments);
	if (written > 0)
		text->length += (size_t)written;
	if (text->length >= sizeof(text->buffer))
		text->length = sizeof(text->buffer) - 1;
}

static void append_attribute(struct text *text, PyObject *object, const char *first, const char *second)
{
	PyObject *value = sg_python_attribute_or_null(object, first);

	if (!value && second)
		value = sg_python_attribute_or_null(object, second);
	append(text, "%s", sg_python_text(value));
	sg_python_clear(&value);
}

static void append_function(struct text *text, PyObject *code)
{
	append_attribute(text, code, "co_qualname", "co_name"); /* co_qualname: 3.11 */
}

static void append_place(struct text *text, PyObject *code, int line)
{
	append_attribute(text, code, "co_filename", NULL);
	append(text, ":%d", line);
}

/* What the verdict is about, put together once. */
struct incident {
	const struct sg_call *call;
	const struct sg_rule *rule;
	const struct sg_rule *told; /* what the user is told: rule, or a library's that speaks for what the user called */
	const struct sg_origin *origin;
	enum sg_action action;
	enum sg_phase phase;
	const struct sg_context *context; /* NULL: it is judged when the activation is over */
	const struct sg_judgement *judgement; /* the worker's own word, or NULL */
	const char *kept_as; /* the global that keeps what a library asked for while the workflow was imported, or NULL */
	bool stands; /* the clock was read too often in one activation */
	struct text chain, place, function, library;
};

/* The texts are large, and for most calls nothing is ever said. */
static void begin_incident(struct incident *incident, const struct sg_call *call, enum sg_phase phase,
		const struct sg_origin *origin)
{
	struct text *texts[] = {
		&incident->chain, &incident->place, &incident->function, &incident->library
	};

	incident->call = call;
	incident->phase = phase;
	incident->context = NULL;
	incident->origin = origin;
	incident->rule = incident->told = NULL;
	incident->judgement = NULL;
	incident->kept_as = NULL;
	incident->stands = false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		texts[i]->length = 0;
		texts[i]->buffer[0] = '\0';
	}
}

static void describe(struct incident *incident)
{
	const struct sg_origin *origin = incident->origin;
	const char *called = incident->call->name ? incident->call->name :
		origin->rule ? incident->call->rule->name : incident->rule->name;

	for (int i = origin->chain_length - 1; i >= 0; i--) {
		if (origin->rule && i == origin->rule_position) {
			/* The name that users know: random.randint, not random.Random.randint. */
			append(&incident->chain, "%s -> ", origin->rule->name);
			continue;
		}
		append(&incident->chain, "%s.", sg_python_text(origin->chain_module[i]));
		append_function(&incident->chain, origin->chain[i]);
		append(&incident->chain, " -> ");
	}
	append(&incident->chain, "%s", called);
	if (origin->user_code) {
		append_place(&incident->place, origin->user_code, origin->user_line);
		append_function(&incident->function, origin->user_code);
	}
	if (origin->library_code)
		append_place(&incident->library, origin->library_code, origin->library_line);
}

static const char *origin_name(enum sg_origin_kind kind)
{
	static const char *const names[] = {"trusted", "imported", "sink", "direct", "passthrough"};

	return names[kind];
}

/* The qualified name that the user is told. */
static const char *incident_name(const struct incident *incident)
{
	/* A rule found by a wildcard has no name of its own, nor has one that is about every object of a kind. */
	return incident->call->name && (incident->told->guard == SG_GUARD_STORE || strchr(incident->told->name, '*')) ?
		incident->call->name : incident->told->name;
}

static void compose_message(const struct incident *incident, const struct sg_engine *engine, struct text *message)
{
	const struct sg_rule *rule = incident->told;
	char instead[SG_WORDS_SIZE];

	if (incident->judgement && incident->judgement->message) {
		append(message, "%s", sg_python_text(incident->judgement->message));
		return;
	}
	append(message, "Cannot %s %s from inside a workflow, because %s. %s ",
			rule->guard == SG_GUARD_STORE ? "change" : "access", incident_name(incident), incident->stands ?
			"its answer is the time of the activation, which stands still, and it was asked for too often" : rule->reason,
			rule->guard == SG_GUARD_STORE ? "Changed" : "Called");
	if (incident->library.length)
		append(message, "by a %slibrary (%s) ",
				incident->origin->kind == SG_ORIGIN_PASSTHROUGH ? "passed-through " : "",
				incident->library.buffer);
	else if (incident->kept_as)
		append(message, "by a library ");
	append(message, "in %s at %s, %s", incident->function.buffer, incident->place.buffer,
			incident->phase == SG_PHASE_IMPORT || incident->kept_as ? "while the workflow was imported" : "at run time");
	if (incident->kept_as)
		append(message, "; the workflow uses %s, which keeps what came of it", incident->kept_as);
	if (strcmp(incident->chain.buffer, incident_name(incident)) != 0)
		append(message, " (%s)", incident->chain.buffer);
	append(message, ". Instead: %s.", sg_words_put(sg_policy_config, engine->name,
			incident->stands ? "await asyncio.sleep() or {sleep}, which let time pass" : rule->replacement, instead, sizeof(instead)));
	if (incident->judgement)
		append(message, " To allow it: the restrictions that this worker passes to its sandbox");
	else
		append(message, " To allow it on this worker: SANDGLASS_RULES=%s=allow", rule->setting ? rule->setting : rule->name);
}

static enum sg_log_level level_of(enum sg_action action)
{
	switch (action) {
	case SG_ACTION_ALLOW:
		return SG_LOG_DEBUG;
	case SG_ACTION_LOG:
	case SG_ACTION_ANSWER:
		return SG_LOG_INFO;
	default:
		return SG_LOG_WARN;
	}
}

static void log_place(const struct incident *incident, struct sg_line *line)
{
	sg_log_text(line, "where", incident->place.length ? incident->place.buffer : NULL);
	sg_log_text(line, "function", incident->function.length ? incident->function.buffer : NULL);
	sg_log_text(line, "chain", incident->chain.buffer);
	sg_log_text(line, "library", incident->library.length ? incident->library.buffer : NULL);
	sg_log_text(line, "kept", incident->kept_as);
}

/* Who asks for a summary now and then sees it at the default level. */
static bool begin_summary(struct sg_line *line, const char *event)
{
	return sg_policy_config->summary ? sg_log_begin_notice(line, event) : sg_log_begin(line, SG_LOG_INFO, event);
}

#define ANSWERED_PLACES 256

static struct place {
	const struct sg_rule *rule;
	const PyObject *code;
	int line;
	PyObject *key;       /* of counts */
	unsigned long count; /* what is not in there yet */
} answered_places[ANSWERED_PLACES];

static PyObject *latest_key; /* that was counted */

static void add_to_count(PyObject *key, unsigned long times)
{
	PyObject *known = PyDict_GetItemWithError(counts, key), *number = PyLong_FromLong((long)times + (known ? PyLong_AsLong(known) : 0));

	if (!number || PyDict_SetItem(counts, key, number) < 0)
		PyErr_Clear();
	sg_python_clear(&number);
}

static void count_answered(struct place *place)
{
	if (place->count && place->key && counts)
		add_to_count(place->key, place->count);
	place->count = 0;
}

static void forget_answered(struct place *place)
{
	count_answered(place);
	sg_python_clear(&place->key);
	*place = (struct place){0};
}

static void follow_log(void)
{
	static unsigned int generation;
	unsigned int now = sg_log_generation();

	if (now == generation)
		return;
	generation = now;
	if (told)
		PyDict_Clear(told);
	for (size_t i = 0; i < ANSWERED_PLACES; i++)
		forget_answered(&answered_places[i]);
}

bool sg_decide_count(const char *rule, const char *place, enum sg_action action, const struct sg_run *run, unsigned long times)
{
	PyObject *key;
	bool new = true;

	follow_log();
	sg_status.violations[action] += times;
	if (!counts)
		counts = PyDict_New();
	if (!told)
		told = PyDict_New();
	key = PyUnicode_FromFormat("%s\x1f%s\x1f%s\x1f%s", rule, place, sg_config_action_name(action),
			run->workflow_type ? sg_python_text(run->workflow_type) : "");
	if (key && counts && told) {
		add_to_count(key, times);
		new = !PyDict_GetItemWithError(told, key);
		if (new)
			PyDict_SetItem(told, key, Py_None);
	}
	PyErr_Clear();
	sg_python_clear(&latest_key);
	latest_key = key;
	return new;
}

static void log_total(PyObject *key, PyObject *value)
{
	static const char *const names[] = {"rule", "where", "action", "workflow_type"};
	struct sg_line line;
	char text[2048], *rest = text, *part;

	snprintf(text, sizeof(text), "%s", sg_python_text(key));
	if (!begin_summary(&line, "total"))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && (part = strsep(&rest, "\x1f")); i++)
		sg_log_text(&line, names[i], *part ? part : NULL);
	sg_log_number(&line, "count", PyLong_AsLong(value));
	sg_log_end(&line);
}

void sg_decide_summary(void)
{
	static PyObject *written; /* the counts as the log has them */
	PyObject *key, *value, *before;
	Py_ssize_t position = 0;
	struct sg_line line;
	long total = 0;

	for (size_t i = 0; i < ANSWERED_PLACES; i++)
		count_answered(&answered_places[i]);
	while (counts && PyDict_Next(counts, &position, &key, &value))
		total += PyLong_AsLong(value);
	if (begin_summary(&line, "summary")) {
		sg_log_number(&line, "violations", total);
		sg_log_number(&line, "places", counts ? PyDict_Size(counts) : 0);
		sg_log_number(&line, "runs", (int64_t)sg_status.runs_made);
		sg_log_end(&line);
	}
	position = 0;
	while (counts && PyDict_Next(counts, &position, &key, &value)) {
		before = written ? PyDict_GetItemWithError(written, key) : NULL;
		if (!before || PyLong_AsLong(before) != PyLong_AsLong(value))
			log_total(key, value);
	}
	sg_python_clear(&written);
	written = counts ? PyDict_Copy(counts) : NULL;
	PyErr_Clear();
}

void sg_decide_summary_if_due(void)
{
	static time_t due;
	struct timespec now;
	PyObject *type, *value, *traceback;

	if (!sg_policy_config->summary || REAL(clock_gettime)(CLOCK_MONOTONIC_COARSE, &now) != 0)
		return;
	if (due && now.tv_sec >= due) {
		PyErr_Fetch(&type, &value, &traceback);
		sg_decide_summary();
		PyErr_Restore(type, value, traceback);
	}
	if (!due || now.tv_sec >= due)
		due = now.tv_sec + 60 * (time_t)sg_policy_config->summary;
}

/*
 * One C function may serve several classes: datetime.date.today and datetime.datetime.today. The nearest class
 * in the method resolution order that a rule names decides.
 */
static const struct sg_rule *rule_of_class(const struct sg_call *call)
{
	const struct sg_rule *rule = NULL;
	PyObject *mro, *class, *module, *name;
	struct text text;

	if (!call->self || !sg_cpython_is_class(call->self))
		return NULL;
	mro = sg_python_attribute_or_null(call->self, "__mro__");
	for (Py_ssize_t i = 0; mro && !rule && i < PyTuple_Size(mro); i++) {
		class = PyTuple_GetItem(mro, i);
		text.length = 0;
		module = sg_python_attribute_or_null(class, "__module__");
		name = sg_python_attribute_or_null(class, "__qualname__");
		append(&text, "%s.%s%s", sg_python_text(module), sg_python_text(name),
				strrchr(call->rule->name, '.'));
		sg_python_clear(&name);
		sg_python_clear(&module);
		rule = sg_config_rule(sg_policy_config, text.buffer);
	}
	sg_python_clear(&mro);
	return rule;
}

/* Of one package, by their names? */
static bool are_neighbours(const struct sg_rule *a, const struct sg_rule *b)
{
	size_t length = strcspn(a->name, ".");

	return strcspn(b->name, ".") == length && strncmp(a->name, b->name, length) == 0;
}

/* The rule that names the call best: the outermost standard library function, then what a condition knows. */
static const struct sg_rule *effective_rule(const struct sg_call *call, const struct sg_rule *outermost,
		const struct sg_rule *of_class)
{
	const struct sg_rule *rule = outermost;

	if (call->exact && (!rule || are_neighbours(rule, call->rule)))
		rule = call->rule;
	if (!rule && call->name)
		rule = sg_config_rule(sg_policy_config, call->name);
	if (!rule)
		rule = of_class;
	return rule ? rule : call->rule;
}

static enum sg_action min_action(enum sg_action a, enum sg_action b)
{
	return a < b ? a : b;
}

/* Is the very thing that is called allowed, whatever calls it? What the built-in file says of its calls is nothing about stores. */
static bool is_allowed(const struct sg_call *call, const struct sg_rule *of_class)
{
	const struct sg_rule *named = call->name ? sg_config_rule(sg_policy_config, call->name) : NULL;
	const struct sg_rule *rule = of_class ? of_class : call->rule;

	if (named && (call->rule->guard != SG_GUARD_STORE || named->guard == SG_GUARD_STORE || named->stated))
		rule = named;
	return rule->action == SG_ACTION_ALLOW && !rule->only_named;
}

static void consider(struct sg_policy *policy, const char *name, const struct sg_judgement **best)
{
	const struct sg_judgement *judgement = sg_policy_judge(policy, name);

	/* What is allowed by any of its names is allowed: the worker knew what it calls. */
	if (judgement->verdict > SG_JUDGED_SILENT &&
	    (!*best || judgement->verdict == SG_JUDGED_ALLOWED))
		*best = judgement;
}

/* What the worker's settings say about any function in the chain; NULL: nothing. */
static const struct sg_judgement *judge(const struct incident *incident, struct sg_policy *policy,
		const struct sg_rule *of_class)
{
	const struct sg_origin *origin = incident->origin;
	const struct sg_judgement *best = NULL;
	struct text name;

	consider(policy, of_class ? of_class->name : incident->call->rule->name, &best);
	if (incident->call->name)
		consider(policy, incident->call->name, &best);
	for (int i = 0; i < origin->chain_length; i++) {
		if (origin->chain_rule[i])
			consider(policy, origin->chain_rule[i]->name, &best);
		name.length = 0;
		append(&name, "%s.", sg_python_text(origin->chain_module[i]));
		append_function(&name, origin->chain[i]);
		consider(policy, name.buffer, &best);
	}
	return best;
}

static enum sg_action judged_action(const struct sg_judgement *judgement, enum sg_origin_kind kind,
		enum sg_phase phase, enum sg_mode mode)
{
	if (judgement->verdict == SG_JUDGED_ALLOWED || kind == SG_ORIGIN_TRUSTED ||
	    kind == SG_ORIGIN_IMPORTED || (phase == SG_PHASE_IMPORT && !judgement->at_import))
		return SG_ACTION_ALLOW;
	if (judgement->warning || (kind == SG_ORIGIN_PASSTHROUGH && !sg_mode_is_strict(mode)))
		return SG_ACTION_WARN;
	return sg_mode_refuses(mode) ? SG_ACTION_BLOCK : SG_ACTION_WARN;
}

static enum sg_action verdict(const struct sg_rule *rule, const struct sg_origin *origin,
		enum sg_phase phase, enum sg_mode mode)
{
	enum sg_origin_kind kind = origin->kind;
	enum sg_action most = sg_mode_is_strict(mode) ? rule->strict : rule->action, action = most;

	if (kind == SG_ORIGIN_TRUSTED || kind == SG_ORIGIN_IMPORTED)
		return SG_ACTION_ALLOW;
	if (phase == SG_PHASE_IMPORT)
		action = min_action(action, rule->at_import);
	if (kind == SG_ORIGIN_PASSTHROUGH)
		action = min_action(action, rule->via);
	/* Strict makes no difference between the three ways, except where a rule lets one pass. */
	if (sg_mode_is_strict(mode) && action == SG_ACTION_WARN)
		action = most;
	/* What an installed library does while the workflow file is loaded (decorators, base classes) is its setup. */
	if (phase == SG_PHASE_IMPORT && origin->third_party)
		action = min_action(action, SG_ACTION_WARN);
	if (!sg_mode_refuses(mode))
		action = min_action(action, SG_ACTION_WARN);
	return action;
}

/* The engine's exception, kept with the run: workflow code may swallow it. */
static void refuse(struct incident *incident, struct sg_run *run, const struct sg_engine *engine)
{
	PyObject *type, *value, *traceback;
	struct text message = {.length = 0};

	compose_message(incident, engine, &message);
	sg_engine_refuse(engine, incident_name(incident), message.buffer);
	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	if (!run->refusal) /* what came first is what the rest follows from */
		run->refusal = sg_python_ref(value);
	run->refusals++;
	PyErr_Restore(type, value, traceback);
}

int sg_decide_warn(PyObject *category, const char *text, const char *module, PyObject *code, int line)
{
	static PyObject *registry;
	PyObject *file = code ? sg_python_attribute_or_null(code, "co_filename") : NULL;
	int error;

	if (!registry && !(registry = PyDict_New()))
		return -1;
	error = PyErr_WarnExplicit(category, text, file ? sg_python_text(file) : "workflow", line, module,
			registry);
	sg_python_clear(&file);
	return error;
}

static int warn(const struct incident *incident, const struct sg_engine *engine, PyObject *category)
{
	struct text message = {.length = 0};

	compose_message(incident, engine, &message);
	return sg_decide_warn(category, message.buffer, engine->warns_as, incident->origin->user_code,
			incident->origin->user_line);
}

/* What workflow code is given, or what it uses: a library, whose code nobody wrote for workflows. */
static bool is_asked_by_library(const struct incident *incident)
{
	return incident->origin->kind == SG_ORIGIN_PASSTHROUGH || incident->origin->kind == SG_ORIGIN_SINK || incident->origin->third_party;
}

/*
 * Is the call answered instead? Both what is called and what it is for must have an answer: os.urandom() gives uuid4(), and
 * token_bytes() too, which has none; a function that has one may ask the host for something else besides; and gauss(),
 * which has none, keeps a number for its next caller, whatever generator it draws from. Where workflow code calls something
 * that has a rule of its own, be it by name, be it that the worker's settings refuse it, that is its own doing.
 */
static bool may_answer(const struct incident *incident, enum sg_action action, enum sg_mode mode)
{
	const struct sg_rule *rule = incident->rule, *outermost = incident->origin->rule;
	const struct sg_context *context = incident->context;

	if (action < SG_ACTION_WARN || !sg_mode_refuses(mode) || incident->judgement || !context ||
	    !incident->call->rule->answer || !sg_config_has_answer(rule) || !sg_answer_can(rule->answer) ||
	    (outermost && !sg_config_has_answer(outermost)))
		return false;
	/*
	 * What passes while modules are imported is made once, for all runs; a time that nobody expects only where it must not differ,
	 * and of what sinks pass in a record alone: others show it to whoever watches the worker.
	 */
	if (context->phase == SG_PHASE_IMPORT)
		return (action < SG_ACTION_BLOCK || incident->origin->noted) && context->run->modules &&
			(rule->answer == SG_SOURCE_RANDOM || sg_mode_is_strict(mode));
	if (!context->activation || !context->run->policy->engine->knows)
		return false;
	return action == SG_ACTION_ANSWER || mode == SG_MODE_ANSWER ||
		(is_asked_by_library(incident) && (incident->told == rule || sg_config_has_answer(incident->told)));
}

/*
 * What needs nothing of the engine. There is no terminal; what is written does not tell who wrote it; objects are numbered. The locale is answered
 * as the zone is, in modes that pin it, and where it would be refused: a library that takes its defaults from it, be it while
 * it is imported by the run, takes those of the C locale.
 */
static bool may_answer_always(const struct sg_call *call, const struct sg_origin *origin, enum sg_mode mode)
{
	if (call->rule->answer == SG_SOURCE_TERMINAL)
		return sg_mode_refuses(mode) && sg_answer_can(SG_SOURCE_TERMINAL);
	if (call->rule->answer == SG_SOURCE_IDENTITY)
		return sg_mode_refuses(mode) && origin->kind == SG_ORIGIN_SINK;
	if (call->rule->answer == SG_SOURCE_ADDRESS || call->rule->answer == SG_SOURCE_ORDER || call->rule->answer == SG_SOURCE_ZEROS)
		return sg_mode_refuses(mode);
	if (call->rule->answer != SG_SOURCE_LOCALE || !sg_answer_can(SG_SOURCE_LOCALE))
		return false;
	if (!sg_mode_is_strict(mode)) /* where it is passed through, it has the host's, and that is told */
		return sg_mode_refuses(mode) && origin->third_party && origin->kind == SG_ORIGIN_DIRECT;
	return origin->kind == SG_ORIGIN_IMPORTED || origin->kind == SG_ORIGIN_PASSTHROUGH || origin->kind == SG_ORIGIN_SINK ||
		origin->third_party || mode == SG_MODE_ANSWER;
}

/* What the rules and the worker say in that mode; of an answer, whether it can be had. */
static enum sg_action action_in(const struct incident *incident, enum sg_mode mode, bool *ret_answered)
{
	const struct sg_origin *origin = incident->origin;
	enum sg_action action = incident->judgement ? judged_action(incident->judgement, origin->kind, incident->phase, mode) :
		verdict(incident->rule, origin, incident->phase, mode);

	/* A library's rule lends its words, and decides where it has been lowered. */
	if (incident->told != incident->rule && incident->told->action < SG_ACTION_BLOCK)
		action = min_action(action, verdict(incident->told, origin, incident->phase, mode));
	*ret_answered = may_answer(incident, action, mode) || may_answer_always(incident->call, origin, mode);
	if (origin->kind == SG_ORIGIN_SINK && !*ret_answered)
		return SG_ACTION_ALLOW;
	return action == SG_ACTION_ANSWER && !*ret_answered ? SG_ACTION_BLOCK : action;
}

enum sg_mode sg_decide_next_mode(const char *modes)
{
	enum sg_mode own = sg_policy_config->mode;

	if (!*modes && own != SG_MODE_ENFORCE)
		return SG_MODE_ENFORCE;
	return own == SG_MODE_STRICT || strstr(modes, "strict") ? SG_MODE_OFF : SG_MODE_STRICT;
}

void sg_decide_add_mode(char *modes, enum sg_mode mode, enum sg_action action)
{
	size_t length = strlen(modes);

	snprintf(modes + length, SG_WOULD_SIZE - length, "%s%s:%s", length ? "," : "", sg_config_mode_name(mode),
			sg_config_action_name(action));
}

static int prepare_import(struct sg_run *run, struct sg_answer *ret_answer)
{
	return sg_answer_prepare(&run->importing, SG_ANSWER_IMPORT_TIME, run->policy->workflow_module, SG_STREAM_REPLAYED, ret_answer);
}

/* A sink shows what it was told to nobody. */
static void tell_latest(const struct sg_origin *origin, struct sg_run *run, bool aside)
{
	if (origin->kind == SG_ORIGIN_SINK)
		return;
	for (int i = 0; i < origin->chain_length; i++)
		if (origin->chain[i])
			sg_latest_told(run, origin->chain[i], aside);
	if (origin->library_code)
		sg_latest_told(run, origin->library_code, aside);
}

static int prepare(const struct incident *incident, struct sg_run *run, struct sg_answer *ret_answer)
{
	int64_t now = 0;
	bool aside = sg_policy_aside(run);
	PyObject *seed = run->policy->engine->knows(run, &now);
	enum sg_stream_kind kind = aside ? SG_STREAM_ASIDE :
		incident->origin->kind == SG_ORIGIN_SINK ? SG_STREAM_SINKS : SG_STREAM_REPLAYED;
	int error = seed ? sg_answer_prepare(&run->answered, now, seed, kind, ret_answer) : -1;

	PyErr_Clear();
	sg_python_clear(&seed);
	if (error)
		return error;
	sg_answer_at(&run->answered, now);
	tell_latest(incident->origin, run, aside);
	return 0;
}

/* 0, or -1: nothing is known, or enough has been said. */
static int answer(struct incident *incident, struct sg_call *call, struct sg_run *run, struct sg_answer *ret_answer)
{
	int error = incident->phase == SG_PHASE_IMPORT ? prepare_import(run, ret_answer) : prepare(incident, run, ret_answer);

	if (!error && incident->origin->kind != SG_ORIGIN_SINK && incident->rule->answer == SG_SOURCE_CLOCK &&
	    ++run->answered.clock > SG_ANSWER_READS_MAX) {
		incident->stands = true;
		return -1;
	}
	if (!error && call->answer && call->answer(call, ret_answer) < 0) {
		PyErr_Clear();
		return -1;
	}
	return error;
}

/*
 * Has this place been told of already? What is answered is asked for often, and to describe it costs more than the answer.
 * By address, so a place whose code is gone may speak for another, of which the line of the log is then missing.
 */
static bool was_answered(const struct incident *incident, struct place **ret_place)
{
	const struct sg_origin *origin = incident->origin;
	struct place place = {.rule = incident->rule, .code = origin->user_code, .line = origin->user_line};
	uintptr_t mixed = ((uintptr_t)place.rule ^ (uintptr_t)place.code) / 16 + (uintptr_t)place.line;
	struct place *known = &answered_places[mixed % ANSWERED_PLACES];

	if (known->rule == place.rule && known->code == place.code && known->line == place.line) {
		known->count++;
		return true;
	}
	forget_answered(known);
	*known = place;
	*ret_place = known;
	return false;
}

static void log_incident(const struct incident *incident, const struct sg_run *run)
{
	bool new = sg_decide_count(incident->told->name, incident->place.buffer, incident->action, run, 1);
	char instead[SG_WORDS_SIZE], modes[SG_WOULD_SIZE] = "";
	enum sg_mode mode;
	struct sg_line line;
	bool answered;

	if (!new && !sg_log_enabled(SG_LOG_DEBUG))
		return;
	if (!sg_log_begin(&line, level_of(incident->action), incident->action == SG_ACTION_ANSWER ? "answered" : "violation"))
		return;
	sg_log_text(&line, "rule", incident->told->name); /* the one that a message names, and a setting */
	sg_log_text(&line, "action", sg_config_action_name(incident->action));
	while ((mode = sg_decide_next_mode(modes)) != SG_MODE_OFF) {
		enum sg_action action = action_in(incident, mode, &answered);

		sg_decide_add_mode(modes, mode, answered ? SG_ACTION_ANSWER : action);
	}
	sg_log_text(&line, "would", *modes ? modes : NULL);
	sg_log_text(&line, "origin", origin_name(incident->origin->kind));
	sg_log_text(&line, "phase", incident->phase == SG_PHASE_IMPORT ? "import" : "runtime");
	sg_log_text(&line, "workflow_type", run->workflow_type ? sg_python_text(run->workflow_type) : NULL);
	sg_run_log(run, &line);
	log_place(incident, &line);
	sg_log_text(&line, "reason", incident->told->reason);
	sg_log_text(&line, "instead", sg_words_put(sg_policy_config, run->policy->engine->name, incident->told->replacement, instead,
			sizeof(instead)));
	sg_log_end(&line);
}

static int act(struct incident *incident, struct sg_run *run, const struct sg_engine *engine)
{
	struct place *place = NULL;

	if (incident->action == SG_ACTION_ANSWER && !sg_log_enabled(SG_LOG_DEBUG) && was_answered(incident, &place)) {
		sg_status.violations[SG_ACTION_ANSWER]++;
		return 0;
	}
	describe(incident);
	log_incident(incident, run);
	if (place && !place->key) /* describing it may have come by here */
		place->key = sg_python_ref(latest_key);
	if (incident->action == SG_ACTION_BLOCK) {
		refuse(incident, run, engine);
		return -1;
	}
	if (incident->judgement && incident->judgement->warning && sg_config_refuses(sg_policy_config))
		return warn(incident, engine, incident->judgement->warning);
	/* A rule that only ever warns tells the developer the Python way; a refusal that was softened does not. */
	if (incident->action == SG_ACTION_WARN && incident->rule->action == SG_ACTION_WARN &&
	    incident->rule->strict == SG_ACTION_WARN && incident->origin->kind == SG_ORIGIN_DIRECT && sg_config_refuses(sg_policy_config))
		return warn(incident, engine, PyExc_UserWarning);
	return 0;
}

/* A constant of a module is read by library code all the time; only the workflow's own line is meant. */
static bool is_plain_read(const struct sg_origin *origin)
{
	return origin->kind == SG_ORIGIN_DIRECT && origin->chain_length == 0 && !origin->third_party;
}

/*
 * What depends on the zone alone is answered in that of the configuration, by what is called itself: it stays in the context,
 * where libc's entries know. Where there is none it is the host's, and that is said once.
 */
static enum sg_decision in_zone(struct incident *incident, const struct sg_run *run)
{
	static bool said;
	struct sg_line line;

	if (said || sg_policy_config->zone || sg_policy_config->host_zone)
		return SG_DECIDED_INSIDE;
	said = true;
	if (!sg_log_begin(&line, SG_LOG_WARN, "zone"))
		return SG_DECIDED_INSIDE;
	describe(incident);
	sg_log_text(&line, "rule", incident->call->rule->name);
	sg_log_text(&line, "workflow_type", run->workflow_type ? sg_python_text(run->workflow_type) : NULL);
	log_place(incident, &line);
	sg_log_text(&line, "reason", "workflow code sees the local time of this host; on one in another zone it goes another way");
	sg_log_text(&line, "setting", "SANDGLASS_TZ=UTC or a zone, the same on every worker; host: that is how it is meant");
	sg_log_end(&line);
	return SG_DECIDED_INSIDE;
}

/* Is it let pass for no other reason than that an installed library asks? Then it may matter to whoever uses what came of it. */
static bool passes_as_setup(const struct incident *incident)
{
	struct sg_origin origin = *incident->origin;
	struct incident other = *incident;
	bool answered;

	if (incident->phase != SG_PHASE_IMPORT || !origin.third_party || incident->action != SG_ACTION_WARN || incident->judgement ||
	    !sg_config_is_strict(sg_policy_config))
		return false;
	origin.third_party = false;
	other.origin = &origin;
	return action_in(&other, sg_policy_config->mode, &answered) == SG_ACTION_BLOCK;
}

static enum sg_decision decide_for(struct sg_call *call, struct sg_context *context, struct sg_origin *origin, struct sg_answer *ret_answer)
{
	const struct sg_rule *of_class = rule_of_class(call);
	enum sg_decision decision = SG_DECIDED_GO;
	struct incident incident;
	bool at_runtime, state, answered;

	if (origin->kind == SG_ORIGIN_TRUSTED || is_allowed(call, of_class))
		return SG_DECIDED_GO;
	begin_incident(&incident, call, context->phase, origin);
	incident.context = context;
	if (may_answer_always(call, origin, sg_policy_config->mode) && (!call->answer || call->answer(call, NULL) == 0)) {
		incident.rule = incident.told = call->rule;
		incident.action = SG_ACTION_ANSWER;
		act(&incident, context->run, context->run->policy->engine);
		return SG_DECIDED_ANSWER;
	}
	incident.judgement = judge(&incident, context->run->policy, of_class);
	incident.rule = effective_rule(call, incident.judgement ? origin->rule : origin->stated, of_class);
	if (call->zone && !(incident.judgement && incident.judgement->verdict == SG_JUDGED_REFUSED))
		return in_zone(&incident, context->run);
	if (call->rule->guard == SG_GUARD_READ && !is_plain_read(origin))
		origin->kind = SG_ORIGIN_TRUSTED;
	incident.told = incident.judgement || !origin->library_rule ? incident.rule : origin->library_rule;
	incident.action = action_in(&incident, sg_policy_config->mode, &answered);
	if (answered && !ret_answer)
		return SG_DECIDED_GO; /* what it calls is asked again */
	if (answered && answer(&incident, call, context->run, ret_answer) == 0) {
		/* What was made while modules were imported is the same for every run: whoever wrote it is still told, but for sinks. */
		if (context->phase != SG_PHASE_IMPORT)
			incident.action = SG_ACTION_ANSWER;
		else if (origin->kind == SG_ORIGIN_SINK)
			incident.action = SG_ACTION_ALLOW;
		decision = SG_DECIDED_ANSWER;
	} else if (incident.stands || incident.action == SG_ACTION_ANSWER) {
		incident.action = SG_ACTION_BLOCK;
	} else if (origin->kind == SG_ORIGIN_SINK) {
		incident.action = SG_ACTION_ALLOW;
	}
	if (decision == SG_DECIDED_GO && passes_as_setup(&incident))
		sg_kept_note(context, incident.rule, call->name, origin->user_code, origin->user_line);
	/* What is let pass although it changes what others share is put right again; what can be compared is judged by then. */
	at_runtime = origin->kind == SG_ORIGIN_DIRECT && context->phase == SG_PHASE_RUNTIME;
	state = at_runtime && sg_rule_is_about_state(incident.rule) && call->rule->guard == SG_GUARD_CALL;
	if ((state || (at_runtime && incident.told != incident.rule && sg_rule_is_about_state(incident.told))) &&
	    !incident.judgement && incident.action > SG_ACTION_LOG &&
	    sg_undo_note_call(call, incident.told, origin->user_code, origin->user_line))
		return SG_DECIDED_GO;
	if ((incident.action > SG_ACTION_ALLOW || (origin->kind == SG_ORIGIN_IMPORTED && sg_log_enabled(SG_LOG_DEBUG))) &&
	    act(&incident, context->run, context->run->policy->engine) < 0)
		return SG_DECIDED_NO;
	if (decision == SG_DECIDED_GO && state)
		sg_undo_note_call(call, NULL, NULL, 0);
	return decision;
}

static enum sg_decision decide(struct sg_call *call, sg_condition condition, struct sg_context *context, struct sg_answer *ret_answer)
{
	enum sg_decision decision;
	struct sg_origin origin;

	if (!context->run->policy) /* a probe's, which a tracer looks at */
		return SG_DECIDED_GO;
	call->run = context->run;
	call->importing = context->phase == SG_PHASE_IMPORT;
	if (condition && !condition(call, call->rule->condition_argument))
		return call->watched ? SG_DECIDED_INSIDE : SG_DECIDED_GO;
	if (sg_engine_is_unrestricted(context->run->policy->engine))
		return SG_DECIDED_GO;
	sg_origin_find(context, call->rule, call->rule->answer || call->zone, &origin);
	decision = decide_for(call, context, &origin, ret_answer);
	sg_origin_release(&origin);
	return decision;
}

enum sg_action sg_decide_kept(struct sg_run *run, const struct sg_rule *rule, const char *name, PyObject *code, int line, const char *kept_as)
{
	struct sg_origin origin = {.kind = SG_ORIGIN_DIRECT, .user_code = code, .user_line = line};
	struct sg_call call = {.rule = rule, .run = run, .name = name, .exact = true};
	struct incident incident;
	bool answered;

	begin_incident(&incident, &call, SG_PHASE_RUNTIME, &origin);
	incident.rule = incident.told = rule;
	incident.kept_as = kept_as;
	incident.judgement = judge(&incident, run->policy, NULL);
	incident.action = action_in(&incident, sg_policy_config->mode, &answered);
	run->late |= incident.action == SG_ACTION_BLOCK && !run->refusal;
	if (incident.action > SG_ACTION_ALLOW)
		act(&incident, run, run->policy->engine);
	PyErr_Clear();
	return incident.action;
}

enum sg_action sg_decide_late(struct sg_run *run, const struct sg_rule *rule, const char *name, PyObject *code, int line)
{
	return sg_decide_kept(run, rule, name, code, line, NULL);
}

enum sg_decision sg_decide(struct sg_call *call, sg_condition condition, struct sg_answer *ret_answer)
{
	struct sg_context *context = sg_context_suspend(), stray;
	PyObject *type, *value, *traceback;
	enum sg_decision decision = SG_DECIDED_GO;

	sg_assert(PyGILState_Check());
	PyErr_Fetch(&type, &value, &traceback); /* a call made while an exception is set, in a destructor */
	if (context) {
		decision = decide(call, condition, context, ret_answer);
	} else if (sg_stray_find(&stray)) {
		sg_context_begin(&stray);
		decision = decide(call, condition, &stray, ret_answer);
		sg_context_end(&stray);
	}
	if (decision != SG_DECIDED_NO)
		PyErr_Restore(type, value, traceback);
	else {
		sg_python_clear(&type);
		sg_python_clear(&value);
		sg_python_clear(&traceback);
	}
	sg_context_leave(context);
	return decision;
}
