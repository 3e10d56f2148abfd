/*
 * conditions.c - who gets to see what a sink writes. The rules are in rules.conf.
 *
 * A record bears a time, and nobody in a workflow sees it, until workflow code makes a handler of its own for it.
 */
#include "shim/guard/family.h"
#include "shim/import/code.h"
#include "shim/interpreter/cpython.h"

#include <limits.h>
#include <string.h>

/* Never: it is noted, where argument number N, which others leave out, is given. */
static bool listens(struct sg_call *call, int argument)
{
	PyObject *given = sg_call_argument(call, argument, NULL);

	call->run->listens |= given && given != Py_None;
	call->watched = true;
	return false;
}

/* A record says for how long the worker has been there. Whoever makes it asks for its thread and its process behind that. */
static void drop_age(void)
{
	struct sg_frames at = {0};
	PyObject *record = sg_frames_next(&at) ? sg_frames_local(&at, "self") : NULL;
	PyObject *age = record ? sg_python_attribute_or_null(record, "relativeCreated") : NULL, *none = age ? PyLong_FromLong(0) : NULL;

	if (none)
		PyObject_SetAttrString(record, "relativeCreated", none);
	PyErr_Clear();
	sg_python_clear(&none);
	sg_python_clear(&age);
	sg_python_clear(&record);
	sg_frames_end(&at);
}

/* True where the format that it is given says how old the worker is. */
static bool listens_for_age(struct sg_call *call, int argument)
{
	PyObject *format = sg_call_argument(call, INT_MAX, "format");

	listens(call, argument);
	return format && sg_cpython_is_text(format) && strstr(sg_python_text(format), "elapsed");
}

/* Neither process nor thread is told apart where workflow code sees the record. */
static int give_anybody(struct sg_call *call, const struct sg_answer *answer)
{
	static const char *const names[][2] = {{"threading.Thread.name", "MainThread"}, {"multiprocessing.process.BaseProcess.name", "MainProcess"}};

	(void)answer;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !call->value; i++)
		if (strcmp(call->rule->name, names[i][0]) == 0)
			call->value = PyUnicode_FromString(names[i][1]);
	if (!call->value) {
		call->value = PyLong_FromLong(0);
		drop_age();
	}
	return call->value ? 0 : -1;
}

static bool is_noted(struct sg_call *call, int argument)
{
	(void)argument;
	call->answer = give_anybody;
	return true;
}

static bool is_itself_or_noted(struct sg_call *call, int argument)
{
	return sg_code_asks_itself(call->run) || (sg_code_asks_for_sink(call->run) && is_noted(call, argument));
}

static const struct sg_condition_entry conditions[] = {
	{"listens", listens}, {"listens-for-age", listens_for_age}, {"noted", is_noted}, {"itself-or-noted", is_itself_or_noted}, {NULL, NULL}
};

SG_FAMILY(sink_family) = {.name = "sink", .conditions = conditions};
