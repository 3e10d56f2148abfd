/*
 * command_line.c - parsers of arguments that take the worker's own where they are given none. The rules are in
 * config/default.conf; here are the conditions that their lines name.
 */
#include "shim/guard/family.h"

static bool is_missing(const struct sg_call *call, int argument, const char *keyword)
{
	PyObject *value = sg_call_argument(call, argument, keyword);

	return !value || value == Py_None;
}

static bool no_args(struct sg_call *call, int argument)
{
	return is_missing(call, argument, "args");
}

static bool no_program(struct sg_call *call, int argument)
{
	return is_missing(call, argument, "prog");
}

static const struct sg_condition_entry conditions[] = {{"no-args", no_args}, {"no-program", no_program}, {NULL, NULL}};

SG_FAMILY(command_line_family) = {.name = "command_line", .conditions = conditions};
