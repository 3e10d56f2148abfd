/*
 * command_line.c - parsers of arguments that take the worker's own where they are given none. The rules are in
 * rules.conf; here are the conditions that their lines name.
 */
#include "shim/guard/family.h"
#include "shim/run/policy.h"

#include <string.h>

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

/* Does it begin with the name of that file? */
static bool begins_with(const char *program, PyObject *path)
{
	const char *slash = path ? strrchr(sg_python_text(path), '/') : NULL, *name = slash ? slash + 1 : path ? sg_python_text(path) : "";
	size_t length = strlen(name);

	return length && strncmp(program, name, length) == 0 && (!program[length] || program[length] == ' ');
}

/* A parser that the host has made may have taken it: the script's, or "python -m" and a module. */
static bool of_worker(struct sg_call *call, int argument)
{
	PyObject *parser = sg_call_argument(call, argument, NULL);
	PyObject *program = parser ? sg_python_attribute_or_null(parser, "prog") : NULL;
	PyObject *executable = sg_python_imported("sys", "executable"), *words = sg_python_imported("sys", "argv");
	PyObject *script = words ? PyList_GetItem(words, 0) : NULL;
	const char *text = program && program != Py_None ? sg_python_text(program) : NULL;
	bool is_of_worker = !text || begins_with(text, script) || begins_with(text, executable);

	PyErr_Clear();
	sg_python_clear(&words);
	sg_python_clear(&executable);
	sg_python_clear(&program);
	return is_of_worker;
}

/* Where no catalogue is found the text is the same on all workers: where there is one, it is refused there. */
static bool is_translated(void)
{
	PyObject *find, *domain, *places, *place, *found = NULL;
	bool translated;

	if (sg_config_is_strict(sg_policy_config) && sg_answer_can(SG_SOURCE_LOCALE))
		return false;
	find = sg_python_imported("gettext", "find");
	domain = sg_python_imported("gettext", "_current_domain");
	places = sg_python_imported("gettext", "_localedirs");
	place = domain && places ? PyDict_GetItemWithError(places, domain) : NULL;
	if (find && domain)
		found = PyObject_CallFunctionObjArgs(find, domain, place ? place : Py_None, NULL);
	PyErr_Clear();
	sg_python_clear(&places);
	sg_python_clear(&domain);
	sg_python_clear(&find);
	translated = found && found != Py_None;
	sg_python_clear(&found);
	return translated;
}

static bool in_words_of_worker(struct sg_call *call, int argument)
{
	return of_worker(call, argument) || is_translated();
}

static const struct sg_condition_entry conditions[] = {
	{"no-args", no_args}, {"no-program", no_program}, {"of-worker", of_worker}, {"in-words-of-worker", in_words_of_worker}, {NULL, NULL}
};

SG_FAMILY(command_line_family) = {.name = "command_line", .conditions = conditions};
