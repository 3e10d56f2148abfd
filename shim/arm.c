#include "shim/arm.h"

#include "shim/attribute.h"
#include "shim/cpython.h"
#include "shim/family.h"
#include "shim/guard.h"
#include "shim/log.h"
#include "shim/mapping.h"
#include "shim/modules.h"
#include "shim/origin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct sg_config *config;
static bool *armed; /* by index of the rule */

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

/* The first name is looked up in the module's dict: a module's __getattr__ might import something. */
static PyObject *reach(PyObject *module, const char *path)
{
	const char *dot = strchr(path, '.');
	PyObject *name, *first, *value;

	if (!PyType_IsSubtype(sg_cpython_type(module), &PyModule_Type))
		return sg_python_attribute_or_null(module, path);
	name = PyUnicode_FromStringAndSize(path, dot ? dot - path : (Py_ssize_t)strlen(path));
	first = name ? PyDict_GetItemWithError(PyModule_GetDict(module), name) : NULL;
	sg_python_clear(&name);
	if (!first) {
		PyErr_Clear();
		return NULL;
	}
	value = dot ? sg_python_attribute_or_null(first, dot + 1) : sg_python_ref(first);
	return value;
}

static bool resolve(const char *name, struct target *ret)
{
	const char *end = name + strlen(name);
	PyObject *key, *module;

	for (;;) {
		do
			end--;
		while (end > name && *end != '.');
		if (end == name)
			return false;
		key = PyUnicode_FromStringAndSize(name, end - name);
		module = key ? sg_modules_host(key) : NULL;
		sg_python_clear(&key);
		if (!module)
			continue;
		ret->object = reach(module, end + 1);
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

	if (PyType_IsSubtype(sg_cpython_type(object), &PyType_Type)) {
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

static int attach(const struct sg_rule *rule, const struct target *target)
{
	sg_condition condition = rule->condition ? find_condition(rule->condition) : NULL;

	switch (rule->guard) {
	case SG_GUARD_CALL:
		return sg_guard_install(rule, condition, target->object);
	case SG_GUARD_FRAME:
		return arm_code(rule, target->object);
	case SG_GUARD_READ:
		return sg_attribute_guard(rule, target->module, target->attribute);
	case SG_GUARD_MAPPING:
		return sg_mapping_guard(rule, target->object);
	case SG_GUARD_MODULE:
		break;
	}
	return sg_origin_add_module(rule, rule->name) < 0 ? -ENOMEM : 0;
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

static void log_failure(const struct sg_rule *rule, int error)
{
	struct sg_line line;
	/* Two names of one thing is how it should be; a hole in the fence is worth a warning. */
	enum sg_log_level level = error == -EEXIST ? SG_LOG_DEBUG : SG_LOG_WARN;

	if (!sg_log_begin(&line, level, "unguarded"))
		return;
	sg_log_text(&line, "rule", rule->name);
	sg_log_text(&line, "reason", explain(error));
	sg_log_end(&line);
}

static void try_rule(size_t index)
{
	const struct sg_rule *rule = &config->rules[index];
	struct target target = {NULL, NULL, NULL};
	int error;

	if (armed[index])
		return;
	if (rule->guard != SG_GUARD_MODULE && !resolve(rule->name, &target))
		return;
	armed[index] = true;
	error = attach(rule, &target);
	if (error)
		log_failure(rule, error);
	sg_python_clear(&target.object);
	sg_python_clear(&target.module);
}

void sg_arm_start(const struct sg_config *in_force)
{
	config = in_force;
	armed = calloc(config->rule_count, sizeof(*armed));
	if (!armed)
		return;
	for (size_t i = 0; i < config->rule_count; i++)
		try_rule(i);
}

void sg_arm_module(const char *name)
{
	size_t length = strlen(name);

	if (!armed)
		return;
	for (size_t i = 0; i < config->rule_count; i++) {
		const char *rule = config->rules[i].name;

		if (!armed[i] && strncmp(rule, name, length) == 0 && rule[length] == '.')
			try_rule(i);
	}
}

void sg_arm_stop(void)
{
	struct sg_line line;

	for (size_t i = 0; armed && i < config->rule_count; i++) {
		if (armed[i] || !sg_log_begin(&line, SG_LOG_DEBUG, "unused"))
			continue;
		sg_log_text(&line, "rule", config->rules[i].name);
		sg_log_text(&line, "reason", "never imported, or not in this version");
		sg_log_end(&line);
	}
	sg_mapping_remove_all();
	sg_attribute_remove_all();
	sg_guard_remove_all();
	free(armed);
	armed = NULL;
}
