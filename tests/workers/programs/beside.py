"""Runs of two workflow files, which share no image, at once on two threads, without a server: one signal to each, some times.
Prints what each saw: [[whatever it looked at, in order], the same of the other]."""
import asyncio
import concurrent.futures
import importlib
import json
import os

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import image_runs
import iterators

TIMES = 8


class Run(iterators.Run):
    def __init__(self, number):
        self.flow = importlib.import_module(f"flow_{number}").Flow
        super().__init__(number, concurrent.futures.ThreadPoolExecutor(1))

    def make(self, _):
        return SandboxedWorkflowRunner().create_instance(image_runs.details(self.flow, int(self.run[-1])))


def task(run):
    act = run.activation()
    act.jobs.add().signal_workflow.signal_name = "go"
    return act


async def main():
    iterators.flow_of_test = importlib.import_module("flow_0")
    runs = [Run(number) for number in range(2)]
    for _ in range(TIMES):
        asked = [run.pool.submit(run.instance.activate, task(run)) for run in runs]
        assert all(future.result().HasField("successful") for future in asked), [future.result() for future in asked]
    print(json.dumps([run.see() for run in runs]), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
