"""Makes runs of a workflow file as a worker does, without a server: image_runs.py FILE. Prints what it could see of them."""
import asyncio
import dataclasses
import importlib
import json
import os
import pathlib
import sys

import temporalio.converter
import temporalio.workflow
from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.worker._workflow_instance import WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox._runner import _fake_info


def details(flow, number):
    converter = temporalio.converter.DataConverter.default
    values = {
        "payload_converter_factory": converter._new_payload_converter,
        "failure_converter_class": converter.failure_converter_class, "interceptor_classes": [],
        "defn": temporalio.workflow._Definition.must_from_class(flow),
        "info": dataclasses.replace(_fake_info, run_id=f"run-{number}"), "randomness_seed": 1, "extern_functions": {},
        "disable_eager_activity_execution": False, "worker_level_failure_exception_types": [],
        "patch_activation_callback": None, "last_completion_result": Payloads(), "last_failure": Failure(),
    }
    known = {f.name for f in dataclasses.fields(WorkflowInstanceDetails)}
    return WorkflowInstanceDetails(**{k: v for k, v in values.items() if k in known})


async def main(path):
    sys.path.insert(0, str(path.parent))
    flow = importlib.import_module(path.stem).Flow
    runner = SandboxedWorkflowRunner()
    runs = [runner.create_instance(details(flow, number)) for number in range(3)]
    print(json.dumps(len(runs)), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(pathlib.Path(sys.argv[1])))
