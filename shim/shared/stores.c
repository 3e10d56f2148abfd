#include "shim/shared/stores.h"

#include "shim/guard/arm.h"
#include "shim/guard/decide.h"
#include "shim/guard/undo.h"
#include "shim/import/code.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/policy.h"
#include "shim/shared/subclasses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*setattro)(PyObject *, PyObject *, PyObject *);

enum kind { MODULE, CLASS, FUNCTION, KINDS, LOGGER = KINDS };

static const char *const rule_names[KINDS + 1] = {"state.module", "state.class", "state.function", "state.object"};

static struct {
	PyTypeObject *base;
	setattro original, hook;
	setattro next;         /* where a store goes on: the original, or the probe's */
	void **wrapped[2];     /* what __setattr__ and __delattr__ of the base call */
	PyObject *wrappers[2];
	PyMethodDef *methods;  /* or these two, which the base has got from us */
	PyObject *below;       /* list: subclasses of the base, which have copied the slot */
	bool always, proved, on;
} kinds[KINDS];

static int running;  /* threads in workflow code */
static int pauses;

/* --- is it shared? ----------------------------------------------------------------------------- */

/* A module of the host that the run does not have for itself: borrowed, or NULL. */
static PyObject *shared_module(const struct sg_run *run, PyObject *name)
{
	PyObject *module = name ? sg_modules_host(name) : NULL;

	if (!module || !PyType_IsSubtype(sg_cpython_type(module), &PyModule_Type) ||
	    sg_code_of(run, PyModule_GetDict(module)) == SG_CODE_WORKFLOW)
		return NULL;
	return module;
}

static bool is_shared_module(const struct sg_run *run, PyObject *object)
{
	PyObject *name = sg_python_module_name(PyModule_GetDict(object));

	if (!name || !sg_cpython_is_text(name))
		return false;
	return shared_module(run, name) == object;
}

static bool is_shared_global(const struct sg_run *run, PyObject *object)
{
	PyObject *name = sg_modules_text(object, "__module__"), *module = shared_module(run, name);
	bool shared = module && sg_modules_leads_to(module, object);

	sg_python_clear(&name);
	return shared;
}

/* Found under no name, but in a cache or by a call: Page[str] of pydantic, an array type of ctypes. */
static bool is_class_of_others(const struct sg_run *run, PyObject *object)
{
	return sg_subclasses_known && run->family && sg_cpython_is_class(object) &&
		(PyType_GetFlags((PyTypeObject *)object) & Py_TPFLAGS_HEAPTYPE) && sg_subclasses_is_others(object, run);
}

bool sg_stores_logger_shared(PyObject *logger)
{
	PyObject *root = sg_python_imported("logging", "root"), *loggers = sg_python_imported("logging", "root.manager.loggerDict");
	PyObject *name = sg_python_attribute_or_null(logger, "name");
	bool shared = logger == root || (loggers && name && PyDict_GetItemWithError(loggers, name) == logger);

	PyErr_Clear();
	sg_python_clear(&name);
	sg_python_clear(&loggers);
	sg_python_clear(&root);
	return shared;
}

bool sg_stores_shared(const struct sg_run *run, PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);

	if (PyType_IsSubtype(type, &PyModule_Type))
		return is_shared_module(run, object);
	return is_shared_global(run, object) || is_class_of_others(run, object);
}

/* --- a store in a context ---------------------------------------------------------------------- */

/* The package of a module's name; the standard library writes one module as warnings and _py_warnings. */
static const char *package(const char *name, size_t *ret_length)
{
	name += strncmp(name, "_py_", 4) == 0 ? 4 : 0;
	*ret_length = strcspn(name, ".");
	return name;
}

static bool same_package(PyObject *globals, PyObject *target)
{
	PyObject *frame = sg_python_module_name(globals), *name = NULL;
	const char *a, *b;
	size_t length, other;
	bool same;

	name = sg_modules_text(target, PyType_IsSubtype(sg_cpython_type(target), &PyModule_Type) ? "__name__" : "__module__");
	if (!frame || !name) {
		sg_python_clear(&name);
		return false;
	}
	a = package(sg_python_text(frame), &length);
	b = package(sg_python_text(name), &other);
	same = length == other && strncmp(a, b, length) == 0;
	sg_python_clear(&name);
	return same;
}

/*
 * Library code that is next to the store does its own business. The standard library writes on behalf of its caller,
 * but for its own modules, what copies of a class's objects need to know, and what a with statement takes back.
 */
static bool is_own_business(const struct sg_run *run, PyObject *globals, PyObject *target)
{
	enum sg_code code = globals ? sg_code_of(run, globals) : SG_CODE_ENGINE;
	PyObject *module;

	if (code == SG_CODE_WORKFLOW || code == SG_CODE_THROUGH)
		return false;
	if (code != SG_CODE_STDLIB)
		return true;
	module = sg_python_module_name(globals);
	if (!module)
		return false;
	return strcmp(sg_python_text(module), "contextlib") == 0 || strcmp(sg_python_text(module), "copyreg") == 0 ||
	       same_package(globals, target);
}

static bool hands_on(PyObject *code)
{
	PyObject *name = sg_python_attribute_or_null(code, "co_name");
	const char *text = sg_python_text(name);
	bool handing = strcmp(text, "__setattr__") == 0 || strcmp(text, "__delattr__") == 0;

	sg_python_clear(&name);
	return handing;
}

/* The globals of the code that stores, where a metaclass hands it on: new reference, or NULL. */
static PyObject *globals_of_store(void)
{
	struct sg_frames at = {0};
	PyObject *globals;

	while (sg_frames_next(&at) && hands_on(at.code))
		continue;
	globals = sg_python_ref(at.globals);
	sg_frames_end(&at);
	PyErr_Clear();
	return globals;
}

static void full_name(enum kind kind, PyObject *object, PyObject *name, char *text, size_t size)
{
	PyObject *target = kind == LOGGER ? (PyObject *)sg_cpython_type(object) : object;
	PyObject *module = sg_modules_text(target, "__module__"), *path = sg_modules_text(target, "__qualname__");
	PyObject *own = path ? NULL : sg_modules_text(target, "__name__");

	if (path)
		snprintf(text, size, "%s.%s.%s", sg_python_text(module), sg_python_text(path), sg_python_text(name));
	else
		snprintf(text, size, "%s.%s", sg_python_text(own), sg_python_text(name));
	sg_python_clear(&own);
	sg_python_clear(&path);
	sg_python_clear(&module);
}

static bool may_undo(PyObject *target)
{
	PyObject *name, *module;

	if (sg_undo_knows(target)) /* the name of its module may be what was changed */
		return true;
	if (PyType_IsSubtype(sg_cpython_type(target), &PyModule_Type))
		return sg_undo_may(target);
	name = sg_modules_text(target, "__module__");
	module = name ? sg_modules_host(name) : NULL;
	sg_python_clear(&name);
	return module && PyType_IsSubtype(sg_cpython_type(module), &PyModule_Type) && sg_undo_may(module);
}

static int judge(enum kind kind, PyObject *target, PyObject *name, PyObject *value)
{
	struct sg_call call = {.self = target, .exact = true};
	char text[512];

	full_name(kind, target, name, text, sizeof(text));
	call.name = text;
	call.rule = sg_config_rule(sg_policy_config, text);
	if (!call.rule || call.rule->guard != SG_GUARD_STORE)
		call.rule = sg_config_rule(sg_policy_config, rule_names[kind]);
	if (!call.rule || sg_decide(&call, NULL, NULL) < 0)
		return call.rule ? -1 : 0;
	if (call.rule->action > SG_ACTION_ALLOW && may_undo(target))
		sg_undo_note_store(target, name, value);
	return 0;
}

/* 0: go on, -1: refused. */
static int consult(enum kind kind, PyObject *target, PyObject *name, PyObject *value)
{
	struct sg_context *context = sg_context_suspend();
	PyObject *type, *error, *traceback, *globals = NULL;
	bool shared = false, own = true;
	int answer = 0;

	PyErr_Fetch(&type, &error, &traceback);
	if (context->phase == SG_PHASE_RUNTIME && !sg_engine_is_unrestricted(context->run->policy->engine) &&
			sg_cpython_is_text(name)) {
		shared = kind == LOGGER ? sg_stores_logger_shared(target) : sg_stores_shared(context->run, target) || sg_undo_knows(target);
		globals = shared ? globals_of_store() : NULL;
		own = !shared || is_own_business(context->run, globals, target);
		sg_python_clear(&globals);
	}
	PyErr_Restore(type, error, traceback);
	sg_context_leave(context);
	if (shared && !own)
		answer = judge(kind, target, name, value);
	return answer < 0 ? -1 : 0;
}

/* What it has already: nothing is changed. */
static bool has_value(PyObject *target, PyObject *name, PyObject *value)
{
	PyObject *now = value ? sg_python_attribute_or_null(target, sg_python_text(name)) : NULL;
	bool has = now && now == value;

	sg_python_clear(&now);
	return has;
}

static int store(enum kind kind, PyObject *target, PyObject *name, PyObject *value)
{
	if (sg_context_active() && !(kind == LOGGER && has_value(target, name, value)) && consult(kind, target, name, value) < 0)
		return -1;
	return kind == LOGGER ? PyObject_GenericSetAttr(target, name, value) : kinds[kind].next(target, name, value);
}

static int store_class(PyObject *target, PyObject *name, PyObject *value)
{
	return store(CLASS, target, name, value);
}

static PyObject *answer(int error)
{
	return error ? NULL : sg_python_ref(Py_None);
}

static PyObject *set(enum kind kind, PyObject *target, PyObject *const *args, Py_ssize_t count)
{
	if (count == 2)
		return answer(store(kind, target, args[0], args[1]));
	PyErr_Format(PyExc_TypeError, "expected 2 arguments, got %zd", count);
	return NULL;
}

#define METHODS(name, kind) \
	static PyObject *name##_set(PyObject *target, PyObject *const *args, Py_ssize_t count) \
	{ \
		return set(kind, target, args, count); \
	} \
	static PyObject *name##_delete(PyObject *target, PyObject *attribute) \
	{ \
		return answer(store(kind, target, attribute, NULL)); \
	} \
	static PyMethodDef name##_methods[] = { \
		{"__setattr__", (PyCFunction)(void (*)(void))name##_set, METH_FASTCALL, "Implement setattr(self, name, value)."}, \
		{"__delattr__", name##_delete, METH_O, "Implement delattr(self, name)."}, \
		{NULL, NULL, 0, NULL} \
	};

METHODS(module, MODULE)
METHODS(function, FUNCTION)
METHODS(logger, LOGGER)

/* --- in place ---------------------------------------------------------------------------------- */

static void exchange(PyTypeObject *type, setattro from, setattro to)
{
	void **slot = sg_cpython_setattro_slot(type);

	if (*slot == (void *)from)
		*slot = (void *)to;
}

static void collect(PyObject *method, PyTypeObject *type, PyObject *below)
{
	PyObject *list = PyObject_CallFunctionObjArgs(method, type, NULL);

	for (Py_ssize_t i = 0; list && i < PyList_Size(list); i++) {
		PyObject *subclass = PyList_GetItem(list, i);

		if (PyList_Append(below, subclass) == 0)
			collect(method, (PyTypeObject *)subclass, below);
	}
	PyErr_Clear();
	sg_python_clear(&list);
}

/* Everything below the base: metaclasses, modules with a type of their own, and our subtypes. */
static void collect_below(enum kind kind)
{
	PyObject *method = PyObject_GetAttrString((PyObject *)&PyType_Type, "__subclasses__");

	sg_python_clear(&kinds[kind].below);
	kinds[kind].below = PyList_New(0);
	if (method && kinds[kind].below)
		collect(method, kinds[kind].base, kinds[kind].below);
	PyErr_Clear();
	sg_python_clear(&method);
}

static void put(enum kind kind, bool on)
{
	setattro from = on ? kinds[kind].original : kinds[kind].hook, to = on ? kinds[kind].hook : kinds[kind].original;

	if (kinds[kind].on == on)
		return;
	kinds[kind].on = on;
	exchange(kinds[kind].base, from, to);
	for (Py_ssize_t i = 0; kinds[kind].below && i < PyList_Size(kinds[kind].below); i++)
		exchange((PyTypeObject *)PyList_GetItem(kinds[kind].below, i), from, to);
	for (int i = 0; i < 2; i++)
		if (kinds[kind].wrapped[i])
			*kinds[kind].wrapped[i] = (void *)to;
}

/* What type.__setattr__ calls has to be what the slot has, or it takes the object for somebody else's. */
static void find_wrappers(enum kind kind)
{
	static const char *const names[2] = {"__setattr__", "__delattr__"};
	PyObject *dict = PyObject_GetAttrString((PyObject *)kinds[kind].base, "__dict__"), *key, *wrapper;

	for (int i = 0; dict && i < 2; i++) {
		key = PyUnicode_FromString(names[i]);
		wrapper = key ? PyObject_GetItem(dict, key) : NULL; /* a mappingproxy */
		kinds[kind].wrapped[i] = wrapper ? sg_cpython_wrapped_slot(wrapper) : NULL;
		if (kinds[kind].wrapped[i] && *kinds[kind].wrapped[i] != (void *)kinds[kind].original)
			kinds[kind].wrapped[i] = NULL;
		kinds[kind].wrappers[i] = wrapper;
		sg_python_clear(&key);
		PyErr_Clear();
	}
	PyErr_Clear();
	sg_python_clear(&dict);
}

/* The dict behind the read-only view: new reference. */
static PyObject *base_dict(enum kind kind)
{
	PyObject *view = PyObject_GetAttrString((PyObject *)kinds[kind].base, "__dict__"), *dict = NULL;
	PyObject *found = view ? sg_cpython_referents(view) : NULL;

	if (found && PyList_Size(found) == 1 && PyType_IsSubtype(sg_cpython_type(PyList_GetItem(found, 0)), &PyDict_Type))
		dict = sg_python_ref(PyList_GetItem(found, 0));
	sg_python_clear(&found);
	sg_python_clear(&view);
	return dict;
}

/*
 * A class with a method __setattr__ has one certain function in its slot, which looks the method up. It is the only one
 * that object.__setattr__ does not take for somebody else's.
 */
static int give_methods(enum kind kind)
{
	PyObject *dict = base_dict(kind), *key, *method;
	int error = dict ? 0 : -1;

	for (PyMethodDef *def = kinds[kind].methods; def->ml_name && !error; def++) {
		key = PyUnicode_InternFromString(def->ml_name);
		method = key ? PyDescr_NewMethod(kinds[kind].base, def) : NULL;
		error = method ? PyDict_SetItem(dict, key, method) : -1;
		sg_python_clear(&method);
		sg_python_clear(&key);
	}
	PyType_Modified(kinds[kind].base);
	sg_python_clear(&dict);
	return error;
}

static void take_methods(enum kind kind)
{
	PyObject *dict = kinds[kind].methods ? base_dict(kind) : NULL, *key;

	for (PyMethodDef *def = kinds[kind].methods; dict && def->ml_name; def++) {
		key = PyUnicode_InternFromString(def->ml_name);
		if (key && PyDict_DelItem(dict, key) < 0)
			PyErr_Clear();
		sg_python_clear(&key);
	}
	PyErr_Clear();
	PyType_Modified(kinds[kind].base);
	sg_python_clear(&dict);
}

/* --- the probe --------------------------------------------------------------------------------- */

static long seen;

static int note_store(PyObject *target, PyObject *name, PyObject *value)
{
	(void)target;
	(void)name;
	(void)value;
	seen++;
	return 0;
}

static const char *const PROBE_SOURCE =
	"import types\n"
	"class C: x = 0\n"
	"def f(): pass\n"
	"m = types.ModuleType('m')\n"
	"def store(o, n=64):\n"
	"    for i in range(n): o.x = i\n"
	"    setattr(o, 'y', 1)\n"
	"    return 1\n"
	"def store_module(): return store(m)\n"
	"def store_class(): return store(C)\n"
	"def store_function(): return store(f)\n"
	"for o in (m, C, f):\n"
	"    for i in range(40): store(o)\n";

static bool prove(enum kind kind)
{
	static const char *const functions[KINDS] = {"store_module", "store_class", "store_function"};
	PyObject *namespace = sg_cpython_run(PROBE_SOURCE, NULL, NULL), *function;
	bool proved = false;

	function = namespace ? sg_cpython_item(namespace, functions[kind]) : NULL;
	seen = 0;
	if (function && sg_cpython_call(function) == 1) {
		kinds[kind].next = note_store;
		put(kind, true);
		sg_cpython_call(function);
		put(kind, false);
		kinds[kind].next = kinds[kind].original;
		proved = seen == 65 && sg_cpython_call(function) == 1 && seen == 65;
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
	return proved;
}

/* The slot as it is, and what is to be there instead. False: it cannot be replaced. */
static bool prepare(enum kind kind)
{
	void **slot = sg_cpython_setattro_slot(kinds[kind].base);

	if (!slot || *slot != PyType_GetSlot(kinds[kind].base, Py_tp_setattro) || !sg_cpython_writable(slot, sizeof(*slot)))
		return false;
	kinds[kind].original = kinds[kind].next = (setattro)*slot;
	if (kind == CLASS) {
		kinds[kind].hook = store_class;
		find_wrappers(kind);
		return true;
	}
	kinds[kind].hook = sg_cpython_slot_of("class C:\n    def __setattr__(self, name, value): pass\n", Py_tp_setattro);
	return kinds[kind].hook && give_methods(kind) == 0;
}

static PyObject *given[2]; /* the methods of loggers' class, which has them for good: call sites keep in mind what it does with a store */

/* Methods of its own it keeps, and gets none. */
static void put_on_loggers(bool on)
{
	PyObject *class = sg_python_imported("logging", "Logger"), *here;
	bool is_class = class && sg_cpython_is_class(class);

	for (int i = 0; is_class && logger_methods[i].ml_name; i++) {
		here = sg_cpython_item(sg_cpython_type_dict((PyTypeObject *)class), logger_methods[i].ml_name);
		if (on && !here)
			given[i] = PyDescr_NewMethod((PyTypeObject *)class, &logger_methods[i]);
		if (given[i] && here == (on ? NULL : given[i]))
			PyObject_SetAttrString(class, logger_methods[i].ml_name, on ? given[i] : NULL);
		if (!on)
			sg_python_clear(&given[i]);
		PyErr_Clear();
	}
	sg_python_clear(&class);
}

int sg_stores_install(void)
{
	static PyMethodDef *const methods[KINDS] = {[MODULE] = module_methods, [FUNCTION] = function_methods};
	PyTypeObject *bases[KINDS] = {&PyModule_Type, &PyType_Type, &PyFunction_Type};

	for (enum kind kind = 0; kind < KINDS; kind++) {
		kinds[kind].base = bases[kind];
		kinds[kind].methods = methods[kind];
		kinds[kind].always = kind == CLASS;
		kinds[kind].proved = prepare(kind) && prove(kind);
		PyErr_Clear();
		if (!kinds[kind].proved) {
			take_methods(kind);
			sg_arm_lacking(rule_names[kind],
					"attribute stores are not seen on this interpreter");
		} else if (kinds[kind].always) {
			collect_below(kind);
			put(kind, true);
		}
	}
	put_on_loggers(true);
	return sg_undo_install();
}

static PyObject *filters_before; /* borrowed, for comparison only */

static PyObject *filters_now(void)
{
	static PyObject *module, *name;

	if (!module) {
		module = PyImport_ImportModule("warnings");
		name = PyUnicode_InternFromString("filters");
	}
	PyErr_Clear();
	return module && name ? PyDict_GetItemWithError(PyModule_GetDict(module), name) : NULL;
}

bool sg_stores_filters_shared(void)
{
	return filters_now() == filters_before;
}

/* A module that has been imported may have brought a type of modules. */
static void look_for_new(void)
{
	static Py_ssize_t known;
	Py_ssize_t now = PyDict_Size(PyImport_GetModuleDict());

	if (now == known)
		return;
	known = now;
	for (enum kind kind = 0; kind < KINDS; kind++)
		if (kinds[kind].proved && !kinds[kind].always)
			collect_below(kind);
}

/* Those of modules and functions are there only while somebody may be meant. */
static void put_as_due(void)
{
	for (enum kind kind = 0; kind < KINDS; kind++)
		if (kinds[kind].proved && !kinds[kind].always)
			put(kind, running && !pauses);
}

void sg_stores_enter(void)
{
	if (running++)
		return;
	look_for_new();
	filters_before = filters_now();
	put_as_due();
}

void sg_stores_leave(void)
{
	if (--running == 0)
		put_as_due();
}

void sg_stores_pause(bool paused)
{
	pauses += paused ? 1 : -1;
	put_as_due();
}

void sg_stores_remove(void)
{
	for (enum kind kind = 0; kind < KINDS; kind++) {
		if (!kinds[kind].proved)
			continue;
		if (kinds[kind].always)
			collect_below(kind);
		put(kind, false);
		take_methods(kind);
		kinds[kind].proved = false;
		sg_python_clear(&kinds[kind].below);
		sg_python_clear(&kinds[kind].wrappers[0]);
		sg_python_clear(&kinds[kind].wrappers[1]);
	}
	put_on_loggers(false);
	sg_undo_remove();
}
