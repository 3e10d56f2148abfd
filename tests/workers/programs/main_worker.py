"""usage: main_worker.py SERVER: a worker whose workflows stand in its own main file; prints how they end as JSON."""
import asyncio
import json
import logging
import sys
import time
import uuid

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

HITS = []


@workflow.defn
class Clean:
    @workflow.run
    async def run(self) -> list:
        HITS.append(1)
        await asyncio.sleep(0.01)
        HITS.append(1)
        return [len(HITS), __name__]


@workflow.defn
class Refused:
    @workflow.run
    async def run(self) -> float:
        return time.time()  # here: Refused


async def main():
    from common_ending import ending
    logging.disable(logging.CRITICAL)
    client = await Client.connect(sys.argv[1])
    queue = "main-" + uuid.uuid4().hex
    async with Worker(client, task_queue=queue, workflows=[Clean, Refused], workflow_failure_exception_types=[Exception]):
        print(json.dumps({"clean": [await ending(client, queue, Clean) for _ in range(2)],
                          "refused": [await ending(client, queue, Refused) for _ in range(3)], "host": len(HITS)}))


if __name__ == "__main__":
    asyncio.run(main())
    # SDK 1.35.0 without Sandglass crashes in one exit of ten when the interpreter ends while a thread of its bridge
    # still drops the last future (pyo3_async_runtimes, context_tp_dealloc without the GIL).
    time.sleep(0.5)
