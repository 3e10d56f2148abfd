/*
 * life.c - from the loader's constructor to the interpreter's end.
 *
 * Rules:
 *  1. Everything before "an engine has been imported" must be cheap and must not be able to fail a program that
 *     is not a worker: the object is preloaded into every process of the tree.
 *  2. A worker never starts half protected: a configuration that cannot be read ends the process here, in
 *     the constructor; an interpreter that cannot be guarded makes the import of the engine fail.
 *  3. errno survives the constructor.
 */
#define _GNU_SOURCE
#include "config/config.h"
#include "shim/abstract.h"
#include "shim/arm.h"
#include "shim/bypass.h"
#include "shim/classes.h"
#include "shim/context.h"
#include "shim/cpython.h"
#include "shim/decide.h"
#include "shim/family.h"
#include "shim/finaliser.h"
#include "shim/guard.h"
#include "shim/hardened.h"
#include "shim/importer.h"
#include "shim/locals.h"
#include "shim/log.h"
#include "shim/modules.h"
#include "shim/overloads.h"
#include "shim/pages.h"
#include "shim/policy.h"
#include "shim/python.h"
#include "shim/real.h"
#include "shim/references.h"
#include "shim/subclasses.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define CONDITIONS_MAX 64

static struct sg_config config;
static PyObject *(*original_posix)(void);
static bool started;  /* an engine is in use, guards are in place */
static const char *conditions[CONDITIONS_MAX];

static void log_dormant(const char *reason)
{
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_WARN, "dormant"))
		return;
	sg_log_text(&line, "reason", reason);
	sg_log_end(&line);
}

/* --- the end ----------------------------------------------------------------------------------- */

static PyObject *stop(PyObject *self, PyObject *unused)
{
	struct sg_context *token = sg_context_suspend();

	(void)self;
	(void)unused;
	if (started) {
		started = false;
		sg_decide_summary();
		for sg_each_engine(engine)
			if ((*engine)->remove)
				(*engine)->remove();
		for sg_each_family(family)
			if ((*family)->remove)
				(*family)->remove();
		sg_arm_stop();
		sg_references_remove();
		sg_overloads_remove();
		sg_abstract_remove();
		sg_subclasses_remove();
		sg_modules_remove();
		sg_importer_remove();
		PyErr_Clear();
	}
	sg_context_leave(token);
	return sg_python_ref(Py_None);
}

static PyMethodDef stop_def = {"sandglass_stop", stop, METH_NOARGS, NULL};

static int call_with_function(const char *module_name, const char *path, PyMethodDef *def)
{
	PyObject *module = PyImport_ImportModule(module_name), *function = NULL, *result = NULL, *callee;

	callee = module ? sg_python_attribute(module, path) : NULL;
	if (callee)
		function = PyCFunction_NewEx(def, NULL, NULL);
	if (function)
		result = PyObject_CallFunctionObjArgs(callee, function, NULL);
	sg_python_clear(&function);
	sg_python_clear(&callee);
	sg_python_clear(&module);
	if (!result)
		return -1;
	Py_DecRef(result);
	return 0;
}

/* --- garbage collection ------------------------------------------------------------------------ */

static __thread struct sg_context *before_collection;
static __thread struct sg_run *run_before_collection;

/* gc.callbacks: a finaliser that happens to run now belongs to anybody. */
static PyObject *collection(PyObject *self, PyObject *args)
{
	PyObject *phase = PyTuple_GetItem(args, 0);

	(void)self;
	if (!phase)
		return NULL;
	if (PyUnicode_CompareWithASCIIString(phase, "start") == 0) {
		before_collection = sg_context_suspend();
		run_before_collection = sg_finaliser_run;
		sg_finaliser_run = NULL;
		return sg_python_ref(Py_None);
	}
	if (before_collection)
		sg_context_leave(before_collection);
	if (run_before_collection)
		sg_finaliser_run = run_before_collection;
	before_collection = NULL;
	run_before_collection = NULL;
	return sg_python_ref(Py_None);
}

static PyMethodDef collection_def = {"sandglass_collection", collection, METH_VARARGS, NULL};

/* --- an engine appears ------------------------------------------------------------------------- */

static void log_start(const struct sg_engine *engine)
{
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_INFO, "start"))
		return;
	sg_log_text(&line, "engine", engine->name);
	sg_log_text(&line, "python", sg_cpython.version);
	sg_log_text(&line, "mode", sg_config_mode_name(config.mode));
	sg_log_text(&line, "isolation", sg_config_isolation_name(config.isolation));
	sg_log_number(&line, "rules", (int64_t)config.rule_count);
	sg_log_number(&line, "guards", sg_guard_count());
	sg_log_text(&line, "functions", !sg_cpython.functions ? "unguarded" :
			sg_cpython.functions_need_type ? "subtype" : "vectorcall");
	sg_log_text(&line, "classes", !sg_classes.makers || !sg_classes.slots ? "unguarded" :
			sg_classes.need_type ? "subtype" : "vectorcall");
	sg_log_end(&line);
}

/* Says what cannot be protected. 0: go on. */
static int check_probes(void)
{
	const char *missing = !sg_cpython.method_defs ? "C functions cannot be guarded" :
		!sg_cpython.dict_types ? "sys.modules cannot be isolated" : NULL;

	if (!missing) {
		if (!sg_cpython.functions)
			log_dormant("Python functions cannot be guarded on this interpreter: rules for "
				    "them are not in force");
		return 0;
	}
	if (config.mode == SG_MODE_WARN || config.mode == SG_MODE_OBSERVE) {
		log_dormant(missing);
		return 1;
	}
	PyErr_Format(PyExc_RuntimeError,
		     "sandglass: %s on this interpreter (%s), so workflows would run unprotected. "
		     "SANDGLASS=off or SANDGLASS=warn starts the worker without Sandglass",
		     missing, sg_cpython.version);
	return -1;
}

/* The rules, where the constructor left them for now. */
static int complete_configuration(void)
{
	struct sg_config complete;
	char error[1024];

	if (config.rule_count)
		return 0;
	if (sg_config_load(&complete, conditions, error, sizeof(error)) < 0) {
		PyErr_Format(PyExc_RuntimeError, "sandglass: %s", error);
		return -1;
	}
	sg_config_release(&config);
	config = complete;
	return 0;
}

static int start_engine(const struct sg_engine *engine, PyObject *module)
{
	const char *reason;
	int answer;

	if (!started) {
		if (complete_configuration() < 0)
			return -1;
		answer = sg_cpython_probe(&reason);
		if (answer) {
			log_dormant(reason);
			return 0;
		}
		answer = check_probes();
		if (answer)
			return answer < 0 ? -1 : 0;
		if (sg_modules_install() < 0 || sg_importer_keep_code() < 0)
			return -1;
		started = true;
		for sg_each_family(family)
			if ((*family)->install && (*family)->install() < 0)
				return -1;
		sg_arm_start(&config);
		sg_finaliser_install();
		sg_subclasses_install();
		sg_locals_install();
		sg_abstract_install();
		sg_overloads_install();
		sg_references_install();
		if (call_with_function("gc", "callbacks.append", &collection_def) < 0 ||
		    call_with_function("atexit", "register", &stop_def) < 0)
			return -1;
	}
	if (engine->install(module) < 0)
		return -1;
	sg_bypass_start();
	log_start(engine);
	return 0;
}

/* The import of a package ends after that of its modules, so one name may be reported twice. */
static bool first_time(const struct sg_engine *engine)
{
	static const struct sg_engine *known[8];
	size_t i = 0;

	while (i < sizeof(known) / sizeof(known[0]) && known[i] && known[i] != engine)
		i++;
	if (i == sizeof(known) / sizeof(known[0]) || known[i] == engine)
		return false;
	known[i] = engine;
	return true;
}

static int module_imported(const char *name, PyObject *module)
{
	for sg_each_engine(engine)
		if (strcmp((*engine)->trigger, name) == 0 && first_time(*engine))
			return start_engine(*engine, module);
	if (started)
		sg_arm_module(name);
	return 0;
}

/* --- the interpreter starts -------------------------------------------------------------------- */

static int interpreter_ready(void *unused)
{
	const char *reason;

	(void)unused;
	if (sg_cpython_version(&reason) != 0) {
		log_dormant(reason);
		return 0;
	}
	if (sg_importer_install(module_imported) < 0) {
		PyErr_Clear();
		log_dormant("importlib._bootstrap._find_and_load is not there");
	}
	return 0;
}

static PyObject *posix_starts(void)
{
	static bool asked; /* again in each sub-interpreter */

	if (!asked) {
		asked = true;
		/* Runs a few bytecodes later, with the GIL, before site. */
		if (Py_AddPendingCall(interpreter_ready, NULL) != 0)
			log_dormant("the queue of pending calls is full");
	}
	return original_posix();
}

static void wait_for_interpreter(void)
{
	struct sg_python_inittab *entry;

	for (entry = PyImport_Inittab; entry && entry->name; entry++) {
		if (strcmp(entry->name, "posix") != 0)
			continue;
		original_posix = entry->initfunc;
		entry->initfunc = posix_starts;
		return;
	}
	log_dormant("this interpreter has no builtin module posix");
}

/* --- the object is loaded ---------------------------------------------------------------------- */

static void after_fork_in_child(void)
{
	sg_context_leave(NULL);
	before_collection = NULL;
	run_before_collection = sg_finaliser_run = NULL;
	sg_hardened_after_fork();
	sg_pages_after_fork();
	sg_log_after_fork();
}

static void collect_conditions(const char **names)
{
	const struct sg_condition_entry *entry;
	size_t count = 0;

	for sg_each_family(family)
		for (entry = (*family)->conditions; entry && entry->name; entry++)
			if (count < CONDITIONS_MAX - 1)
				names[count++] = entry->name;
	names[count] = NULL;
}

static void configure(void)
{
	const char *missing;
	char error[1024];
	Dl_info own;

	collect_conditions(conditions);
	if (sg_config_load_settings(&config, conditions, error, sizeof(error)) < 0) {
		fprintf(stderr, "sandglass: %s\n", error);
		_exit(2);
	}
	if (config.mode == SG_MODE_OFF)
		return;
	if (sg_log_open(config.log, (enum sg_log_level)config.log_level) < 0) {
		fprintf(stderr, "sandglass: SANDGLASS_LOG = %s: cannot be opened for writing; accepted: "
			"stderr, or the path of a file in a directory that exists\n", config.log);
		_exit(2);
	}
	sg_policy_config = &config;
	missing = sg_python_missing();
	if (missing) {
		log_dormant(missing);
		return;
	}
	if (sg_real_resolve(&missing) != 0) {
		log_dormant(missing);
		return;
	}
	pthread_atfork(NULL, NULL, after_fork_in_child);
	for sg_each_family(family)
		if ((*family)->configure)
			(*family)->configure(&config,
				dladdr((void *)&config, &own) ? own.dli_fname : "");
	wait_for_interpreter();
}

__attribute__((constructor)) static void loaded(void)
{
	int saved_errno = errno;

	if (!getauxval(AT_SECURE) && sg_python_present())
		configure();
	errno = saved_errno;
}
