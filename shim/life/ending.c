#define _GNU_SOURCE 1
#include "shim/life/ending.h"

#include "shim/base/address.h"
#include "shim/base/log.h"
#include "shim/base/real.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/generator.h"
#include "shim/life/finaliser.h"
#include "shim/state/image.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NODES_MAX 500000

struct node {
	PyObject *object;  /* borrowed */
	Py_ssize_t edges;  /* references from other nodes */
	bool own;          /* the run's, whoever refers to it: see mark_own() */
	bool outside;      /* not own, and the host can reach it */
};

struct sg_ending {
	struct sg_run *run;
	PyObject *generators, *finalised; /* lists */
	size_t objects;
	bool complete;
	struct timespec start;
};

struct walk {
	struct sg_run *run;
	struct node *nodes;     /* in the order of the walk */
	size_t count, size;
	uint32_t *pending;      /* positions of those whose referents are to be marked */
	size_t depth;
	uint32_t *index;        /* hash table of positions + 1; twice as many as nodes have room */
	PyObject *builtins;
	struct node *parent;
	bool own;               /* what is reached now */
	bool failed;
};

static PyObject *builtins_key, *module_key;

/* --- the walk ---------------------------------------------------------------------------------- */

static uint32_t *find(const struct walk *walk, PyObject *object)
{
	size_t size = 2 * walk->size, i = sg_address_hash(object, size);

	while (walk->index[i] && walk->nodes[walk->index[i] - 1].object != object)
		i = (i + 1) & (size - 1);
	return &walk->index[i];
}

static bool grow(struct walk *walk)
{
	size_t size = walk->size ? 4 * walk->size : 64;
	struct node *nodes = realloc(walk->nodes, size * sizeof(*nodes));
	uint32_t *index = calloc(2 * size, sizeof(*index));

	if (nodes)
		walk->nodes = nodes;
	if (!nodes || !index || walk->count >= NODES_MAX) {
		free(index);
		return false;
	}
	free(walk->index);
	walk->index = index;
	walk->size = size;
	for (size_t i = 0; i < walk->count; i++)
		*find(walk, nodes[i].object) = (uint32_t)i + 1;
	return true;
}

/* A class that a module of the run, or of its image, made. */
static bool is_own_class(const struct walk *walk, PyObject *class)
{
	PyObject *dict, *name;

	if (!(PyType_GetFlags((PyTypeObject *)class) & Py_TPFLAGS_HEAPTYPE))
		return false;
	dict = sg_cpython_type_dict((PyTypeObject *)class);
	name = dict ? PyDict_GetItemWithError(dict, module_key) : NULL;
	return name && walk->run->modules && PyDict_GetItemWithError(walk->run->modules, name);
}

static bool is_boundary(const struct walk *walk, PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);

	if (!(PyType_GetFlags(type) & Py_TPFLAGS_HAVE_GC) || type == &PyTraceBack_Type ||
	    PyType_IsSubtype(type, &PyModule_Type))
		return true;
	if (type == &PyFrame_Type) /* 3.10: a generator's own; others lead to who runs the workflow */
		return !walk->parent || !sg_generator_check(walk->parent->object);
	if (PyType_IsSubtype(type, &PyType_Type))
		return walk->run->image || !is_own_class(walk, object);
	return type == &PyDict_Type && (object == walk->builtins ||
		PyDict_GetItemWithError(object, builtins_key));
}

static int reach(PyObject *object, void *argument)
{
	struct walk *walk = argument;
	ptrdiff_t parent = walk->parent - walk->nodes;
	uint32_t *slot;

	if (walk->count == walk->size) {
		walk->failed = !grow(walk);
		if (walk->failed)
			return 1;
		if (walk->parent)
			walk->parent = walk->nodes + parent;
	}
	slot = find(walk, object);
	if (*slot) {
		walk->nodes[*slot - 1].edges += !!walk->parent;
		return 0;
	}
	if (!walk->own && is_boundary(walk, object))
		return 0;
	walk->nodes[walk->count++] = (struct node){object, !!walk->parent, walk->own, false};
	*slot = (uint32_t)walk->count;
	return 0;
}

static int reach_own(PyObject *object, void *argument)
{
	struct walk *walk = argument;

	walk->own = true;
	reach(object, argument);
	walk->own = false;
	return walk->failed;
}

/* A function leads on only where its code is the run's: closures of libraries hold what they like. */
static bool leads_on(const struct walk *walk, PyObject *object)
{
	PyObject *globals, *name;

	if (object == walk->run->fence)
		return false;
	if (sg_cpython_type(object) != &PyFunction_Type)
		return true;
	globals = PyFunction_GetGlobals(object);
	name = globals ? sg_python_module_name(globals) : NULL;
	return name && walk->run->modules && sg_modules_holds(walk->run->modules, name, globals);
}

static void reach_roots(struct walk *walk, PyObject *root)
{
	PyObject *name, *module;
	Py_ssize_t position = 0;

	reach_own(root, walk);
	if (walk->run->kept)
		reach_own(walk->run->kept, walk);
	sg_image_delta(walk->run, reach_own, walk);
	while (!walk->run->image && walk->run->modules && !walk->failed &&
	       PyDict_Next(walk->run->modules, &position, &name, &module))
		if (PyType_IsSubtype(sg_cpython_type(module), &PyModule_Type) && module != sg_modules_host(name))
			reach_own(PyModule_GetDict(module), walk);
}

static void follow_all(struct walk *walk)
{
	for (size_t i = 0; i < walk->count && !walk->failed; i++) {
		walk->parent = &walk->nodes[i];
		if (leads_on(walk, walk->parent->object))
			sg_generator_traverse(walk->parent->object, reach, walk);
	}
	walk->parent = NULL;
}

/* --- what is the run's, and what the host can reach --------------------------------------------- */

static void push(struct walk *walk, uint32_t position)
{
	walk->pending[walk->depth++] = position;
}

static void follow_pending(struct walk *walk, sg_visit visit)
{
	while (walk->depth) {
		PyObject *object = walk->nodes[walk->pending[--walk->depth]].object;

		if (leads_on(walk, object))
			sg_generator_traverse(object, visit, walk);
	}
}

static struct node *node_of(struct walk *walk, PyObject *object)
{
	uint32_t position = *find(walk, object);

	return position ? &walk->nodes[position - 1] : NULL;
}

/* An object of a Python class that neither the run made nor asyncio. */
static bool is_foreign(const struct walk *walk, PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);

	return (PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE) && !sg_cpython_is_c_class(type) &&
	       !is_own_class(walk, (PyObject *)type);
}

static int mark_own(PyObject *object, void *argument)
{
	struct walk *walk = argument;
	struct node *node = node_of(walk, object);

	if (node && !node->own && !is_foreign(walk, object)) {
		node->own = true;
		push(walk, (uint32_t)(node - walk->nodes));
	}
	return 0;
}

static int mark(PyObject *object, void *argument)
{
	struct walk *walk = argument;
	struct node *node = node_of(walk, object);

	if (node && !node->own && !node->outside) {
		node->outside = true;
		push(walk, (uint32_t)(node - walk->nodes));
	}
	return 0;
}

/*
 * Own is what the roots lead to by way of containers, frames and objects of the run's own classes. What is only behind
 * an object of a library may be anybody's: it is the run's when nothing outside refers to it.
 */
static bool mark_all(struct walk *walk)
{
	walk->pending = malloc(walk->count * sizeof(*walk->pending));
	if (!walk->pending)
		return false;
	for (size_t i = 0; i < walk->count && walk->nodes[i].own; i++) /* the roots */
		push(walk, (uint32_t)i);
	follow_pending(walk, mark_own);
	for (size_t i = 0; i < walk->count; i++)
		if (sg_cpython_refcount(walk->nodes[i].object) > walk->nodes[i].edges)
			mark(walk->nodes[i].object, walk);
	follow_pending(walk, mark);
	free(walk->pending);
	return true;
}

/* --- what is to be closed ---------------------------------------------------------------------- */

/* A class statement with a __del__ has this in its slot. */
static void *python_finaliser(void)
{
	static void *function;

	if (!function)
		function = sg_cpython_slot_of("class C:\n    def __del__(self): pass\n", Py_tp_finalize);
	return function;
}

static bool has_finaliser(PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);

	return (PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE) &&
	       PyType_GetSlot(type, Py_tp_finalize) == python_finaliser() &&
	       !PyObject_GC_IsFinalized(object);
}

/* Something to close, if it is the run's? */
static bool is_candidate(PyObject *object)
{
	return sg_generator_check(object) ? sg_generator_state(object) == SG_GENERATOR_SUSPENDED : has_finaliser(object);
}

static bool has_candidates(const struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++)
		if (is_candidate(walk->nodes[i].object))
			return true;
	return false;
}

static int pick(struct sg_ending *ending, const struct node *node)
{
	PyObject *object = node->object;

	if (!is_candidate(object))
		return 0;
	if (sg_generator_check(object)) {
		if (node->outside && (ending->run->image || !ending->run->modules ||
				!sg_finaliser_is_of(object, ending->run->modules)))
			return 0;
		return PyList_Append(ending->generators, object);
	}
	/* Unlike closing, this cannot be done to what somebody goes on using. */
	if (node->outside || sg_cpython_refcount(object) > node->edges)
		return 0;
	return PyList_Append(ending->finalised, object);
}

void sg_ending_free(struct sg_ending *ending)
{
	if (!ending)
		return;
	sg_python_clear(&ending->generators);
	sg_python_clear(&ending->finalised);
	free(ending);
}

static struct sg_ending *new_ending(struct sg_run *run)
{
	struct sg_ending *ending = calloc(1, sizeof(*ending));

	if (!ending)
		return NULL;
	REAL(clock_gettime)(CLOCK_MONOTONIC, &ending->start);
	ending->run = run;
	ending->generators = PyList_New(0);
	ending->finalised = PyList_New(0);
	if (ending->generators && ending->finalised)
		return ending;
	sg_ending_free(ending);
	return NULL;
}

struct sg_ending *sg_ending_find(struct sg_run *run, PyObject *root)
{
	struct sg_ending *ending;
	struct walk walk = {.run = run};

	sg_python_clear(&run->classes); /* our reference would count as somebody's */
	/* Made first: what is allocated during the walk could start the collector. */
	python_finaliser();
	ending = new_ending(run);
	if (!builtins_key)
		builtins_key = PyUnicode_InternFromString("__builtins__");
	if (!module_key)
		module_key = PyUnicode_InternFromString("__module__");
	walk.builtins = PyEval_GetBuiltins();
	if (ending && builtins_key && module_key && grow(&walk)) {
		reach_roots(&walk, root);
		follow_all(&walk);
		for (size_t i = 0, end = has_candidates(&walk) && mark_all(&walk) ? walk.count : 0; i < end; i++)
			if (pick(ending, &walk.nodes[i]) < 0)
				break;
		ending->objects = walk.count;
		ending->complete = !walk.failed;
	}
	PyErr_Clear();
	free(walk.nodes);
	free(walk.index);
	return ending;
}

/* --- closing ----------------------------------------------------------------------------------- */

/* Takes the exception that is set. */
static void log_closed(const struct sg_ending *ending, PyObject *generator)
{
	PyObject *type, *value, *traceback, *name, *text = NULL;
	struct sg_line line;

	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	name = sg_python_attribute_or_null(generator, "__qualname__");
	if (sg_log_begin(&line, SG_LOG_DEBUG, "closed")) {
		sg_log_text(&line, "what", sg_python_text(name));
		sg_log_text(&line, "type", sg_cpython_type_name(sg_cpython_type(generator)));
		sg_run_log(ending->run, &line);
		if (type) {
			text = value ? PyObject_Str(value) : NULL;
			sg_log_text(&line, "error", sg_cpython_type_name((PyTypeObject *)type));
			sg_log_text(&line, "message", sg_python_text(text));
		}
		sg_log_end(&line);
	}
	PyErr_Clear();
	sg_python_clear(&text);
	sg_python_clear(&name);
	sg_python_clear(&type);
	sg_python_clear(&value);
	sg_python_clear(&traceback);
}

static PyObject *call_method(PyObject *object, const char *method, PyObject *argument)
{
	PyObject *name = PyUnicode_InternFromString(method), *result = NULL;

	if (name)
		result = PyObject_CallMethodObjArgs(object, name, argument, NULL);
	sg_python_clear(&name);
	return result;
}

/* One step: one that waits in its finally block waits in vain, and is ended there. */
static void close_asynchronous(PyObject *generator)
{
	PyObject *step = call_method(generator, "aclose", NULL), *result = NULL;

	if (step)
		result = call_method(step, "send", Py_None);
	if (!result && (PyErr_ExceptionMatches(PyExc_StopIteration) ||
			PyErr_ExceptionMatches(PyExc_StopAsyncIteration)))
		PyErr_Clear();
	if (result)
		sg_generator_end(generator);
	sg_python_clear(&result);
	sg_python_clear(&step);
}

static void close_generator(const struct sg_ending *ending, PyObject *generator)
{
	PyObject *result = NULL;

	if (sg_generator_state(generator) != SG_GENERATOR_SUSPENDED)
		return; /* what awaited it has closed it */
	if (sg_cpython_type(generator) == &PyAsyncGen_Type)
		close_asynchronous(generator);
	else
		result = call_method(generator, "close", NULL);
	sg_python_clear(&result);
	log_closed(ending, generator);
	if (sg_generator_state(generator) == SG_GENERATOR_SUSPENDED)
		sg_finaliser_refuse(generator);
}

static void log_left(const struct sg_ending *ending)
{
	struct timespec end;
	struct sg_line line;

	if (!sg_log_begin(&line, ending->complete ? SG_LOG_DEBUG : SG_LOG_WARN, "left"))
		return;
	REAL(clock_gettime)(CLOCK_MONOTONIC, &end);
	sg_run_log(ending->run, &line);
	sg_log_number(&line, "objects", (int64_t)ending->objects);
	sg_log_number(&line, "suspended", PyList_Size(ending->generators));
	sg_log_number(&line, "finalisers", PyList_Size(ending->finalised));
	sg_log_number(&line, "microseconds", (end.tv_sec - ending->start.tv_sec) * 1000000 +
			(end.tv_nsec - ending->start.tv_nsec) / 1000);
	if (!ending->complete)
		sg_log_text(&line, "reason", "more objects than are looked at, the rest is freed without being run");
	sg_log_end(&line);
}

void sg_ending_close(struct sg_ending *ending)
{
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	for (Py_ssize_t i = 0; i < PyList_Size(ending->generators); i++)
		close_generator(ending, PyList_GetItem(ending->generators, i));
	for (Py_ssize_t i = 0; i < PyList_Size(ending->finalised); i++)
		PyObject_CallFinalizer(PyList_GetItem(ending->finalised, i));
	log_left(ending);
	PyErr_Restore(type, value, traceback);
}
