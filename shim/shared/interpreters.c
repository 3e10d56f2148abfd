#include "shim/shared/interpreters.h"

#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/shared/stores.h"

#include <string.h>

typedef PyObject *(*plain_fn)(PyObject *, PyObject *);
typedef PyObject *(*keywords_fn)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*fast_fn)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

/* The functions that make one, or run code in it. Each has a wrapper of its own, as a C function is not told which it is. */
#define ENTRANCES(X) \
	X(0, "_interpreters", "create", true) \
	X(1, "_interpreters", "destroy", false) \
	X(2, "_interpreters", "exec", false) \
	X(3, "_interpreters", "run_string", false) \
	X(4, "_interpreters", "run_func", false) \
	X(5, "_interpreters", "call", false) \
	X(6, "_xxsubinterpreters", "create", true) \
	X(7, "_xxsubinterpreters", "destroy", false) \
	X(8, "_xxsubinterpreters", "run_string", false) \
	X(9, "_testcapi", "run_in_subinterp", true) \
	X(10, "_testcapi", "run_in_subinterp_with_config", true) \
	X(11, "_testinternalcapi", "run_in_subinterp_with_config", true)

#define COUNT 12

static void *originals[COUNT];

#define AROUND(makes, call) \
	do { \
		struct sg_context *token = sg_context_suspend(); \
		struct sg_run *run = sg_context_run; \
		PyObject *result; \
		sg_context_run = NULL; \
		if (makes) \
			sg_stores_pause(true); \
		result = call; \
		if (makes) \
			sg_stores_pause(false); \
		sg_context_run = run; \
		sg_context_leave(token); \
		return result; \
	} while (0)

#define WRAPPERS(i, module, name, makes) \
	static PyObject *plain_##i(PyObject *self, PyObject *args) \
	{ \
		AROUND(makes, ((plain_fn)originals[i])(self, args)); \
	} \
	static PyObject *keywords_##i(PyObject *self, PyObject *args, PyObject *kwargs) \
	{ \
		AROUND(makes, ((keywords_fn)originals[i])(self, args, kwargs)); \
	} \
	static PyObject *fast_##i(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) \
	{ \
		AROUND(makes, ((fast_fn)originals[i])(self, args, count, names)); \
	}
ENTRANCES(WRAPPERS)

static const struct {
	const char *module, *name;
	void *plain, *keywords, *fast;
} entrances[COUNT] = {
#define ROW(i, module, name, makes) {module, name, (void *)plain_##i, (void *)keywords_##i, (void *)fast_##i},
	ENTRANCES(ROW)
#undef ROW
};

static void *wrapper_for(int i, int flags)
{
	switch (flags) {
	case METH_NOARGS:
	case METH_O:
	case METH_VARARGS:
		return entrances[i].plain;
	case METH_VARARGS | METH_KEYWORDS:
		return entrances[i].keywords;
	case METH_FASTCALL:
	case METH_FASTCALL | METH_KEYWORDS:
		return entrances[i].fast;
	default:
		return NULL;
	}
}

static void wrap(int i)
{
	PyObject *key = PyUnicode_FromString(entrances[i].module), *module = key ? sg_modules_host(key) : NULL;
	PyObject *function = module ? sg_python_attribute_or_null(module, entrances[i].name) : NULL;
	PyMethodDef *def = function ? sg_cpython_method_def(function) : NULL;
	void *wrapper = def ? wrapper_for(i, def->ml_flags) : NULL;

	if (wrapper && sg_cpython_writable(&def->ml_meth, sizeof(def->ml_meth))) {
		originals[i] = (void *)def->ml_meth;
		def->ml_meth = (PyCFunction)wrapper;
	}
	PyErr_Clear();
	sg_python_clear(&function);
	sg_python_clear(&key);
}

void sg_interpreters_imported(const char *module)
{
	for (int i = 0; i < COUNT; i++)
		if (!originals[i] && (!module || strcmp(entrances[i].module, module) == 0))
			wrap(i);
}
