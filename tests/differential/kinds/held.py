"""Objects of the workflow's modules that the host holds too, from the moment when they are imported.

What is looked at is the object, not what the host has of it: see __init__.py.
"""
from kinds.table import kind

OBJECT = """
class _{n}:
    def __init__(self, *p):
        self.total, self.things = {v}, []
    def touch(self, *p, **q):
        return None
    def up(self, p):
        self.total += p
        self.things.append(p)
        return self.total
{n} = _{n}()
"""
OPERATIONS = """
={x}.up({v})
{x}.things.append({o})
{x}.total = {o}
{x}.a = {v}
del {x}.things
={x}.total
{x}.up({v}) ~> [{x}.total, {x}.things]
{x}.b = {v} ~> getattr({x}, 'b', None)
{x}.things.append([{v}]) ~> {x}.things
{x}.__class__.e = {v} ~> getattr({x}, 'e', None)
{x}.__class__ = type('K', (_{n},), {{}}) ~> type({x}).__name__
{x}.__dict__ = dict(total={v}) ~> vars({x})
!{x} = type({x})()
"""


def held(name, how, weight=1, definition=OBJECT, operations=OPERATIONS):
    kind(name + " held", weight, definition.rstrip("\n") + "\n" + how, operations, "held")


held("list in the host's list", "import registry\nregistry.LIST.append({n})", 2, "{n} = [{v}, [{o}]]", """
{x}.append({v}) ~> {x}
{x}[1].append({v}) ~> {x}[1]
{x}[0] = {o}
{x}.clear()
!{x} = [1, []]
""")
held("dict in the host's dict", "import registry\nregistry.DICT[__name__ + '{n}'] = {n}", 2, "{n} = {{'a': {v}, 'b': {{}}}}", """
{x}[{k}] = {v} ~> {x}
{x}['b'][{k}] = {o}
{x}.pop('a')
!{x} = {{'b': {{}}}}
""")
held("object in the host's list", "import registry\nregistry.LIST.append({n})", 2)
held("object in the host's tuple", "import registry\nregistry.LIST.append(({n}, [{n}]))")
held("object in the host's dict", "import registry\nregistry.DICT[__name__ + '{n}'] = {n}", 2)
held("object as the host's key", "import registry\nregistry.DICT[{n}] = 1")
held("object in the host's object", "import registry\nregistry.Holder.last = {n}")
held("object in the host's slot", "import registry\nregistry.SLOTTED.held = {n}")
held("object in the host's partial", "import registry\nregistry.LIST.append(functools.partial(print, {n}))")
held("object in the host's closure", "import registry\nregistry.keep({n})")
held("object in the host's generator", "import registry\nregistry.send({n})")
held("object in the host's deque", "import registry\nregistry.QUEUE.append({n})")
held("object in the host's context variable", "import registry\nregistry.VARIABLE.set({n})")
held("object in the host's cache", "import registry\nregistry.same({n})")
held("object behind a method", "import registry\nregistry.LIST.append({n}.touch)", 2)
held("object behind a partial", "import registry\nregistry.LIST.append(functools.partial({n}.touch, 1))")
held("object behind a lambda", "import registry\nregistry.on_event(lambda p, held={n}: held.touch(p))")
held("object behind lists", "import registry\nregistry.LIST.append([[({n}.touch,)]])")
held("object of a host's class", "", 2, """
import registry
{n} = registry.Holder({v})
{n}.total, {n}.things = 0, []
registry.LIST.append({n})
""", OPERATIONS.replace("_{n}", "registry.Holder").replace("{x}.__class__.e = {v} ~> getattr({x}, 'e', None)", "")
     .replace("={x}.up({v})", "={x}.up({v}) if hasattr({x}, 'up') else 0"))
held("function in the host's registry", "import registry\nregistry.on_event({n})", 2, """
def {n}(p, counts={{}}):
    counts[p] = counts.get(p, 0) + 1
    return counts
""", """
{x}({v}) ~> {x}.__defaults__
{x}.total = {v} ~> vars({x})
{x}.__defaults__ = ({{}},) ~> {x}(1)
{x}.__code__ = (lambda p, counts=0: {v}).__code__ ~> {x}(1)
""")
held("method of a class in the host's registry", "import registry\nregistry.on_event(_{n}.up)")
held("class in the host's registry", "import registry\nregistry.DICT[__name__ + '{n}'] = _{n}")
CLASS = """
{x}.things.append({v}) ~> {x}.things
{x}.total = {v} ~> {x}.total
{x}.e = {o} ~> getattr({x}, 'e', None)
{x}.up = lambda self: {v} ~> {x}().up()
del {x}.total
"""
held("class below a host's", "", 2, """
import registry
class {n}(registry.Base):
    total = {v}
    things = []
    def up(self):
        return self.total
""", CLASS)
held("class with a host's metaclass", "", 1, """
import registry
class {n}(metaclass=registry.Meta):
    total = {v}
    things = []
    def up(self):
        return self.total
""", CLASS)
held("class with a host's decorator", "", 1, """
import registry
@registry.plugin
class {n}:
    total = {v}
    things = []
    def up(self):
        return self.total
""", CLASS)
held("class registered with a host's ABC", "import registry\nregistry.Abstract.register({n})", 1, """
class {n}:
    total = {v}
    things = []
    def up(self):
        return self.total
""", CLASS + "=issubclass({x}, registry.Abstract)")
held("class registered with a standard ABC", "import collections.abc\ncollections.abc.Sized.register({n})", 1, """
class {n}:
    total = {v}
    things = []
    def up(self):
        return self.total
""", CLASS + "=issubclass({x}, collections.abc.Sized)")
held("object in a host's singledispatch", "import registry\nregistry.dispatch.register(_{n}, {n}.touch)", 2)
held("object in a standard singledispatch", "import pkgutil\npkgutil.iter_importer_modules.register(_{n}, {n}.touch)", 2)
held("object in an attribute of a shared module", "import registry\nsetattr(registry, 'held_{n}', {n})", 2)
held("object in an attribute of a standard module", "import json\nsetattr(json, 'held_{n}', {n})")
held("object in builtins", "import builtins\nsetattr(builtins, 'held_{n}', {n})")
held("object in sys", "setattr(sys, 'held_{n}', {n})")
held("logger's filter", "import logging\nlogging.getLogger('differential.{n}').addFilter({n})", 2,
     OBJECT.replace("class _{n}:", "import logging\nclass _{n}(logging.Filter):"))
held("logger's filter that is a function", "import logging\nlogging.getLogger('differential').addFilter({n}.touch)")
held("logger's handler", "import logging\nlogging.getLogger('differential').addHandler({n})", 2, """
import logging
class _{n}(logging.Handler):
    def __init__(self):
        super().__init__()
        self.total, self.things = {v}, []
    def emit(self, record):
        pass
    def up(self, p):
        self.total += p
        self.things.append(p)
        return self.total
{n} = _{n}()
""", OPERATIONS.replace("{x}.__dict__ = dict(total={v}) ~> vars({x})", "{x}.level = {v} ~> {x}.level"))
held("logger's formatter", """
import logging
_{n}_handler = logging.NullHandler()
_{n}_handler.setFormatter({n})
logging.getLogger('differential').addHandler(_{n}_handler)
""".strip(), 1, OBJECT.replace("class _{n}:", "import logging\nclass _{n}(logging.Formatter):"))
held("object that a logger has", "import logging\nlogging.getLogger('differential.{n}').held = {n}")
held("object in a thread's own", "_{n}_local = threading.local()\n_{n}_local.held = [{n}]")
held("atexit", "import atexit\natexit.register({n}.touch, [{n}])", 2)
held("gc callback", "import gc\ngc.callbacks.append({n}.touch)", 2)
held("codec", "import codecs\ncodecs.register({n}.touch)")
held("codec's errors", "import codecs\ncodecs.register_error('differential.' + __name__ + '.{n}', {n}.touch)")
held("copyreg", "import copyreg\ncopyreg.pickle(_{n}, {n}.touch)")
held("copyreg of a function", "import copyreg\ncopyreg.pickle(_{n}, lambda p, held={n}: held.touch())")
held("csv dialect", "import csv\ncsv.register_dialect('differential.{n}', _{n})", 1, """
import csv
class _{n}(csv.excel):
    total, things = {v}, []
    @classmethod
    def up(cls, p):
        cls.things.append(p)
        return len(cls.things)
{n} = _{n}
""", CLASS.replace("{x}.up = lambda self: {v} ~> {x}().up()", "={x}.up({v})"))
held("finaliser", "weakref.finalize(_{n}, {n}.touch)")
held("weak reference's callback", "import registry\nregistry.LIST.append(weakref.ref(registry.Base, {n}.touch))")
held("weak value", "import registry\nregistry.WEAK[__name__ + '{n}'] = {n}")
held("mimetypes' and others' tables", "import mimetypes\nmimetypes.types_map['.{n}'] = {n}")
held("logging's adapter", "", 1, """
import logging
{n} = logging.LoggerAdapter(logging.getLogger('differential'), {{'a': [{v}]}})
{n}.things = []
""", """
{x}.extra['a'].append({v}) ~> {x}.extra
{x}.extra = dict(b={v}) ~> {x}.extra
{x}.things.append({v}) ~> {x}.things
""")
