#include "shim/shared/abstract.h"

#include "shim/base/address.h"
#include "shim/guard/arm.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/objects.h"
#include "shim/run/context.h"
#include "shim/shared/subclasses.h"

#include <string.h>

typedef PyObject *(*fast_function)(PyObject *, PyObject *const *, Py_ssize_t);

static struct guarded {
	const char *name;
	PyMethodDef *def;
	fast_function original;
} guarded_register = {.name = "_abc_register"}, guarded_subclass = {.name = "_abc_subclasscheck"},
	guarded_instance = {.name = "_abc_instancecheck"};

static PyObject *abc, *get_dump, *cache_token; /* _abc, and functions of it */
static PyObject *nobody_s[2];            /* an abstract class and another one, for sg_abstract_turn() */

/* The run whose view counts, when it may have one of its own. */
static struct sg_run *asking(void)
{
	struct sg_run *run = sg_context_run;

	return run && run->family && !sg_subclasses_as_host ? run : NULL;
}

static PyObject *answer(int yes)
{
	return yes < 0 ? NULL : PyBool_FromLong(yes);
}

/* --- what was registered for a run with a shared class ------------------------------------------- */

/*
 * dict: address of the abstract class -> tuple: that class, then those registered with it. A list of them, which is new;
 * NULL: there is none, or with an exception.
 */
static PyObject *registered_with(PyObject *registered, PyObject *abstract)
{
	PyObject *key = registered ? PyLong_FromVoidPtr(abstract) : NULL;
	PyObject *classes = key ? PyDict_GetItemWithError(registered, key) : NULL;

	sg_python_clear(&key);
	return classes ? PySequence_List(classes) : NULL;
}

static int note_registered(struct sg_run *run, PyObject *abstract, PyObject *class)
{
	PyObject *list, *key = PyLong_FromVoidPtr(abstract), *classes = NULL;
	int error = -1;

	if (!run->registered)
		run->registered = PyDict_New();
	list = registered_with(run->registered, abstract);
	if (!list && (list = PyList_New(0)) && PyList_Append(list, abstract) < 0)
		sg_python_clear(&list);
	if (list && PyList_Append(list, class) == 0)
		classes = PySequence_Tuple(list);
	if (key && classes && run->registered)
		error = PyDict_SetItem(run->registered, key, classes);
	sg_python_clear(&classes);
	sg_python_clear(&list);
	sg_python_clear(&key);
	return error;
}

PyObject *sg_abstract_of_modules(struct sg_run *run)
{
	PyObject *registered = run->registered;

	run->registered = NULL;
	sg_python_clear(&run->answers);
	return registered;
}

/* The set of weak references that a class keeps, once something has been registered with it: borrowed. */
static PyObject *registry_of(PyObject *abstract)
{
	PyObject *data = sg_python_attribute_or_null(abstract, "_abc_impl"), *set = NULL;

	if (data && sg_objects.registries && strcmp(sg_cpython_type_name(sg_cpython_type(data)), "_abc._abc_data") == 0)
		set = *sg_objects_registry(data);
	sg_python_clear(&data);
	return set && strcmp(sg_cpython_type_name(sg_cpython_type(set)), "set") == 0 ? set : NULL;
}

static int forget_registered(PyObject *abstract, PyObject *class)
{
	PyObject *set = registry_of(abstract), *reference = set ? PyWeakref_NewRef(class, NULL) : NULL;
	PyObject *name = PyUnicode_InternFromString("discard"), *done = NULL;

	if (reference && name)
		done = PyObject_CallMethodObjArgs(set, name, reference, NULL);
	sg_python_clear(&name);
	sg_python_clear(&reference);
	if (!done)
		return PyErr_Occurred() ? -1 : 0;
	Py_DecRef(done);
	return 0;
}

static PyObject *abc_register(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	struct sg_run *run = asking();
	PyObject *done;
	int there;

	if (!run || count != 2 || sg_subclasses_is_noted(args[0]) ||
	    (!sg_context_current && !sg_subclasses_is_noted(args[1])) || /* a shared module that is executed for the first time */
	    !sg_cpython_is_class(args[1]))
		return guarded_register.original(module, args, count);
	there = PyObject_IsSubclass(args[1], args[0]);
	if (there != 0) /* maybe for the host, whose entry is to stay */
		return there < 0 ? NULL : sg_python_ref(args[1]);
	/* Also what it does to the class, and that caches hear of it. */
	done = guarded_register.original(module, args, count);
	if (!done)
		return NULL;
	if (forget_registered(args[0], args[1]) < 0 || note_registered(run, args[0], args[1]) < 0)
		sg_python_clear(&done);
	return done;
}

/* --- what a run was answered ---------------------------------------------------------------------- */

/*
 * dict: (address, address) -> (both classes, token): None for a yes, which stays, else the interpreter's token, which
 * changes with every register.
 */
static PyObject *key_of(PyObject *abstract, PyObject *class)
{
	PyObject *one = PyLong_FromVoidPtr(abstract), *other = PyLong_FromVoidPtr(class), *key = NULL;

	if (one && other)
		key = PyTuple_Pack(2, one, other);
	sg_python_clear(&one);
	sg_python_clear(&other);
	return key;
}

/* 1, 0, or -1: not known. */
static int remembered(const struct sg_run *run, PyObject *key)
{
	PyObject *entry = run->answers ? PyDict_GetItemWithError(run->answers, key) : NULL, *then, *now;
	int known = -1;

	if (!entry)
		return -1;
	then = PyTuple_GetItem(entry, 2);
	if (then == Py_None)
		return 1;
	now = PyObject_CallObject(cache_token, NULL);
	if (now && PyLong_AsLong(now) == PyLong_AsLong(then))
		known = 0;
	PyErr_Clear();
	sg_python_clear(&now);
	return known;
}

static void remember(struct sg_run *run, PyObject *key, PyObject *abstract, PyObject *class, int yes)
{
	PyObject *token = yes ? sg_python_ref(Py_None) : PyObject_CallObject(cache_token, NULL), *entry = NULL;

	if (!run->answers)
		run->answers = PyDict_New();
	if (token)
		entry = PyTuple_Pack(3, abstract, class, token);
	if (!entry || !run->answers || PyDict_SetItem(run->answers, key, entry) < 0)
		PyErr_Clear();
	sg_python_clear(&entry);
	sg_python_clear(&token);
}

/* --- is it a subclass? ---------------------------------------------------------------------------- */

/* 1, 0: it is for the class to say; -1: exception, as _abc has it; 2: it says nothing. */
static int ask_hook(PyObject *abstract, PyObject *class)
{
	static PyObject *name, *not_implemented, *no, *yes_itself;
	PyObject *said;
	int yes;

	if (!name) {
		name = PyUnicode_InternFromString("__subclasshook__");
		not_implemented = sg_cpython_item(PyEval_GetBuiltins(), "NotImplemented");
		no = PyBool_FromLong(0);
		yes_itself = PyBool_FromLong(1);
	}
	said = PyObject_CallMethodObjArgs(abstract, name, class, NULL);
	if (!said)
		return -1;
	yes = said == not_implemented ? 2 : said == yes_itself ? 1 : said == no ? 0 : -1;
	if (yes < 0)
		PyErr_SetString(PyExc_AssertionError, "__subclasshook__ must return either False, True, or NotImplemented");
	Py_DecRef(said);
	return yes;
}

static int is_in_order(PyObject *abstract, PyObject *class)
{
	PyObject *order = sg_python_attribute_or_null(class, "__mro__");
	bool found = false;

	for (Py_ssize_t i = 0; order && !found && i < PyTuple_Size(order); i++)
		found = PyTuple_GetItem(order, i) == abstract;
	sg_python_clear(&order);
	return found;
}

static int is_below_any(PyObject *class, PyObject *list, Py_ssize_t from)
{
	int yes = 0;

	for (Py_ssize_t i = from; list && !yes && i < PyList_Size(list); i++)
		yes = PyObject_IsSubclass(class, PyList_GetItem(list, i));
	return yes;
}

/* Those that are alive, of the host's registry or the image's own. */
static int is_registered(PyObject *abstract, PyObject *class)
{
	PyObject *dump = registry_of(abstract) ? PyObject_CallFunctionObjArgs(get_dump, abstract, NULL) : NULL;
	PyObject *iterator = dump ? PyObject_GetIter(PyTuple_GetItem(dump, 0)) : NULL, *reference, *target;
	int yes = PyErr_Occurred() ? -1 : 0;

	while (!yes && iterator && (reference = PyIter_Next(iterator))) {
		target = PyObject_CallObject(reference, NULL);
		yes = !target ? -1 : target == Py_None ? 0 : PyObject_IsSubclass(class, target);
		sg_python_clear(&target);
		Py_DecRef(reference);
	}
	sg_python_clear(&iterator);
	sg_python_clear(&dump);
	return yes;
}

static int is_among(PyObject *registered, PyObject *abstract, PyObject *class)
{
	PyObject *list = registered_with(registered, abstract);
	int yes = is_below_any(class, list, 1);

	sg_python_clear(&list);
	return yes;
}

static bool has_registered(const struct sg_run *run)
{
	return run->registered || run->image_registered;
}

/* Of a class that is not abstract itself, what is below it is so by inheritance. */
static bool may_be_below(PyObject *registered, PyObject *class)
{
	PyObject *key, *classes;
	Py_ssize_t position = 0;

	while (registered && PyDict_Next(registered, &position, &key, &classes))
		for (Py_ssize_t i = 1; i < PyTuple_Size(classes); i++) {
			PyObject *other = PyTuple_GetItem(classes, i);

			if (sg_cpython_type(other) != &PyType_Type || PyType_IsSubtype((PyTypeObject *)class, (PyTypeObject *)other))
				return true;
		}
	return false;
}

/* Nearly never: then there is nothing to ask, and nothing to remember. */
static bool may_be_registered(const struct sg_run *run, PyObject *class)
{
	return may_be_below(run->image_registered, class) || may_be_below(run->registered, class);
}

static int is_registered_for_run(const struct sg_run *run, PyObject *abstract, PyObject *class)
{
	int yes = is_among(run->image_registered, abstract, class);

	return yes ? yes : is_among(run->registered, abstract, class);
}

static int is_below_subclass(PyObject *abstract, PyObject *class)
{
	static PyObject *name;
	PyObject *list;
	int yes;

	if (!name)
		name = PyUnicode_InternFromString("__subclasses__");
	list = PyObject_CallMethodObjArgs(abstract, name, NULL);
	yes = list && PyType_IsSubtype(sg_cpython_type(list), &PyList_Type) ? is_below_any(class, list, 0) : -1;
	if (list && yes < 0 && !PyErr_Occurred())
		PyErr_SetString(PyExc_TypeError, "__subclasses__() must return a list");
	sg_python_clear(&list);
	return yes;
}

/* In _abc's order. */
static int is_subclass(const struct sg_run *run, PyObject *abstract, PyObject *class)
{
	int yes = ask_hook(abstract, class);

	if (yes != 2)
		return yes;
	yes = is_in_order(abstract, class);
	if (!yes)
		yes = is_registered(abstract, class);
	if (!yes)
		yes = is_registered_for_run(run, abstract, class);
	return yes ? yes : is_below_subclass(abstract, class);
}

static int is_subclass_for_run(struct sg_run *run, PyObject *abstract, PyObject *class)
{
	PyObject *key = key_of(abstract, class);
	int yes = key ? remembered(run, key) : -1;

	if (key && yes < 0) {
		yes = is_subclass(run, abstract, class);
		if (yes >= 0)
			remember(run, key, abstract, class, yes);
	}
	sg_python_clear(&key);
	return yes;
}

/*
 * The workflow's abstract classes below a shared one: remembered among the answers, as (list, how many classes had been
 * noted). New reference.
 */
static PyObject *own_below(struct sg_run *run, PyObject *abstract)
{
	PyObject *key = key_of(abstract, NULL), *entry, *list = NULL, *noted = NULL;

	entry = key && run->answers ? PyDict_GetItemWithError(run->answers, key) : NULL;
	if (entry && PyLong_AsLong(PyTuple_GetItem(entry, 1)) == sg_subclasses_noted()) {
		list = sg_python_ref(PyTuple_GetItem(entry, 0));
		Py_DecRef(key);
		return list;
	}
	if (!run->answers)
		run->answers = PyDict_New();
	noted = PyLong_FromLong(sg_subclasses_noted());
	list = sg_subclasses_abstract_below(abstract);
	entry = list && noted ? PyTuple_Pack(2, list, noted) : NULL;
	if (!entry || !key || !run->answers || PyDict_SetItem(run->answers, key, entry) < 0)
		sg_python_clear(&list);
	sg_python_clear(&entry);
	sg_python_clear(&noted);
	sg_python_clear(&key);
	return list;
}

#define CHILDLESS 64

/* Nearly always there are none: by the address of the shared class. A new one would be noted. */
static struct childless {
	PyObject *abstract;
	uint64_t family, run;
	long noted;
} childless[CHILDLESS];

static struct childless *childless_slot(PyObject *abstract)
{
	return &childless[sg_address_hash(abstract, CHILDLESS)];
}

static bool is_childless(const struct sg_run *run, PyObject *abstract)
{
	const struct childless *slot = childless_slot(abstract);

	return slot->abstract == abstract && slot->family == run->family && slot->run == run->number &&
	       slot->noted == sg_subclasses_noted();
}

/* Neither is the workflow's, but one may have been registered with the other for the run, or below it. */
static PyObject *or_registered(struct sg_run *run, PyObject *said, PyObject *abstract, PyObject *class)
{
	if (!said || PyObject_IsTrue(said) == 1 || !may_be_registered(run, class))
		return said;
	Py_DecRef(said);
	return answer(is_subclass_for_run(run, abstract, class));
}

/* Neither is the workflow's, but there may be abstract classes of the workflow's below the one that is asked. */
static PyObject *or_by_own(struct sg_run *run, PyObject *said, PyObject *abstract, PyObject *class)
{
	PyObject *list;
	int yes;

	if (!said || PyObject_IsTrue(said) == 1 || is_childless(run, abstract))
		return said;
	Py_DecRef(said);
	list = own_below(run, abstract);
	yes = list ? is_below_any(class, list, 0) : -1;
	if (list && PyList_Size(list) == 0)
		*childless_slot(abstract) = (struct childless){abstract, run->family, run->number, sg_subclasses_noted()};
	sg_python_clear(&list);
	return answer(yes);
}

static PyObject *ask_as_host(fast_function function, PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	PyObject *said;

	sg_subclasses_as_host = true; /* asking() says that it was not */
	said = function(module, args, count);
	sg_subclasses_as_host = false;
	return said;
}

static PyObject *abc_subclasscheck(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	struct sg_run *run = asking();
	PyObject *said;

	if (!run || count != 2 || !sg_subclasses_noted() || !sg_cpython_is_class(args[1]))
		return guarded_subclass.original(module, args, count);
	if (sg_subclasses_is_noted(args[0]) || sg_subclasses_is_noted(args[1]))
		return answer(is_subclass_for_run(run, args[0], args[1]));
	said = ask_as_host(guarded_subclass.original, module, args, count);
	return or_by_own(run, or_registered(run, said, args[0], args[1]), args[0], args[1]);
}

/* Of an object of the workflow's, or one that says it is: the class that it says it has, then the one that it has. */
static PyObject *ask_for_classes(PyObject *abstract, PyObject *class, PyTypeObject *type)
{
	static PyObject *name;
	PyObject *said;

	if (!name)
		name = PyUnicode_InternFromString("__subclasscheck__");
	said = PyObject_CallMethodObjArgs(abstract, name, class, NULL);
	if (!said || class == (PyObject *)type || PyObject_IsTrue(said) != 0)
		return said;
	Py_DecRef(said);
	return PyObject_CallMethodObjArgs(abstract, name, (PyObject *)type, NULL);
}

static PyObject *abc_instancecheck(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	struct sg_run *run = asking();
	PyObject *class, *said = NULL;
	PyTypeObject *type;

	if (!run || count != 2 || !sg_subclasses_noted())
		return guarded_instance.original(module, args, count);
	type = sg_cpython_type(args[1]);
	if (!sg_subclasses_is_noted(args[0]) && !sg_subclasses_is_noted((PyObject *)type)) {
		/* Nearly always: what it does not know itself it asks by way of abc_subclasscheck(). */
		said = guarded_instance.original(module, args, count);
		if (!said || PyObject_IsTrue(said) != 0 || (is_childless(run, args[0]) && !has_registered(run)))
			return said;
	}
	class = PyObject_GetAttrString(args[1], "__class__");
	if (class == (PyObject *)type && said && is_childless(run, args[0]) && !may_be_registered(run, class)) {
		Py_DecRef(class);
		return said;
	}
	sg_python_clear(&said);
	said = class ? ask_for_classes(args[0], class, type) : NULL;
	sg_python_clear(&class);
	return said;
}

/* --- at a change of runs -------------------------------------------------------------------------- */

/* Has another one than the workflow's been registered? */
static bool has_others(PyObject *registered)
{
	PyObject *key, *classes;
	Py_ssize_t position = 0;

	while (registered && PyDict_Next(registered, &position, &key, &classes))
		for (Py_ssize_t i = 1; i < PyTuple_Size(classes); i++)
			if (!sg_subclasses_is_noted(PyTuple_GetItem(classes, i)))
				return true;
	return false;
}

void sg_abstract_turn(const struct sg_run *run)
{
	PyObject *type, *value, *traceback, *done;

	if (!guarded_register.def || !(run->registered || has_others(run->image_registered)))
		return;
	PyErr_Fetch(&type, &value, &traceback);
	done = ask_as_host(guarded_register.original, abc, nobody_s, 2);
	if (!done || forget_registered(nobody_s[0], nobody_s[1]) < 0)
		PyErr_Clear();
	sg_python_clear(&done);
	PyErr_Restore(type, value, traceback);
}

/* --- in place ------------------------------------------------------------------------------------ */

static bool look_up(PyObject *module, struct guarded *guarded)
{
	PyObject *function = PyObject_GetAttrString(module, guarded->name);

	guarded->def = function ? sg_cpython_method_def(function) : NULL;
	sg_python_clear(&function);
	if (!guarded->def || guarded->def->ml_flags != METH_FASTCALL ||
	    !sg_cpython_writable(&guarded->def->ml_meth, sizeof(guarded->def->ml_meth)))
		return false;
	guarded->original = (fast_function)(void *)guarded->def->ml_meth;
	return true;
}

static void replace(struct guarded *guarded, fast_function replacement)
{
	guarded->def->ml_meth = (PyCFunction)(void *)replacement;
}

/* The registry is where it is thought to be. */
static bool probe(void)
{
	PyObject *namespace = sg_cpython_run(
		"import abc\n"
		"class A(abc.ABC): pass\n"
		"class B: pass\n"
		"class C: pass\n"
		"A.register(B); A.register(C)\n"
		"def registered(): return [r() for r in __import__('_abc')._get_dump(A)[0]] == [C]\n", NULL, NULL);
	PyObject *abstract = namespace ? sg_cpython_item(namespace, "A") : NULL;
	PyObject *forgotten = namespace ? sg_cpython_item(namespace, "B") : NULL;
	bool proved = abstract && registry_of(abstract) && forget_registered(abstract, forgotten) == 0 &&
		sg_cpython_call(sg_cpython_item(namespace, "registered")) == 1;

	nobody_s[0] = proved ? sg_python_ref(abstract) : NULL;
	nobody_s[1] = proved ? sg_python_ref(forgotten) : NULL;

	PyErr_Clear();
	sg_python_clear(&namespace);
	return proved;
}

void sg_abstract_install(void)
{
	abc = PyImport_ImportModule("_abc");
	get_dump = abc ? PyObject_GetAttrString(abc, "_get_dump") : NULL;
	cache_token = abc ? PyObject_GetAttrString(abc, "get_cache_token") : NULL;
	if (get_dump && cache_token && sg_subclasses_known && look_up(abc, &guarded_register) &&
	    look_up(abc, &guarded_subclass) && look_up(abc, &guarded_instance) && probe()) {
		replace(&guarded_register, abc_register);
		replace(&guarded_subclass, abc_subclasscheck);
		replace(&guarded_instance, abc_instancecheck);
	} else {
		guarded_register.def = NULL;
		sg_arm_lacking("abc",
				"on this interpreter abstract classes remember what one run made of its classes for all");
	}
	PyErr_Clear();
}

void sg_abstract_remove(void)
{
	if (!guarded_register.def)
		return;
	replace(&guarded_register, guarded_register.original);
	replace(&guarded_subclass, guarded_subclass.original);
	replace(&guarded_instance, guarded_instance.original);
}
