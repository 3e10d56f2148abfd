"""What a workflow file made stays its runs' own, whoever else holds it; and nothing of a workflow runs when runs take turns."""
import json
import sys

import harness
import pytest

LIBRARY = """
import contextlib, contextvars, functools, types, weakref
LIST, DICT, KEPT, CALLS = [], {}, [], []
CURRENT, VALUE = None, contextvars.ContextVar("VALUE")
class Base:
    registered = {}
    def __init_subclass__(cls):
        Base.registered[cls.__name__] = cls
class Slots:
    __slots__ = ("child", "__weakref__")
class Namespace(types.SimpleNamespace):
    pass
@functools.singledispatch
def generic(x):
    return None
@functools.lru_cache
def cached(key, default=None):
    return Namespace(of=key)
def decorate(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    DICT[function.__name__] = wrapper
    return wrapper
def ring():
    for note in LIST:
        note("host")
def check():
    notes = LIST[-1].__self__
    assert notes.names == ["host"] * 3, notes.names
"""

TOP = """
from temporalio import workflow
with workflow.unsafe.imports_passed_through():
    import library_of_test as library

class Notes:
    def __init__(self):
        self.names = []
    def note(self, name=None, *ignored, **others):
        if name == "host":
            self.names.append(name)
    def filter(self, record):
        return True

{}

@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> None:
        self.name = workflow.info().run_id
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def change(self) -> None:
        {}

    @workflow.signal
    def nothing(self) -> None:
        pass

    @workflow.query
    def see(self) -> list:
        return {}
"""
NAMES = "STATE = Notes()\n{}", "STATE.names.append(self.name)", "STATE.names"


@pytest.fixture
def take_turns(run_program, tmp_path):
    def take(lines, *moves, modules={}, **settings):
        for name, text in {"flow_of_test": TOP.format(*lines), "library_of_test": LIBRARY, **modules}.items():
            (tmp_path / (name + ".py")).write_text(text)
        ended = run_program(sys.executable, harness.PROGRAMS / "iterators.py", *moves,
                            **{"PYTHONPATH": f"{tmp_path}:{harness.FIXTURES}", "SANDGLASS_LOG_LEVEL": "debug", **settings})
        assert ended.out.strip(), str(ended)
        return json.loads(ended.out), ended.log
    return take


HELD = {  # by what, and what refers to it then, as the log says
    "a logger's filter": ("import logging\nlogging.getLogger('held').addFilter(STATE)", "list in logging.Logger"),
    "a logger's handler": ("import logging\nclass H(logging.Handler): pass\nSTATE.h = H(); STATE.h.state = STATE\n"
                           "logging.getLogger('held').addHandler(STATE.h)", "list in logging.Logger"),
    "a new logger": ("import logging\nlogging.getLogger('held.%d' % id(STATE)).state = STATE", None),
    "atexit": ("import atexit\natexit.register(STATE.note)", None),
    "the collector": ("import gc\ngc.callbacks.append(STATE.note)", None),
    "an error handler of codecs": ("import codecs\ncodecs.register_error('held', STATE.note)", None),
    "copyreg": ("import copyreg\ncopyreg.pickle(Notes, STATE.note)", None),
    "builtins": ("import builtins\nbuiltins.held = STATE", "module builtins"),
    "a list": ("library.LIST.append(STATE)", "list in module library_of_test"),
    "a dict": ("library.DICT['state'] = STATE", "dict in module library_of_test"),
    "an attribute of a module": ("library.CURRENT = STATE", "module library_of_test"),
    "an attribute of a class": ("library.Base.current = STATE", "library_of_test.Base"),
    "a weak reference's callback": ("KEY = library.Slots()\nlibrary.KEPT.append(KEY)\n"
                                    "library.LIST.append(library.weakref.ref(library.generic, STATE.note))", None),
    "a generic function": ("library.generic.register(Notes)(STATE.note)", None),
    "an answer that a library remembers": ("library.cached(STATE)", None),
    "a decorator": ("@library.decorate\ndef function(state=STATE): return state", None),
    "a subclass's registration": ("class Own(library.Base):\n    state = STATE", "library_of_test.Base"),
    "a bound method": ("library.LIST.append(STATE.note)", "method in list in module library_of_test"),
    "a list's method": ("library.LIST.append(STATE.names.append)", None),
    "a partial": ("import functools\nlibrary.LIST.append(functools.partial(STATE.note, 1))", None),
    "a closure": ("def make(state):\n    return lambda: state\nlibrary.LIST.append(make(STATE))", None),
    "a default": ("library.LIST.append(lambda state=STATE: state)", None),
    "its module": ("import sys\nlibrary.LIST.append(sys.modules[__name__])", None),
    "its class": ("Notes.state = STATE\nlibrary.LIST.append(Notes)", None),
    "its dict": ("library.LIST.append(STATE.__dict__)", None),
    "a parent": ("P = library.Slots(); P.child = STATE\nlibrary.LIST.append(P)", None),
    "a deep nest": ("library.LIST.append({'deep': [(STATE,)]})", None),
    "a tuple": ("library.KEPT = (*library.KEPT, STATE)", None),
    "a context variable's default": ("import contextvars\nlibrary.DICT['v'] = contextvars.ContextVar('v', default=STATE)", None),
    "an exit stack": ("library.KEPT.append(library.contextlib.ExitStack())\nlibrary.KEPT[-1].callback(STATE.note)", None),
    "a property on a class": ("library.Base.held = property(STATE.note)", None),
}


@pytest.mark.parametrize("lines, holder", HELD.values(), ids=HELD)
def test_an_object_that_others_hold_is_the_runs_own(take_turns, lines, holder):
    top, change, see = NAMES
    seen, log = take_turns((top.format(lines), change, see), "0:change", "1:change", "0:change", "2:nothing")
    assert seen == [["run-0", "run-0"], ["run-1"], []]
    images = harness.events(log, "image")
    assert len(images) == 1 and not harness.events(log, "private"), harness.show(log)
    assert images[0]["held"] and images[0]["holder"], harness.show(log)
    assert holder is None or images[0]["holder"].endswith(holder), harness.show(log)


KINDS = {  # of what no collector looks at, or what others have as well
    "a plain dict": ("STATE = {}\nlibrary.LIST.append(STATE)", "STATE[self.name] = 1", "list(STATE)"),
    "a plain dict as a value": ("STATE = {'a': {}}\nlibrary.DICT['b'] = STATE['a']", "STATE['a'][self.name] = 1", "list(STATE['a'])"),
    "a bytearray": ("STATE = bytearray()\nlibrary.LIST.append(STATE)", "STATE.extend(self.name.encode())", "[STATE.decode()] if STATE else []"),
    "an array": ("import array\nSTATE = array.array('u')\nlibrary.LIST.append(STATE)", "STATE.extend(self.name)", "[STATE.tounicode()] if STATE else []"),
    "an object of a library's class": ("STATE = library.Namespace()\nlibrary.LIST.append(STATE)", "STATE.name = self.name",
                                       "list(vars(STATE).values())"),
    "slots": ("STATE = library.Slots(); STATE.child = None\nlibrary.LIST.append(STATE)", "STATE.child = self.name",
              "[STATE.child] if STATE.child else []"),
    "a class": ("class STATE:\n    name = None\nlibrary.LIST.append(STATE)", "STATE.name = self.name", "[STATE.name] if STATE.name else []"),
    "a class by its base": ("class STATE(library.Base):\n    name = None", "STATE.name = self.name", "[STATE.name] if STATE.name else []"),
    "a closure that no name leads to": (
        "import codecs\ndef install():\n    names = []\n    codecs.register_error('held', lambda error: names)\ninstall()",
        "codecs.lookup_error('held')(0).append(self.name)", "codecs.lookup_error('held')(0)"),
    "an object that no name leads to": (
        "import codecs\nclass Unnamed(list):\n    def __call__(self, error): return self\ncodecs.register_error('held', Unnamed())\ndel Unnamed",
        "codecs.lookup_error('held').append(self.name)", "codecs.lookup_error('held')"),
    "a class that no name leads to": (
        "import copyreg\ndef install():\n    class Unnamed: names = []\n    copyreg.pickle(Unnamed, lambda u: Unnamed)\n    return Unnamed.__qualname__\n"
        "NAME = install()\ndef found(): return [c for c in copyreg.dispatch_table if c.__qualname__ == NAME][-1].names",
        "found().append(self.name)", "found()"),
    "a function": ("@library.decorate\ndef STATE(): pass", "STATE.name = self.name", "[STATE.name] if hasattr(STATE, 'name') else []"),
}


@pytest.mark.parametrize("lines", KINDS.values(), ids=KINDS)
def test_objects_of_every_kind_that_others_hold_are_the_runs_own(take_turns, lines):
    seen, log = take_turns(lines, "0:change", "1:change", "0:nothing", "2:nothing")
    assert seen == [["run-0"], ["run-1"], []] and len(harness.events(log, "image")) == 1, harness.show(log)


def test_what_was_there_before_is_shared(take_turns):
    """Plain dicts, which no collector looks at, among them."""
    lines = ("LIST, DICT = library.LIST, library.DICT", "", "[len(LIST), len(DICT)]")
    lines = (lines[0], "pass", lines[2])
    seen, log = take_turns(lines, "0:nothing", "host:ring", "1:nothing", modules={"library_of_test": LIBRARY + (
        "def ring():\n    LIST.append(1); DICT['a'] = 'b'\n")})
    assert seen == [[1, 1], [1, 1]]
    assert "held" not in harness.events(log, "image")[0], harness.show(log)


def test_what_the_host_changes_no_run_sees_and_the_host_finds_again(take_turns):
    top, change, see = NAMES
    seen, log = take_turns((top.format("library.LIST.append(STATE.note)"), change, see), "host:ring", "0:change", "host:ring",
                           "1:nothing", "0:change", "host:ring", "1:change", "host:check")
    assert seen == [["run-0", "run-0"], ["run-1"]] and len(harness.events(log, "image")) == 1, harness.show(log)


def test_the_log_names_who_holds_what_cannot_be_saved(take_turns):
    lines = ("import zlib\nSTATE = [zlib.compressobj()]\nlibrary.LIST.append(STATE[0])", "pass", "[]")
    _, log = take_turns(lines, "0:nothing")
    private, = harness.events(log, "private")
    assert private["object"] == "flow_of_test.STATE" and private["holder"] == "list in module library_of_test", harness.show(log)


REPLACED = {
    "replaced": "import sys\nclass Settings:\n    def __init__(self): self.names = []\nsys.modules[__name__] = Settings()",
    "replaced and named": "import sys\nclass Settings:\n    def __init__(self): self.names, self.__name__ = [], __name__\n"
                          "sys.modules[__name__] = Settings()",
    "of another class": "import sys, types\nclass Settings(types.ModuleType):\n    names = []\nsys.modules[__name__].__class__ = Settings",
    "under two names": "import sys\nnames = []\nsys.modules['settings_again'] = sys.modules[__name__]",
    "a copy": "import sys, types\nnew = types.ModuleType(__name__); new.names = []\nsys.modules[__name__] = new",
    "a class": "import sys\nclass Settings:\n    names = []\nsys.modules[__name__] = Settings",
}


@pytest.mark.parametrize("text", REPLACED.values(), ids=REPLACED)
def test_a_module_that_puts_something_else_in_its_place_is_the_runs_own(take_turns, text):
    lines = ("import settings", "settings.names.append(self.name)", "settings.names")
    seen, log = take_turns(lines, "0:change", "1:change", "0:change", "2:nothing", modules={"settings": text})
    assert seen == [["run-0", "run-0"], ["run-1"], []] and len(harness.events(log, "image")) == 1, harness.show(log)


def test_the_class_of_a_module_is_the_runs_own(take_turns):
    lines = ("import settings, types\nclass Own(types.ModuleType):\n    __class__ = property(lambda self: library.CALLS.append(1))\n"
             "    def __setattr__(self, name, value): library.CALLS.append(name)",
             "types.ModuleType.__setattr__(settings, '__class__', Own)", "[type(settings).__name__, *library.CALLS]")
    seen, log = take_turns(lines, "0:change", "1:nothing", "0:nothing", "2:nothing", modules={"settings": ""})
    assert seen == [["Own"], ["module"], ["module"]] and len(harness.events(log, "image")) == 1, harness.show(log)


DIES = {
    "a weak reference's callback": ("", "library.weakref.ref(THINGS[0], told)"),
    "a finaliser": ("", "library.weakref.finalize(THINGS[0], told)"),
    "__del__": ("\n    __del__ = lambda self: told()", "None"),
}


@pytest.mark.parametrize("how, keeps", DIES.values(), ids=DIES)
def test_what_a_run_that_is_gone_is_told_of_changes_no_other(take_turns, how, keeps):
    lines = ("THINGS, TOLD = [], []\ndef told(*args): TOLD.append(len(THINGS))\nclass Thing:\n    pass" + how,
             f"THINGS.append(Thing())\n        with workflow.unsafe.sandbox_unrestricted(): library.KEPT.append({keeps})", "TOLD")
    seen, log = take_turns(lines, "0:change", "1:nothing", "0:again", "1:nothing", "2:nothing", "0:nothing", "2:change", "2:again", "1:nothing")
    assert seen == [[], [], []] and len(harness.events(log, "image")) == 1 and not harness.events(log, "lost"), harness.show(log)


NOTE = "def note(*args):\n    library.CALLS.append(args)\n"
SILENT = {  # made, and changed behind the back of its methods
    "a queue": ("import queue\nclass Q(queue.SimpleQueue):\n    put = get = get_nowait = put_nowait = qsize = empty = note\nSTATE = Q()\n"
                "queue.SimpleQueue.put(STATE, 1)", "queue.SimpleQueue.put(STATE, 2)"),
    "a deque": ("import collections\nclass Q(collections.deque):\n    append = extend = clear = copy = __iter__ = __len__ = note\n"
                "    __copy__ = __eq__ = __getattribute__ = note\nSTATE = Q()", "collections.deque.append(STATE, 2)"),
    "a dict": ("class D(dict):\n    keys = items = values = copy = update = clear = __iter__ = __len__ = note\n"
               "    __getitem__ = __setitem__ = __eq__ = __getattribute__ = note\nSTATE = D(a=1)", "dict.__setitem__(STATE, 'b', 2)"),
    "a default dict": ("import collections\nclass D(collections.defaultdict):\n    default_factory = property(note, note)\n"
                       "    keys = copy = __iter__ = __getattribute__ = __copy__ = note\nSTATE = D(list)", "dict.__setitem__(STATE, 'b', 2)"),
    "an ordered dict": ("import collections\nclass D(collections.OrderedDict):\n    keys = copy = __iter__ = __getattribute__ = items = note\n"
                        "    __setitem__ = move_to_end = popitem = note\nSTATE = D()", "collections.OrderedDict.__setitem__(STATE, 'b', 2)"),
    "a list": ("class L(list):\n    append = extend = copy = clear = __iter__ = __len__ = __getitem__ = __eq__ = __getattribute__ = note\n"
               "STATE = L()", "list.append(STATE, 1)"),
    "a set": ("class S(set):\n    add = copy = clear = update = __iter__ = __len__ = __contains__ = __eq__ = __getattribute__ = note\n"
              "    __hash__ = None\nSTATE = S()", "set.add(STATE, 1)"),
    "a bytearray": ("class B(bytearray):\n    __len__ = __iter__ = __eq__ = __getattribute__ = note\nSTATE = B()", "bytearray.append(STATE, 1)"),
    "an array": ("import array\nclass A(array.array):\n    __copy__ = tobytes = __len__ = __eq__ = __getattribute__ = note\nSTATE = A('i')",
                 "array.array.append(STATE, 1)"),
    "a generator of numbers": ("import random\nclass R(random.Random):\n    getstate = setstate = note\n"
                               "STATE = R(1); R.__getattribute__ = note", "random.Random.random(STATE)"),
    "a text buffer": ("import io\nclass B(io.StringIO):\n    closed = property(note)\n"
                      "    getvalue = __getstate__ = __setstate__ = seek = close = __getattribute__ = note\nSTATE = B()",
                      "io.StringIO.write(STATE, 'x')"),
    "a buffer": ("import io\nclass B(io.BytesIO):\n    closed = property(note)\n"
                 "    getvalue = __getstate__ = __setstate__ = seek = close = __getattribute__ = note\nSTATE = B()",
                 "io.BytesIO.write(STATE, b'x')"),
    "an object": ("class O:\n    __dict__ = __class__ = property(note, note)\n    __getattribute__ = __setattr__ = __delattr__ = __eq__ = note\n"
                  "STATE = O()\nSTATES = []", "STATES.append(STATE); object.__setattr__(STATE, 'x', 1)"),
    "slots": ("class O:\n    __slots__ = 'x',\n    __getattribute__ = __setattr__ = __delattr__ = __eq__ = __dir__ = note\nSTATE = O()",
              "object.__setattr__(STATE, 'x', 1)"),
    "a class": ("class M(type):\n    __getattribute__ = __setattr__ = __delattr__ = __eq__ = __dir__ = __instancecheck__ = note\n"
                "    __hash__ = type.__hash__\nclass STATE(metaclass=M): pass", "type.__setattr__(STATE, 'x', 1)"),
    "an object of such a class": ("class M(type):\n    __getattribute__ = __eq__ = __instancecheck__ = note\n    __hash__ = type.__hash__\n"
                                  "class O(metaclass=M): pass\nSTATE = object.__new__(O)", "object.__setattr__(STATE, 'x', 1)"),
    "keys": ("import collections\nclass K:\n    __eq__ = note\n    def __hash__(self):\n        note(); return 1\n"
             "STATE = {K(): 1}, collections.Counter(), {K()}\ndict.__setitem__(STATE[1], K(), 1)\nKEYS = [list(s) for s in STATE]",
             "n = len(library.CALLS); [d.__setitem__(K(), 2) for d in STATE[:2]]; STATE[2].add(K()); del library.CALLS[n:]"),
    "values": ("class V:\n    __eq__ = __bool__ = __repr__ = note\n    __hash__ = None\nSTATE = {'a': V()}, [V()]",
               "STATE[0]['a'] = V(); STATE[1].append(V())"),
}


@pytest.mark.parametrize("lines, change", SILENT.values(), ids=SILENT)
def test_no_method_of_a_workflow_runs_when_runs_take_turns(take_turns, lines, change):
    settled = "library.CALLS.clear()"
    seen, log = take_turns((NOTE + lines, change, "[repr(c) for c in library.CALLS]"), "host:settle", "0:change", "1:change",
                           "0:nothing", "1:nothing", "2:nothing", "0:change", "2:nothing",
                           modules={"library_of_test": LIBRARY + f"def settle():\n    {settled.removeprefix('library.')}\n"})
    assert seen == [[], [], []] and len(harness.events(log, "image")) == 1 and not harness.events(log, "lost"), harness.show(log)


def test_keys_whose_hash_is_the_workflows_make_an_ordered_dict_private(take_turns):
    lines = ("import collections\nclass K:\n    def __hash__(self): return 1\nSTATE = collections.OrderedDict([((K(), 1), 1)])", "pass", "[]")
    _, log = take_turns(lines, "0:nothing")
    assert harness.events(log, "private")[0]["object"] == "flow_of_test.STATE" and "__hash__" in harness.events(log, "private")[0]["reason"]


OPEN = """import contextlib
@contextlib.contextmanager
def manager(): yield
M = manager(); M.__enter__()
STATE = []"""


def test_an_image_that_has_lost_something_is_retired(take_turns):
    """A context manager that a run leaves cannot be entered again. Whoever shares the modules begins anew, with its own."""
    lines = (OPEN, "STATE.append(self.name); M.__exit__(None, None, None)", "STATE")
    seen, log = take_turns(lines, "0:change", "1:fails", "0:fails", "2:again", "2:change", "1:again", "0:again", "2:nothing")
    assert seen == [[], [], ["run-2"]], harness.show(log)
    lost, = harness.events(log, "lost")
    assert lost["module"] == "flow_of_test" and len(harness.events(log, "image")) == 1, harness.show(log)


ONCE = """
NAMES = {}
def register(name, thing):
    if name in NAMES:
        raise ValueError(f"{name} is registered")
    NAMES[name] = thing
    return thing
"""
REGISTERED = "with workflow.unsafe.imports_passed_through():\n    import once\nSTATE = once.register('state', Notes())\n"


@pytest.mark.parametrize("isolation", ["shared", "private"])
def test_a_library_that_accepts_a_registration_once_does_not_refuse_that_of_the_runs(take_turns, isolation):
    lines = (REGISTERED, "STATE.names.append(self.name)", "[*STATE.names, *once.NAMES]")
    seen, log = take_turns(lines, "0:change", "1:change", "2:nothing", modules={"once": ONCE}, SANDGLASS_ISOLATION=isolation)
    assert seen == [["run-0", "state"], ["run-1", "state"], ["state"]]
    apart, = harness.events(log, "apart")
    assert apart["module"] == "once" and "registered" in apart["reason"], harness.show(log)


def test_an_error_of_a_library_that_has_nothing_to_do_with_it_stays_what_it_is(run_program, tmp_path):
    text = TOP.format(REGISTERED + "if workflow.unsafe.in_sandbox(): once.register('state', 1)", "pass", "[]")
    for name, text in {"flow_of_test": text, "once": ONCE, "library_of_test": LIBRARY}.items():
        (tmp_path / (name + ".py")).write_text(text)
    ended = run_program(sys.executable, harness.PROGRAMS / "iterators.py", "0:nothing", PYTHONPATH=f"{tmp_path}:{harness.FIXTURES}")
    assert "ValueError: state is registered" in ended.err and not harness.events(ended.log, "apart"), str(ended)


def test_the_collector_sees_what_it_would_see(take_turns):
    """Also on 3.12, which has frozen some objects of its own from the start."""
    lines = ("import gc", "pass", "[any(o is globals() for o in gc.get_referrers(Notes)), gc.get_freeze_count()]")
    seen, _ = take_turns(lines, "0:nothing", "1:nothing", SANDGLASS_RULES="gc.*=allow")
    assert seen == [[True, 0]] * 2


def test_an_iterator_over_large_numbers_keeps_them(take_turns):
    """The collector is told nothing of the numbers that it has."""
    lines = ("STATE = iter(range(1 << 70, 1 << 71))", "[next(STATE) for _ in range(3)]", "[(1 << 70) - STATE.__length_hint__()]")
    seen, _ = take_turns(lines, "0:change", "1:change", "0:change", "2:nothing", "1:nothing")
    assert seen == [[6], [3], [0]], seen
