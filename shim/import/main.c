#include "shim/import/main.h"

#include "shim/import/modules.h"
#include "shim/run/context.h"

/* NULL with an exception; None: its file is no Python. */
static PyObject *find_spec(PyObject *util, PyObject *name)
{
	PyObject *key = PyUnicode_FromString("__main__"), *main = key ? sg_modules_host(key) : NULL;
	PyObject *file = main ? PyObject_GetAttrString(main, "__file__") : NULL, *finder = NULL, *spec = NULL;

	if (file)
		finder = PyObject_GetAttrString(util, "spec_from_file_location");
	if (finder)
		spec = PyObject_CallFunctionObjArgs(finder, name, file, NULL);
	sg_python_clear(&finder);
	sg_python_clear(&file);
	sg_python_clear(&key);
	return spec;
}

PyObject *sg_main_load(PyObject *name)
{
	PyObject *util = PyImport_ImportModule("importlib.util"), *module = NULL, *done = NULL;
	PyObject *spec = util ? find_spec(util, name) : NULL;

	if (spec && spec != Py_None) {
		PyObject *maker = PyObject_GetAttrString(util, "module_from_spec");

		module = maker ? PyObject_CallFunctionObjArgs(maker, spec, NULL) : NULL;
		sg_python_clear(&maker);
	}
	if (module && PyDict_SetItem(sg_context_current->run->modules, name, module) == 0) {
		PyObject *exec = sg_python_attribute(spec, "loader.exec_module");

		done = exec ? PyObject_CallFunctionObjArgs(exec, module, NULL) : NULL;
		sg_python_clear(&exec);
	}
	if (!done) {
		sg_python_clear(&module);
		if (!PyErr_Occurred())
			PyErr_SetString(PyExc_ImportError, "sandglass: the worker's script has no file "
					"from which its workflows could be loaded");
	}
	sg_python_clear(&done);
	sg_python_clear(&spec);
	sg_python_clear(&util);
	return module;
}

bool sg_main_can_load(void)
{
	static enum {UNKNOWN, CAN, CANNOT} answer;
	PyObject *util, *name, *spec = NULL, *get_code = NULL, *code = NULL, *names = NULL, *wanted = NULL;

	if (answer != UNKNOWN)
		return answer == CAN;
	util = PyImport_ImportModule("importlib.util");
	name = PyUnicode_FromString("__main__");
	wanted = PyUnicode_FromString("__name__");
	if (util && name)
		spec = find_spec(util, name);
	if (spec)
		get_code = sg_python_attribute(spec, "loader.get_code");
	if (get_code)
		code = PyObject_CallFunctionObjArgs(get_code, name, NULL);
	if (code)
		names = PyObject_GetAttrString(code, "co_names");
	answer = names && wanted && PySequence_Contains(names, wanted) > 0 ? CAN : CANNOT;
	PyErr_Clear();
	sg_python_clear(&names);
	sg_python_clear(&code);
	sg_python_clear(&get_code);
	sg_python_clear(&spec);
	sg_python_clear(&wanted);
	sg_python_clear(&name);
	sg_python_clear(&util);
	return answer == CAN;
}
