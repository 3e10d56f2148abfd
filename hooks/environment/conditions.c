/*
 * conditions.c - which variables of the environment make a difference. The rules are in rules.conf.
 */
#include "shim/guard/family.h"
#include "shim/import/code.h"
#include "shim/interpreter/cpython.h"

/* A function with such a word in its name is there to hand on what the environment says. */
static const char *const handing_on[] = {"env", "conf", "setting", "get", "load", "read", "default", "locale", "lang", NULL};

/* The worker on which it is set refuses: so no two workers see different things. */
static bool is_set(struct sg_call *call, int argument)
{
	(void)argument;
	if (!call->entry || PyDict_GetItemWithError(call->self, call->entry))
		return true;
	PyErr_Clear();
	return !sg_code_asks_installed(handing_on);
}

static const struct sg_condition_entry conditions[] = { /* the build finds names up to the line of NULL */
	{"set", is_set},
	{NULL, NULL},
};

SG_FAMILY(environment_family) = {.name = "environment", .conditions = conditions};
