#include "shim/import/importer.h"

#include "shim/import/code.h"
#include "shim/import/main.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/run/policy.h"

#include <string.h>

static PyObject *bootstrap, *original_load;
static PyObject *source_loader, *original_get_code;
static PyObject *codes; /* (module name, file) -> code object */
static void (*changed)(void);
static void (*loaded)(PyObject *name, PyObject *module);
static void (*read_code)(PyObject *name, PyObject *code);
static void (*host_changes)(struct sg_run *run, bool begins);
static int (*report)(const char *name, PyObject *module);
static __thread PyObject *loading; /* borrowed from the call that imports it */

PyObject *sg_importer_loading(void)
{
	return loading;
}

/* "a.b" of "a.b.c": new reference; NULL without an exception for a top-level module. */
static PyObject *parent_of(PyObject *name)
{
	const char *text = sg_python_text(name), *dot = strrchr(text, '.');

	return dot ? PyUnicode_FromStringAndSize(text, dot - text) : NULL;
}

/* A package of the host that the run was handed once is shared from then on, with all that lies below it. */
static int below_shared(const struct sg_run *run, PyObject *name)
{
	PyObject *parent = parent_of(name), *own;
	int answer;

	if (!parent)
		return PyErr_Occurred() ? -1 : 0;
	own = PyDict_GetItemWithError(run->modules, parent);
	answer = own ? own == sg_modules_host(parent) : PyErr_Occurred() ? -1 : 0;
	Py_DecRef(parent);
	return answer;
}

static int is_shared(const struct sg_run *run, PyObject *name)
{
	int shared = sg_policy_shares(run->policy, name);

	if (shared)
		return shared;
	if (sg_policy_is_apart(run->policy, name))
		return 0;
	if (run->policy->engine->importing_shared && run->policy->engine->importing_shared())
		return 1;
	return below_shared(run, name);
}

/* A shared library that imports something late gets what the host has, as it got the rest. */
static bool by_library(const struct sg_context *context)
{
	struct sg_context *token = sg_context_suspend();
	enum sg_code code = sg_code_nearest(context);

	sg_context_leave(token);
	return code == SG_CODE_LIBRARY || code == SG_CODE_THROUGH;
}

static PyObject *import_in_host(struct sg_run *run, PyObject *name)
{
	struct sg_context *token = sg_context_suspend();
	bool executes = !sg_modules_host(name);
	PyObject *module = NULL, *result;

	if (executes)
		host_changes(run, true);
	result = PyImport_Import(name);
	if (executes)
		host_changes(run, false);
	if (result) {
		module = sg_python_ref(sg_modules_host(name));
		if (!module) /* one that took itself out of sys.modules */
			module = sg_python_ref(result);
		Py_DecRef(result);
	}
	sg_context_leave(token);
	return module;
}

/* The run's own parent package must show the shared child as its attribute. */
static int bind_to_parent(const struct sg_run *run, PyObject *name, PyObject *module)
{
	PyObject *parent = parent_of(name), *own, *child;
	int error = 0;

	if (!parent)
		return PyErr_Occurred() ? -1 : 0;
	own = PyDict_GetItemWithError(run->modules, parent);
	if (own && own != sg_modules_host(parent)) {
		child = PyUnicode_FromString(strrchr(sg_python_text(name), '.') + 1);
		error = child ? PyObject_SetAttr(own, child, module) : -1;
		sg_python_clear(&child);
	}
	Py_DecRef(parent);
	return error;
}

static int import_parent(PyObject *name)
{
	PyObject *parent = parent_of(name), *module;

	if (!parent)
		return PyErr_Occurred() ? -1 : 0;
	module = PyImport_Import(parent);
	Py_DecRef(parent);
	if (!module)
		return -1;
	Py_DecRef(module);
	return 0;
}

/* Or has it no code of Python's at all? Else it came by a loader that get_code() below does not stand in for. */
static bool is_from_source(PyObject *module)
{
	PyObject *loader = sg_python_attribute_or_null(module, "__loader__"), *file = sg_python_attribute_or_null(module, "__file__");
	const char *path = file ? sg_python_text(file) : NULL, *end = path ? strrchr(path, '.') : NULL;
	bool known = !path || (end && strcmp(end, ".so") == 0) ||
		(loader && source_loader && PyType_IsSubtype(sg_cpython_type(loader), (PyTypeObject *)source_loader));

	PyErr_Clear();
	sg_python_clear(&file);
	sg_python_clear(&loader);
	return known;
}

static PyObject *load_in_run(struct sg_context *context, PyObject *name, PyObject *args, PyObject *kwargs)
{
	struct sg_run *run = context->run;
	PyObject *module;
	int shared;

	if (strcmp(sg_python_text(name), run->policy->engine->main_name) == 0)
		return sg_main_load(name);
	shared = is_shared(run, name);
	if (shared < 0)
		return NULL;
	if (by_library(context))
		return import_in_host(run, name);
	if (run->policy->engine->loading && run->policy->engine->loading(context, name, shared) < 0)
		return NULL;
	if (!shared) {
		module = PyObject_Call(original_load, args, kwargs);
		if (module && !is_from_source(module))
			read_code(name, NULL);
		if (module)
			loaded(name, module);
		return module;
	}
	if (import_parent(name) < 0)
		return NULL;
	module = import_in_host(run, name);
	if (module && (PyDict_SetItem(run->modules, name, module) < 0 ||
		       bind_to_parent(run, name, module) < 0))
		sg_python_clear(&module);
	return module;
}

static PyObject *find_and_load(PyObject *self, PyObject *args, PyObject *kwargs)
{
	PyObject *name = PyTuple_GetItem(args, 0), *outer = loading, *module;
	struct sg_context *token;

	(void)self;
	if (!name)
		return NULL;
	if (sg_context_active() && sg_context_current->run->modules)
		return load_in_run(sg_context_current, name, args, kwargs);
	loading = name;
	module = PyObject_Call(original_load, args, kwargs);
	loading = outer;
	if (!module)
		return NULL;
	token = sg_context_suspend();
	if (report(sg_python_text(name), module) < 0)
		sg_python_clear(&module);
	sg_context_leave(token);
	return module;
}

/* (module name, file): new reference, or NULL with an exception. */
static PyObject *code_key(PyObject *loader, PyObject *name)
{
	PyObject *path = PyObject_GetAttrString(loader, "path");
	PyObject *key = path ? PyTuple_Pack(2, name, path) : NULL;

	sg_python_clear(&path);
	return key;
}

/* The host executes a file. Where runs have executed another version of it, those to come are to execute this one. */
static PyObject *get_code_in_host(PyObject *loader, PyObject *name)
{
	PyObject *code = PyObject_CallFunctionObjArgs(original_get_code, loader, name, NULL);
	PyObject *key = code && codes ? code_key(loader, name) : NULL, *known = NULL;
	struct sg_context *token;

	if (key && codes)
		known = PyDict_GetItemWithError(codes, key);
	if (known && PyObject_RichCompareBool(known, code, Py_EQ) == 0) {
		token = sg_context_suspend();
		changed();
		sg_context_leave(token);
	}
	if (code)
		PyErr_Clear();
	sg_python_clear(&key);
	return code;
}

static PyObject *get_code(PyObject *loader, PyObject *name)
{
	PyObject *key, *code = NULL;

	if (!sg_context_active() || !sg_context_current->run->modules)
		return get_code_in_host(loader, name);
	key = code_key(loader, name);
	if (!key)
		return NULL;
	if (!codes && !(codes = PyDict_New()))
		goto out;
	code = sg_python_ref(PyDict_GetItemWithError(codes, key));
	if (code || PyErr_Occurred())
		goto out;
	code = PyObject_CallFunctionObjArgs(original_get_code, loader, name, NULL);
	if (code && PyDict_SetItem(codes, key, code) < 0)
		sg_python_clear(&code);
	if (code)
		read_code(name, code);
out:
	Py_DecRef(key);
	return code;
}

static PyMethodDef find_and_load_def = {
	"_find_and_load", (PyCFunction)(void *)find_and_load, METH_VARARGS | METH_KEYWORDS, NULL
};
static PyMethodDef get_code_def = {"get_code", get_code, METH_O, NULL};

int sg_importer_keep_code(void (*file_changed)(void), void (*copy_loaded)(PyObject *name, PyObject *module),
		void (*code_read)(PyObject *name, PyObject *code), void (*importing_shared)(struct sg_run *run, bool begins))
{
	PyObject *external = PyImport_ImportModule("_frozen_importlib_external"), *method;
	int error = -1;

	changed = file_changed;
	loaded = copy_loaded;
	read_code = code_read;
	host_changes = importing_shared;
	source_loader = external ? PyObject_GetAttrString(external, "SourceLoader") : NULL;
	original_get_code = source_loader ? PyObject_GetAttrString(source_loader, "get_code") : NULL;
	if (original_get_code) {
		method = PyDescr_NewMethod((PyTypeObject *)source_loader, &get_code_def);
		if (method)
			error = PyObject_SetAttrString(source_loader, "get_code", method);
		sg_python_clear(&method);
	}
	sg_python_clear(&external);
	return error;
}

void sg_importer_forget_code(void)
{
	sg_python_clear(&codes);
}

int sg_importer_install(int (*imported)(const char *name, PyObject *module))
{
	PyObject *function;
	int error = -1;

	report = imported;
	bootstrap = PyImport_ImportModule("_frozen_importlib");
	original_load = bootstrap ? PyObject_GetAttrString(bootstrap, "_find_and_load") : NULL;
	if (!original_load)
		return -1;
	function = PyCFunction_NewEx(&find_and_load_def, NULL, NULL);
	if (function)
		error = PyObject_SetAttrString(bootstrap, "_find_and_load", function);
	sg_python_clear(&function);
	return error;
}

void sg_importer_remove(void)
{
	if (original_get_code && PyObject_SetAttrString(source_loader, "get_code", original_get_code) < 0)
		PyErr_Clear();
	if (original_load && PyObject_SetAttrString(bootstrap, "_find_and_load", original_load) < 0)
		PyErr_Clear();
}
