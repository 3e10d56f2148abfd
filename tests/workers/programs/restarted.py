"""usage: restarted.py SERVER QUEUE plain|handled: a worker that works until it is stopped; handled: by signal handlers of its own."""
import asyncio
import faulthandler
import itertools
import logging
import random
import signal
import sys
import time
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

ITEMS = []
NUMBERS = itertools.count()
RANDOM = random.Random(3)


@activity.defn
async def echo(value: int) -> int:
    return value


@workflow.defn
class Steps:
    @workflow.run
    async def run(self, number: int) -> list:
        for step in range(6):
            ITEMS.append(next(NUMBERS) + RANDOM.randrange(1000) + number)
            await workflow.execute_activity(echo, step, start_to_close_timeout=timedelta(seconds=2))
        return ITEMS

    @workflow.query
    def count(self) -> int:
        return len(ITEMS)


async def main(server, queue, how):
    logging.disable(logging.CRITICAL)
    stop = asyncio.Event()
    if how == "handled":
        for number in signal.SIGINT, signal.SIGTERM:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await Client.connect(server)
    async with Worker(client, task_queue=queue, workflows=[Steps], activities=[echo],
                      sticky_queue_schedule_to_start_timeout=timedelta(seconds=1)):
        print("works", flush=True)
        await stop.wait()
    print("stopped", flush=True)


if __name__ == "__main__":
    faulthandler.register(signal.SIGUSR1)
    try:
        asyncio.run(main(*sys.argv[1:]))
    finally:
        print("has ended", flush=True)
        time.sleep(0.5)  # see the end of main_worker.py
