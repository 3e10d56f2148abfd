#include "shim/life/policies.h"

#include "shim/base/log.h"
#include "shim/guard/arm.h"
#include "shim/import/importer.h"
#include "shim/state/image.h"
#include "shim/state/named.h"

#include <stdlib.h>
#include <string.h>

static struct sg_policy *policies;

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
	for (int phase = 0; phase < 2; phase++) {
		sg_python_clear(&policy->forbidden[phase]);
		sg_python_clear(&policy->seen[phase]);
	}
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

struct sg_policy *sg_policies_hold(struct sg_policy *policy)
{
	if (!policy->runs++)
		Py_IncRef(policy->settings);
	return policy;
}

void sg_policies_release(struct sg_policy *policy)
{
	PyObject *settings = policy->settings;

	if (!--policy->runs)
		Py_DecRef(settings); /* the policy may be gone now */
}

struct sg_policy *sg_policies_get(const struct sg_engine *engine, PyObject *settings,
		PyObject *workflow_module)
{
	struct sg_policy *policy;
	bool complete = true;

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
	for (int phase = 0; phase < 2 && complete; phase++) {
		policy->forbidden[phase] = PyDict_New();
		policy->seen[phase] = PyDict_New();
		complete = policy->forbidden[phase] && policy->seen[phase];
	}
	if (!policy->shared || !policy->judgements || !complete || (engine->additions && engine->additions(settings, sg_arm_add) < 0)) {
		free_policy(policy);
		return NULL;
	}
	policy->lazy = engine->lazy && engine->lazy(settings);
	policy->engine = engine;
	policy->settings = settings;
	policy->workflow_module = sg_python_ref(workflow_module);
	watch_settings(policy);
	policy->next = policies;
	policies = policy;
	return policy;
}

void sg_policies_retire(struct sg_policy *policy)
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

void sg_policies_retire_all(void)
{
	struct sg_policy *policy = policies;

	while (policy)
		if (policy->images || policy->unshareable) {
			sg_policies_retire(policy);
			policy = policies; /* what went may have taken policies with it */
		} else {
			policy = policy->next;
		}
	sg_importer_forget_code();
}
