"""Orchestrators, the same for all three engines. Azure hands over its context alone."""
import random
import time
import uuid
from datetime import timedelta, timezone

import acme
import state


def activity(ctx, name, value):
    return ctx.call_activity(name, **{"input_" if hasattr(ctx, "task_all") else "input": value})


def reads_clock(ctx, value=None):
    return time.time()


def reads_clock_later(ctx, value=None):
    yield activity(ctx, "add", 1)
    return time.time()


def swallows(ctx, value=None):
    try:
        uuid.uuid4()
    except Exception:
        pass
    return (yield activity(ctx, "add", 1))


def swallows_and_fails(ctx, value=None):
    try:
        uuid.uuid4()
    except Exception:
        raise ValueError("of its own") from None


def fails(ctx, value=None):
    yield activity(ctx, "add", 1)
    raise ValueError("of its own")


def harmless(ctx, value=None):
    return [time.gmtime(0).tm_year, random.Random(1).random(), str(uuid.uuid5(uuid.NAMESPACE_DNS, "a"))]


def asks_engine(ctx, value=None):
    moment = ctx.current_utc_datetime
    yield ctx.create_timer(moment + timedelta(milliseconds=10))
    return moment < ctx.current_utc_datetime


def counts(ctx, value=None):
    state.seen.append(ctx.instance_id)
    for i in range(3):
        state.seen.append((yield activity(ctx, "add", i)))
    return state.seen


def asks_library(ctx, value=None):
    """What it is given is the same when the next work item replays it, and moves on with the history."""
    first = [acme.clock(), acme.identity()]
    kept = yield activity(ctx, "keep", first)
    return [first == kept, is_now(ctx, acme.clock()), first[0] < acme.clock(), first[1] != acme.identity(), first[1]]


def is_now(ctx, seconds):
    return abs(seconds - ctx.current_utc_datetime.replace(tzinfo=timezone.utc).timestamp()) < 1e-6


def asks(ctx, value=None):
    first = [time.time(), str(uuid.uuid4()), random.random()]
    kept = yield activity(ctx, "keep", first)
    return [first == kept, is_now(ctx, time.time()), first[1]]


def leaves_something(ctx, value=None):
    try:
        yield activity(ctx, "add", 1)
        return "done"
    finally:
        acme.note("left " + ctx.instance_id)
        try:
            time.time()
        except Exception as e:
            acme.note(type(e).__name__)
