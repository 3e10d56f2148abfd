#include "shim/guard/decide.h"

#include "shim/base/log.h"
#include "shim/base/status.h"
#include "shim/guard/family.h"
#include "shim/guard/origin.h"
#include "shim/guard/undo.h"
#include "shim/import/code.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/run/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* rule|place|action -> how often; what is repeated is counted, not logged again */
static PyObject *counts;

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
	const struct sg_judgement *judgement; /* the worker's own word, or NULL */
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
	incident->origin = origin;
	incident->rule = incident->told = NULL;
	incident->judgement = NULL;
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
	static const char *const names[] = {"trusted", "imported", "direct", "passthrough"};

	return names[kind];
}

/* The qualified name that the user is told. */
static const char *incident_name(const struct incident *incident)
{
	/* A rule found by a wildcard has no name of its own, nor has one that is about every object of a kind. */
	return incident->call->name && (incident->told->guard == SG_GUARD_STORE || strchr(incident->told->name, '*')) ?
		incident->call->name : incident->told->name;
}

static void compose_message(const struct incident *incident, struct text *message)
{
	const struct sg_rule *rule = incident->told;

	if (incident->judgement && incident->judgement->message) {
		append(message, "%s", sg_python_text(incident->judgement->message));
		return;
	}
	append(message, "Cannot %s %s from inside a workflow, because %s. %s ",
			rule->guard == SG_GUARD_STORE ? "change" : "access", incident_name(incident), rule->reason,
			rule->guard == SG_GUARD_STORE ? "Changed" : "Called");
	if (incident->library.length)
		append(message, "by a %slibrary (%s) ",
				incident->origin->kind == SG_ORIGIN_PASSTHROUGH ? "passed-through " : "",
				incident->library.buffer);
	append(message, "in %s at %s, %s", incident->function.buffer, incident->place.buffer,
			incident->phase == SG_PHASE_IMPORT ? "while the workflow was imported" :
			"at run time");
	if (strcmp(incident->chain.buffer, incident_name(incident)) != 0)
		append(message, " (%s)", incident->chain.buffer);
	append(message, ". Instead: %s.", rule->replacement);
	if (incident->judgement)
		append(message, " To allow it: the restrictions that this worker passes to its sandbox");
	else
		append(message, " To allow it on this worker: SANDGLASS_RULES=%s=allow", rule->setting ? rule->setting : rule->name);
}

long sg_decide_count(const char *rule, const char *place, enum sg_action action, unsigned long times)
{
	PyObject *key, *known, *number;
	long seen = (long)times;

	sg_status.violations[action] += times;
	if (!counts)
		counts = PyDict_New();
	key = PyUnicode_FromFormat("%s|%s|%s", rule, place, sg_config_action_name(action));
	known = counts && key ? PyDict_GetItemWithError(counts, key) : NULL;
	if (known)
		seen += PyLong_AsLong(known);
	number = PyLong_FromLong(seen);
	if (!key || !number || !counts || PyDict_SetItem(counts, key, number) < 0)
		PyErr_Clear();
	sg_python_clear(&number);
	sg_python_clear(&key);
	return seen;
}

static enum sg_log_level level_of(enum sg_action action)
{
	switch (action) {
	case SG_ACTION_ALLOW:
		return SG_LOG_DEBUG;
	case SG_ACTION_LOG:
		return SG_LOG_INFO;
	default:
		return SG_LOG_WARN;
	}
}

static void log_incident(const struct incident *incident, const struct sg_run *run)
{
	long seen = sg_decide_count(incident->rule->name, incident->place.buffer, incident->action, 1);
	struct sg_line line;

	if (seen > 1 && !sg_log_enabled(SG_LOG_DEBUG))
		return;
	if (!sg_log_begin(&line, level_of(incident->action), "violation"))
		return;
	sg_log_text(&line, "rule", incident->rule->name);
	sg_log_text(&line, "action", sg_config_action_name(incident->action));
	sg_log_text(&line, "origin", origin_name(incident->origin->kind));
	sg_log_text(&line, "phase", incident->phase == SG_PHASE_IMPORT ? "import" : "runtime");
	sg_log_text(&line, "workflow_type", run->workflow_type ? sg_python_text(run->workflow_type) : NULL);
	sg_run_log(run, &line);
	sg_log_text(&line, "where", incident->place.length ? incident->place.buffer : NULL);
	sg_log_text(&line, "function", incident->function.length ? incident->function.buffer : NULL);
	sg_log_text(&line, "chain", incident->chain.buffer);
	sg_log_text(&line, "library", incident->library.length ? incident->library.buffer : NULL);
	sg_log_text(&line, "reason", incident->told->reason);
	sg_log_text(&line, "instead", incident->told->replacement);
	sg_log_end(&line);
}

void sg_decide_summary(void)
{
	PyObject *key, *value;
	Py_ssize_t position = 0;
	struct sg_line line;
	char place[1024];
	long total = 0;

	while (counts && PyDict_Next(counts, &position, &key, &value))
		total += PyLong_AsLong(value);
	if (sg_log_begin(&line, SG_LOG_INFO, "summary")) {
		sg_log_number(&line, "violations", total);
		sg_log_number(&line, "places", counts ? PyDict_Size(counts) : 0);
		sg_log_end(&line);
	}
	position = 0;
	while (counts && PyDict_Next(counts, &position, &key, &value)) {
		char *where, *action;

		snprintf(place, sizeof(place), "%s", sg_python_text(key));
		where = strchr(place, '|');
		action = strrchr(place, '|');
		if (!where || where == action || !sg_log_begin(&line, SG_LOG_INFO, "total"))
			continue;
		*where++ = *action++ = '\0';
		sg_log_text(&line, "rule", place);
		sg_log_text(&line, "action", action);
		sg_log_text(&line, "where", where);
		sg_log_number(&line, "count", PyLong_AsLong(value));
		sg_log_end(&line);
	}
	PyErr_Clear();
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

	if (!call->self || !PyType_IsSubtype(sg_cpython_type(call->self), &PyType_Type))
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

/* Is the very thing that is called allowed, whatever calls it? */
static bool is_allowed(const struct sg_call *call, const struct sg_rule *of_class)
{
	const struct sg_rule *named = call->name ? sg_config_rule(sg_policy_config, call->name) : NULL;
	const struct sg_rule *rule = named ? named : of_class ? of_class : call->rule;

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
		enum sg_phase phase)
{
	enum sg_mode mode = sg_policy_config->mode;

	if (judgement->verdict == SG_JUDGED_ALLOWED || kind == SG_ORIGIN_TRUSTED ||
	    kind == SG_ORIGIN_IMPORTED || (phase == SG_PHASE_IMPORT && !judgement->at_import))
		return SG_ACTION_ALLOW;
	if (judgement->warning || (kind == SG_ORIGIN_PASSTHROUGH && mode != SG_MODE_STRICT))
		return SG_ACTION_WARN;
	return mode == SG_MODE_WARN || mode == SG_MODE_OBSERVE ? SG_ACTION_WARN : SG_ACTION_BLOCK;
}

static enum sg_action verdict(const struct sg_rule *rule, const struct sg_origin *origin,
		enum sg_phase phase)
{
	enum sg_mode mode = sg_policy_config->mode;
	enum sg_origin_kind kind = origin->kind;
	enum sg_action most = mode == SG_MODE_STRICT ? rule->strict : rule->action, action = most;

	if (kind == SG_ORIGIN_TRUSTED || kind == SG_ORIGIN_IMPORTED)
		return SG_ACTION_ALLOW;
	if (phase == SG_PHASE_IMPORT)
		action = min_action(action, rule->at_import);
	if (kind == SG_ORIGIN_PASSTHROUGH)
		action = min_action(action, rule->via);
	/* Strict makes no difference between the three ways, except where a rule lets one pass. */
	if (mode == SG_MODE_STRICT && action == SG_ACTION_WARN)
		action = most;
	/* What an installed library does while the workflow file is loaded (decorators, base classes) is its setup. */
	if (phase == SG_PHASE_IMPORT && origin->third_party)
		action = min_action(action, SG_ACTION_WARN);
	if (mode == SG_MODE_WARN || mode == SG_MODE_OBSERVE)
		action = min_action(action, SG_ACTION_WARN);
	return action;
}

/* The engine's exception, kept with the run: workflow code may swallow it. */
static void refuse(struct incident *incident, struct sg_run *run, const struct sg_engine *engine)
{
	PyObject *type, *value, *traceback;
	struct text message = {.length = 0};

	compose_message(incident, &message);
	engine->refuse(incident_name(incident), message.buffer);
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

	compose_message(incident, &message);
	return sg_decide_warn(category, message.buffer, engine->warns_as, incident->origin->user_code,
			incident->origin->user_line);
}

static int act(struct incident *incident, struct sg_run *run, const struct sg_engine *engine)
{
	describe(incident);
	log_incident(incident, run);
	if (incident->action == SG_ACTION_BLOCK) {
		refuse(incident, run, engine);
		return -1;
	}
	if (incident->judgement && incident->judgement->warning && sg_policy_config->mode <= SG_MODE_STRICT)
		return warn(incident, engine, incident->judgement->warning);
	/* A rule that only ever warns tells the developer the Python way; a refusal that was softened does not. */
	if (incident->action == SG_ACTION_WARN && incident->rule->action == SG_ACTION_WARN &&
	    incident->rule->strict == SG_ACTION_WARN && incident->origin->kind == SG_ORIGIN_DIRECT && sg_policy_config->mode <= SG_MODE_STRICT)
		return warn(incident, engine, PyExc_UserWarning);
	return 0;
}

/* A constant of a module is read by library code all the time; only the workflow's own line is meant. */
static bool is_plain_read(const struct sg_origin *origin)
{
	return origin->kind == SG_ORIGIN_DIRECT && origin->chain_length == 0 &&
	       !sg_code_third_party(origin->user_code);
}

static int decide(struct sg_call *call, sg_condition condition, struct sg_context *context)
{
	const struct sg_engine *engine;
	struct incident incident;
	const struct sg_rule *of_class;
	struct sg_origin origin;
	int result = 0;

	if (!context->run->policy) /* a probe's, which a tracer looks at */
		return 0;
	engine = context->run->policy->engine;
	call->run = context->run;
	call->importing = context->phase == SG_PHASE_IMPORT;
	if (condition && !condition(call, call->rule->condition_argument))
		return call->watched;
	if (engine->unrestricted())
		return 0;
	sg_origin_find(context, call->rule, &origin);
	of_class = rule_of_class(call);
	if (origin.kind == SG_ORIGIN_TRUSTED || is_allowed(call, of_class)) {
		sg_origin_release(&origin);
		return 0;
	}
	begin_incident(&incident, call, context->phase, &origin);
	incident.judgement = judge(&incident, context->run->policy, of_class);
	incident.rule = effective_rule(call, incident.judgement ? origin.rule : origin.stated, of_class);
	if (call->rule->guard == SG_GUARD_READ && !is_plain_read(&origin))
		origin.kind = SG_ORIGIN_TRUSTED;
	incident.told = incident.judgement || !origin.library_rule ? incident.rule : origin.library_rule;
	incident.action = incident.judgement ?
		judged_action(incident.judgement, origin.kind, context->phase) :
		verdict(incident.rule, &origin, context->phase);
	/* A library's rule lends its words, and decides where it has been lowered. */
	if (incident.told != incident.rule && incident.told->action < SG_ACTION_BLOCK)
		incident.action = min_action(incident.action, verdict(incident.told, &origin, context->phase));
	if (incident.action > SG_ACTION_ALLOW ||
	    (origin.kind == SG_ORIGIN_IMPORTED && sg_log_enabled(SG_LOG_DEBUG)))
		result = act(&incident, context->run, engine);
	/* What is let pass although it changes what others share is put right again. */
	if (result == 0 && incident.rule->strict > incident.rule->action && origin.kind == SG_ORIGIN_DIRECT &&
	    context->phase == SG_PHASE_RUNTIME && call->rule->guard == SG_GUARD_CALL)
		sg_undo_note_call(call);
	sg_origin_release(&origin);
	return result;
}

enum sg_action sg_decide_late(struct sg_run *run, const struct sg_rule *rule, const char *name, PyObject *code, int line)
{
	struct sg_origin origin = {.kind = SG_ORIGIN_DIRECT, .user_code = code, .user_line = line};
	struct sg_call call = {.rule = rule, .run = run, .name = name, .exact = true};
	struct incident incident;

	begin_incident(&incident, &call, SG_PHASE_RUNTIME, &origin);
	incident.rule = incident.told = rule;
	incident.judgement = judge(&incident, run->policy, NULL);
	incident.action = incident.judgement ? judged_action(incident.judgement, origin.kind, SG_PHASE_RUNTIME) :
		verdict(rule, &origin, SG_PHASE_RUNTIME);
	run->late |= incident.action == SG_ACTION_BLOCK && !run->refusal;
	if (incident.action > SG_ACTION_ALLOW)
		act(&incident, run, run->policy->engine);
	PyErr_Clear();
	return incident.action;
}

int sg_decide(struct sg_call *call, sg_condition condition)
{
	struct sg_context *context = sg_context_suspend();
	PyObject *type, *value, *traceback;
	int result;

	PyErr_Fetch(&type, &value, &traceback); /* a call made while an exception is set, in a destructor */
	result = decide(call, condition, context);
	if (result >= 0)
		PyErr_Restore(type, value, traceback);
	else {
		sg_python_clear(&type);
		sg_python_clear(&value);
		sg_python_clear(&traceback);
	}
	sg_context_leave(context);
	return result;
}
