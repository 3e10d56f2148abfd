#include "shim/graph.h"

#include "shim/address.h"
#include "shim/cpython.h"
#include "shim/modules.h"
#include "shim/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 2000000

static PyObject *gc_function(const char *name)
{
	PyObject *gc = PyImport_ImportModule("gc"), *function = gc ? PyObject_GetAttrString(gc, name) : NULL;

	sg_python_clear(&gc);
	return function;
}

PyObject *sg_graph_referents(PyObject *object)
{
	static PyObject *get_referents;

	if (!get_referents)
		get_referents = gc_function("get_referents");
	return get_referents ? PyObject_CallFunctionObjArgs(get_referents, object, NULL) : NULL;
}

/* --- a set of addresses ------------------------------------------------------------------------ */

struct addresses {
	PyObject **slots;
	size_t size;
};

static int collect_addresses(struct addresses *set, PyObject *list)
{
	Py_ssize_t count = PyList_Size(list);
	size_t i;

	for (set->size = 1024; set->size < 2 * (size_t)count; set->size *= 2)
		;
	set->slots = calloc(set->size, sizeof(*set->slots));
	if (!set->slots)
		return -ENOMEM;
	for (Py_ssize_t n = 0; n < count; n++) {
		PyObject *object = PyList_GetItem(list, n);

		for (i = sg_address_hash(object, set->size); set->slots[i]; i = (i + 1) & (set->size - 1))
			;
		set->slots[i] = object;
	}
	return 0;
}

static bool has_address(const struct addresses *set, PyObject *object)
{
	size_t i = sg_address_hash(object, set->size);

	while (set->slots[i] && set->slots[i] != object)
		i = (i + 1) & (set->size - 1);
	return set->slots[i];
}

/* --- what was there before --------------------------------------------------------------------- */

/*
 * The collector sets aside what is there when the first image begins to be made; what it looks at afterwards is new.
 * Another thread may begin to make an image meanwhile: it has the same beginning.
 */
static int begun;
static bool frozen_by_program; /* then it stays frozen */

static PyObject *call_gc(const char *name)
{
	PyObject *function = gc_function(name), *result = function ? PyObject_CallObject(function, NULL) : NULL;

	sg_python_clear(&function);
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

int sg_graph_begin(void)
{
	PyObject *count;

	if (begun++)
		return 0;
	count = call_gc("get_freeze_count");
	frozen_by_program = !count || PyLong_AsLong(count) != 0;
	sg_python_clear(&count);
	return call_gc_and_drop("freeze");
}

void sg_graph_end(void)
{
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	if (!--begun && !frozen_by_program && call_gc_and_drop("unfreeze") < 0)
		PyErr_Clear();
	PyErr_Restore(type, value, traceback);
}

/* What the collector does not look at (plain values, and tuples and dicts of such) may be new. */
static bool was_there(const struct addresses *made, PyObject *object)
{
	return PyObject_GC_IsTracked(object) && !has_address(made, object);
}

/* --- the nodes --------------------------------------------------------------------------------- */

static struct sg_graph_node **find_slot(struct sg_graph_node **nodes, size_t size, PyObject *object)
{
	size_t i = sg_address_hash(object, size);

	while (nodes[i] && nodes[i]->object != object)
		i = (i + 1) & (size - 1);
	return &nodes[i];
}

static int grow(struct sg_graph *graph)
{
	size_t size = graph->size ? 2 * graph->size : 4096;
	struct sg_graph_node **nodes = calloc(size, sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	for (size_t i = 0; i < graph->size; i++)
		if (graph->nodes[i])
			*find_slot(nodes, size, graph->nodes[i]->object) = graph->nodes[i];
	free(graph->nodes);
	graph->nodes = nodes;
	graph->size = size;
	return 0;
}

struct build {
	struct sg_graph *graph;
	struct addresses made;
	PyObject *modules;
	struct sg_graph_node **stack;
	size_t depth, stack_size;
};

static int push(struct build *build, struct sg_graph_node *node)
{
	if (build->depth == build->stack_size) {
		size_t size = build->stack_size ? 2 * build->stack_size : 1024;
		struct sg_graph_node **stack = realloc(build->stack, size * sizeof(*stack));

		if (!stack)
			return -ENOMEM;
		build->stack = stack;
		build->stack_size = size;
	}
	build->stack[build->depth++] = node;
	return 0;
}

/* Is there a module of that name in the run's table that is not the host's? */
static bool is_image_module(const struct build *build, PyObject *name)
{
	PyObject *module;

	if (!name || !PyType_IsSubtype(sg_cpython_type(name), &PyUnicode_Type))
		return false;
	module = PyDict_GetItemWithError(build->modules, name);
	return module && module != sg_modules_host(name);
}

/*
 * A class or function made while the image was executed. The image's own, one of a library that was imported
 * meanwhile (a boundary), or one that generated code made under no module's name (an object like any other).
 */
static bool is_library_code(const struct build *build, PyObject *object, bool *ret_own)
{
	PyObject *name = sg_python_attribute_or_null(object, "__module__");
	bool library = false;

	*ret_own = is_image_module(build, name);
	/* A function may be a closure that a library made for the image; what is the library's own, its module holds. */
	if (!*ret_own && name && PyType_IsSubtype(sg_cpython_type(name), &PyUnicode_Type) &&
	    PyType_IsSubtype(sg_cpython_type(object), &PyType_Type))
		library = sg_modules_host(name) != NULL;
	sg_python_clear(&name);
	return library;
}

static bool is_namespace(const struct build *build, PyObject *dict)
{
	PyObject *name = sg_python_module_name(dict);

	return is_image_module(build, name) && sg_modules_holds(build->modules, name, dict);
}

/*
 * Where the walk stops: what cannot change, what was there before, and modules, classes and functions that are
 * not the image's. *ret_own: it is one of the image's.
 */
static bool is_boundary(const struct build *build, PyObject *object, bool *ret_own)
{
	PyTypeObject *type = sg_cpython_type(object);
	PyObject *name;
	bool shared;

	*ret_own = false;
	if (sg_state_atomic(type))
		return true;
	if (PyType_IsSubtype(type, &PyModule_Type)) {
		name = sg_python_attribute_or_null(object, "__name__");
		*ret_own = is_image_module(build, name) &&
			PyDict_GetItemWithError(build->modules, name) == object;
		shared = name && sg_modules_host(name) == object;
		sg_python_clear(&name);
		/* One that is in no table is an object like any other. */
		return !*ret_own && (shared || was_there(&build->made, object));
	}
	if (was_there(&build->made, object))
		return true;
	/* The dict of a module is held by every function of it, wherever that went. */
	if (type == &PyDict_Type && is_namespace(build, object)) {
		*ret_own = true;
		return false;
	}
	if (PyType_IsSubtype(type, &PyType_Type) || PyType_IsSubtype(type, &PyFunction_Type))
		return is_library_code(build, object, ret_own);
	return false;
}

static int reach(struct build *build, PyObject *object, struct sg_graph_node *parent)
{
	struct sg_graph *graph = build->graph;
	struct sg_graph_node **slot, *node;
	bool own;
	int error;

	if (2 * (graph->count + 1) > graph->size && (error = grow(graph)) != 0)
		return error;
	slot = find_slot(graph->nodes, graph->size, object);
	if (*slot) {
		(*slot)->edges++;
		return 0;
	}
	if (is_boundary(build, object, &own))
		return 0;
	if (graph->count >= NODES_MAX)
		return -E2BIG;
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	*node = (struct sg_graph_node){
		.object = object, .edges = parent ? 1 : 0, .parent = parent, .own = own
	};
	*slot = node;
	graph->count++;
	return push(build, node);
}

static int follow(struct build *build, struct sg_graph_node *node)
{
	PyObject *list;
	int error;

	if (sg_state_leads_nowhere(node->object))
		return 0;
	list = sg_graph_referents(node->object);
	error = list ? 0 : -1;
	for (Py_ssize_t i = 0; list && i < PyList_Size(list) && !error; i++)
		error = reach(build, PyList_GetItem(list, i), node);
	sg_python_clear(&list);
	return error;
}

/* What an object that the host holds leads to is within the host's reach, but for the image's own code. */
static int mark_outside(struct build *build)
{
	struct sg_graph *graph = build->graph;
	struct sg_graph_node *node, **slot;
	PyObject *list;
	int error = 0;

	for (size_t i = 0; i < graph->size && !error; i++) {
		node = graph->nodes[i];
		if (!node || node->own || sg_cpython_refcount(node->object) <= node->edges)
			continue;
		node->outside = true;
		error = push(build, node);
	}
	while (build->depth && !error) {
		node = build->stack[--build->depth];
		list = sg_graph_referents(node->object);
		for (Py_ssize_t i = 0; list && i < PyList_Size(list) && !error; i++) {
			slot = find_slot(graph->nodes, graph->size, PyList_GetItem(list, i));
			if (!*slot || (*slot)->own || (*slot)->outside)
				continue;
			(*slot)->outside = true;
			error = push(build, *slot);
		}
		if (!list)
			error = -1;
		sg_python_clear(&list);
	}
	return error;
}

/* Until 3.12 a SimpleQueue keeps its items in a list, which is all that it refers to beside its class. */
static PyObject *list_of_queue(PyObject *queue)
{
	PyObject *referents = sg_cpython.minor < 13 ? sg_graph_referents(queue) : NULL, *items = NULL;

	for (Py_ssize_t i = 0; referents && i < PyList_Size(referents); i++)
		if (sg_cpython_type(PyList_GetItem(referents, i)) == sg_cpython_type(referents))
			items = PyList_GetItem(referents, i);
	PyErr_Clear();
	sg_python_clear(&referents);
	return items;
}

static PyObject *part_of(PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);

	if (PyType_IsSubtype(type, &PyType_Type))
		return sg_cpython_type_dict((PyTypeObject *)object);
	return strcmp(sg_cpython_type_name(type), "_queue.SimpleQueue") == 0 ? list_of_queue(object) : NULL;
}

static void mark_parts(struct sg_graph *graph)
{
	struct sg_graph_node *part;

	for (size_t i = 0; i < graph->size; i++) {
		PyObject *object = graph->nodes[i] ? part_of(graph->nodes[i]->object) : NULL;

		part = object ? *find_slot(graph->nodes, graph->size, object) : NULL;
		if (part)
			part->part = true;
	}
}

static void hold(struct sg_graph *graph)
{
	for (size_t i = 0; i < graph->size; i++)
		if (graph->nodes[i])
			Py_IncRef(graph->nodes[i]->object);
	graph->held = true;
}

int sg_graph_build(struct sg_graph *graph, PyObject *modules)
{
	struct build build = {.graph = graph, .modules = modules};
	PyObject *name, *module, *list;
	Py_ssize_t position = 0;
	int error;

	*graph = (struct sg_graph){NULL, 0, 0, false};
	/* Cyclic garbage of the import (a class that a decorator replaced) would count as somebody's references. */
	list = call_gc_and_drop("collect") == 0 ? call_gc("get_objects") : NULL;
	error = list ? collect_addresses(&build.made, list) : -1;
	sg_python_clear(&list); /* it must not count as a reference to anything */
	while (!error && PyDict_Next(modules, &position, &name, &module))
		error = reach(&build, module, NULL);
	while (!error && build.depth)
		error = follow(&build, build.stack[--build.depth]);
	if (!error)
		error = mark_outside(&build);
	if (!error) {
		mark_parts(graph);
		hold(graph);
	}
	free(build.made.slots);
	free(build.stack);
	if (error == -ENOMEM) {
		PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
		error = -1;
	}
	return error;
}

const struct sg_graph_node *sg_graph_find(const struct sg_graph *graph, PyObject *object)
{
	struct sg_graph_node *node = *find_slot(graph->nodes, graph->size, object);

	return node && !node->outside ? node : NULL;
}

bool sg_graph_has(const struct sg_graph *graph, PyObject *object)
{
	return sg_graph_find(graph, object);
}

void sg_graph_release(struct sg_graph *graph)
{
	for (size_t i = 0; i < graph->size; i++) {
		if (graph->nodes[i] && graph->held)
			Py_DecRef(graph->nodes[i]->object);
		free(graph->nodes[i]);
	}
	free(graph->nodes);
	*graph = (struct sg_graph){NULL, 0, 0, false};
}

/* The key under which a dict holds an object, or NULL: borrowed. */
static PyObject *key_of(PyObject *dict, PyObject *object)
{
	PyObject *key, *value;
	Py_ssize_t position = 0;

	while (PyDict_Next(dict, &position, &key, &value))
		if (value == object)
			return key;
	return NULL;
}

void sg_graph_path(const struct sg_graph_node *node, char *text, size_t size)
{
	PyObject *key, *name;
	size_t length;

	if (!node->parent) {
		name = sg_python_attribute_or_null(node->object, "__name__");
		snprintf(text, size, "%s", sg_python_text(name));
		sg_python_clear(&name);
		return;
	}
	sg_graph_path(node->parent, text, size);
	if (PyType_IsSubtype(sg_cpython_type(node->parent->object), &PyDict_Type)) {
		key = key_of(node->parent->object, node->object);
		length = strlen(text);
		if (key && PyType_IsSubtype(sg_cpython_type(key), &PyUnicode_Type))
			snprintf(text + length, size - length, ".%s", sg_python_text(key));
		else
			snprintf(text + length, size - length, "[...]");
	}
}
