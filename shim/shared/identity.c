#include "shim/shared/identity.h"

#include "shim/base/table.h"
#include "shim/guard/arm.h"
#include "shim/import/code.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/run/policy.h"
#include "shim/shared/references.h"
#include "shim/shared/subclasses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Py_ssize_t (*hash_function)(PyObject *);
typedef PyObject *(*repr_function)(PyObject *);

/* --- numbers ------------------------------------------------------------------------------------ */

struct note {
	struct sg_record record; /* about an object that has a number */
	PyObject *reference;     /* weak; NULL: it has none */
	Py_ssize_t number;
};

struct sg_numbers {
	struct sg_table table;
	size_t enough;      /* notes: those of objects that are gone are removed then */
	unsigned long last; /* number */
};

#define ENOUGH_MIN 1024

static bool is_alive(const struct note *note)
{
	return !note->reference || sg_cpython_referent(note->reference) == note->record.about;
}

static void drop(struct sg_table *table, const void *about)
{
	struct note *note = (struct note *)sg_table_take(table, about);

	if (note)
		sg_python_clear(&note->reference);
	free(note);
}

static void drop_all(struct sg_table *table, bool dead_only)
{
	for (size_t i = 0; i < table->size; i++)
		for (struct sg_record *record = table->buckets[i], *next; record; record = next) {
			next = record->next;
			if (!dead_only || !is_alive((struct note *)record))
				drop(table, record->about);
		}
}

static const struct note *find(struct sg_numbers *numbers, PyObject *object)
{
	const struct note *note = (struct note *)sg_table_find(&numbers->table, object);

	return note && is_alive(note) ? note : NULL;
}

/* False: no memory, or it would be good for another object, too, where that is not wanted. A pending exception is kept. */
static bool add(struct sg_numbers *numbers, PyObject *object, Py_ssize_t number, bool alone)
{
	struct note *note = malloc(sizeof(*note));
	PyObject *type, *value, *traceback;
	bool added = false;

	PyErr_Fetch(&type, &value, &traceback);
	drop(&numbers->table, object); /* of one that lay there before */
	if (numbers->table.count >= numbers->enough) {
		drop_all(&numbers->table, true);
		numbers->enough = 2 * numbers->table.count + ENOUGH_MIN;
	}
	if (note) {
		note->number = number;
		note->reference = sg_references_hidden(object);
		added = (note->reference || !alone) && sg_table_add(&numbers->table, &note->record, object);
	}
	if (note && !added) {
		sg_python_clear(&note->reference);
		free(note);
	}
	PyErr_Clear();
	PyErr_Restore(type, value, traceback);
	return added;
}

/* --- in texts ----------------------------------------------------------------------------------- */

/* A logger is silent while a run is replayed: what it shows must not count. */
static bool for_sink(const struct sg_run *run)
{
	const struct sg_context *context = sg_context_current;
	struct sg_frames at = {0};
	enum sg_code kind;
	bool sink = false;

	while (run->policy && !sink && sg_frames_next(&at) && (!context || at.frame != context->entry)) {
		kind = at.globals ? sg_code_of(run, at.globals) : SG_CODE_STDLIB;
		sink = kind == SG_CODE_SINK || kind == SG_CODE_SINK_HOST;
	}
	sg_frames_end(&at);
	PyErr_Clear();
	return sink;
}

/* In texts that only sinks asked for. */
#define OF_SINKS 0x100000000UL

/* As addresses do, numbers lie apart: code may leave out the lowest bits. */
#define APART 16

static unsigned long number_in(struct sg_numbers **numbers, PyObject *object, unsigned long above)
{
	unsigned long number;

	if (!*numbers && !(*numbers = calloc(1, sizeof(**numbers))))
		return 0;
	number = above + (*numbers)->last + APART;
	if (!add(*numbers, object, (Py_ssize_t)number, false))
		return 0;
	(*numbers)->last += APART;
	return number;
}

unsigned long sg_identity_number(struct sg_run *run, PyObject *object)
{
	const struct note *note = run->numbers ? find(run->numbers, object) : NULL;

	if (note)
		return (unsigned long)note->number;
	if (sg_policy_aside(run))
		return 0;
	if (!for_sink(run))
		return number_in(&run->numbers, object, 0);
	note = run->sink_numbers ? find(run->sink_numbers, object) : NULL;
	return note ? (unsigned long)note->number : number_in(&run->sink_numbers, object, OF_SINKS);
}

static void release(struct sg_numbers **numbers)
{
	if (!*numbers)
		return;
	drop_all(&(*numbers)->table, false);
	free((*numbers)->table.buckets);
	free(*numbers);
	*numbers = NULL;
}

void sg_identity_release(struct sg_run *run)
{
	release(&run->numbers);
	release(&run->sink_numbers);
}

/* The text, which is let go of, with the object's number in place of its address. */
static PyObject *with_number(struct sg_run *run, PyObject *text, PyObject *object)
{
	char address[32], text_of_number[32], *changed;
	unsigned long number;
	Py_ssize_t size = 0;
	const char *whole = PyUnicode_AsUTF8AndSize(text, &size), *at;
	PyObject *answer;
	size_t before, after, length;

	snprintf(address, sizeof(address), "%p", (void *)object);
	at = whole ? strstr(whole, address) : NULL;
	number = at ? sg_identity_number(run, object) : 0;
	if (!number) {
		PyErr_Clear(); /* of half a character */
		return text;
	}
	length = (size_t)snprintf(text_of_number, sizeof(text_of_number), "0x%lx", number);
	before = (size_t)(at - whole);
	after = (size_t)size - before - strlen(address);
	changed = malloc(before + length + after);
	if (!changed)
		return text;
	memcpy(changed, whole, before);
	memcpy(changed + before, text_of_number, length);
	memcpy(changed + before + length, at + strlen(address), after);
	answer = PyUnicode_FromStringAndSize(changed, (Py_ssize_t)(before + length + after));
	free(changed);
	Py_DecRef(text);
	return answer;
}

static repr_function repr_plain;

static PyObject *repr(PyObject *object)
{
	PyObject *text = repr_plain(object);
	struct sg_run *run = sg_context_isolated();

	return text && run ? with_number(run, text, object) : text;
}

#define SHOWN_MAX 32
#define WEAK 3 /* the first ones */
#define CELL 3 /* the next */

/* Classes of the interpreter's whose own text shows the address. */
static struct shown {
	PyTypeObject *class;
	repr_function plain;
	const char *part; /* an attribute: of which the text shows where it lies, too; NULL: what a weak reference refers to */
} shown[SHOWN_MAX];
static size_t shown_count;

static PyObject *repr_of_own(PyObject *object)
{
	struct sg_run *run = sg_context_isolated();
	PyObject *text, *other;
	size_t i = 0;

	while (!PyType_IsSubtype(sg_cpython_type(object), shown[i].class))
		i++;
	text = shown[i].plain(object);
	if (!text || !run)
		return text;
	text = with_number(run, text, object);
	other = shown[i].part ? sg_python_attribute_or_null(object, shown[i].part) : sg_python_ref(sg_cpython_referent(object));
	if (text && other)
		text = with_number(run, text, other);
	sg_python_clear(&other);
	return text;
}

/* --- in sets ------------------------------------------------------------------------------------ */

static struct sg_numbers hashes;
static hash_function hash_address;

static Py_ssize_t hash(PyObject *object)
{
	const struct note *note = find(&hashes, object);
	struct sg_run *run = sg_context_run;
	Py_ssize_t number;

	if (note)
		return note->number;
	number = run && run->family ? sg_subclasses_next_hash(run) : hash_address(object); /* the host has asked first */
	return add(&hashes, object, number, true) ? number : hash_address(object);
}

/* Workflow code's classes, functions and methods are kept in sets, too. Those of others are the host's, which knows them by their addresses. */
static Py_ssize_t hash_of_class(PyObject *class)
{
	Py_ssize_t number = sg_subclasses_hash(class);

	return number ? number : hash_address(class);
}

/* Of a module in the table that is none of the host's. */
static bool is_own(PyObject *table, PyObject *function)
{
	PyObject *globals = PyFunction_GetGlobals(function), *name = sg_python_module_name(globals);

	return name && sg_cpython_is_text(name) &&
		(!table || sg_modules_holds(table, name, globals)) && !sg_modules_has_globals(sg_modules_host(name), globals);
}

/* May a run number it? So that it is found again, the host must note what it has told of such a one. */
static bool is_of_workflow(PyObject *function)
{
	const struct sg_run *run = sg_context_run;
	PyObject *type, *value, *traceback;
	bool is;

	if (run && run->family && !run->policy)
		return true; /* the probe's */
	run = run && run->family ? run : NULL;
	if (run ? !run->modules : !sg_subclasses_numbered)
		return false;
	PyErr_Fetch(&type, &value, &traceback);
	is = is_own(run ? run->modules : NULL, function);
	PyErr_Clear();
	PyErr_Restore(type, value, traceback);
	return is;
}

static Py_ssize_t hash_of_function(PyObject *function)
{
	const struct note *note = find(&hashes, function);

	return note ? note->number : is_of_workflow(function) ? hash(function) : hash_address(function);
}

/* A coroutine or generator: those that only the host asks for are not noted, as it does so for each that it gathers. */
static Py_ssize_t hash_of_suspended(PyObject *object)
{
	const struct note *note = find(&hashes, object);

	return note ? note->number : sg_context_run && sg_context_run->family ? hash(object) : hash_address(object);
}

static hash_function hash_bound;

static Py_ssize_t hash_of_method(PyObject *method)
{
	PyObject *self = PyMethod_Self(method);
	PyTypeObject *class = sg_cpython_type(self);
	Py_ssize_t bound = hash_bound(method), number = hash_address(self);

	if (!sg_subclasses_numbered && !sg_context_run)
		return bound;
	if (PyType_IsSubtype(class, &PyType_Type))
		number = hash_of_class(self);
	else if (sg_subclasses_is_noted((PyObject *)class))
		number = hash(self);
	bound ^= hash_address(self) ^ number;
	return bound == -1 ? -2 : bound;
}

/* What object.__hash__() does, also where a class of workflow code has it from there, or calls it. */
static Py_ssize_t hash_of_any(PyObject *object)
{
	PyTypeObject *class = sg_cpython_type(object);

	if (PyType_IsSubtype(class, &PyType_Type))
		return hash_of_class(object);
	if (class == &PyFunction_Type)
		return hash_of_function(object);
	if (*sg_cpython_hash_slot(class) == (void *)hash_of_suspended)
		return hash_of_suspended(object);
	return *sg_cpython_hash_slot(class) == (void *)hash || sg_subclasses_is_noted((PyObject *)class) ? hash(object) : hash_address(object);
}

/* The interpreter puts the second there when it looks for a class's function anew. */
static bool has_number(PyTypeObject *class)
{
	void *slot = *sg_cpython_hash_slot(class);

	return slot == (void *)hash || (slot == (void *)hash_of_any && sg_subclasses_is_noted((PyObject *)class));
}

static void number_instances(PyTypeObject *class)
{
	void **slot = sg_cpython_hash_slot(class);
	PyObject *offset = *slot == (void *)hash_address ? sg_python_attribute_or_null((PyObject *)class, "__weakrefoffset__") : NULL;

	if (offset && PyLong_AsLong(offset) != 0) /* below 0: before the object, from 3.12 */
		*slot = (void *)hash;
	sg_python_clear(&offset);
}

void sg_identity_of_image(PyObject *object, size_t number, PyObject *modules)
{
	PyTypeObject *class = sg_cpython_type(object);

	sg_subclasses_numbered = true;
	if (hash_address && (class == &PyFunction_Type ? is_own(modules, object) : has_number(class)) && !find(&hashes, object))
		add(&hashes, object, SG_HASHES_OF_IMAGES + (Py_ssize_t)number, true);
}

/* --- in place ----------------------------------------------------------------------------------- */

/* The functions that object.__repr__ and object.__hash__ call. */
static void **wrapped_repr, **wrapped_hash;

static void **find_wrapped(const char *name)
{
	PyObject *wrapper = sg_python_attribute_or_null((PyObject *)&PyBaseObject_Type, name);
	void **wrapped = wrapper ? sg_cpython_wrapped_slot(wrapper) : NULL;

	sg_python_clear(&wrapper);
	return wrapped && sg_cpython_writable(wrapped, sizeof(*wrapped)) ? wrapped : NULL;
}

/* In a class, and those that have it from there. */
static void put(PyTypeObject *class, void **(*slot_of)(PyTypeObject *), void *plain, void *numbers, bool ours)
{
	sg_subclasses_replace(class, slot_of, ours ? plain : numbers, ours ? numbers : plain);
}

static void show_numbers(bool ours)
{
	for (size_t i = 0; i < shown_count; i++)
		put(shown[i].class, sg_cpython_repr_slot, (void *)shown[i].plain, (void *)repr_of_own, ours);
	*wrapped_repr = (void *)(ours ? repr : repr_plain);
	put(&PyBaseObject_Type, sg_cpython_repr_slot, (void *)repr_plain, (void *)repr, ours);
}

static void hash_numbers(bool ours)
{
	*wrapped_hash = (void *)(ours ? hash_of_any : hash_address);
	put(&PyType_Type, sg_cpython_hash_slot, (void *)hash_address, (void *)hash_of_class, ours);
	put(&PyFunction_Type, sg_cpython_hash_slot, (void *)hash_address, (void *)hash_of_function, ours);
	put(&PyMethod_Type, sg_cpython_hash_slot, (void *)hash_bound, (void *)hash_of_method, ours);
	put(&PyCoro_Type, sg_cpython_hash_slot, (void *)hash_address, (void *)hash_of_suspended, ours);
	put(&PyGen_Type, sg_cpython_hash_slot, (void *)hash_address, (void *)hash_of_suspended, ours);
	put(&PyAsyncGen_Type, sg_cpython_hash_slot, (void *)hash_address, (void *)hash_of_suspended, ours);
	sg_subclasses_made = ours ? number_instances : NULL;
}

static bool add_shown(PyTypeObject *class, const char *part)
{
	void **slot = sg_cpython_repr_slot(class);

	if (shown_count == SHOWN_MAX || *slot == (void *)repr_plain || !sg_cpython_writable(slot, sizeof(*slot)))
		return false;
	shown[shown_count++] = (struct shown){(PyTypeObject *)sg_python_ref((PyObject *)class), (repr_function)*slot, part};
	return true;
}

static void find_shown(void)
{
	PyObject *namespace = sg_cpython_run(
		"import _contextvars, _thread, _weakref, sys\n"
		"def f(): yield\n"
		"async def a(): yield\n"
		"async def c(): pass\n"
		"c, v = c(), _contextvars.ContextVar('v')\n"
		"some = ((lambda x: lambda: x)(f).__closure__, f, f.__code__, len, f(), a(), c, ''.__str__, memoryview(b' '), sys._getframe(),\n"
		"        _thread.allocate_lock(), _thread.RLock(), v, v.set(1))\n"
		"c.close()\n"
		"class Plain: pass\n"
		"plain = Plain()\n"
		"weak = [type(w) for w in (_weakref.ref(f), _weakref.proxy(f), _weakref.proxy(plain))]\n"
		"classes = weak + [type(s[0] if type(s) is tuple else s) for s in some if s]\n", NULL, NULL);
	PyObject *classes = namespace ? sg_cpython_item(namespace, "classes") : NULL;

	for (Py_ssize_t i = 0; classes && i < PyList_Size(classes); i++)
		add_shown((PyTypeObject *)PyList_GetItem(classes, i), i < WEAK ? NULL : i == CELL ? "cell_contents" : "__self__");
	PyErr_Clear();
	sg_python_clear(&namespace);
}

/* Classes of libraries: their own texts show an address, or their objects, which a run makes for itself, are put into sets. */
static struct {
	const char *module, *name;
	bool in_sets;
	PyTypeObject *class; /* when it has been imported */
} others[] = {
	{"_hashlib", "HASH", false, NULL}, {"_hashlib", "HMAC", false, NULL}, {"xml.etree.ElementTree", "Element", false, NULL},
	{"functools", "partial", true, NULL}, {"asyncio.locks", "Lock", true, NULL}, {"asyncio.locks", "Event", true, NULL},
	{"asyncio.locks", "Condition", true, NULL}, {"asyncio.locks", "Semaphore", true, NULL}, {"asyncio.queues", "Queue", true, NULL},
	{"anyio._backends._asyncio", "CancelScope", true, NULL}
};
#define OTHERS (sizeof(others) / sizeof(others[0]))

static void number_other(size_t i, PyObject *module)
{
	PyObject *class = PyObject_GetAttrString(module, others[i].name);

	PyErr_Clear();
	if (!class || !sg_cpython_is_class(class)) {
		sg_python_clear(&class);
		return;
	}
	others[i].class = (PyTypeObject *)class;
	if (others[i].in_sets)
		number_instances(others[i].class);
	else if (add_shown(others[i].class, "__self__"))
		put(others[i].class, sg_cpython_repr_slot, (void *)shown[shown_count - 1].plain, (void *)repr_of_own, true);
}

void sg_identity_imported(const char *module)
{
	for (size_t i = 0; i < OTHERS && hash_address; i++) {
		PyObject *imported, *name;

		if (others[i].class || strcmp(others[i].module, module) != 0)
			continue;
		name = PyUnicode_FromString(module);
		imported = name ? sg_modules_host(name) : NULL;
		if (imported)
			number_other(i, imported);
		PyErr_Clear();
		sg_python_clear(&name);
	}
}

static void forget_others(void)
{
	for (size_t i = 0; i < OTHERS; i++) {
		if (others[i].class && others[i].in_sets)
			put(others[i].class, sg_cpython_hash_slot, (void *)hash_address, (void *)hash, false);
		sg_python_clear((PyObject **)&others[i].class);
	}
}

/* Numbered in a run, in the order in which they are asked for, of all kinds; in the host as ever. */
static bool probe(void)
{
	struct sg_run run = {.family = sg_subclasses_number()};
	PyObject *namespace = sg_cpython_run(
		"import _weakref\n"
		"class Host: pass\n"
		"kept = []\n"
		"def text():\n"
		"    class Late(Host):\n"
		"        def __repr__(self): return object.__repr__(self) + super().__repr__()\n"
		"    host, late = Host(), Late()\n"
		"    kept.extend((host, late, text, _weakref.ref(host)))\n"
		"    ends = [repr(k).split(' at ', 1)[1] for k in kept]\n"
		"    return repr(late).count('0x20>') == 2 and ends[0] == '0x10>' and ends[2] == '0x30>' and ends[3].startswith(\"0x40; to 'Host' at 0x10\")\n"
		"def order():\n"
		"    class Own: pass\n"
		"    class Taken:\n"
		"        def __eq__(self, other): return self is other\n"
		"        __hash__ = object.__hash__\n"
		"        def bound(self): pass\n"
		"    kept[:] = Own(), Taken(), Own(), Host(), (i for i in ())\n"
		"    return ([hash(Own), type.__hash__(Taken)] == [2, 3] and [hash(k) for k in kept[2::-1]] == [k.__hash__() for k in kept[2::-1]] == [4, 5, 6]\n"
		"            and [hash(order), order.__hash__(), hash(Taken.bound), hash(kept[1].bound)] == [7, 7, 8, 8 ^ 5] and hash(kept[3]) > 9\n"
		"            and [hash(kept[4]), kept[4].__hash__()] == [9, 9])\n"
		"def host():\n"
		"    return (repr(kept[3]).endswith('%x>' % id(kept[3])) and repr(host).endswith('%x>' % id(host)) and hash(kept[0]) == 6 and\n"
		"            hash(kept[4]) == 9 and hash(kept[3]) == object.__hash__(kept[3]))\n"
		"def drop(): kept.clear(); return 1\n", NULL, NULL);
	bool proved = namespace && sg_context_try(&run, sg_cpython_item(namespace, "text")) == 1 &&
		sg_context_try(&run, sg_cpython_item(namespace, "order")) == 1 &&
		sg_cpython_call(sg_cpython_item(namespace, "host")) == 1 && sg_cpython_call(sg_cpython_item(namespace, "drop")) == 1;

	PyErr_Clear();
	sg_identity_release(&run);
	sg_python_clear(&run.classes);
	sg_python_clear(&namespace);
	return proved;
}

void sg_identity_install(void)
{
	void **slot = sg_cpython_repr_slot(&PyBaseObject_Type);
	bool proved = false;

	wrapped_repr = find_wrapped("__repr__");
	wrapped_hash = find_wrapped("__hash__");
	if (sg_subclasses_known && slot && wrapped_repr && wrapped_hash && *slot == *wrapped_repr &&
	    *sg_cpython_hash_slot(&PyBaseObject_Type) == *wrapped_hash && sg_cpython_writable(slot, sizeof(*slot))) {
		repr_plain = (repr_function)*wrapped_repr;
		hash_address = (hash_function)*wrapped_hash;
		hash_bound = (hash_function)*sg_cpython_hash_slot(&PyMethod_Type);
		find_shown();
		show_numbers(true);
		hash_numbers(true);
		proved = probe();
		if (!proved)
			sg_identity_remove();
	}
	for (size_t i = 0; i < OTHERS && proved; i++)
		sg_identity_imported(others[i].module);
	PyErr_Clear();
	if (!proved)
		sg_arm_lacking("object.__hash__",
				"on this interpreter objects cannot be numbered: texts show their addresses, and sets go by them");
}

void sg_identity_remove(void)
{
	if (!hash_address)
		return;
	show_numbers(false);
	hash_numbers(false);
	forget_others();
}
