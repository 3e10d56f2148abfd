"""usage: zones.py SERVER RECORDS DIRECTORY NAME ...

One scenario for test_zone.py: what workflow code sees of the local time, and what all others in the process see meanwhile.
"""
import asyncio
import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

from common import SERVER, record
from flows_zones import NOON, Zoned, from_activity, from_child, seen
from temporalio.client import Client
from temporalio.worker import Worker


class Keep(logging.Handler):
    texts = []

    def emit(self, record):
        record.created = NOON
        self.texts.append(self.format(record))


def watch(stop, different, expected):
    while not stop.is_set():
        now = seen()
        if now != expected:
            different.append(now)


async def play():
    handler = Keep()
    handler.setFormatter(logging.Formatter("%(asctime)s", "%H"))
    logging.getLogger("zones").addHandler(handler)
    expected, different, stop = seen(), [], threading.Event()
    watcher = threading.Thread(target=watch, args=(stop, different, expected), daemon=True)
    watcher.start()
    client, queue = await Client.connect(SERVER), "zones-" + uuid.uuid4().hex
    with ThreadPoolExecutor(4) as pool:
        async with Worker(client, task_queue=queue, workflows=[Zoned], activities=[from_activity, from_child], activity_executor=pool):
            result = await client.execute_workflow(Zoned.run, id=queue, task_queue=queue)
    stop.set()
    watcher.join()
    record("others", result={**result, "host": expected, "different": different[:1], "log": sorted(set(Keep.texts)), "after": seen()})


asyncio.run(play())
