"""One worker: soak_worker.py ADDRESS QUEUE sandboxed|unsandboxed CACHED THREADS. It answers a line on stdin with one JSON line on what
the process has: "look" while it works, "end" when its worker is gone."""
import asyncio
import concurrent.futures
import ctypes
import gc
import json
import logging
import os
import resource
import sys
import threading
import uuid
import warnings
import weakref

import soak_flows
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker._workflow import _WorkflowWorker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

CACHE_FULL = 1
EVICTED = []
real_eviction = _WorkflowWorker._handle_cache_eviction


async def eviction(worker, act, job):
    if job.reason == CACHE_FULL:
        EVICTED.append(1)
    await real_eviction(worker, act, job)


class Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]


mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Mallinfo


def tell():
    for _ in range(3):
        gc.collect()
    used, heap = resource.getrusage(resource.RUSAGE_SELF), mallinfo2()
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    with open("/proc/self/maps") as file:
        mappings = sum(1 for _ in file)
    objects, links = gc.get_objects(), []
    weak = sum(type(it) is weakref.ref for it in objects)
    for number in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{number}").split(":")[0])
        except OSError:  # that of listdir() itself
            pass
    print(json.dumps({
        "resident": resident, "malloc": heap.uordblks + heap.hblkhd, "blocks": sys.getallocatedblocks() - weak,
        "objects": len(objects) - weak, "weak": weak, "mappings": mappings, "evicted": len(EVICTED), "descriptors": sorted(links),
        "threads": sorted(thread.name for thread in threading.enumerate()), "tasks": len(os.listdir("/proc/self/task")),
        "processor": used.ru_utime + used.ru_stime}), flush=True)


async def work(client, queue, runner, cached, threads, until):
    with concurrent.futures.ThreadPoolExecutor(threads, "workflows") as pool, \
            concurrent.futures.ThreadPoolExecutor(4, "activities") as activities:
        async with Worker(
                client, task_queue=queue, workflows=soak_flows.WORKFLOWS, activities=[soak_flows.echo], activity_executor=activities,
                max_cached_workflows=cached, workflow_task_executor=pool, max_concurrent_workflow_tasks=max(threads, 4),
                max_concurrent_activities=4,
                workflow_runner=UnsandboxedWorkflowRunner() if runner == "unsandboxed" else SandboxedWorkflowRunner()):
            await until()


async def main():
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    _WorkflowWorker._handle_cache_eviction = eviction
    address, queue, runner, *numbers = sys.argv[1:]
    settings = (runner, *map(int, numbers))
    client = await Client.connect(address)

    async def once():
        await client.execute_workflow(soak_flows.Stateful.run, 1, id=uuid.uuid4().hex, task_queue=f"{queue}-first")
    await work(client, f"{queue}-first", *settings, once)  # what a process has from its first worker on
    await asyncio.sleep(1)

    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    tell()

    async def commands():
        while (await lines.readline()).strip() == b"look":
            tell()
    before = len(os.listdir("/proc/self/task"))
    await work(client, queue, *settings, commands)
    for _ in range(60):  # idle threads of the SDK's runtime end after ten seconds
        if len(os.listdir("/proc/self/task")) <= before:
            break
        await asyncio.sleep(0.5)
    tell()
    await asyncio.sleep(0.5)  # see the end of main_worker.py


asyncio.run(main())
