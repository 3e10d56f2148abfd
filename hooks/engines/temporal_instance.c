#include "hooks/engines/temporal_instance.h"

#include "hooks/engines/temporal_completion.h"
#include "hooks/engines/temporal_ending.h"
#include "hooks/engines/temporal_visit.h"

#include "shim/life/finaliser.h"
#include "shim/life/leave.h"
#include "shim/life/policies.h"
#include "shim/state/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPSULE "sandglass.instance"
#define MILLISECONDS_BUSY 1900 /* less than the SDK's deadlock detector waits */

static PyObject *instance_class; /* ours */
static PyObject *capsule_name;   /* str: attribute that holds our record */

static void release(struct instance *instance)
{
	struct sg_policy *policy = instance->run.policy;

	sg_finaliser_forget(&instance->run);
	sg_python_clear(&instance->inner);
	sg_python_clear(&instance->info);
	sg_python_clear(&instance->completion);
	sg_python_clear(&instance->variables);
	sg_image_forget(&instance->run);
	sg_image_drop(&instance->run);
	sg_run_release(&instance->run);
	if (policy)
		sg_policies_release(policy);
	free(instance);
}

static void free_instance(PyObject *capsule)
{
	struct instance *instance = PyCapsule_GetPointer(capsule, CAPSULE);

	if (instance)
		instance->object = NULL;
	if (instance && ((instance->inner && instance->activated) || instance->waiting))
		sg_temporal_drop(instance);
	else if (instance)
		release(instance);
}

static struct instance *instance_of(PyObject *object)
{
	PyObject *capsule = PyObject_GetAttr(object, capsule_name);
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

static int begin(struct instance *instance, struct sg_temporal_visit *visit, int milliseconds)
{
	struct sg_run *run = &instance->run;

	*visit = (struct sg_temporal_visit){.context = {run, SG_PHASE_RUNTIME, true, NULL, NULL}};
	if (run->image && sg_image_enter(run->image, run, milliseconds) < 0)
		return -EBUSY;
	sg_temporal_visit_begin(instance, visit);
	return 0;
}

static void end(struct instance *instance, struct sg_temporal_visit *visit)
{
	sg_temporal_visit_end(instance, visit);
	if (instance->run.image)
		sg_image_leave(instance->run.image);
}

static void inside(struct instance *instance, void (*function)(struct instance *))
{
	struct sg_temporal_visit visit;

	begin(instance, &visit, -1);
	function(instance);
	end(instance, &visit);
	PyErr_Clear(); /* what compiled code did while the run ended is logged */
	sg_python_clear(&instance->run.refusal);
}

static PyObject *answer_gone(void)
{
	PyErr_SetString(PyExc_RuntimeError, "sandglass: the run has left the cache");
	return NULL;
}

/* What the SDK is told that gave up waiting for the last answer, and asks again. */
static PyObject *answer_again(const struct instance *instance)
{
	if (instance->completion)
		return sg_python_ref(instance->completion);
	return answer_gone();
}

/*
 * Another run of the image does not come to an end. The task fails and is tried again, with another image, where else this
 * thread would wait as long as that one. A removal succeeds: the run ends once it can. But one that is stuck itself has
 * not left: were it forgotten, the server's next try would get a thread stuck as well, and the next.
 */
static PyObject *answer_busy(const struct instance *instance, PyObject *activation)
{
	PyObject *occupant = sg_image_occupant(instance->run.image), *text;

	if (instance->thread) {
		PyErr_SetString(PyExc_RuntimeError, "sandglass: an activation of this run has not yielded; it cannot be removed yet");
		return NULL;
	}
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

/* As above, for a run of an image that is not what it was: with a removal the SDK makes room for another instance. */
static PyObject *answer_lost(const struct instance *instance)
{
	PyObject *text = PyUnicode_FromFormat("sandglass: what a run of %s changed could not be kept apart (the log says what, with "
			"event=lost); this task fails and is tried again with modules of its own",
			sg_python_text(instance->run.policy->workflow_module));

	if (text)
		PyErr_SetString(PyExc_RuntimeError, sg_python_text(text));
	sg_python_clear(&text);
	return NULL;
}

#define ARGUMENTS_MAX 16 /* the methods have one or two */

static PyObject *call_inner(const struct instance *instance, PyObject *name, const struct sg_call *call)
{
	size_t count = (size_t)call->nargs + (call->kwnames ? (size_t)PyTuple_Size(call->kwnames) : 0);
	PyObject *inner = sg_python_ref(instance->inner), *args[ARGUMENTS_MAX] = {inner}, *result = NULL;

	if (count > ARGUMENTS_MAX) {
		PyErr_SetString(PyExc_TypeError, "sandglass: too many arguments");
	} else {
		memcpy(args + 1, call->args + 1, (count - 1) * sizeof(args[0]));
		result = PyObject_VectorcallMethod(name, args, (size_t)call->nargs, call->kwnames);
	}
	Py_DecRef(inner);
	return result;
}

static PyObject *activate(struct instance *instance, PyObject *activation, PyObject *name, const struct sg_call *call)
{
	struct sg_temporal_visit visit;
	PyObject *completion;

	sg_python_clear(&instance->run.refusal);
	instance->run.refusals = 0;
	instance->run.late = false;
	instance->activated = true;
	if (begin(instance, &visit, MILLISECONDS_BUSY) < 0)
		return answer_busy(instance, activation);
	if (!instance->inner) { /* it left while this thread waited */
		end(instance, &visit);
		return answer_again(instance);
	}
	if (instance->run.image && sg_image_lost(instance->run.image) && !sg_temporal_is_removal(activation)) {
		end(instance, &visit);
		return answer_lost(instance);
	}
	completion = call_inner(instance, name, call);
	if (!completion && (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) || PyErr_ExceptionMatches(PyExc_SystemExit)))
		instance->escaped = true;
	end(instance, &visit);
	sg_temporal_raise_late(&instance->run, instance->inner, activation, completion);
	sg_temporal_check_swallowed(&instance->run, activation, &completion);
	sg_python_clear(&instance->run.refusal);
	if (completion && !visit.outer && instance->inner && sg_temporal_is_last(instance)) {
		if (!instance->completion)
			instance->completion = sg_python_ref(completion);
		if (sg_image_idle(&instance->run)) /* else when the SDK drops it */
			sg_temporal_end(instance);
	}
	return completion;
}

/* The methods of the instance; the name is bound as self. */

typedef PyObject *(*forward)(struct instance *, PyObject *name, const struct sg_call *);

static PyObject *forward_activate(struct instance *instance, PyObject *name, const struct sg_call *call)
{
	PyObject *activation = sg_call_argument(call, 1, "act");

	if (activation)
		return instance->inner ? activate(instance, activation, name, call) : answer_again(instance);
	PyErr_SetString(PyExc_TypeError, "activate() missing 1 required argument: 'act'");
	return NULL;
}

/* What versions to come may have, and plain_methods once inner has left. */
static PyObject *forward_any(struct instance *instance, PyObject *name, const struct sg_call *call)
{
	struct sg_context context = {&instance->run, SG_PHASE_RUNTIME, false, NULL, NULL}, *token;
	PyObject *result;

	if (!instance->inner)
		return answer_gone();
	context.entry = PyEval_GetFrame();
	sg_context_begin(&context);
	token = sg_context_enter(&context);
	result = call_inner(instance, name, call);
	sg_context_leave(token);
	sg_context_end(&context);
	return result;
}

static PyObject *with_instance(forward forward, PyObject *name, const struct sg_call *call)
{
	struct instance *instance = call->nargs > 0 ? instance_of(call->args[0]) : NULL;

	if (!instance && !PyErr_Occurred())
		PyErr_SetString(PyExc_TypeError, "unbound method needs an argument");
	return instance ? forward(instance, name, call) : NULL;
}

#define METHOD(function) \
	static PyObject *method_##function(PyObject *name, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) \
	{ \
		return with_instance(forward_##function, name, \
				&(struct sg_call){.args = args, .nargs = nargs, .kwnames = kwnames}); \
	} \
	static PyMethodDef function##_def = { \
		#function, (PyCFunction)(void *)method_##function, METH_FASTCALL | METH_KEYWORDS, NULL \
	}

METHOD(activate);
METHOD(any);

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

/*
 * Asked dozens of times for each activation, about what it left behind. No code of users runs, so the object has inner's
 * own methods, in its dict, as long as inner is there.
 */
#define PLAIN_METHODS 2

static const char *const plain_methods[PLAIN_METHODS] = {"get_serialization_context", "get_external_store_context"};
static PyObject *plain_names[PLAIN_METHODS];

int sg_temporal_instance_lend(struct instance *instance)
{
	int error = 0;

	for (int i = 0; i < PLAIN_METHODS && !error; i++) {
		PyObject *method = sg_python_attribute_or_null(instance->inner, plain_methods[i]);

		if (method)
			error = PyObject_SetAttr(instance->object, plain_names[i], method);
		sg_python_clear(&method);
	}
	return error;
}

static void take_back(struct instance *instance)
{
	for (int i = 0; instance->object && i < PLAIN_METHODS; i++)
		if (PyObject_SetAttr(instance->object, plain_names[i], NULL) < 0)
			PyErr_Clear(); /* a version that has no such method */
}

static PyMethodDef *def_of(const char *name)
{
	return strcmp(name, "activate") == 0 ? &activate_def : &any_def;
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
		error = add_method(namespace, name, def_of(sg_python_text(name)));
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

static PyObject *wrap(struct instance *instance)
{
	PyObject *object = PyObject_CallObject(instance_class, NULL), *capsule;

	capsule = object ? PyCapsule_New(instance, CAPSULE, free_instance) : NULL;
	if (capsule && PyObject_SetAttr(object, capsule_name, capsule) < 0)
		sg_python_clear(&object);
	if (!capsule)
		sg_python_clear(&object);
	instance->object = object;
	sg_python_clear(&capsule); /* where nobody keeps it, the record goes with it */
	return object;
}

PyObject *sg_temporal_instance_new(struct instance **ret_instance)
{
	struct instance *instance = calloc(1, sizeof(*instance));
	PyObject *object = instance ? wrap(instance) : NULL;

	if (!object && !PyErr_Occurred())
		PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
	if (object)
		*ret_instance = instance;
	return object;
}

int sg_temporal_instance_install(PyObject *base)
{
	capsule_name = PyUnicode_InternFromString("_sandglass");
	for (int i = 0; i < PLAIN_METHODS; i++)
		if (!(plain_names[i] = PyUnicode_InternFromString(plain_methods[i])))
			return -1;
	instance_class = capsule_name ? make_instance_class(base) : NULL;
	return instance_class ? sg_temporal_ending_install(inside, take_back, release, instance_kept) : -1;
}

void sg_temporal_instance_remove(void)
{
	sg_temporal_ending_remove();
}
