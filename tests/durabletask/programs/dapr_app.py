"""Workflows as Dapr's decorators have them, with the runtime at the top of the file."""
import time

import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime()
seen = []


@runtime.activity
def add(ctx, value):
    return value + 1


@runtime.workflow(name="counting")
def counts(ctx, value=None):
    for i in range(2):
        seen.append((yield ctx.call_activity(add, input=i)))
    return seen


@runtime.workflow
@wf.alternate_name("clock")
def reads_clock(ctx, value=None):
    return time.time()
