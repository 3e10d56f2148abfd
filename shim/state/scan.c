#include "shim/state/scan.h"

#include "shim/base/log.h"
#include "shim/interpreter/cpython.h"
#include "shim/state/graph.h"
#include "shim/state/holders.h"
#include "shim/state/state.h"
#include "shim/state/state_kinds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct scan {
	struct sg_slots *slots;
	struct sg_graph graph;
	PyObject *const *own;   /* what of ours refers to the image's objects, NULL */
};

/* Which dict is its __dict__. The dict is a node, but for one that the graph does not lead to. */
static int add_own_dict(struct scan *scan, PyObject *object)
{
	PyTypeObject *type = sg_cpython_type(object);
	PyObject *dict;
	int error = 0;

	if (PyType_IsSubtype(type, &PyType_Type) || PyType_IsSubtype(type, &PyModule_Type))
		return 0;
	dict = PyObject_GenericGetDict(object, NULL);
	if (!dict) {
		PyErr_Clear(); /* it has none, or one of another make, such as a property */
		return 0;
	}
	if (!sg_graph_has(&scan->graph, dict) && sg_cpython_type(dict) == &PyDict_Type)
		error = sg_slots_add(scan->slots, dict, &sg_state_dict);
	if (!error && !PyType_IsSubtype(type, &PyFunction_Type))
		error = sg_slots_add(scan->slots, object, &sg_state_namespace);
	Py_DecRef(dict);
	return error;
}

/* says: what would be noticed when a run lets go of an object, of class kept; NULL: its type is not known. */
static int refuse_node(const struct scan *scan, const struct sg_graph_node *node, const char *says, PyTypeObject *kept)
{
	const char *type = sg_cpython_type_name(sg_state_type(node->object));
	char path[512], setting[384], class[256];
	struct sg_holders holders;
	struct sg_line line;

	sg_slots_free(scan->slots); /* its snapshots are none */
	if (sg_holders_of(&scan->graph, scan->own, node, &holders) < 0)
		PyErr_Clear();
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
	sg_log_text(&line, "holder", holders.who[0] ? holders.who : NULL);
	sg_log_text(&line, "reason", says ? says : "objects of this type cannot be saved");
	sg_log_text(&line, "effect", "each run executes the modules for itself");
	sg_log_text(&line, "setting", setting);
	sg_log_end(&line);
	return -ENOTSUP;
}

/* The class among the bases that says how its instances hash: borrowed, or NULL. */
static PyObject *hashing_class(PyTypeObject *type)
{
	static PyObject *hash, *mro;
	PyObject *(*get)(PyObject *, PyObject *) = PyType_GetSlot(&PyType_Type, Py_tp_getattro);
	PyObject *classes, *found = NULL;

	if (!hash)
		hash = PyUnicode_InternFromString("__hash__");
	if (!mro)
		mro = PyUnicode_InternFromString("__mro__");
	classes = hash && mro ? get((PyObject *)type, mro) : NULL;
	for (Py_ssize_t i = 0; classes && !found && i < PyTuple_Size(classes); i++) {
		PyTypeObject *class = (PyTypeObject *)PyTuple_GetItem(classes, i);

		if (!sg_cpython_is_c_class(class) && PyDict_GetItemWithError(sg_cpython_type_dict(class), hash))
			found = (PyObject *)class;
	}
	PyErr_Clear();
	sg_python_clear(&classes);
	return found;
}

/* Would a look for that key call a method of the workflow's? */
static bool hashes_by_own_code(const struct sg_graph *graph, PyObject *key)
{
	PyTypeObject *type = sg_cpython_type(key);
	PyObject *class = sg_cpython_is_c_class(type) ? NULL : hashing_class(type);

	if (class)
		return sg_graph_has(graph, class);
	for (Py_ssize_t i = 0; PyType_IsSubtype(type, &PyTuple_Type) && i < PyTuple_Size(key); i++)
		if (hashes_by_own_code(graph, PyTuple_GetItem(key, i)))
			return true;
	return false;
}

static bool has_own_hashes(const struct sg_graph *graph, PyObject *dict)
{
	PyObject *key, *value;
	Py_ssize_t position = 0;

	while (PyDict_Next(dict, &position, &key, &value))
		if (hashes_by_own_code(graph, key))
			return true;
	return false;
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
static int check_weak_references(const struct scan *scan, const struct sg_graph_node *node)
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
			reference = sg_graph_find(&scan->graph, PyList_GetItem(list, i));
			if (reference)
				error = refuse_node(scan, reference, "what it refers to would outlive the run that lets it go", class);
			else if (is_finaliser(&scan->graph, PyList_GetItem(list, i)))
				error = refuse_node(scan, node, "what is to be called when a run lets it go would not be", class);
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

/* xml.etree's TreeBuilder keeps a list whose end is not filled yet: a copy of that would crash. */
static bool has_holes(PyObject *list)
{
	Py_ssize_t i = 0, size = PyList_Size(list);

	while (i < size && PyList_GetItem(list, i))
		i++;
	return i < size;
}

static int add_node(struct scan *scan, const struct sg_graph_node *node)
{
	const struct sg_state_kind *kinds[SG_STATE_KINDS_MAX];
	int count = sg_state_kinds(node->object, kinds), error = 0;
	PyTypeObject *class = sg_cpython_type(node->object);

	if (count < 0 && is_frame_of_generator(node))
		return is_entered(node->parent) ? 0 : refuse_node(scan, node->parent, NULL, NULL);
	if (count < 0 && is_entered(node))
		return sg_slots_add(scan->slots, node->object, &sg_state_entered);
	if (node->doubtful && count)
		return refuse_node(scan, node, "a library that was imported meanwhile leads to it, too", NULL);
	if (count < 0)
		return refuse_node(scan, node, NULL, NULL);
	if (count > 0 && kinds[0] == &sg_state_list && has_holes(node->object))
		return refuse_node(scan, node->parent ? node->parent : node, "compiled code keeps a list in it that is not filled", NULL);
	if (has_destructor(&scan->graph, node->object))
		return refuse_node(scan, node, "its destructor would not run when a run lets it go", class);
	if (count > 0 && kinds[0]->hashes && has_own_hashes(&scan->graph, node->object))
		return refuse_node(scan, node, "a copy of it would call __hash__ of the workflow's", NULL);
	error = check_weak_references(scan, node);
	for (int i = 0; i < count && !error; i++)
		error = sg_slots_add(scan->slots, node->object, kinds[i]);
	return error ? error : add_own_dict(scan, node->object);
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

static int add_nodes(struct scan *scan)
{
	const struct sg_graph *graph = &scan->graph;
	int error = 0;

	for (size_t i = 0; !error && i < graph->size; i++)
		if (graph->nodes[i] && !graph->nodes[i]->part)
			error = add_node(scan, graph->nodes[i]);
	return error;
}

static int look_for_holders(const struct scan *scan, struct sg_scanned *scanned)
{
	struct sg_holders holders;

	if (sg_holders_find(&scan->graph, scan->own, &holders) < 0)
		return -1;
	scanned->exposed = holders.held;
	if (holders.held)
		sg_graph_path(holders.held, scanned->held, sizeof(scanned->held));
	snprintf(scanned->who, sizeof(scanned->who), "%s", holders.who);
	return 0;
}

int sg_scan(struct sg_slots *slots, PyObject *modules, PyObject *other, PyObject *const own[], PyObject *name,
		struct sg_scanned *ret_scanned)
{
	int collecting = PyGC_Disable(), error;
	struct scan scan = {slots, {NULL, 0, 0, false}, own};

	*ret_scanned = (struct sg_scanned){0};
	error = sg_graph_build(&scan.graph, modules, other);
	if (error == -E2BIG)
		log_too_large(name);
	if (!error)
		error = look_for_holders(&scan, ret_scanned); /* before snapshots refer to everything */
	if (!error)
		error = add_nodes(&scan);
	/* The table is state too: what a run imports late is only its own. */
	if (!error)
		error = sg_slots_add(slots, modules, &sg_state_dict);
	ret_scanned->objects = scan.graph.count;
	sg_graph_release(&scan.graph);
	if (!error)
		error = sg_slots_seal(slots);
	if (collecting)
		PyGC_Enable();
	return error;
}
