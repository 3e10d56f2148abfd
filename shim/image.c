#define _GNU_SOURCE
#include "shim/image.h"

#include "shim/containers.h"
#include "shim/cpython.h"
#include "shim/graph.h"
#include "shim/log.h"
#include "shim/modules.h"
#include "shim/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One aspect of one object whose content may change. */
struct slot {
	PyObject *object;              /* owned */
	const struct sg_state_kind *kind;
	PyObject *pristine;            /* snapshot */
	uint64_t tag;                  /* of a dict with the pristine content; 0: none */
};

struct sg_image {
	struct sg_image *next;         /* other lanes of the policy */
	struct sg_policy *policy;
	PyObject *modules;
	PyObject *before;              /* list: objects that were there before; until the scan */
	PyObject *generators;          /* seeded while it was executed */
	struct slot *slots;
	size_t count, size;
	void *lock;
	unsigned long holder;          /* thread that holds the lock */
	int depth;                     /* ... how often */
	struct timespec start;
};

/* What a run changed: (slot index, snapshot), in the order of the slots. */
struct sg_delta {
	size_t count;
	struct {
		size_t slot;
		PyObject *content;
	} entries[];
};

/* --- locking ----------------------------------------------------------------------------------- */

static bool try_lock(struct sg_image *image)
{
	unsigned long self = PyThread_get_thread_ident();

	/* An activation that creates or activates another run of the same image on the same thread nests. */
	if (image->holder == self)
		return false;
	if (!PyThread_acquire_lock(image->lock, 0))
		return false;
	image->holder = self;
	image->depth = 1;
	return true;
}

static void lock(struct sg_image *image)
{
	void *state;

	if (image->holder == PyThread_get_thread_ident()) {
		image->depth++;
		return;
	}
	if (try_lock(image))
		return;
	state = PyEval_SaveThread();
	PyThread_acquire_lock(image->lock, 1);
	PyEval_RestoreThread(state);
	image->holder = PyThread_get_thread_ident();
	image->depth = 1;
}

static void unlock(struct sg_image *image)
{
	if (--image->depth)
		return;
	image->holder = 0;
	PyThread_release_lock(image->lock);
}

/* --- making an image --------------------------------------------------------------------------- */

static PyObject *call_gc(const char *name)
{
	PyObject *gc = PyImport_ImportModule("gc"), *result = NULL;
	PyObject *function = gc ? PyObject_GetAttrString(gc, name) : NULL;

	if (function)
		result = PyObject_CallObject(function, NULL);
	sg_python_clear(&function);
	sg_python_clear(&gc);
	return result;
}

static void free_image(struct sg_image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		sg_python_clear(&image->slots[i].object);
		sg_python_clear(&image->slots[i].pristine);
	}
	free(image->slots);
	sg_python_clear(&image->modules);
	sg_python_clear(&image->before);
	sg_python_clear(&image->generators);
	if (image->lock)
		PyThread_free_lock(image->lock);
	free(image);
}

static struct sg_image *new_image(struct sg_policy *policy)
{
	struct sg_image *image = calloc(1, sizeof(*image));

	if (image) {
		clock_gettime(CLOCK_MONOTONIC, &image->start);
		image->policy = policy;
		image->lock = PyThread_allocate_lock();
		image->modules = sg_modules_new_table();
		image->before = call_gc("get_objects");
		if (image->lock && image->modules && image->before)
			return image;
		free_image(image);
	}
	if (!PyErr_Occurred())
		PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
	return NULL;
}

struct sg_image *sg_image_take(struct sg_policy *policy, bool *ret_new)
{
	struct sg_image *image;

	*ret_new = false;
	for (image = policy->images; image; image = image->next)
		if (try_lock(image))
			return image;
	image = new_image(policy);
	if (image) {
		*ret_new = true;
		lock(image);
	}
	return image;
}

PyObject *sg_image_modules(struct sg_image *image)
{
	return image->modules;
}

void sg_image_discard(struct sg_image *image)
{
	unlock(image);
	free_image(image);
}

/* --- the scan ---------------------------------------------------------------------------------- */

static int add_slot(struct sg_image *image, PyObject *object, const struct sg_state_kind *kind)
{
	PyObject *pristine = kind->save(object);
	struct slot *slot;

	if (!pristine)
		return -1;
	if (image->count == image->size) {
		size_t size = image->size ? 2 * image->size : 256;
		struct slot *slots = realloc(image->slots, size * sizeof(*slots));

		if (!slots) {
			Py_DecRef(pristine);
			PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
			return -1;
		}
		image->slots = slots;
		image->size = size;
	}
	slot = &image->slots[image->count++];
	*slot = (struct slot){sg_python_ref(object), kind, pristine, 0};
	return 0;
}

/* Functions and instances of Python classes have a dict that may not exist yet: it is made, to be watched. */
static int add_own_dict(struct sg_image *image, struct sg_graph *graph, PyObject *object)
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
		error = add_slot(image, dict, &sg_state_dict);
	if (!error && !PyType_IsSubtype(type, &PyFunction_Type))
		error = add_slot(image, object, &sg_state_namespace);
	Py_DecRef(dict);
	return error;
}

static int refuse_node(const struct sg_graph_node *node)
{
	char path[512];
	struct sg_line line;

	if (sg_log_begin(&line, SG_LOG_WARN, "private")) {
		sg_graph_path(node, path, sizeof(path));
		sg_log_text(&line, "object", path);
		sg_log_text(&line, "type", sg_cpython_type_name(sg_cpython_type(node->object)));
		sg_log_text(&line, "reason", "its content cannot be saved, so each run executes the modules");
		sg_log_end(&line);
	}
	return -ENOTSUP;
}

/*
 * The pristine content keeps alive what a run lets go, so a weak reference of the image to one of its own objects
 * would not die when it should.
 */
static bool is_weak_to_own(const struct sg_graph *graph, PyObject *object)
{
	PyObject *target;
	bool own;

	if (strncmp(sg_cpython_type_name(sg_cpython_type(object)), "weakref", 7) != 0 &&
	    !PyType_IsSubtype(sg_cpython_type(object), &_PyWeakref_RefType))
		return false;
	target = PyObject_CallObject(object, NULL);
	PyErr_Clear();
	own = target && sg_graph_has(graph, target) &&
		!PyType_IsSubtype(sg_cpython_type(target), &PyType_Type) &&
		!PyType_IsSubtype(sg_cpython_type(target), &PyFunction_Type);
	sg_python_clear(&target);
	return own;
}

static int add_node(struct sg_image *image, struct sg_graph *graph, const struct sg_graph_node *node)
{
	const struct sg_state_kind *kinds[SG_STATE_KINDS_MAX];
	int count = sg_state_kinds(node->object, kinds), error = 0;

	if (count < 0 || is_weak_to_own(graph, node->object))
		return refuse_node(node);
	for (int i = 0; i < count && !error; i++)
		error = add_slot(image, node->object, kinds[i]);
	return error ? error : add_own_dict(image, graph, node->object);
}

static void log_image(const struct sg_image *image, size_t objects)
{
	struct timespec end;
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_INFO, "image"))
		return;
	clock_gettime(CLOCK_MONOTONIC, &end);
	sg_log_text(&line, "module", sg_python_text(image->policy->workflow_module));
	sg_log_number(&line, "modules", PyDict_Size(image->modules));
	sg_log_number(&line, "objects", (int64_t)objects);
	sg_log_number(&line, "containers", (int64_t)image->count);
	sg_log_number(&line, "milliseconds", (end.tv_sec - image->start.tv_sec) * 1000 +
			(end.tv_nsec - image->start.tv_nsec) / 1000000);
	sg_log_end(&line);
}

static void note_tags(struct sg_image *image)
{
	for (size_t i = 0; i < image->count; i++)
		if (image->slots[i].kind == &sg_state_dict &&
		    (sg_containers.instance_tags || !sg_containers_dict_is_split(image->slots[i].object)))
			image->slots[i].tag = sg_containers_dict_tag(image->slots[i].object);
}

/* The image is given up; the run keeps the table. */
static int give_up(struct sg_image *image, int answer)
{
	image->policy->unshareable = true;
	sg_image_discard(image);
	return answer;
}

int sg_image_scan(struct sg_image *image, struct sg_run *run)
{
	struct sg_graph graph;
	size_t objects;
	PyObject *collected;
	int error;

	/* Cyclic garbage of the import (a class that a decorator replaced) would count as somebody's references. */
	collected = call_gc("collect");
	if (!collected)
		return give_up(image, -1);
	Py_DecRef(collected);
	error = sg_graph_build(&graph, image->modules, image->before);

	for (size_t i = 0; !error && i < graph.size; i++)
		if (graph.nodes[i] && !graph.nodes[i]->outside && !graph.nodes[i]->part)
			error = add_node(image, &graph, graph.nodes[i]);
	/* The table is state too: what a run imports late is only its own. */
	if (!error)
		error = add_slot(image, image->modules, &sg_state_dict);
	objects = graph.count;
	sg_graph_release(&graph);
	sg_python_clear(&image->before);
	if (error)
		return give_up(image, PyErr_Occurred() ? -1 : 0);
	note_tags(image);
	/* Generators that the modules seeded are good for every run. */
	image->generators = run->generators;
	run->generators = NULL;
	run->image_generators = image->generators;
	image->next = image->policy->images;
	image->policy->images = image;
	log_image(image, objects);
	return 1;
}

/* --- activations ------------------------------------------------------------------------------- */

static bool unchanged(const struct slot *slot)
{
	int same;

	if (slot->tag && slot->tag == sg_containers_dict_tag(slot->object))
		return true;
	same = slot->kind->same(slot->object, slot->pristine);
	if (same < 0)
		PyErr_Clear();
	return same == 1;
}

static void log_lost(const struct slot *slot, const char *what)
{
	struct sg_line line;

	PyErr_Clear();
	if (!sg_log_begin(&line, SG_LOG_ERROR, "lost"))
		return;
	sg_log_text(&line, "what", what);
	sg_log_text(&line, "kind", slot->kind->name);
	sg_log_text(&line, "type", sg_cpython_type_name(sg_cpython_type(slot->object)));
	sg_log_end(&line);
}

static void free_delta(struct sg_delta *delta)
{
	for (size_t i = 0; delta && i < delta->count; i++)
		sg_python_clear(&delta->entries[i].content);
	free(delta);
}

void sg_image_forget(struct sg_run *run)
{
	free_delta(run->delta);
	run->delta = NULL;
}

void sg_image_enter(struct sg_image *image, struct sg_run *run)
{
	struct sg_delta *delta = run->delta;

	lock(image);
	for (size_t i = 0; delta && i < delta->count; i++) {
		struct slot *slot = &image->slots[delta->entries[i].slot];

		if (slot->kind->restore(slot->object, delta->entries[i].content) < 0)
			log_lost(slot, "the run's content could not be put in place");
	}
	run->image_generators = image->generators;
}

static struct sg_delta *add_entry(struct sg_delta *delta, size_t slot, PyObject *content)
{
	size_t count = delta ? delta->count : 0;
	struct sg_delta *grown = delta;

	/* Sizes 1, 2, 4, 8 ...: most deltas are small. */
	if ((count & (count - 1)) == 0)
		grown = realloc(delta, sizeof(*delta) + (count ? 2 * count : 1) * sizeof(delta->entries[0]));
	if (!grown) {
		sg_python_clear(&content);
		return delta;
	}
	grown->count = count + 1;
	grown->entries[count].slot = slot;
	grown->entries[count].content = content;
	return grown;
}

static void log_delta(const struct sg_image *image, const struct sg_run *run)
{
	struct sg_line line;

	if (!run->delta || !sg_log_begin(&line, SG_LOG_TRACE, "delta"))
		return;
	sg_log_text(&line, "workflow_id", run->workflow_id ? sg_python_text(run->workflow_id) : NULL);
	sg_log_number(&line, "containers", (int64_t)run->delta->count);
	for (size_t i = 0; i < run->delta->count && i < 16; i++) {
		const struct slot *slot = &image->slots[run->delta->entries[i].slot];

		sg_log_text(&line, slot->kind->name, sg_cpython_type_name(sg_cpython_type(slot->object)));
	}
	sg_log_end(&line);
}

void sg_image_leave(struct sg_image *image, struct sg_run *run)
{
	struct sg_delta *old = run->delta;
	PyObject *type, *value, *traceback, *content;

	PyErr_Fetch(&type, &value, &traceback);
	run->delta = NULL;
	/* First everything is saved, then everything is put back: nothing is destroyed in between. */
	for (size_t i = 0; i < image->count; i++) {
		struct slot *slot = &image->slots[i];

		if (unchanged(slot))
			continue;
		content = slot->kind->save(slot->object);
		if (content)
			run->delta = add_entry(run->delta, i, content);
		else
			log_lost(slot, "the run's content could not be saved");
	}
	for (size_t i = 0; run->delta && i < run->delta->count; i++) {
		struct slot *slot = &image->slots[run->delta->entries[i].slot];

		if (slot->kind->restore(slot->object, slot->pristine) < 0)
			log_lost(slot, "the pristine content could not be put back");
		if (slot->tag)
			slot->tag = sg_containers_dict_tag(slot->object);
	}
	log_delta(image, run);
	unlock(image);
	/* May run destructors of what the run dropped: outside the lock. */
	free_delta(old);
	PyErr_Restore(type, value, traceback);
}
