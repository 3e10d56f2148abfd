#include "shim/state/named.h"

#include "shim/base/address.h"
#include "shim/base/log.h"
#include "shim/guard/decide.h"
#include "shim/import/source.h"
#include "shim/interpreter/containers.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/gil.h"
#include "shim/run/policy.h"
#include "shim/state/image.h"

#include <stdlib.h>
#include <string.h>

/*
 * find(table, engine, main, marks) -> [(kind, object, key, path, code, name, may be put back, is a count)], late: what the code of
 * the run's own modules names, and for has_more(late) what it may be handed that was not there. marks: what activities have.
 * kind: 0 the content of a container, 1 an item of a namespace, 2 a field of an object. put_back(kind, object, key, content)
 * undoes a change.
 * elsewhere(table, code, marks, type): is it code of an activity, or of another workflow than the one of that type?
 * line(code, name): where the code has the name. is_loaded(namespace, value): the module's __getattr__ has put it there.
 */
static const char *const SOURCE =
	SG_SOURCE_OF_SEARCHES
	"import collections, functools, gc, opcode\n"
	"STORES = {opcode.opmap[n] for n in ('STORE_SUBSCR', 'STORE_SLICE', 'STORE_ATTR', 'DELETE_SUBSCR', 'DELETE_ATTR') if n in opcode.opmap}\n"
	"ATTRIBUTES = opcode.opmap['STORE_ATTR'], opcode.opmap['DELETE_ATTR']\n"
	"GLOBALS = opcode.opmap['STORE_GLOBAL'],\n"
	"NUMBERS = int, float\n"
	"FUNCTION, MODULE, METHOD = types.FunctionType, types.ModuleType, types.MethodType\n"
	"CONTAINERS = list, dict, set, collections.deque, bytearray\n"
	"BUFFERS, BUFFER_MAX = (('array', 'array'), ('numpy', 'ndarray')), 1 << 20\n"
	"INSIDE = '__kwdefaults__', '__annotations__', '__dict__', '__globals__'\n"
	"PLAIN = int, str, bytes, float, complex, type(None), types.CodeType, types.BuiltinFunctionType, frozenset, range, property\n"
	"DYNAMIC = {'getattr', 'setattr', 'delattr', 'vars', '__dict__', 'attrgetter', 'methodcaller', 'modules', 'import_module', 'get'}\n"
	"HANDED = functools.partial, METHOD, types.BuiltinMethodType\n"
	"DATA = types.MemberDescriptorType, types.GetSetDescriptorType\n"
	"VERBS = ('register', 'unregister', 'deregister', 'remove', 'delete', 'configure', 'config', 'enable', 'disable', 'install',\n"
	"    'uninstall', 'patch', 'bind', 'unbind', 'reset', 'activate', 'deactivate', 'override', 'replace', 'append', 'insert', 'update',\n"
	"    'extend', 'clear', 'use', 'basic', 'push', 'pop', 'subscribe', 'connect', 'attach', 'detach', 'define', 'switch', 'change', 'turn')\n"
	"def is_setter(name):\n"
	"    name = name.lstrip('_')\n"
	"    if name.startswith(('set', 'add')): return not name.startswith(('settings', 'address'))\n"
	"    for v in VERBS:\n"
	"        if name.startswith(v) and not name[len(v):len(v) + 1].islower(): return True\n"
	"    return False\n"
	"def names_of(code):\n"
	"    return {n for c in codes_of(code) for n in c.co_names}\n"
	"def writes(code):\n"
	"    return not STORES.isdisjoint(code.co_code[::2]) or any(is_setter(n) for n in code.co_names)\n"
	"def stored(code, operations=ATTRIBUTES):\n" /* as dis has it, in a tenth of the time */
	"    found, wide, text = set(), 0, code.co_code\n"
	"    for operation, argument in zip(text[::2], text[1::2]):\n"
	"        argument |= wide\n"
	"        wide = argument << 8 if operation == opcode.EXTENDED_ARG else 0\n"
	"        if operation in operations: found.add(code.co_names[argument])\n"
	"    return frozenset(found)\n"
	"def is_container(v):\n"
	"    if issubclass(type(v), CONTAINERS): return True\n"
	"    if not any(m in sys.modules and type(v) is sys.modules[m].__dict__.get(n) for m, n in BUFFERS): return False\n"
	"    return (v.nbytes if hasattr(v, 'nbytes') else len(v) * v.itemsize) <= BUFFER_MAX\n"
	"def is_iterator(v):\n"
	"    t = type(v)\n"
	"    return attr(t, '__module__') in ('itertools', 'builtins') and '__next__' in t.__dict__ and not hasattr(t, 'close')\n"
	"def thread():\n"
	"    threads = sys.modules.get('threading')\n"
	"    return threads and threads._active.get(threads.get_ident())\n"
	"def merit(code, name):\n"
	"    return writes(code), is_setter(name)\n"
	"def is_deployed(path):\n"
	"    while path and path not in sys.modules: path = path.rpartition('.')[0]\n"
	"    m = sys.modules.get(path)\n"
	"    return bool(m) and path.partition('.')[0] not in sys.stdlib_module_names and '__file__' in m.__dict__ and not third_party(m)\n"
	"def single(t):\n"
	"    kept = [*t.__dict__.values(), *(d.get(t) for d in attr(type(t), '__dict__').values() if type(d) is dict)]\n"
	"    return [w for w in kept if issubclass(type(w), t)]\n"
	"def fields(o):\n" /* whatever its class does about attributes */
	"    try:\n"
	"        d = object.__getattribute__(o, '__dict__')\n"
	"    except AttributeError:\n"
	"        return None\n"
	"    return d if type(d) is dict else None\n"
	"def function_of(f, o):\n" /* and what it is bound to */
	"    if type(f) is METHOD: f, o = f.__func__, f.__self__\n"
	"    if type(f) in (staticmethod, classmethod): f = f.__func__\n"
	"    for i in range(3): f = getattr(f, '__dict__', {}).get('__wrapped__', f)\n"
	"    return f, o\n"
	"def order(t):\n"
	"    return [attr(b, '__dict__') for b in type.__dict__['__mro__'].__get__(t)]\n"
	"def held(o, t, n):\n" /* by a class, in a slot, or for want of another by the class */
	"    if o is t: return attr(t, '__dict__').get(n)\n"
	"    for d in order(t):\n"
	"        if n in d:\n"
	"            try: return d[n].__get__(o) if type(d[n]) in DATA else d[n]\n"
	"            except Exception: return None\n"
	"class Search:\n"
	"    def __init__(self, table, engine, main, marks):\n"
	"        self.own = {n: m for n, m in table.items() if type(m) is MODULE and sys.modules.get(n) is not m}\n"
	"        self.namespaces = {id(m.__dict__) for m in self.own.values()}\n"
	"        self.engine, self.main, self.marks, self.seen, self.items, self.known, self.late = engine, main, marks, set(), {}, None, []\n"
	"        self.codes, self.attributes, self.written, self.setting = [], {}, {}, {}\n"
	"    def run(self):\n"
	"        for n, m in list(self.own.items()):\n"
	"            if third_party(m): continue\n"
	"            for v in list(m.__dict__.values()):\n"
	"                self.look(v, m.__dict__, n, 0)\n"
	"                if self.is_own_class(type(v)): self.note(fields(v) or {})\n"
	"        for code, names in self.codes:\n"
	"            for n in names.intersection(self.attributes):\n"
	"                for v in self.attributes[n]: self.child(None, n, v, names, self.known[id(v)][1], code, n, 1, None)\n"
	"        return sorted(self.items.values(), key=lambda i: i[0] == 0 and type(i[1]) is dict and '__spec__' in i[1])\n" /* names first */
	"    def parts(self, v):\n" /* to which the import of the workflow's modules has given another name */
	"        t = type(v)\n"
	"        if issubclass(t, MODULE) or issubclass(t, type) and self.own.get(attr(v, '__module__')) is None: return ()\n"
	"        if is_iterator(v): return gc.get_referents(v)\n"
	"        if t is functools.partial: return (getattr(v.func, '__self__', None), *v.args, *v.keywords.values())\n"
	"        if t in (METHOD, types.BuiltinMethodType): return v.__self__,\n"
	"        if t is collections.ChainMap: return v.maps\n"
	"        if issubclass(t, FUNCTION):\n"
	"            return (*(v.__defaults__ or ()), *(v.__kwdefaults__ or {}).values(), *gc.get_referents(*v.__closure__ or ()))\n"
	"        if issubclass(t, dict): return list(dict.values(v))[:64]\n"
	"        if t in (list, tuple, set): return list(v)[:64]\n"
	"        d = attr(v, '__dict__') if issubclass(t, type) else fields(v) if self.is_own_class(t) else None\n"
	"        return list(d.values())[:64] if d else ()\n"
	"    def note(self, d):\n"
	"        for k, w in list(d.items())[:64]:\n"
	"            if self.is_aliased(w) and id(w) in self.known: self.attributes.setdefault(k, []).append(w)\n"
	"    def is_aliased(self, v):\n"
	"        return not issubclass(type(v), (MODULE, type, FUNCTION) + PLAIN) and self.is_shared(v)\n"
	"    def look(self, v, g, module, depth):\n"
	"        t = type(v)\n"
	"        v = v.__func__ if t in (staticmethod, classmethod) else v\n"
	"        if issubclass(type(v), FUNCTION):\n"
	"            while v.__globals__ is not g and '__wrapped__' in v.__dict__ and issubclass(type(v.__dict__['__wrapped__']), FUNCTION): v = v.__dict__['__wrapped__']\n"
	"            if v.__globals__ is g:\n"
	"                for c in codes_of(v.__code__): self.code(c, g)\n"
	"                if writes(v.__code__): self.aliases(v, frozenset(v.__code__.co_names), v.__code__, v.__code__.co_name)\n"
	"        elif t is property:\n"
	"            for f in (v.fget, v.fset, v.fdel): f and self.look(f, g, module, depth)\n"
	"        elif issubclass(t, type) and depth < 4 and attr(v, '__dict__').get('__module__') == module:\n"
	"            for w in list(attr(v, '__dict__').values()): self.look(w, g, module, depth + 1)\n"
	"            self.note(attr(v, '__dict__'))\n"
	"    def code(self, code, g):\n"
	"        names = frozenset(code.co_names)\n"
	"        consts = [c for k in code.co_consts for c in (k if type(k) is tuple else (k,))]\n"
	"        texts = [c for c in consts if type(c) is str and c]\n"
	"        for n in ('__builtins__', 'f_builtins'):\n"
	"            if n in names or n in texts: self.add(0, sys.modules['builtins'].__dict__, None, 'builtins', code, n)\n"
	"        if not DYNAMIC.isdisjoint(names): names = names.union(c for c in texts if c.isidentifier())\n"
	"        if 'getLogger' in names: self.loggers(texts + [str(g.get('__name__'))], names, code)\n"
	"        writing = writes(code)\n"
	"        if writing: self.codes.append((code, names))\n"
	"        if writing and 'current_thread' in names: self.thread(names, code)\n"
	"        for n in names.intersection(g):\n"
	"            if writing or type(g[n]) in HANDED or is_iterator(g[n]): self.aliases(g[n], names, code, n)\n"
	"        for n in names:\n"
	"            v = g.get(n, self) if n in g else sys.modules.get(n, self)\n"
	"            if v is self: continue\n"
	"            if not issubclass(type(v), MODULE) and (n in g and self.is_made_anew(n, v, g) or not self.is_shared(v)): continue\n"
	"            home = self.known.get(id(v), (None, ''))[1] if self.known and n in g and not issubclass(type(v), MODULE) else ''\n"
	"            self.child(None, n, v, names, home, code, n, 0, None)\n"
	"    def stored(self, code):\n"
	"        if id(code) not in self.written: self.written[id(code)] = code, stored(code)\n"
	"        return self.written[id(code)][1]\n"
	"    def thread(self, names, code):\n" /* the one that the activation is on: each has a turn */
	"        threads = list(sys.modules['threading']._active.values())\n"
	"        for t in threads: self.explore(t, names, 'threading.current_thread()', code, 'current_thread', 1)\n"
	"        known = {id(t) for t in threads}\n"
	"        self.late.append((lambda: id(thread()) in known, True))\n"
	"    def aliases(self, v, names, code, name):\n"
	"        for w in filter(self.is_aliased, self.parts(v)): self.handed_out(w, names, name, code, name, 1)\n"
	"    def loggers(self, texts, names, code):\n"
	"        logging = sys.modules.get('logging')\n"
	"        for c in texts:\n"
	"            v = logging and logging.root.manager.loggerDict.get(c)\n"
	"            if issubclass(type(v), logging.Logger): self.explore(v, names, 'logging.getLogger(%r)' % c, code, 'getLogger', 1)\n"
	"        if logging: self.explore(logging.root, names, 'logging.root', code, 'getLogger', 1)\n"
	"    def is_made_anew(self, n, v, g):\n" /* each execution of the file has its own, whoever else holds it */
	"        m = sys.modules.get('__main__' if g.get('__name__') == self.main else g.get('__name__'))\n"
	"        return type(m) is MODULE and m.__dict__ is not g and m.__dict__.get(n, v) is not v\n"
	"    def is_own_class(self, t):\n"
	"        m = self.own.get(attr(t, '__module__'))\n"
	"        for p in attr(t, '__qualname__').split('.'): m = getattr(m, '__dict__', {}).get(p)\n"
	"        return m is t\n"
	"    def is_shared(self, v):\n"
	"        if issubclass(type(v), PLAIN) or type(v) is tuple: return False\n"
	"        if issubclass(type(v), (type, FUNCTION)): return self.is_global(v)\n"
	"        if self.known is None:\n"
	"            self.known = {}\n"
	"            for n, m in list(sys.modules.items()):\n"
	"                if not issubclass(type(m), MODULE) or n in self.own: continue\n"
	"                self.known[id(m.__dict__)] = m.__dict__, n\n"
	"                for k, w in list(m.__dict__.items()):\n"
	"                    if not issubclass(type(w), PLAIN) and k[:2] != '__': self.known[id(w)] = w, n\n"
	"        if self.known.get(id(v), (self,))[0] is v: return True\n"
	"        logging = sys.modules.get('logging')\n"
	"        return bool(logging) and issubclass(type(v), logging.Logger) and (v is logging.root or logging.root.manager.loggerDict.get(v.name) is v)\n"
	"    def is_given(self, v):\n"
	"        return not issubclass(type(v), (type, FUNCTION, METHOD) + PLAIN) and not is_container(v) and type(v) is not tuple\n"
	"    def is_global(self, v):\n"
	"        n = attr(v, '__module__')\n"
	"        m = sys.modules.get(n) if type(n) is str and n not in self.own else None\n"
	"        if m is None: return False\n"
	"        for p in attr(v, '__qualname__').split('.'):\n"
	"            m = getattr(m, '__dict__', {}).get(p)\n"
	"        return m is v or getattr(m, '__func__', None) is v\n"
	"    def add(self, kind, o, key, path, code, name, counted=False):\n"
	"        if o is sys.modules or o is sys.path_importer_cache or id(o) in self.namespaces and kind == 0: return\n"
	"        there = self.items.get((kind, id(o), key))\n"
	"        better = there[7] if there and there[7] != counted else not there or merit(code, name) > merit(there[4], there[5])\n"
	"        if len(self.items) < 4000 and better:\n"
	"            self.items[kind, id(o), key] = kind, o, key, path, code, name, not is_deployed(path), counted\n"
	"    def child(self, holder, n, v, names, path, code, name, depth, self_):\n"
	"        t, path = type(v), path + '.' + n if path else n\n"
	"        value = False\n"
	"        if '__self__' in names and t in (METHOD, types.BuiltinMethodType): self.handed_out(v.__self__, names, path, code, name, depth + 1)\n"
	"        if is_container(v):\n"
	"            self.add(0, v, None, path, code, name)\n"
	"            if writes(code): self.inside(v, names, path, code, name, depth + 1)\n"
	"            value = True\n"
	"        elif t is tuple:\n"
	"            for x in v[:8]:\n"
	"                if is_container(x): self.child(None, n, x, names, path.rpartition('.')[0], code, name, depth, None)\n"
	"            if writes(code): self.inside(v, names, path, code, name, depth + 1)\n"
	"            value = True\n"
	"        elif is_iterator(v):\n"
	"            self.iterator(v, path, code, name, depth)\n"
	"            value = True\n"
	"        elif t is property:\n"
	"            if v.fset and n in self.stored(code): self.setter(v.fset, self_, path, code, name, depth + 1)\n"
	"        elif t in PLAIN or issubclass(t, PLAIN) and not hasattr(v, '__dict__'): value = t is not types.BuiltinFunctionType\n"
	"        elif issubclass(t, (MODULE, type)):\n"
	"            self.explore(v, names, path, code, name, depth + 1)\n"
	"            if not issubclass(t, MODULE):\n"
	"                for w in writes(code) and self.single(v) or (): self.handed_out(w, names, path, code, name, depth + 1)\n"
	"                self.made_by(v, code, name, depth)\n"
	"        elif t is functools._lru_cache_wrapper:\n"
	"            for w in writes(code) and self.remembered(v) or (): self.handed_out(w, names, path, code, name, depth + 1)\n"
	"        elif t is functools.singledispatchmethod: self.child(holder, n, v.dispatcher, names, path.rpartition('.')[0], code, name, depth + 1, None)\n"
	"        elif t in (METHOD, staticmethod, classmethod) or issubclass(t, FUNCTION):\n"
	"            if is_setter(n): self.setter(v, self_, path, code, name, depth + 1)\n"
	"            else: self.counters(v, self_, code, name, depth + 1)\n"
	"            for w in writes(code) and self.returned(v) or (): self.handed_out(w, names, path, code, name, depth + 1)\n"
	"            f = getattr(v, '__func__', v)\n"
	"            for k in INSIDE:\n"
	"                if k in names or k == '__dict__' and 'vars' in names:\n"
	"                    w = getattr(f, k, None)\n"
	"                    if type(w) is dict: self.add(0, w, None, path + '.' + k, code, k if k in code.co_names else name)\n"
	"            for cell in '__closure__' in names and getattr(f, '__closure__', None) or ():\n"
	"                self.add(2, cell, 'cell_contents', path + '.__closure__', code, '__closure__' if '__closure__' in code.co_names else name)\n"
	"            d = getattr(v, '__dict__', None)\n"
	"            for k in names.intersection(d or ()): self.child(None, k, d[k], names, path, code, k if k in code.co_names else name, depth + 1, None)\n"
	"        else:\n"
	"            self.explore(v, names, path, code, name, depth + 1)\n"
	"            value = True\n"
	"        if holder is not None and value: self.add(1, holder, n, path, code, name)\n"
	"    def inside(self, v, names, path, code, name, depth):\n"
	"        t = type(v)\n"
	"        if depth > 4 or v is sys.modules or not issubclass(t, (dict, list, tuple, collections.deque)): return\n"
	"        for w in list(dict.values(v) if issubclass(t, dict) else t.__iter__(v))[:64]:\n"
	"            if is_container(w) and (0, id(w), None) not in self.items:\n"
	"                self.add(0, w, None, path, code, name)\n"
	"                self.inside(w, names, path, code, name, depth + 1)\n"
	"            elif issubclass(type(w), tuple): self.inside(w, names, path, code, name, depth + 1)\n"
	"            elif self.is_given(w) and not issubclass(type(w), MODULE): self.explore(w, names, path, code, name, depth)\n"
	"    def iterator(self, v, path, code, name, depth, counted=False):\n"
	"        self.add(0, v, None, path, code, name, counted)\n"
	"        for w in gc.get_referents(v) if depth < 5 else ():\n"
	"            if is_iterator(w): self.iterator(w, path, code, name, depth + 1, counted)\n"
	"    def counters(self, f, o, code, name, depth):\n" /* that a function of the user's own keeps, though its name does not say so */
	"        f, o = function_of(f, o)\n"
	"        g = f.__globals__ if issubclass(type(f), FUNCTION) and f.__dict__.keys().isdisjoint(self.marks) else {}\n" /* no activity */
	"        home, key = str(g.get('__name__')), (id(f), id(o), id(code))\n"
	"        if depth > 5 or key in self.seen or id(g) in self.namespaces or not is_deployed(home): return\n"
	"        self.seen.add(key)\n"
	"        for c in codes_of(f.__code__):\n"
	"            for n in stored(c, GLOBALS).intersection(g):\n"
	"                if type(g[n]) in NUMBERS: self.add(1, g, n, home + '.' + n, code, name, True)\n"
	"            for n in frozenset(c.co_names).intersection(g):\n"
	"                v = g[n]\n"
	"                if is_iterator(v): self.iterator(v, home + '.' + n, code, name, depth, True)\n"
	"                elif type(v) is collections.Counter: self.add(0, v, None, home + '.' + n, code, name, True)\n"
	"                elif issubclass(type(v), FUNCTION): self.counters(v, None, code, name, depth + 1)\n"
	"                elif not issubclass(type(v), PLAIN) and not is_container(v): self.counted_on(v, c, code, name, depth)\n"
	"            if o is not None: self.counted_on(o, c, code, name, depth)\n"
	"        for cell in f.__closure__ or ():\n"
	"            v = (gc.get_referents(cell) or [None])[0]\n"
	"            if type(v) in NUMBERS: self.add(2, cell, 'cell_contents', home + '.' + f.__qualname__, code, name, True)\n"
	"            elif is_iterator(v): self.iterator(v, home + '.' + f.__qualname__, code, name, depth, True)\n"
	"    def counted_on(self, o, c, code, name, depth):\n" /* by the code c, and by what that calls of it */
	"        t = o if issubclass(type(o), type) else type(o)\n"
	"        d = fields(o) if o is not t else None\n"
	"        path = str(attr(o, '__name__')) if issubclass(t, MODULE) else '%s.%s' % (attr(t, '__module__'), attr(t, '__qualname__'))\n"
	"        for n in c.co_names:\n"
	"            v = d[n] if d and n in d else held(o, t, n)\n"
	"            if is_iterator(v): self.iterator(v, path + '.' + n, code, name, depth, True)\n"
	"            elif type(v) in NUMBERS and n in self.stored(c):\n"
	"                self.add(*(2, o) if d is None else (1, d), n, path + '.' + n, code, name, True)\n"
	"        for b in order(t):\n"
	"            for n in frozenset(c.co_names).intersection(b):\n"
	"                if issubclass(type(b[n]), (FUNCTION, staticmethod, classmethod)): self.counters(b[n], o, code, name, depth + 1)\n"
	"        if o is t: self.made_by(o, code, name, depth)\n"
	"    def made_by(self, t, code, name, depth):\n" /* what it takes to make an object of the class */
	"        for n, o, b in ('__call__', t, type(t)), ('__new__', t, t), ('__init__', None, t):\n"
	"            for d in order(b):\n"
	"                if n in d: self.counters(d[n], o, code, name, depth + 1)\n"
	"    def is_of_library(self, v):\n"
	"        top = str(attr(v, '__module__')).partition('.')[0]\n"
	"        return top not in self.engine and top not in sys.stdlib_module_names and self.is_global(v)\n"
	"    def returned(self, f):\n" /* a global, as it is: get_settings() */
	"        if not issubclass(type(f), FUNCTION) or str(f.__module__).partition('.')[0] in self.engine or not self.is_global(f): return ()\n"
	"        import dis\n"
	"        steps = [(i.opname, i.argval) for i in dis.get_instructions(f.__code__)]\n"
	"        names = {n for (load, n), (end, _) in zip(steps, steps[1:]) if load == 'LOAD_GLOBAL' and end == 'RETURN_VALUE'}\n"
	"        self.late += [(lambda g=f.__globals__, n=n: g.get(n) is None, True) for n in names if f.__globals__.get(n) is None]\n"
	"        return [f.__globals__[n] for n in names if n in f.__globals__]\n"
	"    def remembered(self, f):\n"
	"        if not self.is_of_library(f): return ()\n"
	"        count = lambda: f.cache_info().currsize.bit_length()\n" /* not with each answer */
	"        self.late.append((count, count()))\n"
	"        found = [w for w in gc.get_referents(f) if w is not f.__dict__] if count() else ()\n"
	"        if f.cache_parameters()['maxsize'] is None: return [w for d in found if type(d) is dict for w in d.values()]\n"
	"        return [w for w in found if type(w) is not dict or '_lru_list_elem' not in {type(x).__name__ for x in w.values()}]\n"
	"    def single(self, t):\n" /* the one object of its class, kept by the class or its metaclass */
	"        if not self.is_of_library(t): return ()\n"
	"        found = single(t)\n"
	"        if not found: self.late.append((lambda: bool(single(t)), False))\n"
	"        return found\n"
	"    def handed_out(self, v, names, path, code, name, depth):\n"
	"        if issubclass(type(v), (type, FUNCTION, MODULE, tuple) + PLAIN): return\n"
	"        if is_container(v): self.add(0, v, None, path, code, name)\n"
	"        elif is_iterator(v): self.iterator(v, path, code, name, depth)\n"
	"        else: self.explore(v, names, path, code, name, depth)\n"
	"    def explore(self, o, names, path, code, name, depth):\n"
	"        stored = self.setting.get(names, frozenset()) | self.stored(code)\n"
	"        key = id(o), names, stored\n"
	"        if depth > 5 or key in self.seen: return\n"
	"        self.seen.add(key)\n"
	"        plain = names.issuperset(code.co_names)\n"
	"        direct = plain or names in self.setting\n"
	"        step = lambda n: n if plain else name\n"
	"        if issubclass(type(o), MODULE):\n"
	"            n = o.__dict__.get('__name__')\n"
	"            if type(n) is not str or n in self.own or sys.modules.get(n) is not o: return\n"
	"            if n.partition('.')[0] in self.engine:\n" /* it changes its own, but for what it gives to workflows */
	"                for k in names.intersection(o.__dict__):\n"
	"                    if self.is_given(o.__dict__[k]): self.child(None, k, o.__dict__[k], names, n, code, step(k), depth, None)\n"
	"                return\n"
	"            for k in ('vars', '__dict__'):\n"
	"                if plain and writes(code) and k in names: self.add(0, o.__dict__, None, n, code, k)\n"
	"            if plain and not DYNAMIC.isdisjoint(names):\n"
	"                for k in names.difference(o.__dict__): self.add(1, o.__dict__, k, n + '.' + k, code, k)\n"
	"            for k in names.intersection(o.__dict__): self.child(o.__dict__, k, o.__dict__[k], names, n, code, step(k), depth, None)\n"
	"        elif issubclass(type(o), type):\n"
	"            if not self.is_global(o): return\n"
	"            for c in type.mro(o) if type(o) is type else o.__mro__:\n"
	"                d = c.__dict__\n"
	"                for k in names.intersection(d): self.child(None, k, d[k], names, path, code, step(k), depth, o)\n"
	"            d = o.__dict__.get('_member_map_')\n"
	"            if type(d) is dict:\n"
	"                for k in names.intersection(d): self.child(None, k, d[k], names, path, code, step(k), depth, None)\n"
	"                self.setting[stored] = stored\n"
	"                for w in list(d.values())[:256] if stored else (): self.explore(w, stored, path, code, name, depth + 1)\n" /* by a call */
	"        else:\n"
	"            d = fields(o)\n"
	"            c = {}\n"
	"            for base in reversed(type(o).__mro__): c.update(base.__dict__)\n"
	"            if type(o).__module__ == 'builtins' or self.is_own_class(type(o)): return\n"
	"            if type(o).__module__.partition('.')[0] in self.engine and not self.is_shared(o): return\n"
	"            if writes(code) and type(c.get('__setitem__')) is FUNCTION: self.setter(c['__setitem__'], o, path + '.', code, name, depth + 1)\n"
	"            for k in names:\n"
	"                if d is not None and k in d: self.child(d, k, d[k], names, path, code, step(k), depth, None)\n"
	"                elif k in c:\n"
	"                    if type(c[k]) in DATA: self.add(2, o, k, path + '.' + k, code, step(k))\n"
	"                    elif d is not None and k in stored and type(c[k]) is not property: self.add(1, d, k, path + '.' + k, code, step(k))\n"
	"                    elif k[:2] != '__': self.child(None, k, c[k], names, path, code, step(k), depth, o)\n"
	"                elif d is not None and direct and ('__getattr__' not in c or k in stored): self.add(1, d, k, path + '.' + k, code, step(k))\n"
	"    def setter(self, f, o, path, code, name, depth):\n"
	"        f, o = function_of(f, o)\n"
	"        if not issubclass(type(f), FUNCTION) or depth > 5 or id(f.__globals__) in self.namespaces: return\n"
	"        g, names = f.__globals__, frozenset(names_of(f.__code__))\n"
	"        self.setting[names] = frozenset().union(*map(self.stored, codes_of(f.__code__)))\n"
	"        top = str(g.get('__name__')).partition('.')[0]\n"
	"        if top in self.engine: return\n"
	"        for n in names.intersection(g):\n"
	"            v = g[n]\n"
	"            if issubclass(type(v), MODULE) and v.__name__.partition('.')[0] != top: continue\n"
	"            if issubclass(type(v), (type, FUNCTION)) and str(v.__module__).partition('.')[0] != top: continue\n"
	"            self.child(g, n, v, names, str(g.get('__name__')), code, name, depth, None)\n"
	"        if o is not None: self.explore(o, names, path.rpartition('.')[0], code, name, depth)\n"
	"        for cell in f.__closure__ or ():\n"
	"            try:\n"
	"                v = cell.cell_contents\n"
	"            except ValueError:\n"
	"                continue\n"
	"            if is_container(v): self.add(0, v, None, path, code, name)\n"
	"def find(table, engine, main, marks):\n"
	"    search = Search(table, engine, main, marks)\n"
	"    return search.run(), search.late\n"
	"def has_more(late):\n"
	"    return any(look() != then for look, then in late)\n"
	"def is_loaded(namespace, v):\n"
	"    if '__getattr__' not in namespace: return False\n"
	"    top = str(namespace.get('__name__')).partition('.')[0]\n"
	"    if str(attr(type(v), '__module__')).partition('.')[0] == top: return True\n"
	"    if not issubclass(type(v), (type, FUNCTION, types.BuiltinFunctionType)): return False\n"
	"    home = sys.modules.get(v.__module__)\n"
	"    return home is not None and home.__dict__.get(v.__name__) is v\n"
	"def has_loaded(o, content):\n" /* a namespace, in which nothing else has changed */
	"    if '__spec__' not in o or not o.keys() >= content.keys(): return False\n"
	"    return all(content[k] is v if k in content else issubclass(type(v), MODULE) or is_loaded(o, v) for k, v in o.items())\n"
	"def put_back(kind, o, key, content):\n"
	"    if kind == 2:\n"
	"        if content: setattr(o, key, content[0])\n"
	"        else: delattr(o, key)\n"
	"    elif kind:\n"
	"        if content: dict.__setitem__(o, key, content[0])\n"
	"        else: dict.pop(o, key, None)\n"
	"    elif isinstance(o, list):\n"
	"        list.__setitem__(o, slice(None), content)\n"
	"        w = sys.modules.get('warnings')\n"
	"        if w and o is w.filters: getattr(w, '_filters_mutated_lock_held', getattr(w, '_filters_mutated', int))()\n"
	"    elif isinstance(o, dict):\n"
	"        t = collections.OrderedDict if isinstance(o, collections.OrderedDict) else dict\n" /* which keeps its order besides */
	"        for k in [k for k in t.__iter__(o) if k not in content]: t.__delitem__(o, k)\n"
	"        for k, v in content.items():\n"
	"            if t.get(o, k, o) is not v: t.__setitem__(o, k, v)\n"
	"        if list(t.__iter__(o)) != list(content):\n"
	"            t.clear(o)\n"
	"            for k, v in content.items(): t.__setitem__(o, k, v)\n"
	"    elif isinstance(o, set):\n"
	"        set.intersection_update(o, content)\n"
	"        set.update(o, content)\n"
	"    elif isinstance(o, collections.deque):\n"
	"        o.clear()\n"
	"        o.extend(content)\n"
	"    elif isinstance(o, bytearray):\n"
	"        o[:] = content\n"
	"    elif hasattr(o, 'typecode'):\n"
	"        o[:] = type(o)(o.typecode, content)\n"
	"    else:\n"
	"        o[...] = sys.modules['numpy'].frombuffer(content, o.dtype).reshape(o.shape)\n"
	"def elsewhere(table, code, marks, kind):\n"
	"    def codes(v):\n"
	"        for f in list(v.__dict__.values()) if issubclass(type(v), type) else (v,):\n"
	"            f = attr(f, '__func__') or attr(f, 'fget') or f\n"
	"            if type(f) is FUNCTION: yield f.__code__\n"
	"    apart = [(v, n) for m in table.values() if issubclass(type(m), MODULE) for v in list(m.__dict__.values())\n"
	"        if issubclass(type(v), (type, FUNCTION)) for n in marks if n in v.__dict__]\n"
	"    owners = [v for v, n in apart if any(code in codes_of(c) for c in codes(v))]\n"
	"    if any(type(v) is FUNCTION for v in owners): return True\n"
	"    own = [v for v, n in apart if issubclass(type(v), type) and getattr(v.__dict__[n], 'name', None) in (kind, None)]\n"
	"    names = {n for v in own for c in codes(v) for n in names_of(c)}\n"
	"    return bool(owners and own) and not any(o.__name__ in names or issubclass(v, o) for v in own for o in owners)\n"
	"def line(code, name):\n"
	"    import dis\n"
	"    at = code.co_firstlineno\n"
	"    starts, named, stores = dict(dis.findlinestarts(code)), [], set()\n"
	"    for i in dis.get_instructions(code):\n"
	"        at = starts.get(i.offset) or at\n"
	"        value = code.co_consts[i.arg] if i.opname == 'KW_NAMES' else i.argval\n"
	"        if value == name or type(value) is tuple and name in value: named.append(at)\n"
	"        if i.opcode in STORES or type(i.argval) is str and i.opcode in dis.hasname and is_setter(i.argval): stores.add(at)\n"
	"    return next((n for n in named if n in stores), named[0] if named else code.co_firstlineno)\n";

static PyObject *helpers; /* the namespace of SOURCE */

enum kind { LIST, DICT, SET, BYTES, ITERATOR, OTHER, ITEM, FIELD };

#define LOOK_MAX 640 /* bytes; more is compared by its content */

struct item {
	PyObject *object, *key; /* owned */
	enum kind kind;
	PyObject *content;    /* list, dict or tuple of what is there; of an item its value, or NULL */
	PyObject *table;      /* of a set, as it is in memory */
	size_t look_size;
	char *look;           /* what changes with a dict, as it was */
	int active;           /* activations that may change it */
	size_t places;        /* that refer to it: with the last it goes */
	struct item *next;    /* in the same bucket */
};

#define BUCKETS 4096
static struct item *items[BUCKETS]; /* by the object's address */

/* What a policy's workflows name. Freed when it is out of date and no activation counts on it. */
struct sg_named {
	Py_ssize_t modules;   /* that the run had when they were looked through */
	size_t count, users;
	bool outdated;
	PyObject *late;       /* see find(); NULL: nothing */
	struct place {
		struct item *item;
		PyObject *path, *code, *name; /* how it is called, and where */
		bool undo;                    /* see sg_undo_may() */
		bool counted;                 /* by functions of the user's own: see is_counted() */
	} *places;
};

static struct item **bucket(PyObject *object)
{
	return &items[sg_address_hash(object, BUCKETS)];
}

/* What the host has dropped meanwhile may end here, in the middle of an activation: by no run's doing. */
static void let_go(PyObject **content)
{
	struct sg_run *run = sg_context_run;

	sg_context_run = NULL;
	sg_python_clear(content);
	sg_context_run = run;
}

static void forget_place(struct item *item)
{
	struct item **link = bucket(item->object);

	if (--item->places)
		return;
	while (*link != item)
		link = &(*link)->next;
	*link = item->next;
	sg_python_clear(&item->object);
	sg_python_clear(&item->key);
	let_go(&item->content);
	sg_python_clear(&item->table);
	free(item->look);
	free(item);
}

static void release(struct sg_named *named)
{
	if (!named || named->users || !named->outdated)
		return;
	for (size_t i = 0; i < named->count; i++) {
		forget_place(named->places[i].item);
		sg_python_clear(&named->places[i].path);
		sg_python_clear(&named->places[i].code);
		sg_python_clear(&named->places[i].name);
	}
	sg_python_clear(&named->late);
	free(named->places);
	free(named);
}

void sg_named_forget(struct sg_policy *policy)
{
	struct sg_named *named = policy->named;

	policy->named = NULL;
	if (named)
		named->outdated = true;
	release(named);
}

/* --- content ----------------------------------------------------------------------------------- */

static PyObject *dict_item(const struct item *item)
{
	PyObject *value = PyDict_GetItemWithError(item->object, item->key);

	if (!value)
		PyErr_Clear();
	return value;
}

/* Of C code or __slots__: no Python code is run. New reference or NULL. */
static PyObject *field(const struct item *item)
{
	PyObject *value = PyObject_GetAttr(item->object, item->key);

	if (!value)
		PyErr_Clear();
	return value;
}

static bool is_text_or_number(PyObject *value)
{
	static const char *const names[] = {"str", "int", "float", "bool", "bytes", NULL};
	PyTypeObject *type = sg_cpython_type(value);
	const char *const *name = names;

	if (PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE)
		return false;
	while (*name && strcmp(*name, sg_cpython_type_name(type)) != 0)
		name++;
	return *name;
}

/* C code makes a number anew each time that a field is asked for, and time.tzset() the names of the zone. */
static bool same_value(PyObject *now, PyObject *before)
{
	bool same = now == before;

	if (same || !now || !before || sg_cpython_type(now) != sg_cpython_type(before))
		return same;
	if (sg_cpython_type(now) == &PyTuple_Type && PyTuple_Size(now) == PyTuple_Size(before)) {
		same = true;
		for (Py_ssize_t i = 0; same && i < PyTuple_Size(now); i++)
			same = same_value(PyTuple_GetItem(now, i), PyTuple_GetItem(before, i));
	} else if (is_text_or_number(now)) {
		same = PyObject_RichCompareBool(now, before, Py_EQ) == 1;
	}
	return same;
}

static bool same_field(const struct item *item)
{
	PyObject *now = field(item);
	bool same = same_value(now, item->content);

	PyErr_Clear();
	sg_python_clear(&now);
	return same;
}

/* Copies what changes with a dict; 0: that is not known. */
static size_t take_look(const struct item *item, char *bytes)
{
	struct sg_memory memory[SG_MEMORY_MAX];
	size_t size = 0;
	int count;

	if (item->kind != DICT && item->kind != ITEM)
		return 0;
	count = sg_containers_dict_memory(item->object, memory);
	for (int i = 0; i < count; i++) {
		if (size + memory[i].size > LOOK_MAX)
			return 0;
		memcpy(bytes + size, memory[i].address, memory[i].size);
		size += memory[i].size;
	}
	return size;
}

static bool looks_the_same(const struct item *item)
{
	char bytes[LOOK_MAX];
	size_t size = item->look_size ? take_look(item, bytes) : 0;

	return size && size == item->look_size && memcmp(bytes, item->look, size) == 0;
}

static void keep_look(struct item *item)
{
	char bytes[LOOK_MAX], *grown;
	size_t size = take_look(item, bytes);

	if (size > item->look_size) {
		grown = realloc(item->look, size);
		if (!grown)
			size = 0;
		else
			item->look = grown;
	}
	item->look_size = size;
	if (size)
		memcpy(item->look, bytes, size);
}

/* An iterator of C code, as it is in memory. */
static PyObject *fields_of(PyObject *iterator)
{
	Py_ssize_t head = sg_cpython_fields();

	return PyBytes_FromStringAndSize((const char *)iterator + head, sg_cpython_basicsize(sg_cpython_type(iterator)) - head);
}

static PyObject *copy_content(const struct item *item)
{
	switch (item->kind) {
	case DICT:
		return PyDict_Copy(item->object);
	case ITEM:
		return sg_python_ref(dict_item(item));
	case FIELD:
		return field(item);
	case LIST:
		return PyList_GetSlice(item->object, 0, PyList_Size(item->object));
	case BYTES:
		return PyBytes_FromObject(item->object);
	case ITERATOR:
		return fields_of(item->object);
	default:
		return PySequence_List(item->object);
	}
}

static void keep_content(struct item *item)
{
	PyObject *old = item->content;

	item->content = copy_content(item);
	PyErr_Clear();
	let_go(&old);
	if (item->kind == SET && sg_containers.sets) {
		sg_python_clear(&item->table);
		item->table = sg_containers_set_save(item->object);
	}
	PyErr_Clear();
	keep_look(item);
}

static bool same_list(PyObject *list, PyObject *content)
{
	Py_ssize_t size = PyList_Size(list);

	if (!content || size != PyList_Size(content))
		return false;
	for (Py_ssize_t i = 0; i < size; i++)
		if (PyList_GetItem(list, i) != PyList_GetItem(content, i))
			return false;
	return true;
}

static bool same_dict(PyObject *dict, PyObject *content)
{
	PyObject *key, *value;
	Py_ssize_t position = 0;
	bool same = content && PyDict_Size(dict) == PyDict_Size(content);

	while (same && PyDict_Next(content, &position, &key, &value))
		same = PyDict_GetItemWithError(dict, key) == value;
	PyErr_Clear();
	return same;
}

static bool same_bytes(const struct item *item)
{
	PyObject *now = copy_content(item);
	bool same = !now || !item->content || PyObject_RichCompareBool(now, item->content, Py_EQ) == 1;

	PyErr_Clear();
	sg_python_clear(&now);
	return same;
}

static bool same_items(const struct item *item)
{
	PyObject *now = PySequence_List(item->object);
	bool same = now && same_list(now, item->content);

	PyErr_Clear();
	sg_python_clear(&now);
	return same;
}

/* What the function of SOURCE answers; `otherwise` where it fails. */
static bool ask(const char *name, bool otherwise, PyObject *first, PyObject *second)
{
	PyObject *function = sg_cpython_item(helpers, name), *answer = NULL;
	bool found = otherwise;

	if (function)
		answer = PyObject_CallFunctionObjArgs(function, first, second, NULL);
	if (answer)
		found = PyObject_IsTrue(answer);
	PyErr_Clear();
	sg_python_clear(&answer);
	return found;
}

static bool is_lazy_import(PyObject *value)
{
	return strcmp(sg_cpython_type_name(sg_cpython_type(value)), "lazy_import") == 0;
}

static bool is_changed(struct item *item)
{
	bool same;

	switch (item->kind) {
	case LIST:
		return !same_list(item->object, item->content);
	case SET:
		return item->table ? sg_containers_set_same(item->object, item->table) != 1 : !same_items(item);
	case BYTES:
	case ITERATOR:
		return !same_bytes(item);
	case OTHER:
		return !same_items(item);
	case FIELD:
		return !same_field(item);
	case DICT:
	case ITEM:
		break;
	}
	if (looks_the_same(item))
		return false;
	same = item->kind == DICT ? same_dict(item->object, item->content) : same_value(dict_item(item), item->content);
	/*
	 * A package gets its modules as attributes, when they are imported, and so what its __getattr__ loads; a lazy import
	 * (3.15) is done where it is first used.
	 */
	if (!same && item->kind == ITEM && (item->content ? is_lazy_import(item->content) :
	    PyType_IsSubtype(sg_cpython_type(dict_item(item)), &PyModule_Type) ||
	    ask("is_loaded", false, item->object, dict_item(item)))) {
		keep_content(item);
		same = true;
	}
	if (!same && item->kind == DICT && item->content && ask("has_loaded", false, item->object, item->content)) {
		keep_content(item);
		same = true;
	}
	if (same)
		keep_look(item);
	return !same;
}

static PyObject *wrap(PyObject *value)
{
	PyObject *empty = PyTuple_New(0), *tuple = value ? PyTuple_Pack(1, value) : sg_python_ref(empty);

	sg_python_clear(&empty);
	return tuple;
}

static void put_back(struct item *item)
{
	PyObject *function = sg_cpython_item(helpers, "put_back"), *kind = PyLong_FromLong(item->kind == ITEM ? 1 : item->kind == FIELD ? 2 : 0);
	PyObject *content = item->kind == ITERATOR ? NULL : item->kind >= ITEM ? wrap(item->content) : sg_python_ref(item->content), *done = NULL;

	if (function && kind && content)
		done = PyObject_CallFunctionObjArgs(function, kind, item->object, item->key ? item->key : Py_None, content, NULL);
	PyErr_Clear();
	sg_python_clear(&done);
	sg_python_clear(&content);
	sg_python_clear(&kind);
}

/* --- what is named ----------------------------------------------------------------------------- */

static enum kind kind_of(PyObject *object, long kind)
{
	static const struct { const char *name; enum kind kind; } names[] = {
		{"list", LIST}, {"set", SET}, {"bytearray", BYTES}, {"array.array", BYTES}, {"numpy.ndarray", BYTES},
	};
	PyTypeObject *type = sg_cpython_type(object);
	enum kind answer = OTHER;

	if (kind)
		return kind == 1 ? ITEM : FIELD;
	if (PyType_IsSubtype(type, &PyDict_Type))
		return DICT;
	if (PyType_GetSlot(type, Py_tp_iternext))
		return ITERATOR;
	for (; type && answer == OTHER; type = sg_cpython_type_base(type))
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (sg_cpython_is_c_class(type) && strcmp(sg_cpython_type_name(type), names[i].name) == 0)
				answer = names[i].kind;
	return answer;
}

static struct item *find_item(PyObject *object, PyObject *key, enum kind kind)
{
	struct item *item = *bucket(object);

	while (item && (item->object != object || item->kind != kind ||
			(kind >= ITEM && PyObject_RichCompareBool(item->key, key, Py_EQ) != 1)))
		item = item->next;
	return item;
}

/* The item, which may be there already; NULL: out of memory. */
static struct item *add_item(PyObject *found)
{
	PyObject *object = PyTuple_GetItem(found, 1), *key = PyTuple_GetItem(found, 2);
	enum kind kind = kind_of(object, PyLong_AsLong(PyTuple_GetItem(found, 0)));
	struct item *item = find_item(object, key, kind);

	if (!item) {
		item = calloc(1, sizeof(*item));
		if (!item)
			return NULL;
		item->object = sg_python_ref(object);
		item->key = kind >= ITEM ? sg_python_ref(key) : NULL;
		item->kind = kind;
		item->next = *bucket(object);
		*bucket(object) = item;
		keep_content(item);
	}
	item->places++;
	return item;
}

static PyObject *engine_packages(void)
{
	const struct sg_config *config = sg_policy_config;
	PyObject *set = PySet_New(NULL), *name;

	for (size_t i = 0; set && i < config->engine_count; i++)
		for (char **package = config->engines[i].packages; *package; package++) {
			name = PyUnicode_FromString(*package);
			if (name)
				PySet_Add(set, name);
			sg_python_clear(&name);
		}
	return set;
}

static PyObject *find(const struct sg_run *run)
{
	PyObject *engine, *main, *function, *marks = sg_python_texts(run->policy->engine->apart), *list = NULL;

	if (!helpers)
		helpers = sg_cpython_run(SOURCE, NULL, NULL);
	function = helpers ? sg_cpython_item(helpers, "find") : NULL;
	engine = function ? engine_packages() : NULL;
	main = engine ? PyUnicode_FromString(run->policy->engine->main_name) : NULL;
	if (main && marks)
		list = PyObject_CallFunctionObjArgs(function, run->modules, engine, main, marks, NULL);
	if (!list) {
		PyObject *type, *value, *traceback, *text;

		PyErr_Fetch(&type, &value, &traceback);
		text = value ? PyObject_Str(value) : NULL;
		sg_log_unguarded(SG_LOG_WARN, "rule", "state.object",
				text ? sg_python_text(text) : "the workflow's code could not be looked through");
		PyErr_Clear();
		sg_python_clear(&text);
		sg_python_clear(&type);
		sg_python_clear(&value);
		sg_python_clear(&traceback);
	}
	sg_python_clear(&marks);
	sg_python_clear(&main);
	sg_python_clear(&engine);
	return list;
}

static void add_places(struct sg_named *named, PyObject *list, const struct sg_run *run)
{
	struct item *item;

	named->places = calloc((size_t)PyList_Size(list) + 1, sizeof(named->places[0]));
	for (Py_ssize_t i = 0; named->places && i < PyList_Size(list); i++) {
		PyObject *found = PyList_GetItem(list, i);

		/* What a shared module holds may be the image's: then it is each run's own. */
		if (sg_image_owns(run, PyTuple_GetItem(found, 1)))
			continue;
		item = add_item(found);
		if (!item)
			continue;
		named->places[named->count++] = (struct place){
			item, sg_python_ref(PyTuple_GetItem(found, 3)), sg_python_ref(PyTuple_GetItem(found, 4)),
			sg_python_ref(PyTuple_GetItem(found, 5)), PyObject_IsTrue(PyTuple_GetItem(found, 6)) > 0,
			PyObject_IsTrue(PyTuple_GetItem(found, 7)) > 0
		};
	}
	PyErr_Clear();
}

/* Other threads may do the same meanwhile: nothing is to be seen of it before it is complete. */
static void learn(struct sg_run *run)
{
	struct sg_named *named = calloc(1, sizeof(*named));
	PyObject *found;

	if (!named)
		return;
	named->modules = PyDict_Size(run->modules);
	found = find(run);
	if (found)
		add_places(named, PyTuple_GetItem(found, 0), run);
	if (found && PyList_Size(PyTuple_GetItem(found, 1)) > 0)
		named->late = sg_python_ref(PyTuple_GetItem(found, 1));
	sg_python_clear(&found);
	sg_named_forget(run->policy);
	run->policy->named = named;
}

/* Has a library made something meanwhile that workflow code may be handed? */
static bool has_more(const struct sg_named *named)
{
	PyObject *function = named->late ? sg_cpython_item(helpers, "has_more") : NULL, *answer = NULL;
	bool more;

	if (function)
		answer = PyObject_CallFunctionObjArgs(function, named->late, NULL);
	more = answer && PyObject_IsTrue(answer) > 0;
	PyErr_Clear();
	sg_python_clear(&answer);
	return more;
}

/* --- activations ------------------------------------------------------------------------------- */

/* Neither the run's context nor a pending exception is in the way of looking and putting back. */
struct aside {
	PyObject *type, *value, *traceback;
	struct sg_context *token;
};

static struct aside step_aside(void)
{
	struct aside aside = {.token = sg_context_suspend()};

	PyErr_Fetch(&aside.type, &aside.value, &aside.traceback);
	return aside;
}

static void step_back(struct aside aside)
{
	PyErr_Restore(aside.type, aside.value, aside.traceback);
	sg_context_leave(aside.token);
}

void sg_named_begin(struct sg_run *run)
{
	struct sg_named *named = run->policy->named;
	bool under_way = false; /* a change of another run's, whose activation has not ended */
	struct aside aside;

	if (!run->modules || run->named)
		return;
	aside = step_aside();
	if (!named || named->modules != PyDict_Size(run->modules) || has_more(named))
		learn(run);
	named = run->policy->named;
	if (named)
		named->users++;
	for (size_t i = 0; named && i < named->count; i++) {
		struct item *item = named->places[i].item;

		if (item->active++ == 0) {
			if (is_changed(item))
				keep_content(item);
		} else {
			under_way = under_way || is_changed(item);
		}
	}
	run->named = named;
	run->switches = sg_gil_switches() - under_way;
	step_back(aside);
}

static int line_of(const struct place *place)
{
	PyObject *function = sg_cpython_item(helpers, "line"), *answer = NULL;
	int line = 0;

	if (function)
		answer = PyObject_CallFunctionObjArgs(function, place->code, place->name, NULL);
	if (answer)
		line = (int)PyLong_AsLong(answer);
	PyErr_Clear();
	sg_python_clear(&answer);
	return line;
}

/* Whether the code that has the name changes anything at all: by a store, or a call whose name says so. */
static bool writes(const struct place *place)
{
	return ask("writes", true, place->code, NULL);
}

/*
 * Code that does not run in this run has not changed anything: what is named there alone has been changed by a library's own
 * function, which is its business.
 */
static bool is_elsewhere(const struct sg_run *run, const struct place *place)
{
	PyObject *function = sg_cpython_item(helpers, "elsewhere"), *marks = sg_python_texts(run->policy->engine->apart), *answer = NULL;
	bool elsewhere;

	if (function && marks && PyList_Size(marks) > 0)
		answer = PyObject_CallFunctionObjArgs(function, run->modules, place->code, marks, run->workflow_type ? run->workflow_type : Py_None,
				NULL);
	elsewhere = answer && PyObject_IsTrue(answer) > 0;
	PyErr_Clear();
	sg_python_clear(&answer);
	sg_python_clear(&marks);
	return elsewhere;
}

/* Other threads have run, and this code only reads: the change is theirs. */
static void log_meanwhile(const struct sg_run *run, const struct place *place)
{
	struct sg_line line;

	if (!sg_log_begin(&line, SG_LOG_INFO, "meanwhile"))
		return;
	sg_log_text(&line, "changed", sg_python_text(place->path));
	sg_run_log(run, &line);
	sg_log_end(&line);
}

/* A number that has become another one, not the mark that something has been done. */
static bool is_counted(const struct item *item)
{
	PyObject *now = item->kind == ITERATOR ? NULL : copy_content(item);
	bool counted = item->kind == ITERATOR || (now && (!item->content || sg_cpython_type(now) == sg_cpython_type(item->content)));

	PyErr_Clear();
	sg_python_clear(&now);
	return counted;
}

static void report(struct sg_run *run, struct item *item, const struct place *place)
{
	const struct sg_rule *rule = sg_config_rule(sg_policy_config, sg_python_text(place->path));
	enum sg_action action = SG_ACTION_ALLOW;
	bool alone = sg_gil_switches() == run->switches;

	if (is_elsewhere(run, place))
		return;
	if (place->counted && !is_counted(item)) {
		keep_content(item);
		return;
	}
	if (!alone && !place->counted && !writes(place)) {
		log_meanwhile(run, place);
		keep_content(item);
		return;
	}
	if (!rule || rule->guard != SG_GUARD_STORE)
		rule = sg_config_rule(sg_policy_config, "state.object");
	if (rule)
		action = sg_decide_late(run, rule, sg_python_text(place->path), place->code, line_of(place));
	/*
	 * What is refused has not happened: the next attempt is refused as well. But what may have been another thread's doing
	 * stays, which knows of no refusal.
	 */
	if (alone && (action == SG_ACTION_BLOCK || (action != SG_ACTION_ALLOW && place->undo && sg_config_refuses(sg_policy_config))))
		put_back(item);
	keep_content(item);
}

void sg_named_host_changes(struct sg_run *run, bool begins)
{
	struct sg_named *named = run->named;
	struct aside aside;

	if (!named)
		return;
	aside = step_aside();
	for (size_t i = 0; i < named->count; i++) {
		struct item *item = named->places[i].item;

		if (!is_changed(item))
			continue;
		if (begins)
			report(run, item, &named->places[i]);
		else
			keep_content(item);
	}
	step_back(aside);
}

void sg_named_end(struct sg_run *run)
{
	struct sg_named *named = run->named;
	struct aside aside;

	if (!named)
		return;
	aside = step_aside();
	for (size_t i = 0; i < named->count; i++) {
		struct item *item = named->places[i].item;

		item->active--;
		if (is_changed(item))
			report(run, item, &named->places[i]);
	}
	run->named = NULL;
	named->users--;
	release(named);
	step_back(aside);
}

void sg_named_remove(void)
{
	sg_python_clear(&helpers);
}
