#include "hooks/engines/temporal/settings.h"

#include "shim/guard/origin.h"
#include "shim/run/policy.h"

#include <stdio.h>
#include <string.h>

#define PATH_MAX_LENGTH 512

static struct {
	PyObject *at_runtime, *at_import; /* RestrictionContext objects */
	PyObject *default_members;        /* SandboxRestrictions.invalid_module_members_default */
	PyObject *refusal_class, *unintentional_class;
	PyObject *policy_override;        /* unsafe.current_import_notification_policy_override */
	PyObject *warn_dynamic, *warn_unintentional, *raise_unintentional; /* flags, NULL in old versions */
} sdk;

static PyObject *new_context(PyObject *restrictions, bool runtime)
{
	PyObject *class = PyObject_GetAttrString(restrictions, "RestrictionContext"), *context, *flag;

	context = class ? PyObject_CallObject(class, NULL) : NULL;
	flag = PyBool_FromLong(runtime);
	if (context && PyObject_SetAttrString(context, "is_runtime", flag) < 0)
		sg_python_clear(&context);
	Py_DecRef(flag);
	sg_python_clear(&class);
	return context;
}

int sg_temporal_settings_install(PyObject *restrictions, PyObject *workflow)
{
	PyObject *policy;

	sdk.at_runtime = new_context(restrictions, true);
	sdk.at_import = new_context(restrictions, false);
	sdk.default_members = sg_python_attribute(restrictions,
			"SandboxRestrictions.invalid_module_members_default");
	sdk.refusal_class = PyObject_GetAttrString(restrictions, "RestrictedWorkflowAccessError");
	if (!sdk.at_runtime || !sdk.at_import || !sdk.default_members || !sdk.refusal_class)
		return -1;
	/* Import notifications came with 1.19. */
	sdk.unintentional_class = sg_python_attribute_or_null(restrictions, "UnintentionalPassthroughError");
	sdk.policy_override = sg_python_attribute_or_null(workflow,
			"unsafe.current_import_notification_policy_override");
	policy = sg_python_attribute_or_null(workflow, "SandboxImportNotificationPolicy");
	if (policy) {
		sdk.warn_dynamic = sg_python_attribute_or_null(policy, "WARN_ON_DYNAMIC_IMPORT");
		sdk.warn_unintentional = sg_python_attribute_or_null(policy,
				"WARN_ON_UNINTENTIONAL_PASSTHROUGH");
		sdk.raise_unintentional = sg_python_attribute_or_null(policy,
				"RAISE_ON_UNINTENTIONAL_PASSTHROUGH");
		Py_DecRef(policy);
	}
	return 0;
}

bool sg_temporal_lazy(PyObject *settings)
{
	return !sg_python_is_true(settings, "disable_lazy_sys_module_passthrough");
}

int sg_temporal_shares(PyObject *settings, PyObject *module_name)
{
	PyObject *names, *part;
	const char *name = sg_python_text(module_name), *dot = name;
	int answer = sg_python_is_true(settings, "passthrough_all_modules");

	if (answer)
		return answer;
	names = PyObject_GetAttrString(settings, "passthrough_modules");
	if (!names)
		return -1;
	while (answer == 0 && dot) {
		dot = strchr(dot + (dot != name), '.');
		part = PyUnicode_FromStringAndSize(name, dot ? dot - name : (Py_ssize_t)strlen(name));
		answer = part ? PySequence_Contains(names, part) : -1;
		sg_python_clear(&part);
	}
	Py_DecRef(names);
	return answer;
}

/* --- matchers ---------------------------------------------------------------------------------- */

/* matcher.access_matcher(context, *path, include_use=True): new reference, Py_None: no match; NULL: exception. */
static PyObject *match(PyObject *matcher, PyObject *context, const char *path)
{
	PyObject *method = PyObject_GetAttrString(matcher, "access_matcher"), *list = PyList_New(0);
	PyObject *args = NULL, *kwargs = PyDict_New(), *yes = PyBool_FromLong(1), *part, *result = NULL;
	const char *end;
	int error = list ? PyList_Append(list, context) : -1;

	for (; !error && *path; path = *end ? end + 1 : end) {
		end = path + strcspn(path, ".");
		part = PyUnicode_FromStringAndSize(path, end - path);
		error = part ? PyList_Append(list, part) : -1;
		sg_python_clear(&part);
	}
	if (!error && method && kwargs && PyDict_SetItemString(kwargs, "include_use", yes) == 0) {
		args = PySequence_Tuple(list);
		result = args ? PyObject_Call(method, args, kwargs) : NULL;
	}
	sg_python_clear(&args);
	sg_python_clear(&yes);
	sg_python_clear(&kwargs);
	sg_python_clear(&list);
	sg_python_clear(&method);
	return result;
}

/* As above for a name in our spelling; a restriction on calling it ("__call__" below it) counts. */
static PyObject *match_name(PyObject *matcher, PyObject *context, const char *name)
{
	static const char builtins[] = "builtins.";
	char path[PATH_MAX_LENGTH];
	PyObject *found;

	if (strncmp(name, builtins, strlen(builtins)) == 0)
		snprintf(path, sizeof(path), "__builtins__.%s", name + strlen(builtins));
	else
		snprintf(path, sizeof(path), "%s", name);
	found = match(matcher, context, path);
	if (found != Py_None)
		return found;
	Py_DecRef(found);
	strncat(path, ".__call__", sizeof(path) - strlen(path) - 1);
	return match(matcher, context, path);
}

static bool same_attribute(PyObject *a, PyObject *b, const char *name)
{
	PyObject *own = sg_python_attribute_or_null(a, name), *other = sg_python_attribute_or_null(b, name);
	bool same = own == other;

	sg_python_clear(&other);
	sg_python_clear(&own);
	return same;
}

/* None becomes NULL. */
static PyObject *attribute_if_set(PyObject *object, const char *name)
{
	PyObject *value = sg_python_attribute_or_null(object, name);

	if (value == Py_None)
		sg_python_clear(&value);
	return value;
}

int sg_temporal_judge(PyObject *settings, const char *name, struct sg_judgement *ret)
{
	PyObject *members = PyObject_GetAttrString(settings, "invalid_module_members");
	PyObject *own = NULL, *own_import = NULL, *standard = NULL;
	int error = -1;

	if (!members)
		return -1;
	own = match_name(members, sdk.at_runtime, name);
	own_import = own ? match_name(members, sdk.at_import, name) : NULL;
	standard = own_import ? match_name(sdk.default_members, sdk.at_runtime, name) : NULL;
	if (!standard)
		goto out;
	error = 0;
	if (own == Py_None) {
		if (standard != Py_None)
			ret->verdict = SG_JUDGED_ALLOWED;
		goto out;
	}
	ret->message = attribute_if_set(own, "leaf_message");
	ret->warning = attribute_if_set(own, "leaf_warning");
	/* The defaults' own warnings are said in the SDK's words; other defaults are for our rules to refine. */
	if (standard == Py_None || ret->warning || !same_attribute(own, standard, "leaf_message"))
		ret->verdict = SG_JUDGED_REFUSED;
	else
		sg_python_clear(&ret->message);
	ret->at_import = own_import != Py_None;
out:
	sg_python_clear(&standard);
	sg_python_clear(&own_import);
	sg_python_clear(&own);
	sg_python_clear(&members);
	return error;
}

int sg_temporal_forbids(PyObject *settings, PyObject *name, enum sg_phase phase)
{
	PyObject *modules = PyObject_GetAttrString(settings, "invalid_modules"), *found;
	int answer;

	if (!modules)
		return -1;
	found = match(modules, phase == SG_PHASE_RUNTIME ? sdk.at_runtime : sdk.at_import, sg_python_text(name));
	answer = found ? found != Py_None : -1;
	sg_python_clear(&found);
	Py_DecRef(modules);
	return answer;
}

/* --- names that the worker added --------------------------------------------------------------- */

typedef int (*add_function)(const char *name, enum sg_guard_kind kind);

/* Adds path unless the SDK's defaults restrict it too. */
static int add_path(const char *path, enum sg_guard_kind kind, add_function add)
{
	static const char builtins[] = "__builtins__.", call[] = ".__call__";
	char name[PATH_MAX_LENGTH];
	PyObject *standard = match(sdk.default_members, sdk.at_runtime, path);
	size_t length;
	bool known = standard && standard != Py_None;

	if (!standard)
		return -1;
	Py_DecRef(standard);
	if (known)
		return 0;
	if (strncmp(path, builtins, strlen(builtins)) == 0)
		snprintf(name, sizeof(name), "builtins.%s", path + strlen(builtins));
	else
		snprintf(name, sizeof(name), "%s", path);
	length = strlen(name);
	if (length > strlen(call) && strcmp(name + length - strlen(call), call) == 0) {
		name[length - strlen(call)] = '\0';
		kind = SG_GUARD_CALL;
	}
	return strchr(name, '.') ? add(name, kind) : 0;
}

static int add_names(PyObject *matcher, const char *set, const char *path, enum sg_guard_kind kind,
		add_function add)
{
	PyObject *names = PyObject_GetAttrString(matcher, set), *iterator, *name;
	char full[PATH_MAX_LENGTH];
	int error = 0;

	iterator = names ? PyObject_GetIter(names) : NULL;
	while (iterator && !error && (name = PyIter_Next(iterator))) {
		snprintf(full, sizeof(full), "%s%s%s", path, *path ? "." : "", sg_python_text(name));
		error = add_path(full, kind, add);
		Py_DecRef(name);
	}
	if (!iterator || PyErr_Occurred())
		error = -1;
	sg_python_clear(&iterator);
	sg_python_clear(&names);
	return error;
}

static int add_below(PyObject *matcher, const char *path, int depth, add_function add);

static int add_children(PyObject *matcher, const char *path, int depth, add_function add)
{
	PyObject *children = PyObject_GetAttrString(matcher, "children"), *names, *name, *child;
	char full[PATH_MAX_LENGTH];
	int error = 0;

	names = children ? PySequence_List(children) : NULL; /* a mapping gives its keys */
	for (Py_ssize_t i = 0; names && !error && i < PyList_Size(names); i++) {
		name = PyList_GetItem(names, i);
		snprintf(full, sizeof(full), "%s%s%s", path, *path ? "." : "", sg_python_text(name));
		child = PyObject_GetItem(children, name);
		error = child ? add_below(child, full, depth + 1, add) : -1;
		sg_python_clear(&child);
	}
	if (!names)
		error = -1;
	sg_python_clear(&names);
	sg_python_clear(&children);
	return error;
}

static int add_below(PyObject *matcher, const char *path, int depth, add_function add)
{
	char all[PATH_MAX_LENGTH];
	int error;

	if (depth > 32 || matcher == sdk.default_members)
		return 0;
	if (sg_python_is_true(matcher, "match_self") && *path) {
		/* The name itself, and everything below it if it is a module. */
		error = strchr(path, '.') ? add_path(path, SG_GUARD_READ, add) : 0;
		snprintf(all, sizeof(all), "%s.*", path);
		return error ? error : add_path(all, SG_GUARD_READ, add);
	}
	error = add_names(matcher, "access", path, SG_GUARD_READ, add);
	if (!error)
		error = add_names(matcher, "use", path, SG_GUARD_CALL, add);
	return error ? error : add_children(matcher, path, depth, add);
}

int sg_temporal_additions(PyObject *settings, add_function add)
{
	PyObject *members = PyObject_GetAttrString(settings, "invalid_module_members");
	int error = members ? add_below(members, "", 0, add) : -1;

	sg_python_clear(&members);
	return error;
}

/* --- notices of imports ------------------------------------------------------------------------ */

/* Does the policy in force (the override of a with block, or the settings') contain the flag? */
static int notifies(PyObject *settings, PyObject *wanted)
{
	PyObject *policy = NULL;
	int answer = 0;

	if (!wanted)
		return 0;
	if (sdk.policy_override)
		policy = PyObject_CallObject(sdk.policy_override, NULL);
	if (policy && PyObject_IsTrue(policy) != 1)
		sg_python_clear(&policy);
	PyErr_Clear();
	if (!policy)
		policy = PyObject_GetAttrString(settings, "import_notification_policy");
	answer = policy ? PySequence_Contains(policy, wanted) : -1;
	sg_python_clear(&policy);
	return answer;
}

static int warn(const struct sg_context *context, const char *format, PyObject *name)
{
	PyObject *text = PyUnicode_FromFormat(format, sg_python_text(name));
	struct sg_origin origin;
	int error = -1;

	sg_origin_find(context, NULL, false, &origin);
	if (text)
		error = sg_decide_warn(PyExc_UserWarning, sg_python_text(text),
				"temporalio.worker.workflow_sandbox._importer", origin.user_code,
				origin.user_line);
	sg_origin_release(&origin);
	sg_python_clear(&text);
	return error;
}

static int raise(PyObject *class, PyObject *name)
{
	PyObject *error = PyObject_CallFunctionObjArgs(class, name, NULL);

	if (error)
		PyErr_SetObject(class, error);
	sg_python_clear(&error);
	return -1;
}

static int notify(struct sg_context *context, PyObject *name)
{
	PyObject *settings = context->run->policy->settings;
	int answer;

	if (strcmp(sg_python_text(name), sg_python_text(context->run->policy->workflow_module)) != 0) {
		answer = notifies(settings, sdk.raise_unintentional);
		if (answer)
			return answer < 0 ? -1 : raise(sdk.unintentional_class, name);
		answer = notifies(settings, sdk.warn_unintentional);
		if (answer > 0)
			answer = warn(context, "Module %s was not intentionally passed through to the sandbox.", name);
		if (answer < 0)
			return -1;
	}
	answer = context->activation ? notifies(settings, sdk.warn_dynamic) : 0;
	return answer > 0 ? warn(context, "Module %s was imported after initial workflow load.", name) : answer;
}

int sg_temporal_loading(struct sg_context *context, PyObject *name, bool shared)
{
	struct sg_policy *policy = context->run->policy;
	struct sg_context *token = sg_context_suspend();
	int answer = sg_policy_forbids(policy, name, context->phase);

	if (answer > 0 && !policy->engine->unrestricted())
		answer = raise(sdk.refusal_class, name);
	else if (answer >= 0) {
		/* Shared by ourselves for its extension modules: the worker has not said so. */
		bool intended = shared && (policy->engine->importing_shared() ||
				sg_temporal_shares(policy->settings, name) != 0);

		answer = intended ? 0 : notify(context, name);
	}
	sg_context_leave(token);
	return answer < 0 ? -1 : 0;
}
