#include "shim/interpreter/generator.h"

#include "shim/interpreter/cpython.h"
#include "shim/interpreter/layout.h"

#include <stdint.h>
#include <string.h>

#define SAMPLES 5
#define HEAD_MAX 256

bool sg_generator_known;

typedef int (*traverse_function)(PyObject *, sg_visit, void *);
typedef void (*finalise_function)(PyObject *);

static struct {
	Py_ssize_t offset;          /* of the byte that holds the state; 3.10 has none */
	char created, running, finished;
	finalise_function original; /* the same for all three types */
	sg_generator_gate gate;
} facts;

int sg_generator_traverse(PyObject *object, sg_visit visit, void *argument)
{
	PyTypeObject *type = sg_cpython_type(object);
	traverse_function traverse = NULL;

	if (PyType_GetFlags(type) & Py_TPFLAGS_HAVE_GC)
		traverse = (traverse_function)PyType_GetSlot(type, Py_tp_traverse);
	return traverse ? traverse(object, visit, argument) : 0;
}

bool sg_generator_check(PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);

	return type == &PyGen_Type || type == &PyCoro_Type || type == &PyAsyncGen_Type;
}

/* --- its state --------------------------------------------------------------------------------- */

/* The frame is an object, which goes when the generator has finished (3.10). */
static PyObject *old_frame(PyObject *generator)
{
	return sg_field(generator, generator_frame);
}

static long old_attribute(PyObject *object, const char *name)
{
	PyObject *value = sg_python_attribute_or_null(object, name);
	long number = value ? PyLong_AsLong(value) : -1;

	PyErr_Clear();
	sg_python_clear(&value);
	return number;
}

static enum sg_generator_state old_state(PyObject *generator)
{
	PyTypeObject *type = sg_cpython_type(generator);

	if (!old_frame(generator))
		return SG_GENERATOR_FINISHED;
	if (old_attribute(old_frame(generator), "f_lasti") < 0)
		return SG_GENERATOR_CREATED;
	/* ag_running is about asend(), not about the frame: one that runs is never finalised. */
	if (type != &PyAsyncGen_Type &&
	    old_attribute(generator, type == &PyGen_Type ? "gi_running" : "cr_running") > 0)
		return SG_GENERATOR_RUNNING;
	return SG_GENERATOR_SUSPENDED;
}

static inline char state_byte(PyObject *generator)
{
	return *((char *)generator + facts.offset);
}

enum sg_generator_state sg_generator_state(PyObject *generator)
{
	char byte;

	if (!sg_generator_known)
		return SG_GENERATOR_RUNNING;
	if (!facts.offset)
		return old_state(generator);
	byte = state_byte(generator);
	return byte == facts.finished ? SG_GENERATOR_FINISHED :
		byte == facts.created ? SG_GENERATOR_CREATED :
		byte == facts.running ? SG_GENERATOR_RUNNING : SG_GENERATOR_SUSPENDED;
}

static inline bool is_finished(PyObject *generator)
{
	return facts.offset ? state_byte(generator) == facts.finished : !old_frame(generator);
}

/* --- its code ---------------------------------------------------------------------------------- */

/* What stands between an await and the generator behind it. */
static bool is_step(PyTypeObject *type)
{
	const char *name = sg_cpython_type_name(type);

	return (name[0] == 'c' && strcmp(name, "coroutine_wrapper") == 0) ||
	       (name[0] == 'a' && strncmp(name, "async_generator_a", 17) == 0);
}

struct look {
	PyObject *function;
	bool awaits;
};

/* The first function that a generator refers to is its own: the frame's comes before its variables. */
static int look_at(PyObject *object, void *argument)
{
	PyTypeObject *type = sg_cpython_type(object);
	struct look *look = argument;

	if (type == &PyFunction_Type || PyType_IsSubtype(type, &PyFunction_Type)) {
		if (!look->function)
			look->function = object;
	} else if (sg_generator_check(object) || is_step(type)) {
		look->awaits = true;
	}
	return 0;
}

PyObject *sg_generator_globals(PyObject *generator, bool *ret_awaits)
{
	struct look look = {NULL, false};
	PyObject *globals;

	*ret_awaits = true;
	if (!sg_generator_known)
		return NULL;
	if (!facts.offset) {
		globals = old_frame(generator) ? sg_cpython_frame_globals(old_frame(generator)) : NULL;
		if (globals)
			Py_DecRef(globals); /* the frame keeps them */
		return globals;
	}
	sg_generator_traverse(generator, look_at, &look);
	*ret_awaits = look.awaits;
	return look.function ? PyFunction_GetGlobals(look.function) : NULL;
}

static int find_generator(PyObject *object, void *argument)
{
	if (!sg_generator_check(object))
		return 0;
	*(PyObject **)argument = object;
	return 1;
}

PyObject *sg_generator_awaited(PyObject *generator)
{
	PyTypeObject *type = sg_cpython_type(generator);
	PyObject *awaited, *found = NULL;

	awaited = sg_python_attribute_or_null(generator, type == &PyGen_Type ? "gi_yieldfrom" :
			type == &PyCoro_Type ? "cr_await" : "ag_await");
	if (!awaited)
		return NULL;
	if (sg_generator_check(awaited))
		found = awaited;
	else if (is_step(sg_cpython_type(awaited)))
		sg_generator_traverse(awaited, find_generator, &found);
	Py_DecRef(awaited);
	return found;
}

/* --- the gate ---------------------------------------------------------------------------------- */

static void finalise(PyObject *generator)
{
	if (is_finished(generator) || !facts.gate || facts.gate(generator))
		facts.original(generator);
}

void sg_generator_end(PyObject *generator)
{
	facts.original(generator);
}

/* The slot is where the value first is that the interpreter gives for it; the types lie side by side. */
static finalise_function *slot_of(PyTypeObject *type)
{
	finalise_function value = (finalise_function)PyType_GetSlot(type, Py_tp_finalize);
	finalise_function *words = (finalise_function *)type;
	size_t count = (size_t)sg_cpython_basicsize(&PyType_Type) / sizeof(*words);

	for (size_t i = 0; value && i < count; i++)
		if (words[i] == value)
			return sg_cpython_writable(&words[i], sizeof(words[i])) ? &words[i] : NULL;
	return NULL;
}

static bool refuse_all(PyObject *generator)
{
	(void)generator;
	return false;
}

static const char *const GATE_SOURCE =
	"def generator(ended):\n"
	"    try:\n"
	"        yield\n"
	"    finally:\n"
	"        ended.append(1)\n"
	"def dropped():\n"
	"    ended = []\n"
	"    g = generator(ended)\n"
	"    next(g)\n"
	"    del g\n"
	"    return len(ended)\n";

static bool put(PyTypeObject *const types[3], finalise_function function)
{
	finalise_function *slots[3];

	for (int i = 0; i < 3; i++) {
		slots[i] = slot_of(types[i]);
		if (!slots[i] || *slots[i] != *slots[0] ||
		    (char *)slots[i] - (char *)types[i] != (char *)slots[0] - (char *)types[0])
			return false;
	}
	for (int i = 0; i < 3; i++)
		*slots[i] = function;
	return true;
}

int sg_generator_install(sg_generator_gate gate)
{
	PyTypeObject *const types[] = {&PyGen_Type, &PyCoro_Type, &PyAsyncGen_Type};
	PyObject *namespace = sg_cpython_run(GATE_SOURCE, NULL, NULL), *dropped;
	bool proved = false;

	dropped = namespace ? sg_cpython_item(namespace, "dropped") : NULL;
	facts.original = (finalise_function)PyType_GetSlot(&PyGen_Type, Py_tp_finalize);
	if (dropped && put(types, finalise)) {
		proved = sg_cpython_call(dropped) == 1;
		facts.gate = refuse_all;
		proved = proved && sg_cpython_call(dropped) == 0;
		facts.gate = proved ? gate : NULL;
		if (!proved)
			put(types, facts.original);
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
	return proved ? 0 : -1;
}

/* --- the probe of the state -------------------------------------------------------------------- */

static struct {
	char bytes[SAMPLES][HEAD_MAX]; /* created, running, suspended, suspended in another, finished */
	int count;
} samples;

static PyObject *take_sample(PyObject *self, PyObject *generator)
{
	size_t size = (size_t)sg_cpython_basicsize(sg_cpython_type(generator));

	(void)self;
	if (samples.count < SAMPLES && size <= HEAD_MAX)
		memcpy(samples.bytes[samples.count++], generator, size);
	return sg_python_ref(Py_None);
}

static PyMethodDef take_sample_def = {"sandglass_sample", take_sample, METH_O, NULL};

static const char *const STATE_SOURCE =
	"def generator(me):\n"
	"    sample(me[0])\n"
	"    yield\n"
	"    yield from [0]\n"
	"def play():\n"
	"    me = []\n"
	"    me.append(generator(me))\n"
	"    sample(me[0])\n"
	"    for _ in me[0]:\n"
	"        sample(me[0])\n"
	"    sample(me[0])\n"
	"async def coroutine(other): pass\n"
	"def holds(held):\n"
	"    yield\n"
	"    yield from [0]\n"
	"c = coroutine(print)\n"
	"g = holds(sample)\n"
	"h = holds(holds)\n"
	"next(g), next(h), next(h)\n"
	"def close(): c.close()\n";

/* The first byte that differs in every state: what comes before it stays or has two values, the frame comes after it. */
static Py_ssize_t find_state(Py_ssize_t size)
{
	for (Py_ssize_t i = sg_at(object_fields); i < size; i++) {
		char created = samples.bytes[0][i], running = samples.bytes[1][i];
		char waiting = samples.bytes[2][i], inner = samples.bytes[3][i], finished = samples.bytes[4][i];

		if (created == running || created == waiting || created == finished || running == waiting ||
		    running == finished || waiting == finished || inner == created || inner == running ||
		    inner == finished)
			continue;
		facts.created = created;
		facts.running = running;
		facts.finished = finished;
		return i;
	}
	return 0;
}

static bool is_found(PyObject *namespace, const char *name, enum sg_generator_state state)
{
	PyObject *generator = sg_cpython_item(namespace, name);
	bool awaits;

	return generator && sg_generator_state(generator) == state &&
	       sg_generator_globals(generator, &awaits) == namespace;
}

static bool frame_is_told(PyObject *namespace)
{
	PyObject *generator = sg_cpython_item(namespace, "g");
	PyObject *frame = generator ? sg_python_attribute_or_null(generator, "gi_frame") : NULL;
	bool told = frame && old_frame(generator) == frame;

	sg_python_clear(&frame);
	return told;
}

void sg_generator_probe(void)
{
	PyObject *sample = PyCFunction_NewEx(&take_sample_def, NULL, NULL), *namespace = NULL;
	Py_ssize_t size = sg_cpython_basicsize(&PyGen_Type);

	samples.count = 0;
	namespace = sample ? sg_cpython_run(STATE_SOURCE, "sample", sample) : NULL;
	if (namespace && sg_cpython_item(namespace, "play"))
		sg_cpython_call(sg_cpython_item(namespace, "play"));
	if (namespace && samples.count == SAMPLES) {
		facts.offset = sg_has(generator_frame) ? 0 : find_state(size);
		sg_generator_known = facts.offset || (sg_has(generator_frame) && frame_is_told(namespace));
		sg_generator_known = sg_generator_known &&
			is_found(namespace, "c", SG_GENERATOR_CREATED) &&
			is_found(namespace, "g", SG_GENERATOR_SUSPENDED) &&
			is_found(namespace, "h", SG_GENERATOR_SUSPENDED);
		sg_cpython_call(sg_cpython_item(namespace, "close")); /* else it warns of having had no await */
	}
	PyErr_Clear();
	sg_python_clear(&namespace);
	sg_python_clear(&sample);
}
