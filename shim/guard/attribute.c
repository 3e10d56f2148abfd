#include "shim/guard/attribute.h"

#include "shim/guard/decide.h"
#include "shim/guard/stray.h"
#include "shim/guard/trampoline.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/run/policy.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct guarded {
	const struct sg_rule *rule;
	sg_condition condition; /* or NULL */
	struct guarded *next;
};
static struct guarded *all;

/* module name -> {attribute, or "*": address of a struct guarded}; by name, as runs have copies of a module */
static PyObject *modules;

typedef PyObject *(*getattr_fn)(PyObject *, PyObject *);

#define KNOWN_MAX 64

/* What was found last, by the identity of both names: nearly all attributes of a guarded module have no rule. */
static struct known {
	PyObject *module, *attribute; /* owned: another object cannot have their address */
	PyObject *address;            /* borrowed from modules, or NULL */
} known[KNOWN_MAX];

static void forget(struct known *entry)
{
	entry->address = NULL;
	sg_python_clear(&entry->module);
	sg_python_clear(&entry->attribute);
}

static void forget_all(void)
{
	for (int i = 0; i < KNOWN_MAX; i++)
		forget(&known[i]);
}

static PyObject *look_up(PyObject *module, PyObject *attribute)
{
	PyObject *names = modules ? PyDict_GetItemWithError(modules, module) : NULL, *address, *star;

	address = names ? PyDict_GetItemWithError(names, attribute) : NULL;
	if (!names || address || sg_python_text(attribute)[0] == '_')
		return address;
	star = PyUnicode_FromString("*");
	address = star ? PyDict_GetItemWithError(names, star) : NULL;
	sg_python_clear(&star);
	return address;
}

static PyObject *find_rule(PyObject *module, PyObject *attribute)
{
	struct known *entry = &known[(((uintptr_t)module ^ (uintptr_t)attribute) >> 4) % KNOWN_MAX];

	if (entry->module != module || entry->attribute != attribute) {
		forget(entry);
		entry->address = look_up(module, attribute);
		entry->module = sg_python_ref(module);
		entry->attribute = sg_python_ref(attribute);
		PyErr_Clear();
	}
	return entry->address;
}

static struct guarded *guarded_by(const struct sg_rule *rule, sg_condition condition)
{
	struct guarded *guarded = all;

	while (guarded && guarded->rule != rule)
		guarded = guarded->next;
	if (guarded || !(guarded = malloc(sizeof(*guarded))))
		return guarded;
	*guarded = (struct guarded){rule, condition, all};
	all = guarded;
	return guarded;
}

/* 0, or -1: refused. ret_answer: what is read instead, a new reference; NULL: what is there. */
static int consult(PyObject *module, PyObject *attribute, PyObject **ret_answer)
{
	struct sg_call call = {.self = module};
	const struct guarded *guarded;
	int decision;
	PyObject *name = sg_python_module_name(PyModule_GetDict(module)), *address;
	char full[512];

	address = name ? find_rule(name, attribute) : NULL;
	if (!address)
		return 0;
	guarded = PyLong_AsVoidPtr(address);
	call.rule = guarded->rule;
	snprintf(full, sizeof(full), "%s.%s", sg_python_text(name), sg_python_text(attribute));
	call.name = full;
	decision = sg_decide(&call, guarded->condition, NULL);
	if (decision == SG_DECIDED_INSIDE)
		*ret_answer = call.value;
	else
		sg_python_clear(&call.value);
	return decision == SG_DECIDED_NO ? -1 : 0;
}

static PyObject *get(PyObject *self, PyObject *name)
{
	PyObject *answer = NULL;

	if (sg_stray_guarded() && consult(self, name, &answer) < 0)
		return NULL;
	if (answer)
		return answer;
	return ((getattr_fn)PyType_GetSlot(&PyModule_Type, Py_tp_getattro))(self, name);
}

/* importlib makes modules as type(sys)(name): they are not guarded for that. */
static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	(void)type;
	return PyObject_Call((PyObject *)&PyModule_Type, args, kwargs);
}

static PyType_Slot slots[] = {{Py_tp_getattro, get}, {Py_tp_new, make}, {0, NULL}};
static PyType_Spec spec = {
	.name = "builtins.module", .flags = Py_TPFLAGS_DEFAULT, .slots = slots
};
static PyTypeObject *guarded_type;

static PyObject *hosts;  /* list of guarded modules of the host */
static int running;      /* threads in workflow code */

#define CLASSES_MAX 8

static struct {
	PyTypeObject *type;
	void *original, *replacement;
	unsigned int versions[2]; /* of the class, unguarded and guarded; 0: not known */
} classes[CLASSES_MAX];
static int class_count;

/* What the interpreter's caches know of the class is void. */
static void void_caches(PyTypeObject *type)
{
	PyObject *value;

	PyType_Modified(type);
	value = sg_python_attribute_or_null((PyObject *)type, "get"); /* a look-up gives it the next version */
	sg_python_clear(&value);
}

/*
 * Guarded and unguarded, a class has two versions for the interpreter's caches. They are exchanged: for a new one each
 * time there are not enough (3.13: 1000, then the class is looked up without caches for good).
 */
static void exchange_versions(PyTypeObject *type, unsigned int versions[2], bool guarded)
{
	unsigned int *tag = sg_cpython_version_tag(type);

	if (!tag) {
		PyType_Modified(type);
	} else if (*tag && *tag == versions[!guarded] && versions[guarded]) {
		*tag = versions[guarded];
	} else {
		/* The first time, or somebody has changed the class. */
		if (!*tag)
			void_caches(type);
		versions[!guarded] = *tag;
		void_caches(type);
		versions[guarded] = *tag;
	}
}

static void set_slots(bool guarded)
{
	for (int i = 0; i < class_count; i++) {
		*sg_cpython_getattro_slot(classes[i].type) =
			guarded ? classes[i].replacement : classes[i].original;
		exchange_versions(classes[i].type, classes[i].versions, guarded);
	}
}

static void set_types(PyTypeObject *from, PyTypeObject *to)
{
	for (Py_ssize_t i = 0; hosts && i < PyList_Size(hosts); i++) {
		PyObject *module = PyList_GetItem(hosts, i);

		if (sg_cpython_type(module) == from)
			sg_cpython_set_type(module, to);
	}
}

void sg_attribute_enter(void)
{
	if (running++ == 0) {
		set_types(&PyModule_Type, guarded_type);
		set_slots(true);
	}
}

void sg_attribute_leave(void)
{
	if (--running == 0) {
		set_types(guarded_type, &PyModule_Type);
		set_slots(false);
	}
}

/* 0: the module will have our type when it matters, -1: it has a type of its own. */
static int guard_module(PyObject *module, PyObject *name)
{
	if (sg_cpython_type(module) == guarded_type)
		return 0;
	if (sg_cpython_type(module) != &PyModule_Type)
		return -1;
	if (module != sg_modules_host(name) || running)
		sg_cpython_set_type(module, guarded_type);
	if (module != sg_modules_host(name))
		return 0;
	if (!hosts)
		hosts = PyList_New(0);
	return hosts && (PySequence_Contains(hosts, module) == 1 || PyList_Append(hosts, module) == 0) ? 0 : -1;
}

void sg_attribute_start(void)
{
	if (!guarded_type)
		guarded_type = sg_cpython_new_type(&spec, &PyModule_Type);
	PyErr_Clear();
}

int sg_attribute_guard(const struct sg_rule *rule, sg_condition condition, PyObject *module, const char *name)
{
	struct guarded *guarded = guarded_by(rule, condition);
	PyObject *names, *key = NULL, *address = guarded ? PyLong_FromVoidPtr(guarded) : NULL;
	int error = -ENOTSUP;

	if (!address || (!modules && !(modules = PyDict_New())))
		goto out;
	if (!guarded_type)
		goto out;
	key = sg_python_module_name(PyModule_GetDict(module));
	if (!key || guard_module(module, key) < 0)
		goto out;
	names = key ? PyDict_GetItemWithError(modules, key) : NULL;
	if (key && !names && !PyErr_Occurred()) {
		names = PyDict_New();
		if (names && PyDict_SetItem(modules, key, names) == 0)
			Py_DecRef(names); /* the dict keeps it */
	}
	if (names && PyDict_SetItemString(names, name, address) == 0)
		error = 0;
	forget_all();
out:
	PyErr_Clear();
	sg_python_clear(&address);
	return error;
}

/* The mapping's own methods, and those of the workflow's lines that read one entry: which one, what holds the entries is asked for. */
static bool leads_to_an_entry(const struct sg_call *call, PyObject *method)
{
	static const char *const reading[] = {"get", "__getitem__", "__contains__"};
	PyObject *globals = PyEval_GetGlobals(), *module = globals ? sg_python_module_name(globals) : NULL, *own;
	bool leads = false;

	for (size_t i = 0; method && i < sizeof(reading) / sizeof(reading[0]); i++)
		leads = leads || PyUnicode_CompareWithASCIIString(method, reading[i]) == 0;
	if (leads || !module || !call->self)
		return leads;
	own = sg_python_attribute_or_null((PyObject *)sg_cpython_type(call->self), "__module__");
	leads = own && strcmp(sg_python_text(own), sg_python_text(module)) == 0;
	sg_python_clear(&own);
	return leads;
}

/* To ask for a method that changes the mapping is another thing than to read it: RULE.__setitem__ says what. */
static bool tell_change(struct sg_call *call, int argument)
{
	static const char *const methods[] = {"__setitem__", "__delitem__", "__ior__", "update", "setdefault", "pop", "popitem", "clear"};
	PyObject *method = sg_call_argument(call, 0, NULL);
	char name[128];

	(void)argument;
	if (leads_to_an_entry(call, method))
		return false;
	for (size_t i = 0; method && i < sizeof(methods) / sizeof(methods[0]); i++) {
		const struct sg_rule *rule;

		if (PyUnicode_CompareWithASCIIString(method, methods[i]) != 0)
			continue;
		snprintf(name, sizeof(name), "%s.__setitem__", call->rule->name);
		rule = sg_config_rule(sg_policy_config, name);
		call->name = rule ? rule->name : NULL;
	}
	return true;
}

int sg_attribute_guard_class(const struct sg_rule *rule, PyTypeObject *type)
{
	void **slot = sg_cpython_getattro_slot(type), *address;

	if (!slot || class_count == CLASSES_MAX)
		return -ENOTSUP;
	address = sg_trampoline_get(SG_CONVENTION_OBJECT, &(struct sg_trampoline){*slot, rule, tell_change, METH_O});
	if (!address)
		return -ENOSPC;
	classes[class_count].type = (PyTypeObject *)sg_python_ref((PyObject *)type);
	classes[class_count].original = *slot;
	classes[class_count].versions[false] = classes[class_count].versions[true] = 0;
	classes[class_count++].replacement = address;
	if (running)
		set_slots(true);
	return 0;
}

void sg_attribute_remove_all(void)
{
	set_slots(false);
	forget_all();
	class_count = 0;
	/* Copies that belong to runs keep the type: without a context it is a module's. */
	set_types(guarded_type, &PyModule_Type);
	sg_python_clear(&hosts);
}
