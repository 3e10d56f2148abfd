import helper_private
from temporalio import workflow


@workflow.defn
class ImportsPrivate:
    @workflow.run
    async def run(self) -> int:
        return helper_private.count()
