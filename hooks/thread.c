/*
 * thread.c - threads and waiting for them. The rules are in config/default.conf.
 */
#include "shim/family.h"

#include <string.h>

/*
 * A wait with a time-out: lock.acquire(blocking, timeout), SimpleQueue.get(block, timeout). A negative
 * time-out is acquire's word for none.
 */
static bool timeout(struct sg_call *call, int argument)
{
	PyObject *value = sg_call_argument(call, 1, "timeout");
	double seconds;

	(void)argument;
	if (!value || value == Py_None)
		return false;
	seconds = PyFloat_AsDouble(value);
	if (seconds == -1 && PyErr_Occurred()) {
		PyErr_Clear();
		return false;
	}
	return seconds >= 0;
}

static const struct sg_condition_entry conditions[] = {{"timeout", timeout}, {NULL, NULL}};

SG_FAMILY(thread_family) = {.name = "thread", .conditions = conditions};
