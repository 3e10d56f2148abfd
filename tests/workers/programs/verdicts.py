"""usage: verdicts.py SERVER RECORDS DIRECTORY NAME ...

Plays scenarios as scenarios.py does, for test_verdicts.py: whose word decides where several could.
"""
import asyncio
import dataclasses
import sys
import threading
import uuid

import flows_verdicts as flows
import helper_shared
from common import outcome, play_in_turn, scenario
from temporalio.worker import Interceptor, Worker, WorkflowInboundInterceptor
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxMatcher, SandboxRestrictions

MEMBERS = SandboxRestrictions.invalid_module_members_default


def restricted(**changes):
    return SandboxedWorkflowRunner(restrictions=dataclasses.replace(SandboxRestrictions.default, **changes))


async def runs(client, workflow, *arguments, **options):
    """A run for each argument, one after the other: how they ended."""
    queue = "q-" + uuid.uuid4().hex
    async with Worker(client, task_queue=queue, workflows=[workflow], **options):
        return [await outcome(await client.start_workflow(workflow.run, a, id=f"{queue}-{n}", task_queue=queue))
                for n, a in enumerate(arguments)]


@scenario
async def lifted_above_what_is_refused(client):
    """The worker refuses os.urandom in words of its own and lifts uuid.uuid4, which calls it."""
    own = SandboxMatcher(children={"urandom": SandboxMatcher(match_self=True, only_runtime=True, leaf_message="words of its own")})
    lifted = MEMBERS.with_child_unrestricted("uuid", "uuid4")
    runner = restricted(invalid_module_members=dataclasses.replace(lifted, children={**lifted.children, "os": own}))
    return await runs(client, flows.Draws, "uuid4", "urandom", workflow_runner=runner)


@scenario
async def swallows_two_refusals(client):
    return await runs(client, flows.SwallowsTwo, "")


@scenario
async def allowed_function_calls_back(client):
    return await runs(client, flows.CallsBack, "a clock", "a function that reads it")


@scenario
async def host_has_what_is_forbidden(client):
    """Passed through, imported by the host, and forbidden all the same."""
    restrictions = dataclasses.replace(SandboxRestrictions.default.with_passthrough_modules("helper_forbidden"),
                                       invalid_modules=SandboxMatcher(access={"helper_forbidden"}))
    return await runs(client, flows.ImportsForbidden, "", workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions))


@scenario
async def submodule_of_what_is_shared(client):
    [ended] = await runs(client, flows.ImportsBelow, "")
    return {**ended, "of the host": ended.get("result") == id(sys.modules.get("sample_shared.extra"))}


class Changes(WorkflowInboundInterceptor):
    """Made once for each run, while it is being set up."""

    def __init__(self, next):
        super().__init__(next)
        flows.note_of_this_run().append("interceptor")


class Interceptors(Interceptor):
    def workflow_interceptor_class(self, input):
        return Changes


@scenario
async def interceptor_changes_the_modules(client):
    return await runs(client, flows.Notes, "a", "b", interceptors=[Interceptors()])


@scenario
async def host_writes_meanwhile(client):
    """A thread of the host's appends to a list that workflow code names: nothing that it wrote is taken away."""
    written, stop = [], threading.Event()

    def write():
        while not stop.wait(0.001):
            written.append(len(written))
            helper_shared.CALLS.append(written[-1])
    writer = threading.Thread(target=write)
    writer.start()
    ended = await runs(client, flows.ReadsWhatTheHostWrites, 20, 20)
    stop.set()
    writer.join()
    return {"ended": ended, "written": written, "there": helper_shared.CALLS}


@scenario
async def another_run_comes_and_goes(client):
    """One run is in the middle of what it may do when another's whole activation passes: it takes nothing away."""
    queue = "q-" + uuid.uuid4().hex
    async with Worker(client, task_queue=queue, workflows=[flows.HandsToTheHost]):
        stays = await client.start_workflow(flows.HandsToTheHost.run, True, id=queue + "-stays", task_queue=queue)
        while not helper_shared.HANDED:
            await asyncio.sleep(0.01)
        goes = await client.start_workflow(flows.HandsToTheHost.run, False, id=queue + "-goes", task_queue=queue)
        ended, there = await outcome(goes), list(helper_shared.HANDED)
        helper_shared.FREE.set()
        return {"ended": ended, "there": there, "later": await outcome(stays)}


asyncio.run(play_in_turn())
