"""Two runs on two threads: one reloads its module m while the other is in the middle of that. Did each get its own?"""
import asyncio
import importlib
import json
import os
import pathlib
import sys
import threading

from image_runs import details
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

GATE = """
import time
coming = None
def meet():
    for _ in range(1000):
        if coming is None or len(coming) == 2:
            break
        time.sleep(0.01)
    if coming:
        time.sleep(0.3)
"""
MODULE = "import gate\ngate.meet()\n"
FLOW = """
import gate, importlib
import m
from temporalio import workflow
@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> bool:
        gate.coming.append(self)
        return importlib.reload(m) is m
"""


def result(instance):
    activation = WorkflowActivation(run_id="run", history_length=1)
    activation.jobs.add().initialize_workflow.workflow_type = "Flow"
    completion = instance.activate(activation)
    return completion.successful.commands[0].complete_workflow_execution.result.data.decode()


async def main(folder):
    for name, text in (("gate", GATE), ("m", MODULE), ("flow_that_reloads", FLOW)):
        (folder / f"{name}.py").write_text(text)
    sys.path.insert(0, str(folder))
    flow, gate = importlib.import_module("flow_that_reloads").Flow, importlib.import_module("gate")
    runner = SandboxedWorkflowRunner(SandboxRestrictions.default.with_passthrough_modules("gate"))
    runs = [runner.create_instance(details(flow, number)) for number in range(2)]
    gate.coming = []
    results = {}
    threads = [threading.Thread(target=lambda n=n: results.update({n: result(runs[n])})) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps([results.get(n) for n in range(2)]), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(pathlib.Path(sys.argv[1])))
