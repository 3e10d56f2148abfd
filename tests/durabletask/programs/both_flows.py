"""Workflows of two engines in one file."""
import time

import compiled
from temporalio import workflow

seen = []


def reads_clock(ctx, value=None):
    return time.time()


def reads_clock_compiled(ctx, value=None):
    return compiled.clock()


def counts(ctx, value=None):
    seen.append(1)
    return len(seen)


@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> float:
        seen.append(1)
        return time.time()


@workflow.defn
class Compiled:
    @workflow.run
    async def run(self) -> float:
        return compiled.clock()
