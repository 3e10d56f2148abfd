#include "shim/shared/generics.h"

#include "shim/guard/arm.h"
#include "shim/interpreter/cpython.h"
#include "shim/shared/subclasses.h"

#include <string.h>

/* put(olds, news): typing calls other caches from now on. Until 3.11 it finds each in a cell, then in a dict. */
static const char *const SOURCE =
	"import gc, types, typing\n"
	"caches = [c.__self__ for c in typing._cleanups]\n"
	"if hasattr(typing, '_caches'): caches = [c for c in caches if c in typing._caches.values()]\n"
	"def put(olds, news):\n"
	"    others = {id(old): new for old, new in zip(olds, news)}\n"
	"    if hasattr(typing, '_caches'):\n"
	"        typing._caches.update({f: others[id(c)] for f, c in typing._caches.items() if id(c) in others})\n"
	"        return\n"
	"    for cell in gc.get_referrers(*olds):\n"
	"        if type(cell) is types.CellType: cell.cell_contents = others[id(cell.cell_contents)]\n"
	"T = typing.TypeVar('T')\n"
	"class A(typing.Generic[T]): pass\n"
	"kept = A[int], typing.List[A]\n"
	"def same(): return A[int] is kept[0] and typing.List[A] is kept[1]\n";

static PyObject *helpers;                 /* the namespace of SOURCE */
static PyObject *caches, *stand_ins;      /* lists: typing's, and ours in their places */
static long asked;                        /* how often; only the probe wants to know */

#define DEPTH_MAX 4

#define KINDS_MAX 16

/* A class of typing's or types', held. */
struct kind {
	PyTypeObject *type;
	bool bare; /* of its objects none has arguments: they are not asked for, as the answer is an exception */
};

/* NULL: it is another's. */
static struct kind *kind_of(PyTypeObject *type)
{
	static struct kind kinds[KINDS_MAX], one; /* those seen, and what has no place among them */
	struct kind *kind = kinds;
	PyObject *module;
	bool found;

	while (kind < kinds + KINDS_MAX && kind->type && kind->type != type)
		kind++;
	if (kind == kinds + KINDS_MAX)
		kind = &one;
	else if (kind->type)
		return kind;
	module = sg_python_attribute_or_null((PyObject *)type, "__module__");
	found = strcmp(sg_python_text(module), "typing") == 0 || strcmp(sg_python_text(module), "types") == 0;
	sg_python_clear(&module);
	kind->bare = false;
	if (found && kind != &one)
		kind->type = (PyTypeObject *)sg_python_ref((PyObject *)type);
	return found ? kind : NULL;
}

/* Does it name, be it by a text that is looked up later, or contain what the workflow's modules made? */
static bool is_own(PyObject *object, int depth)
{
	PyTypeObject *type = sg_cpython_type(object);
	struct kind *kind;
	PyObject *arguments;
	bool own = false;

	if (type == &PyTuple_Type && depth < DEPTH_MAX) {
		for (Py_ssize_t i = 0; !own && i < PyTuple_Size(object); i++)
			own = is_own(PyTuple_GetItem(object, i), depth + 1);
		return own;
	}
	if (sg_cpython_is_class(object))
		return sg_subclasses_is_noted(object);
	if (type == &PyUnicode_Type || sg_subclasses_is_noted((PyObject *)type))
		return true;
	if (depth >= DEPTH_MAX)
		return false;
	kind = kind_of(type);
	if (!kind || kind->bare)
		return false;
	if (strcmp(sg_cpython_type_name(type), "ForwardRef") == 0)
		return true;
	arguments = sg_python_attribute_or_null(object, "__args__");
	kind->bare = !arguments;
	own = arguments && is_own(arguments, depth + 1);
	sg_python_clear(&arguments);
	return own;
}

/* Which cache, and what it is asked for; 1 is not True here. */
static PyObject *full_key(PyObject *cache, PyObject *key)
{
	Py_ssize_t count = PyTuple_Size(key);
	PyObject *full = PyTuple_New(1 + 2 * count), *address = PyLong_FromVoidPtr(cache);

	if (!full || !address) {
		sg_python_clear(&full);
		sg_python_clear(&address);
		return NULL;
	}
	PyTuple_SetItem(full, 0, address);
	for (Py_ssize_t i = 0; i < count; i++) {
		PyObject *item = PyTuple_GetItem(key, i);

		PyTuple_SetItem(full, 1 + 2 * i, sg_python_ref(item));
		PyTuple_SetItem(full, 2 + 2 * i, sg_python_ref((PyObject *)sg_cpython_type(item)));
	}
	return full;
}

static PyObject *make(struct sg_run *run, PyObject *cache, PyObject *key, PyObject *full)
{
	PyObject *wrapped = PyObject_GetAttrString(cache, "__wrapped__"), *made = wrapped ? PyObject_CallObject(wrapped, key) : NULL;

	if (made && !run->generics && !(run->generics = PyDict_New()))
		sg_python_clear(&made);
	if (made && PyDict_SetItem(run->generics, full, made) < 0)
		sg_python_clear(&made);
	sg_python_clear(&wrapped);
	return made;
}

/* Where what is asked for has no hash, typing does without a cache: the exception says so. */
static PyObject *get(PyObject *cache, PyObject *key, PyObject *kwargs)
{
	struct sg_run *run = sg_context_run;
	PyObject *made, *full;

	asked++;
	if (!run || !run->family || (kwargs && PyDict_Size(kwargs)) || !is_own(key, 0))
		return PyObject_Call(cache, key, kwargs);
	full = full_key(cache, key);
	made = full && run->generics ? PyDict_GetItemWithError(run->generics, full) : NULL;
	if (full && !made && !PyErr_Occurred() && run->image_generics)
		made = PyDict_GetItemWithError(run->image_generics, full);
	made = made ? sg_python_ref(made) : PyErr_Occurred() ? NULL : make(run, cache, key, full);
	sg_python_clear(&full);
	return made;
}

PyObject *sg_generics_of_modules(struct sg_run *run)
{
	PyObject *generics = run->generics;

	run->generics = NULL;
	return generics;
}

/* --- in place ------------------------------------------------------------------------------------ */

static PyMethodDef definition = {"_lru_cache_wrapper", (PyCFunction)(void *)get, METH_VARARGS | METH_KEYWORDS, NULL};

static void put(PyObject *olds, PyObject *news)
{
	PyObject *function = sg_cpython_item(helpers, "put"), *done = NULL;

	if (function)
		done = PyObject_CallFunctionObjArgs(function, olds, news, NULL);
	PyErr_Clear();
	sg_python_clear(&done);
}

static int make_stand_ins(void)
{
	for (Py_ssize_t i = 0; i < PyList_Size(caches); i++) {
		PyObject *stand_in = PyCFunction_NewEx(&definition, PyList_GetItem(caches, i), NULL);
		int error = stand_in ? PyList_Append(stand_ins, stand_in) : -1;

		sg_python_clear(&stand_in);
		if (error)
			return -1;
	}
	return 0;
}

/* All that has parameters goes this way, and what typing remembers is found as before. */
static bool probe(void)
{
	long before = asked;

	return sg_cpython_call(sg_cpython_item(helpers, "same")) == 1 && asked == before + 2;
}

void sg_generics_install(void)
{
	bool proved = false;

	helpers = sg_subclasses_known ? sg_cpython_run(SOURCE, NULL, NULL) : NULL;
	if (helpers) {
		caches = sg_cpython_item(helpers, "caches");
		stand_ins = PyList_New(0);
	}
	if (caches && stand_ins && make_stand_ins() == 0) {
		put(caches, stand_ins);
		proved = probe();
		if (!proved)
			sg_generics_remove();
	}
	PyErr_Clear();
	if (!proved)
		sg_arm_lacking("typing.Generic",
				"on this interpreter what one run made of its classes with parameters is remembered for all");
}

void sg_generics_remove(void)
{
	if (stand_ins)
		put(stand_ins, caches);
}
