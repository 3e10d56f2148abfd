"""Workflows of the scenarios that need only a few lines each."""
import asyncio
import gc
import time
import uuid
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    import helper_shared
    from activities import inspect_host, shout
    from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError

SOON = timedelta(seconds=10)


@workflow.defn
class Order:
    """The everyday workflow: activities, timers, a signal, the deterministic helpers."""

    def __init__(self) -> None:
        self.paid = False

    @workflow.signal
    def pay(self) -> None:
        self.paid = True

    @workflow.query
    def state(self) -> str:
        return "paid" if self.paid else "open"

    @workflow.run
    async def run(self, item: str) -> list:
        first = await workflow.execute_activity(shout, item, start_to_close_timeout=SOON)
        await asyncio.sleep(0.01)
        local = await workflow.execute_local_activity(shout, "local", start_to_close_timeout=SOON)
        number, key = workflow.random().randint(1, 10**9), str(workflow.uuid4())
        await workflow.wait_condition(lambda: self.paid)
        last = await asyncio.gather(*(workflow.execute_activity(shout, x, start_to_close_timeout=SOON) for x in "ab"))
        workflow.logger.info("done at %s", workflow.now())
        return [first, local, *last, number, key]


@workflow.defn
class ReadsClock:
    @workflow.run
    async def run(self) -> float:
        return time.time()  # here: ReadsClock


@workflow.defn
class ChangesShared:
    """What it does is only seen when the activation has ended, in which it may have completed."""

    @workflow.run
    async def run(self, ends: bool) -> None:
        gc.callbacks.append(print)
        if not ends:
            await asyncio.sleep(30)


@workflow.defn
class MakesId:
    @workflow.run
    async def run(self) -> str:
        return self.make()

    def make(self) -> str:
        return str(uuid.uuid4())  # here: MakesId


@workflow.defn
class MakesLoggedId:
    """As MakesId, at a line that no other scenario gets to: a violation at one place is logged once for all runs."""

    @workflow.run
    async def run(self) -> str:
        return self.make()

    def make(self) -> str:
        return str(uuid.uuid4())  # here: MakesLoggedId


@workflow.defn(sandboxed=False)
class NotSandboxed:
    @workflow.run
    async def run(self) -> list:
        return [time.time(), workflow.unsafe.in_sandbox()]


@workflow.defn
class LateImport:
    @workflow.run
    async def run(self) -> list:
        import helper_late
        from helper_late import NAME
        first = helper_late.count()
        await asyncio.sleep(0.01)
        import helper_late as again
        return [NAME, first, again.count(), again is helper_late]


@workflow.defn
class SandboxFlags:
    @workflow.run
    async def run(self) -> dict:
        with workflow.unsafe.sandbox_unrestricted():
            lifted = time.time()
        seen = {"workflow": workflow.unsafe.in_sandbox(), "lifted": lifted > 0}
        seen["activity"] = await workflow.execute_activity(inspect_host, start_to_close_timeout=SOON)
        return seen


@workflow.defn
class RestrictedAgain:
    """The end of an unrestricted block is the end of the permission."""

    @workflow.run
    async def run(self) -> float:
        with workflow.unsafe.sandbox_unrestricted():
            time.time()
        return time.time()  # here: RestrictedAgain


@workflow.defn
class WaitsUnrestricted:
    """A block that lasts over activations is this run's alone, whichever thread they are on."""

    def __init__(self) -> None:
        self.go = False

    @workflow.run
    async def run(self) -> float:
        with workflow.unsafe.sandbox_unrestricted():
            time.time()
            await workflow.wait_condition(lambda: self.go)
            time.time()
        return time.time()  # here: WaitsUnrestricted

    @workflow.signal
    def on(self) -> None:
        self.go = True


@workflow.defn
class Swallows:
    @workflow.run
    async def run(self, how: str) -> str:
        return await getattr(self, how)()

    async def except_exception(self):
        try:
            time.time()
        except Exception:
            pass
        return "swallowed"

    async def bare_except(self):
        try:
            time.time()
        except:  # noqa: E722
            pass
        return "swallowed"

    async def gather(self):
        async def inner():
            return time.time()
        return str(len(await asyncio.gather(inner(), return_exceptions=True)))

    async def application_error(self):
        try:
            time.time()
        except Exception as e:
            raise ApplicationError("mine") from e

    async def application_error_non_retryable(self):
        try:
            time.time()
        except Exception:
            raise ApplicationError("mine", non_retryable=True) from None

    async def finally_return(self):
        try:
            time.time()
        finally:
            return "swallowed"  # noqa: B012

    async def before_timer(self):
        try:
            time.time()
        except Exception:
            pass
        await asyncio.sleep(0.01)
        return "swallowed"

    async def continue_as_new(self):
        try:
            time.time()
        except Exception:
            pass
        workflow.continue_as_new("nothing")

    async def nothing(self):
        return "swallowed"


@workflow.defn
class SeesException:
    @workflow.run
    async def run(self) -> None:
        try:
            time.time()
        except RestrictedWorkflowAccessError as e:
            helper_shared.SEEN[workflow.info().workflow_id] = [type(e).__name__, e.qualified_name,
                                                               isinstance(e, workflow.NondeterminismError)]
            raise


@workflow.defn
class CollectsGarbage:
    @workflow.run
    async def run(self) -> int:
        helper_shared.leave_garbage(workflow.info().workflow_id)
        gc.collect()
        return 1


@workflow.defn
class Cancelled:
    @workflow.run
    async def run(self) -> str:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            return await workflow.execute_activity(shout, "cleaned", start_to_close_timeout=SOON)
        return "not cancelled"


@workflow.defn
class CallsShared:
    @workflow.run
    async def run(self, name: str) -> str:
        return str(getattr(helper_shared, name)())


@workflow.defn
class ForksInActivity:
    @workflow.run
    async def run(self) -> list:
        from activities import fork_and_run
        return await workflow.execute_activity(fork_and_run, start_to_close_timeout=SOON)


COUNTED = []  # the host's copy has what UnsandboxedWorkflowRunner does to it


@workflow.defn
class Counts:
    @workflow.run
    async def run(self) -> int:
        COUNTED.append(1)
        return len(COUNTED)


@workflow.defn
class ListsItsMemo:
    @workflow.run
    async def run(self) -> list:
        return list(workflow.memo())
