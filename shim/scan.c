#include "shim/scan.h"

#include "shim/cpython.h"
#include "shim/graph.h"
#include "shim/log.h"
#include "shim/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Functions and instances of Python classes have a dict that may not exist yet: it is made, to be watched. */
static int add_own_dict(struct sg_slots *slots, struct sg_graph *graph, PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);
	PyObject *dict;
	int error = 0;

	if (PyType_IsSubtype(type, &PyType_Type) || PyType_IsSubtype(type, &PyModule_Type))
		return 0;
	if (!PyObject_HasAttrString(object, "__dict__"))
		return 0;
	dict = PyObject_GenericGetDict(object, NULL);
	if (!dict) {
		PyErr_Clear(); /* a __dict__ of another make, such as a property */
		return 0;
	}
	/* One that is a node is handled as such. */
	if (!sg_graph_has(graph, dict) && sg_cpython_type(dict) == &PyDict_Type)
		error = sg_slots_add(slots, dict, &sg_state_dict);
	if (!error && !PyType_IsSubtype(type, &PyFunction_Type))
		error = sg_slots_add(slots, object, &sg_state_namespace);
	Py_DecRef(dict);
	return error;
}

/* says: what would be noticed when a run lets go of an object, of class kept; NULL: its type is not known. */
static int refuse_node(const struct sg_graph_node *node, const char *says, PyTypeObject *kept)
{
	const char *type = sg_cpython_type_name(sg_state_type(node->object));
	char path[512], setting[384], class[256];
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_WARN, "private"))
		return -ENOTSUP;
	snprintf(setting, sizeof(setting), "[types] %s = fixed | REASON, if its objects never change", type);
	if (kept) {
		sg_state_class_name(kept, class, sizeof(class));
		snprintf(setting, sizeof(setting), "[types] %s = kept | REASON, if no run lets its objects go", class);
	}
	sg_graph_path(node, path, sizeof(path));
	sg_log_text(&line, "object", path);
	sg_log_text(&line, "type", type);
	sg_log_text(&line, "reason", says ? says : "objects of this type cannot be saved");
	sg_log_text(&line, "effect", "each run executes the modules for itself");
	sg_log_text(&line, "setting", setting);
	sg_log_end(&line);
	return -ENOTSUP;
}

static bool is_named(PyObject *object, const char *type)
{
	return strcmp(sg_cpython_type_name(sg_cpython_type(object)), type) == 0;
}

/*
 * __del__ of the workflow's own. That of a library gives back a connection, a file or the like, and no workflow can tell
 * when.
 */
static bool has_destructor(const struct sg_graph *graph, PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object), *class;

	class = PyType_IsSubtype(type, &PyType_Type) ? NULL : sg_state_destructor(type);
	return class && sg_graph_has(graph, (PyObject *)class) && !sg_state_is_kept(object);
}

/* All weak references and proxies to an object: a new list, NULL without an exception. */
static PyObject *weak_references(PyObject *object)
{
	static PyObject *get;
	PyObject *module, *list;

	if (!get && (module = PyImport_ImportModule("_weakref"))) {
		get = PyObject_GetAttrString(module, "getweakrefs");
		Py_DecRef(module);
	}
	list = get ? PyObject_CallFunctionObjArgs(get, object, NULL) : NULL;
	PyErr_Clear();
	return list;
}

/* One that the host holds: does it call code of the workflow's, or is it a weakref.finalize, which may? */
static bool is_finaliser(const struct sg_graph *graph, PyObject *reference)
{
	PyObject *callback = sg_python_attribute_or_null(reference, "__callback__");
	bool is = callback && (is_named(callback, "finalize") || sg_graph_has(graph, callback));

	PyErr_Clear();
	sg_python_clear(&callback);
	return is;
}

/*
 * The pristine content keeps alive what a run lets go, so a weak reference of the image to one of its own objects would
 * not die when it should. Classes and functions are in cycles and die whenever the collector finds them. 0, or
 * -ENOTSUP.
 */
static int check_weak_references(const struct sg_graph *graph, const struct sg_graph_node *node)
{
	PyTypeObject *class = sg_cpython_type(node->object);
	const struct sg_graph_node *reference;
	PyObject *list;
	int error = 0;

	if (PyType_IsSubtype(class, &PyType_Type) || PyType_IsSubtype(class, &PyFunction_Type))
		return 0;
	list = weak_references(node->object);
	if (list && PyList_Size(list) > 0 && !sg_state_is_kept(node->object)) {
		for (Py_ssize_t i = 0; !error && i < PyList_Size(list); i++) {
			reference = sg_graph_find(graph, PyList_GetItem(list, i));
			if (reference)
				error = refuse_node(reference, "what it refers to would outlive the run that lets it go", class);
			else if (is_finaliser(graph, PyList_GetItem(list, i)))
				error = refuse_node(node, "what is to be called when a run lets it go would not be", class);
		}
	}
	sg_python_clear(&list);
	return error;
}

/*
 * The generator behind "with": modules enter such a context manager when they are imported, for a file that they need,
 * and leave it when the process ends. A workflow that leaves it is told so by the log.
 */
static bool is_entered(const struct sg_graph_node *generator)
{
	const struct sg_graph_node *owner = generator->parent;

	if (owner && is_named(owner->object, "dict"))
		owner = owner->parent;
	return is_named(generator->object, "generator") && owner && is_named(owner->object, "_GeneratorContextManager");
}

/* Until 3.10 a generator's frame is an object of its own. */
static bool is_frame_of_generator(const struct sg_graph_node *node)
{
	return is_named(node->object, "frame") && node->parent && is_named(node->parent->object, "generator");
}

static int add_node(struct sg_slots *slots, struct sg_graph *graph, const struct sg_graph_node *node)
{
	const struct sg_state_kind *kinds[SG_STATE_KINDS_MAX];
	int count = sg_state_kinds(node->object, kinds), error = 0;
	PyTypeObject *class = sg_cpython_type(node->object);

	if (count < 0 && is_frame_of_generator(node))
		return is_entered(node->parent) ? 0 : refuse_node(node->parent, NULL, NULL);
	if (count < 0 && is_entered(node))
		return sg_slots_add(slots, node->object, &sg_state_entered);
	if (count < 0)
		return refuse_node(node, NULL, NULL);
	if (has_destructor(graph, node->object))
		return refuse_node(node, "its destructor would not run when a run lets it go", class);
	error = check_weak_references(graph, node);
	for (int i = 0; i < count && !error; i++)
		error = sg_slots_add(slots, node->object, kinds[i]);
	return error ? error : add_own_dict(slots, graph, node->object);
}

static void log_too_large(PyObject *name)
{
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_WARN, "private"))
		return;
	sg_log_text(&line, "module", sg_python_text(name));
	sg_log_text(&line, "reason", "it leads to more than 2000000 objects");
	sg_log_text(&line, "effect", "each run executes the modules for itself");
	sg_log_text(&line, "setting", "SANDGLASS_PASSTHROUGH, for the module that holds them");
	sg_log_end(&line);
}

static int add_nodes(struct sg_slots *slots, struct sg_graph *graph)
{
	int error = 0;

	for (size_t i = 0; !error && i < graph->size; i++)
		if (graph->nodes[i] && !graph->nodes[i]->outside && !graph->nodes[i]->part)
			error = add_node(slots, graph, graph->nodes[i]);
	return error;
}

int sg_scan(struct sg_slots *slots, PyObject *modules, PyObject *name, size_t *ret_objects)
{
	int collecting = PyGC_Disable(), error;
	struct sg_graph graph;

	error = sg_graph_build(&graph, modules);
	if (error == -E2BIG)
		log_too_large(name);
	if (!error)
		error = add_nodes(slots, &graph);
	/* The table is state too: what a run imports late is only its own. */
	if (!error)
		error = sg_slots_add(slots, modules, &sg_state_dict);
	*ret_objects = graph.count;
	sg_graph_release(&graph);
	if (!error)
		error = sg_slots_seal(slots);
	if (collecting)
		PyGC_Enable();
	return error;
}
