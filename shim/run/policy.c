#include "shim/run/policy.h"

#include "shim/run/extension.h"
#include "shim/run/once.h"

#include <stdlib.h>
#include <string.h>

const struct sg_config *sg_policy_config;

bool sg_policy_inside(const char *module, const char *package)
{
	size_t length = strlen(package);

	return strncmp(module, package, length) == 0 &&
	       (module[length] == '\0' || module[length] == '.');
}

/* Length of the entry that is module or one of its parents; the longest wins; 0: none. */
static size_t match_list(char *const *list, const char *module)
{
	size_t best = 0;

	for (; list && *list; list++) {
		size_t length = strlen(*list);

		if (length > best && sg_policy_inside(module, *list))
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
	shared = sg_once_holds(module_name, policy->workflow_module);
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

bool sg_policy_is_apart(const struct sg_policy *policy, PyObject *module_name)
{
	return policy->apart && sg_policy_inside(sg_python_text(module_name), sg_python_text(policy->apart));
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
	return policy->engine->forbids ?
		keep(policy->forbidden[phase], module_name, policy->engine->forbids(policy->settings, module_name, phase)) : 0;
}

static struct sg_judgement *judge(const struct sg_policy *policy, const char *name)
{
	struct sg_judgement *judgement = calloc(1, sizeof(*judgement));

	if (judgement && policy->engine->judge && policy->engine->judge(policy->settings, name, judgement) < 0) {
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

bool sg_policy_aside(const struct sg_run *run)
{
	const struct sg_engine *engine = run->policy ? run->policy->engine : NULL;

	return engine && engine->aside && run->root && engine->aside(run);
}
