"""What a worker's side sees of a run that comes and goes, without a server. Prints one JSON object."""
import asyncio
import concurrent.futures
import gc
import json
import os
import weakref

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.worker import _workflow_instance as instances
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import flow_of_test
import image_runs

inner = []


def watch():
    original = instances._WorkflowInstanceImpl.__init__

    def init(self, *args, **kwargs):
        inner.append(weakref.ref(self))
        original(self, *args, **kwargs)
    instances._WorkflowInstanceImpl.__init__ = init


def activation(number, job):
    act = WorkflowActivation(run_id=f"run-{number}", history_length=1)
    act.timestamp.FromSeconds(1_700_000_000)
    getattr(act.jobs.add(), job).SetInParent()
    if job == "initialize_workflow":
        act.jobs[0].initialize_workflow.workflow_type = "Flow"
    return act


def ask(instance):
    try:
        return instance.get_serialization_context(None).workflow_id
    except RuntimeError as error:
        return str(error)


def activate(instance, act):
    """On a thread that is new, and goes: does it believe to be in a workflow, before and after?"""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        before = pool.submit(workflow.unsafe.in_sandbox).result()
        pool.submit(instance.activate, act).result()
        return [before, pool.submit(workflow.unsafe.in_sandbox).result()]


async def main():
    watch()
    runner = SandboxedWorkflowRunner()
    kept, dropped = (runner.create_instance(image_runs.details(flow_of_test.Flow, number)) for number in range(2))
    result = {"threads": [activate(kept, activation(0, "initialize_workflow"))], "there": ask(kept)}
    result["threads"].append(activate(dropped, activation(1, "initialize_workflow")))
    result["threads"].append(activate(kept, activation(0, "remove_from_cache")))
    result["gone"] = ask(kept)
    del dropped
    for _ in range(100):
        gc.collect()
        result["left"] = sum(reference() is not None for reference in inner)
        if not result["left"]:
            break
        await asyncio.sleep(0.05)
    print(json.dumps(result), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
