#include "shim/guard/mapping.h"

#include "shim/guard/attribute.h"
#include "shim/guard/decide.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"

#include <errno.h>

#define GUARDED_MAX 8

static struct {
	PyObject *dict;
	const struct sg_rule *rule;
} guarded[GUARDED_MAX];
static int guarded_count;

/* 0: go on, -1: refused. */
static int consult(PyObject *self)
{
	struct sg_call call = {.self = self};

	if (!sg_context_active())
		return 0;
	for (int i = 0; i < guarded_count; i++)
		if (guarded[i].dict == self)
			call.rule = guarded[i].rule;
	return call.rule ? sg_decide(&call, NULL) : 0;
}

#define SLOT(slot, type, failure, name, parameters, ...) \
	static type name parameters \
	{ \
		if (consult(self) < 0) \
			return failure; \
		return ((type (*) parameters)PyType_GetSlot(&PyDict_Type, slot))(__VA_ARGS__); \
	}
SLOT(Py_mp_subscript, PyObject *, NULL, subscript, (PyObject *self, PyObject *key), self, key)
SLOT(Py_mp_ass_subscript, int, -1, store, (PyObject *self, PyObject *key, PyObject *value), self, key, value)
SLOT(Py_mp_length, Py_ssize_t, -1, length, (PyObject *self), self)
SLOT(Py_sq_contains, int, -1, contains, (PyObject *self, PyObject *key), self, key)
SLOT(Py_tp_iter, PyObject *, NULL, iterate, (PyObject *self), self)
SLOT(Py_tp_repr, PyObject *, NULL, represent, (PyObject *self), self)

/* dict's own method of that name, after asking. */
static PyObject *call_dict(PyObject *self, PyObject **unbound, const char *name, PyObject *args,
		PyObject *kwargs)
{
	PyObject *first, *all, *result = NULL;

	if (consult(self) < 0)
		return NULL;
	if (!*unbound && !(*unbound = PyObject_GetAttrString((PyObject *)&PyDict_Type, name)))
		return NULL;
	first = PyTuple_Pack(1, self);
	all = first ? PySequence_Concat(first, args) : NULL;
	if (all)
		result = PyObject_Call(*unbound, all, kwargs);
	sg_python_clear(&all);
	sg_python_clear(&first);
	return result;
}

#define METHODS(M) M(copy) M(get) M(items) M(keys) M(pop) M(popitem) M(setdefault) M(update) M(values) M(clear)

#define METHOD(name) \
	static PyObject *name(PyObject *self, PyObject *args, PyObject *kwargs) \
	{ \
		static PyObject *unbound; \
		return call_dict(self, &unbound, #name, args, kwargs); \
	}
METHODS(METHOD)

#define METHOD_DEF(name) {#name, (PyCFunction)(void *)name, METH_VARARGS | METH_KEYWORDS, NULL},
static PyMethodDef methods[] = {METHODS(METHOD_DEF) {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {
	{Py_mp_ass_subscript, store},
	{Py_mp_length, length},
	{Py_mp_subscript, subscript},
	{Py_sq_contains, contains},
	{Py_tp_iter, iterate},
	{Py_tp_methods, methods},
	{Py_tp_repr, represent},
	{0, NULL}
};

static PyType_Spec spec = {
	.name = "builtins.dict", .flags = Py_TPFLAGS_DEFAULT, .slots = slots
};

static PyTypeObject *guarded_type;

int sg_mapping_guard(const struct sg_rule *rule, PyObject *target)
{
	PyObject *dict = sg_python_ref(target);
	int error = -ENOTSUP;

	if (sg_cpython_type(target) != &PyDict_Type) {
		Py_DecRef(dict);
		dict = sg_python_attribute_or_null(target, "_data");
	}
	if (!dict || !sg_cpython.dict_types)
		goto out;
	error = -EEXIST;
	if (guarded_type && sg_cpython_type(dict) == guarded_type)
		goto out;
	error = -ENOTSUP;
	if (sg_cpython_type(dict) != &PyDict_Type || guarded_count == GUARDED_MAX)
		goto out;
	if (!guarded_type && !(guarded_type = sg_cpython_new_type(&spec, &PyDict_Type)))
		goto out;
	if (dict != target) {
		error = sg_attribute_guard_class(rule, sg_cpython_type(target));
		if (error)
			goto out;
	}
	sg_cpython_set_type(dict, guarded_type);
	guarded[guarded_count].dict = sg_python_ref(dict);
	guarded[guarded_count++].rule = rule;
	error = 0;
out:
	PyErr_Clear();
	sg_python_clear(&dict);
	return error;
}

void sg_mapping_remove_all(void)
{
	while (guarded_count)
		sg_cpython_set_type(guarded[--guarded_count].dict, &PyDict_Type);
}
