"""usage: debug_worker.py SERVER debug|plain

A worker for a debugging session: prints how its two workflows ended as the last line.
"""
import asyncio
import json
import sys
import time
import uuid

from common_ending import ending
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker


@workflow.defn
class Stops:
    def __init__(self) -> None:
        self.secret = 6 * 7

    @workflow.run
    async def run(self) -> list:
        before = self.secret
        breakpoint()
        after = self.secret
        await asyncio.sleep(0.001)
        return [before, after]


@workflow.defn
class ReadsClock:
    @workflow.run
    async def run(self) -> float:
        return time.time()  # here: ReadsClock


async def main():
    client = await Client.connect(sys.argv[1])
    queue = uuid.uuid4().hex
    options = {"debug_mode": True} if sys.argv[2] == "debug" else {}
    async with Worker(client, task_queue=queue, workflows=[Stops, ReadsClock], workflow_failure_exception_types=[Exception], **options):
        ended = [await ending(client, queue, cls) for cls in (Stops, ReadsClock)]
    await asyncio.sleep(0.5)  # see the end of main_worker.py
    print("\n" + json.dumps(ended), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
