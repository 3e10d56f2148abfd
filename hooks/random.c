/*
 * random.c - generators of the random module. The rules are in config/default.conf.
 *
 * A generator is judged by how it was seeded, wherever it lives: it is deterministic for a run when that very run seeded it,
 * or set its state. A generator of the host, random's hidden global one above all, is shared by every run and by the
 * worker, so even one that was seeded with a constant gives an answer that depends on who drew before.
 */
#include "shim/cpython.h"
#include "shim/family.h"

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

/* numpy.random.random() and its like are methods of one RandomState that the whole process shares. */
static bool numpy_global(struct sg_call *call, int argument)
{
	static PyObject *shared;
	PyObject *name = PyUnicode_FromString("numpy.random.mtrand"), *module;

	(void)argument;
	module = name && !shared ? PyDict_GetItemWithError(PyImport_GetModuleDict(), name) : NULL;
	if (module)
		shared = sg_python_attribute_or_null(module, "_rand");
	PyErr_Clear();
	sg_python_clear(&name);
	return shared && call->self == shared;
}

static const struct sg_condition_entry conditions[] = {
	{"bare-unseeded", bare_unseeded}, {"no-seed", no_seed}, {"numpy-global", numpy_global},
	{"shared-generator", shared_generator}, {"unseeded", unseeded}, {NULL, NULL}
};

SG_FAMILY(random_family) = {.name = "random", .conditions = conditions};
