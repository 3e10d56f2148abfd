"""usage: library_scenarios.py SERVER RECORDS DIRECTORY NAME ...

Libraries that sit between a worker and its workflows, really at work: each scenario a worker of its own. One JSON record
a scenario, as programs/scenarios.py writes them.
"""
import asyncio
import concurrent.futures
import datetime
import uuid

import sentry_sdk
from beartype.claw import beartype_packages
from common import SERVER, outcome, play_in_turn, scenario
from google.protobuf import json_format, struct_pb2
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Interceptor, Worker, WorkflowInboundInterceptor

beartype_packages(("claw_flows",))
import claw_flows  # noqa: E402
import library_flows as flows  # noqa: E402

SPANS = InMemorySpanExporter()
EVENTS = []


async def run(client, cls, *args, **options):
    """Result of one workflow on a worker of its own, as common.outcome tells it."""
    queue = uuid.uuid4().hex
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        async with Worker(client, task_queue=queue, workflows=[cls], activities=[flows.double, flows.weigh],
                          activity_executor=pool, **options):
            return await outcome(await client.start_workflow(cls.run, args=args, id=queue, task_queue=queue))


@scenario
async def opentelemetry_interceptor(_):
    client = await Client.connect(SERVER, interceptors=[TracingInterceptor()])
    ended = await run(client, flows.Traced)
    spans = {s.name: s for s in SPANS.get_finished_spans()}
    return {**ended, "spans": sorted(spans), "traces": len({s.context.trace_id for s in spans.values()})}


class Reporting(WorkflowInboundInterceptor):
    """Tells Sentry of what a workflow raised, with the names of its run."""

    async def execute_workflow(self, input):
        with sentry_sdk.isolation_scope() as scope:
            scope.set_tag("workflow", workflow.info().workflow_type)
            scope.set_context("run", {"id": workflow.info().run_id, "replaying": workflow.unsafe.is_replaying()})
            try:
                return await super().execute_workflow(input)
            except Exception as error:
                if not workflow.unsafe.is_replaying():
                    sentry_sdk.capture_exception(error)
                raise


class Sentry(Interceptor):
    def workflow_interceptor_class(self, input):
        return Reporting


@scenario
async def sentry_interceptor(client):
    ended = await run(client, flows.Fails, "error", interceptors=[Sentry()], workflow_failure_exception_types=[ValueError])
    mine = [e for e in EVENTS if e["exception"]["values"][-1]["type"] == "ValueError"]
    frames = [f["function"] for f in mine[0]["exception"]["values"][-1]["stacktrace"]["frames"]] if mine else []
    return {**ended, "events": len(mine), "tag": mine[0]["tags"]["workflow"] if mine else None, "frames": frames}


@scenario
async def sentry_interceptor_reports_a_refusal(client):
    ended = await run(client, flows.Fails, "clock", interceptors=[Sentry()])
    return {**ended, "reported": [e["exception"]["values"][-1]["type"] for e in EVENTS if e["tags"].get("workflow") == "Fails"]}


@scenario
async def beartype_claw(client):
    return await run(client, claw_flows.Checked, "types")


@scenario
async def beartype_claw_hides_no_violation(client):
    return await run(client, claw_flows.Checked, "clock")


@scenario
async def pydantic_converter(_):
    client = await Client.connect(SERVER, data_converter=pydantic_data_converter)
    parcel = flows.Parcel(id=uuid.UUID(int=7), at=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc))
    ended = await run(client, flows.Ships, parcel)
    if ended["status"] == "completed":
        ended["result"] = flows.Parcel.model_validate(ended["result"]).model_dump(mode="json")
    return ended


@scenario
async def protobuf_messages(client):
    given = struct_pb2.Struct()
    given.update({"a": 1})
    ended = await run(client, flows.Messages, given)
    return {**ended, "result": json_format.MessageToDict(ended["result"]) if ended["status"] == "completed" else None}


async def main():
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(SPANS))
    trace.set_tracer_provider(provider)
    sentry_sdk.init("http://key@127.0.0.1:9/1", default_integrations=False, before_send=lambda event, hint: EVENTS.append(event))
    await play_in_turn()
    await asyncio.sleep(0.5)  # see the end of main_worker.py


asyncio.run(main())
