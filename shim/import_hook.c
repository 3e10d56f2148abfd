#include "shim/import_hook.h"

#include "shim/cpython.h"
#include "shim/log.h"

#include <stdbool.h>
#include <string.h>

/* A path hook is a closure over its loader's class, so closures are looked into. */
static const char source[] =
	"import sys\n"
	"def packages():\n"
	"    found, seen, hooks = set(), set(), [*sys.meta_path, *sys.path_hooks]\n"
	"    for hook in hooks:\n"
	"        if id(hook) in seen:\n"
	"            continue\n"
	"        seen.add(id(hook))\n"
	"        if isinstance(hook, tuple):\n"
	"            hooks.extend(hook)\n"
	"        for owner in (hook, type(hook)):\n"
	"            found.add(str(getattr(owner, '__module__', '')).partition('.')[0])\n"
	"        for cell in getattr(hook, '__closure__', None) or ():\n"
	"            try:\n"
	"                hooks.append(cell.cell_contents)\n"
	"            except ValueError:\n"
	"                pass\n"
	"    return found - sys.stdlib_module_names\n";

static PyObject *packages(void)
{
	static PyObject *function;
	PyObject *namespace;

	if (!function) {
		namespace = sg_cpython_run(source, NULL, NULL);
		function = namespace ? sg_python_ref(sg_cpython_item(namespace, "packages")) : NULL;
		sg_python_clear(&namespace);
	}
	return function ? PyObject_CallObject(function, NULL) : NULL;
}

static void log_once(PyObject *package)
{
	static PyObject *announced;
	struct sg_line line;

	if ((!announced && !(announced = PySet_New(NULL))) || PySequence_Contains(announced, package) ||
	    PySet_Add(announced, package) < 0) {
		PyErr_Clear();
		return;
	}
	if (!sg_log_begin(&line, SG_LOG_INFO, "shared"))
		return;
	sg_log_text(&line, "module", sg_python_text(package));
	sg_log_text(&line, "reason", "has an import hook in place");
	sg_log_end(&line);
}

int sg_import_hook_by(PyObject *module_name, PyObject *workflow_module)
{
	const char *name = sg_python_text(module_name), *workflow = sg_python_text(workflow_module);
	size_t length = strcspn(name, ".");
	PyObject *package, *found;
	int answer;

	if (strncmp(workflow, name, length) == 0 && (workflow[length] == '.' || !workflow[length]))
		return 0; /* the user's own package stays isolated */
	package = PyUnicode_FromStringAndSize(name, (Py_ssize_t)length);
	found = package ? packages() : NULL;
	answer = found ? PySequence_Contains(found, package) : -1;
	if (answer > 0)
		log_once(package);
	sg_python_clear(&found);
	sg_python_clear(&package);
	return answer;
}
