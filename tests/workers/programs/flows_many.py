import time

from temporalio import workflow


@workflow.defn
class ManyReadings:
    @workflow.run
    async def run(self) -> int:
        for _ in range(1000):
            time.time()  # here: ManyReadings
        return 1
