"""One round of one benchmark in a process of its own; prints a JSON object of name -> nanoseconds.

usage: measure.py outside | measure.py replay HISTORY
"""
import asyncio
import gc
import json
import logging
import os
import random
import statistics
import sys
import time
import timeit

import temporalio.worker  # from here on, guards are in place
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import flows


def import_os():
    import os  # noqa: F401


def open_close():
    open("/dev/null").close()


class Base:
    pass


def outside():
    value = Base()
    log = logging.getLogger("bench")
    log.propagate = False
    log.addHandler(logging.NullHandler())
    cases = {
        "time.time()": (time.time, 50_000),
        "random.random()": (random.random, 50_000),
        "import os (loaded)": (import_os, 30_000),
        "open and close": (open_close, 1_000),
        "isinstance": (lambda: isinstance(value, Base), 50_000),
        "logging to a null handler": (lambda: log.warning("x"), 2_000),
    }
    return {name: min(timeit.repeat(call, number=n, repeat=25)) / n * 1e9 for name, (call, n) in cases.items()}


RUNNERS = {"unsandboxed": UnsandboxedWorkflowRunner, "sandboxed": SandboxedWorkflowRunner}


def replayer(runner):
    return Replayer(workflows=[flows.TwentyActivities], workflow_runner=runner)


async def interleaved(work, rounds, warm=2):
    """Median nanoseconds of work(runner) for each runner, one of each in turn: first the one, then the other first."""
    runners = {name: make() for name, make in RUNNERS.items()}
    taken = {name: [] for name in runners}
    for i in range(warm + rounds):
        for name, runner in list(runners.items())[::1 if i % 2 else -1]:
            begin = time.perf_counter_ns()
            kept = work(runner)
            if asyncio.iscoroutine(kept):
                await kept
            end = time.perf_counter_ns()
            del kept
            if i >= warm:
                taken[name].append(end - begin)
        if i % 20 == 0:
            gc.collect()
    return {name: statistics.median(values) for name, values in taken.items()}


async def replay(history):
    return await interleaved(lambda runner: replayer(runner).replay_workflow(history), 40)


if sys.argv[1] == "outside":
    result = outside()
else:
    with open(sys.argv[2]) as file:
        recorded = WorkflowHistory.from_json("bench", file.read())
    result = asyncio.run(replay(recorded))
print(json.dumps(result), flush=True)
os._exit(0)  # what ending costs is not measured
