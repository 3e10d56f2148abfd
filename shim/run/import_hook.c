#include "shim/run/import_hook.h"

#include "shim/base/log.h"
#include "shim/interpreter/cpython.h"

#include <stdbool.h>
#include <string.h>

/* The proof is a module that the host loaded through a loader of another package. */
static const char source[] =
	"import sys, types\n"
	"def packages(found=set(), known=[0]):\n"
	"    if len(sys.modules) == known[0]:\n"
	"        return found\n"
	"    known[0] = len(sys.modules)\n"
	"    for name, module in list(sys.modules.items()):\n"
	"        if not isinstance(module, types.ModuleType):\n"
	"            continue\n"
	"        loader = getattr(vars(module).get('__spec__'), 'loader', None)\n"
	"        owner = loader if isinstance(loader, type) else type(loader)\n"
	"        package = str(owner.__module__).partition('.')[0]\n"
	"        if package != name.partition('.')[0] and package not in sys.stdlib_module_names:\n"
	"            found.add(package)\n"
	"    return found\n";

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
	sg_log_text(&line, "reason", "its import hook loads other packages");
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
