#include "shim/run/once.h"

#include "shim/base/log.h"
#include "shim/interpreter/cpython.h"

#include <stdbool.h>
#include <string.h>

/*
 * packages() -> {name: why}, from what the host has loaded: through a loader of another package, with the mark that proto-plus
 * wants in modules that define messages, or a compiled module of another package under one of its names.
 */
static const char source[] =
	"import sys, types\n"
	"def home(name):\n" /* a namespace package is only a name */
	"    at = name.find('.')\n"
	"    while at > 0 and not getattr(sys.modules.get(name[:at]), '__file__', None): at = name.find('.', at + 1)\n"
	"    return name[:at] if at > 0 else name\n"
	"def packages(found={}, known=[0]):\n"
	"    if len(sys.modules) == known[0]:\n"
	"        return found\n"
	"    known[0] = len(sys.modules)\n"
	"    for name, module in list(sys.modules.items()):\n"
	"        if not isinstance(module, types.ModuleType):\n"
	"            continue\n"
	"        spec = vars(module).get('__spec__')\n"
	"        loader = getattr(spec, 'loader', None)\n"
	"        owner = loader if isinstance(loader, type) else type(loader)\n"
	"        package = str(owner.__module__).partition('.')[0]\n"
	"        if package != name.partition('.')[0] and package not in sys.stdlib_module_names:\n"
	"            found[package] = 'its import hook loads other packages'\n"
	"        above = name.rpartition('.')[0]\n"
	"        own = getattr(sys.modules.get(above), '__name__', None) == above\n" /* not as in requests.packages, which renames others */
	"        if own and str(getattr(spec, 'origin', '')).endswith('.so') and spec.name.partition('.')[0] != name.partition('.')[0]:\n"
	"            found[home(name)] = 'its compiled part is a package of its own'\n"
	"        if '__protobuf__' in vars(module):\n" /* some move the classes into another package */
	"            moved = [v.__module__ for v in vars(module).values() if type(type(v)) is type and type(v).__module__[:6] == 'proto.']\n"
	"            for package in {home(n) for n in [name, *moved] if n in sys.modules}: found[package] = 'its messages are in the pool of protobuf'\n"
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

static void log_once(PyObject *package, PyObject *reason)
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
	sg_log_text(&line, "reason", sg_python_text(reason));
	sg_log_end(&line);
}

/* The package of the first length characters: 1, 0 or -1. */
static int is_found(PyObject *found, const char *name, size_t length)
{
	PyObject *package = PyUnicode_FromStringAndSize(name, (Py_ssize_t)length);
	PyObject *reason = package ? PyDict_GetItemWithError(found, package) : NULL;
	int answer = reason ? 1 : PyErr_Occurred() ? -1 : 0;

	if (reason)
		log_once(package, reason);
	sg_python_clear(&package);
	return answer;
}

int sg_once_holds(PyObject *module_name, PyObject *workflow_module)
{
	const char *name = sg_python_text(module_name), *workflow = sg_python_text(workflow_module);
	size_t length = strcspn(name, ".");
	PyObject *found;
	int answer;

	if (strncmp(workflow, name, length) == 0 && (workflow[length] == '.' || !workflow[length]))
		return 0; /* the user's own package stays isolated */
	found = packages();
	answer = found ? is_found(found, name, length) : -1;
	while (!answer && name[length]) {
		length += 1 + strcspn(name + length + 1, ".");
		answer = is_found(found, name, length);
	}
	sg_python_clear(&found);
	return answer;
}
