"""A workflow that does not yield, and one whose runs wait for it, as all of one file do."""
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    import helper_shared


@workflow.defn
class Stuck:
    """Not even the deadlock detector gets it out of there."""

    @workflow.run
    async def run(self) -> None:
        helper_shared.SEEN[workflow.info().workflow_id] = "busy"
        with workflow.unsafe.sandbox_unrestricted():
            helper_shared.FREE.wait()


@workflow.defn
class Patient:
    def __init__(self) -> None:
        self.paid = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.paid)
        return "paid"

    @workflow.signal
    def pay(self) -> None:
        self.paid = True

    @workflow.query
    def state(self) -> str:
        return "open"
