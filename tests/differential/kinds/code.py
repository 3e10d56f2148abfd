"""Functions, closures, caches of results, bound methods and what else can be called."""
from kinds.table import ATTRIBUTE, kind

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
{x}.__annotations__ = dict(p='{i}') ~> {x}.__annotations__
{x}.__annotations__ = {{}} ~> {x}.__annotations__
{x}.__doc__ = 'd{i}' ~> {x}.__doc__
{x}.__module__ = 'm{i}' ~> {x}.__module__.replace(__name__, '')
{x}.__qualname__ = 'q{i}' ~> {x}.__qualname__
{x}.__defaults__ = (5, [{v}]) ~> {x}.__defaults__
{x}.__kwdefaults__ = dict(w={v}) ~> {x}.__kwdefaults__
{x}.__kwdefaults__['w'] = {o} ~> {x}.__kwdefaults__
{x}.__type_params__ = ({k},) ~> {x}.__type_params__
{x}.__annotate__ = lambda form: dict(q={v}) ~> {x}.__annotations__
{x}.__code__ = (lambda p, q=0, held=None, *, w=0: 'new').__code__ ~> {x}({v})
{x}.__dict__ = dict(b={v}) ~> vars({x})
{x}.__wrapped__ = {v} ~> getattr({x}, '__wrapped__', None)
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
{x}(3).append({v}) ~> {x}(3)
{x}({v}) ~> tuple({x}.cache_info())
{x}.cache_clear(); {x}(8) ~> tuple({x}.cache_info())
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
{x}.lazy = [{v}] ~> {x}.lazy
={x}.lazy ~> vars({x})
{x}.lazy.append({v})
del {x}.lazy
{x}.get.cache_clear()
""")
kind("partial", 1, "{n} = functools.partial(dict, a={v})", """
{x}.total = {v}
={x}(b={v})
{x}.keywords['c'] = {o}
{x}.keywords['a'] = {v} + 1 ~> {x}()
""")
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
kind("singledispatch", 1, """
@functools.singledispatch
def {n}(p):
    return 'any'
{n}.register(int, lambda p: p + 1)
""", """
={x}({v})
={x}({k})
{x}.register(list, lambda p: 'list') ~> {x}([])
{x}.register(object, lambda p: 'else') ~> {x}(1.5)
{x}.register(str, lambda p: 'text')
{x}.register(int, lambda p: {v})
=len({x}.registry)
""")
kind("method", 2, """
class _{n}:
    def __init__(self):
        self.total, self.things = {v}, []
    def go(self, p):
        self.total += p
        self.things.append(p)
        return self.total
{n} = _{n}().go
""", """
={x}({v}) ~> vars({x}.__self__)
{x}.__self__.a = {o} ~> vars({x}.__self__)
{x}.__func__.total = {v} ~> getattr({x}, 'total', 0)
{x}.__self__.things.append({o}) ~> {x}.__self__.things
!{x} = type({x}.__self__)().go
""")
kind("methods of containers", 2, """
{n} = [[].append, {{}}.setdefault, set().add, collections.deque().append, {{}}.__setitem__, [].__len__]
""", """
{x}[0]({v}) ~> {x}[0].__self__
{x}[1]({k}, {v}) ~> {x}[1].__self__
{x}[2]({v}) ~> {x}[2].__self__
{x}[3]({v}) ~> list({x}[3].__self__)
{x}[4]({k}, {o}) ~> {x}[4].__self__
""")
kind("partial made anew", 1, """
{n} = functools.partial(dict, a={v})
""", """
{x}.__setstate__((list, (), {{}}, None)) ~> {x}()
={x}.keywords
""")
kind("partials in partials", 1, """
_{n} = []
{n} = functools.partial(functools.partial(lambda held, p, q=0: held.append(p) or len(held) + q, _{n}), q={v})
""", """
={x}({v}) ~> _{n}
{x}.a = {v} ~> vars({x})
{x}.keywords['q'] = {v} ~> {x}.keywords
={x}.func.args if hasattr({x}.func, 'args') else 0
""")
kind("partial method", 1, """
class _{n}:
    total = 0
    def go(self, held, p):
        held.append(p)
        return len(held)
    push = functools.partialmethod(go, [])
{n} = _{n}()
""", """
={x}.push({v}) ~> vars(_{n})['push'].args
vars(_{n})['push'].total = {v} ~> vars(vars(_{n})['push']).get('total')
{x}.total = {v}
""")
kind("static and class methods", 1, """
class {n}:
    total = 0
    @staticmethod
    def alone(p, held=[]):
        held.append(p)
        return len(held)
    @classmethod
    def whole(cls, p):
        cls.total += p
        return cls.total
""", """
={x}.alone({v}) ~> {x}.alone.__defaults__
={x}.whole({v}) ~> {x}.total
vars({x})['alone'].total = {v} ~> getattr(vars({x})['alone'], 'total', 0)
vars({x})['whole'].total = {v} ~> getattr(vars({x})['whole'], 'total', 0)
{x}.alone.e = {v} ~> getattr({x}.alone, 'e', 0)
""")
kind("decorated", 2, """
def _{n}(f):
    @functools.wraps(f)
    def inner(*p):
        inner.total += 1
        return f(*p), inner.total
    inner.total = 0
    return inner
@_{n}
def {n}(p, held=[]):
    held.append(p)
    return len(held)
""", """
={x}({v}) ~> {x}.total
{x}.__wrapped__.__defaults__[0].append({v}) ~> {x}(1)
{x}.__wrapped__.a = {v} ~> vars({x}.__wrapped__)
{x}.__wrapped__ = {v} ~> {x}.__wrapped__ == {v}
{x}.__annotations__ = dict(p={v}) ~> {x}.__annotations__
""")
kind("lambda", 1, "{n} = [lambda p, held=[]: held.append(p) or len(held), {{'f': lambda p: p}}]", """
={x}[0]({v}) ~> {x}[0].__defaults__
{x}[0].total = {v} ~> vars({x}[0])
{x}[1]['f'].__name__ = {k} ~> {x}[1]['f'].__name__
{x}[1]['f'].__code__ = {x}[0].__code__
""")
kind("cell", 1, "{n} = types.CellType([{v}])", """
{x}.cell_contents = {v} ~> {x}.cell_contents
{x}.cell_contents = {o}
{x}.cell_contents.append({v}) ~> {x}.cell_contents
del {x}.cell_contents
""")
kind("class made in a function", 1, """
def _{n}(start):
    total, held = start, []
    class inner:
        things = held
        def go(self, p):
            nonlocal total
            total += p
            held.append(total)
            return __class__ is type(self), total
    return inner
{n} = _{n}({v})
""", "={x}().go({v}) ~> {x}.things\n{x}.total = {v} ~> getattr({x}, 'total', 0)\n{x}.go.a = {v} ~> vars({x}.go)")
kind("code in exec", 1, """
_{n} = {{'held': []}}
exec('def go(p):\\n    global total\\n    total = p\\n    held.append(p)', _{n})
{n} = _{n}['go']
""", """
{x}({v}) ~> [_{n}.get('total'), _{n}['held']]
_{n}['held'] = [{v}] ~> _{n}['held']
{x}.__globals__['other'] = {v} ~> _{n}.get('other')
""")
kind("memo", 1, """
def _{n}(f):
    held = {{}}
    def inner(p):
        if p not in held:
            held[p] = f(p)
        return held[p]
    inner.held = held
    return inner
{n} = _{n}(lambda p: [p])
""", "={x}({v}) ~> {x}.held\n{x}(1).append({v}) ~> {x}(1)\n{x}.held.clear()")
kind("cache of one", 1, """
@functools.cache
def {n}():
    return types.SimpleNamespace(total={v}, things=[])
""", """
{x}().total += 1 ~> {x}().total
{x}().things.append({v}) ~> {x}().things
{x}.cache_clear()
={x}() is {x}()
{x}.a = {v}
""")
