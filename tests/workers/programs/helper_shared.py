"""Passed through by the workflow files that import it: one copy for the whole process, a library to Sandglass."""
import datetime
import gc
import os
import random
import secrets
import socket
import subprocess
import threading
import time
import uuid

CALLS = []
SEEN = {}
STOP = threading.Event()
FREE = threading.Event()  # a stuck workflow waits for it
FINALISED = []


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
