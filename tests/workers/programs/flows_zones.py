"""Asks for local time in every way: for zones.py, which plays it."""
import datetime
import logging
import time

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    import subprocess
    import sys

NOON = 1720000000


def seen():
    return [time.strftime("%H %Z", time.localtime(NOON)), datetime.datetime.fromtimestamp(NOON).hour, datetime.datetime(2024, 7, 3).timestamp(),
            time.mktime((2024, 7, 3, 0, 0, 0, 0, 0, -1)), list(time.tzname), time.timezone]


@activity.defn
def from_activity() -> list:
    return seen()


@activity.defn
def from_child() -> list:
    return [subprocess.run([sys.executable, "-c", "import time; print(time.tzname[0], time.localtime(0).tm_gmtoff)"], capture_output=True, text=True).stdout]


@workflow.defn
class Zoned:
    @workflow.run
    async def run(self) -> dict:
        logging.getLogger("zones").warning("from the workflow")
        mine = seen()
        limit = datetime.timedelta(seconds=60)
        told = [await workflow.execute_activity(a, start_to_close_timeout=limit) for a in (from_activity, from_child)]
        for _ in range(4000):  # long enough for others to have their turn
            seen()
        return {"workflow": mine, "activity": told[0], "child": told[1]}
