"""Passed through by the workflow files that import it: one copy for the whole process, a library to Sandglass."""
import array
import collections
import datetime
import functools
import gc
import itertools
import logging
import os
import random
import secrets
import socket
import subprocess
import threading
import time
import uuid

CALLS = []
HANDED = []
SEEN = {}
STOP = threading.Event()
FREE = threading.Event()  # a stuck workflow waits for it
FINALISED = []


class Screen(logging.Handler):
    """A handler of the host's that shows records on a terminal."""
    logger = logging.getLogger("sg.screen")

    def begin(self):
        self.seen, (self.main, other) = [], os.openpty()
        self.stream = open(other, "w")
        self.logger.addHandler(self)

    def emit(self, record):
        self.seen.append(self.stream.isatty())

    def end(self):
        self.logger.removeHandler(self)
        self.stream.close()
        os.close(self.main)
        return self.seen


SCREEN = Screen()


class Numbered:
    """Each of these counts, and its name does not say so."""
    last = 0

    def __init__(self):
        self.taken = 0

    def one(self):
        self.taken += 1
        return self.taken

    @classmethod
    def of_class(cls):
        cls.last += 1
        return cls.last


class Slotted:
    __slots__ = "taken", "unset"

    def __init__(self):
        self.taken = 0

    def one(self):
        self.taken += 1
        return self.taken

    def never(self):
        self.unset = 0


class Made:
    made = 0

    def __init__(self):
        Made.made += 1


class ByIterator:
    count = 0

    def __init__(self):
        self._numbers = itertools.count()

    def one(self):
        return next(self._numbers)

    def by_default(self):
        self.count += 1
        return self.count


BY_ITERATOR, COUNTED = ByIterator(), collections.Counter()


def numbered_on_an_object():
    NUMBERED.taken += 1


def numbered_by_key():
    COUNTED["a"] += 1


SLOTTED = Slotted()
NUMBERED, NUMBERS, LETTERS, number = Numbered(), itertools.count(), itertools.cycle("abc"), 0


def numbered():
    global number
    number += 1
    return number


def numbered_below():
    return NUMBERED.one()


def numbered_in_a_slot():
    return SLOTTED.one()


def numbered_by_iterator():
    return next(NUMBERS)


def make_numbered(number=0):
    def take():
        nonlocal number
        number += 1
        return number
    return take


numbered_inside = make_numbered()


def clock():
    return time.time()


def new_id():
    return uuid.uuid4()


def dice():
    return random.random()


def home():
    return os.environ.get("HOME")


def pid():
    return os.getpid()


def now():
    return datetime.datetime.now()


def read_file():
    with open("/etc/hostname") as f:
        return f.read()


def host():
    return socket.gethostname()


def thread():
    t = threading.Thread(target=int)
    t.start()
    t.join()


def process():
    return subprocess.run(["true"]).returncode


def token():
    return secrets.token_hex(4)


def call(function):
    return function()


def count():
    CALLS.append(1)
    return len(CALLS)


class Trap:
    """Reads the clock when it is finalised; only the cycle collector can free it."""

    def __init__(self, name):
        self.me = self
        self.name = name

    def __del__(self):
        FINALISED.append((self.name, time.time(), os.getpid(), random.random()))


def leave_garbage(name):
    Trap(name)


def collect():
    return gc.collect()


# State that every run shares, its setters, and a cache that is nobody else's business.
options, feature, counted, _cache = {}, False, 0, {}


def set_option(name, value):
    options[name] = value


def enable_feature():
    global feature
    feature = True


class Registry:
    def __init__(self):
        self.known = []

    def register(self, name):
        self.known.append(name)


registry = Registry()


def look_up(name):
    global counted
    counted = True
    return _cache.setdefault(name, name)


# What is handed out by a call: a global, what is remembered, the only object of a class, a class that the first call made.
_settings, _classes = {}, {}


def get_settings():
    return _settings


@functools.lru_cache
def remembered():
    return {}


@functools.lru_cache(maxsize=None)
def remembered_for(name):
    return Single()


class Single:
    only = None

    def __new__(cls):
        if cls.only is None:
            cls.only = super().__new__(cls)
        return cls.only


@functools.lru_cache(maxsize=None)
def remembered_later():
    return {}


@functools.lru_cache(maxsize=50)
def remembered_once(name):
    return {}


_late = None


def late():
    global _late
    if _late is None:
        _late = {}
    return _late


class Late(Single):
    pass


class ByMetaclass(type):
    made = {}

    def __call__(cls):
        if cls not in cls.made:
            cls.made[cls] = super().__call__()
        return cls.made[cls]


class SingleByMetaclass(metaclass=ByMetaclass):
    pass


def class_for(name):
    if name not in _classes:
        _classes[name] = type(name, (), {})
    return _classes[name]


class Renderer:
    @functools.singledispatchmethod
    def render(self, x):
        return None


remembered(), remembered_for("sg"), Single(), SingleByMetaclass(), class_for("Sg")


class Row:
    size = 0

    @property
    def width(self):
        return self.size

    @width.setter
    def width(self, value):
        self.size = value


nested, pair = {"a": {"b": [1]}, "rows": [Row()], "pairs": [([], Row())]}, (1, {"a": {}})
closed = (lambda x: lambda: x)(1)
buffer, numbers, by_name, layers, row = bytearray(b"x"), array.array("i", [1000]), collections.UserDict(), collections.ChainMap({}), Row()
