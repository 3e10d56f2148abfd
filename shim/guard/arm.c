#include "shim/guard/arm.h"

#include "shim/base/log.h"
#include "shim/base/status.h"
#include "shim/guard/attribute.h"
#include "shim/guard/family.h"
#include "shim/guard/guard.h"
#include "shim/guard/mapping.h"
#include "shim/guard/origin.h"
#include "shim/guard/original.h"
#include "shim/import/code.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/function.h"
#include "shim/run/context.h"
#include "shim/run/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct entry {
	const struct sg_rule *rule;
	bool armed, added;
} *entries; /* the configuration's rules, then what workers' settings added */
static size_t entry_count, entry_size;

/* Everything that stands before a dot in a rule's name: only a module of such a name can have a rule. */
static PyObject *prefixes;

static sg_condition find_condition(const char *name)
{
	const struct sg_condition_entry *entry;

	for sg_each_family(family)
		for (entry = (*family)->conditions; entry && entry->name; entry++)
			if (strcmp(entry->name, name) == 0)
				return entry->holds;
	return NULL;
}

/* Where a rule's name leads. References are new. */
struct target {
	PyObject *module, *object;
	const char *attribute;  /* path within the module */
};

static PyObject *reach(PyObject *module, const char *path)
{
	PyObject *namespace;

	if (!PyType_IsSubtype(sg_cpython_type(module), &PyModule_Type))
		return sg_python_attribute_or_null(module, path);
	namespace = PyModule_GetDict(module);
	return strcmp(path, "__dict__") == 0 ? sg_python_ref(namespace) : sg_modules_reach(namespace, path);
}

/* copy: a run's own module of that name, or NULL: the host's modules. */
static bool resolve(const char *name, const char *copy_name, PyObject *copy, struct target *ret)
{
	const char *end = name + strlen(name);
	PyObject *key, *module;

	for (;;) {
		do
			end--;
		while (end > name && *end != '.');
		if (end == name)
			return false;
		if (copy) {
			if (strncmp(name, copy_name, (size_t)(end - name)) != 0 || copy_name[end - name])
				continue;
			module = copy;
		} else {
			key = PyUnicode_FromStringAndSize(name, end - name);
			module = key ? sg_modules_host(key) : NULL;
			sg_python_clear(&key);
		}
		if (!module)
			continue;
		/* "module.*" is about the module itself. */
		ret->object = strcmp(end, ".*") == 0 ? sg_python_ref(module) : reach(module, end + 1);
		if (!ret->object)
			continue;
		ret->module = sg_python_ref(module);
		ret->attribute = end + 1;
		return true;
	}
}

/* The code object that stands for a function in a frame: below decorators and bindings. NULL: has none. */
static PyObject *code_of(PyObject *object)
{
	static const char *const steps[] = {"__wrapped__", "__func__"};
	PyObject *current = sg_python_ref(object), *next, *code;

	if (sg_cpython_is_class(object)) {
		Py_DecRef(current);
		current = sg_python_attribute_or_null(object, "__init__");
	}
	for (int i = 0; current && i < 2; i++) {
		next = sg_python_attribute_or_null(current, steps[i]);
		if (next) {
			Py_DecRef(current);
			current = next;
			i = -1;
		}
	}
	code = current ? sg_python_attribute_or_null(current, "__code__") : NULL;
	sg_python_clear(&current);
	return code;
}

static int arm_code(const struct sg_rule *rule, PyObject *object)
{
	PyObject *code = code_of(object);
	int error = 0;

	/* A C function has no frame: its rule only lends its name (random.random to _random.Random.random). */
	if (code && sg_origin_add_code(rule, code) < 0) {
		PyErr_Clear();
		error = -ENOMEM;
	}
	sg_python_clear(&code);
	return error;
}

/* What a wrapper has put in the place of the function's own code calls that, and the wrapper. */
static void see_through(const struct sg_rule *rule, PyObject *function)
{
	PyObject *displaced = sg_original_displaced(function);

	if (displaced) {
		sg_original_wrapped(rule, function, displaced);
		arm_code(rule, displaced);
	}
	sg_python_clear(&displaced);
}

/* After its getter. 0 or a negative errno. */
static int attach_reads(const struct target *target)
{
	const char *end = strrchr(target->attribute, '.');
	char *path = end ? strndup(target->attribute, (size_t)(end - target->attribute)) : NULL;
	PyObject *class = path ? reach(target->module, path) : NULL, *getter = sg_python_attribute_or_null(target->object, "fget");
	int error = -ENOTSUP;

	if (class && getter && sg_cpython_is_class(class))
		error = sg_function_hook_reads(getter, (PyTypeObject *)class);
	free(path);
	sg_python_clear(&getter);
	sg_python_clear(&class);
	return error;
}

static int attach_to(const struct sg_rule *rule, const struct target *target, bool copy)
{
	sg_condition condition = rule->condition ? find_condition(rule->condition) : NULL;
	int error;

	switch (rule->guard) {
	case SG_GUARD_CALL:
		error = sg_guard_install(rule, condition, target->object, copy);
		if (!error && PyType_IsSubtype(sg_cpython_type(target->object), &PyProperty_Type))
			error = attach_reads(target);
		/*
		 * A Python function is also known in the chain: what it is allowed to do, its primitives are. Where it is
		 * harmless but for a condition, what it calls has names of its own.
		 */
		return error || (condition && rule->action > SG_ACTION_ALLOW) ? error : arm_code(rule, target->object);
	case SG_GUARD_FRAME:
		return arm_code(rule, target->object);
	case SG_GUARD_READ:
		if (strchr(target->attribute, '.')) /* an attribute of a class: calling it is what can be seen */
			return sg_guard_install(rule, condition, target->object, copy);
		return sg_attribute_guard(rule, condition, target->module, target->attribute);
	case SG_GUARD_MAPPING:
		return sg_mapping_guard(rule, condition, target->object);
	case SG_GUARD_STORE:
		return 0;
	case SG_GUARD_MODULE:
		break;
	}
	return sg_origin_add_module(rule, rule->name) < 0 ? -ENOMEM : 0;
}

/* A class whose maker was wrapped in place is called by way of the wrapper. */
static int attach_maker(const struct sg_rule *rule, PyObject *class, PyObject *maker)
{
	sg_condition condition = rule->condition ? find_condition(rule->condition) : NULL;
	PyObject *now = sg_python_attribute_or_null(class, "__init__");
	bool is_its = now && sg_original_is(maker, now);

	if (now && !is_its)
		sg_original_wrapped(rule, now, maker);
	see_through(rule, maker);
	sg_python_clear(&now);
	return is_its ? -EEXIST : sg_guard_install(rule, condition, maker, false);
}

/* No guard takes hold of the object itself: what it wraps, if it says so. */
static int attach_beneath(const struct sg_rule *rule, const struct target *target)
{
	PyObject *current = sg_python_ref(target->object), *next;
	struct target beneath = *target;
	int error = -ENOTSUP;

	for (int depth = 0; depth < 10 && error == -ENOTSUP; depth++) {
		next = sg_original_beneath(current);
		Py_DecRef(current);
		current = next;
		if (!current)
			break;
		beneath.object = current;
		error = attach_to(rule, &beneath, false);
	}
	if (current && !error)
		sg_original_wrapped(rule, target->object, current);
	sg_python_clear(&current);
	return error;
}

static bool is_callable_rule(const struct sg_rule *rule)
{
	return rule->guard == SG_GUARD_CALL || rule->guard == SG_GUARD_FRAME;
}

/* The target, and what it was before somebody put a wrapper in its place. */
static int attach(const struct sg_rule *rule, const struct target *target, bool copy)
{
	PyObject *original = copy || !is_callable_rule(rule) ? NULL : sg_original_of(rule->name), *maker;
	struct target first = *target;
	bool replaced = original && !sg_original_is(original, target->object);
	int error, other;

	if (original)
		first.object = original;
	error = attach_to(rule, &first, copy);
	if (is_callable_rule(rule))
		see_through(rule, first.object);
	if (replaced)
		sg_original_wrapped(rule, target->object, original);
	else if (original && original != target->object) { /* made anew: both may be in use */
		other = attach_to(rule, target, copy);
		error = other && other != -EEXIST ? other : error == -EEXIST ? 0 : error;
	}
	maker = original && rule->guard == SG_GUARD_CALL ? sg_original_maker(rule->name) : NULL;
	if (maker && error != -EEXIST) {
		other = attach_maker(rule, original, maker);
		error = other == -EEXIST ? error : other;
	}
	return error == -ENOTSUP && !copy ? attach_beneath(rule, target) : error;
}

/* The name of a rule may lead to a wrapper by now. Called in the middle of a guarded call. */
static void look_again(const struct sg_rule *rule)
{
	PyObject *original = is_callable_rule(rule) ? sg_original_of(rule->name) : NULL, *maker, *now;
	struct target target = {NULL, NULL, NULL};

	if (!original || !resolve(rule->name, NULL, NULL, &target))
		return;
	if (!sg_original_is(original, target.object))
		sg_original_wrapped(rule, target.object, original);
	see_through(rule, original);
	maker = sg_original_maker(rule->name);
	if (maker)
		see_through(rule, maker);
	now = maker ? sg_python_attribute_or_null(original, "__init__") : NULL;
	if (now && !sg_original_is(maker, now))
		sg_original_wrapped(rule, now, maker);
	sg_python_clear(&now);
	sg_python_clear(&target.object);
	sg_python_clear(&target.module);
	PyErr_Clear();
}

static const char *explain(int error)
{
	switch (error) {
	case -EEXIST:
		return "another name of a callable that has a guard";
	case -EROFS:
		return "its definition is in read-only memory";
	case -ENOSPC:
		return "no trampoline is left";
	case -ENOTSUP:
		return "not a plain callable of this interpreter, or replaced by another tool";
	default:
		return "out of memory";
	}
}

static int missing_count;
static char missing_names[400], lacking_names[400];

int sg_arm_missing(char *names, size_t size)
{
	if (size)
		snprintf(names, size, "%s", missing_names);
	return missing_count;
}

static void add_name(char *names, size_t size, const char *name, const char *reason)
{
	size_t length = strlen(names), told = strlen(sg_status.reason);

	sg_status.unguarded++;
	snprintf(names + length, size - length, "%s%s", length ? ", " : "", name);
	snprintf(sg_status.reason + told, sizeof(sg_status.reason) - told, "%s%s: %s", told ? "; " : "", name, reason);
}

/* A rule that lets everything pass is not missed. */
static void count_missing(const struct sg_rule *rule, const char *reason)
{
	if (rule->action == SG_ACTION_ALLOW && !rule->only_named)
		return;
	missing_count++;
	add_name(missing_names, sizeof(missing_names), rule->name, reason);
}

void sg_arm_lacking(const char *name, const char *reason)
{
	add_name(lacking_names, sizeof(lacking_names), name, reason);
	sg_log_unguarded(SG_LOG_WARN, "name", name, reason);
}

const char *sg_arm_lacks(void)
{
	return *lacking_names ? lacking_names : NULL;
}

static void log_failure(const struct sg_rule *rule, int error)
{
	/* Two names of one thing is how it should be; a hole in the fence is worth a warning. */
	if (error != -EEXIST)
		count_missing(rule, explain(error));
	sg_log_unguarded(error == -EEXIST ? SG_LOG_DEBUG : SG_LOG_WARN, "rule", rule->name, explain(error));
}

/* Names that the workflows' own code has so far: a set as a dict; and has some of it not been seen? */
static PyObject *names_in_code;
static bool unseen_code;

static bool has_name(const char *name, size_t length)
{
	PyObject *key = names_in_code ? PyUnicode_FromStringAndSize(name, (Py_ssize_t)length) : NULL;
	bool found = key && PyDict_GetItemWithError(names_in_code, key);

	PyErr_Clear();
	sg_python_clear(&key);
	return found;
}

/* Is it about reading an attribute by the workflows' own code alone, which has not got its name? */
static bool may_wait(const struct entry *entry)
{
	const char *name = entry->rule->name, *dot = strrchr(name, '.'), *module = dot;

	if (entry->rule->guard != SG_GUARD_READ || entry->rule->via > SG_ACTION_ALLOW || entry->added || unseen_code || !dot ||
	    sg_policy_config->isolation == SG_ISOLATION_OFF)
		return false;
	while (module > name && module[-1] != '.')
		module--;
	if (!has_name(module, (size_t)(dot - module)))
		return true;
	return !has_name(dot + 1, strlen(dot + 1)) && !(strcmp(dot, ".__dict__") == 0 && has_name("vars", 4));
}

#define PATH_MAX_LENGTH 256 /* of a text with names in it: format() and attrgetter() have a few */

static void take_name(PyObject *name)
{
	if (PyDict_SetItem(names_in_code, name, Py_None) < 0)
		PyErr_Clear();
}

/* A name, a text that may be one or lead to one ("{0.argv}"), or a tuple of them (a match statement's). */
static void take_all(PyObject *item)
{
	static const char *const apart = ".{}[]() :!";
	const char *text;

	for (Py_ssize_t i = 0; sg_cpython_type(item) == &PyTuple_Type && i < PyTuple_Size(item); i++)
		take_all(PyTuple_GetItem(item, i));
	if (!sg_cpython_is_text(item))
		return;
	take_name(item);
	text = sg_python_text(item);
	if (!strpbrk(text, ".{") || strlen(text) > PATH_MAX_LENGTH)
		return;
	while (*(text += strspn(text, apart))) {
		PyObject *part = PyUnicode_FromStringAndSize(text, (Py_ssize_t)strcspn(text, apart));

		if (part)
			take_name(part);
		PyErr_Clear();
		sg_python_clear(&part);
		text += strcspn(text, apart);
	}
}

/* Those of its attributes and globals, and the texts that getattr() may be given; of all functions in it. */
static void take_names(PyObject *code, int depth)
{
	static const char *const places[] = {"co_names", "co_consts"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		PyObject *items = sg_python_attribute_or_null(code, places[i]);

		for (Py_ssize_t j = 0; items && j < PyTuple_Size(items); j++) {
			PyObject *item = PyTuple_GetItem(items, j);

			take_all(item);
			if (depth < 50 && sg_cpython_type(item) == sg_cpython_type(code))
				take_names(item, depth + 1);
		}
		sg_python_clear(&items);
	}
}

static void try_entry(struct entry *entry, const char *copy_name, PyObject *copy)
{
	const struct sg_rule *rule = entry->rule;
	struct target target = {NULL, NULL, NULL};
	int error;

	if (may_wait(entry))
		return;
	if (rule->guard != SG_GUARD_MODULE && rule->guard != SG_GUARD_STORE && !resolve(rule->name, copy_name, copy, &target))
		return;
	/* The copy goes with its run; the host's module is yet to come, or was here before. */
	entry->armed = entry->armed || !copy;
	error = attach(rule, &target, copy != NULL);
	if (error && !(copy && error == -EEXIST))
		log_failure(rule, error);
	sg_python_clear(&target.object);
	sg_python_clear(&target.module);
}

/* Best effort: a missing prefix costs a guard in a copy, which is logged by nobody but hurts nobody either. */
static void remember_prefixes(const char *name)
{
	PyObject *prefix;

	if (!prefixes)
		prefixes = PyDict_New();
	for (const char *dot = strchr(name, '.'); dot && prefixes; dot = strchr(dot + 1, '.')) {
		prefix = PyUnicode_FromStringAndSize(name, dot - name);
		if (prefix)
			PyDict_SetItem(prefixes, prefix, Py_None);
		sg_python_clear(&prefix);
	}
	PyErr_Clear();
}

static struct entry *new_entry(const struct sg_rule *rule)
{
	if (entry_count == entry_size) {
		size_t size = entry_size ? 2 * entry_size : 1024;
		struct entry *grown = realloc(entries, size * sizeof(*grown));

		if (!grown)
			return NULL;
		entries = grown;
		entry_size = size;
	}
	remember_prefixes(rule->name);
	entries[entry_count] = (struct entry){rule, false, false};
	return &entries[entry_count++];
}

void sg_arm_start(const struct sg_config *config)
{
	struct entry *entry;

	sg_original_look_again = look_again;
	sg_attribute_start();
	for (size_t i = 0; i < config->rule_count; i++) {
		entry = new_entry(&config->rules[i]);
		if (entry)
			try_entry(entry, NULL, NULL);
	}
}

static bool leads_through(const char *rule_name, const char *module, size_t length)
{
	return strncmp(rule_name, module, length) == 0 && rule_name[length] == '.';
}

void sg_arm_module(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < entry_count; i++)
		if (!entries[i].armed && leads_through(entries[i].rule->name, name, length))
			try_entry(&entries[i], NULL, NULL);
}

/*
 * What a default rule says about a constant, a mapping or state that is shared is about the host's; only the worker may
 * mean a copy's.
 */
static bool concerns_copies(const struct entry *entry)
{
	if (sg_rule_is_about_state(entry->rule))
		return false;
	return entry->added || entry->rule->guard == SG_GUARD_CALL ||
	       entry->rule->guard == SG_GUARD_FRAME;
}

void sg_arm_copy(PyObject *name, PyObject *module)
{
	const char *text = sg_python_text(name);
	size_t length = strlen(text);
	struct sg_context *token;

	if (!prefixes || !PyDict_GetItemWithError(prefixes, name)) {
		PyErr_Clear();
		return;
	}
	token = sg_context_suspend();
	for (size_t i = 0; i < entry_count; i++)
		if (concerns_copies(&entries[i]) && leads_through(entries[i].rule->name, text, length))
			try_entry(&entries[i], text, module);
	sg_context_leave(token);
}

void sg_arm_code(PyObject *name, PyObject *code)
{
	struct sg_context *token;

	if (unseen_code || sg_code_standard(sg_python_text(name)) || (code && sg_code_third_party(code)))
		return;
	token = sg_context_suspend();
	if (!names_in_code)
		names_in_code = PyDict_New();
	if (code && names_in_code)
		take_names(code, 0);
	unseen_code = !code || !names_in_code;
	for (size_t i = 0; i < entry_count; i++)
		if (!entries[i].armed && entries[i].rule->guard == SG_GUARD_READ)
			try_entry(&entries[i], NULL, NULL);
	PyErr_Clear();
	sg_context_leave(token);
}

static const struct sg_rule *find_rule(const char *name)
{
	for (size_t i = 0; i < entry_count; i++)
		if (strcmp(entries[i].rule->name, name) == 0)
			return entries[i].rule;
	return NULL;
}

int sg_arm_add(const char *name, enum sg_guard_kind kind)
{
	const struct sg_rule *known = find_rule(name);
	struct sg_rule *rule;
	struct entry *entry;

	if (known && known->guard != SG_GUARD_FRAME && known->guard != SG_GUARD_MODULE)
		return 0;
	rule = calloc(1, sizeof(*rule));
	if (rule)
		rule->name = strdup(name);
	entry = rule && rule->name ? new_entry(rule) : NULL;
	if (!entry) {
		if (rule)
			free((char *)rule->name);
		free(rule);
		PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
		return -1;
	}
	rule->guard = kind;
	rule->action = rule->at_import = rule->via = SG_ACTION_ALLOW;
	rule->only_named = true;
	rule->reason = "the worker's restrictions refuse it";
	rule->replacement = "{activity}, or lift the restriction in the worker";
	rule->source = "the worker's restrictions";
	entry->added = true;
	try_entry(entry, NULL, NULL);
	return 0;
}

void sg_arm_stop(void)
{
	struct sg_line line;

	for (size_t i = 0; i < entry_count; i++) {
		if (entries[i].armed || !sg_log_begin(&line, SG_LOG_DEBUG, "unused"))
			continue;
		sg_log_text(&line, "rule", entries[i].rule->name);
		sg_log_text(&line, "reason", "never imported, or not in this version");
		sg_log_end(&line);
	}
	sg_original_look_again = NULL;
	sg_mapping_remove_all();
	sg_attribute_remove_all();
	sg_guard_remove_all();
	sg_original_forget();
	entry_count = 0;
}
