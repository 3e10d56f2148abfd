#include "shim/shared/tasks.h"

#include "shim/base/table.h"
#include "shim/guard/arm.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/shared/subclasses.h"

#include <stdlib.h>

typedef Py_ssize_t (*hash_function)(PyObject *);
typedef void (*destructor)(PyObject *);

struct note {
	struct sg_record record; /* about a task or future that a run has made */
	Py_ssize_t hash;
};

bool sg_tasks_known;
static struct sg_table notes;
static sg_newproc make;
static hash_function hash_address;
static destructor end_future, end_task;
static sg_initproc start_task;
static PyObject *name_key;

static PyObject *new_future(PyTypeObject *class, PyObject *args, PyObject *kwargs)
{
	struct sg_run *run = sg_context_isolated();
	PyObject *future = make(class, args, kwargs);
	struct note *note;

	if (!future || !run)
		return future;
	note = malloc(sizeof(*note));
	if (note && !sg_table_add(&notes, &note->record, future)) {
		free(note);
		note = NULL;
	}
	if (note)
		note->hash = (Py_ssize_t)++run->futures;
	return future;
}

static Py_ssize_t hash(PyObject *future)
{
	const struct note *note = (struct note *)sg_table_find(&notes, future);

	return note ? note->hash : hash_address(future);
}

static void forget(PyObject *future)
{
	free(sg_table_take(&notes, future));
}

static void dealloc_future(PyObject *future)
{
	forget(future);
	end_future(future);
}

static void dealloc_task(PyObject *task)
{
	forget(task);
	end_task(task);
}

/* With the name that it would get in a process where nothing else runs. */
static int init_task(PyObject *task, PyObject *args, PyObject *kwargs)
{
	struct sg_run *run = sg_context_isolated();
	PyObject *given = NULL, *name, *named;
	int error = -1;

	if (!run)
		return start_task(task, args, kwargs);
	if (kwargs)
		given = PyDict_GetItemWithError(kwargs, name_key);
	if ((given && given != Py_None) || PyErr_Occurred())
		return PyErr_Occurred() ? -1 : start_task(task, args, kwargs);
	named = kwargs ? PyDict_Copy(kwargs) : PyDict_New();
	name = PyUnicode_FromFormat("Task-%lu", ++run->tasks);
	if (named && name && PyDict_SetItem(named, name_key, name) == 0)
		error = start_task(task, args, named);
	sg_python_clear(&name);
	sg_python_clear(&named);
	return error;
}

/* --- in place ----------------------------------------------------------------------------------- */

static bool is_plain(PyTypeObject *future, PyTypeObject *task)
{
	void **slots[] = {
		(void **)sg_cpython_new_slot(future), (void **)sg_cpython_new_slot(task), sg_cpython_hash_slot(future),
		sg_cpython_hash_slot(task), sg_cpython_dealloc_slot(future), sg_cpython_dealloc_slot(task),
		(void **)sg_cpython_init_slot(task)
	};

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (!slots[i] || !*slots[i] || !sg_cpython_writable(slots[i], sizeof(*slots[i])))
			return false;
	return *slots[0] == *slots[1] && *slots[2] == *slots[3] && *slots[4] != *slots[5] && PyType_IsSubtype(task, future) &&
		*slots[2] == PyType_GetSlot(&PyBaseObject_Type, Py_tp_hash);
}

/* Classes that are made from now on have the function of the wrapper that they find, those that were made its slot. */
static int put_wrapper(PyTypeObject *class, bool ours)
{
	PyObject *dict = sg_cpython_type_dict(class), *name = PyUnicode_InternFromString("__hash__"), *plain = NULL, *own = NULL;
	int error = -1;

	if (ours)
		plain = PyObject_GetAttrString((PyObject *)&PyBaseObject_Type, "__hash__");
	if (plain)
		own = sg_cpython_new_wrapper(class, plain, (void *)hash);
	if (dict && name && own)
		error = PyDict_SetItem(dict, name, own);
	else if (dict && name && !ours)
		error = PyDict_DelItem(dict, name);
	sg_python_clear(&own);
	sg_python_clear(&plain);
	sg_python_clear(&name);
	return error;
}

static int put(PyTypeObject *future, PyTypeObject *task, bool ours)
{
	int error = put_wrapper(future, ours);

	*sg_cpython_dealloc_slot(future) = (void *)(ours ? dealloc_future : end_future);
	*sg_cpython_dealloc_slot(task) = (void *)(ours ? dealloc_task : end_task);
	*sg_cpython_init_slot(task) = ours ? init_task : start_task;
	if (ours)
		return error || sg_subclasses_replace(future, sg_cpython_hash_slot, (void *)hash_address, (void *)hash) < 0 ? -1 :
			sg_subclasses_replace_new(future, make, new_future);
	sg_subclasses_replace(future, sg_cpython_hash_slot, (void *)hash, (void *)hash_address);
	return sg_subclasses_replace_new(future, new_future, make);
}

static void keep_originals(PyTypeObject *future, PyTypeObject *task)
{
	make = *sg_cpython_new_slot(future);
	hash_address = (hash_function)*sg_cpython_hash_slot(future);
	end_future = (destructor)*sg_cpython_dealloc_slot(future);
	end_task = (destructor)*sg_cpython_dealloc_slot(task);
	start_task = *sg_cpython_init_slot(task);
}

/* Numbered in a run, of all classes, and not known any more when they are gone; in the host as ever. */
static bool probe(void)
{
	struct sg_run run = {.family = sg_subclasses_number()};
	PyObject *namespace = sg_cpython_run(
		"import _asyncio\n"
		"class Loop:\n"
		"    def get_debug(self): return False\n"
		"    def call_soon(self, *args, **kwargs): pass\n"
		"class Late(_asyncio.Future): pass\n"
		"loop, kept = Loop(), []\n"
		"async def nothing(): pass\n"
		"def task():\n"
		"    coro = nothing()\n"
		"    made = _asyncio.Task(coro, loop=loop)\n"
		"    made._log_destroy_pending = False\n"
		"    coro.close()\n"
		"    return made\n"
		"def make():\n"
		"    kept.extend((_asyncio.Future(loop=loop), Late(loop=loop), task()))\n"
		"    good = [hash(k) for k in kept] == [k.__hash__() for k in kept] == [1, 2, 3] and set(kept) == set(kept[::-1])\n"
		"    return good and kept[2].get_name() == 'Task-1'\n"
		"def drop(): kept.clear(); return 1\n"
		"def host():\n"
		"    kept.extend((_asyncio.Future(loop=loop), Late(loop=loop), task()))\n"
		"    good = [hash(k) for k in kept] == [object.__hash__(k) for k in kept]\n"
		"    kept.clear()\n"
		"    return good\n", NULL, NULL);
	long made = -1, dropped = -1, host = -1;
	size_t known = 0;

	if (namespace) {
		made = sg_context_try(&run, sg_cpython_item(namespace, "make"));
		known = notes.count;
		dropped = sg_cpython_call(sg_cpython_item(namespace, "drop"));
		host = sg_cpython_call(sg_cpython_item(namespace, "host"));
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
	return made == 1 && known == 3 && dropped == 1 && host == 1 && notes.count == 0;
}

void sg_tasks_install(void)
{
	PyObject *module = PyImport_ImportModule("_asyncio");
	PyObject *future = module ? PyObject_GetAttrString(module, "Future") : NULL;
	PyObject *task = module ? PyObject_GetAttrString(module, "Task") : NULL;

	name_key = PyUnicode_InternFromString("name");
	if (future && task && name_key && is_plain((PyTypeObject *)future, (PyTypeObject *)task)) {
		keep_originals((PyTypeObject *)future, (PyTypeObject *)task);
		sg_tasks_known = put((PyTypeObject *)future, (PyTypeObject *)task, true) == 0 && probe();
		if (!sg_tasks_known)
			put((PyTypeObject *)future, (PyTypeObject *)task, false);
	}
	PyErr_Clear();
	if (!sg_tasks_known)
		sg_arm_lacking("asyncio.Future.__hash__",
				"on this interpreter tasks and futures cannot be numbered: sets of them have another order on each worker");
	sg_python_clear(&task);
	sg_python_clear(&future);
	sg_python_clear(&module);
}
