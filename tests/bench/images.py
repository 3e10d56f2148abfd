"""One round of one benchmark of runs and activations in a process of its own; prints a JSON object of name -> number.

usage: images.py create MODULE CLASS   nanoseconds for a run, by runner
       images.py memory MODULE CLASS   bytes for a run that is kept, by runner
       images.py activate SIGNAL SIZE  nanoseconds for an activation that delivers a signal of large.Large, by runner
       images.py turns SIGNAL SIZE     the same when two runs of one image take turns
       images.py blind SIGNAL SIZE     the same where the kernel does not tell which pages have been written to
       images.py threads COUNT         the same with COUNT threads at once, each with a run of its own
       images.py answered              nanoseconds for an activation with 100 reads of the clock and 100 draws, by who is asked
       images.py kept COUNT            nanoseconds for a run when COUNT others are kept, by runner
"""
import asyncio
import concurrent.futures
import dataclasses
import gc
import importlib
import json
import os
import statistics
import sys
import time

import temporalio.converter
import temporalio.workflow
from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.worker._workflow_instance import WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox._runner import _fake_info

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fixtures"))
import filters  # noqa: E402
import size  # noqa: E402

ROUNDS, WARM = 40, 4
RUNNERS = {"unsandboxed": UnsandboxedWorkflowRunner(), "sandboxed": SandboxedWorkflowRunner()}


def details(module, name, run="run"):
    workflow = getattr(importlib.import_module(module), name)
    converter = temporalio.converter.DataConverter.default
    return WorkflowInstanceDetails(
        payload_converter_factory=converter._new_payload_converter,
        failure_converter_class=converter.failure_converter_class, interceptor_classes=[],
        defn=temporalio.workflow._Definition.must_from_class(workflow),
        info=dataclasses.replace(_fake_info, run_id=run, workflow_type=name), randomness_seed=1, extern_functions={},
        disable_eager_activity_execution=False, worker_level_failure_exception_types=[],
        patch_activation_callback=None, last_completion_result=Payloads(), last_failure=Failure())


def in_turn(work, rounds=ROUNDS):
    """Medians of work(name), which answers with a number, one of each runner in turn: first the one, then the other first."""
    taken = {name: [] for name in RUNNERS}
    for i in range(WARM + rounds):
        for name in list(RUNNERS)[::1 if i % 2 else -1]:
            value = work(name)
            if i >= WARM:
                taken[name].append(value)
    return {name: statistics.median(values) for name, values in taken.items()}


def timed(work, times):
    begin = time.perf_counter_ns()
    for _ in range(times):
        work()
    return (time.perf_counter_ns() - begin) / times


def create(module, name):
    made = details(module, name)
    times = {"unsandboxed": 20, "sandboxed": 1 if slow() else 20}
    return in_turn(lambda runner: timed(lambda: RUNNERS[runner].create_instance(made), times[runner]))


def slow():
    """The SDK's own sandbox imports everything for each run."""
    return "libsandglass" not in os.environ.get("LD_PRELOAD", "")


def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def memory(module, name):
    result, all_kept = {}, []
    for runner in RUNNERS:
        made = details(module, name)
        kept = [RUNNERS[runner].create_instance(made) for _ in range(20)]
        all_kept.append(kept)  # nobody must get the memory of another
        count = 20 if slow() and runner == "sandboxed" else 4000
        before = resident()
        kept += [RUNNERS[runner].create_instance(made) for _ in range(count)]
        result[runner] = (resident() - before) / count
    return result


def activation(run, serial, signal=None):
    act = WorkflowActivation(run_id=run, history_length=serial)
    act.timestamp.FromSeconds(1_700_000_000 + serial)
    if signal:
        job = act.jobs.add()
        job.signal_workflow.signal_name = signal
        job.signal_workflow.originating_event_id = serial  # without it the SDK warns, which would be measured
        return act
    start = act.jobs.add().initialize_workflow
    start.workflow_type = "Large"
    start.arguments.add(metadata={"encoding": b"json/plain"}, data=b'"x"')
    return act


class Run:
    """A run of large.Large that waits for signals. Made by the thread of the event loop, activated by others."""

    def __init__(self, runner, run, pool):
        self.instance = RUNNERS[runner].create_instance(details("large", "Large", run))
        self.run, self.serial = run, 1
        pool.submit(self.instance.activate, activation(run, 1)).result()

    def signal(self, name, times=1):
        acts = []
        for _ in range(times):
            self.serial += 1
            acts.append(activation(self.run, self.serial, name))
        begin = time.perf_counter_ns()
        for act in acts:
            self.instance.activate(act)
        return (time.perf_counter_ns() - begin) / times


def activate(signal, count):
    size.COUNT = int(count)
    pool = concurrent.futures.ThreadPoolExecutor(1)
    runs = {runner: Run(runner, runner, pool) for runner in RUNNERS}
    return in_turn(lambda runner: pool.submit(runs[runner].signal, signal, 20).result())


def turns(signal, count):
    size.COUNT = int(count)
    pool = concurrent.futures.ThreadPoolExecutor(1)
    pairs = {runner: [Run(runner, f"{runner}-{i}", pool) for i in range(2)] for runner in RUNNERS}

    def work(runner):
        return statistics.fmean(pool.submit(run.signal, signal).result() for run in pairs[runner] * 10)
    return in_turn(work)


def blind(signal, count):
    filters.forbid("userfaultfd")
    return turns(signal, count)


def threads(count):
    count = int(count)
    pool = concurrent.futures.ThreadPoolExecutor(count)
    runs = {runner: [Run(runner, f"{runner}-{i}", pool) for i in range(count)] for runner in RUNNERS}

    def work(runner):
        begin = time.perf_counter_ns()
        done = [pool.submit(run.signal, "change", 20) for run in runs[runner]]
        for future in done:
            future.result()
        return (time.perf_counter_ns() - begin) / (20 * count)
    return in_turn(work)


def answered():
    """With SANDGLASS=answer, under the preload."""
    size.COUNT = 100
    pool = concurrent.futures.ThreadPoolExecutor(1)
    run = Run("sandboxed", "answered", pool)
    seen = {signal: [] for signal in ("ask_the_engine", "ask_python")}
    for _ in range(ROUNDS):
        for signal, values in seen.items():
            values.append(pool.submit(run.signal, signal, 20).result())
    return {signal: statistics.median(values[WARM:]) for signal, values in seen.items()}


def kept(count):
    made = details("flows", "TwentyActivities")
    result = {}
    for runner in RUNNERS:
        others = [RUNNERS[runner].create_instance(made) for _ in range(int(count))]
        result[runner] = statistics.median(timed(lambda: RUNNERS[runner].create_instance(made), 10) for _ in range(ROUNDS))
        del others
    return result


async def main():
    work = {f.__name__: f for f in (create, memory, activate, turns, blind, threads, answered, kept)}[sys.argv[1]]
    return work(*sys.argv[2:])


print(json.dumps(asyncio.run(main())), flush=True)
os._exit(0)  # what ending costs is not measured
