#define _GNU_SOURCE
#include "shim/interpreter/cpython.h"

#include "shim/interpreter/layout.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Slot numbers that only the probe compares. */
#define SLOT_TP_ALLOC 47
#define SLOT_TP_BASE 48
#define SLOT_TP_DEALLOC 52

struct sg_cpython sg_cpython;

bool sg_cpython_readable(const void *address, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t at = (uintptr_t)address & ~(page - 1), end = (uintptr_t)address + size;
	unsigned char resident;

	if (!address || end < (uintptr_t)address)
		return false;
	for (; at < end; at += page)
		if (mincore((void *)at, 1, &resident) != 0)
			return false;
	return true;
}

struct segment_query {
	uintptr_t address;
	bool found, writable;
};

static int query_segment(struct dl_phdr_info *info, size_t size, void *data)
{
	struct segment_query *query = data;
	uintptr_t start;
	bool hit = false, writable = false;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];

		start = info->dlpi_addr + header->p_vaddr;
		if (query->address < start || query->address >= start + header->p_memsz)
			continue;
		if (header->p_type == PT_LOAD) {
			hit = true;
			writable = header->p_flags & PF_W;
		} else if (header->p_type == PT_GNU_RELRO) {
			query->found = true;
			query->writable = false;
			return 1;
		}
	}
	/* RELRO headers may follow the PT_LOAD that contains them, so the object is judged as a whole. */
	if (hit) {
		query->found = true;
		query->writable = writable;
	}
	return hit;
}

bool sg_cpython_writable(const void *address, size_t size)
{
	struct segment_query query = {.address = (uintptr_t)address};

	if (!sg_cpython_readable(address, size))
		return false;
	dl_iterate_phdr(query_segment, &query);
	return !query.found || query.writable; /* outside every object: heap */
}

PyTypeObject *sg_cpython_type(PyObject *object)
{
	return ((struct object *)object)->type;
}

PyTypeObject *sg_cpython_type_base(PyTypeObject *type)
{
	return ((struct type_head *)type)->type_base;
}

PyObject *sg_cpython_type_dict(PyTypeObject *type)
{
	return ((struct type_head *)type)->dict;
}

const char *sg_cpython_type_name(PyTypeObject *type)
{
	return ((struct type_head *)type)->name;
}

Py_ssize_t sg_cpython_basicsize(PyTypeObject *type)
{
	return ((struct type_head *)type)->basicsize;
}

Py_ssize_t sg_cpython_refcount(PyObject *object)
{
	/* 3.14 keeps flags in the upper half; the count itself has 32 bits from 3.12 on, for immortal objects. */
	Py_ssize_t count = ((struct object *)object)->refcount;

	return sg_cpython.minor >= 12 ? count & 0xffffffff : count;
}

void sg_cpython_set_type(PyObject *object, PyTypeObject *new_type)
{
	PyTypeObject *old = sg_cpython_type(object);

	/* An instance owns a reference to its type only where the type is on the heap. */
	if (PyType_GetFlags(new_type) & Py_TPFLAGS_HEAPTYPE)
		Py_IncRef((PyObject *)new_type);
	((struct object *)object)->type = new_type;
	if (PyType_GetFlags(old) & Py_TPFLAGS_HEAPTYPE)
		Py_DecRef((PyObject *)old);
}

static bool is_exact(PyObject *object, PyTypeObject *type)
{
	return sg_cpython_type(object) == type;
}

/*
 * Cython's functions begin like a C function, since 0.29, and look up the pointer at each call. The type is made anew by
 * each version of Cython, so its name is all there is to go by; the definition must bear the function's name.
 */
static PyMethodDef *cython_method_def(PyObject *callable)
{
	PyObject *type_name = sg_python_attribute_or_null((PyObject *)sg_cpython_type(callable), "__name__");
	PyObject *name = NULL;
	PyMethodDef *def = NULL;

	if (type_name && PyUnicode_CompareWithASCIIString(type_name, "cython_function_or_method") == 0)
		name = sg_python_attribute_or_null(callable, "__name__");
	if (name && sg_cpython_readable(callable, sizeof(struct c_function)))
		def = ((struct c_function *)callable)->def;
	if (def && (!sg_cpython_readable(def, sizeof(*def)) || !sg_cpython_readable(def->ml_name, 64) ||
		    PyUnicode_CompareWithASCIIString(name, def->ml_name) != 0))
		def = NULL;
	sg_python_clear(&name);
	sg_python_clear(&type_name);
	return def;
}

PyMethodDef *sg_cpython_method_def(PyObject *callable)
{
	if (!sg_cpython.method_defs)
		return NULL;
	if (PyType_IsSubtype(sg_cpython_type(callable), &PyCFunction_Type))
		return ((struct c_function *)callable)->def;
	if (is_exact(callable, &PyMethodDescr_Type) || is_exact(callable, &PyClassMethodDescr_Type))
		return ((struct descriptor *)callable)->payload;
	return cython_method_def(callable);
}

PyObject *sg_cpython_method_self(PyObject *callable)
{
	if (!PyType_IsSubtype(sg_cpython_type(callable), &PyCFunction_Type))
		return NULL;
	return ((struct c_function *)callable)->self;
}

void **sg_cpython_wrapped_slot(PyObject *wrapper)
{
	if (!sg_cpython.type_slots || !is_exact(wrapper, &PyWrapperDescr_Type))
		return NULL;
	return &((struct descriptor *)wrapper)->wrapped;
}

sg_initproc *sg_cpython_init_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &((struct type_head *)type)->init : NULL;
}

sg_newproc *sg_cpython_new_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &((struct type_head *)type)->new : NULL;
}

void **sg_cpython_dealloc_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &((struct type_head *)type)->dealloc : NULL;
}

void **sg_cpython_getattro_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &((struct type_head *)type)->getattro : NULL;
}

void **sg_cpython_setattro_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &((struct type_head *)type)->setattro : NULL;
}

unsigned int *sg_cpython_version_tag(PyTypeObject *type)
{
	return sg_cpython.type_versions ? &((struct type_head *)type)->version_tag : NULL;
}

void **sg_cpython_vectorcall_slot(PyTypeObject *type)
{
	/* Where type's own instances, the classes, keep it. */
	return (void **)((char *)type + ((struct type_head *)&PyType_Type)->vectorcall_offset);
}

void *sg_cpython_slot_of(const char *source, int slot)
{
	PyObject *namespace = sg_cpython_run(source, NULL, NULL);
	PyObject *class = namespace ? sg_cpython_item(namespace, "C") : NULL;
	void *value = class ? PyType_GetSlot((PyTypeObject *)class, slot) : NULL;

	sg_python_clear(&namespace);
	return value;
}

bool sg_cpython_is_c_class(PyTypeObject *type)
{
	/*
	 * Every class statement ends objects with this one function and leaves tp_methods empty; a heap type of
	 * C code that has the former has methods.
	 */
	static void *subtype_dealloc;

	if (!subtype_dealloc)
		subtype_dealloc = sg_cpython_slot_of("class C: pass\n", SLOT_TP_DEALLOC);
	return PyType_GetSlot(type, SLOT_TP_DEALLOC) != subtype_dealloc ||
	       ((struct type_head *)type)->methods;
}

PyObject *sg_cpython_frame_globals(PyObject *frame)
{
	PyObject *globals;

	if (PyFrame_GetGlobals)
		return PyFrame_GetGlobals(frame);
	globals = PyObject_GetAttrString(frame, "f_globals");
	if (!globals)
		PyErr_Clear();
	return globals;
}

PyTypeObject *sg_cpython_new_type(PyType_Spec *spec, PyTypeObject *base)
{
	PyObject *bases = PyTuple_Pack(1, (PyObject *)base), *type = NULL;

	if (bases) {
		type = PyType_FromSpecWithBases(spec, bases);
		Py_DecRef(bases);
	}
	/* repr() shows tp_name of a type of builtins; "<class 'dict'>" is what everybody knows. */
	if (type && sg_cpython.type_slots)
		((struct type_head *)type)->name = ((struct type_head *)base)->name;
	return (PyTypeObject *)type;
}

PyObject *sg_cpython_referents(PyObject *object)
{
	static PyObject *get_referents;
	PyObject *gc;

	if (!get_referents) {
		gc = PyImport_ImportModule("gc");
		get_referents = gc ? PyObject_GetAttrString(gc, "get_referents") : NULL;
		sg_python_clear(&gc);
	}
	return get_referents ? PyObject_CallFunctionObjArgs(get_referents, object, NULL) : NULL;
}

/* --- probes ------------------------------------------------------------------------------------ */

/* A C function of ours stands in for everybody's: its PyMethodDef is known. */
static PyObject *probe_original(PyObject *self, PyObject *argument)
{
	(void)self;
	(void)argument;
	return PyLong_FromLong(1);
}

static PyObject *probe_replacement(PyObject *self, PyObject *argument)
{
	(void)self;
	(void)argument;
	return PyLong_FromLong(2);
}

static PyMethodDef probe_def = {"sandglass_probe", probe_original, METH_NOARGS, NULL};

long sg_cpython_call(PyObject *callable)
{
	PyObject *result = PyObject_CallObject(callable, NULL);
	long value;

	if (!result) {
		PyErr_Clear();
		return -1;
	}
	value = PyLong_AsLong(result);
	if (value == -1 && PyErr_Occurred())
		PyErr_Clear();
	Py_DecRef(result);
	return value;
}

PyObject *sg_cpython_run(const char *source, const char *name, PyObject *value)
{
	PyObject *builtins = NULL, *namespace = NULL, *result = NULL, *exec = NULL, *compile = NULL, *code = NULL;
	PyObject *text = PyUnicode_FromString(source), *file = PyUnicode_FromString("<string>"), *mode = PyUnicode_FromString("exec");

	builtins = PyImport_ImportModule("builtins");
	exec = builtins ? PyObject_GetAttrString(builtins, "exec") : NULL;
	compile = exec ? PyObject_GetAttrString(builtins, "compile") : NULL;
	namespace = PyDict_New();
	/* To execute text makes the interpreter forget that a KeyboardInterrupt ends it, and with which status. */
	if (compile && text && file && mode)
		code = PyObject_CallFunctionObjArgs(compile, text, file, mode, NULL);
	if (code && namespace && (!value || PyDict_SetItemString(namespace, name, value) == 0))
		result = PyObject_CallFunctionObjArgs(exec, code, namespace, NULL);
	if (!result)
		PyErr_Clear();
	sg_python_clear(&result);
	sg_python_clear(&code);
	sg_python_clear(&compile);
	sg_python_clear(&mode);
	sg_python_clear(&file);
	sg_python_clear(&text);
	sg_python_clear(&exec);
	sg_python_clear(&builtins);
	return namespace;
}

PyObject *sg_cpython_item(PyObject *dict, const char *key)
{
	PyObject *name = PyUnicode_FromString(key);
	PyObject *value = name ? PyDict_GetItemWithError(dict, name) : NULL;

	sg_python_clear(&name);
	return value;
}

/*
 * The call sites are specialised first (hot runs often enough on every version), so that what is
 * proved is what a worker would meet.
 */
static const char *const CALL_SOURCE =
	"def hot(n=64):\n"
	"    r = 0\n"
	"    for i in range(n):\n"
	"        r = target()\n"
	"    return r\n"
	"def target():\n"
	"    return 1\n"
	"if 'given' in globals():\n"
	"    target = given\n"
	"hot(2000)\n"
	"def cold():\n"
	"    return target()\n"
	"def mapped():\n"
	"    return list(map(lambda f: f(), [target]))[0]\n";

bool sg_cpython_calls_answer(PyObject *namespace, long expected)
{
	return sg_cpython_call(sg_cpython_item(namespace, "hot")) == expected &&
	       sg_cpython_call(sg_cpython_item(namespace, "cold")) == expected &&
	       sg_cpython_call(sg_cpython_item(namespace, "mapped")) == expected;
}

PyObject *sg_cpython_run_calls(PyObject *target)
{
	return sg_cpython_run(CALL_SOURCE, target ? "given" : NULL, target);
}

static bool def_is_credible(PyObject *function, PyMethodDef *def)
{
	return sg_cpython_readable(def, sizeof(*def)) &&
	       def->ml_meth == PyCFunction_GetFunction(function) &&
	       def->ml_flags == PyCFunction_GetFlags(function);
}

static void probe_method_defs(void)
{
	PyObject *function = NULL, *namespace = NULL, *keys = NULL, *bound = NULL;

	function = PyCFunction_NewEx(&probe_def, NULL, NULL);
	if (!function || ((struct c_function *)function)->def != &probe_def)
		goto out;
	namespace = sg_cpython_run_calls(function);
	if (!namespace || !sg_cpython_calls_answer(namespace, 1))
		goto out;
	probe_def.ml_meth = probe_replacement;
	if (!sg_cpython_calls_answer(namespace, 2))
		goto out;
	/* A method descriptor and the bound method made from it must lead to one PyMethodDef. */
	keys = PyObject_GetAttrString((PyObject *)&PyDict_Type, "keys");
	bound = PyObject_GetAttrString(namespace, "keys");
	if (!keys || !bound || !is_exact(keys, &PyMethodDescr_Type))
		goto out;
	if (!def_is_credible(bound, ((struct c_function *)bound)->def))
		goto out;
	sg_cpython.method_defs =
		((struct descriptor *)keys)->payload == ((struct c_function *)bound)->def &&
		((struct c_function *)bound)->self == namespace;
out:
	probe_def.ml_meth = probe_original;
	PyErr_Clear();
	sg_python_clear(&bound);
	sg_python_clear(&keys);
	sg_python_clear(&namespace);
	sg_python_clear(&function);
}

static void probe_type_slots(void)
{
	PyTypeObject *types[] = {&PyDict_Type, &PyModule_Type, &PyFunction_Type, &PyType_Type};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct type_head *head = (struct type_head *)types[i];

		if (!sg_cpython_readable(head, sizeof(*head)) ||
		    head->flags != PyType_GetFlags(types[i]) ||
		    (void *)head->init != PyType_GetSlot(types[i], Py_tp_init) ||
		    (void *)head->new != PyType_GetSlot(types[i], Py_tp_new) ||
		    head->call != PyType_GetSlot(types[i], Py_tp_call) ||
		    head->alloc != PyType_GetSlot(types[i], SLOT_TP_ALLOC) ||
		    head->descr_get != PyType_GetSlot(types[i], Py_tp_descr_get) ||
		    head->dealloc != PyType_GetSlot(types[i], SLOT_TP_DEALLOC) ||
		    head->type_base != PyType_GetSlot(types[i], SLOT_TP_BASE))
			return;
	}
	sg_cpython.type_slots = true;
}

/* A look-up gives a class a version, a change takes it away; an old one can be put back, as long as nothing has changed. */
static void probe_type_versions(void)
{
	PyObject *namespace = sg_cpython_run("class C: x = 1\n", NULL, NULL);
	PyObject *class = namespace ? sg_cpython_item(namespace, "C") : NULL, *value;
	unsigned int *tag = class ? &((struct type_head *)class)->version_tag : NULL, versions[2] = {0};
	bool right = tag && sg_cpython.type_slots && sg_cpython.minor >= 13;

	for (int i = 0; i < 4 && right; i++) {
		if (i < 2) {
			PyType_Modified((PyTypeObject *)class);
			right = *tag == 0;
		} else {
			*tag = versions[i - 2];
		}
		value = PyObject_GetAttrString(class, "x");
		right &= value && PyLong_AsLong(value) == 1 && *tag != 0 && (i < 2 || *tag == versions[i - 2]);
		sg_python_clear(&value);
		versions[i % 2] = *tag;
	}
	sg_cpython.type_versions = right && versions[0] != versions[1];
	PyErr_Clear();
	sg_python_clear(&namespace);
}

static PyObject *probe_subscript(PyObject *self, PyObject *key)
{
	(void)self;
	(void)key;
	return PyLong_FromLong(2);
}

static void probe_dict_types(void)
{
	static PyType_Slot slots[] = {{Py_mp_subscript, probe_subscript}, {0, NULL}};
	static PyType_Spec spec = {.name = "builtins.dict", .flags = Py_TPFLAGS_DEFAULT, .slots = slots};
	PyTypeObject *type = sg_cpython_new_type(&spec, &PyDict_Type);
	PyObject *namespace = NULL, *dict;

	if (!type || ((struct type_head *)type)->basicsize != ((struct type_head *)&PyDict_Type)->basicsize)
		goto out;
	namespace = sg_cpython_run(
		"d = {'a': 1}\n"
		"def hot(n=64):\n"
		"    for i in range(n):\n"
		"        r = d['a']\n"
		"    return r\n"
		"hot(2000)\n", NULL, NULL);
	dict = namespace ? sg_cpython_item(namespace, "d") : NULL;
	if (!dict || sg_cpython_call(sg_cpython_item(namespace, "hot")) != 1)
		goto out;
	sg_cpython_set_type(dict, type);
	sg_cpython.dict_types = sg_cpython_call(sg_cpython_item(namespace, "hot")) == 2;
	sg_cpython_set_type(dict, &PyDict_Type);
	sg_cpython.dict_types &= sg_cpython_call(sg_cpython_item(namespace, "hot")) == 1;
out:
	PyErr_Clear();
	sg_python_clear(&namespace);
	if (type)
		Py_DecRef((PyObject *)type);
}

int sg_cpython_version(const char **ret_reason)
{
	const char *text = Py_GetVersion();
	PyObject *flags = PySys_GetObject("abiflags"); /* borrowed */
	char *end;
	size_t length = strcspn(text, " ");

	sg_cpython.major = (int)strtol(text, &end, 10);
	sg_cpython.minor = *end == '.' ? (int)strtol(end + 1, NULL, 10) : 0;
	if (length >= sizeof(sg_cpython.version))
		length = sizeof(sg_cpython.version) - 1;
	memcpy(sg_cpython.version, text, length);
	sg_cpython.version[length] = '\0';
	if (sg_cpython.major != 3 || sg_cpython.minor < 10 || sg_cpython.minor > 15) {
		*ret_reason = "only CPython 3.10 to 3.15 is supported";
		return -ENOTSUP;
	}
	if (flags && strchr(sg_python_text(flags), 't')) {
		*ret_reason = "free-threaded builds of CPython are not supported";
		return -ENOTSUP;
	}
	return 0;
}

int sg_cpython_probe(const char **ret_reason)
{
	int error = sg_cpython_version(ret_reason);

	if (error)
		return error;
	probe_type_slots();
	probe_type_versions();
	probe_method_defs();
	probe_dict_types();
	return 0;
}
