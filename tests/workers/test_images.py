"""When runs share an image and when they cannot, as the log tells. That sharing cannot be noticed is for tests/differential."""
import json
import os
import platform
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


SHARED = {
    "plain state": "A, B, C = {}, [[]], {1}\ndef f(x=[]): return x\nclass K: pass\nk = K(); k.x = k",
    "containers": "import array, collections\nA = collections.OrderedDict(a=1), collections.deque(), collections.Counter('ab')\n"
                  "B = array.array('i', [1]), bytearray(b'x'), collections.ChainMap({})",
    "caches": "import functools\n@functools.lru_cache\ndef f(x): return x\nf(1)",
    "generators of numbers": "import itertools, random\nA, B = random.Random(1), itertools.count()",
    "locks and queues": "import queue, threading, asyncio\nA = queue.Queue(), queue.SimpleQueue(), threading.Lock()\nB = asyncio.Lock()",
    "a thread's own": "import threading\nlocal = threading.local()\nused = threading.local(); used.x = 1",
    "an empty weak dictionary": "import weakref\nA = weakref.WeakKeyDictionary(), weakref.WeakSet()",
    "weak references to classes": "import weakref\nclass K: pass\nA = weakref.WeakSet([K])",
    "iterators": "import itertools\nA = [1, 2]; B = {}\nC = [iter(x) for x in (A, B, 'a', 'ä', b'a', (1,), {1}, range(3))]\n"
                 "D = reversed(A), itertools.takewhile(bool, A), iter(B.items()), iter(list, 1)",
    "exceptions": "A = ValueError(1), KeyError(), UnicodeDecodeError('utf-8', b'x', 0, 1, 'no'), OSError(1, 'x')\n"
                  "class E(Exception): pass\nB = E()",
    "decoders and encoders": "import csv, io, json\nA = json.JSONDecoder(), json.JSONEncoder(), json.decoder.scanner.make_scanner(json.JSONDecoder())\n"
                             "B = csv.writer(io.StringIO()), csv.get_dialect('excel')",
    "views": "import collections\nD = {'a': 1}, collections.OrderedDict(a=1)\nA = [v for d in D for v in (d.keys(), d.values(), d.items())]",
    "syntax trees and ctypes' fields": "import ast, ctypes\nA = ast.parse('f(1)')\nclass S(ctypes.Structure): _fields_ = [('x', ctypes.c_int)]\nB = S.x",
    "numpy's types": "import numpy\nA = numpy.dtype('datetime64[Y]'), numpy.dtype([('a', int)])",
    "decimal contexts": "import decimal\nA = decimal.Context(prec=3)",
    "contexts and tokens": "import contextvars\nV = contextvars.ContextVar('V'); T = V.set([])\n"
                           "C = contextvars.copy_context(); C.run(V.set, {})",
    "a context manager that stays open": "import contextlib\n@contextlib.contextmanager\ndef manager(): yield\n"
                                         "M = manager(); M.__enter__()",
}


@pytest.mark.parametrize("lines", SHARED.values(), ids=SHARED)
def test_runs_share_an_image(make_runs, lines):
    log = make_runs(lines)
    assert len(harness.events(log, "image")) == 1 and not harness.events(log, "private"), harness.show(log)
    assert len(harness.events(log, "run")) == 3, harness.show(log)


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
}


@pytest.mark.parametrize("lines, path, setting", PRIVATE.values(), ids=PRIVATE)
def test_modules_are_private_where_an_object_cannot_be_saved(make_runs, lines, path, setting):
    log = make_runs(lines)
    told = harness.events(log, "private")
    assert len(told) == 1 and not harness.events(log, "image"), harness.show(log)
    assert told[0]["object"] == path and setting in told[0]["setting"] and told[0]["reason"], harness.show(log)


def test_type_that_is_declared_fixed_is_shared(make_runs, tmp_path):
    (tmp_path / "types.conf").write_text("[types]\nzlib.Comp* = fixed | nothing is ever compressed with it\n")
    log = make_runs("import zlib\nSTATE = zlib.compressobj()", SANDGLASS_CONFIG=tmp_path / "types.conf")
    assert len(harness.events(log, "image")) == 1 and not harness.events(log, "private"), harness.show(log)


@pytest.mark.parametrize("lines", [PRIVATE[name][0] for name in ("a weak reference to an object", "a weak proxy", "a destructor",
                                                                  "weakref.finalize")])
def test_objects_that_are_declared_kept_are_shared(make_runs, tmp_path, lines):
    (tmp_path / "types.conf").write_text("[types]\nflow_of_test.K = kept | no run lets go of one\n")
    log = make_runs(lines, SANDGLASS_CONFIG=tmp_path / "types.conf")
    assert len(harness.events(log, "image")) == 1 and not harness.events(log, "private"), harness.show(log)


def test_objects_of_a_class_below_one_that_is_declared_kept_are_shared(make_runs, tmp_path):
    (tmp_path / "types.conf").write_text("[types]\nflow_of_test.Base = kept | no run lets go of one\n")
    log = make_runs("class Base: pass\nclass K(Base):\n    def __del__(self): pass\nSTATE = K()", SANDGLASS_CONFIG=tmp_path / "types.conf")
    assert len(harness.events(log, "image")) == 1 and not harness.events(log, "private"), harness.show(log)


def test_modules_that_freeze_what_there_is_are_private(make_runs):
    log = make_runs("import gc\nSTATE = []\ngc.freeze()")
    told = harness.events(log, "private")
    assert len(told) == 1 and "gc.freeze()" in told[0]["reason"] and not harness.events(log, "image"), harness.show(log)


def test_destructor_of_a_library_is_not_the_workflows(make_runs):
    log = make_runs("import shelve\nSTATE = shelve.Shelf({})")
    assert len(harness.events(log, "image")) == 1 and not harness.events(log, "private"), harness.show(log)


def test_type_that_is_declared_private_is_not_shared(make_runs, tmp_path):
    (tmp_path / "types.conf").write_text("[types]\ndecimal.Decimal = private | a test\n")
    log = make_runs("import decimal\nSTATE = decimal.Decimal(1)", SANDGLASS_CONFIG=tmp_path / "types.conf")
    assert [e["object"] for e in harness.events(log, "private")] == ["flow_of_test.STATE"], harness.show(log)


def test_list_that_compiled_code_has_not_filled_is_not_copied(make_runs, tmp_path):
    (tmp_path / "types.conf").write_text("[types]\nxml.etree.ElementTree.TreeBuilder = fixed | a test\n"
                                         "xml.etree.ElementTree.Element = fixed | a test\n")
    log = make_runs("import xml.etree.ElementTree as tree\nSTATE = tree.TreeBuilder()\nSTATE.start('a', {})",
                    SANDGLASS_CONFIG=tmp_path / "types.conf")
    assert [e["object"] for e in harness.events(log, "private")] == ["flow_of_test.STATE"], harness.show(log)


@pytest.mark.parametrize("isolation", ["private", "off"])
def test_no_image_where_none_is_wanted(make_runs, isolation):
    assert not harness.events(make_runs("A = []", SANDGLASS_ISOLATION=isolation), "image")


OTHER_METHODS = """
import ctypes, os, time
from temporalio import workflow
with workflow.unsafe.imports_passed_through():
    import libc_of_test
SEEN = []


@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    def count(self):
        SEEN.append(1)
        return len(SEEN)

    def read(self):
        return os.name

    def clock(self):
        return time.time()

    def native(self):
        return libc_of_test.call()
"""


@pytest.fixture
def ask(run_program, tmp_path):
    """What runs answer to methods of the SDK that are no activation."""
    def ask(*moves, **settings):
        (tmp_path / "flow_of_test.py").write_text(OTHER_METHODS)
        (tmp_path / "libc_of_test.py").write_text(settings.pop("libc", ""))
        ended = run_program(sys.executable, harness.PROGRAMS / "other_methods.py", *moves,
                            **{"PYTHONPATH": f"{tmp_path}:{harness.FIXTURES}", "SANDGLASS_LOG_LEVEL": "debug", **settings})
        assert ended.out.strip(), str(ended)
        return json.loads(ended.out), ended
    return ask


def test_other_methods_of_the_sdk_run_as_an_activation_does(ask):
    seen, ended = ask("0:count", "0:count", "1:count", "0:count", "0:read", "0:clock", "1:count")
    assert seen[:4] + seen[6:] == [1, 2, 1, 3, 2], str(ended)
    assert "os.name" in seen[4] and "time.time" in seen[5], str(ended)
    assert {e["run_id"] for e in harness.violations(ended.log)} == {"run-0"}, harness.show(ended.log)


def test_a_refusal_of_compiled_code_in_other_methods_of_the_sdk_is_raised(ask, tmp_path):
    source = tmp_path / "clock.c"
    source.write_text("#include <time.h>\nint clock_of_test(void) { return time(0) > 0; }\n")
    harness.compile_library(tmp_path / "clock_of_test.so", source)
    seen, ended = ask("0:native", "0:count", SANDGLASS_NATIVE="block", libc=f"import ctypes\nLIBRARY = ctypes.CDLL({str(tmp_path / 'clock_of_test.so')!r})\n"
                      "call = LIBRARY.clock_of_test\n")
    assert "clock_of_test.so" in seen[0] and seen[1] == 1, str(ended)


def test_an_object_that_could_not_be_made_leaves_nothing_behind(ask):
    kilobytes, ended = ask("fail")
    assert kilobytes < 10_000, str(ended)


def test_freed_objects_that_a_module_has_set_aside_stay_so(run_program, tmp_path):
    (tmp_path / "flow_of_test.py").write_text(harness.FLOW.format(""))
    ended = run_program(sys.executable, harness.PROGRAMS / "futures.py", tmp_path / "flow_of_test.py")
    assert ended.out.strip() == "110 True", str(ended)


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
                            **{"PYTHONPATH": f"{tmp_path}:{harness.FIXTURES}", "SANDGLASS_LOG_LEVEL": "trace"})
        assert ended.out.strip() and len(harness.events(ended.log, "image")) == 1, str(ended)
        return json.loads(ended.out), harness.events(ended.log, "delta")
    return take


@pytest.mark.parametrize("state, change, second, left", CHANGES.values(), ids=CHANGES)
def test_an_iterator_goes_on_when_another_run_changes_what_it_goes_over(take_turns, state, change, second, left):
    seen, _ = take_turns(state, change, "0:look", "1:look", "0:change", "1:look", "0:look", "1:look")
    assert seen == [[[1, second], left], [[1, 2, 3], [1, 2, 3, 4]]]


@pytest.mark.parametrize("state", [values[0] for values in CHANGES.values()], ids=CHANGES)
def test_a_run_that_changes_and_keeps_nothing_has_nothing_of_its_own(take_turns, state):
    seen, deltas = take_turns(state, "pass", *["0:nothing", "1:nothing"] * 3)
    assert seen == [[[], [1, 2, 3, 4]]] * 2 and not deltas


LARGE = """
import collections, array
from temporalio import workflow

class Thing:
    pass

BALLAST = [[i] for i in range(5000)]
OTHERS = [{} for _ in range(501)]  # around it there is nothing that others write to
STATE = OTHERS[250]
{}

@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> None:
        # It stays in a variable: the change then touches nothing but what it changes.
        self.awake, state = False, STATE
        await workflow.wait_condition(lambda: self.awake)
        {}
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def wake(self) -> None:
        self.awake = True

    @workflow.signal
    def grow(self) -> None:
        {}

    @workflow.signal
    def nothing(self) -> None:
        pass

    @workflow.query
    def see(self) -> list:
        return {}
"""
HELD = {  # how it is made and filled, changed from afar, changed before by another run, seen, and what then is seen
    "a list": ("[]", "STATE.extend([0] * 3000)", "state[7] = 1", "STATE.append(2)", "[len(STATE), sum(STATE)]",
               [3001, 2], [3000, 1], [3000, 0]),
    "an array": ("array.array('i')", "STATE.extend([0] * 3000)", "state[7] = 1", "STATE.append(2)", "[len(STATE), sum(STATE)]",
                 [3001, 2], [3000, 1], [3000, 0]),
    "a bytearray": ("bytearray()", "STATE.extend(bytes(9000))", "state[7] = 1", "STATE.append(2)", "[len(STATE), sum(STATE)]",
                    [9001, 2], [9000, 1], [9000, 0]),
    "a set": ("set()", "STATE.update(range(3000))", "state.discard(7)", "STATE.add(3000)", "[len(STATE), 7 in STATE]",
              [3001, True], [2999, False], [3000, True]),
    "a deque": ("collections.deque()", "STATE.extend([0] * 3000)", "state[7] = 1", "STATE.append(2)", "[len(STATE), sum(STATE)]",
                [3001, 2], [3000, 1], [3000, 0]),
    "a dict": ("{}", "STATE.update(dict.fromkeys(range(3000), 0))", "state[7] = 1", "STATE[3000] = 2",
               "[len(STATE), sum(STATE.values())]", [3001, 2], [3000, 1], [3000, 0]),
    "an object": ("Thing()", "STATE.a = STATE.b = 0", "state.a = 1", "STATE.b = 2", "[STATE.a, STATE.b]", [0, 2], [1, 0], [0, 0]),
}


def tells_pages():
    """Should the kernel say which pages have been written to? What the tests/unit/test_pages.c would be skipped without."""
    version = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])
    with open("/proc/self/status") as file:
        filtered = "Seccomp:\t0" not in file.read()
    return version >= (6, 7) and not filtered and os.path.exists("/proc/sys/vm/unprivileged_userfaultfd")


@pytest.fixture
def large(run_program, tmp_path):
    def play(lines, moves, size=5000):
        (tmp_path / "flow_of_test.py").write_text(LARGE.format(*lines).replace("5000", str(size)))
        ended = run_program(sys.executable, harness.PROGRAMS / "iterators.py", *moves,
                            **{"PYTHONPATH": f"{tmp_path}:{harness.FIXTURES}", "SANDGLASS_LOG_LEVEL": "trace"})
        images = harness.events(ended.log, "image")
        assert ended.out.strip() and len(images) == 1, str(ended)
        return json.loads(ended.out), images[0]
    return play


@pytest.mark.parametrize("size", [5, 5000])
@pytest.mark.parametrize("kind", HELD)
def test_a_run_changes_what_it_has_held_for_long(large, kind, size):
    *lines, grown, woken, pristine = HELD[kind]
    # The first change moves the pristine content to other memory. After a time in which nobody touched the object, the second
    # is made there, in place.
    moves = ["2:nothing", "0:grow"] + ["2:nothing", "3:nothing"] * 150 + ["1:wake", "2:nothing"] + ["0:nothing", "1:nothing"] * 5
    seen, image = large(lines, moves, size)
    assert seen == [grown, woken, pristine, pristine]
    assert image["changes"] in (("memory",) if size == 5 else ("pages",) if tells_pages() else ("pages", "memory"))


@pytest.mark.parametrize("kind", HELD)
def test_a_large_image_without_word_from_the_kernel(large, kind):
    *lines, grown, woken, pristine = HELD[kind]
    seen, image = large(lines, ["blind", "2:nothing", "0:grow", "2:nothing", "1:wake", "2:nothing"] + ["0:nothing", "1:nothing"] * 5)
    assert seen == [grown, woken, pristine]
    assert image["changes"] == "memory" and "userfaultfd" in image["reason"]


def test_a_large_image_whose_objects_change_places(large):
    """More and more of it lies elsewhere, until it is looked for anew."""
    lines = "[]", "STATE.extend([0] for i in range(5000))", "state[0][0] = 1", "for item in STATE[self.awake::7]: item.append(1)", \
            "[sum(map(len, STATE)), sum(item[0] for item in STATE)]"
    seen, _ = large(lines, ["2:nothing", "0:grow"] + ["2:nothing", "0:nothing"] * 80 + ["1:wake", "1:grow"] + ["2:nothing", "0:nothing"] * 80)
    assert seen == [[5000 + 715, 0], [5000 + 715, 1], [5000, 0]]
