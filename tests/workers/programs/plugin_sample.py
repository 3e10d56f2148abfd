"""Tests as a user has them, for sandglass_pytest.py: SERVER in the environment is the server's address."""
import asyncio
import os
import time
import uuid

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
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


def play(*workflows):
    async def main():
        client, queue = await Client.connect(os.environ["SERVER"]), uuid.uuid4().hex
        async with Worker(client, task_queue=queue, workflows=workflows, workflow_failure_exception_types=[Exception]):
            return await client.execute_workflow(workflows[0].run, 2, id=uuid.uuid4().hex, task_queue=queue)
    CALLS.clear()
    return asyncio.run(main())


def test_children_and_continued_runs():
    assert play(Parent, Counts) == 7


def test_differs():
    assert play(OnceMore) == 2


@pytest.mark.sandglass(replay=False)
def test_differs_unheard():
    assert play(OnceMore) == 2


def test_refused():
    with pytest.raises(WorkflowFailureError) as refused:
        play(Reads)
    assert "Cannot access time.time" in str(refused.value.cause)
