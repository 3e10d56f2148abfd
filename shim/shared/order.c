#include "shim/shared/order.h"

#include "shim/guard/arm.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/shared/subclasses.h"

typedef PyObject *(*unary)(PyObject *);
typedef PyObject *(*with_keywords)(PyObject *, PyObject *, PyObject *);

/* What a function of ours makes of an object, outside of the run. */
static PyObject *made_by(PyObject *function, PyObject *object)
{
	struct sg_context *token = sg_context_suspend();
	PyObject *made = PyObject_CallFunctionObjArgs(function, object, NULL);

	sg_context_leave(token);
	return made;
}

/* --- maps of messages --------------------------------------------------------------------------- */

#define MAPS 2 /* and as many functions that make bytes */

static struct map {
	PyTypeObject *class;
	unary iterate, repr;
} maps[MAPS];

static PyObject *sorted, *repr_of_dict;

static const struct map *map_of(PyObject *object)
{
	return &maps[sg_cpython_type(object) != maps[0].class];
}

static PyObject *iterate_map(PyObject *map)
{
	PyObject *iterator = map_of(map)->iterate(map), *ordered;

	if (!iterator || !sg_context_isolated())
		return iterator;
	ordered = made_by(sorted, iterator);
	Py_DecRef(iterator);
	return ordered;
}

static PyObject *repr_map(PyObject *map)
{
	return sg_context_isolated() ? made_by(repr_of_dict, map) : map_of(map)->repr(map);
}

/* --- bytes of messages -------------------------------------------------------------------------- */

static struct serializer {
	const char *name;
	PyMethodDef *def;
	with_keywords original;
} serializers[] = {{.name = "SerializeToString"}, {.name = "SerializePartialToString"}};
static PyObject *deterministic, *yes;

static PyObject *serialize_in_order(const struct serializer *serializer, PyObject *message, PyObject *args, PyObject *kwargs)
{
	PyObject *named = NULL, *bytes = NULL;

	if (!sg_context_isolated() || (kwargs && PyDict_GetItemWithError(kwargs, deterministic)))
		return serializer->original(message, args, kwargs);
	named = kwargs ? PyDict_Copy(kwargs) : PyDict_New();
	if (named && PyDict_SetItem(named, deterministic, yes) == 0)
		bytes = serializer->original(message, args, named);
	sg_python_clear(&named);
	return bytes;
}

static PyObject *serialize(PyObject *message, PyObject *args, PyObject *kwargs)
{
	return serialize_in_order(&serializers[0], message, args, kwargs);
}

static PyObject *serialize_partial(PyObject *message, PyObject *args, PyObject *kwargs)
{
	return serialize_in_order(&serializers[1], message, args, kwargs);
}

static const with_keywords serializing[] = {serialize, serialize_partial};

/* --- contexts ----------------------------------------------------------------------------------- */

static unary iterate_plain;
static PyTypeObject *context_class;

static struct view {
	const char *name;
	PyMethodDef *def;
	PyCFunction original;
	PyObject *ours; /* what makes one of the names, in order */
} views[] = {{.name = "keys"}, {.name = "values"}, {.name = "items"}};

static PyObject *view(struct view *view, PyObject *context)
{
	return sg_context_isolated() ? made_by(view->ours, context) : view->original(context, NULL);
}

static PyObject *iterate_context(PyObject *context)
{
	return sg_context_isolated() ? made_by(views[0].ours, context) : iterate_plain(context);
}

static PyObject *keys(PyObject *context, PyObject *unused)
{
	(void)unused;
	return view(&views[0], context);
}

static PyObject *values(PyObject *context, PyObject *unused)
{
	(void)unused;
	return view(&views[1], context);
}

static PyObject *items(PyObject *context, PyObject *unused)
{
	(void)unused;
	return view(&views[2], context);
}

static const PyCFunction viewing[] = {keys, values, items};

/* --- in place ----------------------------------------------------------------------------------- */

static PyMethodDef *find_method(PyTypeObject *class, const char *name, int flags)
{
	PyObject *method = sg_python_attribute_or_null((PyObject *)class, name);
	PyMethodDef *def = method ? sg_cpython_method_def(method) : NULL;

	sg_python_clear(&method);
	return def && def->ml_flags == flags && sg_cpython_writable(&def->ml_meth, sizeof(def->ml_meth)) ? def : NULL;
}

static bool writable(void **slot)
{
	return slot && *slot && sg_cpython_writable(slot, sizeof(*slot));
}

static void order_contexts(bool ours)
{
	*sg_cpython_iter_slot(context_class) = ours ? (void *)iterate_context : (void *)iterate_plain;
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		views[i].def->ml_meth = ours ? viewing[i] : views[i].original;
}

static bool find_contexts(PyObject *namespace)
{
	PyObject *class = sg_cpython_item(namespace, "Context");
	void **slot = class ? sg_cpython_iter_slot((PyTypeObject *)class) : NULL;

	if (!writable(slot))
		return false;
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		views[i].def = find_method((PyTypeObject *)class, views[i].name, METH_NOARGS);
		views[i].ours = sg_python_ref(sg_cpython_item(namespace, views[i].name));
		if (!views[i].def || !views[i].ours)
			return false;
		views[i].original = views[i].def->ml_meth;
	}
	iterate_plain = (unary)*slot;
	context_class = (PyTypeObject *)sg_python_ref(class);
	return true;
}

static void order_messages(bool ours)
{
	for (size_t i = 0; i < MAPS; i++) {
		*sg_cpython_iter_slot(maps[i].class) = ours ? (void *)iterate_map : (void *)maps[i].iterate;
		*sg_cpython_repr_slot(maps[i].class) = ours ? (void *)repr_map : (void *)maps[i].repr;
		serializers[i].def->ml_meth = (PyCFunction)(void *)(ours ? serializing[i] : serializers[i].original);
	}
}

static bool find_messages(PyObject *namespace)
{
	PyObject *classes = sg_cpython_item(namespace, "maps"), *message = sg_cpython_item(namespace, "Message");

	for (size_t i = 0; i < MAPS; i++) {
		PyTypeObject *class = (PyTypeObject *)PyList_GetItem(classes, (Py_ssize_t)i);

		if (!class || !writable(sg_cpython_iter_slot(class)) || !writable(sg_cpython_repr_slot(class)))
			return false;
		serializers[i].def = find_method((PyTypeObject *)message, serializers[i].name, METH_VARARGS | METH_KEYWORDS);
		if (!serializers[i].def)
			return false;
		serializers[i].original = (with_keywords)(void *)serializers[i].def->ml_meth;
		maps[i] = (struct map){(PyTypeObject *)sg_python_ref((PyObject *)class), (unary)*sg_cpython_iter_slot(class),
			(unary)*sg_cpython_repr_slot(class)};
	}
	return true;
}

/* What is found, what makes the answers, and what proves it: in a run by name and key, in the host the same as before. */
static const char *const SOURCE =
	"import sys\n"
	"from _contextvars import Context, ContextVar, copy_context\n"
	"from operator import attrgetter\n"
	"class Of: pass\n"
	"name, plain = attrgetter('name'), Context.__iter__\n"
	"def all_of(c): return sorted(plain(c), key=name)\n"
	"def keys(c): return iter(all_of(c))\n"
	"def values(c): return iter([c[v] for v in all_of(c)])\n"
	"def items(c): return iter([(v, c[v]) for v in all_of(c)])\n"
	"def sorted_iter(i): return iter(sorted(i))\n"
	"def repr_of_dict(m): return repr({k: m[k] for k in sorted_iter(m)})\n"
	"some = [ContextVar(c) for c in 'hgfedcba']\n"
	"def filled():\n"
	"    for v in some: v.set(v.name)\n"
	"    return copy_context()\n"
	"full = Context().run(filled)\n"
	"before = [v.name for v in full]\n"
	"def contexts():\n"
	"    ways = [[v.name for v in full], [v.name for v in full.keys()], list(full.values()), [v.name for v, w in full.items()]]\n"
	"    return all(w == [*'abcdefgh'] for w in ways) and len(full) == 8\n"
	"def contexts_of_host(): return [v.name for v in full] == before == list(full.values())\n"
	"known = sys.modules.get('google._upb._message')\n" /* also where messages are made of Python alone */
	"if known: from google.protobuf.struct_pb2 import Struct\n"
	"if known and not issubclass(Struct, known.Message): known = None\n"
	"if known:\n"
	"    Message = known.Message\n"
	"    found = {c.__name__: c for c in object.__subclasses__() if c.__module__ == known.__name__}\n"
	"    maps = [found['ScalarMapContainer'], found['MessageMapContainer']]\n"
	"    text = 'hgfedcba' * 2\n"
	"    message = Struct()\n"
	"    for i, c in enumerate(text): message.fields[c + str(i)].number_value = i\n"
	"    told, ordered = list(message.fields), message.SerializeToString(deterministic=True)\n"
	"    def messages():\n"
	"        m = message.fields\n"
	"        return (list(m) == [*m.keys()] == [k for k, v in m.items()] == sorted(told) and message.SerializeToString() == ordered and\n"
	"                message.SerializePartialToString() == ordered and repr(m) == repr({k: m[k] for k in sorted(told)}))\n"
	"    def messages_of_host(): return list(message.fields) == told\n";

static bool prove(PyObject *namespace, const char *in_a_run, const char *of_host)
{
	struct sg_run run = {.family = sg_subclasses_number()};
	bool proved = sg_context_try(&run, sg_cpython_item(namespace, in_a_run)) == 1 &&
		sg_cpython_call(sg_cpython_item(namespace, of_host)) == 1;

	PyErr_Clear();
	sg_python_clear(&run.classes);
	return proved;
}

static bool messages_are_ordered, contexts_are_ordered;

void sg_order_remove(void)
{
	if (contexts_are_ordered)
		order_contexts(false);
	if (messages_are_ordered)
		order_messages(false);
	contexts_are_ordered = messages_are_ordered = false;
}

void sg_order_install(void)
{
	PyObject *namespace = sg_subclasses_known ? sg_cpython_run(SOURCE, NULL, NULL) : NULL;
	bool has_messages = false, loaded;

	PyErr_Clear();
	deterministic = PyUnicode_InternFromString("deterministic");
	yes = PyBool_FromLong(1);
	if (namespace) {
		sorted = sg_python_ref(sg_cpython_item(namespace, "sorted_iter"));
		repr_of_dict = sg_python_ref(sg_cpython_item(namespace, "repr_of_dict"));
		has_messages = sg_cpython_item(namespace, "messages");
	}
	if (namespace && find_contexts(namespace)) {
		order_contexts(contexts_are_ordered = true);
		if (!prove(namespace, "contexts", "contexts_of_host"))
			order_contexts(contexts_are_ordered = false);
	}
	if (has_messages && find_messages(namespace)) {
		order_messages(messages_are_ordered = true);
		if (!prove(namespace, "messages", "messages_of_host"))
			order_messages(messages_are_ordered = false);
	}
	PyErr_Clear();
	loaded = namespace && sg_cpython_item(namespace, "known") != Py_None;
	if (!contexts_are_ordered)
		sg_arm_lacking("contextvars.Context.__iter__",
				"on this interpreter contexts cannot be put in order: they have another one on each worker");
	if (loaded && !messages_are_ordered)
		sg_arm_lacking("google.protobuf.message.Message.SerializeToString",
				"with this protobuf maps cannot be put in order: they have another one on each worker");
	sg_python_clear(&namespace);
}
