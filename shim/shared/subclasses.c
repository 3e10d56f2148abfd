#include "shim/shared/subclasses.h"

#include "shim/base/address.h"
#include "shim/guard/arm.h"
#include "shim/import/importer.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/run/policy.h"

#include <stdlib.h>
#include <string.h>

bool sg_subclasses_known, sg_subclasses_numbered;
__thread bool sg_subclasses_as_host;
void (*sg_subclasses_made)(PyTypeObject *class);

/* --- who made which class ----------------------------------------------------------------------- */

/* Open addressing by the class's address; forgotten is a reference that leads nowhere any more. */
static struct note {
	PyObject *class;               /* an address; NULL: the place is free */
	PyObject *reference;           /* weak */
	uint64_t family, run;          /* of the modules; run 0: whoever has them sees it; family 0: the host has made it */
	Py_ssize_t hash;               /* of one that a run has made */
	PyObject *importing;           /* ... while it imported this module: owned */
	bool abstract;                 /* of abc.ABCMeta or a metaclass below it */
} *notes;
static size_t note_count, note_size;
static long noted;

uint64_t sg_subclasses_number(void)
{
	static uint64_t last;

	return ++last;
}

static struct note *find_place(struct note *table, size_t size, PyObject *class)
{
	size_t i = sg_address_hash(class, size);

	while (table[i].class && table[i].class != class)
		i = (i + 1) & (size - 1);
	return &table[i];
}

static const struct note *find_any_note(PyObject *class)
{
	const struct note *note = note_count ? find_place(notes, note_size, class) : NULL;

	/* Another class may have got the address of one that is gone. */
	return note && note->class && sg_cpython_referent(note->reference) == class ? note : NULL;
}

/* One that a run has made. */
static const struct note *find_note(PyObject *class)
{
	const struct note *note = find_any_note(class);

	return note && note->family ? note : NULL;
}

/* A table with room for more than what is still alive. False: out of memory. */
static bool renew_notes(void)
{
	struct note *old = notes, *table;
	size_t alive = 0, size = 256, old_size = note_size;

	for (size_t i = 0; i < old_size; i++)
		alive += old[i].class && sg_cpython_referent(old[i].reference);
	while (size < 4 * alive)
		size *= 2;
	table = calloc(size, sizeof(*table));
	if (!table)
		return false;
	for (size_t i = 0; i < old_size; i++)
		if (old[i].class && sg_cpython_referent(old[i].reference))
			*find_place(table, size, old[i].class) = old[i];
	notes = table;
	note_size = size;
	note_count = alive;
	for (size_t i = 0; i < old_size; i++)
		if (old[i].class && !find_place(table, size, old[i].class)->class) {
			Py_DecRef(old[i].reference);
			sg_python_clear(&old[i].importing);
		}
	free(old);
	return true;
}

/* Keeps a pending exception. Of what it is given, the reference to the class and the count are to be filled in. */
static void note_class(PyObject *class, struct note new)
{
	PyObject *reference = PyWeakref_NewRef(class, NULL);
	struct note *note, old;

	if (!reference || (2 * (note_count + 1) > note_size && !renew_notes())) {
		PyErr_Clear();
		sg_python_clear(&reference);
		return;
	}
	note = find_place(notes, note_size, class);
	note_count += !note->class;
	noted += new.family != 0;
	old = *note;
	*note = new;
	note->class = class;
	note->reference = reference;
	note->importing = sg_python_ref(new.importing);
	sg_python_clear(&old.reference);
	sg_python_clear(&old.importing);
}

long sg_subclasses_noted(void)
{
	return noted;
}

bool sg_subclasses_is_noted(PyObject *class)
{
	return (PyType_GetFlags((PyTypeObject *)class) & Py_TPFLAGS_HEAPTYPE) && find_note(class);
}

Py_ssize_t sg_subclasses_next_hash(struct sg_run *run)
{
	sg_subclasses_numbered |= run->policy != NULL;
	if (sg_context_current && sg_policy_aside(run))
		return SG_HASHES_ASIDE + (Py_ssize_t)++run->hashes_aside;
	if (sg_context_current && sg_context_current->phase == SG_PHASE_IMPORT)
		return SG_HASHES_OF_MODULES + (Py_ssize_t)++run->hashes_of_modules;
	return (Py_ssize_t)++run->hashes;
}

/* --- making a class ----------------------------------------------------------------------------- */

static sg_newproc make;
static PyTypeObject *abstract_metaclass;

/* What this thread makes now: until it is made, its __init_subclass__ and __set_name__ run. */
static __thread struct making {
	struct making *outer;
	const struct sg_context *context;
	PyObject *name, *bases; /* borrowed */
} *making;

uint64_t sg_subclasses_maker(const struct sg_context *context)
{
	struct sg_run *run = context->run;

	/* The run with which an image is made executes the modules of all. */
	if (context->phase == SG_PHASE_IMPORT && !run->image)
		return 0;
	if (!run->number)
		run->number = sg_subclasses_number();
	return run->number;
}

#define KEPT_MAX 256

/*
 * A class that nobody refers to any more is in a cycle, and lives until the collector finds it: that is another time on
 * another worker. The run keeps the last that it made, so that what it sees does not depend on that.
 */
static void keep(struct sg_run *run, PyObject *class)
{
	if (!run->classes && !(run->classes = PyList_New(0))) {
		PyErr_Clear();
		return;
	}
	if (PyList_Append(run->classes, class) < 0 ||
	    (PyList_Size(run->classes) > KEPT_MAX && PyList_SetSlice(run->classes, 0, 1, NULL) < 0))
		PyErr_Clear();
}

/* The name under which the class finds its module: borrowed; NULL without an exception. */
static PyObject *module_name(PyObject *class)
{
	static PyObject *key;
	PyObject *dict, *name;

	if (!(PyType_GetFlags((PyTypeObject *)class) & Py_TPFLAGS_HEAPTYPE))
		return NULL;
	if (!key)
		key = PyUnicode_InternFromString("__module__");
	dict = sg_cpython_type_dict((PyTypeObject *)class);
	name = dict && key ? PyDict_GetItemWithError(dict, key) : NULL;
	return name && sg_cpython_type(name) == &PyUnicode_Type ? name : NULL;
}

/* One that a function of a library makes (types.new_class) for a module that is being imported has the library's name. */
static PyObject *new_class_in_host(PyTypeObject *metaclass, PyObject *args, PyObject *kwargs)
{
	PyObject *class = make(metaclass, args, kwargs), *importing = sg_importer_loading(), *name;

	if (!class || !importing)
		return class;
	name = module_name(class);
	if (name && PyObject_RichCompareBool(name, importing, Py_EQ) == 0)
		note_class(class, (struct note){.importing = importing});
	PyErr_Clear();
	return class;
}

/*
 * Caches of libraries, which all runs share, go by classes: those of another run, which have the same numbers, would be in the way.
 * High enough not to be seen in the order of a set; another run id, after a reset of the workflow, changes nothing else.
 */
static Py_ssize_t apart(const struct sg_run *run)
{
	Py_ssize_t mixed = 0;

	for (const char *c = run->run_id ? sg_python_text(run->run_id) : ""; *c; c++)
		mixed = (mixed * 31 + *c) & 0xffff;
	return mixed << 44;
}

static void note_made(PyObject *class, struct sg_run *run)
{
	if (find_note(class))
		return; /* its hash was asked for while it was made */
	note_class(class, (struct note){
		.family = run->family,
		.run = sg_subclasses_maker(sg_context_current),
		.hash = sg_subclasses_next_hash(run) + apart(run),
		.abstract = abstract_metaclass && PyType_IsSubtype(sg_cpython_type(class), abstract_metaclass)
	});
}

static PyObject *new_class(PyTypeObject *metaclass, PyObject *args, PyObject *kwargs)
{
	struct sg_context *context = sg_context_current;
	struct making this = {making, context, NULL, NULL};
	PyObject *class;

	if (!__builtin_expect(context != NULL, 0))
		return new_class_in_host(metaclass, args, kwargs);
	if (!context->run->family || PyTuple_Size(args) != 3)
		return make(metaclass, args, kwargs);
	this.name = PyTuple_GetItem(args, 0);
	this.bases = PyTuple_GetItem(args, 1);
	making = &this;
	class = make(metaclass, args, kwargs);
	making = this.outer;
	if (!class)
		return NULL;
	note_made(class, context->run);
	if (sg_subclasses_made)
		sg_subclasses_made((PyTypeObject *)class);
	if (sg_subclasses_maker(context))
		keep(context->run, class);
	return class;
}

/* --- looking at the classes --------------------------------------------------------------------- */

static bool is_being_made(PyObject *class, const struct sg_run *run)
{
	PyObject *bases = NULL, *name = NULL;
	bool is = false;

	for (const struct making *this = making; this && !is; this = this->outer) {
		if (this->context->run != run)
			continue;
		if (!bases) {
			bases = sg_python_attribute_or_null(class, "__bases__");
			name = sg_python_attribute_or_null(class, "__name__");
		}
		is = bases == this->bases || (name == this->name && PyTuple_Size(this->bases) == 0);
	}
	PyErr_Clear();
	sg_python_clear(&name);
	sg_python_clear(&bases);
	return is;
}

/*
 * Does the run execute the module of that name for itself, so that the host's is another copy? Also another workflow file,
 * which the run would not have imported. What the program itself is (__main__) may be no workflow file.
 */
static bool is_another_copy(PyObject *name, const struct sg_run *run)
{
	PyObject *module, *host;
	int shared;

	if (!run->modules || !name)
		return false;
	module = PyDict_GetItemWithError(run->modules, name);
	host = sg_modules_host(name);
	if (module || !host || strcmp(sg_python_text(name), "__main__") == 0)
		return module && module != host;
	shared = sg_policy_shares(run->policy, name);
	if (shared < 0)
		PyErr_Clear();
	return shared == 0;
}

Py_ssize_t sg_subclasses_hash(PyObject *class)
{
	const struct note *note = find_note(class);

	if (!note && making && sg_context_current && is_being_made(class, sg_context_current->run)) {
		note_made(class, sg_context_current->run);
		note = find_note(class);
	}
	return note ? note->hash : 0;
}

bool sg_subclasses_visible(PyObject *class)
{
	const struct sg_run *run = sg_subclasses_as_host ? NULL : sg_context_run;
	const struct note *note = find_any_note(class);

	if (!run || !run->family)
		return !note || !note->family;
	if (note && note->family)
		return note->family == run->family && (!note->run || note->run == run->number);
	if (note && is_another_copy(note->importing, run))
		return false;
	return !is_another_copy(module_name(class), run) || (making && is_being_made(class, run));
}

bool sg_subclasses_is_others(PyObject *class, const struct sg_run *run)
{
	const struct note *note = find_note(class);

	if (note)
		return note->family != run->family || (note->run && note->run != run->number);
	return !is_being_made(class, run);
}

PyObject *sg_subclasses_abstract_below(PyObject *class)
{
	PyObject *list = PyList_New(0), *other;

	for (size_t i = 0; list && note_count && i < note_size; i++) {
		other = notes[i].class && notes[i].family && notes[i].abstract ? sg_cpython_referent(notes[i].reference) : NULL;
		if (!other || other != notes[i].class || other == class ||
		    !PyType_IsSubtype((PyTypeObject *)other, (PyTypeObject *)class) || !sg_subclasses_visible(other))
			continue;
		if (PyList_Append(list, other) < 0)
			sg_python_clear(&list);
	}
	return list;
}

static PyObject *visible_ones(PyObject *list)
{
	PyObject *chosen = PyList_New(0), *class;
	int error = chosen ? 0 : -1;

	for (Py_ssize_t i = 0; i < PyList_Size(list) && !error; i++) {
		class = PyList_GetItem(list, i);
		if (sg_subclasses_visible(class))
			error = PyList_Append(chosen, class);
	}
	if (error)
		sg_python_clear(&chosen);
	return chosen;
}

static PyCFunction list_subclasses;

static PyObject *subclasses(PyObject *class, PyObject *unused)
{
	PyObject *list = list_subclasses(class, unused), *chosen;

	if (!list || (!note_count && !sg_context_run))
		return list;
	chosen = visible_ones(list);
	Py_DecRef(list);
	return chosen;
}

/* --- in place ----------------------------------------------------------------------------------- */

PyObject *sg_subclasses_all(PyObject *class)
{
	return list_subclasses ? list_subclasses(class, NULL) : NULL;
}

int sg_subclasses_replace(PyTypeObject *class, void **(*slot_of)(PyTypeObject *), void *original, void *replacement)
{
	PyObject *list = sg_subclasses_all((PyObject *)class);
	void **slot = slot_of(class);
	int error = list && slot ? 0 : -1;

	if (!error && *slot == original) {
		*slot = replacement;
		PyType_Modified(class);
	}
	for (Py_ssize_t i = 0; !error && i < PyList_Size(list); i++)
		error = sg_subclasses_replace((PyTypeObject *)PyList_GetItem(list, i), slot_of, original, replacement);
	sg_python_clear(&list);
	return error;
}

static void **new_slot(PyTypeObject *class)
{
	return (void **)sg_cpython_new_slot(class);
}

int sg_subclasses_replace_new(PyTypeObject *class, sg_newproc original, sg_newproc replacement)
{
	return sg_subclasses_replace(class, new_slot, (void *)original, (void *)replacement);
}

static PyMethodDef *list_def;

/* Classes are made by all ways that there are, with and without a run, and the run sees what it should. */
static bool probe(void)
{
	struct sg_run run = {.family = sg_subclasses_number()};
	PyObject *namespace = sg_cpython_run(
		"class Meta(type): pass\n"
		"class Maker(type):\n"
		"    def __new__(m, n, b, d): return super().__new__(m, n, b, d)\n"
		"class Base: pass\n"
		"class Odd(metaclass=Meta): pass\n"
		"class Made(metaclass=Maker): pass\n"
		"kept = []\n"
		"def make():\n"
		"    class A(Base): pass\n"
		"    kept.extend([A, type('B', (Base,), {}), Meta('C', (Odd,), {}), type.__new__(Meta, 'D', (Odd,), {}),\n"
		"                 Maker('E', (Made,), {})])\n"
		"    return 1\n"
		"def seen(): return 100 * len(Base.__subclasses__()) + 10 * len(Odd.__subclasses__()) + len(Made.__subclasses__())\n",
		NULL, NULL);
	long host = -1, own = -1, later = -1, made = -1;

	if (namespace) {
		made = sg_context_try(&run, sg_cpython_item(namespace, "make"));
		own = sg_context_try(&run, sg_cpython_item(namespace, "seen"));
		host = sg_cpython_call(sg_cpython_item(namespace, "seen"));
		made += sg_cpython_call(sg_cpython_item(namespace, "make"));
		later = sg_cpython_call(sg_cpython_item(namespace, "seen"));
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
	return made == 2 && own == 221 && host == 0 && later == 221;
}

void sg_subclasses_install(void)
{
	PyObject *method = PyObject_GetAttrString((PyObject *)&PyType_Type, "__subclasses__");
	sg_newproc *slot = sg_cpython_new_slot(&PyType_Type);
	bool proved = false;

	list_def = method ? sg_cpython_method_def(method) : NULL;
	sg_python_clear(&method);
	if (slot && list_def && list_def->ml_flags == METH_NOARGS && !make &&
	    sg_cpython_writable(&list_def->ml_meth, sizeof(list_def->ml_meth)) && sg_cpython_writable(slot, sizeof(*slot))) {
		make = *slot;
		list_subclasses = list_def->ml_meth;
		list_def->ml_meth = subclasses;
		proved = sg_subclasses_replace_new(&PyType_Type, make, new_class) == 0 && probe();
		if (!proved) {
			list_def->ml_meth = list_subclasses;
			sg_subclasses_replace_new(&PyType_Type, new_class, make);
		}
	}
	PyErr_Clear();
	sg_subclasses_known = proved;
	if (!proved)
		sg_arm_lacking("type.__subclasses__",
				"on this interpreter it cannot be told who made a class: runs see each other's");
	abstract_metaclass = (PyTypeObject *)sg_python_imported("abc", "ABCMeta");
}

/* What makes classes stays: metaclasses that were made meanwhile have it. */
void sg_subclasses_remove(void)
{
	if (list_def && list_def->ml_meth == subclasses)
		list_def->ml_meth = list_subclasses;
}
