"""A workflow file that imports libraries with C extensions and subclasses a standard type, like any Python."""
from datetime import datetime, timezone

import httpx
import numpy
from temporalio import workflow


class BusinessDay(datetime):
    def is_open(self) -> bool:
        return self.weekday() < 5


@workflow.defn
class ReportWorkflow:
    @workflow.run
    async def run(self, values: list[float]) -> str:
        day = BusinessDay(2026, 3, 2, tzinfo=timezone.utc)
        assert isinstance(day, datetime) and isinstance(workflow.now(), datetime)
        target = httpx.URL("https://shop.example/reports").join(f"?day={day:%Y-%m-%d}")
        return f"mean {numpy.mean(numpy.array(values)):.1f}, open {day.is_open()}, for {target}"
