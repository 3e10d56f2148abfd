"""Tests as a user has them, for sandglass_pytest.py: SERVER in the environment is the server's address."""
import asyncio
import os
import string
import time
import uuid

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.worker import Worker

CALLS = []


@workflow.defn
class Counts:
    @workflow.run
    async def run(self, number: int) -> int:
        if number:
            workflow.continue_as_new(number - 1)
        return 7


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, number: int) -> int:
        await asyncio.sleep(0.01)
        return await workflow.execute_child_workflow(Counts.run, number)


@workflow.defn(sandboxed=False)
class OnceMore:
    @workflow.run
    async def run(self, number: int) -> int:
        CALLS.append(number)
        if len(CALLS) == 1:
            await asyncio.sleep(0.01)
        return number


@workflow.defn
class Reads:
    @workflow.run
    async def run(self, number: int) -> float:
        return number + time.time()


@workflow.defn
class Catches:
    @workflow.run
    async def run(self, number: int) -> float:
        try:
            return time.time()
        except Exception:
            return number


@workflow.defn
class ReadsInChild:
    @workflow.run
    async def run(self, number: int) -> float:
        try:
            return await workflow.execute_child_workflow(Catches.run, number)
        except Exception:
            return number


@workflow.defn
class Changes:
    @workflow.run
    async def run(self, number: int) -> int:
        string.letters = number
        return number


@workflow.defn
class Updated:
    def __init__(self):
        self.done = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.done)

    @workflow.update
    async def late(self) -> None:
        await asyncio.sleep(0.01)
        self.done = True
        time.time()


def play(*workflows, failing=()):
    async def main():
        client, queue = await Client.connect(os.environ["SERVER"]), uuid.uuid4().hex
        async with Worker(client, task_queue=queue, workflows=workflows, workflow_failure_exception_types=failing):
            return await client.execute_workflow(workflows[0].run, 2, id=uuid.uuid4().hex, task_queue=queue)
    CALLS.clear()
    return asyncio.run(main())


def test_children_and_continued_runs():
    assert play(Parent, Counts, failing=[Exception]) == 7


def test_differs():
    assert play(OnceMore, failing=[Exception]) == 2


@pytest.mark.sandglass(replay=False)
def test_differs_unheard():
    assert play(OnceMore, failing=[Exception]) == 2


@pytest.mark.sandglass(refused=True)
def test_refused():
    with pytest.raises(WorkflowFailureError) as refused:
        play(Reads)
    assert "Cannot access time.time" in str(refused.value.cause)


def test_reads():
    play(Reads)


def test_reads_unheard():
    with pytest.raises(WorkflowFailureError):
        play(Reads)


def test_catches():
    play(Catches)


def test_catches_in_child():
    assert play(ReadsInChild, Catches) == 2


@pytest.mark.sandglass(refused=True)
def test_update():
    async def main():
        client, queue = await Client.connect(os.environ["SERVER"]), uuid.uuid4().hex
        async with Worker(client, task_queue=queue, workflows=[Updated]):
            handle = await client.start_workflow(Updated.run, id=uuid.uuid4().hex, task_queue=queue)
            with pytest.raises(WorkflowUpdateFailedError):
                await handle.execute_update(Updated.late)
            await handle.result()
    asyncio.run(main())


def test_changes():
    assert play(Changes) == 2
