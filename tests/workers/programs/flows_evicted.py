"""Leaves behind everything that Python would end later, at a time and on a thread that nobody can tell."""
import asyncio
import types
import weakref
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    import helper_evicted

OWNER = None  # each run puts its id here
HELD = []


def note(what, owner):
    helper_evicted.note(owner, what, OWNER)


@types.coroutine
def pause():
    yield


def generator(what, owner, holder=None):
    try:
        yield
    finally:
        note(what, owner)


async def async_generator(what, owner):
    try:
        yield
    finally:
        note(what, owner)


async def waits_in_finally(what, owner):
    try:
        yield
    finally:
        note(what, owner)
        await asyncio.sleep(10)


async def coroutine(what, owner, inner=None):
    try:
        await (inner or pause())
    finally:
        note(what, owner)


def refuses_to_die(what, owner):
    while True:
        try:
            yield
        except GeneratorExit:
            note(what, owner)


def asks_the_workflow(what, owner):
    try:
        yield
    finally:
        note(what, owner)
        workflow.upsert_memo({"late": 1})


def behind_a_library(what, owner, holder):
    return helper_evicted.delegates(generator(what, owner, holder))


class Finalised:
    def __init__(self, what, owner):
        self.what, self.owner = what, owner

    def __del__(self):
        note(self.what, self.owner)


class Plain:
    pass


class Cycle:
    """Only the cycle collector frees one that was dropped."""

    def __init__(self, make, what, owner):
        self.held = make(what, owner, self)
        next(self.held)


def started(generator):
    next(generator)
    return generator


def stepped(coroutine):
    coroutine.send(None)
    return coroutine


@workflow.defn
class Leaves:
    def __init__(self) -> None:
        self.done = False

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.signal
    async def lingers(self) -> None:
        await coroutine("signal handler", self.me, asyncio.Future())

    @workflow.query
    def ready(self) -> str:
        return OWNER

    @workflow.run
    async def run(self, stubborn: bool = False) -> str:
        global OWNER
        OWNER = self.me = me = workflow.info().workflow_id
        self.generator = started(generator("generator", me))
        HELD.append(started(generator("global generator", me)))
        self.cycle = Cycle(generator, "generator in a cycle", me)
        self.refuses = started(refuses_to_die("refuses to die", me))
        self.asks = started(asks_the_workflow("asks the workflow", me))
        self.async_generator = async_generator("async generator", me)
        await self.async_generator.__anext__()
        self.waits = waits_in_finally("async generator that waits", me)
        await self.waits.__anext__()
        self.coroutine = stepped(coroutine("coroutine", me))
        self.outer = stepped(coroutine("outer coroutine", me, coroutine("inner coroutine", me)))
        self.unawaited = coroutine("never awaited", me)
        self.finalised = Finalised("__del__", me)
        HELD.append(Finalised("global __del__", me))
        self.weak = Plain()
        weakref.finalize(self.weak, note, "weakref.finalize", me)
        self.task = asyncio.create_task(coroutine("task", me, asyncio.Future()))
        if stubborn:
            self.stubborn = asyncio.create_task(self.swallows(me))
        try:
            await workflow.wait_condition(lambda: self.done)
        finally:
            note("run", me)
        return "done"

    async def swallows(self, me):
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            pass
        await coroutine("stubborn", me, asyncio.Future())


@workflow.defn
class Fails:
    """Fails its task, which makes the server's answer an eviction."""

    @workflow.run
    async def run(self) -> None:
        global OWNER
        OWNER = me = workflow.info().workflow_id
        self.generator = started(generator("generator", me))
        raise RuntimeError("as planned")


@activity.defn
def collect() -> int:
    return helper_evicted.collect()


@workflow.defn
class Drops:
    """Makes cyclic garbage and lives on."""

    def __init__(self) -> None:
        self.done = False

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def ready(self) -> str:
        return OWNER

    @workflow.run
    async def run(self) -> str:
        global OWNER
        OWNER = me = workflow.info().workflow_id
        HELD.append(1)
        Cycle(generator, "dropped cycle", me)
        Cycle(behind_a_library, "dropped cycle behind a library", me)
        with workflow.unsafe.sandbox_unrestricted():  # it changes what all share
            helper_evicted.KEPT.append(started(generator("handed to the host", me)))
        held = [started(generator("dropped at once", me))]
        held.clear()
        await workflow.wait_condition(lambda: self.done)
        return "done"


@workflow.defn
class Waits:
    """Is in the middle of an activation until the host lets it go on."""

    @workflow.run
    async def run(self) -> None:
        global OWNER
        OWNER = workflow.info().workflow_id
        with workflow.unsafe.sandbox_unrestricted():
            helper_evicted.WAITS.set()
            helper_evicted.FREE.wait(60)


@workflow.defn
class Collects:
    """Collects garbage, itself and in an activity."""

    @workflow.run
    async def run(self) -> None:
        global OWNER
        OWNER = workflow.info().workflow_id
        helper_evicted.collect()
        await workflow.execute_activity(collect, start_to_close_timeout=timedelta(seconds=10))
