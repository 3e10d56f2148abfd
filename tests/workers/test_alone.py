"""What runs leave in places by ordinary life is not seen by another: each sees what code that is alone sees."""
import json
import sys

import harness
import pytest

FLOW = """
import abc, contextlib, enum, functools, sys, threading, types, typing, weakref
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
    "what a field of a named tuple is said to be": (
        "import collections\nT = collections.namedtuple('T', 'a b')", "[T.a.__doc__, T.__doc__]", "T.a.__doc__ = T.__doc__ = who"),
    "what is compared": ("K = functools.cmp_to_key(min)(5)", "K.obj", "K.obj = who"),
    "what is made anew in place": (
        "import collections, struct\nS = struct.Struct('<H'); D = collections.deque('abc', 5); E = collections.deque('a')",
        "[S.format, S.size, S.pack(1).hex(), list(D), D.maxlen, list(E), E.maxlen]",
        "S.__init__('<I'); D.__init__('abc', len(D) + 6); E.__init__('a', 7)"),
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
    "a class of neither that is registered with an abstract class": (
        "import collections.abc, fractions\nONE = fractions.Fraction(1)",
        "[isinstance(ONE, collections.abc.Sequence), issubclass(fractions.Fraction, collections.abc.Sequence), isinstance(ONE, "
        "collections.abc.Reversible)]",
        "collections.abc.Sequence.register(fractions.Fraction)"),
    "what a match statement takes a registered class for": (
        "import collections.abc\nclass Own: pass\nclass Below(Own): pass\ndef kind(v):\n    match v:\n        case {}: return 'mapping'\n"
        "        case [*_]: return 'sequence'\n    return 'neither'",
        "[kind(Own()), kind(Below()), kind({}), kind([])]", "collections.abc.Mapping.register(Own)"),
    "a class with parameters": (
        "T = typing.TypeVar('T')\nclass Box(typing.Generic[T]): pass\nINT = Box[int]",
        "[vars(b).get('mark') for b in (Box[int], Box[str], Box['Own'])] + [Box[int] is INT, Box[str] is Box[str]]",
        "vars(INT)['mark'] = vars(Box[str])['mark'] = vars(Box['Own'])['mark'] = who"),
    "a name in what typing makes": (
        "class Order: pass\ndef f(a: typing.List['Order'], b: typing.Dict[str, 'Order']): pass\n"
        "def late():\n    def g(a: typing.Optional['Late']): pass\n    return typing.get_type_hints(g)['a'].__args__[0].__name__",
        "[typing.get_type_hints(f)[n].__args__[-1] is Order for n in 'ab'] + [late() if 'Late' in globals() else None]",
        "globals()['Late'] = type('Late' + who, (), {})"),
    "what typing is given of an own class": (
        "class Mark:\n    seen = 0\n    def __eq__(self, other): return isinstance(other, Mark)\n    def __hash__(self): return 5",
        "[typing.Annotated[int, Mark()].__metadata__[0].seen, typing.Literal[1], typing.Literal[True]] and "
        "[typing.Annotated[int, Mark()].__metadata__[0].seen, repr(typing.Literal[1, 'a']), repr(typing.Literal[True, 'a'])]",
        "typing.Annotated[int, Mark()].__metadata__[0].seen += 1"),
    "a class that the standard library makes": (
        "import collections\nA = types.new_class('A', (), {}, lambda n: n.update(made=[]))\nB = type('B', (collections.OrderedDict,), {'__module__': 'collections'})\n"
        "class C: rate = 1\nC.__module__ = 'decimal'",
        "[A.made, getattr(A, 'last', None), vars(B).get('last'), C.rate]",
        "A.made.append(who)\n    A.last = B.last = who\n    C.rate += 1"),
    "what a shared abstract class is told of an own one": (
        "import collections.abc\nclass Own: pass",
        "len(KEPT) and [issubclass(Own, collections.abc.Sized), isinstance(Own(), collections.abc.Iterable)]",
        "KEPT.append(who)\n    if len(KEPT) == 2: Own.__len__ = Own.__iter__ = lambda self: 0"),
    "what a shared library registers that is imported late": (
        "with workflow.unsafe.imports_passed_through(): import base_of_test",
        "[[isinstance(c(), base_of_test.Abstract), base_of_test.kind(c()), sorted(base_of_test.KNOWN)] for m in KEPT for c in m.CLASSES]",
        "with workflow.unsafe.imports_passed_through(): import late_of_test\n    KEPT.append(late_of_test)"),
    "what an own abstract class is told": (
        "class A(abc.ABC):\n    yes = ()\n    @classmethod\n    def __subclasshook__(cls, c): return c.__name__ in cls.yes",
        "len(KEPT) and [issubclass(int, A), isinstance(2.5, A)]", "A.yes += ('int',); KEPT.append(who)"),
    "a function by the class of its argument": (
        "import collections.abc\nclass Own: pass\n@functools.singledispatch\ndef f(x): return 'any'\n"
        "f.register(collections.abc.Mapping, lambda x: 'mapping')", "[f(Own()), f({})]", "collections.abc.Mapping.register(Own)"),
    "a shared function by the class of its argument": (
        "import collections.abc\nwith workflow.unsafe.imports_passed_through(): import base_of_test\nclass Own: pass",
        "[base_of_test.form(x) for x in (Own(), 3, {}, [])]",
        "collections.abc.Sequence.register(Own); collections.abc.Sequence.register(int)"),
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
    "__new__ of a class": (
        "class K:\n    def __init__(self, n): self.n = n\nclass Below(K): pass\ndef new(cls, *a): return object.__new__(cls)",
        "[K(1).n, Below(2).n, '__new__' in vars(K)]", "K.__new__ = new"),
    "threading.local with __init__": (
        "class Local(threading.local):\n    def __init__(self, n): self.n, self.many = n, []\nlocal = Local(5)", "[vars(local)]",
        "local.n = who; local.many.append(who)"),
    "threading.local of a run": (
        "", "[getattr(x, 'who', 0) for x in KEPT]", "KEPT.append(threading.local()); KEPT[-1].who = KEPT[0].who = who"),
}
LIBRARY = {  # shared; the second is first imported in a run
    "base_of_test": "import abc, functools\nclass Abstract(abc.ABC): pass\nKNOWN = {}\n@functools.singledispatch\ndef kind(x): return 'any'\n"
                    "import collections.abc\n@functools.singledispatch\ndef form(x): return 'any'\n"
                    "form.register(collections.abc.Sequence, lambda x: 'sequence')\n",
    "late_of_test": "import fractions, base_of_test\nclass Late: pass\nCLASSES = [Late, fractions.Fraction]\nfor c in CLASSES:\n"
                    "    base_of_test.Abstract.register(c)\n    base_of_test.KNOWN[c.__name__] = c\n"
                    "    base_of_test.kind.register(c, lambda x: type(x).__name__)\n"}


@pytest.fixture
def play(run_program, tmp_path):
    installed = tmp_path / "site-packages"
    installed.mkdir()
    for name, source in LIBRARY.items():
        (installed / f"{name}.py").write_text(source)

    def play(place, **settings):
        (tmp_path / "helper_of_test.py").write_text("")
        (tmp_path / "flow_of_test.py").write_text(FLOW.format(*place))
        ended = run_program(sys.executable, harness.PROGRAMS / "alone.py",
                            **{"PYTHONPATH": f"{tmp_path}:{installed}:{harness.FIXTURES}", **settings})
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


@pytest.mark.parametrize("isolation", ["shared", "private"])
def test_numbers_of_objects_do_not_depend_on_other_runs(play, isolation):
    (first, second, _), ended = play((
        "class K:\n    def __init__(self, n): self.n = n\nALL = [K(n) for n in range(9)]\nSOME = {*ALL[3:6]}",
        "[repr(k).rpartition(' at ')[2] for k in ALL[len(KEPT):][:2]] + [k.n for k in {*ALL[5::-1]} | SOME] + [hash(K(0))] + "
        "[weakref.getweakrefcount(k) for k in ALL]",
        "KEPT.extend(K(hash(k)) for k in ALL[::-1]); repr(ALL[::-1])"), SANDGLASS_ISOLATION=isolation)
    assert first == second, str(ended)
    assert first[0][:2] == ["0x10>", "0x20>"] and not any(sum(f[-9:]) for f in first), str(ended)


@pytest.mark.parametrize("isolation", ["shared", "private"])
def test_sets_of_classes_functions_and_methods_do_not_depend_on_addresses(play, isolation):
    (first, second, _), ended = play((
        "class Made(type):\n    def __init__(c, *a): SEEN.add(c)\nSEEN = set()\n"
        "class K(metaclass=Made):\n    def a(self): pass\n    def b(self): pass\n    @classmethod\n    def c(cls): pass\n"
        "    def __init_subclass__(cls): SEEN.add(cls); HASHES.append(hash(cls))\nHASHES = []\n"
        "def kept(f):\n    return lambda: f\n@kept\ndef f(): pass\n@kept\ndef g(): pass\n"
        "def more():\n    class L(K): pass\n    def f(): pass\n    HERE.extend([L, L().a, L().c, K().b, f, lambda: f])\n"
        "HERE = []\nALL = [K, K.a, K.c, f, g, more, type('T', (K,), {})]\nKEEP = [K() for _ in range(5)]\n"
        "MADE = {k: n for n, k in enumerate((functools.singledispatch(more), contextlib.contextmanager(more), more, K, K().a))}",
        "(more(), SEEN.update(HERE), [ALL.index(x) if x in ALL else -HERE.index(x) for x in SEEN | {*ALL[::-1]}] + "
        "[0 < hash(x) % (1 << 44) < 1 << 42 for x in ALL] + [HASHES == [hash(ALL[-1]), hash(HERE[0])]] + "
        "[MADE.get(k) == n for n, k in enumerate(list(MADE))])[-1]",
        "[hash(x) for x in ALL[::-1]]; more()"), SANDGLASS_ISOLATION=isolation)
    assert first == second, str(ended)
    assert all(first[0][-13:]) and not [e for e in ended.log if e.get("event") == "private"], str(ended)


def test_names_of_the_zone_that_strptime_asks_for_anew_are_no_change(play):
    (first, second, _), ended = play((
        "import datetime, time\ndef zones(): return time.tzname", "str(datetime.datetime.strptime('10', '%H'))", "pass"),
        SANDGLASS="strict", TZ="Asia/Kolkata")
    assert first == second and "1900-01-01 10:00:00" in first and not harness.violations(ended.log), str(ended)


def test_an_abstract_class_that_answers_wrongly_is_told_so_as_without_us(play):
    (first, second, _), ended = play((
        "class Hook(abc.ABC):\n    @classmethod\n    def __subclasshook__(cls, other): return SAID[0]\nSAID = [1]\n"
        "class Below(abc.ABC):\n    @classmethod\n    def __subclasses__(cls): return 3\nclass Other: pass\n"
        "def asked(base):\n    try: return issubclass(Other, base)\n    except Exception as e: return f'{type(e).__name__}: {e}'",
        "[asked(Hook), SAID.__setitem__(0, None), asked(Hook), SAID.__setitem__(0, True), asked(Hook), asked(Below)]", "SAID[0] = 1"))
    hook = "AssertionError: __subclasshook__ must return either False, True, or NotImplemented"
    assert first == second and first[0] == [hook, None, hook, None, True, "TypeError: __subclasses__() must return a list"], str(ended)
