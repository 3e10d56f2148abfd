#include "shim/state/apart.h"

#include "shim/base/log.h"
#include "shim/import/code.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/extension.h"

#include <string.h>

/* The globals of the code that raised it: new reference, NULL without an exception. */
static PyObject *globals_of_last(PyObject *traceback)
{
	PyObject *last = sg_python_ref(traceback), *next, *frame, *globals = NULL;

	while (last && (next = sg_python_attribute_or_null(last, "tb_next")) && next != Py_None) {
		Py_DecRef(last);
		last = next;
	}
	frame = last ? sg_python_attribute_or_null(last, "tb_frame") : NULL;
	if (frame)
		globals = sg_cpython_frame_globals(frame);
	PyErr_Clear();
	sg_python_clear(&frame);
	sg_python_clear(&last);
	return globals;
}

/* The top-level package of a library that the host has, of Python code: new reference, or NULL. */
static PyObject *shared_package(struct sg_run *run, PyObject *globals)
{
	PyObject *name = globals ? sg_python_module_name(globals) : NULL, *package;
	const char *text = name ? sg_python_text(name) : "";
	enum sg_code code = globals ? sg_code_of(run, globals) : SG_CODE_ENGINE;

	if (!name || !sg_modules_has_globals(sg_modules_host(name), globals) || code == SG_CODE_ENGINE ||
	    code == SG_CODE_STDLIB || code == SG_CODE_WORKFLOW)
		return NULL;
	package = PyUnicode_FromStringAndSize(text, (Py_ssize_t)strcspn(text, "."));
	if (package && sg_extension_holds(package, run->policy->workflow_module) != 0)
		sg_python_clear(&package);
	PyErr_Clear();
	return package;
}

static void log_apart(const struct sg_apart *apart, const struct sg_run *run)
{
	PyObject *text = apart->value ? PyObject_Str(apart->value) : NULL;
	struct sg_line line;

	PyErr_Clear();
	if (sg_log_begin(&line, SG_LOG_WARN, "apart")) {
		sg_log_text(&line, "module", sg_python_text(apart->package));
		sg_log_text(&line, "workflow_module", sg_python_text(run->policy->workflow_module));
		sg_log_text(&line, "reason", sg_python_text(text));
		sg_log_text(&line, "effect", "it is not shared with these runs, since it does not accept twice what their modules "
				"register with it");
		sg_log_end(&line);
	}
	sg_python_clear(&text);
}

bool sg_apart_begin(struct sg_apart *apart, struct sg_run *run)
{
	PyObject *globals;

	*apart = (struct sg_apart){NULL, NULL, NULL, NULL};
	if (run->policy->apart || run->refusal)
		return false;
	PyErr_Fetch(&apart->type, &apart->value, &apart->traceback);
	PyErr_NormalizeException(&apart->type, &apart->value, &apart->traceback);
	globals = apart->traceback ? globals_of_last(apart->traceback) : NULL;
	apart->package = shared_package(run, globals);
	sg_python_clear(&globals);
	run->policy->apart = sg_python_ref(apart->package);
	if (apart->package)
		return true;
	PyErr_Restore(apart->type, apart->value, apart->traceback);
	return false;
}

void sg_apart_end(struct sg_apart *apart, struct sg_run *run, bool success)
{
	if (success) {
		log_apart(apart, run);
		sg_python_clear(&apart->type);
		sg_python_clear(&apart->value);
		sg_python_clear(&apart->traceback);
	} else {
		sg_python_clear(&run->policy->apart);
		PyErr_Restore(apart->type, apart->value, apart->traceback);
	}
	sg_python_clear(&apart->package);
}
