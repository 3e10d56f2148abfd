/*
 * conditions.c - generators, of the random module and of libraries. The rules are in rules.conf.
 *
 * A generator is judged by how it was seeded, wherever it lives: it is deterministic for a run when that very run seeded it,
 * or set its state. A generator of the host, random's hidden global one above all, is shared by every run and by the
 * worker, so even one that was seeded with a constant gives an answer that depends on who drew before.
 */
#include "shim/guard/family.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/answer.h"

#include <stdio.h>
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

/* Answered: the run draws from a generator of its own instead. */
static int draw_from_own(struct sg_call *call, const struct sg_answer *answer)
{
	call->self = sg_answer_generator(answer->stream, call->self, NULL);
	return call->self ? 0 : -1;
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
		call->answer = draw_from_own;
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
	call->answer = draw_from_own;
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
	PyTypeObject *type = sg_cpython_is_class(self) ?
		(PyTypeObject *)self : sg_cpython_type(self);

	(void)argument;
	/* Its __init__ called by its full name is as good as a call of seed(). */
	if (call->self && self != (PyObject *)type)
		mark(call->run, self, seed && seed != Py_None);
	return (!seed || seed == Py_None) && sg_cpython_is_c_class(type);
}

/* The seed, argument number N or by name, is left out or None. */
static bool no_seed(struct sg_call *call, int argument)
{
	PyObject *seed = sg_call_argument(call, argument, "seed");

	if (!seed)
		seed = sg_call_argument(call, argument, "random_state"); /* pandas, scikit-learn */
	if (!seed)
		seed = sg_call_argument(call, argument, "entropy"); /* numpy */
	if (!seed)
		seed = sg_call_argument(call, argument, "initializer"); /* pyarrow, where "system" is none */
	return !seed || seed == Py_None || strcmp(sg_python_text(seed), "system") == 0;
}

static PyObject *by_keyword(const struct sg_call *call)
{
	PyObject *keywords = call->kwargs ? PyDict_Copy(call->kwargs) : PyDict_New();
	Py_ssize_t count = call->kwnames ? PyTuple_Size(call->kwnames) : 0;

	for (Py_ssize_t i = 0; i < count && keywords; i++)
		if (PyDict_SetItem(keywords, PyTuple_GetItem(call->kwnames, i), call->args[call->nargs + i]) < 0)
			sg_python_clear(&keywords);
	return keywords;
}

static PyObject *positional(const struct sg_call *call)
{
	PyObject *arguments = call->args ? PyTuple_New(call->nargs) : call->tuple ? sg_python_ref(call->tuple) : PyTuple_New(0);

	for (Py_ssize_t i = 0; call->args && arguments && i < call->nargs; i++)
		PyTuple_SetItem(arguments, i, sg_python_ref(call->args[i]));
	return arguments;
}

/* What another function, or another argument by keyword, makes of the call. */
static PyObject *called_with(const struct sg_call *call, const char *its_name, const char *keyword)
{
	const char *rest = strchr(its_name, '.');
	char module[64];
	PyObject *function, *arguments = positional(call), *keywords = by_keyword(call), *yes = PyBool_FromLong(1), *value = NULL;

	snprintf(module, sizeof(module), "%.*s", (int)strcspn(its_name, "."), its_name);
	function = rest ? sg_python_imported(module, rest + 1) : NULL;
	if (function && arguments && keywords && yes && (!keyword || PyDict_SetItemString(keywords, keyword, yes) == 0))
		value = PyObject_Call(function, arguments, keywords);
	sg_python_clear(&yes);
	sg_python_clear(&keywords);
	sg_python_clear(&arguments);
	sg_python_clear(&function);
	return value;
}

/* One order among those that it may come in. */
static int keep_order(struct sg_call *call, const struct sg_answer *answer)
{
	(void)answer;
	call->value = called_with(call, call->rule->name, "maintain_order");
	return call->value ? 0 : -1;
}

/* polars: groups and distinct rows come in the order of a hash table with random keys. */
static bool unordered(struct sg_call *call, int argument)
{
	PyObject *order = sg_call_argument(call, argument, "maintain_order");
	int kept;

	if (!order)
		order = sg_call_argument(call, argument, "sort");
	kept = order ? PyObject_IsTrue(order) : 0;

	PyErr_Clear();
	call->answer = keep_order;
	return kept != 1;
}

/* numpy.empty() and its like take what numpy.zeros() takes. */
static int write_zeros(struct sg_call *call, const struct sg_answer *answer)
{
	PyObject *objects;

	(void)answer;
	call->value = called_with(call, strstr(call->rule->name, "like") ? "numpy.zeros_like" : "numpy.zeros", NULL);
	objects = call->value ? sg_python_attribute_or_null(call->value, "dtype.hasobject") : NULL;
	if (objects && PyObject_IsTrue(objects) == 1)
		sg_python_clear(&call->value);
	PyErr_Clear(); /* what cannot be made fails in its own words */
	sg_python_clear(&objects);
	return 0;
}

static bool unwritten(struct sg_call *call, int argument)
{
	(void)argument;
	call->answer = write_zeros;
	return true;
}

/* Options are objects that are judged where they are made. */
static bool at_random(struct sg_call *call, int argument)
{
	PyObject *method = sg_call_argument(call, argument, "method"), *seed = sg_call_argument(call, 2, "seed");

	if (!method)
		method = sg_call_argument(call, argument, "function_name");
	if (!seed)
		seed = sg_call_argument(call, 2, "options");
	return method && sg_cpython_is_text(method) && strcmp(sg_python_text(method), "random") == 0 &&
		(!seed || seed == Py_None);
}

/* Of the paddings of RSA one draws nothing. */
static bool padded_at_random(struct sg_call *call, int argument)
{
	PyObject *padding = sg_call_argument(call, argument, "padding");

	return !padding || strcmp(sg_cpython_type_name(sg_cpython_type(padding)), "PKCS1v15") != 0;
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

/* Answered: what it is seeded with is the run's own. */
static int numpy_keep(struct sg_call *call, const struct sg_answer *answer)
{
	(void)answer;
	numpy_mark(call->run, call->self);
	return 0;
}

/* A RandomState makes a bit generator with any seed and gives it another one, so what is inside is not looked at. */
static bool numpy_unseeded(struct sg_call *call, int argument)
{
	PyObject *seed = sg_call_argument(call, argument, "seed"), *lock = NULL;

	call->answer = numpy_keep;
	if (!seed || seed == Py_None)
		return true;
	lock = numpy_lock(seed); /* a bit generator, made by whom it may */
	if (!lock)
		numpy_mark(call->run, call->self);
	sg_python_clear(&lock);
	return false;
}

/* Answered: the run draws from one of its own instead. A Generator may draw in ways that one with a seed does not. */
static int numpy_draw_from_own(struct sg_call *call, const struct sg_answer *answer)
{
	PyObject *bits = sg_python_attribute_or_null(call->self, "_bit_generator");

	if (!bits)
		return -1;
	Py_DecRef(bits);
	call->self = sg_answer_generator(answer->stream, call->self, (PyObject *)sg_cpython_type(call->self));
	return call->self ? 0 : -1;
}

/* Whoever made it, the generator draws for others too: numpy.random's own, and those of the host. */
static bool numpy_shared(struct sg_call *call, int argument)
{
	PyObject *lock = call->self ? numpy_lock(call->self) : NULL;
	bool shared;

	(void)argument;
	call->answer = numpy_draw_from_own;
	numpy_settle(call->run->generators);
	numpy_settle(call->run->image_generators);
	shared = lock && !seeded_by_run(call->run->generators, lock) && !seeded_by_run(call->run->image_generators, lock);
	PyErr_Clear();
	sg_python_clear(&lock);
	call->watched = !shared;
	return shared;
}

/* --- identifiers that a library makes with a generator of its own, which nobody can seed ------------------------- */

/* As its module has it: the class UUID, of a number. Where the function's name ends in _int, the number itself. */
static PyObject *identifier(const char *rule_name, PyObject *number)
{
	char package[128];
	PyObject *name, *module, *class, *nothing = PyTuple_New(0), *words = PyDict_New(), *made = NULL;

	if (strlen(rule_name) > 4 && strcmp(rule_name + strlen(rule_name) - 4, "_int") == 0) {
		made = sg_python_ref(number);
		goto out;
	}
	snprintf(package, sizeof(package), "%.*s", strstr(rule_name, ".compat.") ? 4 : (int)strcspn(rule_name, "."), rule_name);
	name = PyUnicode_FromString(package);
	module = name ? PyDict_GetItemWithError(PyImport_GetModuleDict(), name) : NULL;
	class = module ? sg_python_attribute_or_null(module, "UUID") : NULL;
	if (class && nothing && words && PyDict_SetItemString(words, "int", number) == 0)
		made = PyObject_Call(class, nothing, words);
	sg_python_clear(&class);
	sg_python_clear(&name);
out:
	sg_python_clear(&words);
	sg_python_clear(&nothing);
	return made;
}

/* Milliseconds since 1970: the time that is given, or that of the activation; -1: it is none. */
static int64_t milliseconds(const struct sg_call *call, int64_t now)
{
	PyObject *seconds = sg_call_argument(call, 0, "timestamp"), *nanoseconds = sg_call_argument(call, 1, "nanos");
	long whole, rest = 0;

	if (!seconds || seconds == Py_None)
		return now / 1000000;
	whole = PyLong_AsLong(seconds);
	if (nanoseconds && nanoseconds != Py_None)
		rest = PyLong_AsLong(nanoseconds);
	return PyErr_Occurred() ? -1 : (int64_t)whole * 1000 + rest / 1000000;
}

static int make_identifier(struct sg_call *call, const struct sg_answer *answer)
{
	char version = strstr(strrchr(call->rule->name, '.'), "uuid")[4], digits[40], *at = digits;
	int64_t time = version == '7' ? milliseconds(call, answer->now) : 0;
	unsigned char bytes[16];
	PyObject *number;

	if (time < 0)
		return -1;
	sg_answer_draw(answer->stream, bytes, sizeof(bytes));
	for (int i = 0; version == '7' && i < 6; i++)
		bytes[i] = (unsigned char)(time >> (40 - 8 * i));
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | (version - '0') << 4);
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < sizeof(bytes); i++)
		at += sprintf(at, "%02x", bytes[i]);
	number = PyLong_FromString(digits, NULL, 16);
	call->value = number ? identifier(call->rule->name, number) : NULL;
	sg_python_clear(&number);
	return call->value ? 0 : -1;
}

static bool uuid(struct sg_call *call, int argument)
{
	(void)argument;
	call->answer = make_identifier;
	return true;
}

static const struct sg_condition_entry conditions[] = {
	{"bare-unseeded", bare_unseeded}, {"no-seed", no_seed}, {"numpy-made", numpy_made},
	{"numpy-shared", numpy_shared}, {"numpy-unseeded", numpy_unseeded},
	{"at-random", at_random},
	{"padding", padded_at_random}, {"shared-generator", shared_generator}, {"unordered", unordered}, {"unseeded", unseeded},
	{"unwritten", unwritten},
	{"uuid", uuid}, {NULL, NULL}
};

SG_FAMILY(random_family) = {.name = "random", .conditions = conditions};
