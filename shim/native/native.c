/*
 * Rules of this file:
 *  1. sg_native_call() may be reached from anywhere: with the GIL or without, from a signal handler, from inside
 *     somebody's allocator, with locks of the calling library held. It allocates by mmap alone, once for each run that
 *     has something to report, and takes no lock.
 *  2. Python frames are read there only when that is as safe as from an extension module's C function: this
 *     thread holds the GIL; the caller is not the interpreter, libc or the provider of malloc (caller.h lets those
 *     pass, so no allocation is under way); the garbage collector is not running (it suspends the context); no
 *     signal frame lies between the context's record on the stack and us (or the code that trapped); and we are not
 *     inside ourselves.
 *  3. Even then no bytecode may run: the evaluation loop could hand the GIL to a thread that waits for a lock of the
 *     library that called us. So: no call of Python functions, a collection cannot start (PyGC_Disable), and
 *     nothing is destroyed that has a finaliser. Making the exception, which is Python code, is left to the
 *     interpreter: PyThreadState_SetAsyncExc() with a class, whose construction reads our record.
 *  4. What rule 2 forbids is put off to sg_native_settle().
 *  5. An exception that was set for a thread cannot be taken back once it arrived; so who is to blame is decided first.
 */
#define _GNU_SOURCE 1
#include "shim/native/native.h"

#include "config/words.h"
#include "shim/base/log.h"
#include "shim/base/raw.h"
#include "shim/guard/decide.h"
#include "shim/guard/family.h"
#include "shim/guard/origin.h"
#include "shim/native/caller.h"
#include "shim/native/trap.h"
#include "shim/run/policy.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define PUT_OFF_MAX 16
#define STACK_MAX (8ul << 20)
#define SCAN_MAX (64ul << 10)

struct put_off {
	const struct sg_native_entry *entry;
	enum sg_action action;
	bool importing;
	unsigned long count;
	char object[160];
};

struct sg_native_record {
	struct sg_run *run;
	bool pending;       /* an exception was set and has not been made yet */
	char name[64];      /* of the refused entry */
	char message[1536];
	int put_off_count;
	struct put_off put_off[PUT_OFF_MAX + 1]; /* the last one stands for all that found no place: the worst of them */
};

__thread bool sg_native_unrestricted;

#define ENGINES_MAX 8
static struct {
	const struct sg_engine *engine;
	PyObject *class; /* below the engine's exception */
} refusals[ENGINES_MAX];
static __thread struct sg_native_record *last; /* refused on this thread */
static __thread bool inside;

/* --- words ------------------------------------------------------------------------------------- */

static const struct {
	const char *reason, *replacement;
} words[SG_NATIVE_FAMILIES] = {
	[SG_NATIVE_CLOCK] = {"the clock has moved on when the workflow is replayed",
			"{now} or {time}, passed to the library as a value, or {activity}"},
	[SG_NATIVE_MONOTONIC] = {"the clock has moved on when the workflow is replayed",
			"{time}, passed to the library as a value, or {activity}"},
	[SG_NATIVE_SLEEP] = {"it blocks the worker's thread and leaves no timer in the history",
			"{sleep}"},
	[SG_NATIVE_RANDOM] = {"the random numbers are other ones when the workflow is replayed",
			"{random} or {uuid4}, as a seed or value for the library, or {activity}"},
	[SG_NATIVE_ENVIRONMENT] = {"the environment differs from worker to worker",
			"an argument of the workflow, or {activity}"},
	[SG_NATIVE_FILE] = {"files differ from worker to worker", "{activity}"},
	[SG_NATIVE_NETWORK] = {"the network answers differently when the workflow is replayed", "{activity}"},
	[SG_NATIVE_PROCESS] = {"a process is not part of the history", "{activity}"},
	[SG_NATIVE_THREAD] = {"threads run in another order when the workflow is replayed",
			"{activity}, or tasks of asyncio"},
	[SG_NATIVE_HOST] = {"it differs from worker to worker", "an argument of the workflow, or {activity}"},
	[SG_NATIVE_POOL] = {"it differs from worker to worker", "an argument of the workflow, or {activity}"},
};

static const char *instead_of(const struct sg_run *run, const struct sg_native_entry *entry, char *buffer, size_t size)
{
	return sg_words_put(sg_policy_config, run->policy->engine->name, words[entry->family].replacement, buffer, size);
}

/* --- the record -------------------------------------------------------------------------------- */

static struct sg_native_record *record_of(struct sg_run *run)
{
	long address;

	if (run->native)
		return run->native;
	address = sg_raw_syscall6(SYS_mmap, 0, sizeof(*run->native), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (address < 0 && address > -4096)
		return NULL;
	run->native = (struct sg_native_record *)address;
	run->native->run = run;
	return run->native;
}

void sg_native_release(struct sg_run *run)
{
	if (!run->native)
		return;
	if (last == run->native)
		last = NULL;
	sg_raw_syscall(SYS_munmap, (long)run->native, sizeof(*run->native), 0, 0);
	run->native = NULL;
}

static void note(struct put_off *item, const struct sg_native_entry *entry, enum sg_action action,
		const char *object, unsigned long count)
{
	size_t length = strnlen(object, sizeof(item->object) - 1);

	item->entry = entry;
	item->action = action;
	item->count = count;
	memcpy(item->object, object, length);
	item->object[length] = '\0';
}

static void put_off(const struct sg_context *context, const struct sg_native_entry *entry, enum sg_action action,
		const char *object)
{
	struct sg_native_record *record = record_of(context->run);
	struct put_off *item;

	if (!record)
		return;
	for (int i = 0; i < record->put_off_count; i++) {
		item = &record->put_off[i];
		if (item->entry == entry && strncmp(item->object, object, sizeof(item->object) - 1) == 0) {
			item->count++;
			if (action > item->action)
				item->action = action;
			return;
		}
	}
	if (record->put_off_count <= PUT_OFF_MAX) {
		item = &record->put_off[record->put_off_count];
		note(item, entry, action, object, 1);
		item->importing = context->phase == SG_PHASE_IMPORT;
		record->put_off_count++; /* last: a signal handler may look */
		return;
	}
	item = &record->put_off[PUT_OFF_MAX];
	if (action > item->action)
		note(item, entry, action, object, item->count + 1);
	else
		item->count++;
}

/* --- rule 2 ------------------------------------------------------------------------------------ */

/* Where the return address of a signal handler lies: libc's restorer, or the vDSO's. */
static uintptr_t restorer_low, restorer_high;

static void find_restorer(void)
{
#if defined(__x86_64__)
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} action;

	/* libc gives every handler the same one; Python has a handler for SIGINT. */
	for (int number = 1; number < 32 && !restorer_low; number++)
		if (sg_raw_syscall(SYS_rt_sigaction, number, 0, (long)&action, sizeof(action.mask)) == 0)
			restorer_low = (uintptr_t)action.restorer;
	restorer_high = restorer_low;
#else
	restorer_low = getauxval(AT_SYSINFO_EHDR);
	restorer_high = restorer_low + 0x2000;
#endif
}

/* Is what runs at this place of the stack a signal handler that interrupted the interpreter? When in doubt: yes. */
__attribute__((no_sanitize("address")))
static bool in_signal_handler(const struct sg_context *context, const void *stack)
{
	const uintptr_t *word = stack, *end = (const uintptr_t *)context;

	if (!restorer_low)
		find_restorer();
	/* Another stack: an alternative one for signals, or a coroutine's. */
	if (!restorer_low || !word || end <= word || (uintptr_t)end - (uintptr_t)word > STACK_MAX)
		return true;
	if ((uintptr_t)end - (uintptr_t)word > SCAN_MAX)
		end = word + SCAN_MAX / sizeof(*word);
	for (; word < end; word++)
		if (*word >= restorer_low && *word <= restorer_high && sg_trap_may_be_frame(word))
			return true;
	return false;
}

/* --- reporting --------------------------------------------------------------------------------- */

struct place {
	char where[512], function[160], library[512];
};

static void copy_function(char *to, size_t size, PyObject *code)
{
	PyObject *value = code ? sg_python_attribute_or_null(code, "co_qualname") : NULL; /* 3.11 */

	if (code && !value)
		value = sg_python_attribute_or_null(code, "co_name");
	snprintf(to, size, "%s", value ? sg_python_text(value) : "");
	sg_python_clear(&value);
}

static void copy_place(char *to, size_t size, PyObject *code, int line)
{
	PyObject *file = code ? sg_python_attribute_or_null(code, "co_filename") : NULL;

	to[0] = '\0';
	if (file)
		snprintf(to, size, "%s:%d", sg_python_text(file), line);
	sg_python_clear(&file);
}

static void find_place(struct place *place, const struct sg_origin *origin)
{
	copy_place(place->where, sizeof(place->where), origin->user_code, origin->user_line);
	copy_place(place->library, sizeof(place->library), origin->library_code, origin->library_line);
	copy_function(place->function, sizeof(place->function), origin->user_code);
}

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static void report(const struct sg_run *run, const struct sg_native_entry *entry,
		enum sg_action action, const char *object, const struct place *place, const char *phase,
		unsigned long count)
{
	char name[96], instead[SG_WORDS_SIZE], modes[SG_WOULD_SIZE] = "";
	struct sg_line line;

	snprintf(name, sizeof(name), "native.%s", entry->name);
	if (!sg_decide_count(name, place ? place->where : object, action, run, count) && !sg_log_enabled(SG_LOG_DEBUG))
		return;
	if (!sg_log_begin(&line, action == SG_ACTION_WARN || action == SG_ACTION_BLOCK ? SG_LOG_WARN : SG_LOG_INFO,
			action == SG_ACTION_ANSWER ? "answered" : "violation"))
		return;
	sg_log_text(&line, "rule", name);
	sg_log_text(&line, "action", sg_config_action_name(action));
	for (enum sg_mode mode; (mode = sg_decide_next_mode(modes)) != SG_MODE_OFF;)
		sg_decide_add_mode(modes, mode, sg_caller_action_in(mode, object, entry->family));
	sg_log_text(&line, "would", or_null(modes));
	sg_log_text(&line, "origin", "native");
	sg_log_text(&line, "object", object);
	sg_log_text(&line, "entry", entry->name);
	sg_log_text(&line, "family", sg_config_native_family_name(entry->family));
	sg_log_text(&line, "phase", phase);
	sg_log_text(&line, "workflow_type", run->workflow_type ? sg_python_text(run->workflow_type) : NULL);
	sg_run_log(run, &line);
	if (place) {
		sg_log_text(&line, "where", or_null(place->where));
		sg_log_text(&line, "function", or_null(place->function));
		sg_log_text(&line, "library", or_null(place->library));
	}
	sg_log_number(&line, "count", (int64_t)count);
	sg_log_text(&line, "instead", instead_of(run, entry, instead, sizeof(instead)));
	sg_log_end(&line);
}

static void compose(struct sg_native_record *record, const struct sg_native_entry *entry,
		const char *object, const struct place *place, const char *phase)
{
	char where[800] = " in this activation", instead[SG_WORDS_SIZE];

	snprintf(record->name, sizeof(record->name), "%s", entry->name);
	if (place && place->where[0])
		snprintf(where, sizeof(where), " in %s at %s, %s", place->function, place->where,
				strcmp(phase, "import") == 0 ? "while the workflow was imported" :
				"at run time");
	snprintf(record->message, sizeof(record->message),
			"Cannot access %s from inside a workflow, because %s. Called by native code (%s)%s. "
			"Instead: %s. To allow it on this worker: a line \"%s = allow only=%s | REASON\" in "
			"section [native] of a file named by SANDGLASS_CONFIG",
			entry->name, words[entry->family].reason, object, where,
			instead_of(record->run, entry, instead, sizeof(instead)), object,
			sg_config_native_family_name(entry->family));
}

/* --- the exception ----------------------------------------------------------------------------- */

/* NULL: the interpreter ends. */
static PyObject *refusal_class(const struct sg_run *run)
{
	for (int i = 0; i < ENGINES_MAX && run && run->policy; i++)
		if (refusals[i].engine == run->policy->engine)
			return refusals[i].class;
	return NULL;
}

/* A refusal as the engine makes it; new reference, NULL without an exception. */
static PyObject *make_refusal(const struct sg_native_record *record)
{
	PyObject *type, *value, *traceback;

	sg_engine_refuse(record->run->policy->engine, record->name, record->message);
	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	sg_python_clear(&type);
	sg_python_clear(&traceback);
	return value;
}

static void keep_refusal(struct sg_run *run, PyObject *refusal)
{
	if (!run->refusal)
		run->refusal = sg_python_ref(refusal);
}

/* __init__ of the class that the interpreter is given: becomes what the engine would have raised. */
static PyObject *init_refusal(PyObject *unused, PyObject *args)
{
	struct sg_native_record *record = last;
	PyObject *self = PyTuple_GetItem(args, 0), *made = NULL, *value, *own = NULL;
	struct sg_context *token;

	(void)unused;
	if (!self)
		return NULL;
	if (!record || !record->pending)
		return sg_python_ref(Py_None);
	record->pending = false;
	token = sg_context_suspend();
	made = make_refusal(record);
	value = made ? sg_python_attribute_or_null(made, "args") : NULL;
	if (value && PyObject_SetAttrString(self, "args", value) < 0)
		PyErr_Clear();
	sg_python_clear(&value);
	value = made ? sg_python_attribute_or_null(made, "__dict__") : NULL;
	own = value ? sg_python_attribute_or_null(self, "__dict__") : NULL;
	if (own && PyDict_Update(own, value) < 0)
		PyErr_Clear();
	sg_python_clear(&own);
	sg_python_clear(&value);
	sg_python_clear(&made);
	keep_refusal(record->run, self);
	sg_context_leave(token);
	return sg_python_ref(Py_None);
}

static PyMethodDef init_def = {"__init__", init_refusal, METH_VARARGS, NULL};

static int copy_name(PyObject *namespace, PyObject *class, const char *name)
{
	PyObject *value = PyObject_GetAttrString(class, name);
	int error = value ? PyDict_SetItemString(namespace, name, value) : -1;

	sg_python_clear(&value);
	return error;
}

int sg_native_install(const struct sg_engine *engine)
{
	PyObject *class = *engine->refusal;
	PyObject *namespace = PyDict_New(), *bases = PyTuple_Pack(1, class), *metaclass = PyObject_Type(class);
	PyObject *name = PyObject_GetAttrString(class, "__name__"), *function = NULL, *method = NULL, *made = NULL;
	int i = 0;

	while (i < ENGINES_MAX - 1 && refusals[i].engine)
		i++;
	function = PyCFunction_NewEx(&init_def, NULL, NULL);
	method = function ? PyInstanceMethod_New(function) : NULL;
	if (namespace && bases && metaclass && name && method &&
	    PyDict_SetItemString(namespace, "__init__", method) == 0 &&
	    copy_name(namespace, class, "__module__") == 0 &&
	    copy_name(namespace, class, "__qualname__") == 0 &&
	    copy_name(namespace, class, "__doc__") == 0)
		made = PyObject_CallFunctionObjArgs(metaclass, name, bases, namespace, NULL);
	sg_python_clear(&method);
	sg_python_clear(&function);
	sg_python_clear(&name);
	sg_python_clear(&metaclass);
	sg_python_clear(&bases);
	sg_python_clear(&namespace);
	if (!made)
		return -1;
	refusals[i].engine = engine;
	refusals[i].class = made;
	find_restorer();
	sg_caller_init();
	return 0;
}

void sg_native_remove(void)
{
	for (int i = 0; i < ENGINES_MAX; i++)
		sg_python_clear(&refusals[i].class);
}

/* --- judging ----------------------------------------------------------------------------------- */

static bool answer(const struct sg_context *context, int64_t *ret_now)
{
	struct sg_answers *answers = &context->run->answered;

	if (context->phase != SG_PHASE_RUNTIME || !context->activation || !answers->compiled ||
	    !sg_config_refuses(sg_policy_config) || !sg_answer_can(SG_SOURCE_CLOCK))
		return false;
	*ret_now = answers->compiled;
	sg_answer_at(answers, *ret_now);
	return ++answers->clock <= SG_ANSWER_READS_MAX;
}

/* Rule 3 holds here. The context is suspended. ret_now: NULL where there is no answer. True: it is the answer. */
static bool judge(struct sg_context *context, const struct sg_native_entry *entry,
		enum sg_action action, const char *object, int64_t *ret_now)
{
	const char *phase = context->phase == SG_PHASE_IMPORT ? "import" : "runtime";
	struct sg_run *run = context->run;
	struct sg_native_record *record;
	struct sg_origin origin;
	struct place place;
	bool answered = false;

	if (sg_engine_is_unrestricted(run->policy->engine))
		return false;
	sg_policy_no_python = true;
	sg_origin_find(context, NULL, false, &origin);
	sg_policy_no_python = false;
	if (origin.kind != SG_ORIGIN_TRUSTED && origin.kind != SG_ORIGIN_IMPORTED) {
		answered = ret_now && answer(context, ret_now);
		if (answered)
			action = SG_ACTION_ANSWER;
		if (context->phase == SG_PHASE_IMPORT && action == SG_ACTION_BLOCK &&
		    (!sg_config_is_strict(sg_policy_config) || origin.third_party))
			action = SG_ACTION_WARN;
		find_place(&place, &origin);
		report(run, entry, action, object, &place, phase, 1);
		record = action == SG_ACTION_BLOCK ? record_of(run) : NULL;
		if (record && !record->pending) {
			compose(record, entry, object, &place, phase);
			record->pending = true;
			run->refusals++;
			last = record;
			PyThreadState_SetAsyncExc(PyThread_get_thread_ident(), refusal_class(run));
		}
	}
	sg_origin_release(&origin);
	return answered;
}

/* While modules are imported too, where nobody can look who asks. */
static bool answer_anybody(const struct sg_context *context, int64_t *ret_now)
{
	if (context->phase != SG_PHASE_IMPORT)
		return answer(context, ret_now);
	*ret_now = SG_ANSWER_IMPORT_TIME;
	return sg_config_is_strict(sg_policy_config) && sg_answer_can(SG_SOURCE_CLOCK);
}

static bool call(struct sg_context *context, const struct sg_native_entry *entry, const void *caller,
		const void *stack, int64_t *ret_now)
{
	PyObject *type, *value, *traceback;
	bool collecting, answered;
	enum sg_action action;
	const char *path;

	action = sg_caller_action(caller, entry->family, &path);
	if (action == SG_ACTION_ALLOW || !refusal_class(context->run))
		return false;
	path = sg_caller_short_name(path);
	if (!PyGILState_Check() || in_signal_handler(context, stack)) {
		answered = ret_now && answer_anybody(context, ret_now);
		/* Whose line it is nobody can tell here; at import, libraries alone would be warned about. */
		if (context->phase == SG_PHASE_IMPORT && action == SG_ACTION_BLOCK)
			action = SG_ACTION_WARN;
		put_off(context, entry, answered ? SG_ACTION_ANSWER : action, path);
		return answered;
	}
	/* One refusal is enough, and the call that follows it will not be used either. */
	if (context->run->native && context->run->native->pending)
		return false;
	sg_context_suspend();
	collecting = PyGC_Disable();
	PyErr_Fetch(&type, &value, &traceback);
	answered = judge(context, entry, action, path, ret_now);
	PyErr_Restore(type, value, traceback);
	if (collecting)
		PyGC_Enable();
	sg_context_leave(context);
	return answered;
}

static bool ask(const struct sg_native_entry *entry, const void *caller, const void *stack, int64_t *ret_now)
{
	int saved_errno = errno;
	bool answered;

	if (inside || sg_native_unrestricted)
		return false;
	inside = true;
	sg_context_selector = 0; /* system calls of our own need no trap, least of all with signals blocked */
	answered = call(sg_context_current, entry, caller, stack, ret_now);
	sg_context_selector = sg_context_active();
	inside = false;
	errno = saved_errno;
	return answered;
}

void sg_native_trap(const struct sg_native_entry *entry, const void *caller, const void *stack)
{
	ask(entry, caller, stack, NULL);
}

void sg_native_call(const struct sg_native_entry *entry, const void *caller)
{
	ask(entry, caller, __builtin_frame_address(0), NULL);
}

bool sg_native_clock(const struct sg_native_entry *entry, const void *caller, int64_t *ret_now)
{
	return ask(entry, caller, __builtin_frame_address(0), ret_now);
}

bool sg_native_no_terminal(void)
{
	return !sg_native_unrestricted && sg_config_refuses(sg_policy_config) && sg_answer_can(SG_SOURCE_TERMINAL);
}

int sg_native_settle(struct sg_run *run)
{
	struct sg_native_record *record = run->native;
	PyObject *type, *value, *traceback, *refusal;
	struct sg_context *token;
	int refused = 0;

	if (!record)
		return 0;
	token = sg_context_suspend();
	PyErr_Fetch(&type, &value, &traceback);
	/* Before 3.12 ours may be on its way without having been made; it needs the record. */
	if (type && type == refusal_class(run))
		PyErr_NormalizeException(&type, &value, &traceback);
	for (int i = 0; i < record->put_off_count; i++) {
		const struct put_off *item = &record->put_off[i];

		report(run, item->entry, item->action, item->object, NULL, item->importing ? "import" : "runtime", item->count);
		if (item->action != SG_ACTION_BLOCK)
			continue;
		run->refusals++;
		if (!record->pending)
			compose(record, item->entry, item->object, NULL, "runtime");
		record->pending = true;
	}
	record->put_off_count = 0;
	if (record->pending) {
		/* Either it is still to come, or it came and was dropped before anybody had a look at it. */
		PyThreadState_SetAsyncExc(PyThread_get_thread_ident(), NULL);
		refusal = make_refusal(record);
		keep_refusal(run, refusal);
		sg_python_clear(&refusal);
		record->pending = false;
		refused = 1;
	}
	PyErr_Restore(type, value, traceback);
	sg_context_leave(token);
	return refused;
}
