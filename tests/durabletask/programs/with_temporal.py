"""Temporal's engine and durabletask's in one process, each with workflows that read the clock."""
import asyncio
import json

import both_flows
import with_durabletask
from google.protobuf import timestamp_pb2
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer


def history(name):
    started, scheduled, task = HistoryEvent(), HistoryEvent(), HistoryEvent()
    for number, (event, kind) in enumerate([(started, "WORKFLOW_EXECUTION_STARTED"), (scheduled, "WORKFLOW_TASK_SCHEDULED"),
                                            (task, "WORKFLOW_TASK_STARTED")], 1):
        event.event_id, event.event_type = number, EventType.Value("EVENT_TYPE_" + kind)
        event.event_time.CopyFrom(timestamp_pb2.Timestamp(seconds=1700000000))
    attributes = started.workflow_execution_started_event_attributes
    attributes.workflow_type.CopyFrom(WorkflowType(name=name))
    attributes.task_queue.name, attributes.original_execution_run_id, attributes.first_execution_run_id = "queue", "run", "run"
    attributes.workflow_task_timeout.seconds = 10
    scheduled.workflow_task_scheduled_event_attributes.task_queue.name = "queue"
    task.workflow_task_started_event_attributes.scheduled_event_id = 2
    return WorkflowHistory("of " + name, [started, scheduled, task])


async def replay(name):
    """Its task fails; nobody is told but the log."""
    replayer = Replayer(workflows=[both_flows.Flow, both_flows.Compiled])
    await replayer.replay_workflow(history(name), raise_on_replay_failure=False)


def main():
    orchestrators = {name: getattr(both_flows, name) for name in ("reads_clock", "reads_clock_compiled", "counts")}
    asyncio.run(replay("Flow"))
    told = with_durabletask.play(orchestrators, {}, [(name, "of " + name) for name in orchestrators])
    asyncio.run(replay("Flow"))
    asyncio.run(replay("Compiled"))
    print(json.dumps({"told": told, "seen": both_flows.seen}))


if __name__ == "__main__":
    main()
