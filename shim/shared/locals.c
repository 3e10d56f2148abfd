#include "shim/shared/locals.h"

#include "shim/interpreter/cpython.h"
#include "shim/interpreter/objects.h"
#include "shim/shared/subclasses.h"

#include <string.h>

bool sg_locals_known;

static PyTypeObject *local_class;
static PyObject *dict_name;

/* --- where a thread's content is ----------------------------------------------------------------- */

/* Among what a local refers to: the dict that has this value, and its key. Borrowed from list. NULL: there is none. */
static PyObject *dict_with(PyObject *list, PyObject *content, PyObject **ret_key)
{
	PyObject *dict, *value;
	Py_ssize_t position;

	for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
		dict = PyList_GetItem(list, i);
		position = 0;
		while (sg_cpython_type(dict) == &PyDict_Type && PyDict_Next(dict, &position, ret_key, &value))
			if (value == content)
				return dict;
	}
	return NULL;
}

/* As the C class does it, whatever a subclass overrides. Makes it where there is none, which calls the class's __init__. */
static PyObject *made_content(PyObject *local)
{
	PyObject *(*get)(PyObject *, PyObject *) = PyType_GetSlot(local_class, Py_tp_getattro);

	return get(local, dict_name);
}

/* The same, but without __init__. */
static PyObject *bare_content(PyObject *local)
{
	sg_initproc *slot = sg_cpython_init_slot(sg_cpython_type(local)), init = *slot;
	PyObject *content;

	*slot = (sg_initproc)PyType_GetSlot(&PyBaseObject_Type, Py_tp_init);
	content = made_content(local);
	*slot = init;
	return content;
}

/* The key of the current thread: a local of ours has it too. New reference. */
static PyObject *thread_key(void)
{
	static PyObject *ours;
	PyObject *content, *list = NULL, *key = NULL;

	if (!ours)
		ours = PyObject_CallObject((PyObject *)local_class, NULL);
	content = ours ? made_content(ours) : NULL;
	list = content ? sg_cpython_referents(ours) : NULL;
	if (list && dict_with(list, content, &key))
		Py_IncRef(key);
	else
		key = NULL;
	sg_python_clear(&list);
	sg_python_clear(&content);
	return key;
}

struct place {
	PyObject *referents;           /* of the local */
	PyObject *dict, *key;          /* where the content is to be found; borrowed, key owned */
	PyObject *stand_in;            /* where there is one, borrowed */
	PyObject *content;             /* borrowed; NULL: there is none */
};

static void find_by_thread(struct place *place)
{
	PyObject *dict;

	place->key = thread_key();
	for (Py_ssize_t i = 0; place->key && i < PyList_Size(place->referents) && !place->content; i++) {
		dict = PyList_GetItem(place->referents, i);
		if (sg_cpython_type(dict) != &PyDict_Type)
			continue;
		place->dict = dict;
		place->content = PyDict_GetItemWithError(dict, place->key);
	}
}

static void find_by_local(struct place *place, PyObject *local)
{
	PyObject *threads = PyThreadState_GetDict(), *key;

	place->key = threads ? PyUnicode_FromFormat("thread.local.%p", local) : NULL;
	place->stand_in = place->key ? PyDict_GetItemWithError(threads, place->key) : NULL;
	if (place->stand_in)
		place->content = *sg_objects_local_content(place->stand_in);
	if (place->content)
		place->dict = dict_with(place->referents, place->content, &key);
}

static void find(struct place *place, PyObject *local)
{
	*place = (struct place){.referents = sg_cpython_referents(local)};
	if (place->referents && sg_objects_locals_by_thread())
		find_by_thread(place);
	else if (place->referents)
		find_by_local(place, local);
	PyErr_Clear();
}

static void release(struct place *place)
{
	sg_python_clear(&place->key);
	sg_python_clear(&place->referents);
}

/* Each thread that has had content leaves something in a set, against its end. */
static void forget_threads(const struct place *place)
{
	PyObject *name = PyUnicode_InternFromString("clear"), *done, *set;

	for (Py_ssize_t i = 0; name && i < PyList_Size(place->referents); i++) {
		set = PyList_GetItem(place->referents, i);
		if (strcmp(sg_cpython_type_name(sg_cpython_type(set)), "set") != 0)
			continue;
		done = PyObject_CallMethodObjArgs(set, name, NULL);
		sg_python_clear(&done);
	}
	PyErr_Clear();
	sg_python_clear(&name);
}

/* What the current thread has there, which it then has no more: new reference, NULL: nothing. */
static PyObject *take(PyObject *local)
{
	struct place place;
	PyObject *content;

	find(&place, local);
	content = sg_python_ref(place.content);
	if (content && sg_objects_locals_by_thread()) {
		PyDict_DelItem(place.dict, place.key);
		forget_threads(&place);
	} else if (content) {
		PyDict_DelItem(PyThreadState_GetDict(), place.key);
	}
	PyErr_Clear();
	release(&place);
	return content;
}

static void put_by_thread(PyObject *local, PyObject *content)
{
	PyObject *bare = bare_content(local), *key;
	struct place place;

	find(&place, local);
	if (bare && place.content == bare && dict_with(place.referents, bare, &key))
		PyDict_SetItem(place.dict, place.key, content);
	release(&place);
	sg_python_clear(&bare);
}

static void put_by_local(PyObject *local, PyObject *content)
{
	PyObject *bare = bare_content(local), *key;
	struct place place;

	find(&place, local);
	if (bare && place.content == bare && place.dict && dict_with(place.referents, bare, &key)) {
		*sg_objects_local_content(place.stand_in) = content;
		PyDict_SetItem(place.dict, key, content);
	}
	release(&place);
	sg_python_clear(&bare);
}

/* The current thread has nothing there. */
static void put(PyObject *local, PyObject *content)
{
	if (sg_objects_locals_by_thread())
		put_by_thread(local, content);
	else
		put_by_local(local, content);
	PyErr_Clear();
}

/* --- the locals of a run: a list of each and what the run has there, None: nothing ----------------- */

static sg_newproc make;

static int add(struct sg_run *run, PyObject *local)
{
	if (!run->locals && !(run->locals = PyList_New(0)))
		return -1;
	return PyList_Append(run->locals, local) < 0 || PyList_Append(run->locals, Py_None) < 0 ? -1 : 0;
}

static PyObject *new_local(PyTypeObject *class, PyObject *args, PyObject *kwargs)
{
	struct sg_run *run = sg_context_isolated();
	PyObject *local = make(class, args, kwargs);

	if (!local || !run)
		return local;
	if (add(run, local) < 0)
		sg_python_clear(&local);
	return local;
}

PyObject *sg_locals_of_modules(struct sg_run *run)
{
	PyObject *list = run->locals ? PyList_New(0) : NULL, *dropped;

	for (Py_ssize_t i = 0; list && i < PyList_Size(run->locals); i += 2) {
		dropped = take(PyList_GetItem(run->locals, i));
		sg_python_clear(&dropped);
		if (PyList_Append(list, PyList_GetItem(run->locals, i)) < 0)
			PyErr_Clear();
	}
	sg_python_clear(&run->locals);
	return list;
}

/* From its first activation on a run has content of its own in its image's. */
static void adopt(struct sg_run *run)
{
	for (Py_ssize_t i = 0; i < PyList_Size(run->image_locals); i++)
		if (add(run, PyList_GetItem(run->image_locals, i)) < 0)
			PyErr_Clear();
	run->image_locals = NULL;
}

static void set_item(PyObject *list, Py_ssize_t index, PyObject *item)
{
	PyObject *one = PyList_New(0);

	if (!one || PyList_Append(one, item) < 0 || PyList_SetSlice(list, index, index + 1, one) < 0)
		PyErr_Clear();
	sg_python_clear(&one);
}

PyObject *sg_locals_enter(struct sg_run *run)
{
	PyObject *type, *value, *traceback, *aside, *there, *content;

	if (__builtin_expect(!run->locals && !run->image_locals, 1))
		return NULL;
	PyErr_Fetch(&type, &value, &traceback);
	if (run->image_locals)
		adopt(run);
	aside = PyList_New(0);
	for (Py_ssize_t i = 0; aside && run->locals && i < PyList_Size(run->locals); i += 2) {
		PyObject *local = PyList_GetItem(run->locals, i);

		there = take(local);
		PyList_Append(aside, there ? there : Py_None);
		sg_python_clear(&there);
		content = PyList_GetItem(run->locals, i + 1);
		if (content != Py_None)
			put(local, content);
	}
	PyErr_Restore(type, value, traceback);
	return aside;
}

/* Those that nobody has any more: with them dies what is in there. */
static void drop_unheld(PyObject *locals)
{
	for (Py_ssize_t i = PyList_Size(locals) - 2; i >= 0; i -= 2)
		if (sg_cpython_refcount(PyList_GetItem(locals, i)) == 1 && PyList_SetSlice(locals, i, i + 2, NULL) < 0)
			PyErr_Clear();
}

void sg_locals_leave(struct sg_run *run, PyObject *aside, bool keep)
{
	PyObject *type, *value, *traceback, *content, *before;

	if (__builtin_expect(!run->locals, 1)) {
		sg_python_clear(&aside);
		return;
	}
	PyErr_Fetch(&type, &value, &traceback);
	for (Py_ssize_t i = 0; i < PyList_Size(run->locals); i += 2) {
		PyObject *local = PyList_GetItem(run->locals, i);

		content = take(local);
		set_item(run->locals, i + 1, keep && content ? content : Py_None);
		sg_python_clear(&content);
		before = aside && i / 2 < PyList_Size(aside) ? PyList_GetItem(aside, i / 2) : Py_None;
		if (before != Py_None)
			put(local, before);
	}
	sg_python_clear(&aside);
	drop_unheld(run->locals);
	PyErr_Restore(type, value, traceback);
}

/* --- in place ----------------------------------------------------------------------------------- */

/* Content comes and goes with the object that holds it; __init__ is called where there is none, and only there. */
static bool probe(void)
{
	PyObject *namespace = sg_cpython_run(
		"import _thread\n"
		"made = []\n"
		"class L(_thread._local):\n"
		"    def __init__(self, n, m=0): self.n = n; made.append(n)\n"
		"plain, other = _thread._local(), L(5, m=2)\n"
		"plain.x = 1; other.n = 7; d = other.__dict__\n"
		"def gone(): return not plain.__dict__ and other.n == 5 and made == [5, 5]\n"
		"def back():\n"
		"    good = plain.x == 1 and other.n == 7 and other.__dict__ is d and made == [5, 5]\n"
		"    plain.y = other.y = 2; del plain.x\n"
		"    return good and plain.__dict__ == {'y': 2} and d['y'] == 2\n", NULL, NULL);
	PyObject *plain = namespace ? sg_cpython_item(namespace, "plain") : NULL, *contents[4] = {NULL};
	PyObject *other = namespace ? sg_cpython_item(namespace, "other") : NULL;
	bool proved = false;

	if (plain && other) {
		contents[0] = take(plain);
		contents[1] = take(other);
		proved = contents[0] && contents[1] && sg_cpython_call(sg_cpython_item(namespace, "gone")) == 1;
		contents[2] = take(plain);
		contents[3] = take(other);
		if (proved) {
			put(plain, contents[0]);
			put(other, contents[1]);
			proved = contents[2] && contents[3] && sg_cpython_call(sg_cpython_item(namespace, "back")) == 1;
		}
	}
	for (int i = 0; i < 4; i++)
		sg_python_clear(&contents[i]);
	PyErr_Clear();
	sg_python_clear(&namespace);
	return proved;
}

void sg_locals_install(void)
{
	PyObject *module = PyImport_ImportModule("_thread");
	sg_newproc *slot;

	local_class = module ? (PyTypeObject *)PyObject_GetAttrString(module, "_local") : NULL;
	dict_name = PyUnicode_InternFromString("__dict__");
	sg_python_clear(&module);
	slot = local_class && dict_name ? sg_cpython_new_slot(local_class) : NULL;
	if (slot && PyThreadState_GetDict && (sg_objects_locals_by_thread() || sg_objects.locals) &&
			sg_cpython_writable(slot, sizeof(*slot)) && probe()) {
		make = *slot;
		sg_locals_known = sg_subclasses_replace_new(local_class, make, new_local) == 0;
	}
	PyErr_Clear();
}
