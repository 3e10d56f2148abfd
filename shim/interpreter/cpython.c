#define _GNU_SOURCE
#include "shim/interpreter/cpython.h"

#include "shim/base/decimal.h"
#include "shim/interpreter/layout.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

struct sg_cpython sg_cpython;

/* Two calls of the kernel tell, and change nothing; a filter of system calls may forbid either. */
static bool mapped(void *page, size_t size)
{
	unsigned char resident;

	if (mincore(page, 1, &resident) == 0)
		return true;
	return errno != ENOMEM && msync(page, size, MS_ASYNC) == 0;
}

bool sg_cpython_readable(const void *address, size_t size)
{
	uintptr_t page = getauxval(AT_PAGESZ);
	uintptr_t at = (uintptr_t)address & ~(page - 1), end = (uintptr_t)address + size;

	if (!address || end < (uintptr_t)address)
		return false;
	for (; at < end; at += page)
		if (!mapped((void *)at, page))
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
	return sg_field(object, object_type);
}

bool sg_cpython_is_class(PyObject *object)
{
	return PyType_GetFlags(sg_cpython_type(object)) & Py_TPFLAGS_TYPE_SUBCLASS;
}

bool sg_cpython_is_text(PyObject *object)
{
	return PyType_GetFlags(sg_cpython_type(object)) & Py_TPFLAGS_UNICODE_SUBCLASS;
}

Py_ssize_t sg_cpython_fields(void)
{
	return sg_at(object_fields);
}

const void *sg_cpython_type_word(PyObject *object)
{
	return &sg_field(object, object_type);
}

PyTypeObject *sg_cpython_type_base(PyTypeObject *type)
{
	return sg_field(type, type_base);
}

PyObject *sg_cpython_type_dict(PyTypeObject *type)
{
	return sg_field(type, type_dict);
}

const char *sg_cpython_type_name(PyTypeObject *type)
{
	return sg_field(type, type_name);
}

Py_ssize_t sg_cpython_basicsize(PyTypeObject *type)
{
	return sg_field(type, type_basicsize);
}

Py_ssize_t sg_cpython_refcount(PyObject *object)
{
	return sg_field(object, object_refcount);
}

void sg_cpython_set_type(PyObject *object, PyTypeObject *new_type)
{
	PyTypeObject *old = sg_cpython_type(object);

	/* An instance owns a reference to its type only where the type is on the heap. */
	if (PyType_GetFlags(new_type) & Py_TPFLAGS_HEAPTYPE)
		Py_IncRef((PyObject *)new_type);
	sg_field(object, object_type) = new_type;
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
	if (name && sg_cpython_readable(callable, (size_t)sg_at(c_function_self) + sizeof(PyObject *)))
		def = sg_field(callable, c_function_def);
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
		return sg_field(callable, c_function_def);
	if (is_exact(callable, &PyMethodDescr_Type) || is_exact(callable, &PyClassMethodDescr_Type))
		return sg_field(callable, descriptor_payload);
	return cython_method_def(callable);
}

PyObject *sg_cpython_method_self(PyObject *callable)
{
	if (!PyType_IsSubtype(sg_cpython_type(callable), &PyCFunction_Type))
		return NULL;
	return sg_field(callable, c_function_self);
}

void **sg_cpython_wrapped_slot(PyObject *wrapper)
{
	if (!sg_cpython.type_slots || !is_exact(wrapper, &PyWrapperDescr_Type))
		return NULL;
	return &sg_field(wrapper, descriptor_wrapped);
}

sg_initproc *sg_cpython_init_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &sg_field(type, type_init) : NULL;
}

sg_newproc *sg_cpython_new_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &sg_field(type, type_new) : NULL;
}

void **sg_cpython_dealloc_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &sg_field(type, type_dealloc) : NULL;
}

void **sg_cpython_hash_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &sg_field(type, type_hash) : NULL;
}

void **sg_cpython_repr_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &sg_field(type, type_repr) : NULL;
}

void **sg_cpython_iter_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &sg_field(type, type_iter) : NULL;
}

PyObject *sg_cpython_referent(PyObject *reference)
{
	PyObject *object = PyWeakref_GetObject(reference);

	if (!object)
		PyErr_Clear();
	return object == Py_None ? NULL : object;
}

PyObject *sg_cpython_new_wrapper(PyTypeObject *type, PyObject *wrapper, void *function)
{
	return PyDescr_NewWrapper(type, sg_field(wrapper, descriptor_payload), function);
}

void **sg_cpython_getattro_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &sg_field(type, type_getattro) : NULL;
}

void **sg_cpython_setattro_slot(PyTypeObject *type)
{
	return sg_cpython.type_slots ? &sg_field(type, type_setattro) : NULL;
}

unsigned int *sg_cpython_version_tag(PyTypeObject *type)
{
	return sg_cpython.type_versions ? &sg_field(type, type_version) : NULL;
}

void **sg_cpython_vectorcall_slot(PyTypeObject *type)
{
	/* Where type's own instances, the classes, keep it. */
	return (void **)((char *)type + sg_field(&PyType_Type, type_vectorcall_offset));
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
		subtype_dealloc = sg_cpython_slot_of("class C: pass\n", Py_tp_dealloc);
	return PyType_GetSlot(type, Py_tp_dealloc) != subtype_dealloc ||
	       sg_field(type, type_methods);
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

static void step(struct sg_frames *at, PyObject *frame)
{
	sg_python_clear(&at->globals);
	sg_python_clear(&at->code);
	sg_python_clear(&at->frame);
	at->frame = frame;
}

bool sg_frames_next(struct sg_frames *at)
{
	step(at, at->frame ? PyFrame_GetBack(at->frame) : at->begun ? NULL : sg_python_ref(PyEval_GetFrame()));
	at->begun = true;
	if (!at->frame)
		return false;
	at->code = PyFrame_GetCode(at->frame);
	at->globals = sg_cpython_frame_globals(at->frame);
	return true;
}

void sg_frames_end(struct sg_frames *at)
{
	step(at, NULL);
}

PyObject *sg_frames_local(const struct sg_frames *at, const char *name)
{
	PyObject *locals = sg_python_attribute_or_null(at->frame, "f_locals"), *key = PyUnicode_FromString(name);
	PyObject *value = locals && key && locals != at->globals ? PyObject_GetItem(locals, key) : NULL;

	PyErr_Clear();
	sg_python_clear(&key);
	sg_python_clear(&locals);
	return value;
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
		sg_field(type, type_name) = sg_field(base, type_name);
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
	if (!function || sg_field(function, c_function_def) != &probe_def)
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
	if (!def_is_credible(bound, sg_field(bound, c_function_def)))
		goto out;
	sg_cpython.method_defs =
		sg_field(keys, descriptor_payload) == sg_field(bound, c_function_def) &&
		sg_field(bound, c_function_self) == namespace;
out:
	probe_def.ml_meth = probe_original;
	PyErr_Clear();
	sg_python_clear(&bound);
	sg_python_clear(&keys);
	sg_python_clear(&namespace);
	sg_python_clear(&function);
}

/* A number that Python itself tells of a type, such as __basicsize__; -1: it does not. */
static Py_ssize_t told_of(PyTypeObject *type, const char *name)
{
	PyObject *value = sg_python_attribute_or_null((PyObject *)type, name);
	Py_ssize_t number = value ? PyLong_AsLong(value) : -1;

	PyErr_Clear();
	sg_python_clear(&value);
	return number;
}

static bool name_is_told(PyTypeObject *type)
{
	PyObject *name = sg_python_attribute_or_null((PyObject *)type, "__name__");
	bool told = name && sg_cpython_readable(sg_cpython_type_name(type), 64) &&
		PyUnicode_CompareWithASCIIString(name, sg_cpython_type_name(type)) == 0;

	sg_python_clear(&name);
	return told;
}

static bool slots_are_told(PyTypeObject *type)
{
	return sg_field(type, type_flags) == PyType_GetFlags(type) &&
	       (void *)sg_field(type, type_init) == PyType_GetSlot(type, Py_tp_init) &&
	       (void *)sg_field(type, type_new) == PyType_GetSlot(type, Py_tp_new) &&
	       sg_field(type, type_repr) == PyType_GetSlot(type, Py_tp_repr) &&
	       sg_field(type, type_iter) == PyType_GetSlot(type, Py_tp_iter) &&
	       sg_field(type, type_hash) == PyType_GetSlot(type, Py_tp_hash) &&
	       sg_field(type, type_call) == PyType_GetSlot(type, Py_tp_call) &&
	       sg_field(type, type_alloc) == PyType_GetSlot(type, Py_tp_alloc) &&
	       sg_field(type, type_descr_get) == PyType_GetSlot(type, Py_tp_descr_get) &&
	       sg_field(type, type_dealloc) == PyType_GetSlot(type, Py_tp_dealloc) &&
	       sg_field(type, type_getattro) == PyType_GetSlot(type, Py_tp_getattro) &&
	       sg_field(type, type_setattro) == PyType_GetSlot(type, Py_tp_setattro) &&
	       sg_field(type, type_methods) == PyType_GetSlot(type, Py_tp_methods) &&
	       sg_field(type, type_base) == PyType_GetSlot(type, Py_tp_base);
}

/* Instances of both types have a vectorcall pointer of their own. */
static bool vectorcall_is_inside(PyTypeObject *type)
{
	return sg_field(type, type_vectorcall_offset) >= sg_at(object_fields) &&
	       sg_field(type, type_vectorcall_offset) + (Py_ssize_t)sizeof(void *) <= sg_cpython_basicsize(type);
}

/* Of a class that a class statement makes: the attributes are in its dict. */
static bool dict_is_told(void)
{
	PyObject *namespace = sg_cpython_run("class C: marker = 1\n", NULL, NULL);
	PyObject *class = namespace ? sg_cpython_item(namespace, "C") : NULL;
	PyObject *dict = class ? sg_cpython_type_dict((PyTypeObject *)class) : NULL;
	bool told = sg_cpython_readable(dict, (size_t)sg_at(object_fields)) && sg_cpython_type(dict) == &PyDict_Type &&
		sg_cpython_item(dict, "marker");

	sg_python_clear(&namespace);
	return told;
}

static bool wrapper_is_told(void)
{
	PyObject *wrapper = PyObject_GetAttrString((PyObject *)&PyDict_Type, "__init__");
	bool told = wrapper && is_exact(wrapper, &PyWrapperDescr_Type) &&
		told_of(&PyWrapperDescr_Type, "__basicsize__") >= sg_at(descriptor_wrapped) + (Py_ssize_t)sizeof(void *) &&
		sg_field(wrapper, descriptor_wrapped) == PyType_GetSlot(&PyDict_Type, Py_tp_init);

	sg_python_clear(&wrapper);
	return told;
}

static void probe_type_slots(void)
{
	PyTypeObject *types[] = {&PyDict_Type, &PyModule_Type, &PyFunction_Type, &PyType_Type};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!slots_are_told(types[i]) || !name_is_told(types[i]) ||
		    sg_cpython_basicsize(types[i]) != told_of(types[i], "__basicsize__"))
			return;
	sg_cpython.type_slots = vectorcall_is_inside(&PyFunction_Type) && vectorcall_is_inside(&PyType_Type) &&
		dict_is_told() && wrapper_is_told();
}

/* A look-up gives a class a version, a change takes it away; an old one can be put back, as long as nothing has changed. */
static void probe_type_versions(void)
{
	PyObject *namespace = sg_cpython_run("class C: x = 1\n", NULL, NULL);
	PyObject *class = namespace ? sg_cpython_item(namespace, "C") : NULL, *value;
	unsigned int *tag = class ? &sg_field(class, type_version) : NULL, versions[2] = {0};
	bool right = tag && sg_cpython.type_slots && sg_has(type_version);

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

	if (!type || sg_field(type, type_basicsize) != sg_field(&PyDict_Type, type_basicsize))
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

/* What all else leans on: reference count, type, and where an object's own fields begin. */
static bool head_is_told(void)
{
	PyObject *list = PyList_New(0), *type = list ? PyObject_Type(list) : NULL;
	const char *low = (const char *)list + (sg_at(object_refcount) < 0 ? sg_at(object_refcount) : 0);
	bool told = type && sg_cpython_readable(low, 32) && sg_field(list, object_type) == (PyTypeObject *)type &&
		sg_field(list, object_refcount) == 1;

	if (told) {
		Py_IncRef(list);
		told = sg_field(list, object_refcount) == 2;
		Py_DecRef(list);
	}
	told = told && told_of(&PyBaseObject_Type, "__basicsize__") == sg_at(object_fields);
	PyErr_Clear();
	sg_python_clear(&type);
	sg_python_clear(&list);
	return told;
}

/* The number of an instruction; -1: unknown. */
static long instruction(const char *name)
{
	PyObject *map = sg_python_imported("opcode", "opmap");
	PyObject *key = PyUnicode_FromString(name), *value = map && key ? PyDict_GetItemWithError(map, key) : NULL;
	long number = value ? PyLong_AsLong(value) : -1;

	PyErr_Clear();
	sg_python_clear(&key);
	sg_python_clear(&map);
	return number;
}

/* Which instruction of the code of a frame runs, and what is there. */
struct running {
	PyObject *bytes;
	const unsigned char *text;
	Py_ssize_t size, at, next;
};

static Py_ssize_t after(const struct running *running, Py_ssize_t at)
{
	at += 2;
	while (at < running->size && !running->text[at]) /* room for caches, from 3.11 */
		at += 2;
	return at;
}

static bool begin_running(const struct sg_frames *at, struct running *running)
{
	static long precall = -2;
	PyObject *last = sg_python_attribute_or_null(at->frame, "f_lasti");
	char *text = NULL;

	*running = (struct running){.bytes = sg_python_attribute_or_null(at->code, "co_code"), .at = last ? PyLong_AsLong(last) : -1};
	sg_python_clear(&last);
	if (!running->bytes || running->at < 0 || PyBytes_AsStringAndSize(running->bytes, &text, &running->size) < 0)
		return false;
	running->text = (unsigned char *)text;
	running->next = after(running, running->at);
	/* In 3.11 a call is two instructions, of which the first does it all where the place is warm. */
	if (precall == -2)
		precall = instruction("PRECALL");
	if (running->at < running->size && running->text[running->at] == precall)
		running->next = after(running, running->next);
	return running->next < running->size;
}

static void end_running(struct running *running)
{
	PyErr_Clear();
	sg_python_clear(&running->bytes);
}

bool sg_cpython_result_dropped(const struct sg_frames *at)
{
	static long pop = -2;
	struct running running;
	bool dropped;

	if (pop == -2)
		pop = instruction("POP_TOP");
	dropped = begin_running(at, &running) && running.text[running.next] == pop;
	end_running(&running);
	return dropped;
}

/* Instructions by their names, of which each Python has some: are they in one of these groups? */
enum group {
	NO_GROUP, FORMATS, COMPUTES, REDUCES, CONSTANT, KEYWORDS, CALLS, CALLS_KEYED, LOADS_GLOBAL, LOADS_NAME, LOADS_MEMBER, EXTENDS, PREPARES
};

/* Of COMPUTES, from 3.11. */
enum { PLUS = 0, REMAINDER = 6, MINUS = 10, KINDS = 13 };

static enum group group_of(unsigned char number)
{
	static const struct {
		const char *name;
		enum group group;
	} known[] = {
		{"FORMAT_VALUE", FORMATS}, {"FORMAT_SIMPLE", FORMATS}, {"FORMAT_WITH_SPEC", FORMATS}, {"CONVERT_VALUE", FORMATS},
		{"BINARY_OP", COMPUTES}, {"BINARY_MODULO", FORMATS}, {"BINARY_AND", REDUCES}, {"BINARY_OR", REDUCES}, {"BINARY_XOR", REDUCES},
		{"BINARY_RSHIFT", REDUCES}, {"BINARY_LSHIFT", REDUCES}, {"BINARY_MULTIPLY", REDUCES}, {"BINARY_FLOOR_DIVIDE", REDUCES},
		{"BINARY_TRUE_DIVIDE", REDUCES}, {"LOAD_CONST", CONSTANT}, {"LOAD_SMALL_INT", CONSTANT}, {"KW_NAMES", KEYWORDS},
		{"CALL", CALLS}, {"PRECALL", PREPARES}, {"CALL_FUNCTION", CALLS}, {"CALL_METHOD", CALLS}, {"CALL_KW", CALLS_KEYED},
		{"CALL_FUNCTION_KW", CALLS_KEYED}, {"LOAD_GLOBAL", LOADS_GLOBAL}, {"LOAD_NAME", LOADS_NAME}, {"LOAD_METHOD", LOADS_MEMBER},
		{"LOAD_ATTR", LOADS_MEMBER}, {"EXTENDED_ARG", EXTENDS}, {"PUSH_NULL", PREPARES}
	};
	static unsigned char groups[256];
	static bool filled;

	for (size_t i = 0; !filled && i < sizeof(known) / sizeof(known[0]); i++) {
		long of = instruction(known[i].name);

		if (of > 0 && of < (long)sizeof(groups)) /* above: one that the compiler alone knows */
			groups[of] = (unsigned char)known[i].group;
	}
	filled = true;
	return groups[number];
}

/* What stands before the running call. */
struct before {
	const char *taker;   /* of a function, or member, whose only argument a call of the wanted function makes: NAME(wanted(...)) */
	Py_ssize_t keywords; /* the constant with the names of arguments; -1: it has none */
};

static void look_before(const struct running *running, PyObject *names, const char *wanted, struct before *found)
{
	const char *last = NULL;
	Py_ssize_t argument = 0, constant = -1;
	bool keywords = false;

	for (Py_ssize_t i = 0; i < running->at; i += 2) {
		enum group group = group_of(running->text[i]);
		bool shifted = (group == LOADS_GLOBAL && sg_cpython.minor > 10) || (group == LOADS_MEMBER && sg_cpython.minor > 11);

		argument = argument << 8 | running->text[i + 1];
		if (group == LOADS_GLOBAL || group == LOADS_NAME || group == LOADS_MEMBER) {
			PyObject *name = PyTuple_GetItem(names, argument >> shifted);
			bool is = name && group != LOADS_MEMBER && strcmp(sg_python_text(name), wanted) == 0;

			found->taker = is ? last : found->taker;
			last = name && !is ? sg_python_text(name) : NULL;
		} else if (group != PREPARES && group != EXTENDS && running->text[i]) {
			last = NULL;
		}
		if (group == CONSTANT || group == KEYWORDS) {
			constant = argument;
			keywords = group == KEYWORDS;
		} else if (group != PREPARES && group != EXTENDS && running->text[i]) {
			constant = -1;
		}
		if (group != EXTENDS)
			argument = 0;
	}
	found->keywords = keywords || group_of(running->text[running->at]) == CALLS_KEYED ? constant : -1;
}

/* The running call has an argument key=. */
static bool has_key(const struct sg_frames *at, const struct before *before)
{
	PyObject *constants = before->keywords < 0 ? NULL : sg_python_attribute_or_null(at->code, "co_consts");
	PyObject *names = constants ? PyTuple_GetItem(constants, before->keywords) : NULL, *key = names ? PyUnicode_FromString("key") : NULL;
	bool has = key && PyType_IsSubtype(sg_cpython_type(names), &PyTuple_Type) && PySequence_Contains(names, key) == 1;

	sg_python_clear(&key);
	sg_python_clear(&constants);
	return has;
}

/* What follows makes a text or a small number of it. */
static bool is_reduced(const struct running *running)
{
	Py_ssize_t next = running->next;
	bool by_constant = group_of(running->text[next]) == CONSTANT && next + 2 < running->size;
	enum group group;
	unsigned char kind;

	next += by_constant ? 2 : 0;
	group = group_of(running->text[next]);
	kind = running->text[next + 1] % KINDS;
	return group == FORMATS || (group == REDUCES && by_constant) ||
	       (group == COMPUTES && (kind == REMAINDER || (by_constant && kind != PLUS && kind != MINUS)));
}

bool sg_cpython_result_told(const struct sg_frames *at, const char *function, const char *const *takers)
{
	struct running running = {0};
	struct before before = {.keywords = -1};
	PyObject *names = sg_python_attribute_or_null(at->code, "co_names");
	bool told = false;

	if (begin_running(at, &running) && names) {
		enum group group = group_of(running.text[running.next]);

		look_before(&running, names, function, &before);
		told = has_key(at, &before) || is_reduced(&running);
		for (; before.taker && (group == CALLS || group == PREPARES) && *takers && !told; takers++)
			told = strcmp(before.taker, *takers) == 0;
	}
	end_running(&running);
	sg_python_clear(&names);
	return told;
}

#define TEXT_OF(number) #number
#define TEXT(macro) TEXT_OF(macro)

int sg_cpython_version(const char **ret_reason)
{
	const char *text = Py_GetVersion();
	PyObject *flags = PySys_GetObject("abiflags"); /* borrowed */
	const char *build = flags ? sg_python_text(flags) : "", *end;
	size_t length = strcspn(text, " ");

	sg_cpython.major = (int)sg_decimal(text, &end);
	sg_cpython.minor = *end == '.' ? (int)sg_decimal(end + 1, &end) : 0;
	if (length >= sizeof(sg_cpython.version))
		length = sizeof(sg_cpython.version) - 1;
	memcpy(sg_cpython.version, text, length);
	sg_cpython.version[length] = '\0';
	if (sg_cpython.major != 3 || sg_cpython.minor < SG_CPYTHON_OLDEST || sg_cpython.minor > SG_CPYTHON_NEWEST) {
		*ret_reason = "only CPython 3." TEXT(SG_CPYTHON_OLDEST) " to 3." TEXT(SG_CPYTHON_NEWEST) " is supported";
		return -ENOTSUP;
	}
	if (strchr(build, 't')) {
		*ret_reason = "free-threaded builds of CPython are not supported";
		return -ENOTSUP;
	}
	/* Its assertions end the process at a function of another type, or a slot of a static type that is set. */
	if (strchr(build, 'd')) {
		*ret_reason = "debug builds of CPython (--with-pydebug) are not supported";
		return -ENOTSUP;
	}
	if (!sg_cpython_readable(&sg_cpython, sizeof(sg_cpython))) {
		*ret_reason = "a filter of system calls forbids both mincore() and msync(), so memory cannot be probed";
		return -ENOTSUP;
	}
	if (!head_is_told()) {
		*ret_reason = "objects of this interpreter do not begin as expected";
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
