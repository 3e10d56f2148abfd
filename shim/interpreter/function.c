#include "shim/interpreter/function.h"

#include "shim/interpreter/layout.h"

#include <errno.h>
#include <stdint.h>

static PyTypeObject *subtype;
static sg_vectorcall python_vectorcall;

Py_ssize_t sg_function_vectorcall_offset(void)
{
	return sg_field(&PyFunction_Type, type_vectorcall_offset);
}

static sg_vectorcall *vectorcall_of(PyObject *function)
{
	return (sg_vectorcall *)((char *)function + sg_function_vectorcall_offset());
}

/* Specialised call sites compare it. */
static void clear_version(PyObject *function)
{
	if (sg_has(function_version))
		sg_field(vectorcall_of(function), function_version) = 0;
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

int sg_function_hook_reads(PyObject *getter, PyTypeObject *class)
{
	if (!sg_cpython.getters)
		return -ENOTSUP;
	if (sg_cpython.getters_need_type)
		sg_cpython_set_type(getter, subtype);
	PyType_Modified(class);
	return 0;
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
	PyTypeObject *base = &PyFunction_Type;
	unsigned long flags = sg_field(base, type_flags);

	spec.slots = no_slots;
	sg_field(base, type_flags) |= Py_TPFLAGS_BASETYPE;
	subtype = sg_cpython_new_type(&spec, &PyFunction_Type);
	sg_field(base, type_flags) = flags;
	if (!subtype) {
		PyErr_Clear();
		return;
	}
	sg_field(subtype, type_flags) |= flags & (Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR);
	sg_field(subtype, type_vectorcall_offset) = sg_field(base, type_vectorcall_offset);
	sg_field(subtype, type_call) = sg_field(base, type_call);
	sg_field(subtype, type_descr_get) = sg_field(base, type_descr_get);
	/* What the type itself says would hide what each function says. */
	delete_item(sg_cpython_type_dict(subtype), "__module__");
	delete_item(sg_cpython_type_dict(subtype), "__doc__");
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

/* A function that call sites know has a version, and a change of what they know of it takes that away. */
static bool version_is_told(void)
{
	PyObject *namespace = sg_cpython_run_calls(NULL), *target = namespace ? sg_cpython_item(namespace, "target") : NULL;
	uint32_t before, after;
	bool told = false;

	if (target && sg_at(function_version) > 0 && sg_function_vectorcall_offset() + sg_at(function_version) +
	    (Py_ssize_t)sizeof(after) <= sg_cpython_basicsize(&PyFunction_Type)) {
		before = sg_field(vectorcall_of(target), function_version);
		PyObject_SetAttrString(target, "__defaults__", Py_None);
		after = sg_field(vectorcall_of(target), function_version);
		told = before && before != after && after <= 1; /* 1: taken away, since 3.14 */
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
	return told;
}

static bool reads_answer(PyObject *namespace, long expected)
{
	return sg_cpython_call(sg_cpython_item(namespace, "read")) == 50 * expected;
}

static bool probe_reads(void)
{
	PyObject *namespace = sg_cpython_run(
		"class C:\n"
		"    @property\n"
		"    def one(self): return 1\n"
		"getter, c = C.one.fget, C()\n"
		"def read():\n"
		"    total = 0\n"
		"    for i in range(50): total += c.one\n"
		"    return total\n", NULL, NULL);
	PyObject *getter = namespace ? sg_cpython_item(namespace, "getter") : NULL;
	bool proved = false;

	sg_cpython.getters = getter && reads_answer(namespace, 1) && sg_function_hook(getter, sg_function_probe_hook) == 0;
	if (sg_cpython.getters) {
		sg_function_hook_reads(getter, (PyTypeObject *)sg_cpython_item(namespace, "C"));
		/* Twice, as above. */
		proved = reads_answer(namespace, 2) && reads_answer(namespace, 2);
		sg_function_unhook(getter);
		proved = proved && reads_answer(namespace, 1);
	}
	sg_cpython.getters = proved;
	PyErr_Clear();
	sg_python_clear(&namespace);
	return proved;
}

static void probe_calls(void)
{
	/* Clearing the version and setting the pointer is enough but for 3.11, whose calls look at the type only. */
	if (probe_hook())
		return;
	sg_cpython.functions_need_type = sg_function_subtype() != NULL;
	if (sg_cpython.functions_need_type && !probe_hook())
		sg_cpython.functions_need_type = false;
}

void sg_function_probe(void)
{
	PyObject *namespace;

	if (!sg_cpython.type_slots || !(PyType_GetFlags(&PyFunction_Type) & Py_TPFLAGS_HAVE_VECTORCALL) ||
	    (sg_has(function_version) && !version_is_told()))
		return;
	namespace = sg_cpython_run("def target(): pass\n", NULL, NULL);
	if (namespace && sg_cpython_item(namespace, "target"))
		python_vectorcall = *vectorcall_of(sg_cpython_item(namespace, "target"));
	PyErr_Clear();
	sg_python_clear(&namespace);
	if (!python_vectorcall)
		return;
	probe_calls();
	/* A read of a property that was specialised looks at the class alone, and in 3.14 does so anew although the version is cleared. */
	if (sg_cpython.functions && !probe_reads()) {
		sg_cpython.getters_need_type = sg_function_subtype() != NULL;
		if (sg_cpython.getters_need_type && !probe_reads())
			sg_cpython.getters_need_type = false;
	}
}
