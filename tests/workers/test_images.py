"""When runs share an image and when they cannot, as the log tells. That sharing cannot be noticed is for tests/differential."""
import json
import sys

import harness
import pytest


@pytest.fixture
def make_runs(run_program, tmp_path):
    """Three runs of a workflow file with these lines: the log."""
    def make(lines, **settings):
        path = tmp_path / "flow_of_test.py"
        path.write_text(harness.FLOW.format(lines))
        ended = run_program(sys.executable, harness.PROGRAMS / "image_runs.py", path,
                            **{"SANDGLASS_LOG_LEVEL": "debug", **settings})
        assert ended.out.strip() == "3", str(ended)
        return ended.log
    return make


def events(log, name):
    return [e for e in log if e.get("event") == name]


SHARED = {
    "plain state": "A, B, C = {}, [[]], {1}\ndef f(x=[]): return x\nclass K: pass\nk = K(); k.x = k",
    "containers": "import array, collections\nA = collections.OrderedDict(a=1), collections.deque(), collections.Counter('ab')\n"
                  "B = array.array('i', [1]), bytearray(b'x'), collections.ChainMap({})",
    "caches": "import functools\n@functools.lru_cache\ndef f(x): return x\nf(1)",
    "generators of numbers": "import itertools, random\nA, B = random.Random(1), itertools.count()",
    "locks and queues": "import queue, threading, asyncio\nA = queue.Queue(), queue.SimpleQueue(), threading.Lock()\nB = asyncio.Lock()",
    "a thread's own": "import threading\nlocal = threading.local()",
    "an empty weak dictionary": "import weakref\nA = weakref.WeakKeyDictionary(), weakref.WeakSet()",
    "weak references to classes": "import weakref\nclass K: pass\nA = weakref.WeakSet([K])",
    "iterators": "import itertools\nA = [1, 2]; B = {}\nC = [iter(x) for x in (A, B, 'a', 'ä', b'a', (1,), {1}, range(3))]\n"
                 "D = reversed(A), itertools.takewhile(bool, A), iter(B.items()), iter(list, 1)",
    "exceptions": "A = ValueError(1), KeyError(), UnicodeDecodeError('utf-8', b'x', 0, 1, 'no'), OSError(1, 'x')\n"
                  "class E(Exception): pass\nB = E()",
    "decimal contexts": "import decimal\nA = decimal.Context(prec=3)",
    "contexts and tokens": "import contextvars\nV = contextvars.ContextVar('V'); T = V.set([])\n"
                           "C = contextvars.copy_context(); C.run(V.set, {})",
    "a context manager that stays open": "import contextlib\n@contextlib.contextmanager\ndef manager(): yield\n"
                                         "M = manager(); M.__enter__()",
}


@pytest.mark.parametrize("lines", SHARED.values(), ids=SHARED)
def test_runs_share_an_image(make_runs, lines):
    log = make_runs(lines)
    assert len(events(log, "image")) == 1 and not events(log, "private"), harness.show(log)
    assert len(events(log, "run")) == 3, harness.show(log)


PRIVATE = {
    "an unknown type": ("import zlib\nSTATE = {'z': [zlib.compressobj()]}", "flow_of_test.STATE.z", "[types] zlib.Compress = fixed"),
    "a message": ("from google.protobuf.timestamp_pb2 import Timestamp\nSTATE = Timestamp()", "flow_of_test.STATE",
                  "[types] google._upb._message.Message = fixed"),
    "a scanner": ("import re\nSTATE = re.compile('a').scanner('a')", "flow_of_test.STATE", "[types] _sre.SRE_Scanner = fixed"),
    "a generator": ("def f():\n    yield\nSTATE = f()", "flow_of_test.STATE", "[types] generator = fixed"),
    "a weak reference to an object": ("import weakref\nclass K: pass\nk = K()\nSTATE = weakref.ref(k)", "flow_of_test.STATE",
                                      "[types] flow_of_test.K = kept"),
    "a weak proxy": ("import weakref\nclass K:\n    def __call__(self): raise SystemExit\nk = K()\nSTATE = weakref.proxy(k)",
                     "flow_of_test.STATE", "[types] flow_of_test.K = kept"),
    "a weak reference to a set": ("import weakref\ns = {1}\nSTATE = weakref.ref(s)", "flow_of_test.STATE", "[types] set = kept"),
    "weakref.finalize": ("import weakref\nclass K: pass\nSTATE = K()\nweakref.finalize(STATE, print)", "flow_of_test.STATE",
                         "[types] flow_of_test.K = kept"),
    "a callback of a weak reference elsewhere": (
        "import weakref\nclass K: pass\nSTATE = K()\ndef gone(reference): pass\n"
        "weakref.finalize._held_for_a_test = weakref.ref(STATE, gone)", "flow_of_test.STATE", "[types] flow_of_test.K = kept"),
    "a destructor": ("class K:\n    def __del__(self): pass\nSTATE = K()", "flow_of_test.STATE", "[types] flow_of_test.K = kept"),
    "a thread's own that is in use": ("import threading\nSTATE = threading.local(); STATE.x = 1", "flow_of_test.STATE", ""),
}


@pytest.mark.parametrize("lines, path, setting", PRIVATE.values(), ids=PRIVATE)
def test_modules_are_private_where_an_object_cannot_be_saved(make_runs, lines, path, setting):
    log = make_runs(lines)
    told = events(log, "private")
    assert len(told) == 1 and not events(log, "image"), harness.show(log)
    assert told[0]["object"] == path and setting in told[0]["setting"] and told[0]["reason"], harness.show(log)


def test_type_that_is_declared_fixed_is_shared(make_runs, tmp_path):
    (tmp_path / "types.conf").write_text("[types]\nzlib.Comp* = fixed | nothing is ever compressed with it\n")
    log = make_runs("import zlib\nSTATE = zlib.compressobj()", SANDGLASS_CONFIG=tmp_path / "types.conf")
    assert len(events(log, "image")) == 1 and not events(log, "private"), harness.show(log)


@pytest.mark.parametrize("lines", [PRIVATE[name][0] for name in ("a weak reference to an object", "a weak proxy", "a destructor",
                                                                  "weakref.finalize")])
def test_objects_that_are_declared_kept_are_shared(make_runs, tmp_path, lines):
    (tmp_path / "types.conf").write_text("[types]\nflow_of_test.K = kept | no run lets go of one\n")
    log = make_runs(lines, SANDGLASS_CONFIG=tmp_path / "types.conf")
    assert len(events(log, "image")) == 1 and not events(log, "private"), harness.show(log)


def test_destructor_of_a_library_is_not_the_workflows(make_runs):
    log = make_runs("import shelve\nSTATE = shelve.Shelf({})")
    assert len(events(log, "image")) == 1 and not events(log, "private"), harness.show(log)


def test_type_that_is_declared_private_is_not_shared(make_runs, tmp_path):
    (tmp_path / "types.conf").write_text("[types]\ndecimal.Decimal = private | a test\n")
    log = make_runs("import decimal\nSTATE = decimal.Decimal(1)", SANDGLASS_CONFIG=tmp_path / "types.conf")
    assert [e["object"] for e in events(log, "private")] == ["flow_of_test.STATE"], harness.show(log)


@pytest.mark.parametrize("isolation", ["private", "off"])
def test_no_image_where_none_is_wanted(make_runs, isolation):
    assert not events(make_runs("A = []", SANDGLASS_ISOLATION=isolation), "image")


def test_two_runs_reload_a_module_of_the_same_name_at_once(run_program, tmp_path):
    ended = run_program(sys.executable, harness.PROGRAMS / "reload_runs.py", tmp_path,
                        **{**harness.SEARCH, "SANDGLASS_ISOLATION": "private"})
    assert ended.out.strip() == '["true", "true"]', str(ended)


ITERATED = """
import collections
from temporalio import workflow
{}

@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> None:
        self.seen, self.iterator = [], None
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def look(self) -> None:
        if not self.iterator:
            self.iterator = iter(STATE)
        try:
            self.seen.append(next(self.iterator))
        except RuntimeError as error:
            self.seen.append(type(error).__name__)

    @workflow.signal
    def change(self) -> None:
        {}

    @workflow.signal
    def nothing(self) -> None:
        pass

    @workflow.query
    def see(self) -> list:
        return [self.seen, list(STATE)]
"""
CHANGES = {  # and what the first run then sees: with its iterator, and at the end
    "deque": ("STATE = collections.deque([1, 2, 3, 4])", "STATE[1] = 7", 7, [1, 7, 3, 4]),
    "deque in a list": ("LIST = [collections.deque([1, 2, 3, 4])]; STATE = LIST[0]", "LIST.pop()[1] = 7", 7, [1, 7, 3, 4]),
    "OrderedDict": ("STATE = collections.OrderedDict.fromkeys([0, 1, 2, 3, 4]); del STATE[0]", "STATE[5] = 0",
                    "RuntimeError", [1, 2, 3, 4, 5]),
}


@pytest.fixture
def take_turns(run_program, tmp_path):
    def take(state, change, *moves):
        (tmp_path / "flow_of_test.py").write_text(ITERATED.format(state, change))
        ended = run_program(sys.executable, harness.PROGRAMS / "iterators.py", *moves,
                            **{"PYTHONPATH": tmp_path, "SANDGLASS_LOG_LEVEL": "trace"})
        assert ended.out.strip() and len(events(ended.log, "image")) == 1, str(ended)
        return json.loads(ended.out), events(ended.log, "delta")
    return take


@pytest.mark.parametrize("state, change, second, left", CHANGES.values(), ids=CHANGES)
def test_an_iterator_goes_on_when_another_run_changes_what_it_goes_over(take_turns, state, change, second, left):
    seen, _ = take_turns(state, change, "0:look", "1:look", "0:change", "1:look", "0:look", "1:look")
    assert seen == [[[1, second], left], [[1, 2, 3], [1, 2, 3, 4]]]


@pytest.mark.parametrize("state", [values[0] for values in CHANGES.values()], ids=CHANGES)
def test_a_run_that_changes_and_keeps_nothing_has_nothing_of_its_own(take_turns, state):
    seen, deltas = take_turns(state, "pass", *["0:nothing", "1:nothing"] * 3)
    assert seen == [[[], [1, 2, 3, 4]]] * 2 and not deltas
