"""usage: snippets.py SERVER RECORDS DIRECTORY NAME ...

An ordinary worker host. Makes a workflow module of every named snippet (../cases.py), runs them all on one worker, and
writes one JSON record a snippet: {"name", "status", "type", "text"}, where status is that of common.outcome, or
    refused-at-load | skipped (a library is missing)
SG_CASES: another module of cases. SG_AT_ONCE: how many run at a time.
"""
import asyncio
import importlib
import logging
import os
import sys
import textwrap
import uuid
import warnings

from common import DIRECTORY, NAMES, connect, outcome_of, record
from temporalio import workflow
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner


def write_module(case):
    with open(os.path.join(DIRECTORY, f"snippet_{case.name}.py"), "w") as f:
        f.write(f"from temporalio import workflow\n{case.top}\n\n\n@workflow.defn(name={case.name!r})\nclass Snippet:\n"
                "    @workflow.run\n    async def run(self) -> str:\n" + textwrap.indent(case.body, " " * 8) + "\n")


def load(case):
    """The snippet's workflow class, or None when the answer is already known."""
    record(case.name, started=True)
    try:
        cls = importlib.import_module(f"snippet_{case.name}").Snippet
    except ModuleNotFoundError as e:
        return record(case.name, status="skipped", text=str(e))
    except BaseException as e:
        return record(case.name, status="failed", type="import by the host itself", text=repr(e))
    try:
        # What Worker() does with each of its workflows, one by one so that a refusal hits only this one.
        SandboxedWorkflowRunner().prepare_workflow(workflow._Definition.must_from_class(cls))
    except BaseException as e:
        return record(case.name, status="refused-at-load", type=type(e).__name__, text=str(e))
    return cls


async def run_one(client, queue, name, gate):
    async with gate:
        record(name, **await outcome_of(lambda: client.start_workflow(
            name, id=f"{name}-{uuid.uuid4().hex[:6]}", task_queue=queue, result_type=str)))


async def main():
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.path.insert(0, DIRECTORY)
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "site-packages"))
    wanted = [c for c in importlib.import_module(os.environ.get("SG_CASES", "cases")).CASES if c.name in NAMES]
    for case in wanted:
        write_module(case)
    importlib.invalidate_caches()
    loaded = {case.name: cls for case in wanted for cls in [load(case)] if cls}
    if loaded:
        client = await connect()
        queue = "snippets-" + uuid.uuid4().hex
        gate = asyncio.Semaphore(int(os.environ.get("SG_AT_ONCE", "24")))
        async with Worker(client, task_queue=queue, workflows=list(loaded.values()), workflow_failure_exception_types=[Exception]):
            await asyncio.gather(*(run_one(client, queue, name, gate) for name in loaded))
            sys.stdout.flush()
            os._exit(0)  # a snippet that was not refused may have left threads that never end


asyncio.run(main())
