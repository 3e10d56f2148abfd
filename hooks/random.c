/*
 * random.c - generators, of the random module and of libraries. The rules are in config/default.conf.
 *
 * A generator is judged by how it was seeded, wherever it lives: it is deterministic for a run when that very run seeded it,
 * or set its state. A generator of the host, random's hidden global one above all, is shared by every run and by the
 * worker, so even one that was seeded with a constant gives an answer that depends on who drew before.
 */
#include "shim/guard/family.h"
#include "shim/interpreter/cpython.h"

#include <string.h>

static PyObject *hidden_generator; /* random._inst */

static PyObject *find_hidden_generator(void)
{
	PyObject *name = PyUnicode_FromString("random"), *module;

	/* Not imported on our account: before somebody does, there is no hidden generator. */
	module = name ? PyDict_GetItemWithError(PyImport_GetModuleDict(), name) : NULL;
	if (!hidden_generator && module)
		hidden_generator = sg_python_attribute_or_null(module, "_inst");
	PyErr_Clear();
	sg_python_clear(&name);
	return hidden_generator;
}

/* The run's entry for a generator is a weak reference, as an address alone may be used again. */
static bool seeded_by_run(PyObject *generators, PyObject *generator)
{
	PyObject *key = generators ? PyLong_FromVoidPtr(generator) : NULL, *reference, *alive = NULL;

	reference = key ? PyDict_GetItemWithError(generators, key) : NULL;
	if (reference)
		alive = PyObject_CallObject(reference, NULL);
	PyErr_Clear();
	sg_python_clear(&key);
	if (alive)
		Py_DecRef(alive); /* the caller holds it */
	return alive == generator;
}

/* 0: the generator's class does not allow weak references (_random.Random itself), so nothing can be known of it. */
static bool mark(struct sg_run *run, PyObject *generator, bool seeded)
{
	PyObject *key = PyLong_FromVoidPtr(generator), *reference = PyWeakref_NewRef(generator, NULL);
	bool known = reference;

	if (!run->generators)
		run->generators = PyDict_New();
	if (key && reference && run->generators) {
		if (seeded)
			PyDict_SetItem(run->generators, key, reference);
		else
			PyDict_DelItem(run->generators, key);
	}
	PyErr_Clear();
	sg_python_clear(&reference);
	sg_python_clear(&key);
	return known;
}

static const char *name_of_hidden(const char *rule_name)
{
	static const char *const names[] = {
		"random.random", "random.getrandbits", "random.getstate", "random.setstate", "random.seed"
	};
	const char *method = strrchr(rule_name, '.');

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(strrchr(names[i], '.'), method) == 0)
			return names[i];
	return NULL;
}

/* Seeding itself harms nobody, but for the generator that all share. What was seeded with is what counts. */
static bool unseeded(struct sg_call *call, int argument)
{
	PyObject *seed = sg_call_argument(call, 0, NULL);

	(void)argument;
	if (!call->self)
		return !seed || seed == Py_None;
	if (call->self == find_hidden_generator()) {
		call->name = name_of_hidden(call->rule->name);
		return true;
	}
	mark(call->run, call->self, seed && seed != Py_None);
	return false;
}

static bool shared_generator(struct sg_call *call, int argument)
{
	(void)argument;
	if (!call->self) /* a rule of the user's that names a function */
		return true;
	if (call->self == find_hidden_generator()) {
		call->name = name_of_hidden(call->rule->name);
		return true;
	}
	/* A state that is set is as good as a seed: so copies and unpickled generators are fine. */
	if (strcmp(call->rule->name, "_random.Random.setstate") == 0) {
		mark(call->run, call->self, true);
		return false;
	}
	if (seeded_by_run(call->run->generators, call->self) ||
	    seeded_by_run(call->run->image_generators, call->self))
		return false;
	call->exact = true;
	return mark(call->run, call->self, false);
}

/* Making a plain _random.Random seeds it there and then, without a call of seed(). */
static bool bare_unseeded(struct sg_call *call, int argument)
{
	PyObject *seed = sg_call_argument(call, 0, NULL), *self = call->self ? call->self : Py_None;
	PyTypeObject *type = PyType_IsSubtype(sg_cpython_type(self), &PyType_Type) ?
		(PyTypeObject *)self : sg_cpython_type(self);

	(void)argument;
	return (!seed || seed == Py_None) && sg_cpython_is_c_class(type);
}

/* The seed, argument number N or by name, is left out or None. */
static bool no_seed(struct sg_call *call, int argument)
{
	PyObject *seed = sg_call_argument(call, argument, "seed");

	if (!seed)
		seed = sg_call_argument(call, argument, "random_state"); /* pandas, scikit-learn */
	return !seed || seed == Py_None;
}

/* polars: groups and distinct rows come in the order of a hash table with random keys. */
static bool unordered(struct sg_call *call, int argument)
{
	PyObject *order = sg_call_argument(call, argument, "maintain_order");
	int kept = order ? PyObject_IsTrue(order) : 0;

	PyErr_Clear();
	return kept != 1;
}

/* --- numpy: a generator is known by the lock of the bit generator that it draws from, which weak references can watch --- */

/* Of a Generator, a RandomState, or a bit generator; NULL: it is none of them, or is still being made. */
static PyObject *numpy_lock(PyObject *self)
{
	PyObject *bits = sg_python_attribute_or_null(self, "bit_generator"), *lock;

	if (!bits)
		bits = sg_python_attribute_or_null(self, "_bit_generator");
	lock = sg_python_attribute_or_null(bits ? bits : self, "lock");
	PyErr_Clear();
	sg_python_clear(&bits);
	return lock;
}

/* What is being made has no lock yet: it waits under None until the next look. */
static void numpy_settle(PyObject *generators)
{
	PyObject *waiting = generators ? PyDict_GetItemWithError(generators, Py_None) : NULL;
	PyObject *lock = waiting ? numpy_lock(waiting) : NULL;
	PyObject *key = lock ? PyLong_FromVoidPtr(lock) : NULL, *reference = lock ? PyWeakref_NewRef(lock, NULL) : NULL;

	if (key && reference)
		PyDict_SetItem(generators, key, reference);
	if (waiting)
		PyDict_DelItem(generators, Py_None);
	PyErr_Clear();
	sg_python_clear(&reference);
	sg_python_clear(&key);
	sg_python_clear(&lock);
}

static void numpy_mark(struct sg_run *run, PyObject *self)
{
	numpy_settle(run->generators);
	if (!run->generators)
		run->generators = PyDict_New();
	if (run->generators && self)
		PyDict_SetItem(run->generators, Py_None, self);
	PyErr_Clear();
}

/* Making a bit generator asks the system when it is given no seed, and os.urandom has a rule. */
static bool numpy_made(struct sg_call *call, int argument)
{
	(void)argument;
	numpy_mark(call->run, call->self);
	call->watched = true;
	return false;
}

/* A RandomState makes a bit generator with any seed and gives it another one, so what is inside is not looked at. */
static bool numpy_unseeded(struct sg_call *call, int argument)
{
	PyObject *seed = sg_call_argument(call, argument, "seed"), *lock = NULL;

	if (!seed || seed == Py_None)
		return true;
	lock = numpy_lock(seed); /* a bit generator, made by whom it may */
	if (!lock)
		numpy_mark(call->run, call->self);
	sg_python_clear(&lock);
	return false;
}

/* Whoever made it, the generator draws for others too: numpy.random's own, and those of the host. */
static bool numpy_shared(struct sg_call *call, int argument)
{
	PyObject *lock = call->self ? numpy_lock(call->self) : NULL;
	bool shared;

	(void)argument;
	numpy_settle(call->run->generators);
	numpy_settle(call->run->image_generators);
	shared = lock && !seeded_by_run(call->run->generators, lock) && !seeded_by_run(call->run->image_generators, lock);
	PyErr_Clear();
	sg_python_clear(&lock);
	call->watched = !shared;
	return shared;
}

static const struct sg_condition_entry conditions[] = {
	{"bare-unseeded", bare_unseeded}, {"no-seed", no_seed}, {"numpy-made", numpy_made},
	{"numpy-shared", numpy_shared}, {"numpy-unseeded", numpy_unseeded},
	{"shared-generator", shared_generator}, {"unordered", unordered}, {"unseeded", unseeded}, {NULL, NULL}
};

SG_FAMILY(random_family) = {.name = "random", .conditions = conditions};
