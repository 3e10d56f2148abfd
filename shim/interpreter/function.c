#include "shim/interpreter/function.h"

#include "shim/interpreter/layout.h"

#include <errno.h>
#include <stdint.h>

static PyTypeObject *subtype;
static sg_vectorcall python_vectorcall;

Py_ssize_t sg_function_vectorcall_offset(void)
{
	return ((struct type_head *)&PyFunction_Type)->vectorcall_offset;
}

static sg_vectorcall *vectorcall_of(PyObject *function)
{
	return (sg_vectorcall *)((char *)function + sg_function_vectorcall_offset());
}

/* 3.11 and later keep a version behind the vectorcall pointer; specialised call sites compare it. */
static void clear_version(PyObject *function)
{
	if (sg_cpython.minor >= 11)
		*(uint32_t *)((char *)vectorcall_of(function) + sizeof(sg_vectorcall)) = 0;
}

int sg_function_hook(PyObject *function, sg_vectorcall hook)
{
	sg_vectorcall *slot;

	if (!sg_cpython.functions || (sg_cpython_type(function) != &PyFunction_Type && sg_cpython_type(function) != subtype))
		return -ENOTSUP;
	slot = vectorcall_of(function);
	if (*slot == hook)
		return -EEXIST;
	if (*slot != python_vectorcall)
		return -ENOTSUP;
	*slot = hook;
	clear_version(function);
	if (sg_cpython.functions_need_type)
		sg_cpython_set_type(function, subtype);
	return 0;
}

void sg_function_unhook(PyObject *function)
{
	*vectorcall_of(function) = python_vectorcall;
	clear_version(function);
	if (sg_cpython_type(function) == subtype)
		sg_cpython_set_type(function, &PyFunction_Type);
}

PyObject *sg_function_call(PyObject *function, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
	return python_vectorcall(function, args, nargsf, kwnames);
}

/* --- the probe --------------------------------------------------------------------------------- */

PyObject *sg_function_probe_hook(PyObject *function, PyObject *const *args, size_t nargsf,
		PyObject *kwnames)
{
	(void)function;
	(void)args;
	(void)nargsf;
	(void)kwnames;
	return PyLong_FromLong(2);
}

static void delete_item(PyObject *dict, const char *name)
{
	PyObject *key = PyUnicode_FromString(name);

	if (!key || PyDict_DelItem(dict, key) < 0)
		PyErr_Clear();
	sg_python_clear(&key);
}

static PyType_Slot no_slots[] = {{0, NULL}};

/*
 * A subtype of function whose instances are plain functions. Type "function" cannot be subclassed
 * through the API, so the base is made acceptable for the moment of creation.
 */
static void make_subtype(void)
{
	static PyType_Spec spec = {.name = "builtins.function", .flags = Py_TPFLAGS_DEFAULT};
	struct type_head *base = (struct type_head *)&PyFunction_Type, *head;
	unsigned long flags = base->flags;

	spec.slots = no_slots;
	base->flags |= Py_TPFLAGS_BASETYPE;
	subtype = sg_cpython_new_type(&spec, &PyFunction_Type);
	base->flags = flags;
	if (!subtype) {
		PyErr_Clear();
		return;
	}
	head = (struct type_head *)subtype;
	head->flags |= flags & (Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR);
	head->vectorcall_offset = base->vectorcall_offset;
	head->call = base->call;
	head->descr_get = base->descr_get;
	/* What the type itself says would hide what each function says. */
	delete_item(head->dict, "__module__");
	delete_item(head->dict, "__doc__");
	PyType_Modified(subtype);
}

static bool probe_hook(void)
{
	PyObject *namespace = sg_cpython_run_calls(NULL), *target;
	bool proved = false;

	if (!namespace)
		return false;
	target = sg_cpython_item(namespace, "target");
	if (target && sg_cpython_calls_answer(namespace, 1)) {
		sg_cpython.functions = true;
		if (sg_function_hook(target, sg_function_probe_hook) == 0) {
			/* Twice: call sites may be specialised anew after the first round. */
			proved = sg_cpython_calls_answer(namespace, 2) && sg_cpython_calls_answer(namespace, 2);
			sg_function_unhook(target);
			proved = proved && sg_cpython_calls_answer(namespace, 1);
		}
		sg_cpython.functions = proved;
	}
	PyErr_Clear();
	Py_DecRef(namespace);
	return proved;
}

/* functools.singledispatch pickles and copies functions by name; the subtype must do the same. */
static void register_copy(void)
{
	PyObject *copyreg = PyImport_ImportModule("copyreg"), *namespace, *reduce;

	namespace = sg_cpython_run("def reduce(function):\n    return function.__qualname__\n", NULL, NULL);
	reduce = namespace ? sg_cpython_item(namespace, "reduce") : NULL;
	if (copyreg && reduce) {
		PyObject *done = NULL, *pickle = PyObject_GetAttrString(copyreg, "pickle");

		if (pickle)
			done = PyObject_CallFunctionObjArgs(pickle, (PyObject *)subtype, reduce, NULL);
		sg_python_clear(&done);
		sg_python_clear(&pickle);
	}
	PyErr_Clear();
	sg_python_clear(&copyreg);
	sg_python_clear(&namespace);
}

PyTypeObject *sg_function_subtype(void)
{
	if (!subtype) {
		make_subtype();
		if (subtype)
			register_copy();
	}
	return subtype;
}

void sg_function_probe(void)
{
	struct type_head *type = (struct type_head *)&PyFunction_Type;
	PyObject *namespace;

	if (!sg_cpython.type_slots || !(type->flags & Py_TPFLAGS_HAVE_VECTORCALL) ||
	    type->vectorcall_offset < (Py_ssize_t)sizeof(struct object) ||
	    type->vectorcall_offset + (Py_ssize_t)sizeof(void *) > type->basicsize)
		return;
	namespace = sg_cpython_run("def target(): pass\n", NULL, NULL);
	if (namespace && sg_cpython_item(namespace, "target"))
		python_vectorcall = *vectorcall_of(sg_cpython_item(namespace, "target"));
	PyErr_Clear();
	sg_python_clear(&namespace);
	if (!python_vectorcall)
		return;
	/* Clearing the version and setting the pointer is enough but for 3.11, whose calls look at the type only. */
	if (probe_hook())
		return;
	sg_cpython.functions_need_type = sg_function_subtype() != NULL;
	if (sg_cpython.functions_need_type && !probe_hook())
		sg_cpython.functions_need_type = false;
}
