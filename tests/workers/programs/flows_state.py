"""Module state of every kind: each run must find it as if the file had just been imported."""
import asyncio
import collections
import functools
import itertools

import helper_private
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    import helper_shared

COUNTER = 0
ITEMS = []
TABLE = {"hits": 0}
NUMBERS = itertools.count(1)
QUEUE = collections.deque()


class Registry:
    seen = []
    count = 0


def remember(x, memory=[]):
    memory.append(x)
    return len(memory)


@functools.lru_cache(maxsize=None)
def square(x):
    ITEMS.append(x)
    return x * x


def touch():
    """Changes all of it; answers what a fresh module answers with 1 everywhere."""
    global COUNTER
    COUNTER += 1
    TABLE["hits"] += 1
    Registry.seen.append(1)
    Registry.count += 1
    QUEUE.append(1)
    square(COUNTER)
    return [COUNTER, TABLE["hits"], len(Registry.seen), Registry.count, len(QUEUE), len(ITEMS), next(NUMBERS),
            remember(1), helper_private.count(), len(helper_private.LOADED) + 1]


@workflow.defn
class State:
    @workflow.run
    async def run(self, steps: int) -> dict:
        answers = [touch()]
        for _ in range(steps - 1):
            await asyncio.sleep(0.01)
            answers.append(touch())
        return {"private": answers, "shared": helper_shared.count()}


@workflow.defn
class Chain:
    """Continues as new three times, and starts a child each time."""

    @workflow.run
    async def run(self, trail: list) -> list:
        here = touch()
        child = await workflow.execute_child_workflow(Child.run, id=workflow.info().workflow_id + f"-child{len(trail)}")
        trail = trail + [here, child, touch()]
        if len(trail) < 9:
            workflow.continue_as_new(trail)
        return trail


@workflow.defn
class Child:
    @workflow.run
    async def run(self) -> list:
        return touch()
