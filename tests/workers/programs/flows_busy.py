"""Workflows that do not let go: in a file of their own, as runs of one file take turns."""
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


@workflow.defn
class Stuck:
    """Blocks its thread where nothing can interrupt it, while others of its kind want to go on."""

    def __init__(self) -> None:
        self.woken = False

    @workflow.signal
    def wake(self) -> None:
        self.woken = True

    @workflow.run
    async def run(self, how: str) -> str:
        helper_shared.SEEN[workflow.info().workflow_id] = how
        if how == "sticks":
            with workflow.unsafe.sandbox_unrestricted():
                helper_shared.FREE.wait()
        if how == "waits":
            await workflow.wait_condition(lambda: self.woken)
        return "done"
