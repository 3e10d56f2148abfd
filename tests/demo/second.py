"""Another engine, durabletask, with its in-memory backend: prints what came of each orchestration. usage: second.py"""
import json
import logging
import socket

import parcels
from durabletask import client, worker
from durabletask.testing import create_test_backend

ORCHESTRATIONS = [("deliver", 3), ("deliver", 5), ("deliver_today", 3)]


def main():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    backend = create_test_backend(port=port)
    address = f"localhost:{port}"
    try:
        with worker.TaskHubGrpcWorker(host_address=address) as w:
            w.add_orchestrator(parcels.deliver)
            w.add_orchestrator(parcels.deliver_today)
            w.add_activity(parcels.carry)
            w.start()
            c = client.TaskHubGrpcClient(host_address=address)
            names = [c.schedule_new_orchestration(name, input=count) for name, count in ORCHESTRATIONS]
            print(json.dumps([answer(c.wait_for_orchestration_completion(name, timeout=20)) for name in names]))
    finally:
        backend.stop()


def answer(state):
    failure = state.failure_details
    return [state.runtime_status.name, failure.message if failure else json.loads(state.serialized_output)]


if __name__ == "__main__":
    logging.disable(logging.INFO)
    main()
