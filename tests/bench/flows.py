"""What the benchmarks run: a small workflow file, as most are."""
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow


@dataclass
class Line:
    number: int
    text: str


@activity.defn
async def print_line(line: Line) -> str:
    return f"{line.number}: {line.text}"


@workflow.defn
class TwentyActivities:
    @workflow.run
    async def run(self, text: str) -> list[str]:
        limit = timedelta(seconds=10)
        return [await workflow.execute_activity(print_line, Line(i, text), start_to_close_timeout=limit)
                for i in range(20)]
