"""What runs leave in places by ordinary life is not seen by another: each sees what code that is alone sees."""
import json
import sys

import harness
import pytest

FLOW = """
import abc, enum, functools, sys, threading, types, typing, weakref
from temporalio import workflow
KEPT = []
{}

def look():
    return {}

def change(who):
    {}

@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> None:
        self.seen = []
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def begin(self) -> None:
        self.seen.append(look())
        change("one")
        self.seen.append(look())

    @workflow.signal
    def go_on(self) -> None:
        self.seen.append(look())
        change("two")
        self.seen.append(look())

    @workflow.query
    def see(self) -> list:
        return self.seen
"""
PLACES = {  # top of the module, what is looked at, the change
    "subclasses of an own class": (
        "class Base: pass", "[c.__name__ for c in Base.__subclasses__()]", "KEPT.append(type(who, (Base,), {}))"),
    "subclasses of a built-in class": (
        "class Own(LookupError): pass",
        "[[c.__name__, c is Own] for c in LookupError.__subclasses__() if c.__module__ == __name__]",
        "KEPT.append(type(who, (LookupError,), {}))"),
    "subclasses of a class of the standard library": (
        "import collections", "[c.__name__ for c in tuple.__subclasses__() if c.__name__.startswith('Own')]",
        "KEPT.append(collections.namedtuple('Own' + who, 'a'))"),
    "subclasses with a metaclass": (
        "class Meta(type): pass\nclass Maker(type):\n    def __new__(m, n, b, d): return super().__new__(m, n, b, d)\n"
        "class A(metaclass=Meta): pass\nclass B(metaclass=Maker): pass",
        "[c.__name__ for k in (A, B) for c in k.__subclasses__()] + "
        "[c.__name__ for c in type.__subclasses__(type) if c.__module__ == __name__]",
        "class C(A): pass\n    class D(B): pass\n    class E(type): pass\n    KEPT.extend((C, D, E, type.__new__(Meta, who, (A,), {})))"),
    "subclasses while a class is made": (
        "class Base:\n    def __init_subclass__(cls): KEPT.append([c.__name__ for c in Base.__subclasses__()])\n"
        "class First(Base): pass", "[x for x in KEPT if type(x) is list]", "KEPT.append(type(who, (Base,), {}))"),
    "subclasses that nobody holds": (
        "import gc\nclass Base: pass", "[c.__name__ for c in Base.__subclasses__()]",
        "type(who, (Base,), {})\n    if workflow.in_workflow(): gc.collect()"),
    "enumerations": (
        "", "[c.__name__ for c in enum.Enum.__subclasses__() if c.__module__ == __name__]",
        "KEPT.append(enum.Enum(who, 'A B', module=__name__))"),
    "the class of a module": (
        "class M(types.ModuleType): pass\nimport helper_of_test",
        "[type(helper_of_test).__name__, type(sys.modules[__name__]).__name__]",
        "helper_of_test.__class__ = sys.modules[__name__].__class__ = M"),
    "type parameters": (
        "def f(): pass\nclass K: pass", "[[str(p) for p in getattr(x, '__type_params__', ())] for x in (f, K)]",
        "f.__type_params__ = K.__type_params__ = (who,)"),
    "attributes of a class that cannot be deleted": (
        "class K: x = 1", "[K.x, K.__doc__, K.__module__, str(getattr(K, '__type_params__', 0))]",
        "K.x = K.__doc__ = K.__module__ = who; K.__type_params__ = (who,)"),
    "annotations that are computed": (
        "def f(a: int): ...\nclass K:\n    a: int", "[sorted(f.__annotations__), sorted(K.__annotations__)]",
        "f.__annotations__ = {who: 1}; K.__annotations__ = {who: 1}"),
    "bounds that are computed": (
        "if sys.version_info >= (3, 12): exec('def f[T: KEPT.append(1)](): pass\\ntype A = [KEPT.append(2)]', globals())", "KEPT",
        "if sys.version_info >= (3, 12): f.__type_params__[0].__bound__, A.__value__"),
    "order of an instance's attributes": (
        "class K: pass\nk = K(); k.a, k.b, k.c = 1, 2, 3", "list(vars(k))", "a = k.a; del k.a; k.a = a"),
    "what a partial calls": (
        "P = functools.partial(print, 1)", "[repr(P.args), P.keywords, vars(P)]", "P.__setstate__((len, (who,), {who: 1}, {'x': who}))"),
    "a class registered with a shared abstract class": (
        "import collections.abc\nclass Own: pass\nclass Early: pass\ncollections.abc.Mapping.register(Early)",
        "[issubclass(c, a) for c in (Own, Early) for a in (collections.abc.Mapping, collections.abc.Sized)] + [isinstance(Own(), "
        "collections.abc.Collection)]",
        "collections.abc.Mapping.register(Own)"),
    "an abstract class below a shared one": (
        "import collections.abc", "[issubclass(complex, collections.abc.Mapping), isinstance(1j, collections.abc.Sized)]",
        "class K(collections.abc.Mapping): pass\n    K.register(complex); KEPT.append(K)"),
    "an abstract class below an own one": (
        "class A(abc.ABC): pass\nclass B: pass", "[issubclass(int, A), isinstance(B(), A)]",
        "class K(A): pass\n    K.register(int); K.register(B); KEPT.append(K)"),
    "what a shared abstract class is told of an own one": (
        "import collections.abc\nclass Own: pass",
        "len(KEPT) and [issubclass(Own, collections.abc.Sized), isinstance(Own(), collections.abc.Iterable)]",
        "KEPT.append(who)\n    if len(KEPT) == 2: Own.__len__ = Own.__iter__ = lambda self: 0"),
    "what an own abstract class is told": (
        "class A(abc.ABC):\n    yes = ()\n    @classmethod\n    def __subclasshook__(cls, c): return c.__name__ in cls.yes",
        "len(KEPT) and [issubclass(int, A), isinstance(2.5, A)]", "A.yes += ('int',); KEPT.append(who)"),
    "a function by the class of its argument": (
        "import collections.abc\nclass Own: pass\n@functools.singledispatch\ndef f(x): return 'any'\n"
        "f.register(collections.abc.Mapping, lambda x: 'mapping')", "[f(Own()), f({})]", "collections.abc.Mapping.register(Own)"),
    "a protocol": (
        "@typing.runtime_checkable\nclass P(typing.Protocol):\n    def close(self): ...\nclass Own: pass",
        "[isinstance(Own(), P), isinstance(Own(), typing.SupportsInt)]", "Own.close = Own.__int__ = lambda self: 1"),
    "overloads": (
        "@typing.overload\ndef f(x: int): ...\ndef f(x): return x",
        "[str(o.__annotations__) for o in typing.get_overloads(f)] if hasattr(typing, 'get_overloads') else []",
        "def f(x: who): ...\n    f.__qualname__ = 'f'\n    typing.overload(f)"),
    "overloads that are forgotten": (
        "@typing.overload\ndef f(x: int): ...\ndef f(x): return x",
        "len(typing.get_overloads(f)) if hasattr(typing, 'get_overloads') else 0",
        "getattr(typing, 'clear_overloads', lambda: 0)()"),
    "weak references": (
        "class K: pass\nk = K()\ndef f(): pass", "[[weakref.getweakrefcount(x), len(weakref.getweakrefs(x))] for x in (k, K, f)]",
        "KEPT.extend([weakref.ref(k), weakref.ref(k, print), weakref.proxy(k), weakref.ref(K, print), weakref.ref(f)])\n"
        "    weakref.finalize(k, print)"),
    "weak references to a class of the standard library": (
        "import json", "len([r for r in weakref.getweakrefs(json.JSONEncoder) if r.__callback__])",
        "KEPT.append(weakref.ref(json.JSONEncoder, print))"),
    "threading.local": ("local = threading.local(); local.x = 0", "[vars(local)]", "local.x = who; setattr(local, who, 1)"),
    "threading.local with __init__": (
        "class Local(threading.local):\n    def __init__(self, n): self.n, self.many = n, []\nlocal = Local(5)", "[vars(local)]",
        "local.n = who; local.many.append(who)"),
    "threading.local of a run": (
        "", "[getattr(x, 'who', 0) for x in KEPT]", "KEPT.append(threading.local()); KEPT[-1].who = KEPT[0].who = who"),
}


@pytest.fixture
def play(run_program, tmp_path):
    def play(place, **settings):
        (tmp_path / "helper_of_test.py").write_text("")
        (tmp_path / "flow_of_test.py").write_text(FLOW.format(*place))
        ended = run_program(sys.executable, harness.PROGRAMS / "alone.py",
                            **{"PYTHONPATH": f"{tmp_path}:{harness.FIXTURES}", **settings})
        assert ended.out.strip(), str(ended)
        return json.loads(ended.out), ended
    return play


@pytest.mark.parametrize("isolation", ["shared", "private"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_run_sees_what_it_would_see_alone(play, place, isolation):
    if isolation == "shared":
        (first, second, alone), ended = play(place)
        assert not [e for e in ended.log if e.get("event") in ("lost", "private")], str(ended)
    else:
        (first, second, alone), ended = play(place, SANDGLASS_ISOLATION="private")
    assert first == second == alone, str(ended)
