#include "shim/shared/references.h"

#include "shim/base/address.h"
#include "shim/base/log.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/shared/subclasses.h"

#include <stdlib.h>

/* --- whose is a reference? ----------------------------------------------------------------------- */

struct note {
	struct note *next;
	PyObject *reference;           /* borrowed: until it dies */
	uint64_t family, run;          /* as sg_subclasses_maker() answers */
};

#define BUCKETS_MIN 256

static struct note **buckets;
static size_t bucket_count, note_count;

static struct note **bucket_of(PyObject *reference)
{
	return &buckets[sg_address_hash(reference, bucket_count)];
}

static bool grow(void)
{
	size_t old_count = bucket_count;
	struct note **old = buckets, **table;

	if (note_count < bucket_count)
		return true;
	table = calloc(old_count ? 2 * old_count : BUCKETS_MIN, sizeof(*table));
	if (!table)
		return false;
	buckets = table;
	bucket_count = old_count ? 2 * old_count : BUCKETS_MIN;
	for (size_t i = 0; i < old_count; i++) {
		while (old[i]) {
			struct note *note = old[i], **bucket = bucket_of(note->reference);

			old[i] = note->next;
			note->next = *bucket;
			*bucket = note;
		}
	}
	free(old);
	return true;
}

static struct note *next_note(struct note *note, PyObject *reference)
{
	while (note && note->reference != reference)
		note = note->next;
	return note;
}

static struct note *first_note(PyObject *reference)
{
	return note_count ? next_note(*bucket_of(reference), reference) : NULL;
}

static void forget(PyObject *reference)
{
	struct note **link = bucket_of(reference), *note;

	while ((note = *link)) {
		if (note->reference != reference) {
			link = &note->next;
			continue;
		}
		*link = note->next;
		note_count--;
		free(note);
	}
}

static void note_reference(PyObject *reference, uint64_t family, uint64_t run)
{
	struct note *note = first_note(reference), **bucket;

	for (; note; note = next_note(note->next, reference))
		if (note->family == family && note->run == run)
			return;
	note = grow() ? malloc(sizeof(*note)) : NULL;
	if (!note)
		return;
	bucket = bucket_of(reference);
	*note = (struct note){*bucket, reference, family, run};
	*bucket = note;
	note_count++;
}

/* One that was there and that nobody noted is not only the run's; one that a run has made is from now on the host's, too. */
static PyObject *note_new(PyObject *reference)
{
	struct sg_context *context = sg_context_current;
	bool fresh = reference && sg_cpython_refcount(reference) == 1, run;

	if (!reference || (!context && (fresh || !note_count)))
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
	for (; note && run && run->family; note = next_note(note->next, reference))
		if (note->family == run->family && (!note->run || note->run == run->number))
			return true;
	return false;
}

/* --- in place ----------------------------------------------------------------------------------- */

typedef PyObject *(*fast_function)(PyObject *, PyObject *const *, Py_ssize_t);
typedef void (*destructor)(PyObject *);

static struct guarded {
	const char *name;
	int flags;
	PyMethodDef *def;
	PyCFunction original;
} count_function = {.name = "getweakrefcount", .flags = METH_O}, list_function = {.name = "getweakrefs", .flags = METH_O},
	proxy_function = {.name = "proxy", .flags = METH_FASTCALL}; /* METH_VARARGS until 3.10 */

static PyTypeObject *types[3];         /* reference, and the two kinds of proxies */
static destructor deallocs[2];         /* of a reference, of a proxy */
static sg_newproc make;

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
	if (note_count)
		forget(reference);
	deallocs[0](reference);
}

static void dealloc_proxy(PyObject *proxy)
{
	if (note_count)
		forget(proxy);
	deallocs[1](proxy);
}

static PyObject *get_references(PyObject *module, PyObject *object)
{
	PyObject *all = list_function.original(module, object), *chosen;

	if (!all || !note_count)
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

	if (!note_count)
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
	if (!guarded->def || guarded->def->ml_flags != guarded->flags ||
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
		proxy_function.flags == METH_VARARGS ? new_proxy_of_tuple : (PyCFunction)(void *)new_proxy;
}

/* What a run makes only it can count, and what has died is not known any more. */
static bool probe(void)
{
	struct sg_run run = {.family = sg_subclasses_number()}, *outer = sg_context_run;
	struct sg_context context = {&run, SG_PHASE_RUNTIME, false, NULL, NULL}, *token;
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
	size_t notes = 0;

	if (namespace) {
		token = sg_context_enter(&context);
		sg_context_run = &run;
		made = sg_cpython_call(sg_cpython_item(namespace, "make"));
		sg_context_run = outer;
		sg_context_leave(token);
		notes = note_count;
		host = sg_cpython_call(sg_cpython_item(namespace, "count"));
		dropped = sg_cpython_call(sg_cpython_item(namespace, "drop"));
		later = sg_cpython_call(sg_cpython_item(namespace, "make"));
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
	return made == 5 && notes == 5 && host == 0 && dropped == 0 && later == 5 && note_count == 0;
}

void sg_references_install(void)
{
	PyObject *module = PyImport_ImportModule("_weakref");
	bool proved = false;

	if (sg_cpython.minor < 11)
		proxy_function.flags = METH_VARARGS;
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
		sg_log_unguarded(SG_LOG_WARN, "name", "weakref.getweakrefcount",
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
