import os
import sys
import time
import uuid

import helper_forbidden
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    import helper_shared
    import sample_shared

NOTES = []


def note_of_this_run():
    """What the module of this name holds for whoever asks."""
    return sys.modules[__name__].NOTES


def read_clock():
    return time.time()


@workflow.defn
class Draws:
    @workflow.run
    async def run(self, what: str) -> str:
        return str(uuid.uuid4() if what == "uuid4" else os.urandom(1))


@workflow.defn
class SwallowsTwo:
    @workflow.run
    async def run(self, _: str) -> str:
        for call in (time.monotonic, os.getpid):
            try:
                call()
            except Exception:
                pass
        return "swallowed"


@workflow.defn
class CallsBack:
    @workflow.run
    async def run(self, what: str) -> str:
        return str(helper_shared.clock() if what == "a clock" else helper_shared.call(read_clock))


@workflow.defn
class ImportsForbidden:
    @workflow.run
    async def run(self, _: str) -> str:
        return helper_forbidden.NAME


@workflow.defn
class ImportsBelow:
    @workflow.run
    async def run(self, _: str) -> int:
        import sample_shared.extra
        return id(sample_shared.extra)


@workflow.defn
class Notes:
    @workflow.run
    async def run(self, name: str) -> list:
        NOTES.append(name)
        return NOTES


@workflow.defn
class HandsToTheHost:
    """Gives what the host keeps something, and is still at it while another run comes and goes."""

    @workflow.run
    async def run(self, stays: bool) -> int:
        if stays:
            with workflow.unsafe.sandbox_unrestricted():
                helper_shared.HANDED.append("from a run")
                helper_shared.FREE.wait(60)
        return len(helper_shared.HANDED)


@workflow.defn
class ReadsWhatTheHostWrites:
    """Runs for as long as it takes the host's thread to write several times."""

    @workflow.run
    async def run(self, times: int) -> int:
        first = len(helper_shared.CALLS)
        while len(helper_shared.CALLS) < first + times:
            pass
        return times
