/*
 * state.c - state of the interpreter and of libraries that all runs and the host share, changed by workflow code.
 *
 * The functions that change it have rules in config/default.conf; what is changed by a store is seen in stores.h.
 */
#include "shim/guard/family.h"
#include "shim/shared/stores.h"
#include "shim/state/named.h"

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

static PyObject *logging(const char *path)
{
	PyObject *module = PyImport_ImportModule("logging");
	PyObject *value = module ? sg_python_attribute_or_null(module, path) : NULL;

	PyErr_Clear();
	sg_python_clear(&module);
	return value;
}

/* Found under its name by everybody: a handler or a logger that was made by hand is not. */
static bool is_shared_logger(struct sg_call *call, int unused)
{
	PyObject *self = call->self ? call->self : sg_call_argument(call, 0, NULL);
	PyObject *root = logging("root"), *loggers = logging("root.manager.loggerDict");
	PyObject *name = self ? sg_python_attribute_or_null(self, "name") : NULL;
	bool shared = self && self == root;

	(void)unused;
	if (!shared && self && loggers && name)
		shared = PyDict_GetItemWithError(loggers, name) == self;
	PyErr_Clear();
	sg_python_clear(&name);
	sg_python_clear(&loggers);
	sg_python_clear(&root);
	return shared;
}

/* warnings.catch_warnings() has put a copy in the place of the list, and takes it away again. */
static bool are_shared_filters(struct sg_call *call, int unused)
{
	(void)call;
	(void)unused;
	return sg_stores_filters_shared();
}

static const struct sg_condition_entry conditions[] = {
	{"given", is_given},
	{"shared", is_shared},
	{"shared-logger", is_shared_logger},
	{"shared-filters", are_shared_filters},
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
