#include "shim/state/graph.h"

#include "shim/base/address.h"
#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/objects.h"
#include "shim/shared/identity.h"
#include "shim/state/age.h"
#include "shim/state/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 2000000
#define IMMORTAL 0x10000000 /* references; no object has so many */

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
	struct sg_addresses made, library;
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

	if (!name || !sg_cpython_is_text(name))
		return false;
	module = PyDict_GetItemWithError(build->modules, name);
	return module && module != sg_modules_host(name);
}

/* The __name__ that a module's own dict has: new reference, NULL without an exception. */
static PyObject *name_of_module(PyObject *module)
{
	return sg_python_ref(sg_python_module_name(PyModule_GetDict(module)));
}

/*
 * A class or function made while the image was executed. The image's own, one of a library that was imported
 * meanwhile (a boundary), or one that generated code made under no module's name, or that a library which was there before
 * made for it, where nobody finds it by name (an object like any other).
 */
static bool is_library_code(const struct build *build, PyObject *object, bool *ret_own)
{
	PyObject *name = sg_python_attribute_or_null(object, "__module__"), *module;
	bool library = false;

	*ret_own = is_image_module(build, name);
	/* A function may be a closure that a library made for the image; what is the library's own, its module holds. */
	if (!*ret_own && name && sg_cpython_is_text(name) &&
	    sg_cpython_is_class(object)) {
		module = sg_modules_host(name);
		library = module && (sg_cpython_is_c_class((PyTypeObject *)object) || !sg_age_was_there(&build->made, module) ||
				sg_modules_leads_to(module, object));
	}
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
		name = name_of_module(object);
		*ret_own = is_image_module(build, name) &&
			PyDict_GetItemWithError(build->modules, name) == object;
		shared = name && sg_modules_host(name) == object;
		sg_python_clear(&name);
		/* One that is in no table is an object like any other. */
		return !*ret_own && (shared || sg_age_was_there(&build->made, object));
	}
	if (sg_age_was_there(&build->made, object))
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

/*
 * A module that was imported for all while the image was executed, as none of them had it, is as new as the image. What
 * it leads to is the library's, but for instances of the image's classes; what the image leads to as well may be either's.
 */
static bool is_of_image(const struct build *build, PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);
	bool own;

	if (is_boundary(build, object, &own))
		return false;
	if (own || sg_cpython_is_c_class(type))
		return own;
	is_library_code(build, (PyObject *)type, &own);
	return own;
}

struct library_walk {
	struct build *build;
	PyObject **stack;
	size_t depth, size;
	bool failed;
};

static int reach_library(PyObject *object, void *argument)
{
	struct library_walk *walk = argument;
	struct build *build = walk->build;
	int added;

	/* _asyncio shows the collector what it has set aside to be used again (3.12). */
	if (sg_cpython_refcount(object) == 0 || sg_state_atomic(sg_cpython_type(object)) ||
	    sg_age_was_there(&build->made, object) || is_of_image(build, object))
		return 0;
	added = sg_addresses_add(&build->library, object);
	if (added > 0 && walk->depth == walk->size) {
		size_t size = walk->size ? 2 * walk->size : 256;
		PyObject **stack = realloc(walk->stack, size * sizeof(*stack));

		if (stack) {
			walk->stack = stack;
			walk->size = size;
		}
	}
	walk->failed = added < 0 || walk->depth == walk->size;
	if (added > 0 && !walk->failed)
		walk->stack[walk->depth++] = object;
	return walk->failed ? -1 : 0;
}

static int find_libraries(struct build *build)
{
	struct library_walk walk = {build, NULL, 0, 0, false};
	PyObject *name, *module;
	Py_ssize_t position = 0;

	while (!walk.failed && PyDict_Next(PyImport_GetModuleDict(), &position, &name, &module)) {
		if (!PyType_IsSubtype(sg_cpython_type(module), &PyModule_Type))
			continue;
		reach_library(module, &walk);
		while (walk.depth && !walk.failed)
			sg_age_traverse(walk.stack[--walk.depth], reach_library, &walk);
	}
	free(walk.stack);
	return walk.failed ? -ENOMEM : 0;
}

/* Code and the dicts of modules: there is no doubt whose these are. */
static bool is_code(PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);

	return PyType_IsSubtype(type, &PyType_Type) || PyType_IsSubtype(type, &PyFunction_Type) ||
	       PyType_IsSubtype(type, &PyModule_Type) || (type == &PyDict_Type && sg_python_module_name(object));
}

/* Where there is none yet. */
static int add(struct build *build, PyObject *object, struct sg_graph_node *parent, struct sg_graph_node **ret_node)
{
	struct sg_graph *graph = build->graph;
	struct sg_graph_node **slot = find_slot(graph->nodes, graph->size, object);

	if (graph->count >= NODES_MAX)
		return -E2BIG;
	*slot = calloc(1, sizeof(**slot));
	if (!*slot)
		return -ENOMEM;
	**slot = (struct sg_graph_node){.object = object, .edges = 1, .parent = parent};
	*ret_node = *slot;
	graph->count++;
	sg_identity_of_image(object, graph->count, build->modules);
	return 0;
}

/* Counts a reference. *ret_slot: where its node is, or would be. */
static int count(struct build *build, PyObject *object, struct sg_graph_node ***ret_slot)
{
	struct sg_graph *graph = build->graph;
	int error = 2 * (graph->count + 1) > graph->size ? grow(graph) : 0;

	if (error)
		return error;
	*ret_slot = find_slot(graph->nodes, graph->size, object);
	if (**ret_slot)
		(**ret_slot)->edges++;
	return 0;
}

static int reach(struct build *build, PyObject *object, struct sg_graph_node *parent)
{
	struct sg_graph_node **slot, *node;
	bool own, doubtful;
	int error = count(build, object, &slot);

	if (error || *slot || is_boundary(build, object, &own))
		return error;
	doubtful = !own && sg_addresses_has(&build->library, object);
	if (doubtful && is_code(object))
		return 0;
	error = add(build, object, parent, &node);
	if (error)
		return error;
	node->doubtful = doubtful;
	return doubtful ? 0 : push(build, node);
}

static bool has_item(PyObject *list, PyObject *item)
{
	for (Py_ssize_t i = 0; i < PyList_Size(list); i++)
		if (PyList_GetItem(list, i) == item)
			return true;
	return false;
}

/*
 * Functions and instances of Python classes have a dict that may not exist yet: it is made, to be watched. The collector
 * is not told of one whose values lie in the instance (3.13), and is told of the values by the instance.
 */
static int note_own_dict(struct build *build, struct sg_graph_node *node, PyObject *referents)
{
	struct sg_graph_node **slot, *made;
	PyObject *dict;
	int error = 0;

	if (sg_cpython_is_class(node->object))
		return 0;
	dict = PyObject_GenericGetDict(node->object, NULL);
	if (!dict)
		PyErr_Clear(); /* it has none, or one of another make, such as a property */
	else if (sg_cpython_type(dict) == &PyDict_Type && !has_item(referents, dict)) {
		error = count(build, dict, &slot);
		if (!error && !*slot)
			error = add(build, dict, node, &made);
	}
	sg_python_clear(&dict);
	return error;
}

static int follow(struct build *build, struct sg_graph_node *node)
{
	PyObject *list;
	int error;

	if (sg_state_leads_nowhere(node->object))
		return 0;
	list = sg_cpython_referents(node->object);
	error = list ? 0 : -1;
	for (Py_ssize_t i = 0; list && i < PyList_Size(list) && !error; i++)
		error = reach(build, PyList_GetItem(list, i), node);
	if (!error)
		error = note_own_dict(build, node, list);
	sg_python_clear(&list);
	return error;
}

static int follow_all(struct build *build)
{
	int error = 0;

	while (!error && build->depth)
		error = follow(build, build->stack[--build->depth]);
	return error;
}

/*
 * A function of the modules' code, one of their classes, or an object of one: there is no doubt who made it. Asked of all that
 * is new, other threads' objects among it: nothing that this does may run Python code.
 */
static bool is_made_by_modules(const struct build *build, PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);
	PyObject *name;
	bool own;

	if (PyType_IsSubtype(type, &PyFunction_Type))
		return is_namespace(build, PyFunction_GetGlobals(object));
	if (sg_cpython_is_class(object))
		type = (PyTypeObject *)object;
	if (sg_cpython_is_c_class(type))
		return false;
	name = sg_modules_text((PyObject *)type, "__module__");
	own = is_image_module(build, name);
	sg_python_clear(&name);
	return own;
}

/* What no name leads to: a registry that all share may hold it, be it in C code's memory. */
static int reach_unnamed(struct build *build)
{
	struct sg_graph_node **slot;
	int error = 0;

	for (size_t i = 0; i < build->made.size && !error; i++) {
		PyObject *object = build->made.slots[i];

		if (!object || sg_cpython_refcount(object) == 0 || sg_graph_has(build->graph, object) || !is_made_by_modules(build, object))
			continue;
		error = reach(build, object, NULL);
		slot = find_slot(build->graph->nodes, build->graph->size, object);
		if (*slot)
			(*slot)->edges = 0; /* none of the image's */
		if (!error)
			error = follow_all(build);
	}
	return error;
}

/* Somebody refers to it who is no node; those of immortal objects are not counted. */
static void mark_held(struct sg_graph *graph)
{
	for (size_t i = 0; i < graph->size; i++) {
		struct sg_graph_node *node = graph->nodes[i];
		Py_ssize_t count = node ? sg_cpython_refcount(node->object) : 0;

		if (node && count > node->edges && count < IMMORTAL)
			node->held = count - node->edges;
	}
}

/* Where a SimpleQueue keeps its items in one: of what it refers to the last list, after a subclass's attributes. */
static PyObject *list_of_queue(PyObject *queue)
{
	PyObject *referents = sg_objects.queue_lists ? sg_cpython_referents(queue) : NULL, *items = NULL;

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
	type = sg_state_type(object);
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

int sg_graph_build(struct sg_graph *graph, PyObject *modules, PyObject *other)
{
	struct build build = {.graph = graph, .modules = modules};
	PyObject *name, *module;
	Py_ssize_t position = 0;
	int error;

	*graph = (struct sg_graph){NULL, 0, 0, false};
	error = sg_age_collect_new(&build.made);
	if (!error)
		error = find_libraries(&build);
	while (!error && PyDict_Next(modules, &position, &name, &module))
		error = sg_modules_host(name) != module && sg_age_hides(&build.made, module) ? -ENOTSUP : reach(&build, module, NULL);
	if (!error && other)
		error = reach(&build, other, NULL);
	if (!error)
		error = follow_all(&build);
	if (!error)
		error = reach_unnamed(&build);
	if (!error) {
		mark_held(graph);
		mark_parts(graph);
		hold(graph);
	}
	sg_addresses_free(&build.made);
	sg_addresses_free(&build.library);
	free(build.stack);
	if (error == -ENOMEM) {
		PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
		error = -1;
	}
	return error;
}

struct sg_graph_node *sg_graph_find(const struct sg_graph *graph, PyObject *object)
{
	return *find_slot(graph->nodes, graph->size, object);
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
		name = PyType_IsSubtype(sg_cpython_type(node->object), &PyModule_Type) ? name_of_module(node->object) : NULL;
		snprintf(text, size, "%s", name ? sg_python_text(name) : sg_cpython_type_name(sg_cpython_type(node->object)));
		sg_python_clear(&name);
		return;
	}
	sg_graph_path(node->parent, text, size);
	if (PyType_IsSubtype(sg_cpython_type(node->parent->object), &PyDict_Type)) {
		key = key_of(node->parent->object, node->object);
		length = strlen(text);
		if (key && sg_cpython_is_text(key))
			snprintf(text + length, size - length, ".%s", sg_python_text(key));
		else
			snprintf(text + length, size - length, "[...]");
	}
}
