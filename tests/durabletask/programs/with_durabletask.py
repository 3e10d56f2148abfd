import json

import drive
from durabletask import client, worker
from durabletask.testing import create_test_backend


def play(orchestrators, activities, wanted, tell=lambda results: None, value=None):
    port = drive.free_port()
    backend = create_test_backend(port=port)
    address = f"localhost:{port}"
    try:
        with worker.TaskHubGrpcWorker(host_address=address) as w:
            for f in orchestrators.values():
                w.add_orchestrator(f)
            for f in activities.values():
                w.add_activity(f)
            w.start()
            results = ask(client.TaskHubGrpcClient(host_address=address), wanted, value)
            tell(results)
            return results
    finally:
        backend.stop()


def ask(c, wanted, value):
    for name, identity in wanted:
        c.schedule_new_orchestration(name, instance_id=identity, input=value)
    return {identity: result(c.wait_for_orchestration_completion(identity, timeout=30)) for _, identity in wanted}


def result(state):
    failure = state.failure_details
    return {"status": state.runtime_status.name, "output": json.loads(state.serialized_output or "null"),
            "error": failure and f"{failure.error_type}: {failure.message}"}
