import json

import dapr.ext.workflow as wf
import drive
from sidecar import Sidecar


def play(orchestrators, activities, wanted, tell=lambda results: None):
    port = str(drive.free_port())
    sidecar = Sidecar(port)
    runtime = wf.WorkflowRuntime(host="127.0.0.1", port=port)
    for f in activities.values():
        runtime.register_activity(f)
    for f in orchestrators.values():
        runtime.register_workflow(f)
    runtime.start()
    try:
        results = ask(wf.DaprWorkflowClient(host="127.0.0.1", port=port), orchestrators, wanted)
        tell(results)
        return results
    finally:
        runtime.shutdown()
        sidecar.stop()


def ask(client, orchestrators, wanted):
    for name, identity in wanted:
        client.schedule_new_workflow(orchestrators[name], instance_id=identity)
    return {identity: result(client.wait_for_workflow_completion(identity, timeout_in_seconds=30)) for _, identity in wanted}


def result(state):
    failure = state.failure_details
    return {"status": state.runtime_status.name, "output": json.loads(state.serialized_output or "null"),
            "error": failure and f"{failure.error_type}: {failure.message}"}
