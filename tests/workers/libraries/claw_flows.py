"""A workflow file that beartype's import hook rewrites: no decorator in sight, every call is checked."""
import time

from beartype.roar import BeartypeCallHintParamViolation
from temporalio import workflow


def half(n: int) -> float:
    return n / 2


def read_clock() -> float:
    return time.time()  # here: read_clock


@workflow.defn
class Checked:
    @workflow.run
    async def run(self, how: str) -> str:
        if how == "clock":
            return str(read_clock())
        assert half(3) == 1.5
        try:
            half("3")  # type: ignore
        except BeartypeCallHintParamViolation:
            return "checked"
        return "not checked"
