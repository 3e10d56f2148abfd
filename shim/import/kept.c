#include "shim/import/kept.h"

#include "shim/base/log.h"
#include "shim/import/code.h"
#include "shim/import/source.h"
#include "shim/interpreter/cpython.h"

/*
 * find(table, marks, start, notes) -> [(note, name)]: what the code that start leads to uses. A note: (frames, address of the rule,
 * name or None, code and line of who asked). A frame: (module, path of the class whose body it is or '', code, offset), innermost first.
 */
static const char *const SOURCE =
	SG_SOURCE_OF_SEARCHES
	"import collections, dis, functools, logging\n"
	"FUNCTION, MODULE = types.FunctionType, types.ModuleType\n"
	"STORES = 'STORE_NAME', 'STORE_GLOBAL', 'STORE_DEREF'\n"
	"LOADS = 'LOAD_NAME', 'LOAD_GLOBAL', 'LOAD_FROM_DICT_OR_GLOBALS'\n"
	"OTHERS = 'LOAD_FAST', 'LOAD_FAST_BORROW', 'LOAD_FAST_CHECK', 'LOAD_DEREF'\n"
	"MEMBERS = 'LOAD_ATTR', 'LOAD_METHOD'\n"
	"INTO = {'STORE_ATTR': 1, 'STORE_SUBSCR': 2}\n" /* how deep the object lies on the stack */
	"ENDS = *INTO, 'RETURN_VALUE', 'RETURN_CONST', 'DELETE_NAME'\n"
	"HIDDEN = 'CACHE', 'EXTENDED_ARG', 'NOP', 'NOT_TAKEN'\n"
	"QUIET = *HIDDEN, 'COPY', 'SWAP', 'DUP_TOP', 'ROT_TWO', 'ROT_THREE', 'UNPACK_SEQUENCE', 'UNPACK_EX'\n"
	"SETUP = (FUNCTION, type, MODULE, types.BuiltinFunctionType, staticmethod, classmethod, property, logging.Logger, logging.LoggerAdapter)\n"
	"PLAIN = str, bytes, int, float, bool, type(None)\n"
	"HOLDERS = list, dict, set, collections.deque\n"
	"def statements(code):\n" /* lists of (instruction, line), each up to what stores, drops or returns */
	"    starts, line, part, before = dict(dis.findlinestarts(code)), code.co_firstlineno, [], ''\n"
	"    local = 'STORE_FAST' if code.co_flags & 1 else 'none'\n" /* elsewhere it is a comprehension's */
	"    for i in dis.get_instructions(code):\n"
	"        line = starts.get(i.offset) or line\n"
	"        if part and part[-1][0].opname in STORES and i.opname not in STORES + QUIET:\n"
	"            yield part\n"
	"            part = []\n"
	"        if i.opname in HIDDEN: continue\n"
	"        part.append((i, line))\n"
	"        if i.opname in QUIET: continue\n"
	"        if i.opname in ENDS or i.opname.startswith(local) or i.opname == 'POP_TOP' and not before.startswith(('POP_JUMP', 'JUMP', 'END_FOR')):\n" /* not that of an "or" */
	"            yield part\n"
	"            part = []\n"
	"        before = i.opname\n"
	"def path_of(part):\n" /* a.b.c: how a is loaded, and the names */
	"    load, names = '', []\n"
	"    for i, _ in part:\n"
	"        if not names and i.opname in LOADS + OTHERS or names and i.opname in MEMBERS: names.append(i.argval)\n"
	"        elif names: break\n"
	"        if len(names) == 1: load = i.opname\n"
	"    return load, names\n"
	"def object_of(part):\n" /* what an attribute or an item is stored to */
	"    depth, wanted = 0, INTO[part[-1][0].opname]\n"
	"    for at in range(len(part) - 2, -1, -1):\n"
	"        i = part[at][0]\n"
	"        depth += dis.stack_effect(i.opcode, i.arg if i.opcode >= dis.HAVE_ARGUMENT else None, jump=False)\n"
	"        if depth == wanted: return path_of(part[at:])\n"
	"    return '', []\n"
	"def targets(part, at=sys.maxsize):\n" /* (how it is loaded, names, whether a method of it is called); what is decorated is below its decorators */
	"    end = part[-1][0]\n"
	"    if end.opname in STORES: yield from ((i.opname, (i.argval,), False) for i, line in part if i.opname in STORES and line <= at)\n"
	"    elif end.opname in INTO:\n"
	"        load, names = object_of(part)\n"
	"        yield load, (*names, end.argval) if end.opname == 'STORE_ATTR' else (*names,), False\n"
	"    elif end.opname == 'POP_TOP':\n"
	"        load, names = path_of(part)\n"
	"        if len(names) > 1: yield load, (*names[:-1],), True\n"
	"def targets_at(code, offset):\n"
	"    for part in statements(code):\n"
	"        if part[0][0].offset <= offset < part[-1][0].offset:\n"
	"            return set(targets(part, max((i.offset, line) for i, line in part if i.offset <= offset)[1]))\n"
	"    return set()\n"
	"def add_made_of(found, code, is_kept):\n" /* X = CFG.x */
	"    for part in statements(code):\n"
	"        lines = [line for i, line in part if i.opname in LOADS and any(names == (i.argval,) for _, names, _ in found)]\n"
	"        for line in lines: found.update(t for t in targets(part, line) if is_kept(t))\n"
	"def is_setup(v):\n" /* isinstance() may ask the object itself */
	"    return issubclass(type(v), SETUP)\n"
	"class Search:\n"
	"    def __init__(self, table, marks):\n"
	"        self.own = {n: m for n, m in table.items() if type(m) is MODULE and sys.modules.get(n) is not m and not third_party(m)}\n"
	"        self.spaces = {id(m.__dict__): m for m in self.own.values()}\n"
	"        self.marks, self.seen, self.todo = marks, {}, []\n"
	"        self.globals, self.attributes, self.classes, self.codes, self.cached = set(), set(), set(), set(), set()\n"
	"    def run(self, start):\n"
	"        self.klass(start) if issubclass(type(start), type) else self.function(start)\n"
	"        while self.todo: self.follow(self.todo.pop())\n"
	"    def value(self, v):\n"
	"        if self.marks and type(v) not in PLAIN and id(v) not in self.seen:\n"
	"            self.seen[id(v)] = v\n"
	"            self.todo.append(v)\n"
	"    def is_apart(self, d):\n"
	"        return any(m in d for m in self.marks)\n"
	"    def is_own(self, c):\n"
	"        return attr(c, '__module__') in self.own\n"
	"    def follow(self, v):\n"
	"        if issubclass(type(v), FUNCTION): self.is_apart(v.__dict__) or self.function(v)\n"
	"        elif issubclass(type(v), type):\n"
	"            d = attr(v, '__dict__')\n"
	"            members = (getattr(f, '__func__', f) for f in d.values() if type(f) in (FUNCTION, staticmethod, classmethod))\n"
	"            if self.is_own(v) and not self.is_apart(d) and not any(self.is_apart(getattr(f, '__dict__', ())) for f in members): self.klass(v)\n"
	"        elif type(v) in (types.MethodType, staticmethod, classmethod): self.value(v.__func__)\n"
	"        elif type(v) is property:\n"
	"            for f in (v.fget, v.fset, v.fdel): self.value(f)\n"
	"        elif issubclass(type(v), functools.partial): self.value(v.func)\n"
	"        elif issubclass(type(v), functools.cached_property): self.cache(v.func)\n"
	"        elif type(v) is functools._lru_cache_wrapper: self.cache(v.__wrapped__)\n"
	"        else: self.value(type(v))\n"
	"    def cache(self, f):\n"
	"        self.cached.add(getattr(f, '__code__', None))\n"
	"        self.value(f)\n"
	"    def klass(self, c):\n"
	"        for b in type.mro(c):\n"
	"            if self.is_own(b):\n"
	"                self.classes.add(b)\n"
	"                for f in list(attr(b, '__dict__').values()):\n"
	"                    self.function(f) if issubclass(type(f), FUNCTION) else self.value(f)\n"
	"    def function(self, f):\n"
	"        self.value(f.__dict__.get('__wrapped__'))\n"
	"        for cell in f.__closure__ or ():\n"
	"            try: self.value(cell.cell_contents)\n"
	"            except ValueError: pass\n"
	"        m = self.spaces.get(id(f.__globals__))\n"
	"        for code in codes_of(f.__code__) if m else ():\n"
	"            self.codes.add(code)\n"
	"            self.attributes.update(code.co_names)\n"
	"            for i in dis.get_instructions(code):\n"
	"                if i.opname in LOADS and i.argval in m.__dict__: self.name(m, i.argval, code.co_names)\n"
	"                elif i.opname == 'IMPORT_NAME' and i.argval in self.own: self.module(self.own[i.argval], code.co_names, ())\n"
	"    def module(self, m, names, path):\n"
	"        for n in m.__dict__.keys() & set(names): self.name(m, n, names, path + (m,))\n"
	"    def name(self, m, n, names, path=()):\n"
	"        v = m.__dict__[n]\n"
	"        if type(v) is MODULE and self.spaces.get(id(v.__dict__)) is v:\n"
	"            if v not in path: self.module(v, names, path)\n"
	"        else:\n"
	"            self.globals.add((m, n))\n"
	"            self.value(v)\n"
	"    def uses(self, m, n):\n"
	"        v = m.__dict__[n]\n"
	"        return any(o.__dict__.get(k) is v and (k == n or type(v) not in PLAIN) for o, k in self.globals)\n"
	"    def is_own_function(self, v):\n"
	"        return issubclass(type(v), FUNCTION) and id(v.__globals__) in self.spaces\n"
	"    def holder(self, m, target):\n" /* (module of the run's own, global) that a target leads to, if it can keep something */
	"        _, names, called = target\n"
	"        while len(names) > 1 and type(m.__dict__.get(names[0])) is MODULE: m, names = m.__dict__[names[0]], names[1:]\n"
	"        if id(m.__dict__) not in self.spaces or not names or names[0] not in m.__dict__: return None\n"
	"        v = m.__dict__[names[0]]\n"
	"        if called: fits = issubclass(type(v), HOLDERS) or self.is_own(type(v))\n"
	"        elif len(names) > 1 and (self.is_own_function(v) or issubclass(type(v), type) and self.is_own(v)): fits = names[1] in self.attributes\n"
	"        else: fits = not is_setup(v) or len(names) == 1 and self.is_own_function(v)\n"
	"        return (m, names[0]) if fits else None\n"
	"    def global_of(self, m, targets):\n"
	"        holders = [self.holder(m, t) for t in targets]\n"
	"        return min((h[1] for h in holders if h and self.uses(*h)), default=None)\n"
	"    def find_global(self, m, code, offset):\n"
	"        found = {t for t in targets_at(code, offset) if self.holder(m, t)}\n"
	"        if found: add_made_of(found, code, lambda t: self.holder(m, t))\n"
	"        return self.global_of(m, found)\n"
	"    def find_attribute(self, m, path, code, offset):\n" /* models and dataclasses keep a default elsewhere */
	"        c = m\n"
	"        for p in path.split('.'): c = getattr(c, '__dict__', {}).get(p)\n"
	"        d = attr(c, '__dict__') if c in self.classes else None\n"
	"        for _, names, called in targets_at(code, offset) if d else ():\n"
	"            v = d.get(names[0]) if names else FUNCTION\n"
	"            v = getattr(v, '__func__', v) if type(v) in (staticmethod, classmethod) else v\n"
	"            fits = issubclass(type(v), HOLDERS) if called else not is_setup(v) or self.is_own_function(v)\n"
	"            if fits and (names[0] in self.attributes or names[0] not in d or '__dataclass_fields__' in d): return path + '.' + names[0]\n"
	"    def find_in_function(self, m, code, offset):\n" /* what it stores to after the call, and not only to locals */
	"        if code in self.cached: return code.co_name\n"
	"        for part in statements(code):\n"
	"            for load, names, called in targets(part) if part[-1][0].offset >= offset else ():\n"
	"                if load in LOADS or load == 'STORE_GLOBAL': n = self.global_of(m, [(load, names, called)])\n"
	"                elif names and names[0] in code.co_freevars: n = names[0] if code in self.codes else None\n"
	"                else: n = part[-1][0].opname == 'STORE_ATTR' and names[-1] in self.attributes and self.class_attribute(names[-1])\n"
	"                if n: return n\n"
	"    def class_attribute(self, n):\n"
	"        return next((c.__qualname__ + '.' + n for c in self.classes for d in [attr(c, '__dict__')] if n in d and not is_setup(d[n])), None)\n"
	"    def find(self, frames):\n"
	"        for module, path, code, offset in frames:\n"
	"            m = self.own.get(module)\n"
	"            way = self.find_in_function if code.co_flags & 1 else functools.partial(self.find_attribute, path=path) if path else self.find_global\n"
	"            n = m and way(m, code=code, offset=offset)\n"
	"            if n: return n\n"
	"def find(table, marks, start, notes):\n"
	"    search = Search(table, marks)\n"
	"    search.run(start)\n"
	"    return [(note, n) for note in notes for n in [search.find(note[0])] if n]\n";

/* Of the class whose body the frame is: new reference; empty: it is a module's. */
static PyObject *class_path(const struct sg_frames *at)
{
	PyObject *path = sg_frames_local(at, "__qualname__");

	return path ? path : PyUnicode_FromString("");
}

/* See SOURCE; NULL: it has not all. */
static PyObject *new_tuple(PyObject **ref_parts, size_t size)
{
	PyObject *tuple = PyTuple_New((Py_ssize_t)size);

	for (size_t i = 0; i < size; i++) {
		if (tuple && ref_parts[i])
			PyTuple_SetItem(tuple, (Py_ssize_t)i, sg_python_ref(ref_parts[i]));
		else
			sg_python_clear(&tuple);
		sg_python_clear(&ref_parts[i]);
	}
	return tuple;
}

/* The frames of the workflow's own code that led here, out to that of a module or of a class there; NULL: none led. */
static PyObject *frames_of(const struct sg_run *run)
{
	struct sg_frames at = {0};
	PyObject *frames = PyList_New(0), *flags, *file, *frame;
	bool good = frames, top = false;

	while (good && !top && sg_frames_next(&at)) {
		flags = sg_python_attribute_or_null(at.code, "co_flags");
		file = sg_python_attribute_or_null(at.code, "co_filename");
		good = flags && file;
		if (good && at.globals && sg_code_of(run, at.globals) == SG_CODE_WORKFLOW && !sg_code_third_party(at.code)) {
			top = !(PyLong_AsLong(flags) & 1) && sg_python_text(file)[0] != '<'; /* CO_OPTIMIZED: a function */
			frame = new_tuple((PyObject *[]){
				sg_python_ref(sg_python_module_name(at.globals)), top ? class_path(&at) : PyUnicode_FromString(""),
				sg_python_ref(at.code), sg_python_attribute_or_null(at.frame, "f_lasti")
			}, 4);
			good = frame && PyList_Append(frames, frame) == 0;
			sg_python_clear(&frame);
		}
		sg_python_clear(&file);
		sg_python_clear(&flags);
	}
	sg_frames_end(&at);
	if (!top)
		sg_python_clear(&frames);
	return frames;
}

void sg_kept_note(const struct sg_context *context, const struct sg_rule *rule, const char *name, PyObject *code, int line)
{
	struct sg_run *run = context->run;
	PyObject *frames = run->modules && code ? frames_of(run) : NULL, *note = NULL;

	if (frames)
		note = new_tuple((PyObject *[]){
			frames, PyLong_FromVoidPtr((void *)rule), name ? PyUnicode_FromString(name) : sg_python_ref(Py_None), sg_python_ref(code),
			PyLong_FromLong(line)
		}, 5);
	if (note && !run->asked)
		run->asked = PyList_New(0);
	if (note && run->asked)
		PyList_Append(run->asked, note);
	PyErr_Clear();
	sg_python_clear(&note);
}

static PyObject *find(const struct sg_run *run, PyObject *own, const char *const *marks)
{
	static PyObject *helpers;
	PyObject *function, *list, *found = NULL;

	if (!helpers)
		helpers = sg_cpython_run(SOURCE, NULL, NULL);
	function = helpers ? sg_cpython_item(helpers, "find") : NULL;
	list = function ? sg_python_texts(marks) : NULL;
	if (list)
		found = PyObject_CallFunctionObjArgs(function, run->modules, list, own, run->asked, NULL);
	if (!found)
		sg_log_unguarded(SG_LOG_WARN, "rule", "import", "what libraries asked for while the workflow was imported could not be traced");
	PyErr_Clear();
	sg_python_clear(&list);
	return found;
}

void sg_kept_find(struct sg_run *run, PyObject *own, const char *const *marks, PyObject *memo)
{
	PyObject *key = memo ? PyTuple_Pack(2, own, Py_None) : NULL, *known = key ? PyDict_GetItemWithError(memo, key) : NULL;

	sg_python_clear(&run->used);
	run->used = known ? sg_python_ref(known) : find(run, own, marks);
	if (key && !known && run->used)
		PyDict_SetItem(memo, key, run->used);
	PyErr_Clear();
	sg_python_clear(&key);
}

void sg_kept_judge_all(struct sg_run *run, sg_kept_judge judge)
{
	PyObject *used = run->used, *note, *name;

	run->used = NULL;
	for (Py_ssize_t i = 0; used && i < PyList_Size(used); i++) {
		note = PyTuple_GetItem(PyList_GetItem(used, i), 0);
		name = PyTuple_GetItem(note, 2);
		judge(run, PyLong_AsVoidPtr(PyTuple_GetItem(note, 1)), name == Py_None ? NULL : sg_python_text(name), PyTuple_GetItem(note, 3),
				(int)PyLong_AsLong(PyTuple_GetItem(note, 4)), sg_python_text(PyTuple_GetItem(PyList_GetItem(used, i), 1)));
	}
	sg_python_clear(&used);
}
