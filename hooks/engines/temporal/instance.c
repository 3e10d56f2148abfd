#include "hooks/engines/temporal/instance.h"

#include "hooks/engines/temporal/completion.h"
#include "hooks/engines/temporal/leaving.h"

#include "shim/guard/family.h"
#include "shim/life/leave.h"
#include "shim/life/visit.h"
#include "shim/state/image.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CAPSULE "sandglass.instance"
#define MILLISECONDS_BUSY 1900 /* less than the SDK's deadlock detector waits */

static PyObject *instance_class; /* ours */
static PyObject *capsule_name;   /* str: attribute that holds our record */

static struct instance *instance_of_run(struct sg_run *run)
{
	return (struct instance *)((char *)run - offsetof(struct instance, run));
}

/* As `instance.name`, where name is made once; NULL without an exception: there is none. */
static PyObject *attribute(PyObject *instance, PyObject **kept_name, const char *name)
{
	PyObject *value = NULL;

	if (!*kept_name)
		*kept_name = PyUnicode_InternFromString(name);
	if (*kept_name)
		value = PyObject_GetAttr(instance, *kept_name);
	PyErr_Clear();
	return value;
}

/* Before SDK 1.23 the instance does not keep the seed, and a reset goes unnoticed: the stream is the same as before it. */
PyObject *sg_temporal_knows(const struct sg_run *run, int64_t *ret_now)
{
	static PyObject *time_name, *seed_name;
	PyObject *time = attribute(run->root, &time_name, "_time_ns"), *seed;

	if (!time)
		return NULL;
	*ret_now = PyLong_AsLong(time);
	seed = attribute(run->root, &seed_name, "_current_seed");
	PyErr_Clear();
	sg_python_clear(&time);
	return seed ? seed : sg_python_ref(instance_of_run((struct sg_run *)run)->seed);
}

bool sg_temporal_aside(const struct sg_run *run)
{
	static PyObject *name, *old_name;
	PyObject *value = attribute(run->root, &name, "_in_query_or_validator");
	bool aside;

	if (!value)
		value = attribute(run->root, &old_name, "_read_only");
	aside = value && PyObject_IsTrue(value) > 0;
	PyErr_Clear();
	sg_python_clear(&value);
	return aside;
}

void sg_temporal_free(struct sg_run *run)
{
	struct instance *instance = instance_of_run(run);

	sg_python_clear(&instance->info);
	sg_python_clear(&instance->seed);
	sg_python_clear(&instance->completion);
	sg_run_release(run);
	free(instance);
}

static void free_instance(PyObject *capsule)
{
	struct instance *instance = PyCapsule_GetPointer(capsule, CAPSULE);

	if (!instance)
		return;
	instance->object = NULL;
	if (instance->run.policy)
		sg_leave_drop(&instance->run);
	else
		sg_temporal_free(&instance->run);
}

static struct instance *instance_of(PyObject *object)
{
	PyObject *capsule = PyObject_GetAttr(object, capsule_name);
	struct instance *instance = capsule ? PyCapsule_GetPointer(capsule, CAPSULE) : NULL;

	sg_python_clear(&capsule); /* the object keeps it */
	return instance;
}

/* In later versions of the SDK it is one of its own that holds ours. */
struct instance *sg_temporal_instance_kept(PyObject *kept)
{
	PyObject *object = sg_python_attribute_or_null(kept, "instance");
	struct instance *instance = instance_of(object ? object : kept);

	PyErr_Clear();
	sg_python_clear(&object);
	return instance;
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
	if (instance->run.thread) {
		PyErr_SetString(PyExc_RuntimeError, "sandglass: an activation of this run has not yielded; it cannot be removed yet");
		return NULL;
	}
	if (sg_temporal_is_removal(activation))
		return sg_temporal_no_commands();
	sg_visit_fail_busy(&instance->run, MILLISECONDS_BUSY);
	return NULL;
}

#define ARGUMENTS_MAX 16 /* the methods have one or two */

static PyObject *call_inner(const struct instance *instance, PyObject *name, const struct sg_call *call)
{
	size_t count = (size_t)call->nargs + (call->kwnames ? (size_t)PyTuple_Size(call->kwnames) : 0);
	PyObject *inner = sg_python_ref(instance->run.root), *args[ARGUMENTS_MAX] = {inner}, *result = NULL;

	if (count > ARGUMENTS_MAX) {
		PyErr_SetString(PyExc_TypeError, "sandglass: too many arguments");
	} else {
		memcpy(args + 1, call->args + 1, (count - 1) * sizeof(args[0]));
		result = PyObject_VectorcallMethod(name, args, (size_t)call->nargs, call->kwnames);
	}
	Py_DecRef(inner);
	return result;
}

/* The time that the SDK will take from it; 0: it has none. */
static int64_t time_of(PyObject *activation)
{
	static PyObject *timestamp_name, *seconds_name, *nanos_name;
	PyObject *timestamp = attribute(activation, &timestamp_name, "timestamp");
	PyObject *seconds = timestamp ? attribute(timestamp, &seconds_name, "seconds") : NULL;
	PyObject *nanos = timestamp ? attribute(timestamp, &nanos_name, "nanos") : NULL;
	int64_t time = seconds && nanos ? PyLong_AsLong(seconds) * INT64_C(1000000000) + PyLong_AsLong(nanos) : 0;

	PyErr_Clear();
	sg_python_clear(&nanos);
	sg_python_clear(&seconds);
	sg_python_clear(&timestamp);
	return time;
}

static PyObject *activate(struct instance *instance, PyObject *activation, PyObject *name, const struct sg_call *call)
{
	struct sg_run *run = &instance->run;
	struct sg_visit visit;
	PyObject *completion;

	run->answered.compiled = time_of(activation);
	switch (sg_visit_begin(run, &visit, MILLISECONDS_BUSY)) {
	case 0:
		break;
	case -ENOENT:
		return answer_again(instance);
	default:
		return answer_busy(instance, activation);
	}
	/* With a removal the SDK makes room for another instance. */
	if (run->image && sg_image_lost(run->image) && !sg_temporal_is_removal(activation)) {
		sg_visit_end(run, &visit);
		sg_visit_fail_lost(run);
		return NULL;
	}
	completion = call_inner(instance, name, call);
	if (!completion && (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) || PyErr_ExceptionMatches(PyExc_SystemExit)))
		instance->escaped = true;
	sg_visit_end(run, &visit);
	sg_temporal_raise_late(run, run->root, activation, completion);
	sg_temporal_check_swallowed(run, activation, &completion);
	if (completion && !visit.outer && run->root && sg_temporal_is_last(instance)) {
		if (!instance->completion)
			instance->completion = sg_python_ref(completion);
		if (sg_image_idle(run)) /* else when the SDK drops it */
			sg_leave_end(run);
	}
	return completion;
}

/* The methods of the instance; the name is bound as self. */

typedef PyObject *(*forward)(struct instance *, PyObject *name, const struct sg_call *);

static PyObject *forward_activate(struct instance *instance, PyObject *name, const struct sg_call *call)
{
	PyObject *activation = sg_call_argument(call, 1, "act");

	if (activation)
		return instance->run.root ? activate(instance, activation, name, call) : answer_again(instance);
	PyErr_SetString(PyExc_TypeError, "activate() missing 1 required argument: 'act'");
	return NULL;
}

/* What versions to come may have, and plain_methods once the run has ended. */
static PyObject *forward_any(struct instance *instance, PyObject *name, const struct sg_call *call)
{
	struct sg_run *run = &instance->run;
	struct sg_visit visit;
	PyObject *result;

	if (!run->root)
		return answer_gone();
	switch (sg_visit_begin(run, &visit, MILLISECONDS_BUSY)) {
	case 0:
		break;
	case -ENOENT:
		return answer_gone();
	default:
		sg_visit_fail_busy(run, MILLISECONDS_BUSY);
		return NULL;
	}
	visit.context.activation = false;
	result = call_inner(instance, name, call);
	sg_visit_end(run, &visit);
	sg_visit_check_swallowed(run, &result, false);
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
	if (!instance->run.thread)
		return sg_python_ref(Py_None);
	return PyLong_FromUnsignedLong(instance->run.thread);
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
		PyObject *method = sg_python_attribute_or_null(instance->run.root, plain_methods[i]);

		if (method)
			error = PyObject_SetAttr(instance->object, plain_names[i], method);
		sg_python_clear(&method);
	}
	return error;
}

/* The SDK's instance is about to go. */
void sg_temporal_ended(struct sg_run *run)
{
	struct instance *instance = instance_of_run(run);

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
	if (!capsule) {
		sg_python_clear(&object);
		free(instance);
		return NULL;
	}
	if (PyObject_SetAttr(object, capsule_name, capsule) < 0)
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
	return instance_class ? 0 : -1;
}
