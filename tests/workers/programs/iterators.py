"""Runs of a workflow file take turns, without a server: [blind] RUN:SIGNAL... Prints what each finds in its module, as JSON.

host:NAME among them: the worker's own code calls that function of library_of_test. RUN:fails: its next task fails; RUN:again: it
has left the cache and begins anew.
"""
import asyncio
import concurrent.futures
import importlib
import json
import os
import sys

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import filters
import flow_of_test
import image_runs


class Run:
    def __init__(self, number, pool):
        self.run, self.serial, self.pool = f"run-{number}", 0, pool
        self.instance = self.make(image_runs.details(flow_of_test.Flow, number))
        act = self.activation()
        act.jobs.add().initialize_workflow.workflow_type = "Flow"
        self.play(act)

    def make(self, details):
        return SandboxedWorkflowRunner().create_instance(details)

    def activate(self, act):
        return self.pool.submit(self.instance.activate, act).result()

    def activation(self):
        self.serial += 1
        act = WorkflowActivation(run_id=self.run, history_length=self.serial)
        act.timestamp.FromSeconds(1_700_000_000 + self.serial)
        return act

    def play(self, act):
        completion = self.activate(act)
        assert completion.HasField("successful"), completion
        return completion

    def signal(self, name):
        act = self.activation()
        act.jobs.add().signal_workflow.signal_name = name
        self.play(act)

    def fail(self):
        act = self.activation()
        act.jobs.add().signal_workflow.signal_name = "nothing"
        try:
            self.activate(act)
        except RuntimeError as error:
            assert "begin" in str(error) or "tried again" in str(error), error
        else:
            raise AssertionError("the task has not failed")

    def see(self):
        act = self.activation()
        act.jobs.add().query_workflow.query_type = "see"
        completion = self.activate(act)
        return json.loads(completion.successful.commands[0].respond_to_query.succeeded.response.data)


async def main():
    pool = concurrent.futures.ThreadPoolExecutor(1)
    if sys.argv[1] == "blind":
        filters.forbid("userfaultfd")
    moves = [move.partition(":")[::2] for move in sys.argv[1:] if move != "blind"]
    runs = [Run(number, pool) for number in range(1 + max(int(number) for number, _ in moves if number != "host"))]
    for number, name in moves:
        if number == "host":
            getattr(importlib.import_module("library_of_test"), name)()
        elif name == "fails":
            runs[int(number)].fail()
        elif name == "again":
            runs[int(number)] = Run(int(number), pool)
        else:
            runs[int(number)].signal(name)
    print(json.dumps([run.see() for run in runs]), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
