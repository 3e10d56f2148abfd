#include "shim/guard/undo.h"

#include "shim/base/log.h"
#include "shim/guard/turn.h"
#include "shim/interpreter/cpython.h"
#include "shim/run/context.h"
#include "shim/run/policy.h"

#include <stdlib.h>
#include <string.h>

/* What is to be put back: an attribute, or what a function that undoes a call has to do. */
struct note {
	struct note *next;
	PyObject *target, *name;
	PyObject *before, *after; /* NULL: no such attribute */
	PyObject *undo;           /* of a call: a callable without arguments; the rest is NULL */
	PyObject *changed;        /* ... that is yet to be judged: is what it changed still changed? */
	PyObject *setting;        /* ... the same object for all rules that are about one setting */
	const struct sg_rule *rule;
	PyObject *code;           /* where it was called */
	int line;
};

static __thread struct note *notes;

/*
 * f(rule) -> None, or g(arguments), which looks at what is there and answers with the function that puts it back. In Python,
 * since all of it is Python's own: read, call, put back.
 */
static PyObject *saver_of;

static const char *const SOURCE =
	"def state(get, put):\n"
	"    def save(m, a):\n"
	"        v = get(m)\n"
	"        def undo():\n"
	"            if get(m) != v: put(m, v)\n"
	"        undo.changed, undo.setting = lambda: get(m) != v, save\n"
	"        return undo\n"
	"    return save\n"
	"def table(get):\n"
	"    def save(m, a):\n"
	"        d = get(m)\n"
	"        v = dict(d)\n"
	"        def undo():\n"
	"            for k in [k for k in d if k not in v]: del d[k]\n"
	"            for k in v:\n"
	"                if k not in d or d[k] is not v[k]: d[k] = v[k]\n"
	"        return undo\n"
	"    return save\n"
	"def items(get, after=lambda m: None):\n"
	"    def save(m, a):\n"
	"        x = get(m)\n"
	"        v = list(x)\n"
	"        def undo():\n"
	"            now = get(m)\n"
	"            if now is x and v != now:\n"
	"                now[:] = v\n"
	"                after(m)\n"
	"        return undo\n"
	"    return save\n"
	"def dialects(m, a):\n"
	"    v = {n: m.get_dialect(n) for n in m.list_dialects()}\n"
	"    def undo():\n"
	"        for n in m.list_dialects():\n"
	"            if n not in v: m.unregister_dialect(n)\n"
	"        for n in v:\n"
	"            if n not in m.list_dialects() or m.get_dialect(n) is not v[n]: m.register_dialect(n, v[n])\n"
	"    return undo\n"
	"def error_handler(m, a):\n"
	"    try:\n"
	"        old = m.lookup_error(a[0])\n"
	"    except LookupError:\n"
	"        old = None\n"
	"    def undo():\n"
	"        if old: m.register_error(a[0], old)\n"
	"        elif hasattr(m, '_unregister_error'): m._unregister_error(a[0])\n"
	"    return undo\n"
	"def level_names(m, a):\n"
	"    return both(table(lambda m: m._levelToName), table(lambda m: m._nameToLevel))(m, a)\n"
	"def both(*saves):\n"
	"    def save(m, a):\n"
	"        undos = [s(m, a) for s in saves]\n"
	"        def undo():\n"
	"            for u in undos: u()\n"
	"        return undo\n"
	"    return save\n"
	"def logger(m, a):\n"
	"    l = a[0]\n"
	"    v = l.level, l.handlers[:], l.filters[:]\n"
	"    def undo():\n"
	"        if l.level != v[0]: l.setLevel(v[0])\n"
	"        if l.handlers != v[1]: l.handlers[:] = v[1]\n"
	"        if l.filters != v[2]: l.filters[:] = v[2]\n"
	"    return undo\n"
	"def by(undo):\n"
	"    return lambda m, a: lambda: undo(m, a)\n"
	"def pair(name):\n"
	"    return state(lambda m: getattr(m, 'get' + name)(), lambda m, v: getattr(m, 'set' + name)(v))\n"
	"def mutated(m):\n"
	"    if not hasattr(m, '_filters_mutated_lock_held'): return m._filters_mutated()\n"
	"    with m._lock: m._filters_mutated_lock_held()\n"
	"filters = items(lambda m: m.filters, mutated)\n"
	"collecting = state(lambda m: m.isenabled(), lambda m, v: m.enable() if v else m.disable())\n"
	"rules = {\n"
	"    'gc.enable': collecting, 'gc.disable': collecting,\n"
	"    'gc.set_threshold': state(lambda m: m.get_threshold(), lambda m, v: m.set_threshold(*v)),\n"
	"    'gc.set_debug': state(lambda m: m.get_debug(), lambda m, v: m.set_debug(v)),\n"
	"    'gc.freeze': by(lambda m, a: m.unfreeze()),\n"
	"    'sys.setswitchinterval': pair('switchinterval'), 'sys.setrecursionlimit': pair('recursionlimit'),\n"
	"    'sys.set_int_max_str_digits': pair('_int_max_str_digits'),\n"
	"    'sys.setdlopenflags': pair('dlopenflags'),\n"
	"    'sys.setprofile': state(lambda m: m.getprofile(), lambda m, v: m.setprofile(v)),\n"
	"    'sys.settrace': state(lambda m: m.gettrace(), lambda m, v: m.settrace(v)),\n"
	"    'sys.set_asyncgen_hooks': state(lambda m: m.get_asyncgen_hooks(), lambda m, v: m.set_asyncgen_hooks(*v)),\n"
	"    'sys.set_coroutine_origin_tracking_depth': pair('_coroutine_origin_tracking_depth'),\n"
	"    'threading.setprofile': state(lambda m: m._profile_hook, lambda m, v: m.setprofile(v)),\n"
	"    'threading.settrace': state(lambda m: m._trace_hook, lambda m, v: m.settrace(v)),\n"
	"    'csv.register_dialect': dialects, 'csv.unregister_dialect': dialects,\n"
	"    'csv.field_size_limit': state(lambda m: m.field_size_limit(), lambda m, v: m.field_size_limit(v)),\n"
	"    'codecs.register': by(lambda m, a: m.unregister(a[0])),\n"
	"    'codecs.register_error': error_handler,\n"
	"    'copyreg.pickle': table(lambda m: m.dispatch_table),\n"
	"    'copyreg.add_extension': by(lambda m, a: m.remove_extension(*a[:3])),\n"
	"    'sqlite3.register_adapter': table(lambda m: m.adapters),\n"
	"    'sqlite3.register_converter': table(lambda m: m.converters),\n"
	"    'atexit.register': by(lambda m, a: m.unregister(a[0])),\n"
	"    'socket.setdefaulttimeout': pair('defaulttimeout'),\n"
	"    'warnings.simplefilter': filters, 'warnings.filterwarnings': filters, 'warnings.resetwarnings': filters,\n"
	"    'logging.addLevelName': level_names, 'logging.setLoggerClass': pair('LoggerClass'),\n"
	"    'logging.setLogRecordFactory': pair('LogRecordFactory'),\n"
	"    'logging.captureWarnings': state(lambda m: m._warnings_showwarning is not None, lambda m, v: m.captureWarnings(v)),\n"
	"    'logging.disable': state(lambda m: m.root.manager.disable, lambda m, v: m.disable(v)),\n"
	"    'logging.Logger.setLevel': logger, 'logging.Logger.addHandler': logger, 'logging.Logger.removeHandler': logger,\n"
	"    'logging.Filterer.addFilter': logger, 'logging.Filterer.removeFilter': logger,\n"
	"    'logging.basicConfig': lambda m, a: logger(m, [m.root]),\n"
	"    'calendar.setfirstweekday': state(lambda m: m.firstweekday(), lambda m, v: m.setfirstweekday(v)),\n"
	"    'numpy.set_printoptions': state(lambda m: m.get_printoptions(), lambda m, v: m.set_printoptions(**v)),\n"
	"    'sklearn.set_config': state(lambda m: m.get_config(), lambda m, v: m.set_config(**v)),\n"
	"}\n"
	"import sys\n"
	"def nested(d):\n"
	"    return {k: nested(v) if type(v) is dict else v for k, v in d.items()}\n"
	"def nested_put(d, v):\n"
	"    for k in v:\n"
	"        if type(v[k]) is dict: nested_put(d[k], v[k])\n"
	"        else: d[k] = v[k]\n"
	"options = lambda: sys.modules['pandas']._config.config._global_config\n"
	"pandas = state(lambda m: nested(options()), lambda m, v: nested_put(options(), v))\n"
	"def shown(m):\n"
	"    return [m.showwarning, m._showwarnmsg_impl, m.filters, m.filters[:]]\n"
	"def show(m, v):\n"
	"    m.showwarning, m._showwarnmsg_impl, m.filters = v[:3]\n"
	"    m.filters[:] = v[3]\n"
	"    mutated(m)\n"
	"rules['warnings.catch_warnings.__enter__'] = state(shown, show)\n"
	"def polars_now(m):\n"
	"    runtime = getattr(m.config, '_snapshot_runtime_vars', dict)()\n"
	"    return m.Config.save(), runtime\n"
	"def polars_put(m, v):\n"
	"    m.Config.load(v[0])\n"
	"    getattr(m.config, '_restore_runtime_vars', bool)(v[1])\n"
	"polars = state(lambda m: polars_now(sys.modules['polars']), lambda m, v: polars_put(sys.modules['polars'], v))\n"
	"def yaml(m, a):\n"
	"    m = sys.modules['yaml']\n"
	"    def tables(c):\n"
	"        return {n: t for n, t in vars(c).items() if n.startswith('yaml_') and type(t) is dict}\n"
	"    def copy(t):\n"
	"        return {k: v[:] if type(v) is list else v for k, v in t.items()}\n"
	"    classes = {c for c in [*vars(m).values(), *a] if isinstance(c, type)}\n"
	"    v = {c: {n: (t, copy(t)) for n, t in tables(c).items()} for c in classes}\n"
	"    def undo():\n"
	"        for c in v:\n"
	"            for n, t in tables(c).items():\n"
	"                if n not in v[c]: delattr(c, n)\n"
	"                elif t is v[c][n][0] and t != v[c][n][1]:\n"
	"                    t.clear()\n"
	"                    t.update(v[c][n][1])\n"
	"    return undo\n"
	"def find(rule):\n"
	"    if rule.startswith('yaml.'): return yaml\n"
	"    if rule.startswith(('polars.Config', 'polars._plr.set_')): return polars\n"
	"    if rule.startswith('pandas.') and 'option' in rule or rule == 'pandas.set_eng_float_format': return pandas\n"
	"    return rules.get(rule)\n"
	"def saver(rule):\n"
	"    save = find(rule)\n"
	"    if not save: return None\n"
	"    name = rule.rpartition('.')[0]\n"
	"    while name and name not in sys.modules: name = name.rpartition('.')[0]\n"
	"    return lambda arguments: save(sys.modules[name], arguments)\n";

/* In modes that only watch, what a worker does is left as it is. */
static bool undoes(void)
{
	return sg_config_refuses(sg_policy_config);
}

static struct note *add_note(void)
{
	struct note *note = undoes() ? calloc(1, sizeof(*note)) : NULL;

	if (!note)
		return NULL;
	note->next = notes;
	notes = note;
	return note;
}

static void free_note(struct note *note)
{
	sg_python_clear(&note->target);
	sg_python_clear(&note->name);
	sg_python_clear(&note->before);
	sg_python_clear(&note->after);
	sg_python_clear(&note->undo);
	sg_python_clear(&note->changed);
	sg_python_clear(&note->setting);
	sg_python_clear(&note->code);
	free(note);
}

/* --- attributes -------------------------------------------------------------------------------- */

/* Where the object itself, as opposed to its class, keeps attributes: new reference, NULL without an exception. */
static PyObject *own_attributes(PyObject *target)
{
	PyObject *dict;

	if (sg_cpython_is_class(target))
		return sg_python_ref(sg_cpython_type_dict((PyTypeObject *)target));
	if (PyType_IsSubtype(sg_cpython_type(target), &PyModule_Type))
		return sg_python_ref(PyModule_GetDict(target));
	dict = sg_python_attribute_or_null(target, "__dict__");
	return dict;
}

/* Kept by the object, but in no dict. */
static bool is_field(PyObject *name)
{
	static const char *const fields[] = {
		"__class__", "__bases__", "__name__", "__qualname__", "__code__", "__defaults__", "__kwdefaults__",
		"__doc__", "__annotations__", "__abstractmethods__", "__type_params__"
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(sg_python_text(name), fields[i]) == 0)
			return true;
	return false;
}

static PyObject *attribute_now(PyObject *target, PyObject *name)
{
	PyObject *dict = own_attributes(target), *value;

	value = dict ? sg_python_ref(PyDict_GetItemWithError(dict, name)) : NULL;
	if (!value && is_field(name))
		value = sg_python_attribute_or_null(target, sg_python_text(name));
	PyErr_Clear();
	sg_python_clear(&dict);
	return value;
}

static PyObject *item_of(PyObject *dict, const char *key)
{
	PyObject *name = PyUnicode_FromString(key), *value = name ? PyDict_GetItemWithError(dict, name) : NULL;

	PyErr_Clear();
	sg_python_clear(&name);
	return value;
}

bool sg_undo_may(PyObject *module)
{
	PyObject *names = PySys_GetObject("stdlib_module_names"), *dict = PyModule_GetDict(module); /* borrowed */
	PyObject *file = item_of(dict, "__file__"), *name = sg_python_module_name(dict), *top;
	const char *text = name ? sg_python_text(name) : "";
	bool standard;

	if (!file || strstr(sg_python_text(file), "/site-packages/") || strstr(sg_python_text(file), "/dist-packages/"))
		return true;
	top = PyUnicode_FromStringAndSize(text, (Py_ssize_t)strcspn(text, "."));
	standard = names && top && PySequence_Contains(names, top) == 1;
	PyErr_Clear();
	sg_python_clear(&top);
	return standard;
}

void sg_undo_note_store(PyObject *target, PyObject *name, PyObject *value)
{
	struct note *note;

	if (undoes())
		sg_turn_alone();
	note = add_note();
	if (!note)
		return;
	note->target = sg_python_ref(target);
	note->name = sg_python_ref(name);
	note->before = attribute_now(target, name);
	note->after = sg_python_ref(value);
}

bool sg_undo_knows(PyObject *target)
{
	for (const struct note *note = notes; note; note = note->next)
		if (note->target == target)
			return true;
	return false;
}

static void undo_store(struct note *note)
{
	PyObject *now = attribute_now(note->target, note->name);

	if (now == note->after && PyObject_SetAttr(note->target, note->name, note->before) < 0)
		PyErr_Clear();
	sg_python_clear(&now);
}

/* --- calls ------------------------------------------------------------------------------------- */

static PyObject *positional(const struct sg_call *call)
{
	PyObject *list, *tuple;

	if (!call->args)
		return call->tuple ? sg_python_ref(call->tuple) : PyTuple_New(0);
	list = PyList_New(0);
	for (Py_ssize_t i = 0; list && i < call->nargs; i++)
		if (PyList_Append(list, call->args[i]) < 0)
			sg_python_clear(&list);
	tuple = list ? PySequence_Tuple(list) : NULL;
	sg_python_clear(&list);
	return tuple;
}

bool sg_undo_note_call(const struct sg_call *call, const struct sg_rule *rule, PyObject *code, int line)
{
	PyObject *name = saver_of && undoes() ? PyUnicode_FromString(rule ? rule->name : call->rule->name) : NULL;
	PyObject *save = name ? PyObject_CallFunctionObjArgs(saver_of, name, NULL) : NULL;
	PyObject *arguments = save && save != Py_None ? positional(call) : NULL, *undo = NULL, *changed = NULL;
	struct note *note = NULL;
	bool later;

	if (arguments) {
		sg_turn_alone();
		undo = PyObject_CallFunctionObjArgs(save, arguments, NULL);
	}
	if (undo && undo != Py_None)
		changed = rule ? sg_python_attribute_or_null(undo, "changed") : NULL;
	if (undo && undo != Py_None && (!rule || changed))
		note = add_note();
	later = note && changed;
	if (note)
		note->undo = sg_python_ref(undo);
	if (later) {
		note->changed = sg_python_ref(changed);
		note->setting = sg_python_attribute_or_null(undo, "setting");
		note->rule = rule;
		note->code = sg_python_ref(code);
		note->line = line;
	}
	PyErr_Clear();
	sg_python_clear(&changed);
	sg_python_clear(&undo);
	sg_python_clear(&arguments);
	sg_python_clear(&save);
	sg_python_clear(&name);
	return later;
}

static void undo_call(struct note *note)
{
	PyObject *result = PyObject_CallObject(note->undo, NULL);

	if (!result)
		PyErr_Clear();
	sg_python_clear(&result);
}

/* --- the end of an activation ------------------------------------------------------------------ */

static void log_undone(int count)
{
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_DEBUG, "undone"))
		return;
	sg_log_number(&line, "changes", count);
	sg_log_end(&line);
}

/* The first call of those that are about one setting knows what was there before any of them. */
static void judge(struct sg_run *run, sg_undo_judge late)
{
	for (struct note *note = notes; note; note = note->next) {
		bool first = note->changed;
		PyObject *answer;

		for (struct note *older = note->next; first && older; older = older->next)
			first = !older->changed || older->setting != note->setting;
		answer = first ? PyObject_CallObject(note->changed, NULL) : NULL;
		if (answer && PyObject_IsTrue(answer) > 0)
			late(run, note->rule, note->rule->name, note->code, note->line);
		PyErr_Clear();
		sg_python_clear(&answer);
	}
}

void sg_undo_all(sg_undo_judge late)
{
	PyObject *type, *value, *traceback;
	struct sg_context *token;
	struct note *note;
	int count = 0;

	if (!notes)
		return;
	token = sg_context_suspend();
	PyErr_Fetch(&type, &value, &traceback);
	if (token && token->run && token->run->policy)
		judge(token->run, late);
	while ((note = notes)) {
		notes = note->next;
		if (note->undo)
			undo_call(note);
		else
			undo_store(note);
		free_note(note);
		count++;
	}
	log_undone(count);
	PyErr_Restore(type, value, traceback);
	sg_context_leave(token);
}

int sg_undo_install(void)
{
	PyObject *namespace = sg_cpython_run(SOURCE, NULL, NULL);

	saver_of = namespace ? sg_python_ref(sg_cpython_item(namespace, "saver")) : NULL;
	sg_python_clear(&namespace);
	PyErr_Clear();
	return 0;
}

void sg_undo_remove(void)
{
	sg_python_clear(&saver_of);
}
