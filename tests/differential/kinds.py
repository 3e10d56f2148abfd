"""Every kind of global state that the generator knows: how it is made, and what can be done to it.

KINDS maps a name to (weight, feature, definition, operations). In the text
    {n}  the name it gets        {x}  an expression that leads to it      {v}  a small number, or the parameter v
    {o}  some other object, or a number      {k}  a short string          {A}  one of the attribute names    {i}  a digit
An operation that starts with "=" is an expression whose value is noted; one that starts with "!" assigns to {x}, so a
bare name needs "global"; "[feature]" in front: only with that feature. A kind of feature "" is always there.
No set displays of constants: their order is another one once the code has been in a .pyc file.
"""

FEATURES = {
    "weak": "weak containers and references, and objects in them that die",
    "del": "classes with __del__ that notes (only with --with del)",
    "context": "context variables",
    "abc": "ABC.register",
    "reimport": "modules reloaded, or removed from sys.modules and imported again",
    "large": "so many objects that changes are found by the pages that were written to (all programs: --with large)",
    "late": "modules that are first imported by a handler",
    "iterator": "iterators that are suspended over a global container",
    "setstate": "random.Random.setstate",
    "opaque": "iterators and generators as globals",
    "buffer": "memoryviews of global buffers",
    "asyncio": "asyncio events, locks and queues as globals",
    "attrs": "attrs classes", "pydantic": "pydantic models",
    "sqlalchemy": "tables and models of sqlalchemy (only with --with sqlalchemy)",
    "class-order": "order of a class's attributes", "module-order": "order of a module's attributes",
}
OPTIONAL = ("del", "sqlalchemy")

# Attributes that generated code gives to objects. Reading them one by one, not through __dict__, leaves an object's
# attributes where the interpreter keeps them: asking for __dict__ would create it.
ATTRIBUTES = ("a", "b", "c", "d", "things", "total", "extra")

KINDS = {}


def kind(name, weight, definition, operations, feature=""):
    lines = [line.strip() for line in operations.splitlines() if line.strip()]
    KINDS[name] = (weight, feature, definition.strip("\n"), lines)


LIST = """
{x}.append({v})
{x}.append({o})
{x}.insert(0, {v})
{x}.extend(({v}, {o}))
={x}.pop()
={x}.pop(0)
del {x}[0]
{x}[0] = {o}
{x}[-1] = [{v}]
{x}.reverse()
{x}.clear()
{x}[:] = [{v}, {o}]
{x}[1:1] = [{v}] * 3
={x}[0] is {x}[-1]
=len({x})
!{x} += [{v}]
!{x} = list({x})
"""
DICT = """
{x}[{k}] = {v}
{x}[{k}] = {o}
{x}[{v}] = [{v}]
del {x}[{k}]
={x}.pop({k}, 0)
={x}.setdefault({k}, {v})
{x}.update(a={v}, zz={o})
{x}.clear()
={x}.popitem()
{x}[next(iter({x}))] = {o}
{x}[{k}] = {x}.pop(next(iter({x})))
=list({x})
={k} in {x}
!{x} |= dict(b={v})
!{x} = dict({x})
"""
SET = """
{x}.add({v})
{x}.add({v} * 8)
{x}.add({v} + 32)
{x}.add({k})
{x}.discard({v})
{x}.discard(8)
={x}.pop()
{x}.update(range({v}))
{x}.clear()
{x}.symmetric_difference_update((0, 8, {v}))
=list({x})
!{x} -= set([{v}])
!{x} = set({x})
"""
ATTRIBUTE = """
{x}.{A} = {v}
{x}.{A} = {o}
del {x}.{A}
={x}.{A}
{x}.things.append({v})
{x}.total += 1
{x}.total -= {v}
{x}.{A}, {x}.{A} = {v}, {o}
=hasattr({x}, '{A}')
"""
INSTANCE = ATTRIBUTE + """
vars({x}).clear()
vars({x}).update(b={v}, a={o})
vars({x})[{k}] = {o}
{x}.__dict__ = dict(total={v})
=list(vars({x}))
"""

kind("int", 3, "{n} = {v}", """
!{x} = {v}
!{x} = {o}
!{x} += 1
!del {x}
!{x} = [{x}]
={x}
""")
kind("list", 8, "{n} = [{v}, {o}]", LIST)
kind("list of lists", 3, "{n} = [[{v}], [{o}], []]", LIST + """
{x}[0].append({v})
{x}[1] = {x}[0]
{x}[2].append({x}[0])
{x}[0].append({x})
""")
kind("dict", 8, "{n} = {{'a': {v}, 'b': {o}}}", DICT)
kind("tree", 3, "{n} = {{'a': {{'b': [{v}], 'c': set([1, 2])}}, 'd': ({o}, [])}}", DICT + """
{x}['a']['b'].append({v})
{x}['a']['c'].add({v})
{x}['a'][{k}] = {o}
{x}['d'][1].append({o})
{x}['b'] = {x}['a']
del {x}['a']['b']
""")
kind("dict of ints", 2, "{n} = {{i * 8: i for i in range({v} + 3)}}", DICT + """
del {x}[8]
{x}[8] = {v}
{x}[0] = {x}.pop(8)
""")
kind("set", 5, "{n} = set([{v}, 8, 0, 16])", SET)
kind("set grown", 2, "{n} = set(range(0, 80, 8))\n{n}.difference_update(range(0, 60, 8))", SET)
kind("deque", 4, "{n} = collections.deque([{v}, {o}], maxlen=4)", """
{x}.append({v})
{x}.appendleft({o})
={x}.pop()
={x}.popleft()
{x}.rotate({v})
{x}.extend(range({v}))
{x}[0] = {o}
{x}.clear()
del {x}[0]
""")
kind("bytearray", 2, "{n} = bytearray(b'ab')", """
{x}.append({v})
{x}.extend(b'xyz')
{x}[0] = {v}
del {x}[0]
{x}.clear()
={x}.pop()
{x}[:] = bytes({v})
!{x} += b'q'
""")
kind("array", 2, "{n} = array.array('i', [{v}, 2])", """
{x}.append({v})
{x}[0] = {v}
={x}.pop()
{x}.extend([{v}, {v}])
{x}.reverse()
del {x}[0]
""")
kind("OrderedDict", 3, "{n} = collections.OrderedDict(a={v}, b={o})", DICT + """
{x}.move_to_end({k})
{x}.move_to_end('a', last=False)
={x}.popitem(last=False)
""")
kind("defaultdict", 3, "{n} = collections.defaultdict(list, a=[{v}])", DICT + """
{x}[{k}].append({v})
{x}['new'].append({o})
{x}.default_factory = set
{x}.default_factory = None
""")
kind("Counter", 3, "{n} = collections.Counter(a={v}, b=1)", """
{x}[{k}] += 1
{x}.update('abca')
{x}.subtract(b={v})
{x}.clear()
={x}.most_common(1)
del {x}['a']
""")
kind("ChainMap", 2, "{n} = collections.ChainMap({{'a': {v}}}, {{'b': {o}}})", """
{x}[{k}] = {o}
{x}.maps.append({{'c': {v}}})
{x}.maps[1]['b'] = {v}
={x}.pop('a')
{x}.maps = [{{}}, *{x}.maps]
""")
kind("UserDict", 1, "{n} = collections.UserDict(a={v})", DICT)
kind("UserList", 1, "{n} = collections.UserList([{v}, {o}])", LIST)
kind("namespace", 2, "{n} = types.SimpleNamespace(a={v}, things=[{o}], total=0)", INSTANCE)
kind("function", 4, """
def {n}(p, q={v}, held=[], *, w={o}):
    held.append(p)
    return len(held) + (q if isinstance(q, int) else 0)
{n}.total = 0
{n}.things = []
""", ATTRIBUTE + """
={x}({v})
={x}({v}, held=[])
{x}.__defaults__ = ({v}, [])
{x}.__defaults__[1].append({v})
{x}.__kwdefaults__ = None
{x}.__kwdefaults__['w'] = {v}
{x}.__name__ = {k}
{x}.__doc__ = {k}
{x}.__code__ = (lambda p, q=0, held=None, *, w=0: p).__code__
{x}.__dict__.clear()
{x}.__annotations__['p'] = int
""")
kind("closure", 4, """
def _make_{n}(start):
    total, held = start, []
    def step(by=1):
        nonlocal total
        total += by
        held.append(total)
        return total, len(held)
    return step
{n} = _make_{n}({v})
""", """
={x}({v})
={x}()
{x}.__closure__[0].cell_contents.clear()
{x}.__closure__[1].cell_contents = {v}
!{x} = {x}
""")
kind("cache", 3, """
@functools.lru_cache(maxsize=3)
def {n}(p):
    return [p]
""", """
={x}({v})
={x}({v}) is {x}({v})
{x}({v}).append({v})
{x}.cache_clear()
=tuple({x}.cache_info())
{x}.total = {v}
""")
kind("cached method", 1, """
class _{n}:
    total = 0
    @functools.cache
    def get(self, p):
        type(self).total += 1
        return [p, type(self).total]
    @functools.cached_property
    def lazy(self):
        return [len(vars(self))]
{n} = _{n}()
""", """
={x}.get({v})
{x}.get({v}).append({o})
={x}.lazy
{x}.lazy.append({v})
del {x}.lazy
{x}.get.cache_clear()
""")
kind("random", 3, "{n} = random.Random({v})", """
={x}.random()
={x}.getrandbits(20)
={x}.gauss(0, 1)
{x}.seed({v})
=sorted([3, 1, 2], key=lambda _: {x}.random())
[setstate]{x}.setstate(random.Random({v}).getstate())
""")
kind("count", 2, "{n} = itertools.count({v})", """
=next({x})
=next({x}) + next({x})
!{x} = itertools.count({v})
""")
kind("cycle", 1, "{n} = itertools.cycle([{v}, 2, 3])", "=next({x})", "opaque")
kind("iterator", 1, "{n} = iter([{v}, 2, 3, 4, 5])", "=next({x})", "opaque")
kind("iterators", 2, """
_{n} = [{v}, 2, 3, 4, 5, 6]
{n} = [itertools.chain(_{n}, [7]), itertools.islice(_{n}, 1, 5), itertools.accumulate(_{n}), enumerate(_{n}), zip(_{n}, 'abcd'),
       map(lambda p: [p], _{n}), filter(None, _{n}), reversed(_{n}), itertools.repeat({v}, 3), iter('abc'), iter((1, [2])),
       itertools.starmap(max, [_{n}] * 3), itertools.takewhile(bool, _{n}), itertools.compress(_{n}, [0, 1, 1]), iter(b'abc'),
       iter(lambda: len(_{n}), 3), itertools.filterfalse(None, [0, '', ()]), itertools.dropwhile(lambda p: p < 3, _{n})]
""", """
=next({x}[{v} % 18])
=[next(i, None) for i in {x}]
=list(itertools.islice({x}[{v} % 18], 4))
_{n}.append({v})
del _{n}[0]
{x}[{v} % 18] = iter([{o}])
{x}.reverse()
""", "opaque")
kind("iterators of dicts", 1, """
_{n} = [{{'a': {v}, 'b': [{v}], 'c': {o}}}, set([8, 0, 16, {v}])]
{n} = [iter(_{n}[0]), iter(_{n}[0].values()), iter(_{n}[0].items()), iter(_{n}[1])]
""", """
=next({x}[{v} % 4])
=[next(i, None) for i in {x}]
_{n}[0][{k}] = {v}
_{n}[0]['a'] = {v}
del _{n}[0]['a']
_{n}[1].add({v})
_{n}[1].discard(8)
""", "opaque")
kind("generator", 1, """
def _make_{n}():
    total = 0
    while True:
        total += (yield total) or 1
{n} = _make_{n}()
""", "=next({x})\n={x}.send({v})", "opaque")
kind("StringIO", 2, "{n} = io.StringIO('some text')", """
{x}.write({k})
={x}.read(2)
{x}.seek({v})
{x}.truncate(3)
={x}.getvalue()
""")
kind("BytesIO", 2, "{n} = io.BytesIO(b'some')", """
{x}.write(b'xy')
={x}.read(2)
{x}.seek({v})
{x}.truncate(2)
{x}.close()
""")
kind("Queue", 2, "{n} = queue.Queue()\n{n}.put_nowait({v})", """
{x}.put_nowait({o})
={x}.get_nowait()
={x}.qsize()
{x}.task_done()
""")
kind("PriorityQueue", 1, "{n} = queue.PriorityQueue(maxsize=4)\n{n}.put_nowait({v})", """
{x}.put_nowait({v})
={x}.get_nowait()
""")
kind("SimpleQueue", 2, "{n} = queue.SimpleQueue()\n{n}.put({v})", """
{x}.put({o})
={x}.get_nowait()
={x}.qsize()
""")
kind("partial", 1, "{n} = functools.partial(dict, a={v})", """
{x}.total = {v}
={x}(b={v})
{x}.keywords['c'] = {o}
""")
kind("error", 1, "{n} = ValueError({k}, [{v}])", """
raise {x}
raise KeyError({v}) from {x}
{x}.args = ({v},)
{x}.args[1].append({v})
{x}.total = {o}
""")
kind("proxy", 1, "_{n} = {{'a': {v}}}\n{n} = types.MappingProxyType(_{n})", "={x}['a']\n_{n}[{k}] = {v}")
kind("decimal", 1, "{n} = decimal.Context(prec={v} + 1)", """
{x}.prec = {v} + 2
=str({x}.divide(decimal.Decimal(1), 3))
={x}.flags[decimal.Inexact]
{x}.clear_flags()
{x}.traps[decimal.Inexact] = True
{x}.traps = [decimal.Overflow]
=[s.__name__ for s, held in {x}.traps.items() if held]
!{x} = {x}.copy()
""")
kind("lock", 1, "{n} = threading.Lock()", "={x}.acquire(False)\n{x}.release()\n={x}.locked()")
kind("threads' things", 1, """
{n} = [threading.Event(), threading.Semaphore(2), threading.Condition(threading.Lock())]
""", """
{x}[0].set()
{x}[0].clear()
=[{x}[0].is_set(), {x}[1]._value, {x}[2]._lock.locked()]
={x}[1].acquire(blocking=False)
{x}[1].release()
={x}[2].acquire(blocking=False)
{x}[2].release()
{x}[0].total = {v}
""")
kind("ConfigParser", 1, """
{n} = configparser.ConfigParser({{'a': '{v}'}})
{n}.read_dict({{'b': {{'c': 'x'}}}})
""", """
{x}['b'][{k}] = str({v})
{x}.set('DEFAULT', 'a', str({v}))
{x}.add_section({k})
{x}.remove_section({k})
{x}.remove_option('b', 'c')
={x}.sections()
=dict({x}['b'])
={x}.getint('b', 'a')
={x}.defaults()
""")
kind("ExitStack", 1, """
{n} = contextlib.ExitStack()
{n}.callback(lambda held: held.append({v}), [])
{n}.total = 0
""", """
{x}.callback(lambda: note('left', {v}))
{x}.close()
={x}.pop_all() is {x}
=len({x}._exit_callbacks)
{x}.total += 1
!{x} = {x}.pop_all()
""")
kind("module", 1, "{n} = types.ModuleType(__name__ + '_extra')\n{n}.things = [{v}]\n{n}.total = 0", ATTRIBUTE)

kind("class", 6, """
class {n}:
    total = 0
    things = [{v}]
    extra = {o}
    def up(self):
        type(self).total += 1
        return self.total
    @classmethod
    def add(cls, p):
        cls.things.append(p)
        return len(cls.things)
""", ATTRIBUTE + """
={x}().up()
={x}.add({v})
{x}.up = lambda self: {v}
{x}.up = property(lambda self: {v})
del {x}.up
{x}.__init__ = lambda self: setattr(self, 'a', {v})
{x}.__doc__ = {k}
{x}.__len__ = lambda self: {v}
=len({x}())
=vars({x}()).get('a')
{x}.__name__ = {k}
{x}.add = classmethod(lambda cls, p: p)
""")
kind("subclass", 2, """
class _{n}:
    total = 0
    things = []
class {n}(_{n}):
    b = {v}
    def __init_subclass__(cls, **kw):
        {n}.things.append(cls.__name__)
""", ATTRIBUTE + """
{x}.__mro__[1].total += {v}
{x}.__mro__[1].{A} = {o}
={x}.total
type({k}, ({x},), {{}})
{x}.__bases__ = (types.SimpleNamespace,)
""")
kind("metaclass", 1, """
class _{n}(type):
    total = 0
    things = []
    def __call__(cls, *p):
        type(cls).total += 1
        return super().__call__(*p)
    def __getattr__(cls, name):
        type(cls).things.append(name)
        raise AttributeError(name)
class {n}(metaclass=_{n}):
    a = {v}
""", ATTRIBUTE + """
type({x}).{A} = {o}
={x}() is {x}()
type({x}).extra = {x}
""")
kind("instance", 7, """
class _{n}:
    total = {v}
    def __init__(self, p=0):
        self.a = p
        self.things = [p]
{n} = _{n}({o})
""", INSTANCE + """
{x}.d = {x}
{x}.__class__ = type({k}, (type({x}),), {{}})
type({x}).total += 1
type({x}).{A} = {v}
{x}.__init__({v})
=type({x}) is type({x})({v}).__class__
{x}.c = type({x})({v})
!{x} = type({x})({v})
!{x} = copy.deepcopy({x})
""")
kind("many attributes", 1, """
class _{n}:
    pass
{n} = _{n}()
for _i in range(40):
    setattr({n}, f'a{{_i}}', _i)
{n}.things = []
{n}.total = 0
""", INSTANCE + "{x}.a{i} = {o}\ndel {x}.a{i}\n={x}.a{i}")
kind("slots", 4, """
class _{n}:
    __slots__ = ('a', 'b', 'things', 'total', '__weakref__')
    def __init__(self):
        self.a, self.things, self.total = {o}, [], {v}
{n} = _{n}()
""", ATTRIBUTE + "{x}.b = {x}\n{x}.things.append({x})")
kind("slots and dict", 2, """
class _{n}:
    __slots__ = ('a', 'things')
class _{n}_below(_{n}):
    total = 0
{n} = _{n}_below()
{n}.things = []
{n}.c = {o}
""", INSTANCE)
kind("list below", 2, "class _{n}(list):\n    total = 0\n{n} = _{n}([{v}, {o}])\n{n}.things = []", LIST + INSTANCE)
kind("dict below", 2, """
class _{n}(dict):
    total = 0
    def __missing__(self, key):
        self.total += 1
        return key
{n} = _{n}(a={v})
{n}.things = []
""", DICT + "={x}['not there']\n{x}.total = {v}\n{x}.a = {o}\ndel {x}.a")
kind("dict hostile", 1, """
class _{n}(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key, (value, len(self)))
    def __iter__(self):
        return iter(sorted(super().keys(), key=str))
    def update(self, *p, **q):
        raise RuntimeError('no update')
    def clear(self):
        raise RuntimeError('no clear')
{n} = _{n}()
{n}['a'] = {o}
""", "{x}[{k}] = {v}\ndel {x}['a']\n={x}.pop({k}, 0)\n{x}.a = {v}")
kind("set below", 1, "class _{n}(set):\n    pass\n{n} = _{n}([8, 0, {v}])\n{n}.total = 0", SET + "{x}.total += 1\n{x}.a = {o}")
kind("others below", 2, """
class _{n}(collections.deque):
    pass
class _{n}_ordered(collections.OrderedDict):
    pass
class _{n}_default(collections.defaultdict):
    pass
class _{n}_bytes(bytearray):
    pass
class _{n}_counter(collections.Counter):
    pass
{n} = _{n}([_{n}_ordered(a={v}), _{n}_default(list), _{n}_bytes(b'x'), _{n}_counter('ab')], 6)
""", """
{x}.append({v})
{x}.a = {o}
{x}[0][{k}] = {v}
{x}[0].a = {v}
{x}[0].move_to_end('a')
{x}[1][{k}].append({v})
{x}[1].a = {o}
{x}[2].append({v})
{x}[2].a = {v}
{x}[3].update('bc')
{x}.rotate()
""")
kind("int below", 1, "class _{n}(int):\n    total = 0\n{n} = _{n}({v})\n{n}.things = []", ATTRIBUTE)
kind("tuple below", 1, "_{n} = collections.namedtuple('_{n}', 'p q')\n{n} = _{n}([{v}], {{'a': {o}}})", """
{x}.p.append({v})
{x}.q[{k}] = {o}
!{x} = {x}._replace(p=[{v}])
""")
kind("descriptor", 1, """
class _{n}_field:
    def __init__(self):
        self.things, self.total = {{}}, 0
    def __get__(self, owner, kind=None):
        self.total += 1
        return self if owner is None else self.things.get(kind.__name__)
    def __set__(self, owner, p):
        self.things[type(owner).__name__] = p
class _{n}:
    e = _{n}_field()
{n} = _{n}()
""", "{x}.e = {o}\n={x}.e\ntype({x}).e.things[{k}] = {v}\n=type({x}).e.total")
# Not p.__init__(...): CPython does not notice it where a call site has been specialised to the old function.
kind("property", 1, """
class _{n}:
    total = {v}
    @property
    def p(self):
        "text"
        return self.total
{n} = _{n}()
""", """
={x}.p
=type({x}).p.__doc__
type({x}).p.__doc__ = {k}
type({x}).p = type({x}).p.getter(lambda self: {v} + 1)
type({x}).total += 1
""")
kind("enum", 2, """
class {n}(enum.Enum):
    P = 1
    Q = [{v}]
{n}.P.things = []
""", """
{x}.P.things.append({v})
{x}.Q.value.append({v})
{x}.Q.extra = {o}
{x}.total = {v}
{x}.P._value_ = {v}
={x}(1) is {x}.P
del {x}.P.things
""")
kind("flag", 1, "class {n}(enum.Flag):\n    P = 1\n    Q = 2\n    R = 4", """
={x}({v} % 8)
=len({x}._value2member_map_)
={x}(3) is {x}.P | {x}.Q
{x}(5).extra = {v}
=getattr({x}(5), 'extra', 0)
""")
kind("dataclass", 3, """
@dataclasses.dataclass
class _{n}:
    a: object = {v}
    things: list = dataclasses.field(default_factory=list)
    total: int = 0
{n} = _{n}({o})
""", INSTANCE + """
={x} == type({x})({v})
!{x} = dataclasses.replace({x}, total={v})
type({x}).__dataclass_fields__['a'].default = {v}
""")
kind("dataclass slots", 1, """
@dataclasses.dataclass(slots=True, frozen=True)
class _{n}:
    a: object = {v}
    things: list = dataclasses.field(default_factory=list)
{n} = _{n}({o})
""", "{x}.things.append({v})\nobject.__setattr__({x}, 'a', {o})\n{x}.a = {v}\n!{x} = dataclasses.replace({x}, a={v})")
kind("ABC", 1, """
class _{n}(abc.ABC):
    total = 0
class {n}(_{n}):
    pass
class _{n}_other:
    pass
""", """
_{n}.register(_{n}_other)
={x}.__mro__[1] and issubclass(_{n}_other, _{n})
=isinstance([], _{n})
_{n}.register(list)
{x}.{A} = {v}
""", "abc")
kind("singledispatch", 1, """
@functools.singledispatch
def {n}(p):
    return 'any'
{n}.register(int, lambda p: p + 1)
""", """
={x}({v})
={x}({k})
{x}.register(str, lambda p: 'text')
{x}.register(int, lambda p: {v})
=len({x}.registry)
""")
kind("registry", 2, """
{n} = {{}}
def _{n}_add(f):
    {n}[f.__name__] = f
    return f
@_{n}_add
def _{n}_one(p):
    return p
""", """
_{n}_add(lambda p: {v})
=list({x})
={x}['<lambda>']({v})
{x}['_{n}_one'].total = {v}
=[f({v}) for f in {x}.values()]
{x}.pop('_{n}_one')
""")
kind("attrs", 2, """
@attr.s
class _{n}:
    a = attr.ib(default={v})
    things = attr.ib(factory=list)
    total = 0
{n} = _{n}({o})
""", INSTANCE, "attrs")
kind("attrs slots", 1, """
@attr.define
class _{n}:
    a: object = {v}
    things: list = attr.field(factory=list)
{n} = _{n}({o})
""", "{x}.things.append({v})\n{x}.a = {o}\n!{x} = attr.evolve({x}, a={v})\n={x}.a", "attrs")
kind("pydantic", 1, """
class _{n}(pydantic.BaseModel):
    a: int = 0
    things: list = []
    _hidden: list = pydantic.PrivateAttr(default_factory=list)
{n} = _{n}(things=[{v}])
""", """
{x}.a = {v}
{x}.things.append({o})
{x}._hidden.append({v})
={x}.model_dump()
{x}.__pydantic_fields_set__.add('a')
!{x} = {x}.model_copy()
type({x})(a='no number')
""", "pydantic")
kind("sqlalchemy table", 2, """
{n} = sqlalchemy.Table('{n}', sqlalchemy.MetaData(), sqlalchemy.Column('a', sqlalchemy.Integer, primary_key=True))
""", """
{x}.append_column(sqlalchemy.Column({k}, sqlalchemy.Integer))
{x}.append_constraint(sqlalchemy.UniqueConstraint('a'))
{x}.info[{k}] = {v}
{x}.c.a.info[{k}] = {o}
sqlalchemy.Table({k}, {x}.metadata, sqlalchemy.Column('a', sqlalchemy.ForeignKey({x}.c.a)))
{x}.metadata.remove({x})
sqlalchemy.Index({k}, {x}.c.a)
={x}.info
={x}.c.keys()
={x}.primary_key.columns.keys()
=list({x}.metadata.tables)
=[t.name for t in {x}.metadata.sorted_tables]
=len({x}.constraints)
=sorted(i.name for i in {x}.indexes)
=sorted(f.target_fullname for f in {x}.foreign_keys)
=str(sqlalchemy.select({x}).where({x}.c.a == {v}))
""", "sqlalchemy")
kind("sqlalchemy model", 2, """
class _{n}(sqlalchemy.orm.DeclarativeBase):
    pass
class {n}(_{n}):
    __tablename__ = '{n}'
    a = sqlalchemy.orm.mapped_column(sqlalchemy.Integer, primary_key=True)
    b = sqlalchemy.orm.mapped_column(sqlalchemy.String)
    below = sqlalchemy.orm.relationship('{n}_below', back_populates='over')
class {n}_below(_{n}):
    __tablename__ = '{n}_below'
    a = sqlalchemy.orm.mapped_column(sqlalchemy.ForeignKey('{n}.a'), primary_key=True)
    over = sqlalchemy.orm.relationship({n}, back_populates='below')
""", """
={x}(a={v}).a
={x}(a={v}, b={k}).below
={x}.__mapper__.configured
={x}.__mapper__.attrs.keys()
={x}.__table__.c.keys()
=list({x}.metadata.tables)
=str(sqlalchemy.select({x}).where({x}.a == {v}))
={x}.{A}
{x}.{A} = {v}
{x}.extra = sqlalchemy.orm.mapped_column(sqlalchemy.Integer)
{x}.__table__.info[{k}] = {o}
{x}.below.info[{k}] = {v}
type({k}, ({x},), {{}})
{x}.registry.configure()
sqlalchemy.event.listen({x}, 'init', lambda target, *p: note('made', {v}))
""", "sqlalchemy")
kind("context variable", 3, "{n} = contextvars.ContextVar('{n}', default={v})", """
{x}.set({v})
{x}.set([{v}])
{x}.set({o})
={x}.get()
{x}.get().append({v})
{x}.reset({x}.set({v}))
""", "context")
kind("context", 2, """
_{n} = contextvars.ContextVar('_{n}')
{n} = contextvars.copy_context()
{n}.run(_{n}.set, [{v}])
""", """
{x}.run(_{n}.set, {v})
{x}.run(_{n}.set, {o})
{x}.get(_{n}).append({v})
={x}.run(_{n}.get)
={x}.copy().get(_{n})
!{x} = {x}.copy()
""", "context")
kind("token", 1, """
_{n} = contextvars.ContextVar('_{n}', default=[])
_{n}_held = contextvars.Context()
{n} = _{n}_held.run(_{n}.set, {o})
""", """
_{n}_held.run(_{n}.reset, {x})
=_{n}_held.get(_{n})
!{x} = _{n}_held.run(_{n}.set, {v})
{x}.old_value.append({v})
""", "context")

# Not hashed by address, which would be the order of a WeakSet.
WEAK_ITEM = """
class _{n}:
    def __init__(self, p):
        self.a = self.number = p
    def __hash__(self):
        return hash(self.number)
_{n}_held = [_{n}(i) for i in range(4)]
"""
# What is added is new: an image keeps what its modules made, so that does not die when a run lets it go.
WEAK = """
_{n}_held.pop()
_{n}_held.append(_{n}({v}))
_{n}_held.clear()
_{n}_held[0].a = {v}
=len({x})
"""
kind("WeakSet", 2, WEAK_ITEM + "{n} = weakref.WeakSet(_{n}_held)", WEAK + """
_{n}_held.append(_{n}({v})); {x}.add(_{n}_held[-1])
{x}.discard(_{n}_held[0])
{x}.add(_{n}({v}))
{x}.clear()
""", "weak")
kind("WeakKeyDictionary", 2, WEAK_ITEM + "{n} = weakref.WeakKeyDictionary((i, i.a) for i in _{n}_held)", WEAK + """
_{n}_held.append(_{n}({v})); {x}[_{n}_held[-1]] = {v}
{x}.pop(_{n}_held[0])
{x}[_{n}({v})] = 1
""", "weak")
kind("WeakValueDictionary", 2, WEAK_ITEM + "{n} = weakref.WeakValueDictionary((i.a, i) for i in _{n}_held)", WEAK + """
_{n}_held.append(_{n}({v})); {x}[{v}] = _{n}_held[-1]
{x}.pop({v})
={x}.get({v}) in _{n}_held
""", "weak")
kind("weak reference", 1, WEAK_ITEM + "{n} = weakref.ref(_{n}_held[-1])", WEAK.replace("=len({x})", "={x}() is None"), "weak")
kind("finalised", 1, """
class _{n}:
    def __del__(self):
        note('{n} dies')
{n} = [_{n}()]
""", "{x}.pop()\n{x}.append(_{n}())\n{x}.clear()", "del")
kind("buffer", 1, "_{n} = bytearray(b'abcdef')\n{n} = memoryview(_{n})", """
{x}[{v} % 6] = 65
=bytes({x})
_{n}.append({v})
{x}.release()
""", "buffer")
