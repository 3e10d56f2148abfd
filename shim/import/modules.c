#include "shim/import/modules.h"

#include "shim/interpreter/cpython.h"
#include "shim/run/policy.h"

#include <string.h>

static PyTypeObject *modules_type;
static PyObject *(*dict_subscript)(PyObject *, PyObject *);

/* The table of the current run, or NULL: then the dict behaves as itself. */
static PyObject *current_table(void)
{
	return sg_context_active() ? sg_context_current->run->modules : NULL;
}

PyObject *sg_modules_host(PyObject *name)
{
	PyObject *module = PyDict_GetItemWithError(PyImport_GetModuleDict(), name);

	if (!module)
		PyErr_Clear();
	return module;
}

PyObject *sg_modules_text(PyObject *object, const char *name)
{
	PyObject *(*get)(PyObject *, PyObject *) = PyType_GetSlot(&PyType_Type, Py_tp_getattro);
	bool class = sg_cpython_is_class(object);
	PyObject *key = class ? PyUnicode_InternFromString(name) : NULL, *value;

	value = class ? (key ? get(object, key) : NULL) : sg_python_attribute_or_null(object, name);
	if (!value)
		PyErr_Clear();
	sg_python_clear(&key);
	if (value && !sg_cpython_is_text(value))
		sg_python_clear(&value);
	return value;
}

PyObject *sg_modules_reach(PyObject *namespace, const char *path)
{
	const char *dot = strchr(path, '.');
	PyObject *name = PyUnicode_FromStringAndSize(path, dot ? dot - path : (Py_ssize_t)strlen(path));
	PyObject *first = name ? PyDict_GetItemWithError(namespace, name) : NULL;

	PyErr_Clear();
	sg_python_clear(&name);
	if (!first)
		return NULL;
	return dot ? sg_python_attribute_or_null(first, dot + 1) : sg_python_ref(first);
}

bool sg_modules_leads_to(PyObject *module, PyObject *object)
{
	PyObject *path = sg_modules_text(object, "__qualname__"), *found = NULL;
	bool leads;

	if (path && !strchr(sg_python_text(path), '<'))
		found = sg_modules_reach(PyModule_GetDict(module), sg_python_text(path));
	leads = found == object;
	sg_python_clear(&found);
	sg_python_clear(&path);
	return leads;
}

bool sg_modules_has_globals(PyObject *module, PyObject *globals)
{
	return module && PyType_IsSubtype(sg_cpython_type(module), &PyModule_Type) &&
	       PyModule_GetDict(module) == globals;
}

bool sg_modules_holds(PyObject *table, PyObject *name, PyObject *globals)
{
	return sg_modules_has_globals(PyDict_GetItemWithError(table, name), globals);
}

/* None: it has no parent. */
static PyObject *parent_of(PyObject *name)
{
	const char *text = sg_python_text(name), *dot = strrchr(text, '.');

	return dot ? PyUnicode_FromStringAndSize(text, dot - text) : sg_python_ref(Py_None);
}

/*
 * A shared submodule below a parent that the run has for itself must be bound as that parent's attribute, which only
 * the import machinery does: until then it counts as not imported.
 */
static bool parent_is_own(PyObject *table, PyObject *parent)
{
	PyObject *own = parent == Py_None ? NULL : PyDict_GetItemWithError(table, parent);

	return own && own != sg_modules_host(parent);
}

static bool forbidden(PyObject *name)
{
	int answer = sg_policy_forbids(sg_context_current->run->policy, name, sg_context_current->phase);

	if (answer < 0)
		PyErr_Clear();
	return answer > 0;
}

/* Does the run see the host's module, or has it to import it? With an exception: false. */
static bool is_host_s(PyObject *table, PyObject *name)
{
	struct sg_policy *policy = sg_context_current->run->policy;
	PyObject *seen = policy->seen[sg_context_current->phase], *parent = policy->apart ? NULL : PyDict_GetItemWithError(seen, name);
	bool is;

	if (parent)
		return !parent_is_own(table, parent);
	if (sg_policy_shares(policy, name) != 1 || forbidden(name)) /* the importer says so */
		return false;
	parent = parent_of(name);
	is = parent && !parent_is_own(table, parent) && (sg_policy_no_python || PyDict_SetItem(seen, name, parent) == 0);
	sg_python_clear(&parent);
	return is;
}

/* Borrowed module as the current run sees it; NULL with or without an exception. */
static PyObject *find(PyObject *self, PyObject *name)
{
	PyObject *table = current_table(), *module;

	if (!table)
		return PyDict_GetItemWithError(self, name);
	module = PyDict_GetItemWithError(table, name);
	if (module || PyErr_Occurred())
		return module;
	module = PyDict_GetItemWithError(self, name);
	if (!module || !sg_cpython_is_text(name))
		return NULL;
	if (!sg_context_current->run->policy->lazy && PyUnicode_CompareWithASCIIString(name, "sys") != 0 &&
	    PyUnicode_CompareWithASCIIString(name, "builtins") != 0)
		return NULL;
	return is_host_s(table, name) ? module : NULL;
}

static PyObject *subscript(PyObject *self, PyObject *name)
{
	PyObject *module;

	/* Every import statement comes through here: dict's own function is the shortest way. */
	if (!sg_context_active())
		return dict_subscript(self, name);
	module = find(self, name);
	if (!module && !PyErr_Occurred())
		PyErr_SetObject(PyExc_KeyError, name);
	return sg_python_ref(module);
}

static PyObject *target_of_store(PyObject *self)
{
	PyObject *table = current_table();

	return table ? table : self;
}

static int store(PyObject *self, PyObject *name, PyObject *module)
{
	PyObject *dict = target_of_store(self);

	return module ? PyDict_SetItem(dict, name, module) : PyDict_DelItem(dict, name);
}

static int contains(PyObject *self, PyObject *name)
{
	if (find(self, name))
		return 1;
	return PyErr_Occurred() ? -1 : 0;
}

/* A plain dict of all that the run sees: new reference. Outside a context, the dict itself. */
static PyObject *view(PyObject *self)
{
	PyObject *table = current_table(), *merged, *name, *module;
	Py_ssize_t position = 0;
	int shared;

	if (!table)
		return sg_python_ref(self);
	merged = PyDict_New();
	while (merged && PyDict_Next(self, &position, &name, &module)) {
		/* Only what is known to be shared: to ask about each module would import finders under an iteration. */
		PyObject *known = PyDict_GetItemWithError(sg_context_current->run->policy->shared, name);

		shared = known ? PyObject_IsTrue(known) : PyErr_Occurred() ? -1 : 0;
		if (shared < 0 || (shared && PyDict_SetItem(merged, name, module) < 0))
			sg_python_clear(&merged);
	}
	if (merged && PyDict_Update(merged, table) < 0)
		sg_python_clear(&merged);
	return merged;
}

/* Calls a method of dict itself, without arguments, on what the run sees. */
static PyObject *call_on_view(PyObject *self, PyObject **unbound, const char *name)
{
	PyObject *dict = view(self), *result = NULL;

	if (!dict)
		return NULL;
	if (!*unbound)
		*unbound = PyObject_GetAttrString((PyObject *)&PyDict_Type, name);
	if (*unbound)
		result = PyObject_CallFunctionObjArgs(*unbound, dict, NULL);
	Py_DecRef(dict);
	return result;
}

#define VIEW_METHOD(name) \
	static PyObject *name(PyObject *self, PyObject *unused) \
	{ \
		static PyObject *unbound; \
		(void)unused; \
		return call_on_view(self, &unbound, #name); \
	}
VIEW_METHOD(copy)
VIEW_METHOD(items)
VIEW_METHOD(keys)
VIEW_METHOD(values)

static PyObject *iterate(PyObject *self)
{
	PyObject *(*dict_iter)(PyObject *) = PyType_GetSlot(&PyDict_Type, Py_tp_iter);
	PyObject *dict, *iterator;

	if (!sg_context_active())
		return dict_iter(self);
	dict = view(self);
	iterator = dict ? dict_iter(dict) : NULL;
	sg_python_clear(&dict);
	return iterator;
}

static Py_ssize_t length(PyObject *self)
{
	PyObject *dict;
	Py_ssize_t size;

	if (!sg_context_active())
		return PyDict_Size(self);
	dict = view(self);
	size = dict ? PyDict_Size(dict) : -1;
	sg_python_clear(&dict);
	return size;
}

static PyObject *get(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
	PyObject *module;

	if (nargs < 1 || nargs > 2)
		return PyErr_Format(PyExc_TypeError, "get expected 1 or 2 arguments, got %zd", nargs);
	module = find(self, args[0]);
	if (module || PyErr_Occurred())
		return sg_python_ref(module);
	return sg_python_ref(nargs > 1 ? args[1] : Py_None);
}

static PyObject *pop(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
	PyObject *module;

	if (nargs < 1 || nargs > 2)
		return PyErr_Format(PyExc_TypeError, "pop expected 1 or 2 arguments, got %zd", nargs);
	module = sg_python_ref(find(self, args[0]));
	if (!module) {
		if (PyErr_Occurred())
			return NULL;
		if (nargs > 1)
			return sg_python_ref(args[1]);
		PyErr_SetObject(PyExc_KeyError, args[0]);
		return NULL;
	}
	/* A shared module that the run has not stored stays with the host. */
	if (PyDict_DelItem(target_of_store(self), args[0]) < 0)
		PyErr_Clear();
	return module;
}

static PyObject *setdefault(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
	PyObject *module, *value = nargs > 1 ? args[1] : Py_None;

	if (nargs < 1 || nargs > 2)
		return PyErr_Format(PyExc_TypeError, "setdefault expected 1 or 2 arguments, got %zd",
				nargs);
	module = find(self, args[0]);
	if (!module && (PyErr_Occurred() || store(self, args[0], value) < 0))
		return NULL;
	return sg_python_ref(module ? module : value);
}

/* Calls a method of dict itself on what stores go to. */
static PyObject *call_on_target(PyObject *self, const char *name, PyObject *args, PyObject *kwargs)
{
	PyObject *method = PyObject_GetAttrString((PyObject *)&PyDict_Type, name), *first = NULL, *all = NULL, *result = NULL;

	first = method ? PyTuple_Pack(1, target_of_store(self)) : NULL;
	all = first ? (args ? PySequence_Concat(first, args) : sg_python_ref(first)) : NULL;
	if (all)
		result = PyObject_Call(method, all, kwargs);
	sg_python_clear(&all);
	sg_python_clear(&first);
	sg_python_clear(&method);
	return result;
}

static PyObject *update(PyObject *self, PyObject *args, PyObject *kwargs)
{
	return call_on_target(self, "update", args, kwargs);
}

static PyObject *update_in_place(PyObject *self, PyObject *other)
{
	PyObject *args = PyTuple_Pack(1, other), *done = args ? call_on_target(self, "update", args, NULL) : NULL;

	sg_python_clear(&args);
	if (!done)
		return NULL;
	Py_DecRef(done);
	return sg_python_ref(self);
}

/* Of what a run sees, only what it has stored is its own to let go of. */
static PyObject *clear(PyObject *self, PyObject *unused)
{
	(void)unused;
	return call_on_target(self, "clear", NULL, NULL);
}

static PyObject *popitem(PyObject *self, PyObject *unused)
{
	(void)unused;
	return call_on_target(self, "popitem", NULL, NULL);
}

static PyMethodDef methods[] = {
	{"clear", clear, METH_NOARGS, NULL},
	{"copy", copy, METH_NOARGS, NULL},
	{"get", (PyCFunction)(void *)get, METH_FASTCALL, NULL},
	{"items", items, METH_NOARGS, NULL},
	{"keys", keys, METH_NOARGS, NULL},
	{"pop", (PyCFunction)(void *)pop, METH_FASTCALL, NULL},
	{"popitem", popitem, METH_NOARGS, NULL},
	{"setdefault", (PyCFunction)(void *)setdefault, METH_FASTCALL, NULL},
	{"update", (PyCFunction)(void *)update, METH_VARARGS | METH_KEYWORDS, NULL},
	{"values", values, METH_NOARGS, NULL},
	{NULL, NULL, 0, NULL}
};

static PyType_Slot slots[] = {
	{Py_mp_ass_subscript, store},
	{Py_mp_length, length},
	{Py_mp_subscript, subscript},
	{Py_nb_inplace_or, update_in_place},
	{Py_sq_contains, contains},
	{Py_tp_iter, iterate},
	{Py_tp_methods, methods},
	{0, NULL}
};

static PyType_Spec spec = {
	.name = "builtins.dict", .flags = Py_TPFLAGS_DEFAULT, .slots = slots
};

/* --- importlib.reload ---------------------------------------------------------------------------- */

/*
 * What is being reloaded importlib keeps in a dict, by name: another run on another thread that reloads its module of
 * that name would be handed this one's.
 */
static PyTypeObject *reloading_type;

/* A run's names go with its table. */
static PyObject *key_of_run(PyObject *name)
{
	PyObject *table = current_table(), *number, *key;

	if (!table)
		return sg_python_ref(name);
	number = PyLong_FromVoidPtr(table);
	key = number ? PyTuple_Pack(2, number, name) : NULL;
	sg_python_clear(&number);
	return key;
}

static int contains_reloading(PyObject *self, PyObject *name)
{
	PyObject *key = key_of_run(name), *module = key ? PyDict_GetItemWithError(self, key) : NULL;

	sg_python_clear(&key);
	return module ? 1 : PyErr_Occurred() ? -1 : 0;
}

static PyObject *reloading_subscript(PyObject *self, PyObject *name)
{
	PyObject *key = key_of_run(name), *module = key ? PyDict_GetItemWithError(self, key) : NULL;

	sg_python_clear(&key);
	if (!module && !PyErr_Occurred())
		PyErr_SetObject(PyExc_KeyError, name);
	return sg_python_ref(module);
}

static int store_reloading(PyObject *self, PyObject *name, PyObject *module)
{
	PyObject *key = key_of_run(name);
	int error = -1;

	if (key)
		error = module ? PyDict_SetItem(self, key, module) : PyDict_DelItem(self, key);
	sg_python_clear(&key);
	return error;
}

static PyType_Slot reloading_slots[] = {
	{Py_mp_ass_subscript, store_reloading},
	{Py_mp_subscript, reloading_subscript},
	{Py_sq_contains, contains_reloading},
	{0, NULL}
};

static PyType_Spec reloading_spec = {
	.name = "builtins.dict", .flags = Py_TPFLAGS_DEFAULT, .slots = reloading_slots
};

static void change_reloading(PyTypeObject *from, PyTypeObject *to)
{
	PyObject *dict = sg_python_imported("importlib", "_RELOADING");

	if (dict && from && to && sg_cpython_type(dict) == from)
		sg_cpython_set_type(dict, to);
	sg_python_clear(&dict);
}

/* --- installing ---------------------------------------------------------------------------------- */

int sg_modules_install(void)
{
	PyObject *modules = PyImport_GetModuleDict();

	if (!sg_cpython.dict_types || sg_cpython_type(modules) != &PyDict_Type) {
		PyErr_SetString(PyExc_RuntimeError, sg_cpython.dict_types ?
				"sys.modules is not a plain dict: something else has replaced it" :
				"the type of a dict cannot be changed on this interpreter");
		return -1;
	}
	if (!modules_type && !(modules_type = sg_cpython_new_type(&spec, &PyDict_Type)))
		return -1;
	dict_subscript = PyType_GetSlot(&PyDict_Type, Py_mp_subscript);
	sg_cpython_set_type(modules, modules_type);
	if (!reloading_type)
		reloading_type = sg_cpython_new_type(&reloading_spec, &PyDict_Type);
	PyErr_Clear(); /* without it, only that race is left */
	change_reloading(&PyDict_Type, reloading_type);
	return 0;
}

void sg_modules_remove(void)
{
	PyObject *modules = PyImport_GetModuleDict();

	if (modules_type && sg_cpython_type(modules) == modules_type)
		sg_cpython_set_type(modules, &PyDict_Type);
	change_reloading(reloading_type, &PyDict_Type);
}

PyObject *sg_modules_new_table(void)
{
	PyObject *table = PyDict_New(), *name = PyUnicode_FromString("__main__"), *main = NULL;

	main = name ? PyModule_NewObject(name) : NULL;
	if (!table || !main || PyDict_SetItem(table, name, main) < 0)
		sg_python_clear(&table);
	sg_python_clear(&main);
	sg_python_clear(&name);
	return table;
}
