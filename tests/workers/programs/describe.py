"""Prints all that can be seen of the functions and classes that Sandglass guards. Run with and without it, the same text."""
import copy
import inspect
import json
import pickle
import re
import sys

import asyncio, builtins, concurrent.futures, datetime, email.utils, getpass, glob, io, locale, os, pathlib, platform, posix  # noqa: E401
import random, secrets, select, selectors, shutil, signal, socket, ssl, subprocess, tempfile, threading, time, uuid, _thread  # noqa: E401

if sys.argv[1:] == ["armed"]:
    import armed  # noqa: F401

NAMES = """
    time.time time.time_ns time.monotonic time.localtime time.gmtime time.sleep time.strftime time.clock_gettime
    datetime.datetime datetime.date datetime.datetime.now datetime.datetime.utcnow datetime.date.today datetime.datetime.astimezone
    random.random random.randint random.Random random.SystemRandom random.seed random._inst secrets.token_hex secrets.choice
    os.urandom os.getrandom os.environ os.getenv os.getpid os.getcwd os.cpu_count os.listdir os.scandir os.stat os.open os.fork os.system
    os.path.exists os.path.abspath posix.getpid uuid.uuid1 uuid.uuid4 ssl.RAND_bytes builtins.open io.open io.FileIO io.open_code
    pathlib.Path pathlib.Path.read_text pathlib.Path.cwd tempfile.mktemp tempfile.NamedTemporaryFile shutil.copy shutil.which glob.glob
    socket.socket socket.gethostname socket.getaddrinfo socket.create_connection subprocess.run subprocess.Popen threading.Thread
    threading.Thread.start threading.Lock threading.Event.wait _thread.start_new_thread concurrent.futures.ThreadPoolExecutor
    select.select select.epoll selectors.DefaultSelector signal.signal platform.node platform.platform getpass.getuser locale.getlocale
    email.utils.formatdate builtins.input builtins.breakpoint builtins.isinstance builtins.__import__ asyncio.wait asyncio.as_completed asyncio.to_thread
    asyncio.run
""".split()


def attempt(function, *args):
    try:
        return function(*args)
    except Exception as e:
        return f"{type(e).__name__}: {e}"


def find(name):
    module, *path = name.split(".")
    found = sys.modules[module]
    for part in path:
        found = getattr(found, part)
    return found


def tidy(text):
    return re.sub(r"0x[0-9a-f]+", "0x", str(text))


def same_after_pickle(thing):
    return pickle.loads(pickle.dumps(thing)) is thing


def describe(name):
    thing = find(name)
    return {
        "repr": tidy(repr(thing)) if name != "os.environ" else type(thing).__name__,
        "type": tidy(type(thing)), "bases": tidy(getattr(thing, "__mro__", "")),
        "module": getattr(thing, "__module__", None), "qualname": getattr(thing, "__qualname__", None),
        "doc": getattr(thing, "__doc__", None), "self": tidy(type(getattr(thing, "__self__", None))),
        "signature": tidy(attempt(inspect.signature, thing)) if name != "os.environ" else None, "source": len(attempt(inspect.getsource, thing)),
        "code": tidy(getattr(getattr(thing, "__code__", None), "co_name", None)),
        "defaults": tidy(getattr(thing, "__defaults__", None)), "dict": sorted(map(str, getattr(thing, "__dict__", {}))),
        "dir": dir(thing) if name != "os.environ" else None,
        "kind": [k for k in ("isbuiltin", "isfunction", "isroutine", "isclass", "ismethod", "iscoroutinefunction")
                 if getattr(inspect, k)(thing)],
        "pickle": tidy(attempt(same_after_pickle, thing)), "copy": tidy(attempt(lambda: copy.copy(thing) is thing)),
        "deepcopy": tidy(attempt(lambda: copy.deepcopy(thing) is thing)), "hash": attempt(lambda: hash(thing) == hash(find(name))),
        "again": find(name) == thing, "weak": attempt(lambda: type(__import__("weakref").ref(thing)).__name__),
    }


class Dice(random.Random):
    pass


class Worker(threading.Thread):
    pass


class Stamp(datetime.datetime):
    pass


class Link(socket.socket):
    pass


def values():
    random.seed(5)
    kept = pickle.loads(pickle.dumps(random.Random(3)))
    return {
        "seeded": [random.random(), random.Random(3).random(), kept.random(), Dice(3).random(), copy.deepcopy(Dice(4)).random()],
        "stamp": str(pickle.loads(pickle.dumps(Stamp(2020, 1, 1)))), "object new": [
            tidy(attempt(lambda c=c: type(object.__new__(c)).__name__))
            for c in (Worker, threading.Thread, subprocess.Popen, concurrent.futures.ThreadPoolExecutor, random.Random, socket.socket)],
        "instances": [isinstance(datetime.datetime.now(), datetime.datetime), isinstance(Stamp.now(), Stamp),
                      isinstance(uuid.uuid4(), uuid.UUID), type(time.time()).__name__, type(os.environ).__name__,
                      isinstance(os.environ, dict), "PATH" in os.environ],
        "environ": [os.environ.get("SG_NONE"), os.environ.setdefault("SG_X", "1"), os.environ.pop("SG_X"), os.getenv("SG_X")],
        "modules": [isinstance(sys.modules, dict), sys.modules["sys"] is sys, dict(sys.modules) == sys.modules,
                    list(sys.modules) == list(sys.modules.keys()), "os" in sys.modules, sys.modules.get("nope"),
                    type(sys.modules.copy()).__name__, sys.modules.pop("nope", 3), len(sys.modules) == len(list(sys.modules))],
        "posix is os": [os.getpid is posix.getpid, open is io.open, builtins.open is io.open],
        "errors": [attempt(time.time, 1), attempt(os.getpid, 1), attempt(random.random, 1), attempt(os.listdir, "/nonexistent"),
                   attempt(open, "/nonexistent"), attempt(time.sleep, -1), attempt(datetime.datetime.now, 5), attempt(uuid.uuid4, 1),
                   attempt(time.gmtime, "x"), attempt(os.urandom, -1), attempt(lambda: time.time(a=1))],
    }


print(json.dumps({"members": {n: describe(n) for n in NAMES}, "values": values()}, indent=1, default=tidy))
