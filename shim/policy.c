#include "shim/policy.h"

#include "shim/arm.h"
#include "shim/cpython.h"
#include "shim/extension.h"
#include "shim/image.h"
#include "shim/import_hook.h"
#include "shim/importer.h"
#include "shim/log.h"
#include "shim/modules.h"
#include "shim/named.h"

#include <stdlib.h>
#include <string.h>

const struct sg_config *sg_policy_config;

static struct sg_policy *policies;

/* --- life -------------------------------------------------------------------------------------- */

static void free_judgements(PyObject *judgements)
{
	PyObject *name, *address;
	Py_ssize_t position = 0;

	while (judgements && PyDict_Next(judgements, &position, &name, &address)) {
		struct sg_judgement *judgement = PyLong_AsVoidPtr(address);

		sg_python_clear(&judgement->message);
		sg_python_clear(&judgement->warning);
		free(judgement);
	}
}

static void free_policy(struct sg_policy *policy)
{
	struct sg_policy **link = &policies;

	while (*link && *link != policy)
		link = &(*link)->next;
	if (*link)
		*link = policy->next;
	sg_image_retire(policy);
	free_judgements(policy->judgements);
	sg_python_clear(&policy->judgements);
	sg_python_clear(&policy->shared);
	sg_python_clear(&policy->forbidden[SG_PHASE_IMPORT]);
	sg_python_clear(&policy->forbidden[SG_PHASE_RUNTIME]);
	sg_python_clear(&policy->prepared);
	sg_python_clear(&policy->classes);
	sg_python_clear(&policy->apart);
	sg_named_forget(policy);
	sg_python_clear(&policy->workflow_module);
	sg_python_clear(&policy->watch);
	free(policy);
}

/* Nobody has the settings any more, and so no run the policy. */
static PyObject *settings_gone(PyObject *capsule, PyObject *unused)
{
	struct sg_policy *policy = PyCapsule_GetPointer(capsule, NULL);
	struct sg_context *token = sg_context_suspend();

	(void)unused;
	free_policy(policy);
	sg_context_leave(token);
	return sg_python_ref(Py_None);
}

static PyMethodDef settings_gone_def = {"sandglass_settings_gone", settings_gone, METH_O, NULL};

/* Settings that cannot be referred to weakly are kept for good. */
static void watch_settings(struct sg_policy *policy)
{
	PyObject *capsule = PyCapsule_New(policy, NULL, NULL);
	PyObject *function = capsule ? PyCFunction_NewEx(&settings_gone_def, capsule, NULL) : NULL;

	if (function)
		policy->watch = PyWeakref_NewRef(policy->settings, function);
	if (!policy->watch) {
		PyErr_Clear();
		Py_IncRef(policy->settings);
	}
	sg_python_clear(&function);
	sg_python_clear(&capsule);
}

struct sg_policy *sg_policy_hold(struct sg_policy *policy)
{
	if (!policy->runs++)
		Py_IncRef(policy->settings);
	return policy;
}

void sg_policy_release(struct sg_policy *policy)
{
	PyObject *settings = policy->settings;

	if (!--policy->runs)
		Py_DecRef(settings); /* the policy may be gone now */
}

struct sg_policy *sg_policy_get(const struct sg_engine *engine, PyObject *settings,
		PyObject *workflow_module)
{
	struct sg_policy *policy;

	for (policy = policies; policy; policy = policy->next)
		if (policy->engine == engine && policy->settings == settings &&
		    strcmp(sg_python_text(policy->workflow_module),
			   sg_python_text(workflow_module)) == 0)
			return policy;
	policy = calloc(1, sizeof(*policy));
	if (!policy) {
		PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
		return NULL;
	}
	policy->shared = PyDict_New();
	policy->judgements = PyDict_New();
	policy->forbidden[SG_PHASE_IMPORT] = PyDict_New();
	policy->forbidden[SG_PHASE_RUNTIME] = PyDict_New();
	if (!policy->shared || !policy->judgements || !policy->forbidden[SG_PHASE_IMPORT] ||
	    !policy->forbidden[SG_PHASE_RUNTIME] ||
	    engine->additions(settings, sg_arm_add) < 0) {
		free_policy(policy);
		return NULL;
	}
	policy->lazy = engine->lazy(settings);
	policy->engine = engine;
	policy->settings = settings;
	policy->workflow_module = sg_python_ref(workflow_module);
	watch_settings(policy);
	policy->next = policies;
	policies = policy;
	return policy;
}

void sg_policy_retire(struct sg_policy *policy)
{
	struct sg_line line;

	sg_named_forget(policy);
	policy->unshareable = false;
	sg_python_clear(&policy->apart);
	sg_python_clear(&policy->prepared);
	sg_importer_forget_code();
	if (sg_log_begin(&line, SG_LOG_INFO, "reloaded")) {
		sg_log_text(&line, "module", sg_python_text(policy->workflow_module));
		sg_log_text(&line, "effect", "runs from now on execute it anew");
		sg_log_end(&line);
	}
	sg_image_retire(policy); /* the last: with an image may go what the policy belongs to */
}

void sg_policy_retire_all(void)
{
	struct sg_policy *policy = policies;

	while (policy)
		if (policy->images || policy->unshareable) {
			sg_policy_retire(policy);
			policy = policies; /* what went may have taken policies with it */
		} else {
			policy = policy->next;
		}
	sg_importer_forget_code();
}

/* Length of the entry that is module or one of its parents; the longest wins; 0: none. */
static size_t match_list(char *const *list, const char *module)
{
	size_t best = 0;

	for (; list && *list; list++) {
		size_t length = strlen(*list);

		if (length > best && strncmp(*list, module, length) == 0 &&
		    (module[length] == '\0' || module[length] == '.'))
			best = length;
	}
	return best;
}

static int compute_shares(struct sg_policy *policy, PyObject *module_name)
{
	const char *name = sg_python_text(module_name);
	size_t share = match_list(sg_policy_config->passthrough, name);
	size_t reload = match_list(sg_policy_config->reload, name);
	int shared;

	if (strcmp(name, "sys") == 0 || strcmp(name, "builtins") == 0)
		return 1;
	if (strcmp(name, "__main__") == 0)
		return 0;
	if (share || reload)
		return share > reload;
	shared = policy->engine->shares(policy->settings, module_name);
	if (shared)
		return shared;
	if (strcmp(name, sg_python_text(policy->workflow_module)) == 0)
		return 0;
	shared = sg_import_hook_by(module_name, policy->workflow_module);
	if (shared)
		return shared;
	return sg_extension_holds(module_name, policy->workflow_module);
}

/* What is kept of an answer: 1, 0, -1 with an exception, or UNKNOWN. */
#define UNKNOWN 2

static int recall(PyObject *answers, PyObject *name)
{
	PyObject *known = PyDict_GetItemWithError(answers, name);

	return known ? PyObject_IsTrue(known) : PyErr_Occurred() ? -1 : UNKNOWN;
}

/* Returns the answer, or -1 with an exception. */
static int keep(PyObject *answers, PyObject *name, int answer)
{
	PyObject *value;

	if (answer < 0)
		return answer;
	value = PyBool_FromLong(answer);
	if (PyDict_SetItem(answers, name, value) < 0)
		answer = -1;
	Py_DecRef(value);
	return answer;
}

__thread bool sg_policy_no_python;

/* Is module the package, or inside it? */
static bool inside(const char *module, const char *package)
{
	size_t length = strlen(package);

	return strncmp(module, package, length) == 0 &&
	       (module[length] == '\0' || module[length] == '.');
}

bool sg_policy_is_apart(const struct sg_policy *policy, PyObject *module_name)
{
	return policy->apart && inside(sg_python_text(module_name), sg_python_text(policy->apart));
}

int sg_policy_shares(struct sg_policy *policy, PyObject *module_name)
{
	int shared = sg_policy_is_apart(policy, module_name) ? 0 : recall(policy->shared, module_name);
	struct sg_context *token;

	if (shared != UNKNOWN)
		return shared;
	if (sg_policy_no_python)
		return 1;
	token = sg_context_suspend();
	shared = compute_shares(policy, module_name);
	sg_context_leave(token);
	return keep(policy->shared, module_name, shared);
}

int sg_policy_forbids(struct sg_policy *policy, PyObject *module_name, enum sg_phase phase)
{
	int forbidden = recall(policy->forbidden[phase], module_name);

	if (forbidden != UNKNOWN)
		return forbidden;
	if (sg_policy_no_python)
		return 0;
	return keep(policy->forbidden[phase], module_name, policy->engine->forbids(policy->settings, module_name, phase));
}

static struct sg_judgement *judge(const struct sg_policy *policy, const char *name)
{
	struct sg_judgement *judgement = calloc(1, sizeof(*judgement));

	if (judgement && policy->engine->judge(policy->settings, name, judgement) < 0) {
		PyErr_Clear(); /* settings that cannot be asked say nothing */
		judgement->verdict = SG_JUDGED_SILENT;
	}
	return judgement;
}

const struct sg_judgement *sg_policy_judge(struct sg_policy *policy, const char *name)
{
	static const struct sg_judgement silent;
	PyObject *key = PyUnicode_FromString(name), *known = NULL, *address;
	struct sg_judgement *judgement = NULL;

	if (key)
		known = PyDict_GetItemWithError(policy->judgements, key);
	if (known)
		judgement = PyLong_AsVoidPtr(known);
	else if (key && (judgement = judge(policy, name))) {
		address = PyLong_FromVoidPtr(judgement);
		if (address)
			PyDict_SetItem(policy->judgements, key, address);
		sg_python_clear(&address);
	}
	PyErr_Clear();
	sg_python_clear(&key);
	return judgement ? judgement : &silent;
}

static bool is_stdlib(const char *module)
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
		if (inside(module, config->sinks[i].module) &&
		    (!sink || strlen(config->sinks[i].module) > strlen(sink->module)))
			sink = &config->sinks[i];
	}
	return sink;
}

/* What the name alone tells; SG_CODE_LIBRARY: nothing. */
static enum sg_code kind_of_name(const char *module)
{
	static const enum sg_code kinds[] = {
		[SG_TRUST_NEAREST] = SG_CODE_SINK, [SG_TRUST_ANYWHERE] = SG_CODE_SINK_ANYWHERE,
		[SG_TRUST_THROUGH] = SG_CODE_THROUGH
	};
	const struct sg_config *config = sg_policy_config;
	const struct sg_sink *sink;

	for (size_t i = 0; i < config->engine_count; i++)
		for (char **package = config->engines[i].packages; *package; package++)
			if (inside(module, *package))
				return SG_CODE_ENGINE;
	sink = find_sink(module);
	if (sink)
		return sink->only ? SG_CODE_SINK_PARTLY : kinds[sink->trust];
	return is_stdlib(module) ? SG_CODE_STDLIB : SG_CODE_LIBRARY;
}

bool sg_policy_trusts(PyObject *module_name, const struct sg_rule *rule)
{
	const struct sg_sink *sink = find_sink(sg_python_text(module_name));

	for (char **name = sink ? sink->only : NULL; name && *name; name++)
		if (inside(rule->name, *name))
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

enum sg_code sg_policy_code(const struct sg_run *run, PyObject *globals)
{
	PyObject *name = sg_python_module_name(globals), *own = NULL, *host;
	enum sg_code kind;

	/* Generated code without a module is as transparent as its caller. */
	if (!name || !PyType_IsSubtype(sg_cpython_type(name), &PyUnicode_Type))
		return SG_CODE_STDLIB;
	kind = kind_of_name_kept(name);
	if (kind != SG_CODE_LIBRARY && kind != SG_CODE_THROUGH)
		return kind; /* one that is looked through may still be the run's own copy */
	host = PyDict_GetItemWithError(PyImport_GetModuleDict(), name);
	if (run->modules)
		own = PyDict_GetItemWithError(run->modules, name);
	PyErr_Clear();
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
	if (run->modules)
		return kind;
	/* No isolation of ours: what the engine would not share is the workflow's. */
	if (sg_policy_shares(run->policy, name) == 0)
		return SG_CODE_WORKFLOW;
	PyErr_Clear();
	return kind;
}

bool sg_policy_third_party(PyObject *code)
{
	PyObject *file = sg_python_attribute_or_null(code, "co_filename");
	const char *path = file ? sg_python_text(file) : "";
	bool found = strstr(path, "/site-packages/") || strstr(path, "/dist-packages/");

	sg_python_clear(&file);
	return found;
}

bool sg_policy_is_librarys(const struct sg_run *run, PyObject *class)
{
	PyObject *name = sg_python_attribute_or_null(class, "__module__"), *own = NULL, *host = NULL;
	bool found = false;

	if (name && PyType_IsSubtype(sg_cpython_type(name), &PyUnicode_Type) && kind_of_name_kept(name) == SG_CODE_LIBRARY) {
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
