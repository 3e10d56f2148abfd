#include "hooks/engines/temporal/in_sandbox.h"

#include "hooks/engines/temporal/sdk.h"

#include <stdint.h>

static PyObject *truths[2], *value_name; /* False and True, "value" */
static PyObject *flag; /* the SDK's, a threading.local with the attribute "value"; NULL: it must be asked to set it */

/* The dict that holds what the flag is for this thread; borrowed, it goes with the thread's state. NULL with an exception. */
static PyObject *flag_of_thread(void)
{
	static __thread uint64_t thread;
	static __thread PyObject *dict;
	uint64_t now = PyThreadState_GetID(PyThreadState_Get());

	if (thread != now) {
		dict = PyObject_GetAttrString(flag, "__dict__");
		if (dict)
			Py_DecRef(dict);
		thread = dict ? now : 0;
	}
	return dict;
}

static int set_flag(bool inside)
{
	PyObject *dict = flag_of_thread();

	return dict ? PyDict_SetItem(dict, value_name, truths[inside]) : -1;
}

/* Is it what the SDK's function has set, and does the attribute follow the dict? */
static bool follows(PyObject *function, bool inside)
{
	PyObject *done = PyObject_CallFunctionObjArgs(function, truths[inside], NULL);
	PyObject *before = done ? PyObject_GetAttr(flag, value_name) : NULL, *after = NULL;
	bool same;

	if (before && set_flag(!inside) == 0)
		after = PyObject_GetAttr(flag, value_name);
	same = before == truths[inside] && after == truths[!inside];
	PyErr_Clear();
	sg_python_clear(&after);
	sg_python_clear(&before);
	sg_python_clear(&done);
	return same;
}

/*
 * The SDK's own function for it sets an attribute of a threading.local. Where that is so, as a trial shows, it is set
 * without a call of Python code.
 */
static void find_flag(PyObject *function)
{
	flag = sg_python_global(function, "_in_sandbox");
	if (flag && !(follows(function, true) && follows(function, false)))
		sg_python_clear(&flag);
}

void sg_temporal_in_sandbox(bool inside)
{
	static bool looked;
	PyObject *type, *value, *traceback, *result;

	if (!sg_temporal_sdk.set_in_sandbox)
		return;
	PyErr_Fetch(&type, &value, &traceback);
	if (!looked) {
		looked = true;
		truths[0] = PyBool_FromLong(0);
		truths[1] = PyBool_FromLong(1);
		value_name = PyUnicode_InternFromString("value");
		find_flag(sg_temporal_sdk.set_in_sandbox);
	}
	if (flag) {
		set_flag(inside);
	} else {
		result = PyObject_CallFunctionObjArgs(sg_temporal_sdk.set_in_sandbox, truths[inside], NULL);
		sg_python_clear(&result);
	}
	PyErr_Clear();
	PyErr_Restore(type, value, traceback);
}
