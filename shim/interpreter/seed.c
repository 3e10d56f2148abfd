#include "shim/interpreter/seed.h"

#include "shim/interpreter/layout.h"
#include "shim/interpreter/python.h"

#include <stdio.h>
#include <string.h>

bool sg_seed_awaited;

static char wanted[16]; /* empty: it is Python's own affair */
static char in_use[16] = "random";
static bool asked;

void sg_seed_await(const struct sg_config *config)
{
	if (sg_config_pins_seed(config))
		snprintf(wanted, sizeof(wanted), "%u", config->hash_seed);
	sg_seed_awaited = true;
}

void sg_seed_started(void)
{
	sg_seed_awaited = false;
}

/* As CPython has it from 3.12 on; before, it is the address of None, and the order of sets with it, and with tuples of it. */
#define HASH_OF_NONE 0xfca86420

static Py_ssize_t hash_of_none(PyObject *none)
{
	(void)none;
	return HASH_OF_NONE;
}

/* The interpreter has no object yet, and has not completed its classes: those without a hash of their own get the one by address then. */
static void pin_none(void)
{
	PyTypeObject *class = sg_field(Py_None, object_type);

	if (class && strcmp(sg_field(class, type_name), "NoneType") == 0 && !sg_field(class, type_hash))
		sg_field(class, type_hash) = (void *)hash_of_none;
}

const char *sg_seed_ask(const char *given)
{
	const char *answer = wanted[0] ? wanted : given;

	if (wanted[0] && !asked)
		pin_none();
	asked = true;
	if (answer && *answer)
		snprintf(in_use, sizeof(in_use), "%s", answer);
	return answer;
}

const char *sg_seed_in_use(void)
{
	return in_use;
}

const char *sg_seed_missed(void)
{
	if (!wanted[0])
		return NULL;
	if (!asked)
		return "Python was started with -I, -E or -R, or inside a program that gives it no environment: it did not "
			"ask for a seed, so the order of strings in sets differs from worker to worker";
	return PyObject_Hash(Py_None) == HASH_OF_NONE ? NULL :
		"None has its address for a hash on this interpreter, so the order of sets with it differs from worker to worker";
}
