/*
 * life.c - from the loader's constructor to the interpreter's end.
 *
 * Rules:
 *  1. Everything before "an engine has been imported" must be cheap and must not be able to fail a program that
 *     is not a worker: the object is preloaded into every process of the tree. What is wrong with the settings is
 *     remembered; the log is opened when there is something to say.
 *  2. A worker never starts half protected. Bad settings, and with SANDGLASS_REQUIRED=1 anything that is missing, end the
 *     process when it imports an engine: no except clause of the program may stand in the way. When something else goes
 *     wrong while guards are put in place, the import of the engine fails, and so does each one that follows.
 *  3. errno survives the constructor.
 */
#define _GNU_SOURCE
#include "config/config.h"
#include "config/toggles.h"
#include "config/words.h"
#include "shim/base/loader.h"
#include "shim/base/log.h"
#include "shim/base/pages.h"
#include "shim/base/raw.h"
#include "shim/base/real.h"
#include "shim/base/status.h"
#include "shim/guard/arm.h"
#include "shim/guard/decide.h"
#include "shim/guard/family.h"
#include "shim/guard/guard.h"
#include "shim/guard/original.h"
#include "shim/guard/turn.h"
#include "shim/import/importer.h"
#include "shim/import/modules.h"
#include "shim/interpreter/classes.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/probe.h"
#include "shim/interpreter/python.h"
#include "shim/interpreter/seed.h"
#include "shim/life/appear.h"
#include "shim/life/finaliser.h"
#include "shim/life/leave.h"
#include "shim/life/policies.h"
#include "shim/native/bypass.h"
#include "shim/native/hardened.h"
#include "shim/native/native.h"
#include "shim/run/context.h"
#include "shim/run/world.h"
#include "shim/shared/abstract.h"
#include "shim/shared/generics.h"
#include "shim/shared/identity.h"
#include "shim/shared/interpreters.h"
#include "shim/shared/locals.h"
#include "shim/shared/order.h"
#include "shim/shared/overloads.h"
#include "shim/shared/references.h"
#include "shim/shared/subclasses.h"
#include "shim/shared/tasks.h"
#include "shim/state/age.h"
#include "shim/state/named.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#define CONDITIONS_MAX 64

static struct sg_config config;
static char trouble[1024];     /* what is wrong with the settings; empty: nothing */
static char log_path[PATH_MAX];
static const char *unguarded;  /* why this Python cannot be guarded; NULL: it can */
static PyObject *(*original_posix)(void);
static bool started;  /* an engine is in use, guards are in place */
static char failed[512];       /* why it could not be put in use; empty: it was not tried, or is */
static const char *conditions[CONDITIONS_MAX];

/* --- saying so --------------------------------------------------------------------------------- */

static void say(const char *text)
{
	char line[1200];
	int length = snprintf(line, sizeof(line), "sandglass: %s\n", text);

	if (length >= (int)sizeof(line))
		length = sizeof(line) - 1;
	sg_raw_syscall(SYS_write, 2, (long)line, length, 0);
}

static void flush(const char *name)
{
	PyObject *stream = PySys_GetObject(name), *result; /* borrowed */

	result = stream ? sg_python_attribute_or_null(stream, "flush") : NULL;
	if (result) {
		PyObject *done = PyObject_CallObject(result, NULL);

		sg_python_clear(&done);
	}
	PyErr_Clear();
	sg_python_clear(&result);
}

/* What the program has written so far must not be lost with it. with_python: the GIL is held. */
__attribute__((noreturn)) static void refuse_to_start(const char *sentence, bool with_python)
{
	if (with_python) {
		flush("stdout");
		flush("stderr");
	}
	say(sentence);
	_exit(2);
}

/* 0, or -1 with *ret_trouble. */
static int open_log(void)
{
	static bool opened;
	int error = opened ? 0 : sg_log_open(log_path[0] ? log_path : config.log, (enum sg_log_level)config.log_level);

	if (error) {
		snprintf(trouble, sizeof(trouble), "environment: SANDGLASS_LOG = %s: cannot be opened for writing (%s), and workers do not start "
			"without; accepted: stderr, or the path of a file, and no link, in a directory that exists", config.log, strerror(-error));
		return -1;
	}
	sg_log_as_json(config.log_json);
	opened = true;
	return 0;
}

/* Which setting says that nothing may be missing. */
static const char *insistence(void)
{
	return config.required ? "SANDGLASS_REQUIRED = 1" : config.mode == SG_MODE_ANSWER ? "SANDGLASS = answer" : "SANDGLASS = strict";
}

static void log_dormant(const char *reason)
{
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_WARN, "dormant"))
		return;
	sg_log_text(&line, "reason", reason);
	sg_log_end(&line);
}

/*
 * An engine is in use, and nothing guards it: said once, on stderr whatever the log, since the worker goes on, but in mode
 * strict and with SANDGLASS_REQUIRED=1. Modes that refuse nothing, too: nothing is watched.
 */
static void go_unguarded(const char *reason, bool with_python)
{
	static bool said;
	char sentence[700];

	sg_status_set(reason, reason);
	sg_status.state = SG_STATUS_UNGUARDED;
	if (config.required || sg_config_is_strict(&config)) {
		snprintf(sentence, sizeof(sentence), "%s: workflows cannot be guarded in this process: %s%s", insistence(), reason,
			config.required ? "" : ". SANDGLASS=enforce starts the worker all the same, unguarded");
		refuse_to_start(sentence, with_python);
	}
	if (said)
		return;
	said = true;
	if (strcmp(config.log, "stderr") != 0 || config.log_level < SG_LOG_WARN) {
		snprintf(sentence, sizeof(sentence), "workflows are NOT guarded in this process: %s", reason);
		say(sentence);
	}
	log_dormant(reason);
}

static void read_settings(void);

/* The file of an engine is opened where we are not in its import: see appear.h. */
static void engine_seen(const struct sg_engine *engine)
{
	(void)engine;
	if (!unguarded) {
		unguarded = gnu_get_libc_version ? "it runs no CPython that can be seen, or one that was opened apart from the program's other "
			"libraries" : "the C library is not glibc";
		read_settings();
	}
	if (trouble[0] || (config.mode != SG_MODE_OFF && open_log() < 0))
		refuse_to_start(trouble, false);
	if (config.mode != SG_MODE_OFF)
		go_unguarded(unguarded, false);
}

/* This Python cannot be guarded. If it never imports an engine, nobody needs to know. */
static void stay_out(const char *reason)
{
	unguarded = reason;
	sg_status_set(reason, reason);
	sg_status.state = SG_STATUS_UNGUARDED;
	sg_appear_await_engine(engine_seen);
}

/* --- the end ----------------------------------------------------------------------------------- */

static PyObject *stop(PyObject *self, PyObject *unused)
{
	struct sg_context *token = sg_context_suspend();

	(void)self;
	(void)unused;
	if (started) {
		started = false;
		sg_status.state = SG_STATUS_ENDED;
		sg_decide_summary();
		sg_leave_remove();
		sg_native_remove();
		for sg_each_engine(engine)
			if ((*engine)->remove)
				(*engine)->remove();
		for sg_each_family(family)
			if ((*family)->remove)
				(*family)->remove();
		sg_arm_stop();
		sg_order_remove();
		sg_identity_remove();
		sg_references_remove();
		sg_generics_remove();
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
static bool collection_seen;

/* gc.callbacks: a finaliser that happens to run now belongs to anybody. */
static PyObject *collection(PyObject *self, PyObject *args)
{
	PyObject *phase = PyTuple_GetItem(args, 0);

	(void)self;
	if (!phase)
		return NULL;
	collection_seen = true;
	if (PyUnicode_CompareWithASCIIString(phase, "start") == 0) {
		before_collection = sg_context_suspend();
		run_before_collection = sg_context_run;
		sg_context_run = NULL;
		return sg_python_ref(Py_None);
	}
	if (before_collection)
		sg_context_leave(before_collection);
	if (run_before_collection)
		sg_context_run = run_before_collection;
	before_collection = NULL;
	run_before_collection = NULL;
	return sg_python_ref(Py_None);
}

static PyMethodDef collection_def = {"sandglass_collection", collection, METH_VARARGS, NULL};

/* --- an engine appears ------------------------------------------------------------------------- */

static char sdk[32]; /* of the engine that appears */

static const char *own_path(void)
{
	Dl_info info;

	return dladdr((void *)own_path, &info) ? info.dli_fname : "";
}

/* A process may have several. */
static void add_to_list(char *list, size_t size, const char *text)
{
	size_t length = strlen(list);

	snprintf(list + length, size - length, "%s%s", length ? ", " : "", text);
}

static int64_t since; /* nanoseconds: tells the process from others that have its number */

static void write_start(const struct sg_engine *engine)
{
	bool before;
	const char *other_copy = sg_loader_other(&before); /* preloaded as well, and not in use */
	struct sg_line line;

	if (!sg_log_begin_notice(&line, "start"))
		return;
	sg_log_text(&line, "version", SG_VERSION);
	sg_log_text(&line, "mode", sg_config_mode_name(config.mode));
	sg_log_text(&line, "engine", engine->name);
	sg_log_text(&line, "sdk", sdk);
	sg_log_text(&line, "python", sg_cpython.version);
	sg_log_text(&line, "isolation", sg_config_isolation_name(config.isolation));
	sg_log_number(&line, "rules", (int64_t)config.rule_count);
	sg_log_number(&line, "guards", sg_guard_count());
	sg_log_number(&line, "unguarded", (int64_t)sg_status.unguarded);
	sg_log_text(&line, "functions", !sg_cpython.functions ? "unguarded" :
			sg_cpython.functions_need_type ? "subtype" : "vectorcall");
	sg_log_text(&line, "classes", !sg_classes.makers || !sg_classes.slots ? "unguarded" :
			sg_classes.need_type ? "subtype" : "vectorcall");
	sg_log_text(&line, "tz", config.tz);
	sg_log_text(&line, "hashseed", sg_seed_in_use());
	sg_log_text(&line, "log", config.log);
	sg_log_number(&line, "since", since);
	sg_log_text(&line, "object", other_copy ? own_path() : NULL);
	sg_log_text(&line, "unused", other_copy);
	if (config.world > 1)
		sg_log_number(&line, "world", config.world);
	sg_log_end(&line);
}

static const struct sg_engine *known_engines[8]; /* those that have been imported */

#define KNOWN_MAX (sizeof(known_engines) / sizeof(known_engines[0]))

/* So that what follows there can be read without the file before. */
static void begin_log(void)
{
	for (size_t i = 0; i < KNOWN_MAX && known_engines[i]; i++)
		write_start(known_engines[i]);
}

static void log_start(const struct sg_engine *engine)
{
	struct timespec now;

	add_to_list(sg_status.engine, sizeof(sg_status.engine), engine->name);
	add_to_list(sg_status.sdk, sizeof(sg_status.sdk), sdk);
	sg_status_set(python, sg_cpython.version);
	sg_status.guards = (uint64_t)sg_guard_count();
	if (!since && REAL(clock_gettime)(CLOCK_REALTIME, &now) == 0) {
		sg_status.started = now.tv_sec;
		since = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	}
	sg_status.state = SG_STATUS_GUARDED;
	sg_log_begin_files(begin_log);
	write_start(engine);
}

/* What a setting asks for and this process has not. */
static void log_missed_seed(void)
{
	const char *reason = sg_seed_missed();
	struct sg_line line;

	if (!reason || !sg_log_begin(&line, SG_LOG_WARN, "hashseed"))
		return;
	sg_log_text(&line, "reason", reason);
	sg_log_end(&line);
}

static void log_probe(const char *name, bool proved, const char *without)
{
	struct sg_line line;

	if (!sg_log_begin(&line, proved ? SG_LOG_DEBUG : SG_LOG_WARN, "probe"))
		return;
	sg_log_text(&line, "name", name);
	sg_log_text(&line, "result", proved ? "proved" : "failed");
	sg_log_text(&line, "without", proved ? NULL : without);
	sg_log_end(&line);
}

/* What this interpreter does not let us do at all; NULL: nothing. */
static const char *missing_probe(void)
{
	return !sg_cpython.type_slots ? "the inside of classes is not known on this interpreter" :
		!sg_cpython.method_defs ? "C functions cannot be guarded on this interpreter" :
		!sg_cpython.dict_types ? "sys.modules cannot be isolated on this interpreter" : NULL;
}

/* Says what cannot be protected. 0: go on, 1: stay out. */
static int check_probes(void)
{
	const char *missing = missing_probe();
	char sentence[512];

	if (missing && (config.mode == SG_MODE_WARN || config.mode == SG_MODE_OBSERVE)) {
		go_unguarded(missing, true);
		return 1;
	}
	if (missing) {
		snprintf(sentence, sizeof(sentence), "%s (%s), so workflows would run unprotected. SANDGLASS=off or "
			"SANDGLASS=warn starts the worker without Sandglass", missing, sg_cpython.version);
		refuse_to_start(sentence, true);
	}
	return 0;
}

/* In mode strict and with SANDGLASS_REQUIRED=1 nothing may be missing. */
static void check_guards(void)
{
	char names[512] = "", sentence[1024];
	int count = sg_arm_missing(names, sizeof(names));
	const char *why = insistence();

	if (!config.required && !sg_config_is_strict(&config))
		return;
	if (!sg_cpython.functions)
		snprintf(sentence, sizeof(sentence), "%s: Python functions cannot be guarded on this interpreter (%s)", why,
			sg_cpython.version);
	else if (config.required && (!sg_classes.makers || !sg_classes.slots))
		snprintf(sentence, sizeof(sentence), "%s: classes cannot be guarded on this interpreter (%s)", why, sg_cpython.version);
	else if (config.required && config.hardened && !sg_hardened_active)
		snprintf(sentence, sizeof(sentence), "%s: SANDGLASS_HARDENED = 1 cannot be had on this machine", why);
	else if (sg_arm_lacks())
		snprintf(sentence, sizeof(sentence), "%s: what keeps runs apart, and the same on all workers, cannot be had on this "
			"interpreter (%s): %s%s", why, sg_cpython.version, sg_arm_lacks(),
			config.required ? "" : "; SANDGLASS=enforce does without");
	else if (count)
		snprintf(sentence, sizeof(sentence), "%s: %d guards cannot be armed, their targets are replaced by another tool or are "
			"not what they should be: %s; SANDGLASS_RULES=NAME=allow does without one", why, count, names);
	else
		return;
	refuse_to_start(sentence, true);
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

/* What the program may have spoilt; so it comes first, and may be tried again. A collection proves that we are told. */
static int follow_interpreter(void)
{
	static bool follows_exit;
	PyObject *gc, *collected, *youngest;

	if (!collection_seen) {
		if (call_with_function("gc", "callbacks.append", &collection_def) < 0)
			return -1;
		gc = PyImport_ImportModule("gc");
		collected = gc ? sg_python_attribute(gc, "collect") : NULL;
		sg_python_clear(&gc);
		youngest = PyLong_FromLong(0);
		gc = collected && youngest ? PyObject_CallFunctionObjArgs(collected, youngest, NULL) : NULL;
		sg_python_clear(&youngest);
		sg_python_clear(&collected);
		if (!gc)
			return -1;
		sg_python_clear(&gc);
		if (!collection_seen) {
			PyErr_SetString(PyExc_RuntimeError, "sandglass: gc.callbacks is not the collector's own list, so workflows "
				"would not be protected from finalisers");
			return -1;
		}
	}
	if (!follows_exit && call_with_function("atexit", "register", &stop_def) < 0)
		return -1;
	follows_exit = true;
	return 0;
}

static int put_guards(void)
{
	if (sg_modules_install() < 0 ||
	    sg_importer_keep_code(sg_policies_retire_all, sg_arm_copy, sg_arm_code, sg_named_host_changes) < 0)
		return -1;
	sg_age_install();
	sg_interpreters_imported(NULL);
	started = true;
	for sg_each_family(family)
		if ((*family)->install && (*family)->install() < 0)
			return -1;
	sg_answer_try();
	sg_world = config.world;
	sg_arm_start(&config);
	sg_finaliser_install();
	sg_subclasses_install();
	sg_locals_install();
	sg_tasks_install();
	sg_abstract_install();
	sg_overloads_install();
	sg_generics_install();
	sg_references_install();
	sg_identity_install();
	sg_order_install();
	return sg_leave_install();
}

static PyObject *version_of(const struct sg_engine *engine)
{
	const struct sg_engine_config *own = sg_words_engine(&config, engine->name);
	PyObject *metadata = PyImport_ImportModule("importlib.metadata"), *name = NULL, *answer = NULL;
	PyObject *version = metadata ? PyObject_GetAttrString(metadata, "version") : NULL;

	if (version && own)
		name = PyUnicode_FromString(own->distribution ? own->distribution : own->packages[0]);
	if (name)
		answer = PyObject_CallFunctionObjArgs(version, name, NULL);
	sg_python_clear(&name);
	sg_python_clear(&version);
	sg_python_clear(&metadata);
	return answer;
}

static void note_version(const struct sg_engine *engine)
{
	PyObject *version = engine->version ? engine->version() : version_of(engine);

	PyErr_Clear();
	snprintf(sdk, sizeof(sdk), "%s", version ? sg_python_text(version) : "unknown");
	sg_python_clear(&version);
}

static void log_untested(const struct sg_engine *engine)
{
	const struct sg_engine_config *own = sg_words_engine(&config, engine->name);
	struct sg_line line;

	if (!own || sg_words_tested(own->tested, sdk) == 1 || !sg_log_begin(&line, SG_LOG_WARN, "untested"))
		return;
	sg_log_text(&line, "engine", engine->name);
	sg_log_text(&line, "sdk", sdk);
	sg_log_text(&line, "tested", own->tested);
	sg_log_text(&line, "effect", "workflows are guarded as with these; what this version does in another way is not known");
	sg_log_end(&line);
}

/* 0; 1: stay out; -1 with an exception. */
static int start_process(void)
{
	const char *reason;
	int answer;

	if (trouble[0] || open_log() < 0)
		refuse_to_start(trouble, true);
	if (complete_configuration() < 0)
		return -1;
	if (sg_probe(&reason) != 0) {
		go_unguarded(reason, true);
		return 1;
	}
	sg_probe_each(log_probe);
	answer = check_probes();
	if (answer)
		return answer;
	return follow_interpreter();
}

/* Keeps the text of the exception, which is set again. */
static void remember_failure(void)
{
	PyObject *type, *value, *traceback, *text;

	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	text = value ? PyObject_Str(value) : NULL;
	snprintf(failed, sizeof(failed), "sandglass: guards could not be put in place: %s", text ? sg_python_text(text) : "?");
	PyErr_Clear();
	sg_python_clear(&text);
	PyErr_Restore(type, value, traceback);
}

static int start_engine(const struct sg_engine *engine, PyObject *module)
{
	int answer;

	if (failed[0]) {
		PyErr_SetString(PyExc_RuntimeError, failed);
		return -1;
	}
	if (!started) {
		answer = start_process();
		if (answer)
			return answer < 0 ? -1 : 0;
	}
	if ((!started && put_guards() < 0) || engine->install(module) < 0) {
		remember_failure();
		return -1;
	}
	sg_bypass_start();
	note_version(engine);
	check_guards();
	log_start(engine);
	log_untested(engine);
	log_missed_seed();
	return 0;
}

/* The import of a package ends after that of its modules, so one name may be reported twice. */
static const struct sg_engine **place_of(const struct sg_engine *engine)
{
	size_t i = 0;

	while (i < KNOWN_MAX - 1 && known_engines[i] && known_engines[i] != engine)
		i++;
	return &known_engines[i];
}

/* So that the next import of it comes through here again. */
static void forget_module(const char *name)
{
	PyObject *type, *value, *traceback, *key;

	PyErr_Fetch(&type, &value, &traceback);
	key = PyUnicode_FromString(name);
	if (!key || PyDict_DelItem(PyImport_GetModuleDict(), key) < 0)
		PyErr_Clear();
	sg_python_clear(&key);
	PyErr_Restore(type, value, traceback);
}

static int module_imported(const char *name, PyObject *module)
{
	for sg_each_engine(engine) {
		if (strcmp((*engine)->trigger, name) != 0 || *place_of(*engine) == *engine)
			continue;
		if (start_engine(*engine, module) < 0) {
			forget_module(name);
			return -1;
		}
		*place_of(*engine) = *engine;
		return 0;
	}
	sg_original_note(name);
	if (started) {
		sg_interpreters_imported(name);
		sg_identity_imported(name);
		sg_arm_module(name);
	}
	return 0;
}

/* --- the interpreter starts -------------------------------------------------------------------- */

/* A Python that was found when it was running already may have imported an engine. */
static void catch_up(void)
{
	PyObject *key, *module;

	for sg_each_engine(engine) {
		key = PyUnicode_FromString((*engine)->trigger);
		module = key ? sg_modules_host(key) : NULL;
		if (module && module_imported((*engine)->trigger, module) < 0)
			go_unguarded("guards could not be put in place after the engine had been imported", true);
		PyErr_Clear();
		sg_python_clear(&key);
	}
}

static bool is_ready, is_late; /* late: the interpreter may have been anywhere when we found it */

static bool has_importlib(void)
{
	PyObject *key = PyUnicode_FromString("_frozen_importlib"), *module = key ? sg_modules_host(key) : NULL;
	bool has = module && PyObject_HasAttrString(module, "_find_and_load");

	sg_python_clear(&key);
	return has;
}

static int interpreter_ready(void *unused)
{
	const char *reason;

	(void)unused;
	/* Too early: appear.h asks again. */
	if (is_ready || (is_late && !has_importlib()))
		return 0;
	is_ready = true;
	sg_seed_started();
	if (sg_cpython_version(&reason) != 0) {
		stay_out(reason);
		return 0;
	}
	if (sg_importer_install(module_imported) < 0) {
		PyErr_Clear();
		stay_out("importlib._bootstrap._find_and_load is not there");
		return 0;
	}
	sg_original_note_all();
	sg_appear_await_engine(NULL);
	sg_status.state = SG_STATUS_WAITING;
	catch_up();
	return 0;
}

static PyObject *posix_starts(void)
{
	static bool asked; /* again in each sub-interpreter */

	if (!asked) {
		asked = true;
		/* Runs a few bytecodes later, with the GIL, before site. */
		if (Py_AddPendingCall(interpreter_ready, NULL) != 0)
			stay_out("the queue of pending calls is full");
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
	stay_out("this interpreter has no builtin module posix");
}

/* --- the object is loaded ---------------------------------------------------------------------- */

static void after_fork_in_child(void)
{
	sg_context_leave(NULL);
	before_collection = NULL;
	run_before_collection = sg_context_run = NULL;
	sg_context_running = NULL;
	sg_turn_after_fork();
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

/* A path is made absolute: when the log is opened the program may be elsewhere. */
static void note_log_path(void)
{
	long length = 0;

	if (strcmp(config.log, "stderr") != 0 && config.log[0] != '/')
		length = sg_raw_syscall(SYS_getcwd, (long)log_path, sizeof(log_path), 0, 0);
	if (length > 1 && (size_t)snprintf(log_path + length - 1, sizeof(log_path) - (size_t)length + 1, "/%s", config.log) >=
			sizeof(log_path) - (size_t)length + 1)
		log_path[0] = '\0';
	sg_status_set(log, log_path[0] ? log_path : config.log);
}

static void read_settings(void)
{
	collect_conditions(conditions);
	if (sg_config_load_settings(&config, conditions, trouble, sizeof(trouble)) < 0)
		config = (struct sg_config){.log = "stderr", .log_level = SG_LOG_WARN, .inherit = SG_INHERIT_ALL};
	else
		trouble[0] = '\0';
	if (config.mode == SG_MODE_OFF)
		sg_status.state = SG_STATUS_OFF;
	sg_status_set(mode, sg_config_mode_name(config.mode));
	sg_status_set(isolation, sg_config_isolation_name(config.isolation));
	sg_status.required = config.required;
	note_log_path();
}

static void configure_families(const struct sg_config *with)
{
	for sg_each_family(family)
		if ((*family)->configure)
			(*family)->configure(with, own_path());
}

static void configure(void)
{
	const char *missing;

	read_settings();
	if (config.mode == SG_MODE_OFF)
		return;
	sg_policy_config = &config;
	sg_loader_start(true);
	missing = gnu_get_libc_version ? sg_python_missing() : "the C library is not glibc";
	if (missing || sg_real_resolve(&missing) != 0) {
		stay_out(missing);
		return;
	}
	sg_loader_after_fork(after_fork_in_child);
	configure_families(&config);
	sg_seed_await(&config);
	wait_for_interpreter();
}

/* On a thread of a program that has loaded a Python. True: the rest comes by itself. */
static bool attach(void)
{
	if (!is_late) {
		is_late = true;
		configure();
	}
	if (unguarded || is_ready || config.mode == SG_MODE_OFF)
		return true;
	/* The table of builtin modules may have been read already. A pending call that is too early does no harm. */
	if (Py_IsInitialized() || PyGILState_GetThisThreadState())
		Py_AddPendingCall(interpreter_ready, NULL);
	return false;
}

/* Nothing is read and nothing opened: most programs are not Python, and never will be. */
static void without_python(void)
{
	static const struct sg_config nothing = {.inherit = SG_INHERIT_ALL};

	if (sg_toggles_are_off())
		return;
	configure_families(&nothing);
	sg_appear_await_python(attach);
	sg_appear_await_engine(engine_seen);
}

__attribute__((constructor)) static void loaded(void)
{
	int saved_errno = errno;
	bool second = false;

	if (!getauxval(AT_SECURE) && !(sg_loader_other(&second) && second)) {
		if (sg_python_present())
			configure();
		else
			without_python();
	}
	errno = saved_errno;
}
