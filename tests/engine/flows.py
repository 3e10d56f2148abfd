"""Workflows of the replay engine."""
import contextvars
import time
import weakref

import acme
import replay
import state

variable = contextvars.ContextVar("variable", default="nobody")


class Thing:
    pass


def reads_clock():
    yield time.time()


def swallows():
    try:
        time.time()
    except Exception:
        pass
    yield "swallowed"


def asks_engine():
    yield replay.now(), replay.dice().random(), time.gmtime(0).tm_year


def counts():
    answer = 1
    while True:
        state.seen.append(answer)
        answer = yield len(state.seen)


def calls_library():
    acme.calls.append(1)
    yield len(acme.calls)


def reads_clock_by_library():
    yield acme.clock() > 0


def sets_variable():
    name = yield
    variable.set(name)
    while True:
        yield variable.get()


def leaves_something():
    thing = Thing()
    state.seen.append(thing)
    try:
        yield weakref.ref(thing)
    finally:
        replay.closed.append(len(state.seen))


def holds_itself():
    itself = yield
    yield itself is not None
