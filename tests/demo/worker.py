"""A plain worker. usage: worker.py orders|reports ADDRESS"""
import asyncio
import logging
import signal
import sys

from temporalio.client import Client
from temporalio.worker import Worker


async def connect(address: str) -> Client:
    while True:
        try:
            return await Client.connect(address)
        except RuntimeError:
            await asyncio.sleep(0.05)


async def main(queue: str, address: str) -> None:
    if queue == "orders":
        import orders

        workflows = [orders.OrderWorkflow]
        activities = [orders.reserve, orders.charge, orders.ship]
    else:
        import reports

        workflows, activities = [reports.ReportWorkflow], []
    stop = asyncio.Event()
    for number in signal.SIGINT, signal.SIGTERM:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await connect(address)
    async with Worker(client, task_queue=queue, workflows=workflows, activities=activities):
        await stop.wait()
    # The SDK's native threads drop their last Python objects here without holding the GIL: an interpreter
    # that ends at the same moment now and then crashes (seen without Sandglass).
    await asyncio.sleep(0.2)


logging.basicConfig(level=logging.ERROR)
asyncio.run(main(*sys.argv[1:]))
