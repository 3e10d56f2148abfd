#define _GNU_SOURCE
#include "shim/life/make.h"

#include "config/config.h"
#include "shim/base/log.h"
#include "shim/base/real.h"
#include "shim/import/kept.h"
#include "shim/import/main.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/life/finaliser.h"
#include "shim/life/policies.h"
#include "shim/shared/overloads.h"
#include "shim/shared/subclasses.h"
#include "shim/state/apart.h"
#include "shim/state/image.h"

#include <string.h>
#include <time.h>

/* --- the workflow's module and class ----------------------------------------------------------- */

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
static PyObject *import_class(const struct sg_run *run, PyObject *class)
{
	PyObject *module = PyObject_GetAttrString(class, "__module__");
	PyObject *name = PyObject_GetAttrString(class, "__name__"), *found = NULL;
	const char *text;

	if (module && name) {
		text = sg_python_text(module);
		/* A run without modules of its own has the worker's. */
		found = import_attribute(run->modules && strcmp(text, "__main__") == 0 ? run->policy->engine->main_name : text, name);
	}
	sg_python_clear(&name);
	sg_python_clear(&module);
	return found;
}

/* The same, remembered by the run's image once that has been scanned. */
PyObject *sg_make_class(struct sg_making *making, PyObject *class)
{
	struct sg_run *run = making->run;
	PyObject *memo = run->image ? sg_image_memo(run->image) : NULL;
	PyObject *found = memo ? PyDict_GetItemWithError(memo, class) : NULL;

	if (found)
		return sg_python_ref(found);
	if (memo)
		sg_image_touch(run->image, run);
	found = import_class(run, class);
	if (found && memo && PyDict_SetItem(memo, class, found) < 0)
		sg_python_clear(&found);
	return found;
}

bool sg_make_can_find(PyObject *object)
{
	PyObject *key = sg_python_attribute_or_null(object, "__module__"), *module = key ? sg_modules_host(key) : NULL;
	PyObject *name = sg_python_attribute_or_null(object, "__name__"), *whole, *found = NULL;
	bool can;

	whole = sg_python_attribute_or_null(object, "__qualname__");
	if (module && name && whole && strcmp(sg_python_text(name), sg_python_text(whole)) == 0)
		found = sg_python_attribute_or_null(module, sg_python_text(name));
	PyErr_Clear();
	can = found != NULL;
	sg_python_clear(&found);
	sg_python_clear(&whole);
	sg_python_clear(&name);
	sg_python_clear(&key);
	return can;
}

const char *sg_make_unisolated(PyObject *function)
{
	PyObject *module;
	bool in_main;

	if (sg_cpython_type(function) != &PyFunction_Type || !sg_make_can_find(function))
		return "it is not a function at the top of its module, under its own name";
	module = sg_python_attribute_or_null(function, "__module__");
	in_main = module && strcmp(sg_python_text(module), "__main__") == 0;
	sg_python_clear(&module);
	if (in_main && !sg_main_can_load())
		return "it stands in the worker's script, which cannot be executed again without starting another worker: it has no "
			"\"if __name__ == '__main__':\"";
	return NULL;
}

/* The name of the module that a run is to import: new reference. */
static PyObject *module_of(PyObject *workflow_class, const struct sg_engine *engine)
{
	PyObject *module = sg_python_attribute(workflow_class, "__module__");

	if (module && strcmp(sg_python_text(module), "__main__") == 0) {
		Py_DecRef(module);
		module = PyUnicode_FromString(engine->main_name);
	}
	return module;
}

struct sg_policy *sg_make_policy(const struct sg_engine *engine, PyObject *settings, PyObject *workflow_class)
{
	PyObject *module = module_of(workflow_class, engine);
	struct sg_policy *policy = module ? sg_policies_get(engine, settings, module) : NULL;

	sg_python_clear(&module);
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

/* --- its modules ------------------------------------------------------------------------------- */

static bool isolates(void)
{
	return sg_policy_config->isolation != SG_ISOLATION_OFF && sg_policy_config->mode != SG_MODE_OBSERVE;
}

/*
 * Gives the run its modules. *ret_image: a new image, whose modules are to be imported; NULL: none.
 * 0, or -1 with an exception.
 */
static int give_modules(struct sg_run *run, const struct sg_recipe *recipe, struct sg_image **ret_image)
{
	struct sg_image *image;
	bool fresh;

	*ret_image = NULL;
	if (!isolates() || recipe->unisolated)
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

/* The workflow's modules have been imported for the first time. 0, or -1 with an exception. */
static int scan_image(struct sg_making *making)
{
	struct sg_context *token = sg_context_suspend();
	struct sg_run *run = making->run;
	int answer;

	/* What the modules put in context variables would be taken for the host's. */
	sg_visit_drop_variables(&making->visit);
	answer = sg_image_scan(making->fresh, run);
	sg_context_leave(token);
	if (answer > 0)
		run->image = making->fresh;
	else
		making->fresh = NULL;
	return answer < 0 ? -1 : 0;
}

int sg_make_imported(struct sg_making *making)
{
	if (making->fresh && scan_image(making) < 0)
		return -1;
	making->visit.context.phase = SG_PHASE_RUNTIME;
	return 0;
}

/* What libraries asked for while the modules were imported, and this run uses. */
static void find_kept(struct sg_making *making, const struct sg_recipe *recipe)
{
	struct sg_run *run = making->run;
	PyObject *own = sg_make_class(making, recipe->workflow_class);

	if (own) {
		struct sg_context *token = sg_context_suspend();

		sg_kept_find(run, own, recipe->engine->apart, run->image ? sg_image_memo(run->image) : NULL);
		sg_context_leave(token);
	}
	PyErr_Clear();
	sg_python_clear(&own);
}

/* --- the run ----------------------------------------------------------------------------------- */

/* In a context: makes what the engine runs. NULL with an exception. */
static PyObject *set_up_once(struct sg_run *run, const struct sg_recipe *recipe)
{
	struct sg_making making = {.run = run, .visit = {.context = {run, SG_PHASE_IMPORT, false, NULL, NULL}}};
	PyObject *root;

	if (give_modules(run, recipe, &making.fresh) < 0)
		return NULL;
	if (run->image && recipe->runs_user_code)
		sg_image_touch(run->image, run);
	sg_visit_enter(run, &making.visit);
	root = recipe->make(&making, recipe->argument);
	if (root && run->asked)
		find_kept(&making, recipe);
	sg_visit_leave(run, &making.visit);
	if (run->image)
		sg_image_leave(run->image);
	else if (making.fresh)
		sg_image_discard(making.fresh);
	return root;
}

static PyObject *set_up(struct sg_run *run, const struct sg_recipe *recipe)
{
	PyObject *root = set_up_once(run, recipe);
	struct sg_apart apart;

	if (root || run->image || !sg_apart_begin(&apart, run))
		return root;
	sg_python_clear(&run->modules);
	sg_python_clear(&run->asked);
	root = set_up_once(run, recipe);
	sg_apart_end(&apart, run, root);
	return root;
}

static void log_run(const struct sg_run *run, const struct timespec *start)
{
	struct timespec end;
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_DEBUG, "run"))
		return;
	REAL(clock_gettime)(CLOCK_MONOTONIC, &end);
	sg_log_text(&line, "module", sg_python_text(run->policy->workflow_module));
	sg_log_text(&line, "workflow_type", run->workflow_type ? sg_python_text(run->workflow_type) : NULL);
	sg_run_log(run, &line);
	sg_log_number(&line, "modules", run->modules ? PyDict_Size(run->modules) : 0);
	sg_log_number(&line, "microseconds", (end.tv_sec - start->tv_sec) * 1000000 +
			(end.tv_nsec - start->tv_nsec) / 1000);
	sg_log_end(&line);
}

/* 0, or -1 with an exception: it must not be. */
static int say_unisolated(const struct sg_run *run, const char *why)
{
	struct sg_policy *policy = run->policy;
	const char *type = run->workflow_type ? sg_python_text(run->workflow_type) : NULL;
	struct sg_line line;

	if (sg_config_is_strict(sg_policy_config) && sg_config_refuses(sg_policy_config)) {
		PyErr_Format(PyExc_RuntimeError, "sandglass: %s of %s cannot have modules of its own, which strict wants: %s",
				type ? type : "a workflow", sg_python_text(policy->workflow_module), why);
		return -1;
	}
	if (policy->unisolated)
		return 0;
	policy->unisolated = true;
	if (!sg_log_begin(&line, SG_LOG_WARN, "unisolated"))
		return 0;
	sg_log_text(&line, "module", sg_python_text(policy->workflow_module));
	sg_log_text(&line, "workflow_type", type);
	sg_log_text(&line, "reason", why);
	sg_log_text(&line, "effect", "its runs see what other runs and the worker change in its modules");
	sg_log_end(&line);
	return 0;
}

int sg_run_make(struct sg_run *run, const struct sg_recipe *recipe)
{
	struct sg_policy *policy;
	struct timespec start;

	REAL(clock_gettime)(CLOCK_MONOTONIC, &start);
	policy = sg_make_policy(recipe->engine, recipe->settings, recipe->workflow_class);
	if (!policy)
		return -1;
	run->policy = sg_policies_hold(policy);
	if (isolates() && recipe->unisolated && say_unisolated(run, recipe->unisolated) < 0)
		return -1;
	look_for_reload(policy, recipe->workflow_class);
	run->root = set_up(run, recipe);
	sg_visit_check_swallowed(run, &run->root, false);
	if (!run->root)
		return -1;
	sg_finaliser_track(run);
	log_run(run, &start);
	return 0;
}
