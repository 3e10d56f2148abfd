#include "shim/interpreter/classes.h"

#include "shim/interpreter/function.h"
#include "shim/interpreter/layout.h"

#include <errno.h>

struct sg_classes sg_classes;

int sg_classes_hook(PyTypeObject *class, PyObject *function, sg_vectorcall hook)
{
	int error = sg_function_hook(function, hook);

	if (error)
		return error;
	if (sg_classes.need_type && sg_cpython_type(function) == &PyFunction_Type)
		sg_cpython_set_type(function, sg_function_subtype());
	PyType_Modified(class);
	return 0;
}

/* As type's own; that it is another one keeps the interpreter from a short cut. */
static PyObject *alloc(PyTypeObject *type, Py_ssize_t items)
{
	return PyType_GenericAlloc(type, items);
}

int sg_classes_use_slots(PyTypeObject *type)
{
	if (!sg_classes.slots)
		return -ENOTSUP;
	if (sg_field(type, type_alloc) == (void *)PyType_GenericAlloc)
		sg_field(type, type_alloc) = (void *)alloc;
	return 0;
}

unsigned char *sg_classes_matched(PyTypeObject *class)
{
	return sg_cpython.type_slots ? (unsigned char *)&sg_field(class, type_flags) : NULL;
}

/* --- probes ------------------------------------------------------------------------------------ */

/* Counts the objects that could not be made, at a call site that is specialised before and after the hook. */
static const char *const CLASS_SOURCE =
	"class Base:\n"
	"    def __init__(self):\n"
	"        pass\n"
	"class Derived(Base):\n"
	"    pass\n"
	"def hot(n=128):\n"
	"    r = 0\n"
	"    for i in range(n):\n"
	"        try:\n"
	"            target()\n"
	"        except Exception:\n"
	"            r += 1\n"
	"    return r\n"
	"init = Base.__init__\n"
	"def base():\n"
	"    global target\n"
	"    target = Base\n"
	"    return hot()\n"
	"def derived():\n"
	"    global target\n"
	"    target = Derived\n"
	"    return hot()\n"
	"target = Base\n"
	"hot(2000)\n"
	"if 'given' in globals():\n"
	"    target = Derived\n"
	"    hot(2000)\n";

static bool classes_answer(PyObject *namespace, long base, long derived)
{
	for (int i = 0; i < 2; i++)
		if (sg_cpython_call(sg_cpython_item(namespace, "base")) != base ||
		    sg_cpython_call(sg_cpython_item(namespace, "base")) != base ||
		    sg_cpython_call(sg_cpython_item(namespace, "derived")) != derived ||
		    sg_cpython_call(sg_cpython_item(namespace, "derived")) != derived)
			return false;
	return true;
}

/* Answers no None, which makes every __init__ fail. */
static bool probe_maker_hook(void)
{
	PyObject *namespace = sg_cpython_run(CLASS_SOURCE, NULL, NULL), *class = NULL, *init = NULL;
	bool proved = false;

	if (namespace) {
		class = sg_cpython_item(namespace, "Base");
		init = sg_cpython_item(namespace, "init");
	}
	if (class && init && classes_answer(namespace, 0, 0) &&
	    sg_classes_hook((PyTypeObject *)class, init, sg_function_probe_hook) == 0) {
		proved = classes_answer(namespace, 128, 128);
		sg_function_unhook(init);
		PyType_Modified((PyTypeObject *)class);
		proved = proved && classes_answer(namespace, 0, 0);
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
	return proved;
}

static void probe_makers(void)
{
	sg_classes.makers = sg_cpython.functions && probe_maker_hook();
	if (!sg_cpython.functions || sg_classes.makers)
		return;
	sg_classes.need_type = sg_function_subtype() != NULL;
	sg_classes.makers = probe_maker_hook();
	if (!sg_classes.makers)
		sg_classes.need_type = false;
}

static int probe_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
	(void)self;
	(void)args;
	(void)kwargs;
	PyErr_SetString(PyExc_RuntimeError, "sandglass: a probe");
	return -1;
}

static void probe_call_slots(void)
{
	PyObject *namespace, *class;
	sg_initproc *slot, original;

	if (!sg_cpython.type_slots)
		return;
	namespace = sg_cpython_run(CLASS_SOURCE, "given", Py_None);
	class = namespace ? sg_cpython_item(namespace, "Derived") : NULL;
	if (class && classes_answer(namespace, 0, 0)) {
		sg_classes.slots = true;
		sg_classes_use_slots((PyTypeObject *)class);
		slot = sg_cpython_init_slot((PyTypeObject *)class);
		original = *slot;
		*slot = probe_init;
		PyType_Modified((PyTypeObject *)class);
		sg_classes.slots = classes_answer(namespace, 0, 128);
		*slot = original;
		PyType_Modified((PyTypeObject *)class);
		sg_classes.slots &= classes_answer(namespace, 0, 0);
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
}

void sg_classes_probe(void)
{
	probe_makers();
	probe_call_slots();
}
