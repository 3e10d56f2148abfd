"""A worker's coroutine under sys.settrace, without a server: does each return have its call? Prints what has none."""
import asyncio
import json
import sys

from temporalio.bridge.worker import PollShutdownError
from temporalio.worker import _workflow
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import flow_of_test
import image_runs

open_frames, wrong = [], []


def event(frame, what, arg):
    if what == "call":
        open_frames.append(frame)
    elif what == "return" and frame in open_frames:
        open_frames.remove(frame)
    elif what == "return":
        wrong.append(f"{frame.f_code.co_name} in {frame.f_code.co_filename.rsplit('/', 1)[-1]}")
    return event


class Bridge:
    """Says, when it is asked again, that the worker is to end."""

    async def poll_workflow_activation(self):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, future.set_exception, PollShutdownError())
        await future


async def main():
    SandboxedWorkflowRunner().create_instance(image_runs.details(flow_of_test.Flow, 1))
    worker = object.__new__(_workflow._WorkflowWorker)
    worker._bridge_worker, worker._running_workflows, worker._throw_after_activation = Bridge, {}, None
    worker._workflow_task_executor_user_provided = True
    Bridge.poll_workflow_activation = Bridge().poll_workflow_activation
    sys.settrace(event)
    await asyncio.create_task(worker.run())
    sys.settrace(None)
    print(json.dumps([name for name in wrong if name.startswith("run ")]), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
