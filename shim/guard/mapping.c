#include "shim/guard/mapping.h"

#include "config/names.h"
#include "shim/guard/attribute.h"
#include "shim/guard/stray.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/run/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define GUARDED_MAX 8

static struct {
	PyObject *dict;
	const struct sg_rule *rule;
	sg_condition condition;
} guarded[GUARDED_MAX];
static int guarded_count;

/* The text of a key, which is one of bytes where the mapping holds what the operating system does. */
static const char *text_of(PyObject *key)
{
	char *text = NULL;
	Py_ssize_t size;

	if (sg_cpython_is_text(key))
		return sg_python_text(key);
	if (PyBytes_AsStringAndSize(key, &text, &size) < 0)
		PyErr_Clear();
	return text;
}

static bool is_among(const char *patterns, const char *name)
{
	char pattern[128];
	size_t length;

	for (; *patterns; patterns += length + (patterns[length] == ',')) {
		length = strcspn(patterns, ",");
		snprintf(pattern, sizeof(pattern), "%.*s", (int)length, patterns);
		if (sg_names_fit(pattern, name))
			return true;
	}
	return false;
}

/* The last rule below that of the mapping which is about this entry, or that of the mapping. */
static const struct sg_rule *rule_of(const struct sg_rule *whole, PyObject *key)
{
	const struct sg_config *config = sg_policy_config;
	const char *name = key ? text_of(key) : NULL;
	size_t length = strlen(whole->name);

	for (size_t i = name ? config->rule_count : 0; i-- > 0;) {
		const struct sg_rule *rule = &config->rules[i];

		if (rule->entries && strncmp(rule->name, whole->name, length) == 0 && rule->name[length] == '.' &&
		    is_among(rule->entries, name))
			return rule;
	}
	return whole;
}

static const struct sg_rule *find_rule(PyObject *self, PyObject *key, sg_condition *ret_condition)
{
	const struct sg_rule *rule = NULL;

	*ret_condition = NULL;
	for (int i = 0; i < guarded_count; i++)
		if (guarded[i].dict == self) {
			rule = rule_of(guarded[i].rule, key);
			*ret_condition = rule == guarded[i].rule ? guarded[i].condition : NULL;
		}
	return rule;
}

/* key: which entry it is about; NULL: all. ret_source: of an answer. */
static enum sg_decision consult(PyObject *self, PyObject *key, enum sg_source *ret_source)
{
	struct sg_call call = {.self = self, .entry = key};
	enum sg_decision decision;
	sg_condition condition = NULL;

	if (!sg_stray_guarded())
		return SG_DECIDED_GO;
	call.rule = find_rule(self, key, &condition);
	decision = call.rule ? sg_decide(&call, condition, NULL) : SG_DECIDED_GO;
	if (decision == SG_DECIDED_ANSWER)
		*ret_source = call.rule->answer;
	return decision;
}

/* There is no terminal. The locale is one that every host has; in the kind of text that the key is. */
static PyObject *answer_to(PyObject *key, enum sg_source source)
{
	if (source == SG_SOURCE_TERMINAL) {
		PyErr_SetObject(PyExc_KeyError, key);
		return NULL;
	}
	return sg_cpython_is_text(key) ? PyUnicode_FromString("C") : PyBytes_FromStringAndSize("C", 1);
}

/* What is not there when it is asked for by its name is not listed either. */
static bool is_hidden(PyObject *self, PyObject *key)
{
	enum sg_source source = SG_SOURCE_NONE;
	sg_condition condition;
	const struct sg_rule *rule = find_rule(self, key, &condition);
	bool hidden = rule && rule->answer == SG_SOURCE_TERMINAL && consult(self, key, &source) == SG_DECIDED_ANSWER;

	PyErr_Clear();
	return hidden;
}

static PyObject *seen_keys(PyObject *self, PyObject *all)
{
	PyObject *keys = PySequence_List(all);

	for (Py_ssize_t i = keys ? PyList_Size(keys) : 0; i-- > 0;)
		if (is_hidden(self, PyList_GetItem(keys, i)) && PyList_SetSlice(keys, i, i + 1, NULL) < 0)
			PyErr_Clear();
	return keys;
}

#define SLOT(slot, type, failure, answer, key, name, parameters, ...) \
	static type name parameters \
	{ \
		enum sg_source source = SG_SOURCE_NONE; \
		enum sg_decision decision = consult(self, key, &source); \
		\
		if (decision == SG_DECIDED_NO) \
			return failure; \
		if (decision == SG_DECIDED_ANSWER) \
			return answer; \
		return ((type (*) parameters)PyType_GetSlot(&PyDict_Type, slot))(__VA_ARGS__); \
	}
SLOT(Py_mp_subscript, PyObject *, NULL, answer_to(key, source), key, subscript, (PyObject *self, PyObject *key), self, key)
SLOT(Py_mp_ass_subscript, int, -1, -1, NULL, store, (PyObject *self, PyObject *key, PyObject *value), self, key, value)
SLOT(Py_mp_length, Py_ssize_t, -1, -1, NULL, length, (PyObject *self), self)
SLOT(Py_sq_contains, int, -1, source != SG_SOURCE_TERMINAL, key, contains, (PyObject *self, PyObject *key), self, key)
SLOT(Py_tp_iter, PyObject *, NULL, NULL, NULL, iterate_all, (PyObject *self), self)
SLOT(Py_tp_repr, PyObject *, NULL, NULL, NULL, represent, (PyObject *self), self)

static PyObject *iterate(PyObject *self)
{
	PyObject *all = iterate_all(self), *keys, *iterator;

	if (!all || !sg_context_active())
		return all;
	keys = seen_keys(self, all);
	sg_python_clear(&all);
	iterator = keys ? PyObject_GetIter(keys) : NULL;
	sg_python_clear(&keys);
	return iterator;
}

/* get() is the one of dict's methods that reads a single entry. */
static PyObject *key_of(const char *name, PyObject *args)
{
	return strcmp(name, "get") == 0 && PyTuple_Size(args) > 0 ? PyTuple_GetItem(args, 0) : NULL;
}

/* dict's own method of that name, after asking. */
static PyObject *call_dict(PyObject *self, PyObject **unbound, const char *name, PyObject *args,
		PyObject *kwargs)
{
	PyObject *first, *all, *result = NULL, *key = key_of(name, args);
	enum sg_source source = SG_SOURCE_NONE;
	enum sg_decision decision = consult(self, key, &source);

	if (decision == SG_DECIDED_NO)
		return NULL;
	if (decision == SG_DECIDED_ANSWER && source == SG_SOURCE_TERMINAL)
		return sg_python_ref(PyTuple_Size(args) > 1 ? PyTuple_GetItem(args, 1) : Py_None);
	if (decision == SG_DECIDED_ANSWER)
		return answer_to(key, source);
	if (!*unbound && !(*unbound = PyObject_GetAttrString((PyObject *)&PyDict_Type, name)))
		return NULL;
	first = PyTuple_Pack(1, self);
	all = first ? PySequence_Concat(first, args) : NULL;
	if (all)
		result = PyObject_Call(*unbound, all, kwargs);
	sg_python_clear(&all);
	sg_python_clear(&first);
	return result;
}

#define METHODS(M) M(copy) M(get) M(items) M(keys) M(pop) M(popitem) M(setdefault) M(update) M(values) M(clear)

#define METHOD(name) \
	static PyObject *name(PyObject *self, PyObject *args, PyObject *kwargs) \
	{ \
		static PyObject *unbound; \
		return call_dict(self, &unbound, #name, args, kwargs); \
	}
METHODS(METHOD)

#define METHOD_DEF(name) {#name, (PyCFunction)(void *)name, METH_VARARGS | METH_KEYWORDS, NULL},
static PyMethodDef methods[] = {METHODS(METHOD_DEF) {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {
	{Py_mp_ass_subscript, store},
	{Py_mp_length, length},
	{Py_mp_subscript, subscript},
	{Py_sq_contains, contains},
	{Py_tp_iter, iterate},
	{Py_tp_methods, methods},
	{Py_tp_repr, represent},
	{0, NULL}
};

static PyType_Spec spec = {
	.name = "builtins.dict", .flags = Py_TPFLAGS_DEFAULT, .slots = slots
};

static PyTypeObject *guarded_type;

int sg_mapping_guard(const struct sg_rule *rule, sg_condition condition, PyObject *target)
{
	PyObject *dict = sg_python_ref(target);
	int error = -ENOTSUP;

	if (sg_cpython_type(target) != &PyDict_Type) {
		Py_DecRef(dict);
		dict = sg_python_attribute_or_null(target, "_data");
	}
	if (!dict || !sg_cpython.dict_types)
		goto out;
	error = -EEXIST;
	if (guarded_type && sg_cpython_type(dict) == guarded_type)
		goto out;
	error = -ENOTSUP;
	if (sg_cpython_type(dict) != &PyDict_Type || guarded_count == GUARDED_MAX)
		goto out;
	if (!guarded_type && !(guarded_type = sg_cpython_new_type(&spec, &PyDict_Type)))
		goto out;
	if (dict != target) {
		error = sg_attribute_guard_class(rule, sg_cpython_type(target));
		if (error)
			goto out;
	}
	sg_cpython_set_type(dict, guarded_type);
	guarded[guarded_count].dict = sg_python_ref(dict);
	guarded[guarded_count].condition = condition;
	guarded[guarded_count++].rule = rule;
	error = 0;
out:
	PyErr_Clear();
	sg_python_clear(&dict);
	return error;
}

void sg_mapping_remove_all(void)
{
	while (guarded_count)
		sg_cpython_set_type(guarded[--guarded_count].dict, &PyDict_Type);
}
