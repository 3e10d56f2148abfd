#include "shim/guard/guard.h"

#include "shim/base/loader.h"
#include "shim/guard/stray.h"
#include "shim/guard/trampoline.h"
#include "shim/interpreter/classes.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/function.h"
#include "shim/run/context.h"

#include <errno.h>
#include <stdlib.h>

/* One changed word of memory, or one hooked Python function. */
struct patch {
	void **slot;
	void *original, *replacement;
	PyObject *owner;     /* keeps what the slot belongs to alive */
	PyTypeObject *type;  /* its caches are dropped after a change; may be NULL */
	PyObject *function;  /* a Python function */
};

static struct patch *patches;
static size_t patch_count, patch_size;

/*
 * (code, qualified name) -> address of a struct sg_trampoline. Not by the function's identity: each run may have
 * its own copy of a module, and copies share their code objects.
 */
static PyObject *functions;

static struct patch *new_patch(void)
{
	if (patch_count == patch_size) {
		size_t size = patch_size ? 2 * patch_size : 256;
		struct patch *grown = realloc(patches, size * sizeof(*grown));

		if (!grown)
			return NULL;
		patches = grown;
		patch_size = size;
	}
	patches[patch_count] = (struct patch){NULL, NULL, NULL, NULL, NULL, NULL};
	return &patches[patch_count++];
}

/* Numbers of patches on functions that another tool had replaced in place before us, and may put back at any time. */
static size_t replaced[64];
static size_t replaced_count;

static bool in_one_object(const void *one, const void *other)
{
	struct sg_loaded a, b;

	return !sg_loader_find(one, &a) || !sg_loader_find(other, &b) || a.base == b.base;
}

void sg_guard_look_again(void)
{
	for (size_t i = 0; i < replaced_count; i++) {
		struct patch *patch = &patches[replaced[i]];
		struct sg_trampoline *trampoline = sg_trampoline_at(patch->replacement);

		if (*patch->slot == patch->replacement || !trampoline)
			continue;
		patch->original = trampoline->original = *patch->slot;
		*patch->slot = patch->replacement;
	}
}

int sg_guard_count(void)
{
	return (int)patch_count;
}

/* --- C functions ------------------------------------------------------------------------------- */

static int convention_of(int flags)
{
	switch (flags & ~(METH_CLASS | METH_STATIC | METH_COEXIST)) {
	case METH_NOARGS:
	case METH_O:
	case METH_VARARGS:
		return SG_CONVENTION_OBJECT;
	case METH_VARARGS | METH_KEYWORDS:
		return SG_CONVENTION_KEYWORDS;
	case METH_FASTCALL:
		return SG_CONVENTION_FAST;
	case METH_FASTCALL | METH_KEYWORDS:
		return SG_CONVENTION_FAST_KEYWORDS;
	case METH_METHOD | METH_FASTCALL | METH_KEYWORDS:
		return SG_CONVENTION_METHOD;
	default:
		return -ENOTSUP;
	}
}

/* owner: NULL for what goes with a run, which is not listed. */
static int patch_slot(void **slot, const struct sg_rule *rule, sg_condition condition, int flags,
		enum sg_convention convention, PyObject *owner, PyTypeObject *type)
{
	struct patch *patch;
	void *address;

	if (sg_trampoline_at(*slot))
		return -EEXIST;
	if (!sg_cpython_writable(slot, sizeof(*slot)))
		return -EROFS;
	address = sg_trampoline_get(convention, &(struct sg_trampoline){*slot, rule, condition, flags});
	if (!address)
		return -ENOSPC;
	patch = owner ? new_patch() : NULL;
	if (owner && !patch)
		return -ENOMEM;
	if (patch)
		*patch = (struct patch){slot, *slot, address, sg_python_ref(owner), type, NULL};
	*slot = address;
	if (type)
		PyType_Modified(type);
	return 0;
}

static int guard_method_def(const struct sg_rule *rule, sg_condition condition, PyObject *target,
		PyMethodDef *def)
{
	int convention, error;
	bool own;

	if (!def->ml_meth)
		return -ENOTSUP;
	convention = convention_of(def->ml_flags);
	if (convention < 0)
		return convention;
	own = in_one_object((void *)def->ml_meth, def);
	error = patch_slot((void **)&def->ml_meth, rule, condition, def->ml_flags,
			(enum sg_convention)convention, target, NULL);
	if (!error && !own && replaced_count < sizeof(replaced) / sizeof(replaced[0]))
		replaced[replaced_count++] = patch_count - 1;
	return error;
}

/* --- Python functions -------------------------------------------------------------------------- */

static PyObject *function_key(PyObject *function)
{
	PyObject *code = sg_python_attribute(function, "__code__"), *key = NULL;
	PyObject *name = code ? sg_python_attribute(function, "__qualname__") : NULL;

	if (name)
		key = PyTuple_Pack(2, code, name);
	sg_python_clear(&name);
	sg_python_clear(&code);
	return key;
}

/* A code object's hash goes over all of its instructions: what was found is remembered by identity. */
static struct remembered {
	PyObject *key;
	struct sg_trampoline *guard;
} remembered[64];

static struct remembered *remembered_slot(PyObject *key)
{
	uintptr_t code = (uintptr_t)PyTuple_GetItem(key, 0), name = (uintptr_t)PyTuple_GetItem(key, 1);

	return &remembered[((code ^ name) >> 5) % (sizeof(remembered) / sizeof(remembered[0]))];
}

static bool is_key(const struct remembered *slot, PyObject *key)
{
	return slot->key && PyTuple_GetItem(slot->key, 0) == PyTuple_GetItem(key, 0) &&
		PyTuple_GetItem(slot->key, 1) == PyTuple_GetItem(key, 1);
}

static struct sg_trampoline *look_up(PyObject *key)
{
	struct remembered *slot = remembered_slot(key);
	PyObject *address, *old = slot->key;

	if (is_key(slot, key))
		return slot->guard;
	address = functions ? PyDict_GetItemWithError(functions, key) : NULL;
	if (!address)
		return NULL;
	*slot = (struct remembered){sg_python_ref(key), PyLong_AsVoidPtr(address)};
	sg_python_clear(&old);
	return slot->guard;
}

static struct sg_trampoline *find_function(PyObject *function)
{
	PyObject *type, *value, *traceback, *key;
	struct sg_trampoline *guard;

	PyErr_Fetch(&type, &value, &traceback);
	key = function_key(function);
	guard = key ? look_up(key) : NULL;
	sg_python_clear(&key);
	PyErr_Restore(type, value, traceback);
	return guard;
}

/* Unlike a C primitive, the function's own body stays in the context: it may call workflow code. */
static PyObject *guarded_function(PyObject *function, PyObject *const *args, size_t nargsf,
		PyObject *kwnames)
{
	struct sg_trampoline *guard = sg_stray_guarded() ? find_function(function) : NULL;

	if (guard) {
		struct sg_call call = {
			.rule = guard->rule, .args = args,
			.nargs = sg_cpython_vectorcall_nargs(nargsf), .kwnames = kwnames
		};

		enum sg_decision decision = sg_decide(&call, guard->condition, NULL);

		if (decision == SG_DECIDED_NO)
			return NULL;
		if (decision == SG_DECIDED_ANSWER && call.value)
			return call.value;
	}
	return sg_function_call(function, args, nargsf, kwnames);
}

static int remember_function(const struct sg_rule *rule, sg_condition condition, PyObject *function)
{
	struct sg_trampoline *guard = calloc(1, sizeof(*guard));
	PyObject *key = function_key(function), *address = guard ? PyLong_FromVoidPtr(guard) : NULL;
	int error = -ENOMEM;

	if (!functions)
		functions = PyDict_New();
	if (key && address && functions && PyDict_SetItem(functions, key, address) == 0) {
		*guard = (struct sg_trampoline){NULL, rule, condition, 0};
		error = 0;
	} else {
		free(guard);
	}
	PyErr_Clear();
	sg_python_clear(&address);
	sg_python_clear(&key);
	return error;
}

/* maker: of which class it is the __init__ or __new__; NULL: a function like any other. */
static int guard_function(const struct sg_rule *rule, sg_condition condition, PyObject *function,
		PyTypeObject *maker, bool copy)
{
	struct sg_trampoline *known = find_function(function);
	struct patch *patch;
	int error;

	if (known && known->rule != rule)
		return -EEXIST;
	error = maker ? sg_classes_hook(maker, function, guarded_function)
		      : sg_function_hook(function, guarded_function);
	if (!error && !known)
		error = remember_function(rule, condition, function);
	if (error || copy)
		return error;
	patch = new_patch();
	if (!patch)
		return -ENOMEM;
	patch->function = sg_python_ref(function);
	return 0;
}

/* --- classes ----------------------------------------------------------------------------------- */

/* Subclasses copied the pointer when they were made. They are only found where they are still alive. */
static int patch_subclasses(PyTypeObject *type, size_t offset, void *original, void *replacement)
{
	PyObject *method = PyObject_GetAttrString((PyObject *)type, "__subclasses__"), *list;
	int error = 0;

	list = method ? PyObject_CallObject(method, NULL) : NULL;
	sg_python_clear(&method);
	if (!list) {
		PyErr_Clear(); /* a metaclass: its __subclasses__ wants an argument */
		return 0;
	}
	for (Py_ssize_t i = 0; i < PyList_Size(list) && !error; i++) {
		PyTypeObject *subclass = (PyTypeObject *)PyList_GetItem(list, i);
		void **slot = (void **)((char *)subclass + offset);
		struct patch *patch;

		if (*slot != original)
			continue;
		patch = new_patch();
		if (!patch) {
			error = -ENOMEM;
			break;
		}
		*patch = (struct patch){slot, original, replacement,
				sg_python_ref((PyObject *)subclass), subclass, NULL};
		*slot = replacement;
		PyType_Modified(subclass);
		error = patch_subclasses(subclass, offset, original, replacement);
	}
	Py_DecRef(list);
	return error;
}

static int patch_type_slot(const struct sg_rule *rule, sg_condition condition, PyTypeObject *type,
		void **slot, enum sg_convention convention)
{
	void *original = *slot;
	int error = patch_slot(slot, rule, condition, METH_VARARGS | METH_KEYWORDS, convention,
			(PyObject *)type, type);

	if (error)
		return error;
	return patch_subclasses(type, (size_t)((char *)slot - (char *)type), original, *slot);
}

static int clear_slot(void **slot, PyTypeObject *type)
{
	struct patch *patch;

	if (!*slot)
		return 0;
	patch = new_patch();
	if (!patch)
		return -ENOMEM;
	*patch = (struct patch){slot, *slot, NULL, sg_python_ref((PyObject *)type), type, NULL};
	*slot = NULL;
	PyType_Modified(type);
	return 0;
}

static int guard_c_class(const struct sg_rule *rule, sg_condition condition, PyTypeObject *type)
{
	PyObject *own = sg_python_attribute_or_null((PyObject *)type, "__init__");
	void **init = (void **)sg_cpython_init_slot(type), **new = (void **)sg_cpython_new_slot(type);
	void **wrapped = own ? sg_cpython_wrapped_slot(own) : NULL;
	int error = -ENOTSUP;

	if (!init || !new)
		goto out;
	/* A class without an __init__ of its own has object's: there its __new__ does the work. */
	if (wrapped && *wrapped == *init && *init != PyType_GetSlot(&PyBaseObject_Type, Py_tp_init)) {
		error = patch_type_slot(rule, condition, type, init, SG_CONVENTION_INIT);
		if (!error)
			error = clear_slot(sg_cpython_vectorcall_slot(type), type);
		/* Python subclasses reach it as Base.__init__(self, ...): the wrapper's own pointer. */
		if (!error && sg_cpython_writable(wrapped, sizeof(*wrapped)))
			error = patch_slot(wrapped, rule, condition, METH_VARARGS | METH_KEYWORDS,
					SG_CONVENTION_INIT, own, type);
		goto out;
	}
	if (*new)
		error = patch_type_slot(rule, condition, type, new, SG_CONVENTION_KEYWORDS);
	/* A shortcut past both, where a class has one. */
	if (!error)
		error = clear_slot(sg_cpython_vectorcall_slot(type), type);
out:
	PyErr_Clear();
	sg_python_clear(&own);
	return error;
}

/* The class's own function of that name: borrowed. */
static PyObject *own_function(PyTypeObject *type, const char *name)
{
	PyObject *dict = PyObject_GetAttrString((PyObject *)type, "__dict__");
	PyObject *key = PyUnicode_FromString(name), *function = NULL;

	if (dict && key)
		function = PyObject_GetItem(dict, key); /* a mappingproxy */
	PyErr_Clear();
	sg_python_clear(&key);
	sg_python_clear(&dict);
	if (function && !PyType_IsSubtype(sg_cpython_type(function), &PyFunction_Type)) {
		PyObject *wrapped = sg_python_attribute_or_null(function, "__func__"); /* staticmethod __new__ */

		Py_DecRef(function);
		function = wrapped;
	}
	return function;
}

static int guard_class(const struct sg_rule *rule, sg_condition condition, PyTypeObject *type, bool copy)
{
	PyObject *maker = own_function(type, "__init__");
	int error;

	if (!maker)
		maker = own_function(type, "__new__");
	if (maker) {
		error = guard_function(rule, condition, maker, type, copy);
		Py_DecRef(maker);
		return error;
	}
	if (!(PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE) || !sg_cpython_init_slot(type) ||
	    sg_cpython_is_c_class(type))
		return guard_c_class(rule, condition, type);
	/* A Python class that makes its objects with a base's functions: only its own slot is its own. */
	error = sg_classes_use_slots(type);
	if (error)
		return error;
	return patch_slot((void **)sg_cpython_init_slot(type), rule, condition,
			METH_VARARGS | METH_KEYWORDS, SG_CONVENTION_INIT, copy ? NULL : (PyObject *)type, type);
}

int sg_guard_install(const struct sg_rule *rule, sg_condition condition, PyObject *target, bool copy)
{
	PyMethodDef *def = sg_cpython_method_def(target);
	PyTypeObject *type = sg_cpython_type(target);
	PyObject *function;
	int error;

	if (def)
		return guard_method_def(rule, condition, target, def);
	if (PyType_IsSubtype(type, &PyFunction_Type))
		return guard_function(rule, condition, target, NULL, copy);
	if (PyType_IsSubtype(type, &PyMethod_Type) || PyType_IsSubtype(type, &PyProperty_Type)) {
		function = PyObject_GetAttrString(target, type == &PyProperty_Type ? "fget" : "__func__");
		if (!function) {
			PyErr_Clear();
			return -ENOTSUP;
		}
		error = sg_guard_install(rule, condition, function, copy);
		Py_DecRef(function);
		return error;
	}
	if (PyType_IsSubtype(type, &PyType_Type))
		return guard_class(rule, condition, (PyTypeObject *)target, copy);
	return -ENOTSUP;
}

void sg_guard_remove_all(void)
{
	replaced_count = 0;
	while (patch_count) {
		struct patch *patch = &patches[--patch_count];

		if (patch->function) {
			sg_function_unhook(patch->function);
			continue;
		}
		/* Somebody may have patched after us; then the trampoline stays, which is as good as the original. */
		if (*patch->slot == patch->replacement)
			*patch->slot = patch->original;
		if (patch->type)
			PyType_Modified(patch->type);
	}
}
