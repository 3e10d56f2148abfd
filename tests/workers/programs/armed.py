"""Arms Sandglass as a worker does, without a server: validates one workflow, then runs the code given as argument."""
import asyncio
import sys

import flows_invalid
from temporalio import workflow
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner


async def validate():
    SandboxedWorkflowRunner().prepare_workflow(workflow._Definition.must_from_class(flows_invalid.ImportsPrivate))


asyncio.run(validate())
if __name__ == "__main__" and len(sys.argv) > 1:
    exec(compile(sys.argv[1], "<argument>", "exec"), {"__name__": "__main__"})
