"""usage: scenarios.py SERVER RECORDS DIRECTORY NAME ...

Plays the named scenarios at the same time, each with workers of its own, in one ordinary worker host. One JSON record a
scenario: {"name", "result"}, or {"name", "error"} when the scenario itself broke down.
"""
import abc
import asyncio
import concurrent.futures
import contextlib
import dataclasses
import logging
import os
import threading
import time
import uuid
import warnings

import activities
import evictions  # noqa: F401 - scenarios, too
import flows_busy
import flows_evicted
import flows_handlers
import flows_invalid
import flows_many
import flows_misc
import flows_state
import flows_stuck
import helper_classes
import helper_shared
import interceptors
from common import NAMES, SCENARIOS, connect, failed_task, outcome, outcome_of, play, scenario
from temporalio.service import RPCError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxMatcher, SandboxRestrictions

EXECUTOR = concurrent.futures.ThreadPoolExecutor(20)


class Stage:
    """A client and a task queue of its own for one scenario."""

    def __init__(self, client):
        self.client = client
        self.queue = "q-" + uuid.uuid4().hex
        self.count = 0

    def worker(self, *workflows, **options):
        options.setdefault("activity_executor", EXECUTOR)
        return Worker(self.client, task_queue=options.pop("queue", self.queue), workflows=workflows,
                      activities=[activities.shout, activities.shout_async, activities.inspect_host, activities.fork_and_run,
                                  flows_evicted.collect],
                      **options)

    async def start(self, workflow, *args, id=None, queue=None):
        self.count += 1
        return await self.client.start_workflow(workflow.run, args=args, id=id or f"{self.queue}-{self.count}",
                                                task_queue=queue or self.queue)

    async def run(self, workflow, *args, **more):
        if "id" in more:
            return await outcome(await self.start(workflow, *args, **more))
        return await outcome_of(lambda: self.start(workflow, *args, **more))


async def order(stage, handle):
    """Lets an Order complete; its answer."""
    while await handle.query("state") != "open":
        await asyncio.sleep(0.05)
    await handle.signal("pay")
    return await outcome(handle)


@scenario
async def many_memos(stage):
    flow, memo = flows_misc.ListsItsMemo, {f"key {n * 7 % 12:02d}": n for n in range(12)}
    async with stage.worker(flow):
        handle = await stage.client.start_workflow(flow.run, id=stage.queue, task_queue=stage.queue, memo=memo)
        return await outcome(handle)


@scenario
async def everyday_workflow(stage):
    async with stage.worker(flows_misc.Order):
        return await order(stage, await stage.start(flows_misc.Order, "tea"))


@scenario
async def everyday_workflow_without_cache(stage):
    async with stage.worker(flows_misc.Order, max_cached_workflows=0, max_concurrent_workflow_task_polls=1):
        return await order(stage, await stage.start(flows_misc.Order, "tea"))


@scenario
async def query_after_completion(stage):
    async with stage.worker(flows_misc.Order):
        handle = await stage.start(flows_misc.Order, "tea")
        await order(stage, handle)
    async with stage.worker(flows_misc.Order):
        for _ in range(5):
            with contextlib.suppress(RPCError):  # the queue of the worker that is gone may be asked first
                return await handle.query("state")
            await asyncio.sleep(0.3)


@scenario
async def cancelled(stage):
    async with stage.worker(flows_misc.Cancelled):
        handle = await stage.start(flows_misc.Cancelled)
        await asyncio.sleep(0.3)
        await handle.cancel()
        return await outcome(handle)


@scenario
async def handlers_work(stage):
    async with stage.worker(flows_handlers.Handlers):
        handle = await stage.start(flows_handlers.Handlers, "nowhere")
        await handle.signal("poke")
        update = await handle.execute_update("change", "x")
        try:
            await handle.execute_update("change", "")
            rejected = ""
        except Exception as e:
            rejected = str(e.__cause__)
        look = await handle.query("look")
        await handle.signal("finish")
        return {"update": update, "rejected": rejected, "look": look, **await outcome(handle)}


async def reply_or_failed_task(handle, reply):
    """What a client sees that sends the workflow something it cannot handle."""
    reply = asyncio.ensure_future(reply)
    for _ in range(150):
        await asyncio.wait([reply], timeout=0.4)
        if reply.done():
            try:
                return dict(status="answered", type="", text=str(reply.result()))
            except Exception as e:
                cause = e.__cause__ or e
                return dict(status="refused", type=getattr(cause, "type", None) or type(cause).__name__, text=str(cause))
        task = await failed_task(handle)
        if task:
            reply.cancel()
            return dict(status="task-failed", type=task[0], text=task[1])
    reply.cancel()
    return dict(status="hung", type="", text="")


def violation_in(where):
    async def play(stage):
        async with stage.worker(flows_handlers.Handlers):
            handle = await stage.start(flows_handlers.Handlers, where)
            try:
                if where == "signal":
                    await handle.signal("poke")
                elif where == "query":
                    return await reply_or_failed_task(handle, handle.query("look"))
                elif where in ("update", "validator"):
                    return await reply_or_failed_task(handle, handle.execute_update("change", "x"))
                return await outcome(handle)
            finally:
                with contextlib.suppress(Exception):
                    await handle.terminate()
    SCENARIOS[f"violation_in_{where}"] = play


for _where in ("init", "run", "signal", "query", "update", "validator"):
    violation_in(_where)


@scenario
async def module_state(stage):
    async with stage.worker(flows_state.State):
        one_by_one = [await stage.run(flows_state.State, 2) for _ in range(3)]
        at_once = await asyncio.gather(*(stage.run(flows_state.State, 4) for _ in range(12)))
        return {"one_by_one": one_by_one, "at_once": at_once}


@scenario
async def module_state_without_cache(stage):
    async with stage.worker(flows_state.State, max_cached_workflows=0, max_concurrent_workflow_task_polls=1):
        return await asyncio.gather(*(stage.run(flows_state.State, 4) for _ in range(4)))


@scenario
async def module_state_of_the_host(stage):
    """What the host's own copy of the module holds after workflows changed theirs."""
    async with stage.worker(flows_state.State):
        await stage.run(flows_state.State, 2)
    return [flows_state.COUNTER, flows_state.ITEMS, flows_state.TABLE, flows_state.Registry.seen]


@scenario
async def chain_of_runs(stage):
    async with stage.worker(flows_state.Chain, flows_state.Child):
        return await stage.run(flows_state.Chain, [])


@scenario
async def late_import(stage):
    async with stage.worker(flows_misc.LateImport):
        return [await stage.run(flows_misc.LateImport) for _ in range(2)]


@scenario
async def sandbox_flags(stage):
    async with stage.worker(flows_misc.SandboxFlags):
        return await stage.run(flows_misc.SandboxFlags)


@scenario
async def restricted_again(stage):
    async with stage.worker(flows_misc.RestrictedAgain):
        return await stage.run(flows_misc.RestrictedAgain)


@scenario
async def waits_unrestricted(stage):
    with concurrent.futures.ThreadPoolExecutor(1) as one:
        async with stage.worker(flows_misc.WaitsUnrestricted, flows_misc.ReadsClock, workflow_task_executor=one):
            waiting = await stage.start(flows_misc.WaitsUnrestricted)
            await asyncio.sleep(0.5)
            other = await stage.run(flows_misc.ReadsClock)
            await waiting.signal("on")
            return [other, await outcome(waiting)]


@scenario
async def not_sandboxed(stage):
    async with stage.worker(flows_misc.NotSandboxed, flows_misc.ReadsClock):
        return [await stage.run(flows_misc.NotSandboxed), await stage.run(flows_misc.ReadsClock)]


@scenario
async def unsandboxed_runner(stage):
    async with stage.worker(flows_misc.ReadsClock, flows_misc.Counts, workflow_runner=UnsandboxedWorkflowRunner()):
        return [await stage.run(flows_misc.ReadsClock), await stage.run(flows_misc.Counts), await stage.run(flows_misc.Counts)]


@scenario
async def interceptor_reads_clock(stage):
    before = len(interceptors.TIMES)
    async with stage.worker(flows_misc.Order, interceptors=[interceptors.Timing()]):
        ended = await order(stage, await stage.start(flows_misc.Order, "tea"))
    return {**ended, "read": len(interceptors.TIMES) - before}


@scenario
async def interceptor_does_not_excuse_the_workflow(stage):
    async with stage.worker(flows_misc.ReadsClock, interceptors=[interceptors.Timing()]):
        return await stage.run(flows_misc.ReadsClock)


async def replay(handle, *workflows):
    result = await Replayer(workflows=workflows).replay_workflow(await handle.fetch_history(), raise_on_replay_failure=False)
    return None if result.replay_failure is None else repr(result.replay_failure)


@scenario
async def replay_of_clean_workflow(stage):
    async with stage.worker(flows_misc.Order):
        handle = await stage.start(flows_misc.Order, "tea")
        await order(stage, handle)
    return await replay(handle, flows_misc.Order)


@scenario
async def replay_of_refused_workflow(stage):
    async with stage.worker(flows_misc.ReadsClock, workflow_runner=UnsandboxedWorkflowRunner()):
        handle = await stage.start(flows_misc.ReadsClock)
        await outcome(handle)
    return await replay(handle, flows_misc.ReadsClock)


@scenario
async def host_is_never_judged(stage):
    """Other threads read the clock as fast as they can while workflows run and are refused."""
    errors, turns, stop = [], [0], threading.Event()

    def hammer():
        while not stop.is_set():
            try:
                activities.do_everything()
                isinstance(1, int)
                import json.decoder  # noqa: F401
                turns[0] += 1
            except BaseException as e:
                errors.append(repr(e))

    threads = [threading.Thread(target=hammer) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        async with stage.worker(flows_misc.SandboxFlags, flows_misc.Swallows, flows_state.State):
            ended = await asyncio.gather(*(stage.run(flows_misc.SandboxFlags) for _ in range(6)),
                                         *(stage.run(flows_state.State, 3) for _ in range(6)),
                                         *(stage.run(flows_misc.Swallows, "bare_except") for _ in range(3)))
    finally:
        stop.set()
        for t in threads:
            t.join()
    return {"errors": errors[:3], "turns": turns[0], "ended": [e["status"] for e in ended]}


def seconds_of_isinstance():
    """Processor time of this thread for many checks: waiting for other threads does not count."""
    class Shape(abc.ABC):
        pass

    value, rounds = Shape(), range(20_000)
    began = time.thread_time()
    for _ in rounds:
        isinstance(value, Shape), isinstance(value, dict), isinstance(1, int)
    return time.thread_time() - began


@scenario
async def isinstance_elsewhere(stage):
    """What isinstance costs on another thread before there is a worker, and during one long activation. Needs a host of its
    own: see STOP."""
    def least():
        return min(seconds_of_isinstance() for _ in range(41))

    alone = await asyncio.to_thread(least)
    helper_shared.STOP.clear()
    async with stage.worker(flows_busy.Busy):
        handle = await stage.start(flows_busy.Busy)
        while handle.id not in helper_shared.SEEN:
            await asyncio.sleep(0.01)
        beside = await asyncio.to_thread(least)
        helper_shared.STOP.set()
        await handle.result()
    return {"alone": alone, "beside": beside, "kinds": [type(isinstance).__name__, type(abc.ABCMeta.__instancecheck__).__name__]}


def swallowed_by(how):
    async def play(stage):
        async with stage.worker(flows_misc.Swallows):
            return await stage.run(flows_misc.Swallows, how)
    SCENARIOS[f"swallowed_by_{how}"] = play


for _how in ("except_exception", "bare_except", "gather", "application_error", "application_error_non_retryable", "finally_return",
             "before_timer", "continue_as_new"):
    swallowed_by(_how)


@scenario
async def exception_as_the_workflow_sees_it(stage):
    async with stage.worker(flows_misc.SeesException):
        handle = await stage.start(flows_misc.SeesException)
        return {**await outcome(handle), "seen": helper_shared.SEEN.get(handle.id)}


@scenario
async def refusal_as_task_failure(stage):
    async with stage.worker(flows_misc.MakesLoggedId):
        begun = []

        async def begin():
            begun.append(await stage.start(flows_misc.MakesLoggedId))
            return begun[-1]
        ended = await outcome_of(begin)
        return {"id": begun[-1].id, "run_id": begun[-1].first_execution_run_id, **ended}


@scenario
async def late_refusal(stage):
    async with stage.worker(flows_misc.ChangesShared, workflow_failure_exception_types=[Exception]):
        return {str(ends): await stage.run(flows_misc.ChangesShared, ends) for ends in (True, False)}


@scenario
async def refusal_as_workflow_failure(stage):
    async with stage.worker(flows_misc.MakesId, workflow_failure_exception_types=[Exception]):
        return await stage.run(flows_misc.MakesId)


@scenario
async def finaliser_during_an_activation(stage):
    async with stage.worker(flows_misc.CollectsGarbage):
        handle = await stage.start(flows_misc.CollectsGarbage)
        ended = await outcome(handle)
    return {**ended, "id": handle.id, "finalised": [name for name, *_ in helper_shared.FINALISED]}


@scenario
async def stuck_beside_others(stage):
    """One run blocks its thread until another of the same file has run, and one that was there before has ended."""
    with contextlib.ExitStack() as until:
        helper_shared.FREE.clear()
        until.callback(helper_shared.FREE.set)
        async with stage.worker(flows_busy.Stuck):
            waiting = await stage.start(flows_busy.Stuck, "waits")
            while waiting.id not in helper_shared.SEEN:
                await asyncio.sleep(0.01)
            stuck = await stage.start(flows_busy.Stuck, "sticks")
            while stuck.id not in helper_shared.SEEN:
                await asyncio.sleep(0.01)
            later = await stage.run(flows_busy.Stuck, "passes")
            await waiting.signal(flows_busy.Stuck.wake)
            woken = await waiting.result()
            until.close()
            return {"later": later, "waiting": woken, "stuck": await stuck.result()}


@scenario
async def blocked_thread_is_found(stage):
    helper_shared.STOP.clear()
    try:
        async with stage.worker(flows_busy.Busy):
            ended = await stage.run(flows_busy.Busy)
            helper_shared.STOP.set()
            return ended
    finally:
        helper_shared.STOP.set()


@scenario
async def stuck_run_beside_others(stage):
    """Runs of the same file and worker: one is stuck, the others go on meanwhile."""
    with contextlib.ExitStack() as until:
        helper_shared.FREE.clear()
        until.callback(helper_shared.FREE.set)
        async with stage.worker(flows_stuck.Stuck, flows_stuck.Patient):
            others = [await stage.start(flows_stuck.Patient) for _ in range(2)]
            for handle in others:
                await handle.query("state")
            stuck = await stage.start(flows_stuck.Stuck)
            while helper_shared.SEEN.get(stuck.id) != "busy":
                await asyncio.sleep(0.01)
            for handle in others:
                await handle.signal("pay")
            done, _ = await asyncio.wait([asyncio.ensure_future(handle.result()) for handle in others], timeout=30)
            until.close()
            return {"done": len(done), "failures": [await failed_task(handle) for handle in others]}


@scenario
async def fork_in_an_activity(stage):
    async with stage.worker(flows_misc.ForksInActivity):
        return await stage.run(flows_misc.ForksInActivity)


def restricted(**changes):
    return SandboxedWorkflowRunner(restrictions=dataclasses.replace(SandboxRestrictions.default, **changes))


DEFAULT_MEMBERS = SandboxRestrictions.invalid_module_members_default


@scenario
async def worker_lifts_one_restriction(stage):
    runner = restricted(invalid_module_members=DEFAULT_MEMBERS.with_child_unrestricted("time", "time"))
    async with stage.worker(flows_misc.ReadsClock, flows_misc.MakesId, workflow_runner=runner):
        return [await stage.run(flows_misc.ReadsClock), await stage.run(flows_misc.MakesId)]


@scenario
async def worker_adds_a_restriction(stage):
    runner = restricted(invalid_module_members=DEFAULT_MEMBERS | SandboxMatcher(
        children={"helper_shared": SandboxMatcher(use={"count"}, only_runtime=False)}))
    async with stage.worker(flows_misc.CallsShared, workflow_runner=runner):
        return await stage.run(flows_misc.CallsShared, "count")


@scenario
async def another_worker_adds_restrictions(stage):
    """One worker names functions; the other one's workflows call them."""
    naming = restricted(invalid_module_members=DEFAULT_MEMBERS | SandboxMatcher(
        children={"helper_private": SandboxMatcher(use={"read_clock"}), "tarfile": SandboxMatcher(use={"is_tarfile"})}))
    async with stage.worker(flows_invalid.CallsOneOf, workflow_runner=naming, queue=stage.queue + "-naming"), \
            stage.worker(flows_invalid.CallsOneOf):
        return [await stage.run(flows_invalid.CallsOneOf, what, queue=queue) for queue in (stage.queue + "-naming", stage.queue)
                for what in ("clock", "file")]


@scenario
async def worker_restricts_classes_of_a_private_module(stage):
    """More runs than there are trampolines of a kind, between the first ones and the last ones."""
    names = helper_classes.NAMES
    runner = restricted(invalid_module_members=DEFAULT_MEMBERS | SandboxMatcher(
        children={"helper_classes": SandboxMatcher(use=set(names))}))
    async with stage.worker(flows_invalid.MakesOneOf, workflow_runner=runner, workflow_failure_exception_types=[Exception]):
        first = [await stage.run(flows_invalid.MakesOneOf, name) for name in names]
        others = [await asyncio.gather(*(stage.run(flows_invalid.MakesOneOf, "") for _ in range(10))) for _ in range(7)]
        last = [await stage.run(flows_invalid.MakesOneOf, name) for name in names]
    return {"refused": dict(zip([f"first {name}" for name in names] + [f"last {name}" for name in names], first + last)),
            "others": sum(others, [])}


@scenario
async def private_module_is_called(stage):
    async with stage.worker(flows_invalid.ImportsPrivate):
        return [await stage.run(flows_invalid.ImportsPrivate) for _ in range(2)]


@scenario
async def worker_forbids_a_module(stage):
    try:
        stage.worker(flows_invalid.ImportsPrivate, workflow_runner=restricted(invalid_modules=SandboxMatcher(access={"helper_private"})))
    except Exception as e:
        return [type(e.__cause__).__name__, str(e.__cause__)]
    return ["", "accepted"]


@scenario
async def worker_passes_a_module_through(stage):
    runner = SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules("helper_private"))
    async with stage.worker(flows_invalid.ImportsPrivate, workflow_runner=runner):
        return [(await stage.run(flows_invalid.ImportsPrivate)).get("result") for _ in range(2)]


@scenario
async def private_module_counts(stage):
    async with stage.worker(flows_invalid.ImportsPrivate):
        return [(await stage.run(flows_invalid.ImportsPrivate)).get("result") for _ in range(2)]


@scenario
async def workers_with_different_restrictions(stage):
    lenient = restricted(invalid_module_members=DEFAULT_MEMBERS.with_child_unrestricted("time", "time"))
    async with stage.worker(flows_misc.ReadsClock, workflow_runner=lenient), \
            stage.worker(flows_misc.ReadsClock, queue=stage.queue + "-b"):
        return await asyncio.gather(*(stage.run(flows_misc.ReadsClock, id=f"{stage.queue}-{i}",
                                                queue=stage.queue + ("-b" if i % 2 else "")) for i in range(6)))


@scenario
async def resume_before(stage):
    """First half of a restart: leaves an Order that waits for its payment to the next process."""
    queue = os.environ["SG_RESUME"]
    async with stage.worker(flows_misc.Order, queue=queue):
        handle = await stage.start(flows_misc.Order, "tea", id=queue, queue=queue)
        while True:
            done = [e async for e in handle.fetch_history_events() if e.HasField("marker_recorded_event_attributes")]
            if done and await handle.query("state") == "open":
                return "waiting"
            await asyncio.sleep(0.1)


@scenario
async def resume_after(stage):
    queue = os.environ["SG_RESUME"]
    async with stage.worker(flows_misc.Order, queue=queue):
        handle = stage.client.get_workflow_handle(queue)
        ended = await order(stage, handle)
    return {**ended, "failed_task": await failed_task(handle), "replay": await replay(handle, flows_misc.Order)}


@scenario
async def many_clock_readings(stage):
    async with stage.worker(flows_many.ManyReadings):
        return await stage.run(flows_many.ManyReadings)


async def play_behind(gate, name, client):
    async with gate:
        await play(name, Stage(client))


async def main():
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    client = await connect()
    gate = asyncio.Semaphore(8)
    await asyncio.gather(*(play_behind(gate, name, client) for name in NAMES))
    EXECUTOR.shutdown()
    await asyncio.sleep(0.5)  # see the end of main_worker.py


asyncio.run(main())
