"""Workflows for `sandglass check`: recorded without a guard, then checked."""
import datetime
import os
import platform
import sys
from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
async def say(text: str) -> str:
    return text


async def tell(text):
    await workflow.execute_activity(say, str(text), start_to_close_timeout=timedelta(seconds=20))


@workflow.defn
class Sound:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(0.01)
        await tell(workflow.now())
        return str(workflow.uuid4())


@workflow.defn
class Today:
    @workflow.run
    async def run(self) -> str:
        await tell(datetime.date.today())  # Today is refused
        return "done"


@workflow.defn
class Order:
    @workflow.run
    async def run(self) -> str:
        for name in {"apple", "banana", "cherry", "damson", "elderberry", "fig", "grape"}:
            await tell(name)  # Order differs
        return "done"


@workflow.defn
class Elsewhere:
    @workflow.run
    async def run(self) -> str:
        with workflow.unsafe.sandbox_unrestricted():
            facts = {
                "year": datetime.datetime.now().year, "host": platform.uname().node, "arguments": len(sys.argv),
                "user": os.environ.get("USER"), "zone": datetime.datetime.fromtimestamp(0).hour,
            }
        for name, fact in facts.items():
            await tell(fact if name == (workflow.memo_value("fact", default="year")) else name)
        return "done"


@workflow.defn
class Branch:
    @workflow.run
    async def run(self) -> str:
        with workflow.unsafe.sandbox_unrestricted():
            other = datetime.datetime.now().year > 2026
        if other:
            await workflow.sleep(1)  # Branch in another world
        await tell("end")  # Branch here
        return "done"


@workflow.defn(sandboxed=False)
class Plain:
    @workflow.run
    async def run(self) -> str:
        await tell(datetime.date.today())
        return "done"


ALL = [Sound, Today, Order, Elsewhere, Branch, Plain]
