/*
 * conditions.c - what is asked of asyncio. The rules are in rules.conf.
 */
#include "shim/guard/family.h"
#include "shim/shared/tasks.h"

static bool is_unnumbered(struct sg_call *call, int argument)
{
	(void)call;
	(void)argument;
	return !sg_tasks_known;
}

static const struct sg_condition_entry conditions[] = {{"unnumbered", is_unnumbered}, {NULL, NULL}};

SG_FAMILY(asyncio_family) = {.name = "asyncio", .conditions = conditions};
