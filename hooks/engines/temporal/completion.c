#include "hooks/engines/temporal/completion.h"

#include "shim/interpreter/cpython.h"
#include "shim/life/visit.h"

#include <string.h>

static bool is_refusal(PyObject *failure)
{
	PyObject *type = sg_python_attribute_or_null(failure, "application_failure_info.type");
	bool same = type && strcmp(sg_python_text(type), "RestrictedWorkflowAccessError") == 0;

	sg_python_clear(&type);
	return same;
}

/* Does this command of the completion carry the refusal to whoever asked? */
static bool carries_refusal(PyObject *command)
{
	static const char *const paths[] = {
		"fail_workflow_execution.failure", "respond_to_query.failed",
		"update_response.rejected"
	};
	PyObject *failure;
	bool found = false;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && !found; i++) {
		failure = sg_python_attribute_or_null(command, paths[i]);
		found = failure && is_refusal(failure);
		sg_python_clear(&failure);
	}
	return found;
}

static bool field_is_set(PyObject *message, const char *field)
{
	PyObject *method = PyObject_GetAttrString(message, "HasField"), *name, *answer = NULL;
	bool set;

	name = method ? PyUnicode_FromString(field) : NULL;
	if (name)
		answer = PyObject_CallFunctionObjArgs(method, name, NULL);
	set = answer && PyObject_IsTrue(answer) > 0;
	PyErr_Clear();
	sg_python_clear(&answer);
	sg_python_clear(&name);
	sg_python_clear(&method);
	return set;
}

/* True when an item of the repeated field at path makes test true. */
static bool any_item(PyObject *message, const char *path, bool (*test)(PyObject *))
{
	PyObject *items = sg_python_attribute_or_null(message, path), *iterator, *item;
	bool found = false;

	iterator = items ? PyObject_GetIter(items) : NULL;
	while (iterator && !found && (item = PyIter_Next(iterator))) {
		found = test(item);
		Py_DecRef(item);
	}
	PyErr_Clear();
	sg_python_clear(&iterator);
	sg_python_clear(&items);
	return found;
}

static bool is_removal(PyObject *job)
{
	return field_is_set(job, "remove_from_cache");
}

bool sg_temporal_is_removal(PyObject *activation)
{
	return any_item(activation, "jobs", is_removal);
}

PyObject *sg_temporal_no_commands(void)
{
	PyObject *module = PyImport_ImportModule("temporalio.bridge.proto.workflow_completion");
	PyObject *class = module ? PyObject_GetAttrString(module, "WorkflowActivationCompletion") : NULL;
	PyObject *completion = class ? PyObject_CallObject(class, NULL) : NULL;
	PyObject *method = completion ? sg_python_attribute(completion, "successful.SetInParent") : NULL;
	PyObject *done = method ? PyObject_CallObject(method, NULL) : NULL;

	if (!done)
		sg_python_clear(&completion);
	sg_python_clear(&done);
	sg_python_clear(&method);
	sg_python_clear(&class);
	sg_python_clear(&module);
	return completion;
}

/*
 * Nobody is left to be told: the task fails anyway, the workflow, query or update fails with the refusal itself, or
 * the run is being removed from the cache, which must succeed.
 */
static bool reports_refusal(PyObject *activation, PyObject *completion)
{
	return field_is_set(completion, "failed") ||
	       any_item(completion, "successful.commands", carries_refusal) ||
	       sg_temporal_is_removal(activation);
}

/* As the SDK's activate() does with what the workflow raises; nothing but this may end the workflow then. */
static const char *const LATE_SOURCE =
	"TERMINAL = {'complete_workflow_execution', 'continue_as_new_workflow_execution', 'cancel_workflow_execution'}\n"
	"def fail(inner, activation, completion, refusal):\n"
	"    if activation.is_replaying or any(j.HasField('query_workflow') for j in activation.jobs): return False\n"
	"    fails = getattr(inner, 'workflow_is_failure_exception', None) or inner._is_workflow_failure_exception # its older name\n"
	"    if completion.HasField('failed') or not fails(refusal): return False\n"
	"    commands = completion.successful.commands\n"
	"    if any(c.HasField('fail_workflow_execution') for c in commands): return False\n"
	"    kept = [c for c in commands if c.WhichOneof('variant') not in TERMINAL]\n"
	"    if len(kept) != len(commands):\n"
	"        del commands[:]\n"
	"        commands.extend(kept)\n"
	"    inner._current_completion = completion\n"
	"    inner._set_workflow_failure(refusal)\n"
	"    return True\n";

void sg_temporal_raise_late(struct sg_run *run, PyObject *inner, PyObject *activation, PyObject *completion)
{
	static PyObject *fail;
	PyObject *namespace, *done = NULL;

	if (!run->late || !run->refusal || !inner || !completion)
		return;
	if (!fail) {
		namespace = sg_cpython_run(LATE_SOURCE, NULL, NULL);
		fail = namespace ? sg_python_ref(sg_cpython_item(namespace, "fail")) : NULL;
		sg_python_clear(&namespace);
	}
	if (fail)
		done = PyObject_CallFunctionObjArgs(fail, inner, activation, completion, run->refusal, NULL);
	PyErr_Clear(); /* another version of the SDK: the task fails */
	if (done && PyObject_IsTrue(done) > 0)
		sg_python_clear(&run->refusal);
	sg_python_clear(&done);
}

void sg_temporal_check_swallowed(struct sg_run *run, PyObject *activation, PyObject **answer)
{
	sg_visit_check_swallowed(run, answer, *answer && run->refusal && reports_refusal(activation, *answer));
}
