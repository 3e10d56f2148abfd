/*
 * adapter.c - where durabletask (0.1 - 1.12), Dapr workflows (dapr 1.19, dapr-ext-workflow) and Azure's durable functions (1.x)
 * run orchestrators.
 *
 * All three replay an orchestration's whole history in one call, execute() of an executor, on a thread of a pool: that is one
 * activation of a run of its own. durabletask and Dapr look up the orchestrator in there, and make the context that they hand
 * to it; Azure is given both. Whether code that runs meanwhile is the orchestrator's or the engine's, which logs and
 * deserialises, the nearest frame tells. Activities and entities never come here.
 *
 * A refusal fails the orchestration, with the engine's own NonDeterminismError: so does what these engines find out by
 * themselves to be not deterministic, and every exception that leaves an orchestrator. There is no way to let it wait for
 * code that has been mended: a work item that is given back comes again at once, for ever.
 */
#include "hooks/engines/durabletask/item.h"
#include "hooks/engines/durabletask/own.h"

#include "shim/guard/method.h"
#include "shim/interpreter/cpython.h"
#include "shim/native/native.h"

/* --- durabletask and Dapr ---------------------------------------------------------------------- */

static PyObject *execute(struct sg_method *method, PyObject *args, PyObject *kwargs)
{
	struct sg_durable_work work;
	PyObject *answer;

	sg_durable_begin(&work, method->data);
	answer = PyObject_Call(method->original, args, kwargs);
	sg_durable_end(&work, work.context, "_generator", &answer);
	return answer;
}

/* __init__ of the context. */
static PyObject *init_context(struct sg_method *method, PyObject *args, PyObject *kwargs)
{
	struct sg_durable_work *work = sg_durable_work();

	if (work && work->engine == method->data && !work->context) {
		work->context = sg_python_ref(PyTuple_GetItem(args, 0));
		work->owned = true;
	}
	return PyObject_Call(method->original, args, kwargs);
}

/* Dapr's answer is a function and its version. */
static PyObject *get_orchestrator(struct sg_method *method, PyObject *args, PyObject *kwargs)
{
	struct sg_call call = {.tuple = args, .kwargs = kwargs};
	struct sg_durable_work *work = sg_durable_work();
	PyObject *found = PyObject_Call(method->original, args, kwargs), *function, *own, *answer;
	bool pair = found && sg_cpython_type(found) == &PyTuple_Type;

	function = pair ? PyTuple_GetItem(found, 0) : found;
	if (!work || work->engine != method->data || !work->context || work->item || !function || function == Py_None)
		return found;
	own = sg_durable_enter(work, function, sg_call_argument(&call, 1, "name"));
	answer = own && pair ? PyTuple_Pack(2, own, PyTuple_GetItem(found, 1)) : sg_python_ref(own);
	sg_python_clear(&own);
	sg_python_clear(&found);
	return answer;
}

/* --- Azure ------------------------------------------------------------------------------------- */

/* execute(self, context, history, fn) */
static PyObject *execute_given(struct sg_method *method, PyObject *args, PyObject *kwargs)
{
	struct sg_call call = {.tuple = args, .kwargs = kwargs};
	PyObject *context = sg_call_argument(&call, 1, "context"), *history = sg_call_argument(&call, 2, "history");
	PyObject *function = sg_call_argument(&call, 3, "fn"), *own, *answer = NULL;
	struct sg_durable_work work;

	if (!context || !history || !function)
		return PyObject_Call(method->original, args, kwargs);
	sg_durable_begin(&work, method->data);
	work.context = sg_python_ref(context);
	own = sg_durable_enter(&work, function, NULL);
	if (own)
		answer = PyObject_CallFunctionObjArgs(method->original, PyTuple_GetItem(args, 0), context, history, own, NULL);
	sg_python_clear(&own);
	sg_durable_end(&work, PyTuple_GetItem(args, 0), "generator", &answer);
	return answer;
}

/* --- put in place, and taken away -------------------------------------------------------------- */

static const struct sg_engine durabletask, dapr, azure;

#define METHOD(engine, its_class, its_name, function) \
	{.class = its_class, .name = its_name, .call = function, .data = (void *)&engine}

static struct sg_method methods[] = {
	METHOD(durabletask, "_OrchestrationExecutor", "execute", execute),
	METHOD(durabletask, "_RuntimeOrchestrationContext", "__init__", init_context),
	METHOD(durabletask, "_Registry", "get_orchestrator", get_orchestrator),
	METHOD(dapr, "_OrchestrationExecutor", "execute", execute),
	METHOD(dapr, "_RuntimeOrchestrationContext", "__init__", init_context),
	METHOD(dapr, "_Registry", "get_orchestrator", get_orchestrator),
	METHOD(azure, "TaskOrchestrationExecutor", "execute", execute_given),
};

#define METHODS (sizeof(methods) / sizeof(methods[0]))

static int install(const struct sg_engine *engine, PyObject *module)
{
	int error = *engine->refusal ? sg_native_install(engine) : -1;

	for (size_t i = 0; i < METHODS && !error; i++)
		if (methods[i].data == engine)
			error = sg_method_put(&methods[i], module);
	return error;
}

static void remove_all(void)
{
	for (size_t i = 0; i < METHODS; i++)
		sg_method_remove(&methods[i]);
}

/* Azure's library leaves the word to its host, which none of its exceptions stands for. */
static PyObject *make_refusal_class(void)
{
	PyObject *name = PyUnicode_FromString("NonDeterminismError"), *bases = PyTuple_Pack(1, PyExc_RuntimeError);
	PyObject *namespace = PyDict_New(), *module = PyUnicode_FromString("azure.durable_functions"), *class = NULL;

	if (name && bases && namespace && module && PyDict_SetItemString(namespace, "__module__", module) == 0)
		class = PyObject_CallFunctionObjArgs((PyObject *)&PyType_Type, name, bases, namespace, NULL);
	sg_python_clear(&module);
	sg_python_clear(&namespace);
	sg_python_clear(&bases);
	sg_python_clear(&name);
	return class;
}

static PyObject *refusal_class_of(PyObject *module)
{
	PyObject *class = sg_python_attribute_or_null(module, "task.NonDeterminismError");

	return class ? class : make_refusal_class();
}

#define ENGINE(identifier, its_trigger) \
	static PyObject *identifier##_refusal; \
	static int identifier##_install(PyObject *module) \
	{ \
		identifier##_refusal = refusal_class_of(module); \
		return install(&identifier, module); \
	} \
	SG_ENGINE(identifier) = { \
		.name = #identifier, .trigger = its_trigger, \
		.main_name = "__" #identifier "_main__", .refusal = &identifier##_refusal, \
		.install = identifier##_install, .remove = remove_all, .shares = sg_durable_shares, .lazy = sg_durable_lazy, \
		.knows = sg_durable_knows, .end = sg_durable_end_run, .free = sg_durable_free, \
	}

ENGINE(durabletask, "durabletask.worker");
ENGINE(dapr, "dapr.ext.workflow._durabletask.worker");
ENGINE(azure, "azure.durable_functions.models.TaskOrchestrationExecutor");
