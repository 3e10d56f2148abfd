#include "shim/life/finaliser.h"

#include "shim/base/log.h"
#include "shim/base/status.h"
#include "shim/guard/arm.h"
#include "shim/import/modules.h"
#include "shim/interpreter/generator.h"

#include <string.h>

#define KEPT_MAX 10000
#define AWAITED_MAX 100

static __thread bool refusing;
static struct sg_run *runs;
static PyObject *names; /* set: of all modules that a run ever had for itself */

struct sg_run *sg_finaliser_runs(void)
{
	return runs;
}

/* --- what belongs to whom ---------------------------------------------------------------------- */

typedef bool (*judge)(PyObject *name, PyObject *globals, void *argument);

/* Ending a generator ends what it awaits, so one of a library may be about to end the workflow's. */
static bool any_code(PyObject *generator, judge judge, void *argument)
{
	PyObject *globals, *name;
	bool awaits;

	for (int depth = 0; generator && depth < AWAITED_MAX; depth++) {
		globals = sg_generator_globals(generator, &awaits);
		name = globals ? sg_python_module_name(globals) : NULL;
		if (name && judge(name, globals, argument))
			return true;
		generator = awaits ? sg_generator_awaited(generator) : NULL;
	}
	return false;
}

static bool is_of_table(PyObject *name, PyObject *globals, void *modules)
{
	return sg_modules_holds(modules, name, globals) && !sg_modules_has_globals(sg_modules_host(name), globals);
}

bool sg_finaliser_is_of(PyObject *generator, PyObject *modules)
{
	return any_code(generator, is_of_table, modules);
}

struct owner {
	PyObject *modules;
	struct sg_run *run; /* NULL: it has left, or is one of several */
};

static bool is_of_workflow(PyObject *name, PyObject *globals, void *argument)
{
	struct owner *owner = argument;

	if (sg_modules_holds(PyImport_GetModuleDict(), name, globals))
		return false;
	if (sg_context_run && sg_context_run->modules && sg_modules_holds(sg_context_run->modules, name, globals)) {
		owner->run = sg_context_run;
		return true;
	}
	for (struct sg_run *run = runs; run; run = run->next) {
		if (!run->modules || !sg_modules_holds(run->modules, name, globals))
			continue;
		owner->run = run->image ? NULL : run;
		return true;
	}
	return names && PySequence_Contains(names, name) > 0;
}

/* --- the gate ---------------------------------------------------------------------------------- */

static void log_held(PyObject *generator, const char *event, const struct sg_run *run)
{
	struct sg_line line;
	PyObject *name;

	if (!sg_log_begin(&line, SG_LOG_DEBUG, event))
		return;
	name = sg_python_attribute_or_null(generator, "__qualname__");
	sg_log_text(&line, "what", sg_python_text(name));
	if (run)
		sg_run_log(run, &line);
	sg_log_end(&line);
	sg_python_clear(&name);
}

static void keep(struct sg_run *run, PyObject *generator)
{
	if (!run->kept)
		run->kept = PyList_New(0);
	if (run->kept && PyList_Size(run->kept) < KEPT_MAX && PyList_Append(run->kept, generator) == 0)
		log_held(generator, "kept", run);
	else
		log_held(generator, "dropped", run);
	PyErr_Clear();
}

static bool judge_generator(PyObject *generator)
{
	struct owner owner = {NULL, NULL};

	if (!any_code(generator, is_of_workflow, &owner))
		return true;
	if (owner.run && owner.run == sg_context_run)
		return true;
	if (owner.run)
		keep(owner.run, generator);
	else
		log_held(generator, "dropped", NULL);
	return false;
}

static bool gate(PyObject *generator)
{
	PyObject *type, *value, *traceback;
	struct sg_context *token;
	bool may;

	if (refusing)
		return false;
	if ((!runs && !names) || sg_python_ends())
		return true;
	token = sg_context_suspend();
	PyErr_Fetch(&type, &value, &traceback); /* the frame that drops it may be left by an exception */
	/* One that was not started has nothing to run; that it was not awaited is worth the usual warning. */
	may = sg_generator_state(generator) != SG_GENERATOR_SUSPENDED || judge_generator(generator);
	PyErr_Restore(type, value, traceback);
	sg_context_leave(token);
	return may;
}

void sg_finaliser_refuse(PyObject *generator)
{
	refusing = true;
	PyObject_CallFinalizer(generator); /* which the interpreter does once */
	refusing = false;
}

/* --- the runs ---------------------------------------------------------------------------------- */

void sg_finaliser_track(struct sg_run *run)
{
	if (run->link)
		return;
	sg_status.runs++;
	sg_status.runs_made++;
	run->link = &runs;
	run->next = runs;
	if (runs)
		runs->link = &run->next;
	runs = run;
}

/* But __main__, which is empty in a run; the host's namespaces of that name are many. */
static void remember_names(const struct sg_run *run)
{
	PyObject *name, *module;
	Py_ssize_t position = 0;

	if (!names)
		names = PySet_New(NULL);
	while (names && run->modules && PyDict_Next(run->modules, &position, &name, &module))
		if (module != sg_modules_host(name) && strcmp(sg_python_text(name), "__main__") != 0 &&
		    PySet_Add(names, name) < 0)
			break;
	PyErr_Clear();
}

void sg_finaliser_forget(struct sg_run *run)
{
	PyObject *kept = run->kept;

	if (!run->link)
		return;
	sg_status.runs--;
	remember_names(run);
	*run->link = run->next;
	if (run->next)
		run->next->link = run->link;
	run->link = NULL;
	run->next = NULL;
	run->kept = NULL;
	sg_python_clear(&kept);
}

void sg_finaliser_install(void)
{
	if (!sg_generator_known || sg_generator_install(gate) < 0)
		sg_arm_lacking("generators of a workflow that the garbage collector finds",
				"this interpreter keeps their state in another way");
}
