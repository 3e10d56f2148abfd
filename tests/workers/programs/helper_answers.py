"""Passed through: a library that asks for the time and for random numbers."""
import datetime
import random
import secrets
import time
import uuid

OWN = random.Random()


def clock():
    return (time.time(), time.time_ns(), time.monotonic(), time.monotonic_ns(), time.perf_counter(), time.perf_counter_ns(), time.process_time(),
            time.thread_time_ns(), time.clock_gettime(time.CLOCK_BOOTTIME), time.gmtime(), time.localtime(), time.strftime("%c"),
            datetime.datetime.now(datetime.timezone.utc).isoformat(), datetime.datetime.today().isoformat(), datetime.date.today().isoformat())


def identifiers():
    return str(uuid.uuid4()), uuid.uuid4().hex


def numbers():
    return random.random(), random.randint(0, 10**9), random.sample(range(1000), 5), OWN.random(), random.Random().getrandbits(64)


def secret():
    return secrets.token_hex(8)


def address():
    return uuid.uuid1().hex


def noise():
    """The generator keeps a number for the next call, whosever that is."""
    return OWN.gauss(0, 1)


_last = None


def sequence():
    """As uuid6() makes sure that no two of its identifiers have the same time."""
    global _last
    now = time.time_ns()
    if _last is not None and now <= _last:
        now = _last + 1
    _last = now
    return now


def wait():
    end = time.monotonic() + 0.01
    while time.monotonic() < end:
        pass


ALL = {f.__name__: f for f in (clock, identifiers, numbers, secret, address, noise, sequence, wait)}
