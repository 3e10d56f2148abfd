/*
 * temporal.c - where Temporal's Python SDK (temporalio 1.8 - 1.35) enters and leaves workflow code.
 *
 * The seam is SandboxedWorkflowRunner.create_instance(self, det), which the worker calls for each run and, with made-up
 * details, once at start to validate each workflow. The SDK answers with an instance whose methods run
 * the workflow inside its own sandbox; ours answers with an instance of the SDK's WorkflowInstance class whose
 * methods enter a context and call the plain, unsandboxed instance. UnsandboxedWorkflowRunner and
 * workflows with sandboxed=False never get here.
 *
 * In mode observe, and only there, the SDK's sandbox stays: its instance is what our methods call.
 */
#define _GNU_SOURCE
#include "hooks/engines/temporal_completion.h"
#include "hooks/engines/temporal_ending.h"
#include "hooks/engines/temporal_settings.h"
#include "hooks/engines/temporal_unrestricted.h"

#include "config/config.h"
#include "shim/attribute.h"
#include "shim/bypass.h"
#include "shim/family.h"
#include "shim/finaliser.h"
#include "shim/hardened.h"
#include "shim/image.h"
#include "shim/log.h"
#include "shim/modules.h"
#include "shim/native.h"
#include "shim/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CAPSULE "sandglass.instance"
#define MAIN_COPY "__temporal_main__"
#define MILLISECONDS_BUSY 1900 /* less than the SDK's deadlock detector waits */

static struct {
	PyObject *runner_class, *original_create_instance;
	PyObject *instance_class;   /* ours */
	PyObject *refusal_class;
	PyObject *unsafe;           /* temporalio.workflow.unsafe */
	PyObject *capsule_name;     /* str: attribute that holds our record */
	PyObject *is_passed_through, *set_in_sandbox;
} sdk;

/* --- entering and leaving ---------------------------------------------------------------------- */

/* in_sandbox() is the SDK's word for "workflow code is running"; old versions lack it. */
static void tell_in_sandbox(bool inside)
{
	PyObject *type, *value, *traceback, *flag, *result = NULL;

	if (!sdk.set_in_sandbox)
		return;
	PyErr_Fetch(&type, &value, &traceback);
	flag = PyBool_FromLong(inside);
	result = PyObject_CallFunctionObjArgs(sdk.set_in_sandbox, flag, NULL);
	if (!result)
		PyErr_Clear();
	sg_python_clear(&result);
	Py_DecRef(flag);
	PyErr_Restore(type, value, traceback);
}

/*
 * Workflow code starts from the thread's context variables as they are, and what it sets is dropped: the next
 * activation on this thread belongs to another run.
 */
static PyObject *enter_variables(void)
{
	PyObject *variables = PyContext_CopyCurrent();

	if (!variables || PyContext_Enter(variables) < 0) {
		PyErr_Clear();
		sg_python_clear(&variables);
	}
	return variables;
}

static void leave_variables(PyObject *variables)
{
	PyObject *type, *value, *traceback;

	if (!variables)
		return;
	PyErr_Fetch(&type, &value, &traceback);
	if (PyContext_Exit(variables) < 0)
		PyErr_Clear();
	Py_DecRef(variables);
	PyErr_Restore(type, value, traceback);
}

static struct sg_context *enter(struct sg_context *context)
{
	context->entry = PyEval_GetFrame();
	sg_attribute_enter();
	sg_finaliser_enter(context);
	sg_bypass_look();
	sg_hardened_enter();
	return sg_context_enter(context);
}

static void leave(struct sg_context *context, struct sg_context *token)
{
	sg_context_leave(token);
	sg_finaliser_leave(context);
	sg_hardened_leave();
	sg_attribute_leave();
}

static bool call_for_truth(PyObject *callable)
{
	PyObject *result = callable ? PyObject_CallObject(callable, NULL) : NULL;
	int answer = result ? PyObject_IsTrue(result) : -1;

	sg_python_clear(&result);
	if (answer < 0)
		PyErr_Clear();
	return answer > 0;
}

static bool importing_shared(void)
{
	return call_for_truth(sdk.is_passed_through);
}

static void refuse(const char *qualified_name, const char *message)
{
	PyObject *name = PyUnicode_FromString(qualified_name), *text = PyUnicode_FromString(message);
	PyObject *args = name ? PyTuple_Pack(1, name) : NULL, *kwargs = PyDict_New(), *error = NULL;

	if (args && text && kwargs && PyDict_SetItemString(kwargs, "override_message", text) == 0)
		error = PyObject_Call(sdk.refusal_class, args, kwargs);
	if (!error && args && text && PyErr_ExceptionMatches(PyExc_TypeError)) {
		/* Before override_message the class made its own text of the name. */
		PyErr_Clear();
		error = PyObject_Call(sdk.refusal_class, args, NULL);
		sg_python_clear(&args);
		args = PyTuple_Pack(1, text);
		if (error && args && PyObject_SetAttrString(error, "args", args) < 0)
			PyErr_Clear();
	}
	if (error)
		PyErr_SetObject(sdk.refusal_class, error);
	sg_python_clear(&error);
	sg_python_clear(&kwargs);
	sg_python_clear(&args);
	sg_python_clear(&text);
	sg_python_clear(&name);
}

/* A workflow of the worker's own script: the script is executed again under another name. */
static PyObject *load(PyObject *name)
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

/* --- a refusal that was swallowed -------------------------------------------------------------- */

static void log_swallowed(const struct sg_run *run)
{
	PyObject *text = PyObject_Str(run->refusal);
	struct sg_line line;

	if (sg_log_begin(&line, SG_LOG_WARN, "swallowed")) {
		sg_log_text(&line, "workflow_type", sg_python_text(run->workflow_type));
		sg_log_text(&line, "workflow_id", sg_python_text(run->workflow_id));
		sg_log_text(&line, "run_id", sg_python_text(run->run_id));
		sg_log_text(&line, "refusal", sg_python_text(text));
		sg_log_end(&line);
	}
	PyErr_Clear();
	sg_python_clear(&text);
}

/*
 * Workflow code may catch the exception, but the answer it worked with instead is no more deterministic than the one that
 * it was refused. Unless the completion itself reports the refusal, it is replaced by it.
 */
static void check_swallowed(struct sg_run *run, PyObject *activation, PyObject **completion)
{
	if (!*completion || !run->refusal || sg_temporal_reports_refusal(activation, *completion))
		return;
	log_swallowed(run);
	sg_python_clear(completion);
	PyErr_SetObject(sdk.refusal_class, run->refusal);
}

/* --- our instance ------------------------------------------------------------------------------ */

static void release(struct instance *instance)
{
	sg_finaliser_forget(&instance->run);
	sg_python_clear(&instance->inner);
	sg_python_clear(&instance->info);
	sg_python_clear(&instance->completion);
	sg_image_forget(&instance->run);
	sg_run_release(&instance->run);
	free(instance);
}

static void free_instance(PyObject *capsule)
{
	struct instance *instance = PyCapsule_GetPointer(capsule, CAPSULE);

	if (instance && ((instance->inner && instance->activated) || instance->waiting))
		sg_temporal_drop(instance);
	else if (instance)
		release(instance);
}

static struct instance *instance_of(PyObject *object)
{
	PyObject *capsule = PyObject_GetAttr(object, sdk.capsule_name);
	struct instance *instance = capsule ? PyCapsule_GetPointer(capsule, CAPSULE) : NULL;

	sg_python_clear(&capsule); /* the object keeps it */
	return instance;
}

/* What a worker keeps for a run: our object, or, in later versions, one of its own that holds it. */
static struct instance *instance_kept(PyObject *kept)
{
	PyObject *object = sg_python_attribute_or_null(kept, "instance");
	struct instance *instance = instance_of(object ? object : kept);

	PyErr_Clear();
	sg_python_clear(&object);
	return instance;
}

struct visit {
	struct sg_context context, *token;
	PyObject *variables;
	unsigned long outer; /* a stuck thread that the SDK has given up */
};

static int begin(struct instance *instance, struct visit *visit, int milliseconds)
{
	struct sg_run *run = &instance->run;

	*visit = (struct visit){.context = {run, SG_PHASE_RUNTIME, true, NULL, NULL}};
	if (run->image && sg_image_enter(run->image, run, milliseconds) < 0)
		return -EBUSY;
	tell_in_sandbox(true);
	visit->token = enter(&visit->context);
	visit->outer = instance->thread;
	instance->thread = PyThread_get_thread_ident();
	visit->variables = enter_variables();
	return 0;
}

static void end(struct instance *instance, struct visit *visit)
{
	struct sg_run *run = &instance->run;

	leave_variables(visit->variables);
	sg_native_settle(run);
	instance->thread = visit->outer;
	leave(&visit->context, visit->token);
	tell_in_sandbox(false);
	if (run->image)
		sg_image_leave(run->image);
}

static void inside(struct instance *instance, void (*function)(struct instance *))
{
	struct visit visit;

	begin(instance, &visit, -1);
	function(instance);
	end(instance, &visit);
	PyErr_Clear(); /* what compiled code did while the run ended is logged */
	sg_python_clear(&instance->run.refusal);
}

/*
 * Another run of the image does not come to an end. The task fails and is tried again, with another image, where else this
 * thread would wait as long as that one. A removal succeeds: the run ends once it can.
 */
static PyObject *answer_busy(struct instance *instance, PyObject *activation)
{
	PyObject *occupant = sg_image_occupant(instance->run.image), *text;

	if (sg_temporal_is_removal(activation))
		return sg_temporal_no_commands();
	text = PyUnicode_FromFormat("sandglass: an activation of another run of %s (workflow id %s) has not yielded for %d "
			"milliseconds; this task fails and is tried again apart from it",
			sg_python_text(instance->run.policy->workflow_module),
			occupant ? sg_python_text(occupant) : "unknown", MILLISECONDS_BUSY);
	if (text)
		PyErr_SetString(PyExc_RuntimeError, sg_python_text(text));
	sg_python_clear(&text);
	return NULL;
}

static PyObject *activate(struct instance *instance, PyObject *method, PyObject *args, PyObject *kwargs)
{
	struct visit visit;
	PyObject *completion;

	sg_python_clear(&instance->run.refusal);
	instance->run.refusals = 0;
	instance->activated = true;
	if (begin(instance, &visit, MILLISECONDS_BUSY) < 0)
		return answer_busy(instance, PyTuple_GetItem(args, 0));
	completion = PyObject_Call(method, args, kwargs);
	end(instance, &visit);
	check_swallowed(&instance->run, PyTuple_GetItem(args, 0), &completion);
	sg_python_clear(&instance->run.refusal);
	if (completion && !visit.outer && sg_temporal_is_last(instance)) {
		instance->completion = sg_python_ref(completion);
		if (sg_image_idle(&instance->run)) /* else when the SDK drops it */
			sg_temporal_end(instance);
	}
	return completion;
}

/* Every method of the instance but those below: the name is bound as self. */
static PyObject *forward(PyObject *name, PyObject *args, PyObject *kwargs)
{
	PyObject *self = PyTuple_GetItem(args, 0), *rest = NULL, *method = NULL, *result = NULL;
	struct instance *instance = self ? instance_of(self) : NULL;
	struct sg_context context = {NULL, SG_PHASE_RUNTIME, false, NULL, NULL}, *token;

	if (!instance)
		return NULL;
	if (!instance->inner) { /* the SDK gave up waiting for the last answer, and asks again */
		if (instance->completion && strcmp(sg_python_text(name), "activate") == 0)
			return sg_python_ref(instance->completion);
		PyErr_SetString(PyExc_RuntimeError, "sandglass: the run has left the cache");
		return NULL;
	}
	context.run = &instance->run;
	method = PyObject_GetAttr(instance->inner, name);
	rest = PyTuple_GetSlice(args, 1, PyTuple_Size(args));
	if (method && rest) {
		if (strcmp(sg_python_text(name), "activate") == 0 && PyTuple_Size(rest) > 0) {
			result = activate(instance, method, rest, kwargs);
		} else {
			/* The SDK asks about what the activation left behind: dozens of times for each. */
			context.entry = PyEval_GetFrame();
			sg_finaliser_enter(&context);
			token = sg_context_enter(&context);
			result = PyObject_Call(method, rest, kwargs);
			sg_context_leave(token);
			sg_finaliser_leave(&context);
		}
	}
	sg_python_clear(&rest);
	sg_python_clear(&method);
	return result;
}

static PyObject *get_info(PyObject *unused, PyObject *self)
{
	struct instance *instance = instance_of(self);

	(void)unused;
	return instance ? sg_python_ref(instance->info) : NULL;
}

/* Asked by the deadlock detector, from another thread, while activate() is running. */
static PyObject *get_thread_id(PyObject *unused, PyObject *self)
{
	struct instance *instance = instance_of(self);

	(void)unused;
	if (!instance)
		return NULL;
	if (!instance->thread)
		return sg_python_ref(Py_None);
	return PyLong_FromUnsignedLong(instance->thread);
}

static PyMethodDef forward_def = {
	"forward", (PyCFunction)(void *)forward, METH_VARARGS | METH_KEYWORDS, NULL
};
static PyMethodDef get_info_def = {"get_info", get_info, METH_O, NULL};
static PyMethodDef get_thread_id_def = {"get_thread_id", get_thread_id, METH_O, NULL};

static int add_method(PyObject *namespace, PyObject *name, PyMethodDef *def)
{
	PyObject *function = PyCFunction_NewEx(def, name, NULL), *method = NULL;
	int error = -1;

	if (function)
		method = PyInstanceMethod_New(function);
	if (method)
		error = PyDict_SetItem(namespace, name, method);
	sg_python_clear(&method);
	sg_python_clear(&function);
	return error;
}

static int add_named_method(PyObject *namespace, const char *text, PyMethodDef *def)
{
	PyObject *name = PyUnicode_FromString(text);
	int error = name ? add_method(namespace, name, def) : -1;

	sg_python_clear(&name);
	return error;
}

/* A class below the SDK's WorkflowInstance with whatever abstract methods this version has. */
static PyObject *make_instance_class(PyObject *base)
{
	PyObject *abstract = PyObject_GetAttrString(base, "__abstractmethods__"), *iterator = NULL;
	PyObject *namespace = PyDict_New(), *name, *bases = PyTuple_Pack(1, base), *class = NULL;
	PyObject *metaclass = PyObject_Type(base), *class_name = PyUnicode_FromString("_Instance");
	PyObject *module = PyUnicode_FromString("sandglass");
	int error = 0;

	iterator = abstract ? PyObject_GetIter(abstract) : NULL;
	while (iterator && namespace && !error && (name = PyIter_Next(iterator))) {
		error = add_method(namespace, name, &forward_def);
		Py_DecRef(name);
	}
	if (iterator && namespace && bases && metaclass && class_name && module && !error &&
	    !PyErr_Occurred() &&
	    add_named_method(namespace, "get_info", &get_info_def) == 0 &&
	    add_named_method(namespace, "get_thread_id", &get_thread_id_def) == 0 &&
	    PyDict_SetItemString(namespace, "__module__", module) == 0)
		class = PyObject_CallFunctionObjArgs(metaclass, class_name, bases, namespace, NULL);
	sg_python_clear(&module);
	sg_python_clear(&class_name);
	sg_python_clear(&metaclass);
	sg_python_clear(&bases);
	sg_python_clear(&namespace);
	sg_python_clear(&iterator);
	sg_python_clear(&abstract);
	return class;
}

/* --- creating a run ---------------------------------------------------------------------------- */

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

/* The workflow's modules have been imported for the first time. 0, or -1 with an exception. */
static int scan_image(struct sg_image **image, struct sg_context *context)
{
	struct sg_context *token = sg_context_suspend();
	int answer = sg_image_scan(*image, context->run);

	sg_context_leave(token);
	if (answer > 0)
		context->run->image = *image;
	else
		*image = NULL;
	return answer < 0 ? -1 : 0;
}

/* An attribute of the runner, which was private before it became a dataclass. */
static PyObject *runner_attribute(PyObject *runner, const char *public, const char *private)
{
	PyObject *value = sg_python_attribute_or_null(runner, public);

	return value ? value : PyObject_GetAttrString(runner, private);
}

/* The SDK's class InSandbox, which makes the instance that does the work: borrowed. Not there when we are installed. */
static PyObject *in_sandbox(void)
{
	static PyObject *class;
	PyObject *module;

	if (!class) {
		module = PyImport_ImportModule("temporalio.worker.workflow_sandbox._in_sandbox");
		class = module ? PyObject_GetAttrString(module, "InSandbox") : NULL;
		sg_python_clear(&module);
	}
	return class;
}

/* image: whose modules are still to be imported, or NULL; set to NULL when it has been given up. */
static PyObject *make_inner(PyObject *runner, PyObject *details, PyObject *workflow_class,
		struct sg_context *context, struct sg_image **image)
{
	PyObject *runner_class = runner_attribute(runner, "runner_class", "_runner_class");
	PyObject *own_class = NULL, *own_runner = NULL, *box = NULL, *inner = NULL;

	own_class = runner_class ? own_class_of(context->run, workflow_class) : NULL;
	own_runner = own_class ? own_class_of(context->run, runner_class) : NULL;
	if (own_runner && *image && scan_image(image, context) < 0)
		sg_python_clear(&own_runner);
	context->phase = SG_PHASE_RUNTIME;
	if (own_runner && in_sandbox())
		box = PyObject_CallFunctionObjArgs(in_sandbox(), details, own_runner, own_class, NULL);
	if (box)
		inner = PyObject_GetAttrString(box, "instance");
	sg_python_clear(&box);
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
	sg_log_text(&line, "workflow_id", sg_python_text(run->workflow_id));
	sg_log_text(&line, "run_id", sg_python_text(run->run_id));
	sg_log_number(&line, "modules", run->modules ? PyDict_Size(run->modules) : 0);
	sg_log_number(&line, "microseconds", (end.tv_sec - start->tv_sec) * 1000000 +
			(end.tv_nsec - start->tv_nsec) / 1000);
	sg_log_end(&line);
}

static int fill_run(struct instance *instance, PyObject *runner, PyObject *details,
		PyObject *workflow_class, const struct sg_engine *engine)
{
	PyObject *settings = runner_attribute(runner, "restrictions", "_restrictions"), *module = NULL;
	struct sg_run *run = &instance->run;
	int error = -1;

	if (settings)
		module = PyObject_GetAttrString(workflow_class, "__module__");
	if (module && strcmp(sg_python_text(module), "__main__") == 0) {
		Py_DecRef(module);
		module = PyUnicode_FromString(MAIN_COPY);
	}
	if (module)
		instance->info = PyObject_GetAttrString(details, "info");
	if (!instance->info)
		goto out;
	run->workflow_type = sg_python_attribute_or_null(details, "defn.name");
	if (!run->workflow_type || run->workflow_type == Py_None) {
		sg_python_clear(&run->workflow_type);
		run->workflow_type = sg_python_attribute_or_null(instance->info, "workflow_type");
	}
	run->workflow_id = sg_python_attribute_or_null(instance->info, "workflow_id");
	run->run_id = sg_python_attribute_or_null(instance->info, "run_id");
	run->policy = sg_policy_get(engine, settings, module);
	if (run->policy)
		error = 0;
out:
	sg_python_clear(&settings);
	sg_python_clear(&module);
	return error;
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
		return run->modules ? 0 : -1;
	}
	image = sg_image_take(run->policy, &fresh);
	if (!image)
		return -1;
	run->modules = sg_python_ref(sg_image_modules(image));
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
static PyObject *set_up(struct sg_run *run, PyObject *runner, PyObject *details, PyObject *workflow_class)
{
	struct sg_context context = {run, SG_PHASE_IMPORT, false, NULL, NULL}, *token;
	struct sg_image *fresh;
	PyObject *inner, *variables;

	if (give_modules(run, &fresh) < 0)
		return NULL;
	if (run->image && !runs_no_user_code(details))
		sg_image_touch(run->image, run);
	tell_in_sandbox(true);
	token = enter(&context);
	variables = enter_variables();
	if (sg_policy_config->mode == SG_MODE_OBSERVE)
		inner = PyObject_CallFunctionObjArgs(sdk.original_create_instance, runner, details, NULL);
	else
		inner = make_inner(runner, details, workflow_class, &context, &fresh);
	leave_variables(variables);
	sg_native_settle(run);
	leave(&context, token);
	tell_in_sandbox(false);
	if (run->image)
		sg_image_leave(run->image);
	else if (fresh)
		sg_image_discard(fresh);
	return inner;
}

static PyObject *wrap(struct instance *instance)
{
	PyObject *object = PyObject_CallObject(sdk.instance_class, NULL), *capsule;

	capsule = object ? PyCapsule_New(instance, CAPSULE, free_instance) : NULL;
	if (capsule && PyObject_SetAttr(object, sdk.capsule_name, capsule) < 0)
		sg_python_clear(&object);
	if (!capsule)
		sg_python_clear(&object);
	sg_python_clear(&capsule);
	return object;
}

static const struct sg_engine temporal;

static PyObject *create_instance(PyObject *runner, PyObject *args, PyObject *kwargs)
{
	struct sg_call call = {.tuple = args, .kwargs = kwargs};
	PyObject *details = sg_call_argument(&call, 0, "det"), *workflow_class, *object;
	struct instance *instance;
	struct timespec start;

	if (!details) {
		PyErr_SetString(PyExc_TypeError, "create_instance() missing 1 required argument: 'det'");
		return NULL;
	}
	workflow_class = sg_python_attribute(details, "defn.cls");
	if (!workflow_class)
		return NULL;
	instance = calloc(1, sizeof(*instance));
	object = instance ? wrap(instance) : NULL;
	if (!object) {
		Py_DecRef(workflow_class);
		if (!PyErr_Occurred())
			PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
		return NULL;
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	sg_temporal_watch_worker();
	if (fill_run(instance, runner, details, workflow_class, &temporal) == 0) {
		instance->inner = set_up(&instance->run, runner, details, workflow_class);
		if (instance->inner && instance->run.refusal) {
			log_swallowed(&instance->run);
			sg_python_clear(&instance->inner);
			PyErr_SetObject(sdk.refusal_class, instance->run.refusal);
		}
		sg_python_clear(&instance->run.refusal);
	}
	if (instance->inner) {
		sg_finaliser_track(&instance->run);
		log_run(&instance->run, &start);
	} else
		sg_python_clear(&object);
	Py_DecRef(workflow_class);
	return object;
}

static PyMethodDef create_instance_def = {
	"create_instance", (PyCFunction)(void *)create_instance, METH_VARARGS | METH_KEYWORDS,
	"Implements WorkflowRunner.create_instance (Sandglass)."
};

static int install(PyObject *module)
{
	PyObject *restrictions = PyImport_ImportModule("temporalio.worker.workflow_sandbox._restrictions");
	PyObject *workflow = PyImport_ImportModule("temporalio.workflow"), *base, *method, *is_unrestricted;
	int error = -1;

	sdk.capsule_name = PyUnicode_InternFromString("_sandglass");
	sdk.runner_class = PyObject_GetAttrString(module, "SandboxedWorkflowRunner");
	base = PyObject_GetAttrString(module, "WorkflowInstance");
	if (!restrictions || !workflow || !sdk.capsule_name || !sdk.runner_class || !base)
		goto out;
	sdk.original_create_instance = PyObject_GetAttrString(sdk.runner_class, "create_instance");
	sdk.refusal_class = PyObject_GetAttrString(restrictions, "RestrictedWorkflowAccessError");
	sdk.unsafe = PyObject_GetAttrString(workflow, "unsafe");
	if (!sdk.original_create_instance || !sdk.refusal_class || !sdk.unsafe)
		goto out;
	is_unrestricted = sg_python_attribute_or_null(sdk.unsafe, "is_sandbox_unrestricted");
	sg_temporal_unrestricted_install(is_unrestricted);
	sg_python_clear(&is_unrestricted);
	sdk.is_passed_through = sg_python_attribute_or_null(sdk.unsafe, "is_imports_passed_through");
	sdk.set_in_sandbox = sg_python_attribute_or_null(sdk.unsafe, "_set_in_sandbox");
	sdk.instance_class = make_instance_class(base);
	if (!sdk.instance_class || sg_native_install(sdk.refusal_class) < 0 ||
	    sg_temporal_ending_install(inside, release, instance_kept) < 0 ||
	    sg_temporal_settings_install(restrictions, workflow) < 0)
		goto out;
	method = PyDescr_NewMethod((PyTypeObject *)sdk.runner_class, &create_instance_def);
	if (method) {
		error = PyObject_SetAttrString(sdk.runner_class, "create_instance", method);
		Py_DecRef(method);
	}
out:
	sg_python_clear(&base);
	sg_python_clear(&workflow);
	sg_python_clear(&restrictions);
	return error;
}

static void remove_engine(void)
{
	sg_temporal_ending_remove();
	sg_native_remove();
	sg_temporal_unrestricted_remove();
	if (sdk.original_create_instance &&
	    PyObject_SetAttrString(sdk.runner_class, "create_instance", sdk.original_create_instance) < 0)
		PyErr_Clear();
}

SG_ENGINE(temporal) = {
	.name = "temporal",
	.trigger = "temporalio.worker.workflow_sandbox._runner",
	.warns_as = "temporalio.worker.workflow_sandbox._restrictions",
	.install = install,
	.remove = remove_engine,
	.unrestricted = sg_temporal_unrestricted,
	.importing_shared = importing_shared,
	.shares = sg_temporal_shares,
	.judge = sg_temporal_judge,
	.additions = sg_temporal_additions,
	.loading = sg_temporal_loading,
	.lazy = sg_temporal_lazy,
	.forbids = sg_temporal_forbids,
	.refuse = refuse,
	.load = load,
};
