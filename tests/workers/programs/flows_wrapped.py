"""Each call of this file is refused at run time; mode warn lets them pass."""
import datetime
import os
import subprocess
import time
import uuid

from temporalio import workflow


def attempt(call):
    try:
        call()
    except Exception:
        pass


if workflow.unsafe.in_sandbox():
    attempt(lambda: os.system("true"))
    attempt(lambda: os.getpid())
    attempt(lambda: open("/etc/hostname").close())
    attempt(lambda: time.time())
    attempt(lambda: uuid.uuid4())
    attempt(lambda: os.spawnvp(os.P_WAIT, "true", ["true"]))
    attempt(lambda: datetime.datetime.now())
    attempt(lambda: subprocess.Popen(["true"]).wait())


@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> None:
        pass
