"""One work item of an orchestration with 20 activities, replayed to its end, in nanoseconds of the thread: guarded, and by a
second copy of durabletask's worker that nobody guards. Prints a JSON object, as measure.py does."""
import datetime
import gc
import importlib.util
import json
import logging
import statistics
import sys
import time

import durabletask.internal.helpers as helpers
import durabletask.worker as guarded
from durabletask.serialization import JsonDataConverter

import twenty

ROUNDS = 400


def second_copy():
    spec = importlib.util.find_spec("durabletask.worker")
    copy = importlib.util.module_from_spec(importlib.util.spec_from_file_location("durabletask.worker_unguarded", spec.origin))
    sys.modules[copy.__name__] = copy
    copy.__spec__.loader.exec_module(copy)
    return copy


def history():
    moment = datetime.datetime(2026, 1, 1)
    events = [helpers.new_orchestrator_started_event(moment), helpers.new_execution_started_event("activities", "id", '"text"')]
    for number in range(1, 21):
        events.append(helpers.new_task_scheduled_event(number, "print_line"))
        events.append(helpers.new_orchestrator_started_event(moment))
        events.append(helpers.new_task_completed_event(number, '"text"'))
    return events


def work_item(module, events):
    registry = module._Registry()
    registry.add_orchestrator(twenty.activities)
    logger = logging.getLogger("bench")
    logger.setLevel(logging.WARNING)

    def run():
        return module._OrchestrationExecutor(registry, logger, JsonDataConverter()).execute("id", events[:-2], events[-2:])
    status = run().actions[-1].completeOrchestration.orchestrationStatus
    assert status == 1, status
    return run


def main():
    events = history()
    sides = {"unsandboxed": work_item(second_copy(), events), "sandboxed": work_item(guarded, events)}
    taken = {name: [] for name in sides}
    for i in range(ROUNDS):
        for name, run in list(sides.items())[::1 if i % 2 else -1]:
            begin = time.thread_time_ns()
            run()
            taken[name].append(time.thread_time_ns() - begin)
        if i % 20 == 0:
            gc.collect()
    print(json.dumps({name: statistics.median(values[ROUNDS // 10:]) for name, values in taken.items()}))


main()
