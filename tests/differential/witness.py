"""What a generated workflow uses to tell what it sees. Passed through: shared with the host in every configuration.

    mark(), below(base) tell the classes that a program makes from all others
    note(value, ...)    adds a line to the log of the run whose activation this thread is in
    at(number)          "with at(7): statement" notes an exception of the statement instead of letting it out
    show(root, ...)     text of everything reachable: contents, order, and by numbering objects also who is who

The text holds no addresses and is the same in any process, so logs of different configurations can be compared.
"""
import array
import asyncio
import collections
import contextvars
import decimal
import enum
import functools
import io
import itertools
import queue
import random
import re
import threading
import types
import weakref

from kinds import ATTRIBUTES
from temporalio.worker import UnsandboxedWorkflowRunner

STRAY = []  # noted by a thread that is in no activation
_current = threading.local()


class Ordered(dict):
    """A set that keeps its order."""

    def add(self, value):
        self[value] = None

    def discard(self, value):
        self.pop(value, None)

    remove = dict.pop


class Runner(UnsandboxedWorkflowRunner):
    """The SDK cancels the tasks of an evicted run in the order of their addresses, which is another one each time."""

    def create_instance(self, det):
        instance = super().create_instance(det)
        instance._tasks = Ordered()
        return instance


class Settings:
    package = ""
    by_name = False
    unordered = ()
    generation = 0  # how many times a lone run was made anew; 0 where runs are not alone


class Mark:
    def __init__(self):
        self.of = Settings.package, Settings.generation

    def __repr__(self):
        return "mark"


def mark():
    """Is put into classes that are made, for below()."""
    return Mark()


def below(base):
    """The names of a class's direct subclasses that this program made; a lone run leaves out those of the runs before it."""
    own = Settings.package, Settings.generation
    return sorted({c.__name__ for c in type.__subclasses__(base) if getattr(c.__dict__.get("mark"), "of", None) == own})


def begin(log, addresses):
    _current.log = log
    _current.addresses = addresses


def end():
    _current.log = None


def note(*values):
    log = getattr(_current, "log", None)
    if log is None:
        log = STRAY
    log.append(without_addresses(" ".join(v if isinstance(v, str) else text_of(v) for v in values)))


def here(namespace):
    """Remembers where the module is that the run uses, only to count how many programs shared theirs. Not compared."""
    addresses = getattr(_current, "addresses", None)
    if addresses is not None:
        addresses.add(id(namespace))


def without_addresses(text):
    return re.sub(r"0x[0-9a-fA-F]+|(?<=id=')\d+", "0x", text)


class at:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None or not issubclass(kind, Exception):
            return False
        note(f"{self.number}: {kind.__name__}: {without_addresses(str(error))}")
        return True


class Absent:
    def __repr__(self):
        return "absent"


ABSENT = Absent()
PLAIN = (int, str, float, bool, type(None), bytes, complex, type(...), Absent)
HIDDEN = ("__dict__", "__weakref__", "__module__", "__qualname__", "__doc__", "__annotations__", "__static_attributes__",
          "__firstlineno__", "__abstractmethods__", "_abc_impl", "__slots__", "__builtins__", "__loader__", "__spec__",
          "__cached__", "__file__", "__path__", "__package__", "__name__", "__class_getitem__", "__match_args__",
          "__annotate_func__", "__annotations_cache__", "__annotate__", "__conditional_annotations__", "__warningregistry__")


def text_of(value):
    return Text().of(value)


def show(*roots):
    return Text().all(roots)


class Text:
    def __init__(self):
        self.numbers = {}
        self.keep = []  # a dead object's address would be given to another one

    def all(self, values):
        return "[" + ", ".join([self.of(v) for v in values]) + "]"

    def of(self, value):
        kind = type(value)
        if kind in PLAIN:
            return repr(value)
        if kind is tuple:  # the compiler merges equal constants, so their identity says nothing
            return "(" + ", ".join([self.of(v) for v in value]) + ")"
        if kind is frozenset:
            return "frozenset" + self.sorted(value)
        number = self.numbers.get(id(value))
        if number is not None:
            return f"#{number}"
        number = self.numbers[id(value)] = len(self.numbers)
        self.keep.append(value)
        return f"#{number}={self.body(value, kind)}"

    def sorted(self, values):
        """Of objects whose order depends on addresses. Those met before keep their number, new ones are not numbered."""
        texts = []
        for value in values:
            number = self.numbers.get(id(value))
            texts.append(f"#{number}" if number is not None else Text().of(value))
        return "{" + ", ".join(sorted(texts)) + "}"

    def pairs(self, mapping):
        return "{" + ", ".join([f"{self.of(k)}: {self.of(v)}" for k, v in mapping.items()]) + "}"

    def body(self, value, kind):
        if isinstance(value, types.ModuleType):
            return self.module(value)
        if isinstance(value, type):
            return self.type(value)
        if isinstance(value, enum.Enum):
            return f"{kind.__name__}.{value._name_}({self.of(value._value_)}){self.attributes(value, kind)}"
        reader = EXACT.get(kind)
        if reader:
            return reader(self, value)
        text = ""
        for base, reader in READERS:
            if isinstance(value, base):
                text = kind.__name__ + " " + reader(self, value)
                break
        if kind.__module__.partition(".")[0] == Settings.package:
            return (text or kind.__name__) + self.attributes(value, kind)
        return text or without_addresses(repr(value))

    def ours(self, value):
        return (getattr(value, "__module__", None) or "").partition(".")[0] == Settings.package

    def is_library(self, value):
        return (isinstance(value, types.ModuleType) and value.__name__.partition(".")[0] != Settings.package
                or any(value is v for v in (at, below, here, mark, note, show)))

    def module(self, module):
        if module.__name__.partition(".")[0] != Settings.package:
            return f"module {module.__name__}"
        return f"module {module.__name__} {self.namespace(module.__dict__, 'module-order')}"

    def namespace(self, names, order):
        """Of a module or a class."""
        texts = []
        for name, value in list(names.items()):
            if name in HIDDEN or name.startswith("__temporal_") or self.is_library(value):
                continue
            texts.append(name if name.startswith("__") else f"{name}={self.of(value)}")
        if order in Settings.unordered:
            texts.sort(key=lambda text: text.partition("=")[0])
        return "{" + ", ".join(texts) + "}"

    def type(self, cls):
        if not self.ours(cls):
            return f"class {cls.__module__}.{cls.__qualname__}"
        bases = ", ".join([self.of(b) for b in cls.__bases__])
        return f"class {cls.__qualname__}({bases}) {self.namespace(cls.__dict__, 'class-order')}"

    def attributes(self, value, kind):
        names = [n for c in kind.__mro__ for n in c.__dict__.get("__slots__", ()) if not n.startswith("__")]
        found = []
        for name in names:
            held = getattr(value, name, ABSENT)
            if held is not ABSENT:
                found.append(f"{name}={self.of(held)}")
        if Settings.by_name:
            for name in ATTRIBUTES:
                held = getattr(value, name, ABSENT) if name not in names else ABSENT
                if held is not ABSENT:
                    found.append(f"{name}={self.of(held)}")
        else:
            for name, held in list(getattr(value, "__dict__", {}).items()):
                if not name.startswith("__temporal_"):
                    found.append(f"{name}={self.of(held)}")
        return "<" + ", ".join(found) + ">"

    def function(self, function):
        if not self.ours(function):
            return f"function {function.__qualname__}"
        cells = []
        for cell in function.__closure__ or ():
            try:
                cells.append(self.of(cell.cell_contents))
            except ValueError:
                cells.append("empty")
        held = {k: v for k, v in function.__dict__.items() if not k.startswith("__temporal_") and k != "__wrapped__"}
        return (f"function {function.__qualname__}:{function.__code__.co_name}/{function.__name__}"
                f" {self.of(function.__defaults__)} {self.of(function.__kwdefaults__)} {self.pairs(held)} ({', '.join(cells)})")

    def variable(self, variable):
        return f"variable {variable.name} {self.of(variable.get(ABSENT))}"

    def context(self, context):
        """Its variables by name; those of modules that were imported twice have one name."""
        own = [(v.name, held) for v, held in context.items() if v.name.startswith("_m") or v.name.startswith("_flow")]
        names = [name for name, _ in own]
        return "context " + self.pairs({name: held for name, held in sorted(own, key=lambda item: item[0]) if names.count(name) == 1})

    def random(self, generator):
        version, numbers, rest = generator.getstate()
        return f"random {hash(numbers) & 0xffffffff:x} {rest!r}"

    def error(self, error):
        return (f"{type(error).__name__}{self.of(error.args)} traceback {error.__traceback__ is not None}"
                f" cause {self.of(error.__cause__)} context {self.of(error.__context__)}")

    def partial(self, partial):
        return f"partial {self.of(partial.func)} {self.of(partial.args)} {self.of(partial.keywords)}"

    def view(self, view):
        try:
            return f"view {bytes(view)}"
        except ValueError:
            return "view released"

    def weak_keys(self, weak):
        return "weak keys {" + ", ".join(sorted(f"{Text().of(k)}: {Text().of(v)}" for k, v in list(weak.items()))) + "}"

    def weak_values(self, weak):
        return "weak values {" + ", ".join([f"{self.of(k)}: {self.of(v)}" for k, v in list(weak.items())]) + "}"

    def model(self, model):  # pydantic
        return (f"{type(model).__name__} {self.pairs(model.__dict__)} private {self.of(model.__pydantic_private__)}"
                f" set {sorted(model.__pydantic_fields_set__)}")


def is_waiting(value):
    return len([w for w in value._waiters or () if not w.done()])


# First match wins, so a subclass stands before its base.
READERS = [
    (types.FunctionType, Text.function),
    (collections.OrderedDict, lambda t, v: "OrderedDict" + t.pairs(v)),
    (collections.defaultdict, lambda t, v: f"defaultdict({t.of(v.default_factory)})" + t.pairs(v)),
    (collections.Counter, lambda t, v: "Counter" + t.pairs(v)),
    (dict, Text.pairs),
    (list, Text.all),
    (set, lambda t, v: "{" + ", ".join([t.of(i) for i in v]) + "}"),
    (tuple, lambda t, v: "(" + ", ".join([t.of(i) for i in v]) + ")"),
    (str, lambda t, v: str.__repr__(v)),
    (int, lambda t, v: int.__repr__(v)),
    (collections.deque, lambda t, v: f"deque{t.all(v)}/{v.maxlen}"),
    (bytearray, lambda t, v: repr(bytes(v)) + "*"),
    (memoryview, Text.view),
    (array.array, lambda t, v: f"array {v.typecode}{v.tolist()}"),
    (collections.ChainMap, lambda t, v: "ChainMap" + t.of(v.maps)),
    (collections.UserDict, lambda t, v: "UserDict" + t.of(v.data)),
    (collections.UserList, lambda t, v: "UserList" + t.of(v.data)),
    (types.SimpleNamespace, lambda t, v: "namespace" + t.pairs(v.__dict__)),
    (types.MappingProxyType, lambda t, v: "proxy" + t.pairs(v)),
    (types.MethodType, lambda t, v: f"method {t.of(v.__func__)} of {t.of(v.__self__)}"),
    (functools.partial, Text.partial),
    (functools._lru_cache_wrapper, lambda t, v: f"cache {tuple(v.cache_info())} {t.of(v.__wrapped__)}"),
    (functools.cached_property, lambda t, v: f"cached property {t.of(v.func)}"),
    (property, lambda t, v: f"property {t.of(v.fget)}"),
    (staticmethod, lambda t, v: f"static {t.of(v.__func__)}"),
    (classmethod, lambda t, v: f"classmethod {t.of(v.__func__)}"),
    (random.Random, Text.random),
    (itertools.count, lambda t, v: repr(v)),
    (io.StringIO, lambda t, v: "closed" if v.closed else f"StringIO {v.getvalue()!r} {v.tell()}"),
    (io.BytesIO, lambda t, v: "closed" if v.closed else f"BytesIO {v.getvalue()!r} {v.tell()}"),
    (queue.SimpleQueue, lambda t, v: f"SimpleQueue {v.qsize()}"),
    (queue.Queue, lambda t, v: f"{type(v).__name__} {t.of(v.queue)} {v.unfinished_tasks}"),
    (weakref.WeakSet, lambda t, v: "weak " + t.sorted(list(v))),
    (weakref.WeakKeyDictionary, Text.weak_keys),
    (weakref.WeakValueDictionary, Text.weak_values),
    (weakref.ref, lambda t, v: f"ref {t.of(v())}"),
    (contextvars.ContextVar, Text.variable),
    (contextvars.Context, Text.context),
    (contextvars.Token, lambda t, v: f"token of {v.var.name}"),
    (BaseException, Text.error),
    (decimal.Context, lambda t, v: f"decimal context {v.prec}"),
    (asyncio.Event, lambda t, v: f"Event {v.is_set()} {is_waiting(v)}"),
    (asyncio.Semaphore, lambda t, v: f"Semaphore {v._value} {is_waiting(v)}"),
    (asyncio.Lock, lambda t, v: f"Lock {v.locked()} {is_waiting(v)}"),
    (asyncio.Queue, lambda t, v: f"asyncio Queue {v.qsize()}"),
    (type(threading.Lock()), lambda t, v: f"lock {v.locked()}"),
]
try:
    import pydantic
    READERS.insert(0, (pydantic.BaseModel, Text.model))
except ImportError:
    pass
EXACT = dict(READERS)
