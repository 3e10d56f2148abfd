#include "shim/guard/origin.h"

#include "shim/guard/original.h"
#include "shim/import/code.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/policy.h"

#include <stdio.h>
#include <string.h>

/* Frames beyond this depth cannot turn a verdict into "trusted". */
#define DEPTH_MAX 200

/*
 * Name of a function -> list of code objects, each with the address of its rule: CPython hashes all of a code object
 * each time it is asked. Compared by value, so an isolated copy of a module matches too.
 */
static PyObject *rules_by_code;
static PyObject *allowed_by_code; /* those of them that let pass what a function does */
static PyObject *rules_by_module;

static int add(PyObject **dict, PyObject *key, const struct sg_rule *rule)
{
	PyObject *address;
	int error = -1;

	if (!*dict && !(*dict = PyDict_New()))
		return -1;
	if (PyDict_GetItemWithError(*dict, key))
		return 0;
	if (PyErr_Occurred())
		return -1;
	address = PyLong_FromVoidPtr((void *)rule);
	if (address)
		error = PyDict_SetItem(*dict, key, address);
	sg_python_clear(&address);
	return error;
}

/* A code object in a list of them, each with the address of its rule behind it; compared by value. Borrowed, or NULL. */
static PyObject *find_code(PyObject *codes, PyObject *code)
{
	Py_ssize_t count = codes ? PyList_Size(codes) : 0;

	for (Py_ssize_t i = 0; i < count; i += 2)
		if (PyList_GetItem(codes, i) == code)
			return PyList_GetItem(codes, i + 1);
	for (Py_ssize_t i = 0; i < count; i += 2)
		if (PyObject_RichCompareBool(PyList_GetItem(codes, i), code, Py_EQ) > 0)
			return PyList_GetItem(codes, i + 1);
	PyErr_Clear();
	return NULL;
}

static int add_code(PyObject **dict, PyObject *code, const struct sg_rule *rule)
{
	PyObject *name = PyObject_GetAttrString(code, "co_name"), *address = PyLong_FromVoidPtr((void *)rule), *codes = NULL;
	int error = -1;

	if (!name || !address || (!*dict && !(*dict = PyDict_New())))
		goto out;
	codes = sg_python_ref(PyDict_GetItemWithError(*dict, name));
	if (!codes && !PyErr_Occurred()) {
		codes = PyList_New(0);
		if (codes && PyDict_SetItem(*dict, name, codes) < 0)
			goto out;
	}
	if (codes && find_code(codes, code))
		error = 0;
	else if (codes && PyList_Append(codes, code) == 0)
		error = PyList_Append(codes, address);
out:
	sg_python_clear(&codes);
	sg_python_clear(&address);
	sg_python_clear(&name);
	return error;
}

int sg_origin_add_code(const struct sg_rule *rule, PyObject *code)
{
	if (rule->action == SG_ACTION_ALLOW && !rule->only_named && add_code(&allowed_by_code, code, rule) < 0)
		return -1;
	return add_code(&rules_by_code, code, rule);
}

int sg_origin_add_module(const struct sg_rule *rule, const char *module)
{
	PyObject *name = PyUnicode_FromString(module);
	int error = name ? add(&rules_by_module, name, rule) : -1;

	sg_python_clear(&name);
	return error;
}

static const struct sg_rule *rule_at(PyObject *address)
{
	return address ? (const struct sg_rule *)PyLong_AsVoidPtr(address) : NULL;
}

static const struct sg_rule *look_up(PyObject *dict, PyObject *key)
{
	PyObject *address = dict && key ? PyDict_GetItemWithError(dict, key) : NULL;

	PyErr_Clear();
	return rule_at(address);
}

static const struct sg_rule *look_up_code(PyObject *dict, PyObject *code)
{
	static PyObject *attribute;
	PyObject *name, *codes;

	if (!attribute)
		attribute = PyUnicode_InternFromString("co_name");
	name = dict && attribute ? PyObject_GetAttr(code, attribute) : NULL;
	codes = name ? PyDict_GetItemWithError(dict, name) : NULL;
	PyErr_Clear();
	sg_python_clear(&name);
	return rule_at(find_code(codes, code));
}

static void pass_stdlib(struct sg_origin *origin, PyObject *code, PyObject *globals)
{
	PyObject *name = sg_python_module_name(globals);
	const struct sg_rule *rule = look_up_code(rules_by_code, code);

	if (!rule)
		rule = look_up(rules_by_module, name);
	if (rule) {
		origin->rule = rule;
		origin->rule_position = origin->chain_length;
	}
	if (rule && !rule->only_named)
		origin->stated = rule;
	if (name && origin->chain_length < SG_ORIGIN_CHAIN) {
		origin->chain[origin->chain_length] = sg_python_ref(code);
		origin->chain_module[origin->chain_length] = sg_python_ref(name);
		origin->chain_rule[origin->chain_length] = rule;
		origin->chain_length++;
	}
}

struct walk {
	struct sg_origin *origin;
	const struct sg_rule *called;
	const struct sg_run *run;
	bool answerable;
	enum { NO_SINK, IN_SINK, OUT_OF_SINK } sink; /* one was met first */
	bool shown;       /* ... to whose caller it gives back what it asks for, whoever that is */
	bool candidate;   /* workflow code was met */
	bool third_party; /* ... and so far only installed code of the run */
	bool vague;       /* ... and so far only code that no file holds, as dataclasses generate it */
	bool via;
};

static bool has_no_file(PyObject *code)
{
	PyObject *file = sg_python_attribute_or_null(code, "co_filename");
	bool none = !file || sg_python_text(file)[0] == '<';

	sg_python_clear(&file);
	return none;
}

static void set_place(PyObject **code_slot, int *line_slot, PyObject *frame, PyObject *code)
{
	sg_python_clear(code_slot);
	*code_slot = sg_python_ref(code);
	*line_slot = PyFrame_GetLineNumber(frame);
}

/* The user is told a line of their own, not of a library that they use, nor of generated code. */
static void meet_workflow(struct walk *walk, PyObject *frame, PyObject *code)
{
	struct sg_origin *origin = walk->origin;
	bool third_party = sg_code_third_party(code), vague = has_no_file(code);
	bool first = !walk->candidate || walk->vague; /* that a file holds */

	if (walk->candidate && (vague || !(first || (walk->third_party && !third_party))))
		return;
	if (!walk->candidate)
		origin->kind = walk->via ? SG_ORIGIN_PASSTHROUGH : SG_ORIGIN_DIRECT;
	if (first && third_party && !walk->via) {
		origin->third_party = true;
		set_place(&origin->library_code, &origin->library_line, frame, code);
	}
	walk->candidate = true;
	walk->third_party = third_party;
	walk->vague = vague;
	set_place(&origin->user_code, &origin->user_line, frame, code);
}

/*
 * The event loop calls what workflow code has scheduled, and the engine the condition that it waits for. Where that is compiled,
 * or the standard library's, no frame of the workflow's tells so.
 */
static bool is_called_back(const struct walk *walk, enum sg_code kind, PyObject *code, PyObject *globals)
{
	const char *caller = kind == SG_CODE_ENGINE ? walk->run->policy->engine->calls_back : "_run"; /* Handle._run */
	PyObject *name;
	bool is;

	if (walk->candidate || walk->via || !caller || (kind != SG_CODE_ENGINE && kind != SG_CODE_STDLIB) ||
	    (kind == SG_CODE_STDLIB && strcmp(sg_python_text(sg_python_module_name(globals)), "asyncio.events") != 0))
		return false;
	name = sg_python_attribute_or_null(code, "co_name");
	is = name && strcmp(sg_python_text(name), caller) == 0;
	sg_python_clear(&name);
	return is;
}

static void meet_library(struct walk *walk, PyObject *frame, PyObject *code)
{
	struct sg_origin *origin = walk->origin;

	if (walk->candidate || walk->via)
		return;
	walk->via = true;
	origin->third_party = sg_code_third_party(code);
	set_place(&origin->library_code, &origin->library_line, frame, code);
}

/* Is it the thing that entry names, or does it lie below it? */
static bool lies_below(const char *entry, const char *module, PyObject *code)
{
	size_t length = strlen(module), rest;
	PyObject *name;
	const char *text;
	bool below;

	if (*module != *entry)
		return false;
	if (strncmp(module, entry, strlen(entry)) == 0 && (module[strlen(entry)] == '.' || !module[strlen(entry)]))
		return true;
	if (strncmp(entry, module, length) != 0 || entry[length] != '.')
		return false;
	entry += length + 1;
	rest = strlen(entry);
	name = sg_python_attribute_or_null(code, "co_qualname"); /* 3.11 */
	if (!name)
		name = sg_python_attribute_or_null(code, "co_name");
	text = sg_python_text(name);
	below = strncmp(text, entry, rest) == 0 && (text[rest] == '.' || !text[rest]);
	sg_python_clear(&name);
	return below;
}

/* A rule may let a function pass "and everything it calls": unless that is the user's own code once more. */
static bool is_allowed(const struct walk *walk, enum sg_code kind, PyObject *code, PyObject *globals)
{
	PyObject *module;

	if (walk->candidate && (!walk->third_party || kind == SG_CODE_STDLIB || kind == SG_CODE_THROUGH))
		return false;
	if (look_up_code(allowed_by_code, code))
		return true;
	module = sg_python_module_name(globals);
	for (char **entry = sg_policy_config->allowed; module && entry && *entry; entry++)
		if (lies_below(*entry, sg_python_text(module), code))
			return true;
	return false;
}

/* The user calls requests.get, not what that needs: its rule has the better name and advice. */
static void name_library(struct walk *walk, PyObject *code, PyObject *globals)
{
	const struct sg_rule *rule = look_up_code(rules_by_code, code);
	char package[256];

	snprintf(package, sizeof(package), "%s", sg_python_text(sg_python_module_name(globals)));
	for (char *dot = package; !rule && dot && *package; dot = strrchr(package, '.')) {
		PyObject *name;

		if (dot != package)
			*dot = '\0';
		name = PyUnicode_FromString(package);
		rule = look_up(rules_by_module, name);
		sg_python_clear(&name);
	}
	if (rule && !rule->only_named)
		walk->origin->library_rule = rule;
}

/*
 * Compiled code calls what it was given, without a frame that would tell by whom. What looks through it was called for
 * an object: whoever has made its class has given it, be it by name or as a function of their own.
 */
static bool is_for_library(const struct walk *walk, PyObject *frame, PyObject *code)
{
	PyObject *count = sg_python_attribute_or_null(code, "co_argcount");
	PyObject *names = sg_python_attribute_or_null(code, "co_varnames");
	PyObject *locals = NULL, *object = NULL, *class;
	bool found = false;

	if (count && PyLong_AsLong(count) > 0 && names && PyTuple_Size(names) > 0)
		locals = sg_python_attribute_or_null(frame, "f_locals");
	if (locals)
		object = PyObject_GetItem(locals, PyTuple_GetItem(names, 0));
	if (object) {
		class = sg_cpython_is_class(object) ? object : (PyObject *)sg_cpython_type(object);
		found = sg_code_is_librarys(walk->run, class);
	}
	PyErr_Clear();
	sg_python_clear(&object);
	sg_python_clear(&locals);
	sg_python_clear(&names);
	sg_python_clear(&count);
	return found;
}

/* Is it trusted with what is called, or with the function of the standard library that leads there? */
static bool trusts(const struct walk *walk, PyObject *globals)
{
	PyObject *module = sg_python_module_name(globals);

	return (walk->called && sg_code_trusts(module, walk->called)) ||
	       (walk->origin->rule && sg_code_trusts(module, walk->origin->rule));
}

/* It may have been put there a moment ago. */
static bool wraps(const struct sg_rule *rule, PyObject *globals)
{
	if (!rule)
		return false;
	if (!sg_policy_no_python && sg_original_look_again)
		sg_original_look_again(rule);
	return sg_original_wraps(rule, globals);
}

/*
 * A sink is trusted because what it asks for does not come back. But a span bears its times and ids wherever it goes; a
 * record does where whoever called does something with what it was given, or the run has made a handler or such. There
 * what can be answered is. True: the walk is over.
 */
static bool meet_sink(struct walk *walk, enum sg_code kind, PyObject *frame, PyObject *code)
{
	walk->origin->kind = SG_ORIGIN_TRUSTED;
	walk->shown = kind != SG_CODE_SINK_HOST || walk->run->listens;
	walk->sink = IN_SINK;
	walk->origin->noted = kind == SG_CODE_SINK_HOST;
	if (walk->answerable)
		set_place(&walk->origin->library_code, &walk->origin->library_line, frame, code);
	return !walk->answerable;
}

static bool pass_sink(struct walk *walk, enum sg_code kind, const struct sg_frames *at)
{
	bool shown;

	if (kind == SG_CODE_SINK || kind == SG_CODE_SINK_HOST) {
		walk->sink = IN_SINK; /* once more: what lies between is called by it */
		return false;
	}
	if (walk->sink == IN_SINK) {
		walk->sink = OUT_OF_SINK;
		shown = kind == SG_CODE_ENGINE ? walk->run->listens : walk->shown || !sg_cpython_result_dropped(at);
		walk->origin->kind = shown ? SG_ORIGIN_SINK : SG_ORIGIN_TRUSTED;
	}
	if (kind == SG_CODE_WORKFLOW)
		set_place(&walk->origin->user_code, &walk->origin->user_line, at->frame, at->code);
	return kind == SG_CODE_WORKFLOW || kind == SG_CODE_ENGINE;
}

/* True: the walk is over. */
static bool visit(struct walk *walk, const struct sg_frames *at)
{
	PyObject *frame = at->frame, *code = at->code, *globals = at->globals;
	enum sg_code kind = sg_code_of(walk->run, globals);

	if (walk->sink)
		return pass_sink(walk, kind, at);
	/* A tracer's wrapper stands between the call and who made it. */
	if (kind != SG_CODE_WORKFLOW && kind != SG_CODE_ENGINE && kind != SG_CODE_STDLIB && !walk->candidate && !walk->via &&
	    (wraps(walk->called, globals) || wraps(walk->origin->rule, globals)))
		return false;
	if (kind == SG_CODE_SINK_PARTLY && (walk->candidate || walk->via || !trusts(walk, globals)))
		kind = sg_code_untrusted(walk->run, globals);
	if ((kind == SG_CODE_SINK || kind == SG_CODE_SINK_PARTLY) && !walk->candidate && !walk->via)
		return meet_sink(walk, kind, frame, code);
	if (kind == SG_CODE_SINK_HOST && (!walk->candidate || walk->third_party))
		return meet_sink(walk, kind, frame, code);
	if (kind != SG_CODE_ENGINE && is_allowed(walk, kind, code, globals)) {
		walk->origin->kind = SG_ORIGIN_TRUSTED;
		return true;
	}
	if (is_called_back(walk, kind, code, globals)) {
		walk->candidate = true;
		walk->origin->kind = SG_ORIGIN_DIRECT;
		set_place(&walk->origin->user_code, &walk->origin->user_line, frame, code);
		return true;
	}
	switch (kind) {
	case SG_CODE_SINK_PARTLY: /* met above */
	case SG_CODE_STDLIB:
	case SG_CODE_THROUGH:
		if (walk->candidate || walk->via)
			return false;
		if ((kind == SG_CODE_THROUGH || has_no_file(code)) && is_for_library(walk, frame, code))
			meet_library(walk, frame, code);
		else
			pass_stdlib(walk->origin, code, globals);
		return false;
	case SG_CODE_LIBRARY:
		meet_library(walk, frame, code);
		if (!walk->candidate)
			name_library(walk, code, globals);
		return false;
	case SG_CODE_WORKFLOW:
		meet_workflow(walk, frame, code);
		if (walk->third_party)
			name_library(walk, code, globals);
		return false;
	case SG_CODE_SINK:
		if (walk->third_party) {
			walk->origin->kind = SG_ORIGIN_IMPORTED;
			return true;
		}
		return false;
	case SG_CODE_SINK_HOST: /* calls workflow code back */
		return false;
	case SG_CODE_SINK_ANYWHERE:
		walk->origin->kind = SG_ORIGIN_TRUSTED;
		return true;
	case SG_CODE_ENGINE:
		break;
	}
	return true;
}

void sg_origin_find(const struct sg_context *context, const struct sg_rule *called, bool answerable, struct sg_origin *ret)
{
	struct walk walk = {.origin = ret, .called = called, .run = context->run, .answerable = answerable};
	PyObject *globals = PyEval_GetGlobals();
	struct sg_frames at = {0};
	bool over = false;

	memset(ret, 0, sizeof(*ret));
	/* The most frequent caller, found without a frame object, which is costly to make. */
	if (globals && sg_code_of(context->run, globals) == SG_CODE_ENGINE)
		return;
	for (int depth = 0; !over && depth < DEPTH_MAX && sg_frames_next(&at) && at.frame != context->entry; depth++)
		over = visit(&walk, &at);
	sg_frames_end(&at);
}

void sg_origin_release(struct sg_origin *origin)
{
	for (int i = 0; i < origin->chain_length; i++) {
		sg_python_clear(&origin->chain[i]);
		sg_python_clear(&origin->chain_module[i]);
	}
	sg_python_clear(&origin->user_code);
	sg_python_clear(&origin->library_code);
}
