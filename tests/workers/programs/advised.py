"""What becomes of calls in a run, without a server: advised.py NAME ... Prints {name: "completed" or the failure's text}."""
import asyncio
import concurrent.futures
import json
import os
import sys

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import flow_of_test
import image_runs
import leaving


def call(number, name):
    runner = SandboxedWorkflowRunner()
    instance = runner.create_instance(image_runs.details(flow_of_test.Flow, number))
    act = leaving.activation(number, "initialize_workflow")
    act.jobs[0].initialize_workflow.arguments.add(metadata={"encoding": b"json/plain"}, data=json.dumps(name).encode())
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        completion = pool.submit(instance.activate, act).result()
    return completion.failed.failure.message or str(completion.successful.commands)


async def main(names):
    answer = {}
    for number, name in enumerate(names):
        text = call(number, name)
        answer[name] = "completed" if "complete_workflow_execution" in text else text
    print(json.dumps(answer), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
