/*
 * conditions.c - threads and waiting for them. The rules are in rules.conf.
 */
#include "shim/guard/family.h"

/* Whether the object says, by a method without arguments, that a caller would have to wait. */
static bool says(PyObject *object, const char *method)
{
	PyObject *bound = object ? sg_python_attribute_or_null(object, method) : NULL, *answer = NULL;
	bool yes;

	if (bound)
		answer = PyObject_CallObject(bound, NULL);
	yes = answer && PyObject_IsTrue(answer) > 0;
	PyErr_Clear();
	sg_python_clear(&answer);
	sg_python_clear(&bound);
	return yes;
}

/*
 * lock.acquire(blocking, timeout) and SimpleQueue.get(block, timeout). With a time-out the answer
 * depends on the clock (a negative one is acquire's word for none). Without one the thread stands still if
 * somebody else has to act first: in a workflow nobody will, or at another time on replay.
 */
static bool blocking(struct sg_call *call, int argument)
{
	PyObject *wait = sg_call_argument(call, 0, "blocking"), *timeout = sg_call_argument(call, 1, "timeout");
	double seconds = -1;

	(void)argument;
	if (!wait)
		wait = sg_call_argument(call, 0, "block");
	if (wait && PyObject_IsTrue(wait) == 0)
		return false;
	if (timeout && timeout != Py_None)
		seconds = PyFloat_AsDouble(timeout);
	PyErr_Clear();
	if (seconds >= 0)
		return seconds > 0;
	/* A re-entrant lock has no locked() before 3.14; empty() is SimpleQueue's. */
	return says(call->self, "locked") || says(call->self, "empty");
}

static const struct sg_condition_entry conditions[] = {{"blocking", blocking}, {NULL, NULL}};

SG_FAMILY(thread_family) = {.name = "thread", .conditions = conditions};
