#include "hooks/engines/temporal/leaving.h"

#include <string.h>

static PyObject *get_running_loop, *set_running_loop; /* asyncio's */

bool sg_temporal_is_last(const struct instance *instance)
{
	/* In mode observe it is the SDK's own sandbox, which has none. */
	return sg_python_is_true(instance->run.root, "_deleting");
}

static void run_loop(PyObject *loop)
{
	PyObject *result = PyObject_CallFunctionObjArgs(set_running_loop, loop, NULL);

	if (!result)
		PyErr_Clear();
	sg_python_clear(&result);
}

/* An SDK that never evicted the run must be told. */
static void tell_deleting(PyObject *inner)
{
	static const char *const flags[] = {"_deleting", "_is_replaying"};
	PyObject *yes = PyBool_FromLong(1);

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (PyObject_HasAttrString(inner, flags[i]) && PyObject_SetAttrString(inner, flags[i], yes) < 0)
			PyErr_Clear();
	Py_DecRef(yes);
}

/* What tasks and futures that go ask their loop, and what workflow.info() goes through. */
static bool is_needed(const char *name)
{
	static const char *const needed[] = {"_deleting", "_info", "_inbound", "_outbound"};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (strcmp(name, needed[i]) == 0)
			return true;
	return strncmp(name, "__temporal", 10) == 0;
}

static bool is_flag(const char *name)
{
	return strcmp(name, "_deleting") == 0;
}

static void empty(PyObject *inner, bool (*stays)(const char *))
{
	PyObject *dict = PyObject_GenericGetDict(inner, NULL), *values = dict ? PyDict_Copy(dict) : NULL, *key, *value;
	Py_ssize_t position = 0;

	/* No code runs before what stays is there again: the copy holds everything. */
	if (values)
		PyDict_Clear(dict);
	while (values && PyDict_Next(values, &position, &key, &value))
		if (stays(sg_python_text(key)) && PyDict_SetItem(dict, key, value) < 0)
			PyErr_Clear();
	PyErr_Clear();
	sg_python_clear(&dict);
	sg_python_clear(&values);
}

void sg_temporal_end(struct sg_run *run, void (*close)(struct sg_run *run))
{
	PyObject *loop = PyObject_CallObject(get_running_loop, NULL);

	if (!loop)
		PyErr_Clear();
	tell_deleting(run->root);
	run_loop(run->root);
	close(run);
	empty(run->root, is_needed);
	run_loop(loop ? loop : Py_None);
	empty(run->root, is_flag);
	sg_python_clear(&loop);
}

int sg_temporal_leaving_install(void)
{
	PyObject *events = PyImport_ImportModule("asyncio");

	if (events) {
		get_running_loop = PyObject_GetAttrString(events, "_get_running_loop");
		set_running_loop = PyObject_GetAttrString(events, "_set_running_loop");
	}
	sg_python_clear(&events);
	return get_running_loop && set_running_loop ? 0 : -1;
}
