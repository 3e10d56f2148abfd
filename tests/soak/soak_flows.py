"""The workflows of the soak: soak.py has one kind of run for each way in which they are used."""
import asyncio
import datetime
import time
from datetime import timedelta

from soak_state import change, look
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError


@activity.defn
def echo(value: list) -> list:
    assert time.time() > 1e9  # the host's clock
    return value


@workflow.defn
class Plain:
    @workflow.run
    async def run(self, number: int) -> list:
        return [number * number, datetime.date(2020, 1, 1).isoformat()]


@workflow.defn
class Stateful:
    @workflow.run
    async def run(self, number: int) -> list:
        seen = [look()]
        change(number)
        seen.append(await workflow.execute_activity(echo, look(), start_to_close_timeout=timedelta(seconds=600)))
        change(number + 1)
        await asyncio.sleep(0.001)
        return [*seen, look()]


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, number: int) -> list:
        change(number)
        await asyncio.sleep(0.001)
        raise ApplicationError(f"has {look()}", non_retryable=True)


@workflow.defn(failure_exception_types=[Exception])
class Refused:
    @workflow.run
    async def run(self, number: int) -> list:
        change(number)
        return [time.time()]


@workflow.defn
class Waits:
    """Waits for whatever is sent to it."""

    @workflow.init
    def __init__(self, number: int) -> None:
        self.done = False
        change(number)

    @workflow.run
    async def run(self, number: int) -> list:
        try:
            await workflow.wait_condition(lambda: self.done)
        except asyncio.CancelledError:
            change(-1)
            return ["cancelled", look()]
        return ["done", look()]

    @workflow.signal
    def add(self, number: int) -> None:
        change(number)

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def see(self) -> list:
        return look()

    @workflow.update
    async def set(self, number: int) -> list:
        change(number)
        await asyncio.sleep(0.001)
        return look()

    @set.validator
    def check(self, number: int) -> None:
        if number < 0:
            raise ValueError(f"has {look()}")


WORKFLOWS = [Plain, Stateful, Fails, Refused, Waits]
