"""Puts each number that the object knows about the inside of CPython wrong, one at a time, and looks that start notices.

    python tests/layout/run.py build/layout/libsandglass.so [NAME...]

Run by a Python that has temporalio. Each number is made larger and smaller by a word, each time in a process of its own: it
imports the engine, so that all probes run and all guards are put in place, uses what is hooked then, and ends as usual. A
probe must fail that else does not, or the object must refuse to start; nothing may crash. Numbers that this Python has no use
for are listed with the reason, which stands beside them in shim/interpreter/layout.h. JOBS: processes at a time. SHORT=1: larger
only.
"""
import ctypes
import gc
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

WORD = ctypes.sizeof(ctypes.c_void_p)
SECONDS = 120


class Row(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("since", ctypes.c_int), ("until", ctypes.c_int), ("why", ctypes.c_char_p)]


def rows(library):
    result, index = [], 0
    table = (Row * 1000).in_dll(library, "sg_layout_rows")
    while table[index].name:
        row = table[index]
        result.append((row.name.decode(), row.since, row.until, row.why.decode()))
        index += 1
    return result


def use():
    """What the hooks are in the way of, in a process where no workflow runs."""
    import abc
    import collections
    import functools
    import queue
    import threading
    import weakref

    class Base(abc.ABC):
        def __init__(self, n):
            self.n = n

        @abc.abstractmethod
        def f(self):
            pass

    class Derived(Base):
        def f(self):
            return self.n

        def __del__(self):
            self.n = None

    def generator(n):
        try:
            yield n
            yield from range(n)
        finally:
            n = None

    Base.register(int)
    assert isinstance(1, Base) and Derived in Base.__subclasses__()
    cache = functools.lru_cache(maxsize=3)(lambda n: n + 1)
    local = threading.local()
    for n in range(200):
        object = Derived(n)
        reference = weakref.ref(object)
        assert reference() is object and object.f() == n and weakref.getweakrefcount(object) == 1
        object.extra = collections.OrderedDict(a=n)
        local.n = cache(n)
        suspended = generator(n)
        next(suspended)
        del suspended, object
        items = queue.SimpleQueue()
        items.put({n, n + 1, "a"})
        assert items.get() == {n, n + 1, "a"}
    thread = threading.Thread(target=lambda: setattr(local, "n", 1))
    thread.start()
    thread.join()
    assert gc.collect() >= 0 and local.n == 200


def start():
    import temporalio.worker  # noqa: F401

    use()


def outcome(status, text):
    """What was noticed, as a set, and what went wrong, or None."""
    noticed = set(re.findall(r"event=probe name=(\S+) result=failed", text))
    noticed |= {f"unguarded {what}" for what in re.findall(r'event=unguarded (?:name|rule)=("[^"]*"|\S+)', text)}
    noticed |= {f"dormant: {why}" for why in re.findall(r'event=dormant .*?reason=("[^"]*"|\S+)', text)}
    if os.WIFSIGNALED(status):
        return noticed, f"ended by signal {os.WTERMSIG(status)}"
    if os.WEXITSTATUS(status) == 2 and text.rstrip().splitlines()[-1].startswith("sandglass: "):
        noticed.add("refused: " + text.rstrip().splitlines()[-1].split(": ", 1)[1].split(",")[0])
    elif os.WEXITSTATUS(status):
        return noticed, f"ended with status {os.WEXITSTATUS(status)}: {text.rstrip().splitlines()[-1:]}"
    return noticed, None


def doctor(object):
    """The command tells what was proved, and what was not when a number is wrong. Each True, or what it said instead."""
    command = os.path.join(os.path.dirname(os.path.dirname(object)), "sandglass")
    if not os.path.exists(command):
        return
    with tempfile.TemporaryDirectory() as folder:
        for file in command, object:
            shutil.copy(file, folder)
        for wrong, tells in ("", "proved: class_slots, .* list, .* list_iterator,"), ("list_end=32", "lacks probe list, failed: "):
            environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
            run = subprocess.run([os.path.join(folder, "sandglass"), "doctor", sys.executable], text=True, stdout=subprocess.PIPE,
                                 env={**environment, "WRONG_LAYOUT": wrong})
            text = " ".join(run.stdout.split())
            yield run.returncode == 0 and re.search(tells, text) is not None or text


class Cases:
    """Each case in a process of its own, some at a time; what they write in a file."""

    def __init__(self, jobs):
        self.jobs, self.running, self.results = jobs, {}, {}

    def wait(self):
        pid, status = os.wait()
        case, file = self.running.pop(pid)
        file.seek(0)
        self.results[case] = outcome(status, file.read().decode(errors="replace"))

    def begin(self, case, child):
        """child: called in a new process, of which no more than jobs exist."""
        while len(self.running) >= self.jobs:
            self.wait()
        file = tempfile.TemporaryFile()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            signal.alarm(SECONDS)
            child()
            sys.exit(0)
        self.running[pid] = case, file

    def end(self):
        while self.running:
            self.wait()


def main(object, names):
    library = ctypes.CDLL(object)
    table = rows(library)
    values = (ctypes.c_long * len(table)).in_dll(library, "sg_layout_values")
    cases = Cases(int(os.environ.get("JOBS") or os.cpu_count() or 1))
    used = [(index, row) for index, row in enumerate(table) if row[1] <= sys.version_info[1] <= row[2]]
    # Most of what the engine needs, but not what its use is recognised by: each process then has little left to do.
    import temporalio.client  # noqa: F401
    import temporalio.workflow  # noqa: F401

    def forked(index, wrong):
        def child():
            values[index] = wrong
            start()
        return child

    def executed(name, wrong):
        def child():  # wrong from the first moment on
            os.environ["WRONG_LAYOUT"] = f"{name}={wrong}"
            os.execv(sys.executable, [sys.executable, __file__, "--start"])
        return child

    cases.begin(None, start)
    for index, (name, *_) in used:
        if names and name not in names:
            continue
        for step in (WORD,) if os.environ.get("SHORT") else (WORD, -WORD):
            wrong = values[index] + step
            at_once = name.startswith("object_")
            cases.begin((name, step), executed(name, wrong) if at_once else forked(index, wrong))
    cases.end()

    passed = failed = 0
    for told in doctor(object):
        failed += told is not True
        passed += told is True
        print("ok   doctor lists the probes" if told is True else f"FAIL doctor: {told}")
    right, trouble = cases.results.pop(None)
    if right or trouble:
        failed += 1
        print(f"FAIL as it is: {trouble or ', '.join(sorted(right))}")
    for (name, step), (noticed, trouble) in cases.results.items():
        noticed -= right
        if trouble or not noticed:
            failed += 1
            print(f"FAIL {name} {step:+}: {trouble or 'not noticed'}; failed probes: {', '.join(sorted(noticed)) or 'none'}")
            print(f"     tests/layout/run.py {object} {name}")
        else:
            passed += 1
            print(f"ok   {name} {step:+}: {', '.join(sorted(noticed))}")
    for name, since, until, why in table:
        if not since <= sys.version_info[1] <= until:
            print(f"     {name}: no use for it on 3.{sys.version_info[1]}: {why}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0


if sys.argv[1:] == ["--start"]:
    start()
elif os.environ.get("LD_PRELOAD") == os.path.realpath(sys.argv[1]):
    sys.exit(main(os.path.realpath(sys.argv[1]), sys.argv[2:]))
else:
    for setting in [name for name in os.environ if name.startswith("SANDGLASS")]:
        del os.environ[setting]
    os.environ.update(LD_PRELOAD=os.path.realpath(sys.argv[1]), PYTHONDONTWRITEBYTECODE="1", SANDGLASS_INHERIT="all")
    sys.exit(subprocess.call([sys.executable, *sys.argv]))
