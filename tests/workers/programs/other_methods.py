"""The SDK asks a run for something else than an activation, by a method that runs workflow code: prints what each call answered."""
import asyncio
import concurrent.futures
import json
import os
import resource
import sys

import temporalio.worker._workflow_instance as sdk
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import flow_of_test
import iterators
import image_runs

NAME = "get_serialization_context"


def ask(run, what):
    instance = run.instance
    try:
        return getattr(type(instance), NAME)(instance, what)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def fail_often():
    """How much memory (KiB) is left behind by objects that could not be made."""
    def fail(self):
        raise ValueError("not now")
    runner, details, before = SandboxedWorkflowRunner(), image_runs.details(flow_of_test.Flow, 9), None
    sdk.WorkflowInstance.__init__ = fail
    for number in range(100_000):
        try:
            runner.create_instance(details)
        except ValueError:
            pass
        if number == 1000:
            before = peak()
    return peak() - before


async def main():
    if sys.argv[1] == "fail":
        print(json.dumps(fail_often()))
    else:
        setattr(sdk._WorkflowInstanceImpl, NAME, lambda self, what: getattr(self._object, what)())
        pool = concurrent.futures.ThreadPoolExecutor(1)
        runs = [iterators.Run(number, pool) for number in range(2)]
        print(json.dumps([ask(runs[int(number)], what) for number, _, what in (move.partition(":") for move in sys.argv[1:])]))
    sys.stdout.flush()
    os._exit(0)


asyncio.run(main())
