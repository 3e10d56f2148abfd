/*
 * deployment.c - what lies where the worker's modules come from is the same on every worker, as the modules are.
 *
 * The rules are in config/default.conf; here are the conditions that their lines name. A place is meant that sys.path
 * names, by an absolute path without "..", and nothing below a name that begins with a dot: those are the host's own.
 */
#include "shim/guard/family.h"
#include "shim/interpreter/cpython.h"

#include <string.h>

/* --- where it lies ----------------------------------------------------------------------------- */

/* The text of a path: new reference, or NULL. Classes of the workflow's own are not asked, which may do anything. */
static PyObject *text_of(PyObject *path)
{
	PyTypeObject *type = path ? sg_cpython_type(path) : NULL;
	PyObject *module, *text = NULL;

	if (!path)
		return NULL;
	if (PyType_IsSubtype(type, &PyUnicode_Type))
		return sg_python_ref(path);
	module = sg_python_attribute_or_null((PyObject *)type, "__module__");
	if (module && strncmp(sg_python_text(module), "pathlib", strlen("pathlib")) == 0)
		text = PyOS_FSPath(path);
	PyErr_Clear();
	sg_python_clear(&module);
	return text;
}

/* Is a the same as b, or does it lie below? Where it goes on in a, or NULL. */
static const char *below(const char *a, const char *b)
{
	size_t length = strlen(b);

	while (length > 1 && b[length - 1] == '/')
		length--;
	if (strncmp(a, b, length) != 0 || (a[length] && a[length] != '/'))
		return NULL;
	return a + length;
}

/* above: what leads to such a place will do. */
static bool is_deployed(const char *path, bool above)
{
	PyObject *places = PySys_GetObject("path"); /* borrowed */

	if (*path != '/' || strstr(path, "/.."))
		return false;
	if (above && strcmp(path, "/") == 0)
		return true;
	for (Py_ssize_t i = 0; places && i < PyList_Size(places); i++) {
		const char *place = sg_python_text(PyList_GetItem(places, i)), *rest;

		if (*place != '/' || strcmp(place, "/") == 0)
			continue;
		rest = below(path, place);
		if (rest && !strstr(rest, "/."))
			return true;
		if (above && below(place, path))
			return true;
	}
	return false;
}

static bool lies_there(const struct sg_call *call, int argument, bool above)
{
	PyObject *text = text_of(sg_call_argument(call, argument, argument ? NULL : "path"));
	bool there;

	if (!text)
		text = text_of(sg_call_argument(call, argument, "file"));
	there = text && is_deployed(sg_python_text(text), above);
	PyErr_Clear();
	sg_python_clear(&text);
	return there;
}

/* --- what is done with it ---------------------------------------------------------------------- */

/* Opening, but for reading a file of the deployment while modules are imported. */
static bool elsewhere(struct sg_call *call, int argument)
{
	PyObject *mode = sg_call_argument(call, argument + 1, "mode"), *opener = sg_call_argument(call, argument + 7, "opener");

	if (!call->importing || (opener && opener != Py_None))
		return true;
	if (mode && (!PyType_IsSubtype(sg_cpython_type(mode), &PyUnicode_Type) || strpbrk(sg_python_text(mode), "wax+")))
		return true;
	return !lies_there(call, argument, false);
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

enum asked { ASKED_ANYTHING, ASKED_WHETHER, ASKED_WHERE };

/* By the standard library's function that asks: does it only tell whether something is there, or where it really is? */
static enum asked what_is_asked(void)
{
	static const char *const modules[] = {"genericpath", "posixpath", "pathlib", "pathlib._local", "pathlib._abc", NULL};
	static const char *const whether[] = {"exists", "lexists", "isfile", "isdir", "islink", "is_file", "is_dir", "is_symlink", NULL};
	static const char *const where[] = {"realpath", "_joinrealpath", "resolve", "_resolve", NULL};
	PyObject *frame = sg_python_ref(PyEval_GetFrame()), *back;
	enum asked asked = ASKED_ANYTHING;

	for (int depth = 0; frame && asked == ASKED_ANYTHING && depth < 5; depth++) {
		PyObject *globals = sg_cpython_frame_globals(frame), *code = PyFrame_GetCode(frame);
		PyObject *name = sg_python_attribute_or_null(code, "co_name"), *module = globals ? sg_python_module_name(globals) : NULL;
		bool standard = module && is_one_of(sg_python_text(module), modules);

		if (standard && is_one_of(sg_python_text(name), whether))
			asked = ASKED_WHETHER;
		else if (standard && is_one_of(sg_python_text(name), where))
			asked = ASKED_WHERE;
		sg_python_clear(&name);
		sg_python_clear(&code);
		sg_python_clear(&globals);
		back = standard ? PyFrame_GetBack(frame) : NULL;
		Py_DecRef(frame);
		frame = back;
	}
	sg_python_clear(&frame);
	return asked;
}

/*
 * Times and numbers of files are each worker's own, and so what is asked for them. Whether a file of the deployment is
 * there is asked while modules are imported; where it really is, as __file__ tells, at any time.
 */
static bool unlike_here(struct sg_call *call, int argument)
{
	enum asked asked = what_is_asked();

	if (asked == ASKED_ANYTHING || (asked == ASKED_WHETHER && !call->importing))
		return true;
	return !lies_there(call, argument, asked == ASKED_WHERE);
}

static const struct sg_condition_entry conditions[] = {{"elsewhere", elsewhere}, {"unlike-here", unlike_here}, {NULL, NULL}};

SG_FAMILY(deployment_family) = {.name = "deployment", .conditions = conditions};
