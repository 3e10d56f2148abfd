"""restarted.py PORT [go]: a worker that ends once the orchestration waits, or one that lets it go on and prints what it answers."""
import json
import sys
import time

import acme
import state
import with_durabletask
from durabletask import client, worker


def waits(ctx, value=None):
    state.seen.append(1)
    first = [acme.clock(), acme.identity()]
    kept = yield ctx.call_activity("keep", input=first)
    state.seen.append(2)
    ctx.set_custom_status("waits")
    yield ctx.wait_for_external_event("go")
    return [first == kept, len(state.seen)]


def keep(ctx, value):
    return value


def main():
    address = "localhost:" + sys.argv[1]
    with worker.TaskHubGrpcWorker(host_address=address) as w:
        w.add_orchestrator(waits)
        w.add_activity(keep)
        w.start()
        c = client.TaskHubGrpcClient(host_address=address)
        if sys.argv[2:]:
            c.raise_orchestration_event("one", "go")
            print(json.dumps(with_durabletask.result(c.wait_for_orchestration_completion("one", timeout=30))))
        else:
            c.schedule_new_orchestration(waits, instance_id="one")
            while not c.get_orchestration_state("one").serialized_custom_status:
                time.sleep(0.01)
            print(json.dumps("it waits"))


if __name__ == "__main__":
    main()
