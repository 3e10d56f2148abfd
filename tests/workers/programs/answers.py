"""usage: answers.py SERVER RECORDS DIRECTORY NAME ...

Plays scenarios for test_answers.py: what the engine knows is given instead of a refusal. No run is kept in the cache, so
each workflow task replays it from its start, and an answer that is another one then fails the task.
"""
import asyncio
import collections.abc
import io
import logging
import os
import sys
import typing
import uuid

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "site-packages"))

import flows_answers as flows
from common import outcome, play_in_turn, scenario
from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.common import RawValue
from temporalio.worker import Replayer, Worker


def dynamic(sequence):
    @activity.defn(dynamic=True)
    async def anything(args: sequence[RawValue]) -> None:
        pass
    return anything


try:
    anything = dynamic(collections.abc.Sequence)
except TypeError:  # older SDKs
    anything = dynamic(typing.Sequence)


def worker(client, queue, cached=0):
    return Worker(client, task_queue=queue, workflows=[flows.Asks, flows.AsksOnce], activities=[anything], max_cached_workflows=cached)


async def once(client, *names):
    """How a run ended that asks for this alone, for each name."""
    queue = "q-" + uuid.uuid4().hex
    async with worker(client, queue):
        return [await outcome(await client.start_workflow(flows.AsksOnce.run, name, id=f"{queue}-{name}", task_queue=queue))
                for name in names]


async def asks(client, queue, names):
    handle = await client.start_workflow(flows.Asks.run, names, id="w-" + uuid.uuid4().hex, task_queue=queue)
    peeked = await handle.query(flows.Asks.peek, names)
    await handle.execute_update(flows.Asks.note, names)
    peeked += await handle.query(flows.Asks.peek, names)
    await handle.signal(flows.Asks.go_on)
    return handle, {**await outcome(handle), "peeked": peeked}


async def replayed(client, names, cached=0):
    queue = "q-" + uuid.uuid4().hex
    async with worker(client, queue, cached):
        handle, first = await asks(client, queue, names)
        _, second = await asks(client, queue, names)
    await Replayer(workflows=[flows.Asks]).replay_workflow(await handle.fetch_history())
    return first, second


@scenario
async def workflow_asks(client):
    return await replayed(client, ["clock", "identifiers", "numbers"])


@scenario
async def objects_are_numbered(client):
    text = io.StringIO()
    logger, handler = logging.getLogger("temporalio.workflow"), logging.StreamHandler(text)
    logging.disable(logging.NOTSET)
    logger.addHandler(handler)
    try:
        return await replayed(client, ["addresses"], cached=10), text.getvalue()
    finally:
        logger.removeHandler(handler)
        logging.disable(logging.CRITICAL)


@scenario
async def hashed_first_in_a_query(client):
    queue = "q-" + uuid.uuid4().hex
    async with worker(client, queue, cached=10):
        handle = await client.start_workflow(flows.Asks.run, ["kept"], id="w-" + uuid.uuid4().hex, task_queue=queue)
        await handle.query(flows.Asks.peek, ["fill"])
        await handle.signal(flows.Asks.go_on)
        return await outcome(handle)


@scenario
async def library_asks(client):
    return await replayed(client, ["lib:clock", "lib:identifiers", "lib:numbers", "lib:sequence"])


@scenario
async def records_are_seen(client):
    return [await replayed(client, [name]) for name in ("record", "record made")]


@scenario
async def after_reset(client):
    """Before the reset, and after it."""
    queue = "q-" + uuid.uuid4().hex
    async with worker(client, queue):
        handle, before = await asks(client, queue, ["lib:identifiers"])
        answer = await client.workflow_service.reset_workflow_execution(ResetWorkflowExecutionRequest(
            namespace="default", workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=handle.result_run_id),
            reason="test", request_id=uuid.uuid4().hex, workflow_task_finish_event_id=4))
        again = client.get_workflow_handle(handle.id, run_id=answer.run_id)
        await again.signal(flows.Asks.go_on)
        return before, {"status": "completed", "result": await again.result()}  # outcome() would see the task that the reset failed


@scenario
async def each_alone(client):
    return await once(client, "clock", "identifiers", "numbers", "secret", "lib:clock", "lib:identifiers", "lib:numbers", "lib:secret",
                      "lib:address", "lib:noise")


@scenario
async def made_at_import(client):
    return await once(client, "at import")


@scenario
async def waits_for_the_clock(client):
    return await once(client, "lib:wait")


asyncio.run(play_in_turn())
