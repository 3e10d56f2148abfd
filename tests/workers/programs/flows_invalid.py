import tarfile

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
