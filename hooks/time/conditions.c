/*
 * conditions.c - clocks and zones. The rules are in rules.conf; here are the conditions that their lines name.
 */
#include "config/zone.h"
#include "shim/guard/family.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/policy.h"

#include <string.h>

static bool is_left_out(const struct sg_call *call, int argument, const char *keyword)
{
	PyObject *value = sg_call_argument(call, argument, keyword);

	return !value || value == Py_None;
}

/* The clock is read only where argument number N, a time, is left out or None. */
static bool missing(struct sg_call *call, int argument)
{
	return is_left_out(call, argument, NULL);
}

static bool is_naive(PyObject *time)
{
	PyObject *zone = time ? sg_python_attribute_or_null(time, "tzinfo") : NULL;
	bool naive = !zone || zone == Py_None;

	sg_python_clear(&zone);
	return naive;
}

/* A worker that wants such calls refused says so. */
static bool local(struct sg_call *call, int argument)
{
	(void)argument;
	call->zone = call->rule->action < SG_ACTION_BLOCK;
	return true;
}

/* As missing; a time that is given is put into the zone. */
static bool missing_or_local(struct sg_call *call, int argument)
{
	call->zone = !is_left_out(call, argument, NULL);
	return true;
}

/* %Z and %s depend on the zone, and so may what the locale makes of %c. */
static bool asks_for_zone(const char *format)
{
	for (format = strchr(format, '%'); format; format = strchr(format, '%')) {
		format += 1 + strspn(format + 1, "_-0^#+:123456789EO");
		if (*format && strchr("Zsc", *format))
			return true;
		format += *format != '\0';
	}
	return false;
}

static bool strftime_missing_or_local(struct sg_call *call, int argument)
{
	PyObject *format = sg_call_argument(call, 0, NULL);

	if (is_left_out(call, argument, NULL))
		return true;
	call->zone = true;
	return format && sg_cpython_is_text(format) && asks_for_zone(sg_python_text(format));
}

/* A time is put into the zone where no other one, argument number N or tz, is given. */
static bool no_zone(struct sg_call *call, int argument)
{
	return is_left_out(call, argument, "tz") && local(call, argument);
}

static bool naive(struct sg_call *call, int argument)
{
	return is_naive(call->self) && local(call, argument);
}

/* astimezone() of a naive time, or without a zone, asks the host for its zone. */
static bool naive_astimezone(struct sg_call *call, int argument)
{
	(void)argument;
	if (!is_left_out(call, 0, "tz") && !is_naive(call->self))
		return false;
	call->zone = sg_policy_config->zone != NULL;
	return true;
}

/* --- constants of the module time -------------------------------------------------------------- */

/*
 * What holds in the zone from now on, as its newest rules have it: the interpreter takes the current year, which may be another
 * one on replay. Winter and summer are those of the hemisphere.
 */
static PyObject *constant(const struct sg_zone *zone, const char *name)
{
	const struct sg_zone_kind *standard = sg_zone_kind(zone, 4102444800), *other = sg_zone_kind(zone, 4118083200);
	PyObject *first, *second, *pair;

	if (standard->offset > other->offset) {
		const struct sg_zone_kind *january = standard;

		standard = other;
		other = january;
	}
	if (strcmp(name, "time.timezone") == 0)
		return PyLong_FromLong(-standard->offset);
	if (strcmp(name, "time.altzone") == 0)
		return PyLong_FromLong(-other->offset);
	if (strcmp(name, "time.daylight") == 0)
		return PyLong_FromLong(standard->offset != other->offset);
	first = PyUnicode_FromString(standard->name);
	second = PyUnicode_FromString(other->name);
	pair = first && second ? PyTuple_Pack(2, first, second) : NULL;
	sg_python_clear(&second);
	sg_python_clear(&first);
	return pair;
}

static bool local_constant(struct sg_call *call, int argument)
{
	local(call, argument);
	if (call->zone && sg_policy_config->zone)
		call->value = constant(sg_policy_config->zone, call->rule->name);
	PyErr_Clear();
	return true;
}

static const struct sg_condition_entry conditions[] = {
	{"missing", missing}, {"missing-or-local", missing_or_local}, {"format", strftime_missing_or_local}, {"local", local},
	{"no-zone", no_zone}, {"naive", naive}, {"naive-astimezone", naive_astimezone}, {"local-constant", local_constant},
	{NULL, NULL}
};

SG_FAMILY(time_family) = {.name = "time", .conditions = conditions};
