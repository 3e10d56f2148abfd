"""Classes, their instances and modules."""
from kinds.table import ATTRIBUTE, INSTANCE, kind

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
{x}.__annotations__ = dict(a={v}) ~> getattr({x}, '__annotations__', None)
{x}.__module__ = 'm{i}' ~> {x}.__module__.replace(__name__, '')
{x}.__qualname__ = 'q{i}' ~> {x}.__qualname__
{x}.__type_params__ = ({v},) ~> getattr({x}, '__type_params__', None)
{x}.__doc__ = 'd{i}' ~> {x}.__doc__
{x}.__name__ = 'n{i}' ~> {x}.__name__
{x}.__eq__ = lambda self, p: True ~> [{x}() == 1, {x}.__hash__ is None]
{x}.__call__ = lambda self: {v} ~> {x}()()
{x}.__getattr__ = lambda self, name: name ~> getattr({x}(), 'lacking', 0)
{x}.__bool__ = lambda self: False ~> bool({x}())
{x}.__iter__ = lambda self: iter([{v}]) ~> list({x}())
{x}.__add__ = lambda self, p: [p] ~> {x}() + 1
{x}.__getattribute__ = lambda self, name: 5 ~> {x}().things
{x}.__setattr__ = lambda self, *p: None ~> [setattr({x}(), 'a', 1)]
{x}.__str__ = lambda self: {k} ~> str({x}())
{x}.__new__ = staticmethod(lambda cls: {v}) ~> {x}()
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
{x}.__bases__ = (type({k}, ({x}.__mro__[1],), dict(b2={v})),) ~> [len({x}.__mro__), getattr({x}, 'b2', 0)]
{x}.__init_subclass__ = classmethod(lambda cls: cls.things.append({k})) ~> type('K', ({x},), {{}}).things
{x}.__mro__[1].b = {v} ~> {x}.b
{x}.__mro__[1].e = {v} ~> getattr({x}, 'e', 0)
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
{x}.__class__ = type('M{i}', (type({x}),), dict(total={v})) ~> [type({x}).__name__, type({x}).total]
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
{x}.__class__ = type('K{i}', (type({x}),), dict(total={v})) ~> [type({x}).__name__, {x}.total]
{x}.__dict__ = dict(b={v}) ~> vars({x})
type({x}).total = property(lambda self: {v}) ~> {x}.total
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
{x}.P.extra = {v} ~> getattr({x}.P, 'extra', 0)
{x}.P._value_ = {v} ~> [{x}.P.value, {x}.P.name]
{x}._value2member_map_[{v} + 9] = {x}.P ~> {x}(9) is {x}.P
{x}._member_map_['R'] = {x}.Q ~> [len({x}), 'R' in {x}.__members__, getattr({x}, 'R', None) is {x}.Q]
{x}._member_names_.append({k}) ~> len({x})
{x}.P._sort_order_ = {v} + 9 ~> getattr({x}.P, '_sort_order_', None)
del {x}.P.things
""")
kind("flag", 1, "class {n}(enum.Flag):\n    P = 1\n    Q = 2\n    R = 4", """
={x}({v} % 8)
=len({x}._value2member_map_)
={x}(6) ~> list({x}._value2member_map_)
{x}(6).extra = {v} ~> getattr({x}(6), 'extra', 0)
{x}.P.extra = {v} ~> getattr({x}.P, 'extra', 0)
={x}.P | {x}.R ~> sorted({x}._value2member_map_)
={x}(5) ~> [m.name for m in {x}]
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
type({x}).__dataclass_fields__['a'].default = {v} ~> [f.default for f in dataclasses.fields({x})][:1]
type({x}).__dataclass_fields__['a'].name = {k} ~> [f.name for f in dataclasses.fields({x})]
type({x}).__init__.__defaults__ = (5, None, 6) ~> type({x})().a
type({x}).a = {v} + 3 ~> type({x}).a
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
_{n}.register(_{n}_other) ~> issubclass(_{n}_other, _{n})
_{n}.register(list) ~> isinstance([], _{n})
{x}.register(dict) ~> isinstance({{}}, _{n})
_{n}.register(int) ~> [isinstance({v}, _{n}), isinstance({v}, {x})]
{x}.__abstractmethods__ = frozenset('a') ~> [{x}() is None]
={x}.__mro__[1] and issubclass(_{n}_other, _{n})
=isinstance([], _{n})
_{n}.register(list)
{x}.{A} = {v}
""", "abc")
kind("module of a class", 1, """
class _{n}(types.ModuleType):
    @property
    def hits(self):
        return vars(self).get('_hits', 0)
{n} = sys.modules[__name__]
""", """
{x}.__class__ = _{n} ~> [type({x}).__name__, getattr({x}, 'hits', None)]
{x}._hits = {v} ~> getattr({x}, 'hits', None)
{x}._hits = {o}
_{n}.total = {v} ~> _{n}.__dict__.get('total')
{x}.__class__ = types.ModuleType ~> type({x}).__name__
""", "replaced")
kind("module of a class from the start", 1, """
class _{n}(types.ModuleType):
    @property
    def hits(self):
        return vars(self).get('_hits', 0)
    def __setattr__(self, name, value):
        vars(self).update(_last=name)
        types.ModuleType.__setattr__(self, name, value)
{n} = sys.modules[__name__]
{n}.__class__ = _{n}
""", """
{x}._hits = {v} ~> [{x}.hits, vars({x}).get('_last')]
{x}.__class__ = types.ModuleType ~> type({x}).__name__
_{n}.total = {v} ~> getattr({x}, 'total', 0)
""", "replaced")
kind("module replaced", 1, """
_{n}_names = globals()
class _{n}:
    def __init__(self):
        self.total, self.things = {v}, []
    def __getattr__(self, name):
        if name == '__all__':
            return [n for n in _{n}_names if n[0] != '_']
        if name in _{n}_names:
            return _{n}_names[name]
        raise AttributeError(name)
{n} = sys.modules[__name__] = _{n}()
""", """
{x}.total += {v} ~> {x}.total
{x}.things.append({v}) ~> {x}.things
{x}.a = {o} ~> getattr({x}, 'a', None)
{x}.f0 = {v} ~> {x}.f0 == {v}
=sys.modules[__name__] is {x}
""", "replaced")
kind("names made when asked for", 1, """
_{n}_made = []
def __getattr__(name):
    if name.startswith('lazy'):
        _{n}_made.append(name)
        globals()[name] = [len(_{n}_made)]
        return globals()[name]
    raise AttributeError(name)
{n} = sys.modules[__name__]
""", """
={x}.lazy{i} ~> _{n}_made
={x}.lazy1 ~> [n for n in vars({x}) if n.startswith('lazy')]
{x}.lazy2.append({v}) ~> {x}.lazy2
""", "replaced")
kind("registry of subclasses", 2, """
class {n}:
    things = {{}}
    def __init_subclass__(cls, key=None, **kw):
        {n}.things[key or cls.__name__] = cls
        cls.total = len({n}.things)
class _{n}({n}, key='first'):
    pass
""", """
type('K{i}', ({x},), {{}}) ~> list({x}.things)
type('L', ({x},), {{}}, key={v}) ~> [c.total for c in {x}.things.values()]
{x}.things['first'].e = {v} ~> getattr(_{n}, 'e', 0)
_{n}.total = {v} ~> {x}.things['first'].total
{x}.things.clear()
""")
kind("names of descriptors", 1, """
class _{n}_field:
    things = []
    def __set_name__(self, owner, name):
        self.name = name
        self.things.append(owner.__name__ + name)
    def __get__(self, owner, kind=None):
        return self if owner is None else vars(owner).setdefault(self.name + '_', [])
class {n}:
    p, q = _{n}_field(), _{n}_field()
""", """
type('K{i}', (), dict(z=type({x}.p)())) ~> type({x}.p).things
{x}.p.name = {k} ~> vars({x}).get('p').name
{x}.q.total = {v} ~> vars({x}.q)
type({x}.p).__get__ = lambda self, *p: self ~> {x}().p is {x}.p
type({x}.p).__set__ = lambda self, *p: note('set', p[1:]) ~> setattr({x}(), 'p', {v})
=[{x}().p, {x}().q]
""")
kind("metaclass with state", 2, """
class _{n}(type):
    made, total = [], 0
    def __new__(meta, name, bases, names, **kw):
        cls = super().__new__(meta, name, bases, names)
        meta.made.append(name)
        return cls
    def __prepare__(name, bases, **kw):
        return collections.OrderedDict(number=len(_{n}.made))
    def __instancecheck__(cls, p):
        return p in cls.held
    def __len__(cls):
        return len(cls.held)
    def __setattr__(cls, name, value):
        type(cls).total += 1
        super().__setattr__(name, value)
class {n}(metaclass=_{n}):
    held = []
""", """
{x}.held.append({v}) ~> [isinstance(1, {x}), len({x})]
{x}.a = {v} ~> type({x}).total
type({x})('K{i}', (), dict(held=[])) ~> type({x}).made
type({x}).__call__ = lambda cls: {v} ~> {x}()
type({x}).__instancecheck__ = lambda cls, p: True ~> isinstance({v}, {x})
type({x}).p = property(lambda cls: {v}) ~> getattr({x}, 'p', 0)
={x}.number
""")
kind("named tuple", 1, """
class _{n}(__import__('typing').NamedTuple):
    p: int = {v}
    q: list = []
    def up(self):
        return len(self.q)
{n} = _{n}()
""", """
{x}.q.append({v}) ~> {x}
_{n}._field_defaults['p'] = {v} ~> _{n}._field_defaults
_{n}.__new__.__defaults__ = ({v}, []) ~> _{n}()
_{n}.total = {v} ~> getattr({x}, 'total', 0)
_{n}.__annotations__['r'] = int ~> list(_{n}.__annotations__)
_{n}.up = lambda self: {v} ~> {x}.up()
={x}._replace(p={v})
""")
kind("typed dict", 1, "class {n}(__import__('typing').TypedDict, total=False):\n    a: int", """
{x}.__annotations__['b'] = int ~> list({x}.__annotations__)
{x}.__total__ = {v} ~> {x}.__total__
{x}.__optional_keys__ = frozenset('b') ~> sorted({x}.__optional_keys__)
={x}(a={v})
""")
kind("new type", 1, """
{n} = __import__('typing').NewType('{n}', int)
""", """
{x}.total = {v} ~> getattr({x}, 'total', 0)
{x}.__supertype__ = str ~> {x}.__supertype__.__name__
={x}({v})
""")
kind("slots and weak references", 1, """
class _{n}:
    __slots__ = ('a', 'held', '__weakref__', '__dict__')
{n} = _{n}()
{n}.held = [weakref.ref({n})]
""", """
{x}.a = {o} ~> getattr({x}, 'a', None)
del {x}.a
{x}.b = {v} ~> vars({x})
_{n}.a.__set__({x}, {v}) ~> {x}.a
{x}.held.append({v}) ~> {x}.held[1:]
={x}.held[0]() is {x}
""")
kind("slots of several classes", 1, """
class _{n}_base:
    __slots__ = ('a',)
class _{n}_more(_{n}_base):
    __slots__ = ('b', 'things')
class _{n}_dict(_{n}_more):
    __slots__ = ('__dict__', '__weakref__')
{n} = _{n}_dict()
{n}.k = {v}
{n}.things = []
""", """
{x}.a = {v} ~> getattr({x}, 'a', 0)
{x}.k = {v} ~> vars({x})
{x}.b = {x}.things ~> hasattr({x}, 'b')
{x}.things.append({o}) ~> {x}.things
{x}.__class__ = type('K', (_{n}_more,), dict(__slots__=('__dict__', '__weakref__'))) ~> type({x}).__name__
""")
kind("things with attributes", 1, """
class _{n}_tuple(tuple): pass
class _{n}_str(str): pass
class _{n}_float(float): pass
class _{n}_bytes(bytes): pass
class _{n}_frozen(frozenset): pass
class _{n}_complex(complex): pass
class _{n}_module(types.ModuleType): pass
class _{n}_property(property): pass
class _{n}_static(staticmethod): pass
class _{n}_partial(functools.partial): pass
class _{n}_weak:
    pass
{n} = [_{n}_tuple((1, [{v}])), _{n}_str('s'), _{n}_float(1.5), _{n}_bytes(b'b'), _{n}_frozen(), _{n}_complex(1j), _{n}_module('m'),
       _{n}_property(), _{n}_static(len), _{n}_partial(len), functools.partial(len), _{n}_weak()]
""", """
{x}[({v} * 5 + {i}) % 12].a = {v} ~> [getattr(p, 'a', 0) for p in {x}]
{x}[0][1].append({v}) ~> {x}[0]
{x}[{i}].__dict__['b'] = {o} ~> [vars(p).get('b') for p in {x}]
{x}[{i}].__class__ = type('K', (type({x}[{i}]),), {{}}) ~> [type(p).__name__ for p in {x}]
{x}.reverse()
""")
kind("missing members", 1, """
class {n}(enum.Enum):
    P = 1
    @classmethod
    def _missing_(cls, value):
        cls._{n}_seen.append(value)
        made = object.__new__(cls)
        made._name_, made._value_ = str(value), value
        return cls._value2member_map_.setdefault(value, made)
{n}._{n}_seen = []
""".replace("_{n}_seen", "seen"), """
={x}({v} + 5) ~> [{x}.seen, list({x}._value2member_map_)]
{x}({v} + 5).extra = {v} ~> [getattr(m, 'extra', 0) for m in {x}._value2member_map_.values()]
={x}({v}) is {x}({v})
""")
kind("int flag", 1, "class {n}(enum.IntFlag):\n    P = 1\n    Q = 2\n    R = 8", """
={x}({v} + 16) ~> [len({x}._value2member_map_), len({x})]
={x}.P | {x}.R ~> sorted({x}._value2member_map_)
({x}.P | {x}.Q).extra = {v} ~> getattr({x}(3), 'extra', 0)
=~{x}.P ~> sorted({x}._value2member_map_)
{x}.Q.extra = [{v}] ~> getattr({x}.Q, 'extra', 0)
""")
kind("singleton", 2, """
class {n}:
    made = None
    def __new__(cls):
        if cls.made is None:
            cls.made = super().__new__(cls)
            cls.made.total, cls.made.things = 0, []
        return cls.made
""", """
{x}().total += 1 ~> {x}.made and {x}.made.total
{x}().things.append({v}) ~> {x}.made and {x}.made.things
{x}.made = None
={x}() is {x}()
""")
kind("class decorator", 1, """
_{n}_made = []
def _{n}(cls):
    _{n}_made.append(cls)
    cls.total = len(_{n}_made)
    return cls
@_{n}
@functools.total_ordering
class {n}:
    def __lt__(self, other):
        return self.total < other
    def __eq__(self, other):
        return True
""", """
_{n}(type('K{i}', (), {{}})) ~> [c.__name__ for c in _{n}_made]
_{n}_made[0].total = {v} ~> {x}.total
{x}.__lt__ = lambda self, other: False ~> {x}() < 9
{x}.__ge__ = lambda self, other: {v} ~> {x}() >= 9
""")
kind("loops of references", 1, """
class _{n}:
    pass
{n} = _{n}()
{n}.me, {n}.total = {n}, 0
{n}.things = [{n}, {{'me': {n}}}]
_{n}.one = {n}
""", """
{x}.me.me.total += {v} ~> {x}.total
{x}.things[1]['k'] = {v} ~> {x}.things[1].get('k')
{x}.me = None ~> {x}.me is {x}
type({x}).one.a = {v} ~> getattr({x}, 'a', 0)
{x}.things.clear()
""")
kind("class replaced by exec", 1, "class _{n}:\n    total = 1\n{n} = [_{n}(), _{n}]", """
exec('class K:\\n    total = {i}', globals()) ~> globals().get('K', {x}[1]).total
{x}[1] = type('K{i}', (), dict(total={v})) ~> [isinstance({x}[0], {x}[1]), {x}[1].total]
{x}[1].total = {v} ~> {x}[0].total
""")
kind("property with state", 1, """
class _{n}:
    things = []
    @property
    def p(self):
        return len(self.things)
    @p.setter
    def p(self, value):
        self.things.append(value)
    @p.deleter
    def p(self):
        self.things.clear()
{n} = _{n}()
""", """
{x}.p = {v} ~> {x}.p
del {x}.p
{x}.things = [{v}] ~> {x}.p
type({x}).p = {v} ~> {x}.p
type({x}).p = property(lambda self: {k}) ~> {x}.p
""")
kind("dataclass frozen", 1, """
@dataclasses.dataclass(frozen=True, order=True)
class _{n}:
    a: object = {v}
    things: list = dataclasses.field(default_factory=list, compare=False)
    kinds: __import__('typing').ClassVar[list] = []
{n} = _{n}()
""", """
{x}.things.append({v}) ~> {x}.things
_{n}.kinds.append({v}) ~> _{n}.kinds
object.__setattr__({x}, 'a', {v}) ~> {x}.a
vars({x})['b'] = {o} ~> vars({x})
_{n}.__dataclass_fields__['things'].metadata is None
_{n}.__match_args__ = ({v},) ~> _{n}.__match_args__
_{n}.__hash__ = lambda self: {v} ~> hash({x})
=dataclasses.asdict({x})
""")
