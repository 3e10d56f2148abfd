#include "shim/state/age.h"

#include "shim/base/address.h"
#include "shim/base/log.h"
#include "shim/interpreter/cpython.h"
#include "shim/state/state.h"

#include <errno.h>
#include <stdlib.h>

/* --- a set of addresses ------------------------------------------------------------------------ */

static PyObject **find_address(PyObject **slots, size_t size, PyObject *object)
{
	size_t i = sg_address_hash(object, size);

	while (slots[i] && slots[i] != object)
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static int grow(struct sg_addresses *set)
{
	size_t size = set->size ? 2 * set->size : 1024;
	PyObject **slots = calloc(size, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i])
			*find_address(slots, size, set->slots[i]) = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->size = size;
	return 0;
}

int sg_addresses_add(struct sg_addresses *set, PyObject *object)
{
	PyObject **slot;

	if (2 * (set->count + 1) > set->size && grow(set) != 0)
		return -ENOMEM;
	slot = find_address(set->slots, set->size, object);
	if (*slot)
		return 0;
	*slot = object;
	set->count++;
	return 1;
}

bool sg_addresses_has(const struct sg_addresses *set, PyObject *object)
{
	return set->size && *find_address(set->slots, set->size, object);
}

void sg_addresses_free(struct sg_addresses *set)
{
	free(set->slots);
	*set = (struct sg_addresses){NULL, 0, 0};
}

/* --- the collector ------------------------------------------------------------------------------ */

static PyObject *call_gc(const char *name)
{
	PyObject *gc = PyImport_ImportModule("gc"), *function = gc ? PyObject_GetAttrString(gc, name) : NULL;
	PyObject *result = function ? PyObject_CallObject(function, NULL) : NULL;

	sg_python_clear(&function);
	sg_python_clear(&gc);
	return result;
}

static int call_gc_and_drop(const char *name)
{
	PyObject *result = call_gc(name);

	if (!result)
		return -1;
	Py_DecRef(result);
	return 0;
}

int sg_age_traverse(PyObject *object, int (*visit)(PyObject *, void *), void *argument)
{
	int (*traverse)(PyObject *, int (*)(PyObject *, void *), void *);

	/* A class of static memory is none of the collector's, though its type is. */
	if (!PyObject_IS_GC(object))
		return 0;
	traverse = PyType_GetSlot(sg_cpython_type(object), Py_tp_traverse);
	return traverse ? traverse(object, visit, argument) : 0;
}

/* Of every object that it looks at, until visit answers other than 0. */
struct visit {
	int (*visit)(PyObject *object, void *argument);
	void *argument;
	int answer;
};

static int go_on(PyObject *object, void *argument)
{
	struct visit *visit = argument;

	visit->answer = visit->visit(object, visit->argument);
	return visit->answer == 0;
}

static int visit_list(PyObject *list, struct visit *visit)
{
	for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
		PyObject *object = PyList_GetItem(list, i);

		if (object != list && !go_on(object, visit))
			break;
	}
	return visit->answer;
}

/* What visit answered last, or -1 with an exception. It must not make or free objects. */
static int visit_all(int (*function)(PyObject *, void *), void *argument)
{
	struct visit visit = {function, argument, 0};
	PyObject *list;

	if (PyUnstable_GC_VisitObjects) {
		PyUnstable_GC_VisitObjects(go_on, &visit);
		return visit.answer;
	}
	list = call_gc("get_objects");
	visit.answer = list ? visit_list(list, &visit) : -1;
	sg_python_clear(&list);
	return visit.answer;
}

/* --- what it does not look at -------------------------------------------------------------------- */

/* Each with a reference of ours. */
static struct sg_addresses untracked;

struct walk {
	PyObject **stack;
	size_t depth, size;
	bool failed;
};

/* Nothing of that type is worth a note: by address, as most references lead to a few types. */
static bool is_plain(PyTypeObject *type)
{
	static struct {
		PyTypeObject *type;
		bool plain;
	} known[64];
	size_t i = sg_address_hash(type, 64);

	if (known[i].type != type) {
		known[i].type = type;
		known[i].plain = sg_state_atomic(type) || PyType_IsSubtype(type, &PyType_Type);
	}
	return known[i].plain;
}

static int note_untracked(PyObject *object, void *argument)
{
	struct walk *walk = argument;
	PyObject **stack;
	int added;

	/* _asyncio shows the collector those that it has set aside to be used again (3.12): they must not come to life. */
	if (sg_cpython_refcount(object) == 0)
		return 0;
	if (is_plain(sg_cpython_type(object)) || PyObject_GC_IsTracked(object))
		return 0;
	added = sg_addresses_add(&untracked, object);
	if (added == 0)
		return 0;
	if (added > 0 && walk->depth == walk->size) {
		size_t size = walk->size ? 2 * walk->size : 256;

		stack = realloc(walk->stack, size * sizeof(*stack));
		if (stack) {
			walk->stack = stack;
			walk->size = size;
		}
	}
	if (added < 0 || walk->depth == walk->size) {
		walk->failed = true;
		return -1;
	}
	Py_IncRef(object);
	walk->stack[walk->depth++] = object;
	return 0;
}

static int note_referents(PyObject *object, void *argument)
{
	struct walk *walk = argument;

	sg_age_traverse(object, note_untracked, walk);
	while (walk->depth && !walk->failed)
		sg_age_traverse(walk->stack[--walk->depth], note_untracked, walk);
	return walk->failed;
}

static int list_untracked(void)
{
	struct walk walk = {NULL, 0, 0, false};
	int error = visit_all(note_referents, &walk);

	free(walk.stack);
	if (walk.failed)
		PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
	return error == 0 ? 0 : -1;
}

static void forget_untracked(void)
{
	struct sg_addresses set = untracked;

	untracked = (struct sg_addresses){NULL, 0, 0};
	for (size_t i = 0; i < set.size; i++)
		if (set.slots[i])
			Py_DecRef(set.slots[i]);
	sg_addresses_free(&set);
}

/* --- beginning and end --------------------------------------------------------------------------- */

static int begun;
static bool frozen_by_program; /* then it stays frozen */
static long frozen_at_start;   /* by the interpreter itself: some hundred objects (3.12) */

/* -1: exception. */
static long count_frozen(void)
{
	PyObject *count = call_gc("get_freeze_count");
	long number = count ? PyLong_AsLong(count) : -1;

	sg_python_clear(&count);
	return number;
}

void sg_age_install(void)
{
	frozen_at_start = count_frozen();
	PyErr_Clear();
}

int sg_age_begin(void)
{
	long frozen;

	if (begun++)
		return 0;
	frozen = count_frozen();
	if (frozen < 0)
		return -1;
	frozen_by_program = frozen > frozen_at_start;
	/* What is frozen is in no list. */
	if (frozen != 0 && call_gc_and_drop("unfreeze") < 0)
		return -1;
	return list_untracked() < 0 ? -1 : call_gc_and_drop("freeze");
}

void sg_age_end(void)
{
	PyObject *type, *value, *traceback;

	if (--begun)
		return;
	PyErr_Fetch(&type, &value, &traceback);
	if (call_gc_and_drop(frozen_by_program ? "freeze" : "unfreeze") < 0)
		PyErr_Clear();
	forget_untracked();
	PyErr_Restore(type, value, traceback);
}

int sg_age_collect_new(struct sg_addresses *made)
{
	/* Cyclic garbage of the import (a class that a decorator replaced) would count as somebody's references. */
	PyObject *list = call_gc_and_drop("collect") == 0 ? call_gc("get_objects") : NULL;
	int error = list ? 0 : -1;

	for (Py_ssize_t i = 0; list && error >= 0 && i < PyList_Size(list); i++)
		error = sg_addresses_add(made, PyList_GetItem(list, i));
	sg_python_clear(&list); /* it must not count as a reference to anything */
	return error < 0 ? error : 0;
}

bool sg_age_hides(const struct sg_addresses *made, PyObject *module)
{
	struct sg_line line;

	if (sg_cpython_type(module) != &PyModule_Type || sg_addresses_has(made, module))
		return false;
	frozen_by_program = true;
	if (!sg_log_begin(&line, SG_LOG_WARN, "private"))
		return true;
	sg_log_text(&line, "object", sg_python_text(sg_python_module_name(PyModule_GetDict(module))));
	sg_log_text(&line, "reason", "gc.freeze() while the modules were executed: nobody can tell what they made");
	sg_log_text(&line, "effect", "each run executes the modules for itself");
	sg_log_end(&line);
	return true;
}

bool sg_age_was_there(const struct sg_addresses *made, PyObject *object)
{
	if (sg_addresses_has(&untracked, object))
		return true;
	return PyObject_GC_IsTracked(object) && !sg_addresses_has(made, object);
}

int sg_age_visit_everything(int (*visit)(PyObject *, void *), void *argument)
{
	if (begun > 1)
		return 0;
	return call_gc_and_drop("unfreeze") == 0 ? visit_all(visit, argument) : -1;
}
