"""A workflow that does not yield, in a file of its own: runs of one file wait for each other."""
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    import helper_shared


@workflow.defn
class Busy:
    @workflow.run
    async def run(self) -> None:
        helper_shared.SEEN[workflow.info().workflow_id] = "busy"
        while not helper_shared.STOP.is_set():
            pass
