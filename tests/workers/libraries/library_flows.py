"""Workflows of library_scenarios.py."""
import datetime
import time
import uuid
from datetime import timedelta

import pydantic
from google.protobuf import struct_pb2
from opentelemetry import trace
from temporalio import activity, workflow
from temporalio.contrib.opentelemetry import workflow as traced

SOON = timedelta(seconds=10)


@activity.defn
def double(n: int) -> int:
    with trace.get_tracer("activity").start_as_current_span("doubling"):
        return 2 * n


@workflow.defn
class Traced:
    @workflow.run
    async def run(self) -> int:
        traced.completed_span("thought", attributes={"depth": 1})
        with trace.get_tracer("flow").start_as_current_span("inner"):
            return await workflow.execute_activity(double, 21, start_to_close_timeout=SOON)


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, how: str) -> None:
        if how == "clock":
            time.time()  # here: Fails
        raise ValueError("wrong")


class Parcel(pydantic.BaseModel):
    id: uuid.UUID
    at: datetime.datetime
    weight: float = 1
    tags: list = pydantic.Field(default_factory=list)


@activity.defn
def weigh(parcel: Parcel) -> Parcel:
    return parcel.model_copy(update={"weight": parcel.weight + 1})


@workflow.defn
class Ships:
    @workflow.run
    async def run(self, parcel: Parcel) -> Parcel:
        weighed = await workflow.execute_activity(weigh, parcel, start_to_close_timeout=SOON)
        assert type(weighed) is Parcel and type(weighed.at) is datetime.datetime and isinstance(weighed.id, uuid.UUID)
        own = Parcel(id=workflow.uuid4(), at=workflow.now())
        assert own.at > weighed.at
        weighed.tags.append(type(own).__name__)
        return weighed


@workflow.defn
class Messages:
    @workflow.run
    async def run(self, given: struct_pb2.Struct) -> struct_pb2.Struct:
        assert type(given) is struct_pb2.Struct
        answer = struct_pb2.Struct()
        answer.MergeFrom(given)
        answer.update({"seen": True})
        return answer
