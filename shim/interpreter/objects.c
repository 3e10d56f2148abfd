#include "shim/interpreter/objects.h"

#include "shim/interpreter/cpython.h"
#include "shim/interpreter/function.h"
#include "shim/interpreter/layout.h"

#include <string.h>

struct sg_objects sg_objects;

PyObject **sg_objects_cell(PyObject *cell)
{
	return sg_objects.cells ? &sg_field(cell, cell_content) : NULL;
}

PyObject **sg_objects_registry(PyObject *abc_data)
{
	return sg_objects.registries ? &sg_field(abc_data, abc_registry) : NULL;
}

PyObject **sg_objects_partial(PyObject *partial)
{
	return sg_objects.partials ? &sg_field(partial, partial_function) : NULL;
}

PyObject **sg_objects_instance_dict(PyObject *object)
{
	if (!sg_objects.instance_dicts || !(PyType_GetFlags(sg_cpython_type(object)) & Py_TPFLAGS_MANAGED_DICT))
		return NULL;
	return &sg_field(object, object_dict);
}

bool sg_objects_locals_by_thread(void)
{
	return !sg_has(local_content);
}

PyObject **sg_objects_local_content(PyObject *stand_in)
{
	return sg_objects.locals ? &sg_field(stand_in, local_content) : NULL;
}

Py_ssize_t sg_objects_class_number(PyTypeObject *class, const char *name)
{
	PyObject *(*get)(PyObject *, PyObject *) = PyType_GetSlot(&PyType_Type, Py_tp_getattro);
	PyObject *key = PyUnicode_InternFromString(name), *value = key ? get((PyObject *)class, key) : NULL;
	Py_ssize_t number = value ? PyLong_AsLong(value) : 0;

	if (!value || PyErr_Occurred()) {
		PyErr_Clear();
		number = 0;
	}
	sg_python_clear(&value);
	sg_python_clear(&key);
	return number;
}

void sg_objects_function_words(Py_ssize_t *ret_weak, Py_ssize_t *ret_end)
{
	static Py_ssize_t weak, end;

	if (!end) {
		weak = sg_objects_class_number(&PyFunction_Type, "__weakrefoffset__");
		end = sg_function_vectorcall_offset();
	}
	*ret_weak = weak;
	*ret_end = end;
}

/* --- probes ------------------------------------------------------------------------------------ */

static const char *const SOURCE =
	"import _abc, _queue, _thread, functools\n"
	"content = object()\n"
	"def outer(content):\n"
	"    def inner(a: 1, b=2, *, c=3) -> 4:\n"
	"        'text'\n"
	"        return content\n"
	"    inner.mark = 1\n"
	"    return inner\n"
	"function = outer(content)\n"
	"cell = function.__closure__[0]\n"
	"arguments = (1, 2)\n"
	"partial = functools.partial(function, *arguments, b=3)\n"
	"keywords = partial.keywords\n"
	"class C: pass\n"
	"instance = C(); instance.x = 1\n"
	"namespace = instance.__dict__\n"
	"local = _thread._local(); local.x = 1\n"
	"in_local = local.__dict__\n"
	"class A: pass\n"
	"_abc._abc_init(A)\n"
	"data = A._abc_impl\n"
	"def register(): _abc._abc_register(A, C); return len(_abc._get_dump(A)[0])\n"
	"queue, item = _queue.SimpleQueue(), ['an item']\n"
	"queue.put(item)\n";

/* Has the object a word there? */
static bool is_inside(PyObject *object, long offset)
{
	return offset >= 0 && offset + (long)sizeof(PyObject *) <= sg_cpython_basicsize(sg_cpython_type(object));
}

static bool is_among(PyObject *word, PyObject *list)
{
	for (Py_ssize_t i = 0; i < PyList_Size(list); i++)
		if (PyList_GetItem(list, i) == word)
			return true;
	return false;
}

static bool function_is_told(PyObject *function)
{
	PyObject *referents = sg_cpython_referents(function);
	Py_ssize_t weak, end, found = 0;
	bool told = referents && sg_cpython.functions;

	sg_objects_function_words(&weak, &end);
	told = told && weak >= sg_at(object_fields) && weak < end;
	for (Py_ssize_t at = sg_at(object_fields); told && at < end; at += (Py_ssize_t)sizeof(PyObject *)) {
		PyObject *word = *(PyObject **)((char *)function + at);

		if (at == weak || !word)
			continue;
		found++;
		told = is_among(word, referents);
	}
	told = told && found >= 8; /* code, globals, names, defaults of both kinds, closure, dict, and what else there is */
	sg_python_clear(&referents);
	return told;
}

/* Empty as long as nothing is registered, then a set. */
static bool registry_is_told(PyObject *namespace, PyObject *data)
{
	PyObject *set;

	if (!is_inside(data, sg_at(abc_registry)) || sg_field(data, abc_registry) || sg_cpython_call(sg_cpython_item(namespace, "register")) != 1)
		return false;
	set = sg_field(data, abc_registry);
	return sg_cpython_readable(set, (size_t)sg_at(object_fields)) &&
	       strcmp(sg_cpython_type_name(sg_cpython_type(set)), "set") == 0 && PyObject_Size(set) == 1;
}

/* Of what it refers to one is a list that holds the item, which else would be there itself. */
static bool queue_has_list(PyObject *queue, PyObject *item)
{
	PyObject *referents = sg_cpython_referents(queue);
	bool has = referents && !is_among(item, referents);

	sg_python_clear(&referents);
	return has;
}

/* The content of a thread that has used it. */
static bool local_is_told(PyObject *local, PyObject *content)
{
	PyObject *threads = PyThreadState_GetDict ? PyThreadState_GetDict() : NULL;
	PyObject *key = threads ? PyUnicode_FromFormat("thread.local.%p", local) : NULL;
	PyObject *stand_in = key ? PyDict_GetItemWithError(threads, key) : NULL;

	sg_python_clear(&key);
	return stand_in && is_inside(stand_in, sg_at(local_content)) && sg_field(stand_in, local_content) == content;
}

static bool instance_dict_is_told(PyObject *instance, PyObject *dict)
{
	return sg_has(object_dict) && (PyType_GetFlags(sg_cpython_type(instance)) & Py_TPFLAGS_MANAGED_DICT) &&
	       sg_at(object_dict) < 0 && sg_cpython_readable((char *)instance + sg_at(object_dict), sizeof(PyObject *)) &&
	       sg_field(instance, object_dict) == dict;
}

void sg_objects_probe(void)
{
	PyObject *space = sg_cpython_run(SOURCE, NULL, NULL);
	PyObject *queue = sg_cpython_item(space, "queue"), *partial = sg_cpython_item(space, "partial");

	if (queue) { /* the last one: all are there */
		sg_objects.cells = is_inside(sg_cpython_item(space, "cell"), sg_at(cell_content)) &&
			sg_field(sg_cpython_item(space, "cell"), cell_content) == sg_cpython_item(space, "content");
		sg_objects.functions = function_is_told(sg_cpython_item(space, "function"));
		sg_objects.partials = sg_at(partial_arguments) == sg_at(partial_function) + (Py_ssize_t)sizeof(PyObject *) &&
			sg_at(partial_keywords) == sg_at(partial_arguments) + (Py_ssize_t)sizeof(PyObject *) &&
			sg_field(partial, partial_function) == sg_cpython_item(space, "function") &&
			PyObject_RichCompareBool(sg_field(partial, partial_arguments), sg_cpython_item(space, "arguments"), 2 /* Py_EQ */) == 1 &&
			sg_field(partial, partial_keywords) == sg_cpython_item(space, "keywords");
		sg_objects.instance_dicts = instance_dict_is_told(sg_cpython_item(space, "instance"), sg_cpython_item(space, "namespace"));
		sg_objects.registries = registry_is_told(space, sg_cpython_item(space, "data"));
		sg_objects.locals = sg_has(local_content) &&
			local_is_told(sg_cpython_item(space, "local"), sg_cpython_item(space, "in_local"));
		sg_objects.queue_lists = queue_has_list(queue, sg_cpython_item(space, "item"));
	}
	PyErr_Clear();
	sg_python_clear(&space);
}
