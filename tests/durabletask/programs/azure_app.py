"""Orchestrators as Azure's decorators have them: in the module stands what they make, not the function."""
import time

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
seen = []


@app.orchestration_trigger(context_name="context")
def counts(context):
    for i in range(2):
        seen.append((yield context.call_activity("add", i)))
    return seen


@app.orchestration_trigger(context_name="context")
def reads_clock(context):
    return time.time()
