/*
 * time.c - clocks. The rules are in config/default.conf; here are the conditions that their lines name.
 */
#include "shim/guard/family.h"

/* The clock is read only where argument number N, a time, is left out or None. */
static bool missing(struct sg_call *call, int argument)
{
	PyObject *value = sg_call_argument(call, argument, NULL);

	return !value || value == Py_None;
}

/* astimezone() of a naive time, or without a zone, asks the host for its zone. */
static bool naive_astimezone(struct sg_call *call, int argument)
{
	PyObject *zone = sg_call_argument(call, 0, "tz"), *own;
	bool naive;

	(void)argument;
	if (!zone || zone == Py_None)
		return true;
	own = call->self ? sg_python_attribute_or_null(call->self, "tzinfo") : NULL;
	naive = !own || own == Py_None;
	sg_python_clear(&own);
	return naive;
}

static const struct sg_condition_entry conditions[] = {
	{"missing", missing}, {"naive-astimezone", naive_astimezone}, {NULL, NULL}
};

SG_FAMILY(time_family) = {.name = "time", .conditions = conditions};
