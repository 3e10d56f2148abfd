#define _GNU_SOURCE
#include "shim/run/extension.h"

#include "shim/base/log.h"
#include "shim/base/real.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8
#define ENTRIES_MAX 20000

static bool ends_with(const char *text, const char *end)
{
	size_t a = strlen(text), b = strlen(end);

	return a >= b && strcmp(text + a - b, end) == 0;
}

static bool is_extension_file(const char *name)
{
	return ends_with(name, ".so") || ends_with(name, ".abi3.so");
}

/* Writes the first extension file below directory to found; depth 0: this directory only. */
static bool find_extension(const char *directory, int depth, int *entries, char *found, size_t size)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool hit = false;
	DIR *dir = REAL(opendir)(directory);

	if (!dir)
		return false;
	while (!hit && (entry = readdir(dir)) && ++*entries < ENTRIES_MAX) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "__pycache__") == 0)
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >=
		    sizeof(path))
			continue;
		if (entry->d_type != DT_DIR) {
			hit = is_extension_file(entry->d_name);
			if (hit)
				snprintf(found, size, "%s", path);
		} else if (depth > 0) {
			hit = find_extension(path, depth - 1, entries, found, size);
		}
	}
	closedir(dir);
	return hit;
}

/* Is parent/leaf an extension module of its own: leaf.so, leaf.abi3.so, leaf.cpython-311-x86_64-linux-gnu.so? */
static bool is_extension_module(const char *parent, const char *leaf, size_t length)
{
	struct dirent *entry;
	bool hit = false;
	DIR *dir = REAL(opendir)(parent);

	if (!dir)
		return false;
	while (!hit && (entry = readdir(dir)))
		hit = strncmp(entry->d_name, leaf, length) == 0 && entry->d_name[length] == '.' &&
		      is_extension_file(entry->d_name);
	closedir(dir);
	return hit;
}

static void log_shared(const char *module, const char *file)
{
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_INFO, "shared"))
		return;
	sg_log_text(&line, "module", module);
	sg_log_text(&line, "reason", "holds an extension module");
	sg_log_text(&line, "file", file);
	sg_log_end(&line);
}

/* The spec of a module without importing it (its parent is imported): new reference, NULL: none. */
static PyObject *find_spec(const char *name)
{
	PyObject *util = PyImport_ImportModule("importlib.util"), *spec = NULL;
	PyObject *finder = util ? PyObject_GetAttrString(util, "find_spec") : NULL;
	PyObject *text = PyUnicode_FromString(name);

	if (finder && text)
		spec = PyObject_CallFunctionObjArgs(finder, text, NULL);
	/* A package that cannot be found, or is half imported, says so by itself when it is imported. */
	PyErr_Clear();
	sg_python_clear(&text);
	sg_python_clear(&finder);
	sg_python_clear(&util);
	if (spec == Py_None)
		sg_python_clear(&spec);
	return spec;
}

struct location {
	char origin[PATH_MAX];     /* "" for a namespace package */
	char directory[PATH_MAX];  /* "" for a plain module */
};

static bool locate(const char *name, struct location *ret)
{
	PyObject *spec = find_spec(name), *origin, *locations, *iterator, *first = NULL;

	ret->origin[0] = ret->directory[0] = '\0';
	if (!spec)
		return false;
	origin = sg_python_attribute_or_null(spec, "origin");
	locations = sg_python_attribute_or_null(spec, "submodule_search_locations");
	if (origin && origin != Py_None)
		snprintf(ret->origin, sizeof(ret->origin), "%s", sg_python_text(origin));
	if (locations && locations != Py_None) {
		iterator = PyObject_GetIter(locations);
		first = iterator ? PyIter_Next(iterator) : NULL;
		if (first)
			snprintf(ret->directory, sizeof(ret->directory), "%s",
				 sg_python_text(first));
		sg_python_clear(&iterator);
	}
	PyErr_Clear();
	sg_python_clear(&first);
	sg_python_clear(&locations);
	sg_python_clear(&origin);
	Py_DecRef(spec);
	return true;
}

static bool is_installed(const char *path)
{
	return strstr(path, "/site-packages/") || strstr(path, "/dist-packages/");
}

static bool contains_module(const char *package, size_t length, const char *module)
{
	return strncmp(package, module, length) == 0 &&
	       (module[length] == '.' || module[length] == '\0');
}

/* The user's own tree: below directory, which is the package of the first length characters of name. */
static bool own_package_holds(const char *name, size_t length, const char *directory,
		const char *workflow_module, char *found, size_t size)
{
	char path[PATH_MAX];
	const char *leaf;
	int entries = 0;

	snprintf(path, sizeof(path), "%s", directory);
	for (;;) {
		if (!contains_module(name, length, workflow_module) &&
		    find_extension(path, 0, &entries, found, size))
			return true;
		if (name[length] == '\0')
			return false;
		leaf = name + length + 1;
		length += 1 + strcspn(leaf, ".");
		if (is_extension_module(path, leaf, (size_t)(name + length - leaf))) {
			snprintf(found, size, "%s", path);
			return true;
		}
		size_t used = strlen(path);

		snprintf(path + used, sizeof(path) - used, "/%.*s", (int)(name + length - leaf), leaf);
	}
}

static bool compute(const char *name, const char *workflow_module, char *found, size_t size,
		char *package, size_t package_size)
{
	struct location location;
	size_t length = strcspn(name, ".");
	int entries = 0;

	for (;;) {
		snprintf(package, package_size, "%.*s", (int)length, name);
		if (!locate(package, &location))
			return false;
		if (strcmp(location.origin, "built-in") == 0 || strcmp(location.origin, "frozen") == 0 ||
		    is_extension_file(location.origin)) {
			snprintf(found, size, "%s", location.origin);
			return true;
		}
		if (!location.directory[0])
			return false;
		if (location.origin[0] || name[length] == '\0')
			break;
		/* A namespace package is only a name: its parts are judged one by one. */
		length += 1 + strcspn(name + length + 1, ".");
	}
	if (is_installed(location.directory))
		return find_extension(location.directory, DEPTH_MAX, &entries, found, size);
	return own_package_holds(name, length, location.directory, workflow_module, found, size);
}

int sg_extension_holds(PyObject *module_name, PyObject *workflow_module)
{
	static PyObject *announced; /* set of packages that were logged */
	const char *name = sg_python_text(module_name);
	char found[PATH_MAX] = "", package[512];
	PyObject *key;
	int seen;

	if (!compute(name, sg_python_text(workflow_module), found, sizeof(found), package,
		     sizeof(package)))
		return 0;
	if (!announced && !(announced = PySet_New(NULL)))
		return -1;
	key = PyUnicode_FromString(package);
	seen = key ? PySequence_Contains(announced, key) : -1;
	if (seen == 0) {
		seen = PySet_Add(announced, key);
		log_shared(package, found);
	}
	sg_python_clear(&key);
	return seen < 0 ? -1 : 1;
}
