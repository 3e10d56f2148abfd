"""What a run leaves behind, by its ordinary life, in places that all of the process share.

below(base) is the names of the direct subclasses that this program made; a lone run asks only for its own, by mark().
"""
from kinds.table import kind

MADE = """
class _{n}_first({base}):
    mark = mark()
_{n}_held = []
{n} = {base}
"""
SUBCLASSES = """
_{n}_held.append(type('K{i}', ({x},), dict(mark=mark()))) ~> below({x})
_{n}_held.append(types.new_class('L{i}', ({x},), {{}}, lambda names: names.update(mark=mark()))) ~> below({x})
_{n}_held.append(type('M{i}', (_{n}_first,), dict(mark=mark()))) ~> below(_{n}_first)
_{n}_held.append(type('K', (type('N{i}', ({x},), dict(mark=mark())),), {{}})) ~> below({x})
=len(_{n}_held)
=[c.__name__ for c in _{n}_held]
"""


def subclasses(name, base, weight=1, definition=""):
    kind("subclasses of " + name, weight, (definition + MADE).replace("{base}", base), SUBCLASSES, "left")


subclasses("an own class", "_{n}", 2, "class _{n}:\n    total = 0")
subclasses("an own class with slots", "_{n}", 1, "class _{n}:\n    __slots__ = ()")
subclasses("an own ABC", "_{n}", 1, "class _{n}(abc.ABC):\n    pass")
subclasses("an own exception", "_{n}", 1, "class _{n}(ValueError):\n    pass")
subclasses("object", "object")
subclasses("a builtin exception", "LookupError", 2)
subclasses("a builtin container", "dict")
subclasses("a standard class", "collections.UserDict", 2)
subclasses("a standard class of C", "collections.OrderedDict")
subclasses("a standard ABC", "_{n}", 1, "import collections.abc\n_{n} = collections.abc.Hashable")
subclasses("a host's class", "_{n}", 2, "import registry\n_{n} = registry.Holder")
kind("enums without members", 1, """
class {n}(enum.Enum):
    def up(self):
        return self.value
_{n}_held = []
""", """
_{n}_held.append({x}('K{i}', dict(P={v}))) ~> [c.__name__ for c in {x}.__subclasses__()]
_{n}_held.append(enum.IntEnum('L{i}', dict(P={v}, mark=0))) ~> len(_{n}_held)
=[c.P.value for c in _{n}_held]
""", "left")
kind("classes in turn", 1, """
class _{n}_base:
    number = 0
class {n}:
    things = []
    @staticmethod
    def all():
        found, todo = [], [_{n}_base]
        while todo:
            found.append(todo.pop())
            todo += found[-1].__subclasses__()
        return sorted(c.__name__ for c in found)
""", """
{x}.things.append(type('K{i}', (_{n}_base,), {{}})) ~> {x}.all()
{x}.things.append(type('L{i}', ({x}.things[-1],), {{}})) ~> {x}.all()
_{n}_base.number = {v}
=[c.number for c in {x}.things]
""", "left")

# Standard ABCs remember their answers for a class in caches of their own.
CACHED = """
class _{n}:
    total = 0
{n} = _{n}()
"""
kind("answers of standard ABCs", 3, "import collections.abc\nimport contextlib, numbers, os" + CACHED, """
_{n}.__len__ = lambda self: {v} ~> [isinstance({x}, collections.abc.Sized), issubclass(_{n}, collections.abc.Sized)]
_{n}.__iter__ = lambda self: iter(()) ~> isinstance({x}, collections.abc.Iterable)
_{n}.__hash__ = None ~> isinstance({x}, collections.abc.Hashable)
_{n}.__fspath__ = lambda self: 'p' ~> isinstance({x}, os.PathLike)
_{n}.__call__ = lambda self: 0 ~> isinstance({x}, collections.abc.Callable)
_{n}.__enter__ = _{n}.__exit__ = lambda self, *p: 0 ~> isinstance({x}, contextlib.AbstractContextManager)
_{n}.total = {v}
=isinstance({x}, collections.abc.Mapping)
=isinstance({x}, numbers.Number)
""", "open")
kind("answers of own ABCs", 3, """
class _{n}_abstract(abc.ABC):
    wanted = 'go'
    @classmethod
    def __subclasshook__(cls, other):
        return any(cls.wanted in c.__dict__ for c in other.__mro__) or NotImplemented
class _{n}_below(_{n}_abstract):
    pass
class _{n}:
    pass
{n} = _{n}()
""", """
_{n}.go = {v} ~> isinstance({x}, _{n}_abstract)
_{n}.go = {v} ~> [issubclass(_{n}, _{n}_below), issubclass(_{n}, _{n}_abstract)]
_{n}_abstract.wanted = 'total' ~> isinstance({x}, _{n}_abstract)
_{n}_below.register(_{n}) ~> [isinstance({x}, _{n}_below), isinstance({x}, _{n}_abstract)]
_{n}_below.register(type({x})); note(isinstance({x}, _{n}_below)) ~> isinstance({x}, _{n}_below)
_{n}_abstract.register(tuple) ~> isinstance((), _{n}_abstract)
_{n}_below.__subclasshook__ = classmethod(lambda cls, p: p is set) ~> isinstance(set(), _{n}_below)
note(isinstance([], _{n}_below)); _{n}_abstract.register(list) ~> isinstance([], _{n}_abstract)
_{n}.total = {v}
""", "open")
kind("answers of a host's ABC", 1, "import registry" + CACHED, """
=isinstance({x}, registry.Abstract)
=issubclass(_{n}, registry.Abstract)
{x}.a = {v}
""", "left")
kind("protocol", 1, """
@typing.runtime_checkable
class {n}(typing.Protocol):
    def go(self): ...
class _{n}:
    pass
""".replace("@typing", "import typing\n@typing"), """
_{n}.go = lambda self: {v} ~> [isinstance(_{n}(), {x}), issubclass(_{n}, {x})]
{x}.total = {v} ~> getattr({x}, 'total', 0)
=isinstance({v}, {x})
""", "open")
kind("singledispatch over own classes", 2, """
@functools.singledispatch
def {n}(p):
    return 'any'
class _{n}:
    pass
class _{n}_below(_{n}):
    pass
""", """
{x}.register(_{n}, lambda p: 'own{i}') ~> [{x}(_{n}()), {x}(_{n}_below())]
{x}.register(_{n}_below, lambda p: 'below{i}') ~> [{x}(_{n}()), {x}(_{n}_below())]
_{n}_below.__bases__ = (type('K', (_{n},), {{}}),) ~> {x}(_{n}_below())
{x}.register(tuple)(lambda p: {v}) ~> {x}(())
={x}.dispatch(_{n}_below) is {x}.dispatch(_{n})
""", "left")
kind("singledispatch method", 1, """
class _{n}:
    total = 0
    @functools.singledispatchmethod
    def go(self, p):
        return 'any'
    @go.register
    def _(self, p: int):
        return 'int'
{n} = _{n}()
""", """
vars(_{n})['go'].register(str, lambda self, p: {v}) ~> {x}.go('a')
vars(_{n})['go'].register(list, lambda self, p: {v}) ~> {x}.go([])
vars(_{n})['go'].dispatcher.total = {v} ~> getattr(vars(_{n})['go'].dispatcher, 'total', 0)
={x}.go({v})
""", "left")
kind("overloads", 2, """
import typing
def {n}(p):
    return p
""", """
typing.overload(types.FunctionType({x}.__code__.replace(co_firstlineno=99 + {v}), {x}.__globals__)) ~> len(typing.get_overloads({x}))
typing.clear_overloads() ~> len(typing.get_overloads({x}))
=len(typing.get_overloads({x}))
""", "open")
kind("overloads at import", 1, """
import typing
@typing.overload
def {n}(p: int): ...
@typing.overload
def {n}(p: str): ...
def {n}(p):
    return p
""", """
typing.get_overloads({x})[0].total = {v} ~> [vars(f) for f in typing.get_overloads({x})]
=len(typing.get_overloads({x}))
""", "left")
# An image keeps what its modules made, so that does not die when a run lets it go.
kind("weak references' number", 2, """
class _{n}:
    pass
{n} = _{n}()
_{n}_kept = {n}
_{n}_held = []
""", """
_{n}_held.append(weakref.ref({x}, lambda p: None)) ~> weakref.getweakrefcount({x})
_{n}_held.append(weakref.ref({x})) ~> [weakref.getweakrefcount({x}), len(weakref.getweakrefs({x}))]
_{n}_held.append(weakref.proxy({x})) ~> weakref.getweakrefcount({x})
_{n}_held.append(weakref.ref(_{n}, lambda p: None)) ~> weakref.getweakrefcount(_{n})
_{n}_held.append(weakref.WeakSet([{x}])) ~> [len(h) if isinstance(h, weakref.WeakSet) else 0 for h in _{n}_held]
_{n}_held.clear()
""", "open")
kind("weak references' number at import", 1, """
class _{n}:
    pass
{n} = _{n}()
_{n}_kept = {n}
_{n}_held = [weakref.ref({n}, lambda p: None), weakref.ref({n})]
""", """
_{n}_held.pop() ~> weakref.getweakrefcount({x})
_{n}_held.clear() ~> weakref.getweakrefcount({x})
_{n}_held.append(weakref.ref({x}, lambda p: 0)) ~> weakref.getweakrefcount({x})
=_{n}_held[0]() is {x}
""", "left")
kind("weak references to a function", 1, """
def {n}(p):
    return p
_{n}_kept = {n}
_{n}_held = []
""", """
_{n}_held.append(weakref.ref({x}, lambda p: None)) ~> weakref.getweakrefcount({x})
_{n}_held.append(weakref.finalize({x}, print)) ~> _{n}_held[-1].alive if _{n}_held else 0
{x}.total = {v}
""", "left")
kind("generic's cache", 2, """
import typing
_{n}_T = typing.TypeVar('_{n}_T')
class {n}(typing.Generic[_{n}_T]):
    total = 0
    things = []
_{n}_int = {n}[int]
""", """
{x}[int].total = {v} ~> {x}.total
{x}[str].things.append({v}) ~> {x}.things
_{n}_int.e = {v} ~> getattr({x}[int], 'e', 0)
{x}.__parameters__ = () ~> {x}.__parameters__
={x}[int] is _{n}_int
={x}[int]().total
={x}[str]().__orig_class__ is {x}[str]
_{n}_int._name = {k} ~> [_{n}_int._name, {x}[int]._name]
""", "left")
kind("type parameters", 1, """
try:
    exec('class {n}[T]:\\n    total = 0\\ndef _{n}[T](p: T): return p')
except SyntaxError:
    class {n}:
        total = 0
    def _{n}(p): return p
""", """
{x}.__type_params__ = ({v},) ~> getattr({x}, '__type_params__', None)
_{n}.__type_params__ = ({k},) ~> [str(p) for p in getattr(_{n}, '__type_params__', ())]
_{n}.__annotations__ = {{}} ~> list(_{n}.__annotations__)
{x}.__annotations__ = dict(a={v}) ~> list({x}.__annotations__)
{x}.total = {v} ~> {x}.total
{x}.__parameters__ = ({v},) ~> str(getattr({x}, '__parameters__', None))
""", "left")
kind("type alias", 1, """
try:
    exec('type {n} = _{n}_calls.append(1) or list')
except SyntaxError:
    {n} = None
_{n}_calls = []
""", "={x}.__value__ ~> _{n}_calls\n=_{n}_calls", "left")
kind("annotations evaluated late", 1, """
_{n}_calls = []
def _{n}_note(p):
    _{n}_calls.append(p)
    return p
class {n}:
    a: _{n}_note(int)
    def go(self, p: _{n}_note(str)) -> list: ...
""", """
={x}.__annotations__ ~> _{n}_calls
={x}.go.__annotations__ ~> _{n}_calls
{x}.__annotations__['b'] = {v} ~> {x}.__annotations__
{x}.go.__annotations__['b'] = {v} ~> {x}.go.__annotations__
{x}.__annotate__ = None ~> {x}.__annotate__
""", "left")
kind("slot names of copyreg", 1, """
class _{n}:
    __slots__ = ('a', '__weakref__')
{n} = _{n}()
{n}.a = {v}
""", "=copy.copy({x}).a ~> hasattr(type({x}), '__slotnames__')\n{x}.a = {v} ~> {x}.a", "left")
