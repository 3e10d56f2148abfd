#include "shim/state/holders.h"

#include "shim/interpreter/cpython.h"
#include "shim/state/age.h"
#include "shim/state/state.h"

#include <stdio.h>
#include <string.h>

/* --- which references count ---------------------------------------------------------------------- */

static bool is_tuple(PyObject *object)
{
	const char *name = sg_cpython_type_name(sg_state_type(object));

	return strcmp(name, "tuple") == 0 || strcmp(name, "frozenset") == 0;
}

static bool has_prefix(PyObject *object, const char *prefix)
{
	return strncmp(sg_cpython_type_name(sg_cpython_type(object)), prefix, strlen(prefix)) == 0;
}

/* What typing makes of a class: List[Order]. It is kept in caches, from which only who has the class gets it. */
static bool is_of_typing(PyObject *object)
{
	static PyObject *key;
	PyTypeObject *type = sg_cpython_type(object);
	PyObject *module;

	if (!key)
		key = PyUnicode_InternFromString("__module__");
	if (!key || has_prefix(object, "typing.") || has_prefix(object, "types.GenericAlias") ||
	    has_prefix(object, "types.UnionType"))
		return true;
	if (sg_cpython_is_c_class(type))
		return false;
	module = PyDict_GetItemWithError(sg_cpython_type_dict(type), key);
	return module && strcmp(sg_python_text(module), "typing") == 0;
}

/* Until 3.12 such an object has a dict that the collector tells of for itself. */
static bool is_dict_of_typing(PyObject *object)
{
	static PyObject *key;

	if (!key)
		key = PyUnicode_InternFromString("__origin__");
	return key && sg_cpython_type(object) == &PyDict_Type && PyDict_GetItemWithError(object, key);
}

static bool is_cache(PyObject *object)
{
	return has_prefix(object, "functools._lru") || has_prefix(object, "functools._lru_list_elem");
}

static bool is_frame(PyObject *object)
{
	return has_prefix(object, "frame") || has_prefix(object, "generator") || has_prefix(object, "coroutine");
}

/* Are the object's references from elsewhere of interest only when somebody is known who has one? */
static bool needs_a_holder(PyObject *object)
{
	return sg_cpython_is_class(object) || is_tuple(object) || PyType_IsSubtype(sg_cpython_type(object), &PyModule_Type);
}

static bool of_no_interest(PyObject *object)
{
	return is_of_typing(object) || is_cache(object) || has_prefix(object, "weakref");
}

static bool counts(PyObject *holder, PyObject *object)
{
	if (!needs_a_holder(object))
		return true;
	return !is_tuple(holder) && !is_cache(holder) && !is_frame(holder) && !is_of_typing(holder) &&
	       !is_dict_of_typing(holder);
}

/* --- the walk ------------------------------------------------------------------------------------ */

struct search {
	const struct sg_graph *graph;
	PyObject *const *own;
	struct sg_addresses of_typing;    /* what typing keeps for itself */
	int depth;                        /* ... while that is looked for */
	const struct sg_graph_node *only; /* NULL: any */
	PyObject *holder;                 /* that is being asked */
	bool ours;                        /* ... and is of no interest */
	const struct sg_graph_node *found;
	PyObject *found_holder;
};

static int look_at(PyObject *object, void *argument)
{
	struct search *search = argument;
	struct sg_graph_node *node = sg_graph_find(search->graph, object);

	if (!node || !node->held)
		return 0;
	node->told++;
	if (search->found || search->ours || (search->only && node != search->only) || of_no_interest(object) ||
	    !counts(search->holder, object))
		return 0;
	search->found = node;
	search->found_holder = search->holder;
	return 0;
}

static bool is_ours(const struct search *search, PyObject *object)
{
	for (size_t i = 0; search->own[i]; i++)
		if (object == search->own[i])
			return true;
	return sg_addresses_has(&search->of_typing, object);
}

/* What typing.overload remembers (3.11) is nothing that anybody calls: dicts in dicts of functions, and their defaults. */
#define OVERLOADS_DEPTH 6

static int note_overload(PyObject *object, void *argument)
{
	struct search *search = argument;
	PyTypeObject *type = sg_cpython_type(object);
	bool is_dict = PyType_IsSubtype(type, &PyDict_Type) && !sg_python_module_name(object);
	int error = 0;

	if (!is_dict && !is_tuple(object) && !PyType_IsSubtype(type, &PyFunction_Type) &&
	    !has_prefix(object, "staticmethod") && !has_prefix(object, "classmethod"))
		return 0;
	if (sg_addresses_add(&search->of_typing, object) < 0)
		return -1;
	if (search->depth++ < OVERLOADS_DEPTH)
		error = sg_age_traverse(object, note_overload, search);
	search->depth--;
	return error;
}

static int note_key(PyObject *object, void *argument)
{
	struct search *search = argument;

	return is_tuple(object) && sg_addresses_add(&search->of_typing, object) < 0 ? -1 : 0;
}

/* The keys of its caches, which it lists by their cache_clear. */
static void find_keys(struct search *search)
{
	PyObject *cleanups = sg_python_imported("typing", "_cleanups");

	for (Py_ssize_t i = 0; cleanups && i < PyList_Size(cleanups); i++) {
		PyObject *cache = sg_python_attribute_or_null(PyList_GetItem(cleanups, i), "__self__");

		if (cache && is_cache(cache))
			sg_age_traverse(cache, note_key, search);
		sg_python_clear(&cache);
	}
	PyErr_Clear();
	sg_python_clear(&cleanups);
}

static void find_overloads(struct search *search)
{
	PyObject *registry = sg_python_imported("typing", "_overload_registry");

	if (registry && PyType_IsSubtype(sg_cpython_type(registry), &PyDict_Type))
		note_overload(registry, search);
	sg_python_clear(&registry);
}

static int search_in(PyObject *holder, void *argument)
{
	struct search *search = argument;

	/* The references of nodes and of the table are edges. */
	if (holder == search->own[0] || sg_graph_has(search->graph, holder))
		return 0;
	search->holder = holder;
	search->ours = is_ours(search, holder);
	sg_age_traverse(holder, look_at, search);
	return 0;
}

/* --- names --------------------------------------------------------------------------------------- */

struct owner_search {
	PyObject *object, *owner;
	bool found;
};

static int is_it(PyObject *object, void *argument)
{
	struct owner_search *search = argument;

	search->found = object == search->object;
	return search->found;
}

static int owns(PyObject *holder, void *argument)
{
	struct owner_search *search = argument;

	if (holder == search->object || is_frame(holder))
		return 0;
	sg_age_traverse(holder, is_it, search);
	if (search->found)
		search->owner = holder;
	return search->found;
}

/* An object that refers to this one, other than frames: borrowed, or NULL. */
static PyObject *owner_of(PyObject *object)
{
	struct owner_search search = {object, NULL, false};

	if (sg_age_visit_everything(owns, &search) < 0)
		PyErr_Clear();
	return search.owner;
}

static bool is_own_dict(PyObject *dict, PyObject *owner)
{
	PyObject *own;
	bool is;

	if (sg_cpython_type(dict) != &PyDict_Type || !owner)
		return false;
	if (sg_cpython_is_class(owner))
		return sg_cpython_type_dict((PyTypeObject *)owner) == dict;
	if (sg_cpython_is_c_class(sg_cpython_type(owner)))
		return false;
	own = PyObject_GenericGetDict(owner, NULL);
	is = own == dict;
	PyErr_Clear();
	sg_python_clear(&own);
	return is;
}

#define STEPS_MAX 5

/* "list in dict in module logging": from what refers to it to a module, class or instance of a Python class. */
static void describe(PyObject *holder, char *text, size_t size)
{
	size_t length = 0;

	for (int step = 0; holder && step < STEPS_MAX && length < size; step++) {
		PyTypeObject *type = sg_cpython_type(holder);
		PyObject *name = type == &PyDict_Type ? sg_python_module_name(holder) : NULL;
		bool class = sg_cpython_is_class(holder), last = name || class || !sg_cpython_is_c_class(type);
		PyObject *owner = last ? NULL : owner_of(holder);
		char own[256];

		if (is_own_dict(holder, owner)) {
			holder = owner;
			continue;
		}
		if (name)
			snprintf(own, sizeof(own), "module %s", sg_python_text(name));
		else if (last)
			sg_state_class_name(class ? (PyTypeObject *)holder : type, own, sizeof(own));
		else
			snprintf(own, sizeof(own), "%s", sg_cpython_type_name(type));
		length += (size_t)snprintf(text + length, size - length, "%s%s", length ? " in " : "", own);
		holder = owner;
	}
}

/* --- asked from outside -------------------------------------------------------------------------- */

static bool asks_for_holders(const struct sg_graph *graph)
{
	for (size_t i = 0; i < graph->size; i++)
		if (graph->nodes[i] && graph->nodes[i]->held && !of_no_interest(graph->nodes[i]->object))
			return true;
	return false;
}

/* One with references that nobody tells of. */
static const struct sg_graph_node *find_hidden(const struct sg_graph *graph)
{
	for (size_t i = 0; i < graph->size; i++) {
		const struct sg_graph_node *node = graph->nodes[i];

		if (node && node->held > node->told && !of_no_interest(node->object) && !needs_a_holder(node->object))
			return node;
	}
	return NULL;
}

static int find(struct search *search, struct sg_holders *holders)
{
	const struct sg_graph_node *hidden;

	int error;

	find_overloads(search);
	find_keys(search);
	error = sg_age_visit_everything(search_in, search);
	sg_addresses_free(&search->of_typing);
	if (error < 0)
		return -1;
	hidden = search->only ? search->only : find_hidden(search->graph);
	holders->held = search->found ? search->found : hidden;
	if (search->found)
		describe(search->found_holder, holders->who, sizeof(holders->who));
	else if (hidden && !needs_a_holder(hidden->object))
		snprintf(holders->who, sizeof(holders->who), "compiled code");
	return 0;
}

int sg_holders_find(const struct sg_graph *graph, PyObject *const own[], struct sg_holders *holders)
{
	struct search search = {.graph = graph, .own = own};

	*holders = (struct sg_holders){NULL, ""};
	return asks_for_holders(graph) ? find(&search, holders) : 0;
}

int sg_holders_of(const struct sg_graph *graph, PyObject *const own[], const struct sg_graph_node *node,
		struct sg_holders *holders)
{
	struct search search = {.graph = graph, .own = own, .only = node};

	*holders = (struct sg_holders){node, ""};
	return node->held ? find(&search, holders) : 0;
}
