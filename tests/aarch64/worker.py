"""A plain worker, without activities. usage: worker.py ADDRESS"""
import asyncio
import sys

import flows
from temporalio.client import Client
from temporalio.worker import Worker


async def main(address: str) -> None:
    client = await Client.connect(address)
    async with Worker(client, task_queue="aarch64", workflows=[flows.Harmless, flows.Clock, flows.Counter]):
        await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
