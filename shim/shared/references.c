#include "shim/shared/references.h"

#include "shim/base/table.h"
#include "shim/guard/arm.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/shared/subclasses.h"

#include <stdlib.h>

/* --- whose is a reference? ----------------------------------------------------------------------- */

struct note {
	struct sg_record record;       /* about the reference, until it dies */
	uint64_t family, run;          /* as sg_subclasses_maker() answers */
};

#define OURS UINT64_MAX /* no run's family */

static struct sg_table notes;

static struct note *first_note(PyObject *reference)
{
	return (struct note *)sg_table_find(&notes, reference);
}

static struct note *next_note(const struct note *note)
{
	return (struct note *)sg_table_next(&note->record);
}

static void forget(PyObject *reference)
{
	struct sg_record *record;

	while ((record = sg_table_take(&notes, reference)))
		free(record);
}

static void note_reference(PyObject *reference, uint64_t family, uint64_t run)
{
	struct note *note;

	for (note = first_note(reference); note; note = next_note(note))
		if (note->family == family && note->run == run)
			return;
	note = malloc(sizeof(*note));
	if (!note)
		return;
	note->family = family;
	note->run = run;
	if (!sg_table_add(&notes, &note->record, reference))
		free(note);
}

/* One that was there and that nobody noted is not only the run's; one that a run has made is from now on the host's, too. */
static PyObject *note_new(PyObject *reference)
{
	struct sg_context *context = sg_context_current;
	bool fresh = reference && sg_cpython_refcount(reference) == 1, run;

	if (!reference || (!context && (fresh || !notes.count)))
		return reference;
	run = context && context->run->family;
	if (run && (fresh || first_note(reference)))
		note_reference(reference, context->run->family, sg_subclasses_maker(context));
	else if (!run && first_note(reference))
		forget(reference);
	return reference;
}

static bool is_visible(PyObject *reference)
{
	const struct sg_run *run = sg_context_run;
	const struct note *note = first_note(reference);

	if (!note)
		return true;
	for (; note && run && run->family; note = next_note(note))
		if (note->family == run->family && (!note->run || note->run == run->number))
			return true;
	return false;
}

/* --- in place ----------------------------------------------------------------------------------- */

typedef PyObject *(*fast_function)(PyObject *, PyObject *const *, Py_ssize_t);
typedef void (*destructor)(PyObject *);

static struct guarded {
	const char *name;
	int flags, other_flags;
	PyMethodDef *def;
	PyCFunction original;
} count_function = {.name = "getweakrefcount", .flags = METH_O, .other_flags = METH_O},
	list_function = {.name = "getweakrefs", .flags = METH_O, .other_flags = METH_O},
	proxy_function = {.name = "proxy", .flags = METH_FASTCALL, .other_flags = METH_VARARGS};

static PyTypeObject *types[3];         /* reference, and the two kinds of proxies */
static destructor deallocs[2];         /* of a reference, of a proxy */
static sg_newproc make;

PyObject *sg_references_hidden(PyObject *object)
{
	PyObject *reference = PyWeakref_NewRef(object, NULL);

	if (reference && list_function.def && (sg_cpython_refcount(reference) == 1 || first_note(reference)))
		note_reference(reference, OURS, 0);
	return reference;
}

static PyObject *new_reference(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	return note_new(make(type, args, kwargs));
}

static PyObject *new_proxy(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	return note_new(((fast_function)(void *)proxy_function.original)(module, args, count));
}

static PyObject *new_proxy_of_tuple(PyObject *module, PyObject *args)
{
	return note_new(proxy_function.original(module, args));
}

static void dealloc_reference(PyObject *reference)
{
	if (notes.count)
		forget(reference);
	deallocs[0](reference);
}

static void dealloc_proxy(PyObject *proxy)
{
	if (notes.count)
		forget(proxy);
	deallocs[1](proxy);
}

static PyObject *get_references(PyObject *module, PyObject *object)
{
	PyObject *all = list_function.original(module, object), *chosen;

	if (!all || !notes.count)
		return all;
	chosen = PyList_New(0);
	for (Py_ssize_t i = 0; chosen && i < PyList_Size(all); i++)
		if (is_visible(PyList_GetItem(all, i)) && PyList_Append(chosen, PyList_GetItem(all, i)) < 0)
			sg_python_clear(&chosen);
	Py_DecRef(all);
	return chosen;
}

static PyObject *count_references(PyObject *module, PyObject *object)
{
	PyObject *list, *count;

	if (!notes.count)
		return count_function.original(module, object);
	list = get_references(module, object);
	count = list ? PyLong_FromLong(PyList_Size(list)) : NULL;
	sg_python_clear(&list);
	return count;
}

static bool look_up(PyObject *module, struct guarded *guarded)
{
	PyObject *function = PyObject_GetAttrString(module, guarded->name);

	guarded->def = function ? sg_cpython_method_def(function) : NULL;
	sg_python_clear(&function);
	if (!guarded->def || (guarded->def->ml_flags != guarded->flags && guarded->def->ml_flags != guarded->other_flags) ||
	    !sg_cpython_writable(&guarded->def->ml_meth, sizeof(guarded->def->ml_meth)))
		return false;
	guarded->original = guarded->def->ml_meth;
	return true;
}

static bool look_up_types(PyObject *module)
{
	static const char *const names[] = {"ReferenceType", "ProxyType", "CallableProxyType"};

	for (int i = 0; i < 3; i++) {
		types[i] = (PyTypeObject *)PyObject_GetAttrString(module, names[i]);
		if (!types[i] || !sg_cpython_dealloc_slot(types[i]) ||
		    !sg_cpython_writable(sg_cpython_dealloc_slot(types[i]), sizeof(void *)))
			return false;
	}
	make = *sg_cpython_new_slot(types[0]);
	deallocs[0] = (destructor)*sg_cpython_dealloc_slot(types[0]);
	deallocs[1] = (destructor)*sg_cpython_dealloc_slot(types[1]);
	return make && *sg_cpython_dealloc_slot(types[2]) == (void *)deallocs[1];
}

static void replace(bool back)
{
	*sg_cpython_dealloc_slot(types[0]) = back ? (void *)deallocs[0] : (void *)dealloc_reference;
	for (int i = 1; i < 3; i++)
		*sg_cpython_dealloc_slot(types[i]) = back ? (void *)deallocs[1] : (void *)dealloc_proxy;
	count_function.def->ml_meth = back ? count_function.original : count_references;
	list_function.def->ml_meth = back ? list_function.original : get_references;
	proxy_function.def->ml_meth = back ? proxy_function.original :
		proxy_function.def->ml_flags == METH_VARARGS ? new_proxy_of_tuple : (PyCFunction)(void *)new_proxy;
}

/* What a run makes only it can count, and what has died is not known any more. */
static bool probe(void)
{
	struct sg_run run = {.family = sg_subclasses_number()};
	PyObject *namespace = sg_cpython_run(
		"import _weakref as w\n"
		"class O: pass\n"
		"class R(w.ref): pass\n"
		"o, kept = O(), []\n"
		"def make():\n"
		"    kept.extend((w.ref(o), w.ref(o, print), R(o), w.proxy(o), w.proxy(o, print)))\n"
		"    return w.getweakrefcount(o)\n"
		"def count(): return w.getweakrefcount(o) + len(w.getweakrefs(o))\n"
		"def drop(): kept.clear(); return w.getweakrefcount(o)\n", NULL, NULL);
	long made = -1, host = -1, dropped = -1, later = -1;
	size_t known = 0;

	if (namespace) {
		made = sg_context_try(&run, sg_cpython_item(namespace, "make"));
		known = notes.count;
		host = sg_cpython_call(sg_cpython_item(namespace, "count"));
		dropped = sg_cpython_call(sg_cpython_item(namespace, "drop"));
		later = sg_cpython_call(sg_cpython_item(namespace, "make"));
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
	return made == 5 && known == 5 && host == 0 && dropped == 0 && later == 5 && notes.count == 0;
}

void sg_references_install(void)
{
	PyObject *module = PyImport_ImportModule("_weakref");
	bool proved = false;

	if (module && sg_subclasses_known && look_up(module, &count_function) && look_up(module, &list_function) &&
	    look_up(module, &proxy_function) && look_up_types(module)) {
		replace(false);
		proved = sg_subclasses_replace_new(types[0], make, new_reference) == 0 && probe();
		if (!proved) {
			sg_subclasses_replace_new(types[0], new_reference, make);
			replace(true);
		}
	}
	if (!proved) {
		list_function.def = NULL;
		sg_arm_lacking("weakref.getweakrefcount",
				"on this interpreter it cannot be told who made a weak reference: runs count each other's");
	}
	PyErr_Clear();
	sg_python_clear(&module);
}

/* What makes references stays: classes that were made meanwhile have it. So does what forgets them. */
void sg_references_remove(void)
{
	if (!list_function.def)
		return;
	list_function.def->ml_meth = list_function.original;
	count_function.def->ml_meth = count_function.original;
}
