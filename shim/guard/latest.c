#include "shim/guard/latest.h"

#include "shim/import/code.h"
#include "shim/interpreter/cpython.h"

#include <stdlib.h>
#include <string.h>

/* find(code, globals) -> [(name, constant)]: what the code stores to that the module has set to a constant, once. */
static const char *const SOURCE =
	"import dis\n"
	"CONSTANTS = 'LOAD_CONST', 'LOAD_SMALL_INT', 'LOAD_COMMON_CONSTANT'\n"
	"PLAIN = type(None), int, float, str, bytes\n"
	"def find(code, globals):\n"
	"    names = {i.argval for i in dis.get_instructions(code) if i.opname == 'STORE_GLOBAL'}\n"
	"    if not names: return []\n"
	"    found, before = {}, None\n"
	"    for i in dis.get_instructions(globals['__spec__'].loader.get_code(globals['__name__'])):\n"
	"        if i.opname in ('STORE_NAME', 'STORE_GLOBAL') and i.argval in names:\n"
	"            known = before.opname in CONSTANTS and type(before.argval) in PLAIN and i.argval not in found\n"
	"            found[i.argval] = [before.argval] if known else []\n"
	"        before = i\n"
	"    return [(n, *found[n]) for n in sorted(found) if found[n] and n in globals]\n";

static struct global {
	PyObject *namespace, *name, *first; /* the last: what a run finds there to begin with */
	PyObject *hosts;                    /* while a run has the place: what was there before; NULL: none has */
	struct sg_run *run;
	bool aside;
} *globals;
static Py_ssize_t global_count;

static PyObject *code_globals; /* dict: code -> list of places in globals, or None */

static void give_back(struct global *global)
{
	PyObject *now = PyDict_GetItemWithError(global->namespace, global->name), *key = PyLong_FromLong((long)(global - globals));

	if (!global->aside && now && key && (global->run->latest || (global->run->latest = PyDict_New())))
		PyDict_SetItem(global->run->latest, key, now);
	PyDict_SetItem(global->namespace, global->name, global->hosts);
	PyErr_Clear();
	sg_python_clear(&key);
	sg_python_clear(&global->hosts);
	global->run = NULL;
}

static void take(struct global *global, struct sg_run *run, bool aside)
{
	PyObject *key = PyLong_FromLong((long)(global - globals));
	PyObject *own = key && run->latest ? PyDict_GetItemWithError(run->latest, key) : NULL;

	global->hosts = sg_python_ref(PyDict_GetItemWithError(global->namespace, global->name));
	global->aside = aside;
	if (global->hosts && PyDict_SetItem(global->namespace, global->name, own ? own : global->first) == 0)
		global->run = run;
	else
		sg_python_clear(&global->hosts);
	PyErr_Clear();
	sg_python_clear(&key);
}

/* The same global for every function that stores to it; its place, or -1. The references are kept for good, as modules are. */
static Py_ssize_t place_of(PyObject *namespace, PyObject *name, PyObject *first)
{
	struct global *larger;

	for (Py_ssize_t i = 0; i < global_count; i++)
		if (globals[i].namespace == namespace && strcmp(sg_python_text(globals[i].name), sg_python_text(name)) == 0)
			return i;
	larger = realloc(globals, (size_t)(global_count + 1) * sizeof(*globals));
	if (!larger)
		return -1;
	globals = larger;
	globals[global_count] = (struct global){
		.namespace = sg_python_ref(namespace), .name = sg_python_ref(name), .first = sg_python_ref(first)
	};
	return global_count++;
}

/* New reference; never fails. */
static PyObject *places_of(PyObject *code, PyObject *namespace)
{
	static PyObject *helpers;
	PyObject *function, *found, *places = NULL, *place;

	if (!helpers)
		helpers = sg_cpython_run(SOURCE, NULL, NULL);
	function = helpers ? sg_cpython_item(helpers, "find") : NULL;
	found = function ? PyObject_CallFunctionObjArgs(function, code, namespace, NULL) : NULL;
	if (found && PyList_Size(found))
		places = PyList_New(0);
	for (Py_ssize_t i = 0; places && i < PyList_Size(found); i++) {
		PyObject *pair = PyList_GetItem(found, i);

		place = PyLong_FromLong((long)place_of(namespace, PyTuple_GetItem(pair, 0), PyTuple_GetItem(pair, 1)));
		if (place && PyLong_AsLong(place) >= 0)
			PyList_Append(places, place);
		sg_python_clear(&place);
	}
	PyErr_Clear(); /* a module without a loader, or one that has no code */
	sg_python_clear(&found);
	return places ? places : sg_python_ref(Py_None);
}

/* Borrowed, NULL: a frame with this code is not there, or runs in a module of the run's own. */
static PyObject *known_of(const struct sg_run *run, PyObject *code)
{
	struct sg_frames at = {0};
	PyObject *known = PyDict_GetItemWithError(code_globals, code), *places = NULL;

	if (known)
		return known;
	while (!places && sg_frames_next(&at))
		if (at.code == code && at.globals) {
			if (sg_code_of(run, at.globals) == SG_CODE_WORKFLOW)
				break;
			places = places_of(code, at.globals);
		}
	sg_frames_end(&at);
	if (places && PyDict_SetItem(code_globals, code, places) == 0)
		known = PyDict_GetItemWithError(code_globals, code);
	PyErr_Clear();
	sg_python_clear(&places);
	return known;
}

void sg_latest_told(struct sg_run *run, PyObject *code, bool aside)
{
	PyObject *places;

	if (!code_globals && !(code_globals = PyDict_New())) {
		PyErr_Clear();
		return;
	}
	places = known_of(run, code);
	for (Py_ssize_t i = 0; places && places != Py_None && i < PyList_Size(places); i++) {
		struct global *global = &globals[PyLong_AsLong(PyList_GetItem(places, i))];

		if (global->run == run)
			continue;
		if (global->run) /* of an activation on another thread */
			give_back(global);
		take(global, run, aside);
	}
}

void sg_latest_leave(struct sg_run *run)
{
	for (Py_ssize_t i = 0; i < global_count; i++)
		if (globals[i].run == run)
			give_back(&globals[i]);
}
