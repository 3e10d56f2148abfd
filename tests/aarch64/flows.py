"""What is harmless, what is refused, and what is kept apart."""
import random
import time

from temporalio import workflow

SEEN = []


@workflow.defn
class Harmless:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(0.01)
        return f"{random.Random(42).randint(1, 1000)} {time.strftime('%Y', time.gmtime(0))} {len(str(workflow.uuid4()))}"


@workflow.defn
class Clock:
    @workflow.run
    async def run(self) -> str:
        return str(time.time())


@workflow.defn
class Counter:
    @workflow.run
    async def run(self) -> int:
        SEEN.append(workflow.info().workflow_id)
        await workflow.sleep(0.01)
        SEEN.append("again")
        return len(SEEN)
