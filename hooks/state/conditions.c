/*
 * conditions.c - state of the interpreter and of libraries that all runs and the host share, changed by workflow code.
 *
 * The functions that change it have rules in rules.conf; what is changed by a store is seen in stores.h.
 */
#include "shim/guard/family.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/shared/stores.h"
#include "shim/state/named.h"

#include <string.h>

static bool is_given(struct sg_call *call, int position)
{
	return sg_call_argument(call, position, NULL);
}

/* Its argument N is a module, class or function that others see as well. */
static bool is_shared(struct sg_call *call, int position)
{
	PyObject *argument = sg_call_argument(call, position, NULL);
	bool shared = argument && sg_stores_shared(call->run, argument);

	PyErr_Clear();
	return shared;
}

/* Of a class that others have made it is written into the class what match statements take it for. */
static bool registers_shared(struct sg_call *call, int unused)
{
	PyObject *class = sg_call_argument(call, 1, "subclass");

	(void)unused;
	return class && sg_cpython_is_class(class) && (PyType_GetFlags((PyTypeObject *)class) & Py_TPFLAGS_HEAPTYPE) &&
		is_shared(call, 0) && is_shared(call, 1);
}

static bool is_shared_logger(struct sg_call *call, int unused)
{
	PyObject *self = call->self ? call->self : sg_call_argument(call, 0, NULL);

	(void)unused;
	call->run->listens |= strcmp(call->rule->name, "logging.Filterer.addFilter") == 0; /* it is given the records */
	return self && sg_stores_logger_shared(self);
}

/* warnings.catch_warnings() has put a copy in the place of the list, and takes it away again. */
static bool are_shared_filters(struct sg_call *call, int unused)
{
	(void)call;
	(void)unused;
	return sg_stores_filters_shared();
}

/* Never: what making a table fills once for all is filled here, outside of the run. */
static void fill_once(const char *name, const char *done, const char *function)
{
	PyObject *module = PyImport_ImportModule(name), *fill, *result = NULL;

	fill = module && !sg_python_is_true(module, done) ? sg_python_attribute_or_null(module, function) : NULL;
	if (fill)
		result = PyObject_CallObject(fill, NULL);
	PyErr_Clear();
	sg_python_clear(&result);
	sg_python_clear(&fill);
	sg_python_clear(&module);
}

static bool is_mimetypes_made(struct sg_call *call, int unused)
{
	(void)call;
	(void)unused;
	fill_once("mimetypes", "inited", "init");
	return false;
}

/* Half filled it would stay so for the whole worker. */
static bool is_sysconfig_made(struct sg_call *call, int unused)
{
	(void)call;
	(void)unused;
	fill_once("sysconfig", "_CONFIG_VARS", "get_config_vars");
	return false;
}

/* Made anew, a compiled module has classes of its own, on which no guard is. */
static bool is_compiled_again(struct sg_call *call, int position)
{
	PyObject *spec = sg_call_argument(call, position, "spec");
	PyObject *name = spec ? sg_python_attribute_or_null(spec, "name") : NULL;
	PyObject *module = name && sg_cpython_is_text(name) ? sg_modules_host(name) : NULL;
	PyObject *loader = module ? sg_python_attribute_or_null(module, "__spec__.loader") : NULL;
	PyObject *kind = loader ? sg_python_attribute_or_null(loader, "__name__") : NULL; /* BuiltinImporter, a class */
	bool compiled;

	if (loader && !kind)
		kind = sg_python_attribute_or_null(loader, "__class__.__name__");
	compiled = kind && (strcmp(sg_python_text(kind), "BuiltinImporter") == 0 || strcmp(sg_python_text(kind), "ExtensionFileLoader") == 0);
	PyErr_Clear();
	sg_python_clear(&kind);
	sg_python_clear(&loader);
	sg_python_clear(&name);
	return compiled;
}

static const struct sg_condition_entry conditions[] = {
	{"given", is_given},
	{"shared", is_shared}, {"registers-shared", registers_shared},
	{"shared-logger", is_shared_logger},
	{"shared-filters", are_shared_filters},
	{"mimetypes-made", is_mimetypes_made}, {"sysconfig-made", is_sysconfig_made},
	{"compiled-again", is_compiled_again},
	{NULL, NULL}
};

static void remove_state(void)
{
	sg_stores_remove();
	sg_named_remove();
}

SG_FAMILY(state) = {
	.name = "state", .conditions = conditions,
	.install = sg_stores_install, .remove = remove_state,
};
