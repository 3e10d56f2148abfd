"""What both host programs do: write records, and find out how a workflow ended."""
import asyncio
import contextlib
import json
import logging
import sys
import traceback
import warnings
from datetime import timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, Interceptor, OutboundInterceptor, WorkflowFailureError
from temporalio.service import RPCError

SERVER, RECORDS, DIRECTORY, *NAMES = sys.argv[1:]


SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def record(name, **fields):
    with open(RECORDS, "a") as f:
        f.write(json.dumps({"name": name, **fields}) + "\n")


async def play(name, *arguments):
    """The scenario of that name, and how it went."""
    record(name, started=True)
    try:
        record(name, result=await asyncio.wait_for(SCENARIOS[name](*arguments), 300))
    except BaseException:
        record(name, error=traceback.format_exc())


class Patient(Interceptor):
    """Workflow tasks that the server does not take back after its ten seconds: on a busy machine a worker may need longer for the
    first one, and only the failure of the first is in the history."""

    def intercept_client(self, next):
        return PatientClient(next)


class PatientClient(OutboundInterceptor):
    async def start_workflow(self, input):
        input.task_timeout = input.task_timeout or timedelta(seconds=30)
        return await super().start_workflow(input)


async def connect():
    return await Client.connect(SERVER, interceptors=[Patient()])


async def play_in_turn():
    """What the program was asked for."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    client = await connect()
    for name in NAMES:
        await play(name, client)


async def failed_task(handle):
    """The last failed workflow task of a run as (type, message), None when there is none."""
    found = None
    async for event in handle.fetch_history_events():
        if event.HasField("workflow_task_failed_event_attributes"):
            failure = event.workflow_task_failed_event_attributes.failure
            found = failure.application_failure_info.type, failure.message
    return found


async def events(handle):
    """What came in the history of a run, and when."""
    return " ".join([f"{e.event_time.ToJsonString()[14:23]} {EventType.Name(e.event_type)[11:]}" async for e in handle.fetch_history_events()])


async def outcome_of(start):
    """The outcome() of what start() starts. On a busy machine the server may give up the first task of a workflow, or the SDK take its
    worker for stuck; the failures of later ones are not in the history, so such a one is tried again, once."""
    first = await outcome(await start())
    return await outcome(await start()) if first["status"] == "hung" or "TMPRL1101" in first["text"] else first


async def outcome(handle, patience=60.0):
    """How the workflow ended, and stops it if it did not:
    {"status": completed | failed (the workflow) | task-failed | hung, "type", "text", "result"}."""
    result = asyncio.ensure_future(handle.result())
    waited, task = 0.0, None
    while not result.done() and waited < patience and not task:
        await asyncio.wait([result], timeout=0.5)
        waited += 0.5
        if not result.done():
            task = await failed_task(handle)
    if not result.done():
        result.cancel()
        with contextlib.suppress(RPCError):  # it may have completed just now
            await handle.terminate()
        return dict(status="task-failed", type=task[0], text=task[1]) if task else dict(status="hung", type="", text=await events(handle))
    try:
        return dict(status="completed", type="", text="", result=result.result())
    except WorkflowFailureError as e:
        return dict(status="failed", type=getattr(e.cause, "type", None) or type(e.cause).__name__, text=str(e.cause))
