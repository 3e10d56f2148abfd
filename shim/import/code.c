#include "shim/import/code.h"

#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/policy.h"

#include <string.h>

bool sg_code_standard(const char *module)
{
	PyObject *names = PySys_GetObject("stdlib_module_names"); /* borrowed */
	PyObject *top = PyUnicode_FromStringAndSize(module, (Py_ssize_t)strcspn(module, "."));
	int found = names && top ? PySequence_Contains(names, top) : 0;

	if (found < 0)
		PyErr_Clear();
	sg_python_clear(&top);
	return found > 0;
}

/* The one that says most exactly what it is about; NULL: none. */
static const struct sg_sink *find_sink(const char *module)
{
	const struct sg_config *config = sg_policy_config;
	const struct sg_sink *sink = NULL;

	for (size_t i = 0; i < config->sink_count; i++) {
		if (sg_policy_inside(module, config->sinks[i].module) &&
		    (!sink || strlen(config->sinks[i].module) > strlen(sink->module)))
			sink = &config->sinks[i];
	}
	return sink;
}

/* What the name alone tells; SG_CODE_LIBRARY: nothing. */
static enum sg_code kind_of_name(const char *module)
{
	static const enum sg_code kinds[] = {
		[SG_TRUST_NEAREST] = SG_CODE_SINK, [SG_TRUST_HOST] = SG_CODE_SINK_HOST,
		[SG_TRUST_ANYWHERE] = SG_CODE_SINK_ANYWHERE, [SG_TRUST_THROUGH] = SG_CODE_THROUGH
	};
	const struct sg_config *config = sg_policy_config;
	const struct sg_sink *sink;

	for (size_t i = 0; i < config->engine_count; i++)
		for (char **package = config->engines[i].packages; *package; package++)
			if (sg_policy_inside(module, *package))
				return SG_CODE_ENGINE;
	sink = find_sink(module);
	if (sink)
		return sink->only ? SG_CODE_SINK_PARTLY : kinds[sink->trust];
	return sg_code_standard(module) ? SG_CODE_STDLIB : SG_CODE_LIBRARY;
}

bool sg_code_trusts(PyObject *module_name, const struct sg_rule *rule)
{
	const struct sg_sink *sink = find_sink(sg_python_text(module_name));

	for (char **name = sink ? sink->only : NULL; name && *name; name++)
		if (sg_policy_inside(rule->name, *name))
			return true;
	return false;
}

static enum sg_code kind_of_name_kept(PyObject *module_name)
{
	static PyObject *kinds; /* dict: module name -> int */
	PyObject *known, *number;
	enum sg_code kind;

	if (!kinds)
		kinds = PyDict_New();
	known = kinds ? PyDict_GetItemWithError(kinds, module_name) : NULL;
	if (known)
		return (enum sg_code)PyLong_AsLong(known);
	PyErr_Clear();
	kind = kind_of_name(sg_python_text(module_name));
	number = PyLong_FromLong(kind);
	if (!kinds || !number || PyDict_SetItem(kinds, module_name, number) < 0)
		PyErr_Clear();
	sg_python_clear(&number);
	return kind;
}

static bool has_file(PyObject *globals)
{
	static PyObject *key;
	bool found;

	if (!key)
		key = PyUnicode_InternFromString("__file__");
	found = key && PyDict_GetItemWithError(globals, key);
	PyErr_Clear();
	return found;
}

/* Workflow code may lie in a package that has the name of something else, as profile or coverage. */
static bool is_workflow_package(const struct sg_run *run, const char *module)
{
	const char *own = run->policy->workflow_module ? sg_python_text(run->policy->workflow_module) : "";
	size_t length = strcspn(own, ".");

	return length && strncmp(module, own, length) == 0 && (!module[length] || module[length] == '.');
}

static bool same_file(PyObject *module, PyObject *globals)
{
	PyObject *theirs, *file;

	if (!module || !PyType_IsSubtype(sg_cpython_type(module), &PyModule_Type))
		return false;
	theirs = sg_cpython_item(PyModule_GetDict(module), "__file__");
	file = sg_cpython_item(globals, "__file__");
	return theirs && file && sg_cpython_is_text(file) &&
		strcmp(sg_python_text(theirs), sg_python_text(file)) == 0;
}

/* Anybody can give any name to the dict that code is executed in: the module of that name has it, or another copy of that. */
static bool is_module(PyObject *module, PyObject *globals)
{
	return sg_modules_has_globals(module, globals) || same_file(module, globals);
}

/* A copy of a standard module that nobody has imported under its name: its file lies where the interpreter's lie. */
static bool is_standard_file(PyObject *globals, const char *module)
{
	PyObject *theirs = sg_python_imported("os", "__file__"), *file = sg_cpython_item(globals, "__file__");
	const char *directory = theirs ? sg_python_text(theirs) : "", *end = strrchr(directory, '/'), *path;
	size_t length = strcspn(module, "."), start = end ? (size_t)(end + 1 - directory) : 0;
	bool found = false;

	if (start && file && sg_cpython_is_text(file) &&
	    strncmp(sg_python_text(file), directory, start) == 0) {
		path = sg_python_text(file) + start;
		found = strncmp(path, module, length) == 0 && (path[length] == '.' || path[length] == '/');
	}
	sg_python_clear(&theirs);
	return found;
}

/* kind: what the name tells. */
static enum sg_code kind_of_module(const struct sg_run *run, PyObject *globals, PyObject *name, enum sg_code kind)
{
	PyObject *own = NULL, *host;

	if (kind != SG_CODE_ENGINE && kind != SG_CODE_LIBRARY && is_workflow_package(run, sg_python_text(name)))
		kind = SG_CODE_LIBRARY;
	if (kind == SG_CODE_STDLIB)
		return kind;
	host = PyDict_GetItemWithError(PyImport_GetModuleDict(), name);
	if (run->modules)
		own = PyDict_GetItemWithError(run->modules, name);
	PyErr_Clear();
	if (kind != SG_CODE_LIBRARY && kind != SG_CODE_THROUGH && (is_module(host, globals) || is_module(own, globals) ||
	    (!host && !own && sg_code_standard(sg_python_text(name)) && is_standard_file(globals, sg_python_text(name)))))
		return kind; /* one that is looked through may still be the run's own copy */
	if (own && own != host && sg_modules_has_globals(own, globals))
		return SG_CODE_WORKFLOW;
	if (!sg_modules_has_globals(host, globals)) {
		/* A module that somebody else isolated (the engine's own sandbox), or exec() under some name. */
		return !own && has_file(globals) ? SG_CODE_WORKFLOW : SG_CODE_STDLIB;
	}
	/* The workflow's own module is no library, even where the worker shares it between runs. */
	if ((!own || own == host) &&
	    strcmp(sg_python_text(name), sg_python_text(run->policy->workflow_module)) == 0)
		return SG_CODE_WORKFLOW;
	/* In mode observe it is the engine's own sandbox that isolates: what it has not copied it lets through. */
	if (run->modules || sg_policy_config->mode == SG_MODE_OBSERVE)
		return kind;
	/* No isolation of ours: what the engine would not share is the workflow's. */
	if (sg_policy_shares(run->policy, name) == 0)
		return SG_CODE_WORKFLOW;
	PyErr_Clear();
	return kind;
}

enum sg_code sg_code_of(const struct sg_run *run, PyObject *globals)
{
	PyObject *name = sg_python_module_name(globals);

	/* Generated code without a module is as transparent as its caller. */
	if (!name || !sg_cpython_is_text(name))
		return SG_CODE_STDLIB;
	return kind_of_module(run, globals, name, kind_of_name_kept(name));
}

enum sg_code sg_code_untrusted(const struct sg_run *run, PyObject *globals)
{
	PyObject *name = sg_python_module_name(globals);

	return kind_of_module(run, globals, name, sg_code_standard(sg_python_text(name)) ? SG_CODE_STDLIB : SG_CODE_LIBRARY);
}

static bool is_installed_path(const char *path)
{
	return strstr(path, "/site-packages/") || strstr(path, "/dist-packages/");
}

bool sg_code_third_party(PyObject *code)
{
	PyObject *file = sg_python_attribute_or_null(code, "co_filename");
	bool found = file && is_installed_path(sg_python_text(file));

	sg_python_clear(&file);
	return found;
}

/* Code that was generated, as the __init__ of a dataclass, is its module's. */
static bool is_installed(const struct sg_frames *at)
{
	PyObject *file = sg_python_attribute_or_null(at->code, "co_filename"), *module = NULL;
	const char *path = file ? sg_python_text(file) : "";
	bool found;

	if (path[0] == '<' && at->globals)
		module = sg_cpython_item(at->globals, "__file__"); /* borrowed */
	if (module && sg_cpython_is_text(module))
		path = sg_python_text(module);
	found = is_installed_path(path);
	sg_python_clear(&file);
	return found;
}

bool sg_code_is_librarys(const struct sg_run *run, PyObject *class)
{
	PyObject *name = sg_python_attribute_or_null(class, "__module__"), *own = NULL, *host = NULL;
	bool found = false;

	if (name && sg_cpython_is_text(name) && kind_of_name_kept(name) == SG_CODE_LIBRARY) {
		host = sg_modules_host(name);
		own = run->modules ? PyDict_GetItemWithError(run->modules, name) : NULL;
		found = host && (!own || own == host) &&
			strcmp(sg_python_text(name), sg_python_text(run->policy->workflow_module)) != 0 &&
			(run->modules || sg_policy_shares(run->policy, name) == 1);
	}
	PyErr_Clear();
	sg_python_clear(&name);
	return found;
}

static bool has_word(PyObject *code, const char *const *words)
{
	PyObject *name = sg_python_attribute_or_null(code, "co_name");
	bool found = false;

	for (; words && *words && !found; words++)
		found = strstr(sg_python_text(name), *words);
	sg_python_clear(&name);
	return found;
}

/* By its name alone: a copy of a run's is code of the standard library as well. */
static bool is_plumbing(PyObject *globals)
{
	PyObject *name = globals ? sg_python_module_name(globals) : NULL;

	return !name || !sg_cpython_is_text(name) || sg_code_standard(sg_python_text(name));
}

const char *const sg_code_handing_on[] = {"cpu", "affinity", "processors", NULL};

bool sg_code_asks_installed(const char *const *handing_on)
{
	bool installed = false, hands_on = false;
	struct sg_frames at = {0};

	while (sg_frames_next(&at)) {
		if (is_plumbing(at.globals))
			continue;
		if (!is_installed(&at))
			break;
		installed = true;
		hands_on = has_word(at.code, handing_on);
	}
	sg_frames_end(&at);
	PyErr_Clear();
	return installed && !hands_on;
}

bool sg_code_runs_itself(const struct sg_run *run, const struct sg_frames *at)
{
	return at->globals && sg_code_of(run, at->globals) == SG_CODE_WORKFLOW && !sg_code_third_party(at->code);
}

bool sg_code_asks_itself(const struct sg_run *run)
{
	struct sg_frames at = {0};
	bool own = sg_frames_next(&at) && sg_code_runs_itself(run, &at);

	sg_frames_end(&at);
	return own;
}

bool sg_code_asks_for_sink(const struct sg_run *run)
{
	struct sg_frames at = {0};
	enum sg_code kind = sg_frames_next(&at) && at.globals ? sg_code_of(run, at.globals) : SG_CODE_STDLIB;

	sg_frames_end(&at);
	return kind == SG_CODE_SINK_HOST;
}

enum sg_code sg_code_nearest(const struct sg_context *context)
{
	enum sg_code code = SG_CODE_STDLIB;
	struct sg_frames at = {0};

	while ((code == SG_CODE_STDLIB || code == SG_CODE_SINK || code == SG_CODE_SINK_PARTLY) && sg_frames_next(&at))
		code = at.frame == context->entry ? SG_CODE_ENGINE : sg_code_of(context->run, at.globals);
	sg_frames_end(&at);
	return code;
}
