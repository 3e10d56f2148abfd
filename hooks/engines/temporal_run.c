#define _GNU_SOURCE
#include "hooks/engines/temporal_run.h"

#include "hooks/engines/temporal_completion.h"
#include "hooks/engines/temporal_ending.h"
#include "hooks/engines/temporal_inside.h"
#include "hooks/engines/temporal_sdk.h"
#include "hooks/engines/temporal_visit.h"

#include "config/config.h"
#include "shim/base/log.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/life/finaliser.h"
#include "shim/life/policies.h"
#include "shim/run/policy.h"
#include "shim/shared/overloads.h"
#include "shim/shared/subclasses.h"
#include "shim/state/apart.h"
#include "shim/state/image.h"

#include <string.h>
#include <time.h>

#define MAIN_COPY "__temporal_main__"

/* --- the workflow's module and class ----------------------------------------------------------- */

/* A workflow of the worker's own script: the script is executed again under another name. */
PyObject *sg_temporal_load(PyObject *name)
{
	PyObject *key, *main, *file = NULL, *util = NULL, *spec = NULL, *module = NULL, *done = NULL;

	if (strcmp(sg_python_text(name), MAIN_COPY) != 0)
		return NULL;
	key = PyUnicode_FromString("__main__");
	main = key ? sg_modules_host(key) : NULL;
	sg_python_clear(&key);
	file = main ? PyObject_GetAttrString(main, "__file__") : NULL;
	util = file ? PyImport_ImportModule("importlib.util") : NULL;
	if (util) {
		PyObject *finder = PyObject_GetAttrString(util, "spec_from_file_location");

		spec = finder ? PyObject_CallFunctionObjArgs(finder, name, file, NULL) : NULL;
		sg_python_clear(&finder);
	}
	if (spec && spec != Py_None) {
		PyObject *maker = PyObject_GetAttrString(util, "module_from_spec");

		module = maker ? PyObject_CallFunctionObjArgs(maker, spec, NULL) : NULL;
		sg_python_clear(&maker);
	}
	if (module && PyDict_SetItem(sg_context_current->run->modules, name, module) == 0) {
		PyObject *exec = sg_python_attribute(spec, "loader.exec_module");

		done = exec ? PyObject_CallFunctionObjArgs(exec, module, NULL) : NULL;
		sg_python_clear(&exec);
	}
	if (!done) {
		sg_python_clear(&module);
		if (!PyErr_Occurred())
			PyErr_SetString(PyExc_ImportError, "sandglass: the worker's script has no file "
					"from which its workflows could be loaded");
	}
	sg_python_clear(&done);
	sg_python_clear(&spec);
	sg_python_clear(&util);
	sg_python_clear(&file);
	return module;
}

static PyObject *import_attribute(const char *module_name, PyObject *name)
{
	PyObject *names = PyTuple_Pack(1, name), *module = NULL, *value = NULL;

	/* As "from module import name": "import a.b" would also import a, which may be none of the run's business. */
	if (names)
		module = PyImport_ImportModuleLevel(module_name, NULL, NULL, names, 0);
	if (module)
		value = PyObject_GetAttr(module, name);
	sg_python_clear(&module);
	sg_python_clear(&names);
	return value;
}

/* The class as the run sees it: imported by name, in the context. */
static PyObject *import_class(PyObject *class)
{
	PyObject *module = PyObject_GetAttrString(class, "__module__");
	PyObject *name = PyObject_GetAttrString(class, "__name__"), *found = NULL;
	const char *text;

	if (module && name) {
		text = sg_python_text(module);
		found = import_attribute(strcmp(text, "__main__") == 0 ? MAIN_COPY : text, name);
	}
	sg_python_clear(&name);
	sg_python_clear(&module);
	return found;
}

/* The same, remembered by the run's image once that has been scanned. */
static PyObject *own_class_of(struct sg_run *run, PyObject *class)
{
	PyObject *memo = run->image ? sg_image_memo(run->image) : NULL;
	PyObject *found = memo ? PyDict_GetItemWithError(memo, class) : NULL;

	if (found)
		return sg_python_ref(found);
	if (memo)
		sg_image_touch(run->image, run);
	found = import_class(class);
	if (found && memo && PyDict_SetItem(memo, class, found) < 0)
		sg_python_clear(&found);
	return found;
}

/* --- the SDK's instance ------------------------------------------------------------------------- */

/* The workflow's modules have been imported for the first time. 0, or -1 with an exception. */
static int scan_image(struct sg_image **image, struct sg_temporal_visit *visit)
{
	struct sg_context *token = sg_context_suspend();
	struct sg_run *run = visit->context.run;
	int answer;

	/* What the modules put in context variables would be taken for the host's. */
	sg_temporal_visit_drop_variables(visit);
	answer = sg_image_scan(*image, run);
	sg_context_leave(token);
	if (answer > 0)
		run->image = *image;
	else
		*image = NULL;
	return answer < 0 ? -1 : 0;
}

/* An attribute of the runner, which was private before it became a dataclass. */
static PyObject *runner_attribute(PyObject *runner, const char *public, const char *private)
{
	PyObject *value = sg_python_attribute_or_null(runner, public);

	return value ? value : sg_python_attribute(runner, private);
}

/* image: whose modules are still to be imported, or NULL; set to NULL when it has been given up. */
static PyObject *make_inner(PyObject *runner, PyObject *details, PyObject *workflow_class,
		struct sg_temporal_visit *visit, struct sg_image **image)
{
	PyObject *runner_class = runner_attribute(runner, "runner_class", "_runner_class");
	PyObject *own_class = NULL, *own_runner = NULL, *inner = NULL;
	struct sg_run *run = visit->context.run;

	own_class = runner_class ? own_class_of(run, workflow_class) : NULL;
	own_runner = own_class ? own_class_of(run, runner_class) : NULL;
	if (own_runner && *image && scan_image(image, visit) < 0)
		sg_python_clear(&own_runner);
	visit->context.phase = SG_PHASE_RUNTIME;
	if (own_runner)
		inner = sg_temporal_make_inside(details, own_runner, own_class);
	sg_python_clear(&own_runner);
	sg_python_clear(&own_class);
	sg_python_clear(&runner_class);
	return inner;
}

static void log_run(const struct sg_run *run, const struct timespec *start)
{
	struct timespec end;
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_DEBUG, "run"))
		return;
	clock_gettime(CLOCK_MONOTONIC, &end);
	sg_log_text(&line, "module", sg_python_text(run->policy->workflow_module));
	sg_log_text(&line, "workflow_type", sg_python_text(run->workflow_type));
	sg_run_log(run, &line);
	sg_log_number(&line, "modules", run->modules ? PyDict_Size(run->modules) : 0);
	sg_log_number(&line, "microseconds", (end.tv_sec - start->tv_sec) * 1000000 +
			(end.tv_nsec - start->tv_nsec) / 1000);
	sg_log_end(&line);
}

/* The name of the module that a run is to import: new reference. */
static PyObject *module_of(PyObject *workflow_class)
{
	PyObject *module = sg_python_attribute(workflow_class, "__module__");

	if (module && strcmp(sg_python_text(module), "__main__") == 0) {
		Py_DecRef(module);
		module = PyUnicode_FromString(MAIN_COPY);
	}
	return module;
}

/* Shared by the runs of one runner and workflow file; NULL with an exception. */
static struct sg_policy *policy_of(PyObject *runner, PyObject *workflow_class, const struct sg_engine *engine)
{
	PyObject *settings = runner_attribute(runner, "restrictions", "_restrictions");
	PyObject *module = settings ? module_of(workflow_class) : NULL;
	struct sg_policy *policy = module ? sg_policies_get(engine, settings, module) : NULL;

	sg_python_clear(&module);
	sg_python_clear(&settings);
	return policy;
}

static bool is_the_hosts(PyObject *workflow_class, PyObject *name)
{
	PyObject *key = sg_python_attribute_or_null(workflow_class, "__module__"), *module, *current;
	bool same;

	module = key ? sg_modules_host(key) : NULL;
	current = module ? sg_python_attribute_or_null(module, sg_python_text(name)) : NULL;
	same = current == workflow_class;
	sg_python_clear(&current);
	sg_python_clear(&key);
	return same;
}

/* Has the host imported the workflow file again, as tools for developers do? */
static void look_for_reload(struct sg_policy *policy, PyObject *workflow_class)
{
	PyObject *name = sg_python_attribute_or_null(workflow_class, "__name__"), *known = NULL;

	if (!policy->classes)
		policy->classes = PyDict_New();
	if (name && policy->classes)
		known = PyDict_GetItemWithError(policy->classes, name);
	if (name && policy->classes && known != workflow_class && is_the_hosts(workflow_class, name)) {
		if (known)
			sg_policies_retire(policy);
		PyDict_SetItem(policy->classes, name, workflow_class);
	}
	PyErr_Clear();
	sg_python_clear(&name);
}

static int fill_run(struct instance *instance, PyObject *runner, PyObject *details,
		PyObject *workflow_class, const struct sg_engine *engine)
{
	struct sg_run *run = &instance->run;
	struct sg_policy *policy;

	instance->info = sg_python_attribute(details, "info");
	if (!instance->info)
		return -1;
	run->workflow_type = sg_python_attribute_or_null(details, "defn.name");
	if (!run->workflow_type || run->workflow_type == Py_None) {
		sg_python_clear(&run->workflow_type);
		run->workflow_type = sg_python_attribute_or_null(instance->info, "workflow_type");
	}
	run->workflow_id = sg_python_attribute_or_null(instance->info, "workflow_id");
	run->run_id = sg_python_attribute_or_null(instance->info, "run_id");
	policy = policy_of(runner, workflow_class, engine);
	if (!policy)
		return -1;
	run->policy = sg_policies_hold(policy);
	look_for_reload(policy, workflow_class);
	return 0;
}

/*
 * Gives the run its modules. *ret_image: a new image, whose modules are to be imported; NULL: none.
 * 0, or -1 with an exception.
 */
static int give_modules(struct sg_run *run, struct sg_image **ret_image)
{
	struct sg_image *image;
	bool fresh;

	*ret_image = NULL;
	if (sg_policy_config->isolation == SG_ISOLATION_OFF || sg_policy_config->mode == SG_MODE_OBSERVE)
		return 0;
	if (sg_policy_config->isolation == SG_ISOLATION_PRIVATE || run->policy->unshareable) {
		run->modules = sg_modules_new_table();
		run->family = sg_subclasses_number();
		run->overloads = sg_overloads_new();
		PyErr_Clear();
		return run->modules ? 0 : -1;
	}
	image = sg_image_take(run->policy, &fresh);
	if (!image)
		return -1;
	run->modules = sg_python_ref(sg_image_modules(image));
	sg_image_join(image, run);
	if (fresh)
		*ret_image = image;
	else
		run->image = image;
	return 0;
}

/* Making an instance runs code of the SDK alone, unless interceptors are to be made with it. */
static bool runs_no_user_code(PyObject *details)
{
	PyObject *interceptors = sg_python_attribute_or_null(details, "interceptor_classes");
	bool none = interceptors && PyObject_Size(interceptors) == 0;

	PyErr_Clear();
	sg_python_clear(&interceptors);
	return none;
}

/* In a context: makes the SDK's instance. NULL with an exception. */
static PyObject *set_up_once(struct instance *instance, PyObject *runner, PyObject *details,
		PyObject *workflow_class)
{
	struct sg_run *run = &instance->run;
	struct sg_temporal_visit visit = {.context = {run, SG_PHASE_IMPORT, false, NULL, NULL}};
	struct sg_image *fresh;
	PyObject *inner;

	if (give_modules(run, &fresh) < 0)
		return NULL;
	if (run->image && !runs_no_user_code(details))
		sg_image_touch(run->image, run);
	sg_temporal_visit_begin(instance, &visit);
	if (sg_policy_config->mode == SG_MODE_OBSERVE)
		inner = PyObject_CallFunctionObjArgs(sg_temporal_sdk.original_create_instance, runner, details, NULL);
	else
		inner = make_inner(runner, details, workflow_class, &visit, &fresh);
	sg_temporal_visit_end(instance, &visit);
	if (run->image)
		sg_image_leave(run->image);
	else if (fresh)
		sg_image_discard(fresh);
	return inner;
}

static PyObject *set_up(struct instance *instance, PyObject *runner, PyObject *details, PyObject *workflow_class)
{
	PyObject *inner = set_up_once(instance, runner, details, workflow_class);
	struct sg_run *run = &instance->run;
	struct sg_apart apart;

	if (inner || run->image || !sg_apart_begin(&apart, run))
		return inner;
	sg_python_clear(&run->modules);
	inner = set_up_once(instance, runner, details, workflow_class);
	sg_apart_end(&apart, run, inner);
	return inner;
}

int sg_temporal_run_make(struct instance *instance, PyObject *runner, PyObject *details,
		const struct sg_engine *engine)
{
	PyObject *workflow_class = sg_python_attribute(details, "defn.cls");
	struct sg_run *run = &instance->run;
	struct timespec start;

	if (!workflow_class)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &start);
	sg_temporal_watch_worker();
	if (fill_run(instance, runner, details, workflow_class, engine) == 0) {
		instance->inner = set_up(instance, runner, details, workflow_class);
		sg_temporal_check_swallowed(run, NULL, &instance->inner);
		sg_python_clear(&run->refusal);
	}
	Py_DecRef(workflow_class);
	if (!instance->inner)
		return -1;
	sg_finaliser_track(run);
	log_run(run, &start);
	return 0;
}

/* (workflow class, runner class), and the policy of their runs. NULL: cannot be told, as of a class below the SDK's. */
static PyObject *prepared_key(PyObject *runner, PyObject *defn, const struct sg_engine *engine,
		struct sg_policy **ret_policy)
{
	PyObject *workflow_class, *runner_class, *key = NULL;

	if ((PyObject *)sg_cpython_type(runner) != sg_temporal_sdk.runner_class)
		return NULL;
	workflow_class = sg_python_attribute_or_null(defn, "cls");
	runner_class = runner_attribute(runner, "runner_class", "_runner_class");
	*ret_policy = workflow_class && runner_class ? policy_of(runner, workflow_class, engine) : NULL;
	if (*ret_policy)
		key = PyTuple_Pack(2, workflow_class, runner_class);
	PyErr_Clear();
	sg_python_clear(&runner_class);
	sg_python_clear(&workflow_class);
	return key;
}

bool sg_temporal_is_prepared(PyObject *runner, PyObject *defn, const struct sg_engine *engine)
{
	struct sg_policy *policy;
	PyObject *key = prepared_key(runner, defn, engine, &policy);
	bool prepared = key && policy->images && policy->prepared && PySequence_Contains(policy->prepared, key) > 0;

	PyErr_Clear();
	sg_python_clear(&key);
	return prepared;
}

void sg_temporal_note_prepared(PyObject *runner, PyObject *defn, const struct sg_engine *engine)
{
	struct sg_policy *policy;
	PyObject *key = prepared_key(runner, defn, engine, &policy);

	if (key && !policy->prepared)
		policy->prepared = PySet_New(NULL);
	if (key && policy->prepared)
		PySet_Add(policy->prepared, key);
	PyErr_Clear();
	sg_python_clear(&key);
}
