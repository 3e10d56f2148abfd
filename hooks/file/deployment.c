/*
 * deployment.c - what lies where the worker's modules come from is the same on every worker, as the modules are.
 *
 * The rules are in rules.conf; here are the conditions that their lines name. Two kinds of places are meant, by an absolute
 * path without "..", and nothing below a name that begins with a dot, which is the host's own:
 *  - while modules are imported, what sys.path names: where the workflow's files are read, their data may be, too
 *  - at any time, what is installed: the standard library, the packages beside it and the time zone data base. Nobody writes
 *    there while workers run, so that what is there, and what is not, is the same for all.
 */
#include "hooks/file/deployment.h"

#include "config/zone.h"
#include "shim/guard/family.h"
#include "shim/import/code.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"

#include <stdlib.h>
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

#define INSTALLED_MAX 32

/* Directories of packages and of the standard library. It only grows, with the GIL; native calls read it without. */
static const char *installed[INSTALLED_MAX + 1];

static void add_installed(const char *place)
{
	int count = 0;

	for (; installed[count]; count++)
		if (strcmp(installed[count], place) == 0)
			return;
	if (count < INSTALLED_MAX && *place == '/' && strcmp(place, "/") != 0)
		installed[count] = strdup(place);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* Once more when sys.path has grown. */
static int find_installed(void)
{
	static Py_ssize_t known;
	PyObject *places = PySys_GetObject("path"); /* borrowed */
	PyObject *name, *os, *file;
	char *library, *slash;

	if (!places || PyList_Size(places) == known)
		return 0;
	known = PyList_Size(places);
	for (const char *const *directory = sg_zone_directories; *directory; directory++)
		add_installed(*directory);
	name = PyUnicode_FromString("os");
	os = name ? sg_modules_host(name) : NULL;
	file = os ? sg_python_attribute_or_null(os, "__file__") : NULL;
	library = file ? strdup(sg_python_text(file)) : NULL;
	slash = library ? strrchr(library, '/') : NULL;
	if (slash) {
		*slash = 0;
		add_installed(library);
	}
	for (Py_ssize_t i = 0; i < known; i++) {
		const char *place = sg_python_text(PyList_GetItem(places, i));

		if (ends_with(place, "/site-packages") || ends_with(place, "/dist-packages"))
			add_installed(place);
	}
	PyErr_Clear();
	free(library);
	sg_python_clear(&file);
	sg_python_clear(&name);
	return 0;
}

/* A file of the zone data base that is none of it: it leads to the host's own zone. */
static bool is_host_zone(const char *rest)
{
	return strcmp(rest, "/localtime") == 0 || strcmp(rest, "/posixrules") == 0;
}

bool sg_deployment_installed(const char *path)
{
	if (!path || *path != '/' || strstr(path, "/.."))
		return false;
	for (const char *const *place = installed; *place; place++) {
		const char *rest = below(path, *place);

		if (rest && !strstr(rest, "/.") && !is_host_zone(rest))
			return true;
	}
	return false;
}

bool sg_deployment_host_zone(const char *path)
{
	const char *rest = NULL;

	for (const char *const *directory = sg_zone_directories; path && *directory && !rest; directory++)
		rest = below(path, *directory);
	return rest && is_host_zone(rest);
}

bool sg_deployment_processors(const char *path)
{
	static const char *const places[] = {
		"/proc/self/cgroup", "/proc/self/mountinfo", "/proc/self/maps", "/proc/cpuinfo", "/proc/sys/vm/overcommit_memory", "/sys/fs/cgroup",
		"/sys/devices/system/cpu", "/sys/devices/system/node"
	};

	for (size_t i = 0; path && i < sizeof(places) / sizeof(places[0]); i++)
		if (below(path, places[i]) && !strstr(path, "/.."))
			return true;
	return false;
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

/* How many processors there are, asked by a library that does not hand it on. */
static bool is_to_divide(const char *path)
{
	return sg_deployment_processors(path) && sg_code_asks_installed(sg_code_handing_on);
}

enum place { PLACE_INSTALLED, PLACE_DEPLOYED, PLACE_ABOVE };

static bool lies_there(const struct sg_call *call, int argument, enum place place)
{
	PyObject *text = text_of(sg_call_argument(call, argument, argument ? NULL : "path"));
	bool there;

	if (!text)
		text = text_of(sg_call_argument(call, argument, "file"));
	find_installed();
	there = text && (sg_deployment_installed(sg_python_text(text)) || is_to_divide(sg_python_text(text)) ||
			 (place != PLACE_INSTALLED && is_deployed(sg_python_text(text), place == PLACE_ABOVE)));
	PyErr_Clear();
	sg_python_clear(&text);
	return there;
}

/* --- what is done with it ---------------------------------------------------------------------- */

static enum place place_now(const struct sg_call *call)
{
	return call->importing ? PLACE_DEPLOYED : PLACE_INSTALLED;
}

/* Opening, but for reading what is installed, or while modules are imported a file of the deployment. */
static bool elsewhere(struct sg_call *call, int argument)
{
	PyObject *mode = sg_call_argument(call, argument + 1, "mode"), *opener = sg_call_argument(call, argument + 7, "opener");

	if (opener && opener != Py_None)
		return true;
	if (mode && (!sg_cpython_is_text(mode) || strpbrk(sg_python_text(mode), "wax+")))
		return true;
	return !lies_there(call, argument, place_now(call));
}

/* Reading what is no module's source. Those of the workflow are the same on every worker, as the modules are. */
static bool unlike_source(struct sg_call *call, int argument)
{
	PyObject *text = text_of(sg_call_argument(call, argument, NULL));
	bool source = text && ends_with(sg_python_text(text), ".py");

	sg_python_clear(&text);
	return !lies_there(call, argument, source ? PLACE_DEPLOYED : PLACE_INSTALLED);
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
	enum asked asked = ASKED_ANYTHING;
	struct sg_frames at = {0};

	for (int depth = 0; asked == ASKED_ANYTHING && depth < 5 && sg_frames_next(&at); depth++) {
		PyObject *module = at.globals ? sg_python_module_name(at.globals) : NULL, *name;

		if (!module || !is_one_of(sg_python_text(module), modules))
			break;
		name = sg_python_attribute_or_null(at.code, "co_name");
		if (is_one_of(sg_python_text(name), whether))
			asked = ASKED_WHETHER;
		else if (is_one_of(sg_python_text(name), where))
			asked = ASKED_WHERE;
		sg_python_clear(&name);
	}
	sg_frames_end(&at);
	return asked;
}

/*
 * Times and numbers of files are each worker's own, and so is the order in which a directory lists them. An installed library
 * asks its own files for them to know whether to read anew, and finds what it looks for whatever the order.
 */
static bool unlike_listed(struct sg_call *call, int argument)
{
	return !sg_code_asks_installed(NULL) || !lies_there(call, argument, PLACE_INSTALLED);
}

/* Whether a file is there is asked of what lies there now; where it really is, as __file__ tells, at any time. */
static bool unlike_here(struct sg_call *call, int argument)
{
	enum asked asked = what_is_asked();

	if (asked == ASKED_ANYTHING)
		return unlike_listed(call, argument);
	return !lies_there(call, argument, asked == ASKED_WHERE ? PLACE_ABOVE : place_now(call));
}

/* No part of it leads out of where it begins. */
static bool stays_below(const char *path)
{
	int depth = 0;

	if (*path == '/')
		return false;
	while (*path && depth >= 0) {
		size_t length = strcspn(path, "/");

		if (length == 2 && strncmp(path, "..", 2) == 0)
			depth--;
		else if (length > 1 || (length == 1 && *path != '.'))
			depth++;
		path += length + (path[length] == '/');
	}
	return depth >= 0;
}

/* The working directory falls out of os.path.relpath("a/b", "a/c"). */
static bool remains(struct sg_call *call, int argument)
{
	static const char *const functions[] = {"abspath", "relpath"}, *const variables[] = {"path", "start"};
	struct sg_frames at = {0};
	bool falls_out = true;

	(void)call;
	(void)argument;
	for (int i = 0; i < 2 && falls_out; i++) {
		PyObject *module = sg_frames_next(&at) && at.globals ? sg_python_module_name(at.globals) : NULL;
		PyObject *name = module ? sg_python_attribute_or_null(at.code, "co_name") : NULL;

		falls_out = name && strcmp(sg_python_text(module), "posixpath") == 0 && strcmp(sg_python_text(name), functions[i]) == 0;
		sg_python_clear(&name);
	}
	for (int i = 0; i < 2 && falls_out; i++) {
		PyObject *path = sg_frames_local(&at, variables[i]);

		falls_out = path && sg_cpython_is_text(path) && stays_below(sg_python_text(path));
		sg_python_clear(&path);
	}
	sg_frames_end(&at);
	return !falls_out;
}

static bool is_of_a_file(struct sg_call *call, int argument)
{
	PyObject *descriptor = sg_call_argument(call, argument, "fileno");
	long number = descriptor ? PyLong_AsLong(descriptor) : 0;

	PyErr_Clear();
	return number != -1;
}

static const struct sg_condition_entry conditions[] = {
	{"elsewhere", elsewhere}, {"of-a-file", is_of_a_file}, {"unlike-here", unlike_here}, {"unlike-listed", unlike_listed},
	{"unlike-source", unlike_source}, {"remains", remains}, {NULL, NULL}
};

SG_FAMILY(deployment_family) = {.name = "deployment", .conditions = conditions, .install = find_installed};
