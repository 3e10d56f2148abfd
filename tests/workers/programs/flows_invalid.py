import tarfile

import helper_classes
import helper_private
from temporalio import workflow


@workflow.defn
class ImportsPrivate:
    @workflow.run
    async def run(self) -> int:
        return helper_private.count()


@workflow.defn
class CallsOneOf:
    @workflow.run
    async def run(self, what: str) -> str:
        return str(helper_private.read_clock() if what == "clock" else tarfile.is_tarfile("/etc/hostname"))


def make(what):
    return what()


@workflow.defn
class MakesOneOf:
    """Often enough for the interpreter to take its short cuts, before it counts."""

    @workflow.run
    async def run(self, what: str) -> str:
        if what:
            with workflow.unsafe.sandbox_unrestricted():
                for _ in range(200):
                    make(getattr(helper_classes, what))
            make(getattr(helper_classes, what))
        return "made"
