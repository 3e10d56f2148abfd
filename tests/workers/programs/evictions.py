"""Scenarios in which runs leave the cache, for scenarios.py. Each answers what helper_evicted saw."""
import asyncio
import contextlib
import gc

import flows_evicted
import helper_evicted
from common import failed_task, outcome, scenario


def collected(handles):
    """Whatever is left is collected here, on the thread of the worker's event loop."""
    gc.collect()
    gc.collect()  # what the first freed may have held more
    return [{"id": h.id, "ended": helper_evicted.ENDED.get(h.id, {})} for h in handles]


async def elsewhere(handles):
    """Waits for the thread of its own that ends these runs."""
    for _ in range(50):
        await asyncio.sleep(0.2)
        if all("weakref.finalize" in helper_evicted.ENDED.get(h.id, {}) for h in handles):
            break


async def open_run(stage, flow, *args):
    handle = await stage.start(flow, *args)
    while await handle.query("ready") != handle.id:
        await asyncio.sleep(0.05)
    return handle


def small_cache(stage, *workflows, **options):
    return stage.worker(*workflows, max_cached_workflows=2, max_concurrent_workflow_task_polls=2, **options)


async def stop(handles):
    for handle in handles:
        with contextlib.suppress(Exception):
            await handle.terminate()


@scenario
async def evicted_by_shutdown(stage):
    """Two runs that wait, and the worker ends."""
    async with stage.worker(flows_evicted.Leaves):
        handles = [await open_run(stage, flows_evicted.Leaves) for _ in range(2)]
        for handle in handles:
            await handle.signal("lingers")
            await handle.query("ready")
    await elsewhere(handles)
    answer = collected(handles)
    await stop(handles)
    return answer


@scenario
async def evicted_although_stubborn(stage):
    """The first eviction fails because a task goes on; the SDK tries again two seconds later."""
    async with small_cache(stage, flows_evicted.Leaves):
        handles = [await open_run(stage, flows_evicted.Leaves, stubborn) for stubborn in (True, False, False)]
        await asyncio.sleep(4)
        answer = collected(handles[:1])
        await stop(handles)
    return answer


@scenario
async def evicted_by_cache_size(stage):
    """Four runs take turns in a cache for two; then they complete."""
    async with small_cache(stage, flows_evicted.Leaves):
        handles = [await open_run(stage, flows_evicted.Leaves) for _ in range(4)]
        await asyncio.sleep(0.5)
        while_open = collected(handles[:2])
        await asyncio.gather(*(h.signal("finish") for h in handles))
        completed = [(await outcome(h))["status"] for h in handles]
    return {"while_open": while_open, "completed": completed}


@scenario
async def evicted_after_completion(stage):
    async with stage.worker(flows_evicted.Leaves):
        handles = [await open_run(stage, flows_evicted.Leaves) for _ in range(2)]
        await asyncio.gather(*(h.signal("finish") for h in handles))
        await asyncio.gather(*(outcome(h) for h in handles))
    return collected(handles)


@scenario
async def evicted_after_failed_task(stage):
    async with stage.worker(flows_evicted.Fails):
        handle = await stage.start(flows_evicted.Fails)
        while not await failed_task(handle):
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)
        answer = collected([handle])
        await stop([handle])
    return answer


@scenario
async def dropped_without_eviction(stage):
    """The worker's own option: runs are forgotten without a word to their code. Others go on."""
    async with small_cache(stage, flows_evicted.Leaves, flows_evicted.Collects, disable_safe_workflow_eviction=True):
        handles = [await open_run(stage, flows_evicted.Leaves) for _ in range(3)]
        await stage.run(flows_evicted.Collects)
        await stage.run(flows_evicted.Collects)
        await elsewhere(handles[:1])
        answer = collected(handles[:1])
        await stop(handles)
    return answer


@scenario
async def host_drops_meanwhile(stage):
    """What a run has handed to the host is dropped there while another run is in the middle of an activation."""
    async with stage.worker(flows_evicted.Drops, flows_evicted.Waits):
        handle = await open_run(stage, flows_evicted.Drops)
        waits = asyncio.create_task(stage.run(flows_evicted.Waits))
        await asyncio.get_running_loop().run_in_executor(None, helper_evicted.WAITS.wait)
        helper_evicted.KEPT.clear()
        helper_evicted.FREE.set()
        await waits
        answer = [dict(a, ended=dict(a["ended"])) for a in collected([handle])]
        await handle.signal("finish")
        await outcome(handle)
    return answer


@scenario
async def garbage_of_a_live_run(stage):
    """Collected on the event loop's thread, on an activity's and within another run's activation."""
    async with stage.worker(flows_evicted.Drops, flows_evicted.Collects):
        handles = [await open_run(stage, flows_evicted.Drops) for _ in range(2)]
        await stage.run(flows_evicted.Collects)
        helper_evicted.KEPT.clear()
        while_open = [dict(a, ended=dict(a["ended"])) for a in collected(handles)]
        await asyncio.gather(*(h.signal("finish") for h in handles))
        await asyncio.gather(*(outcome(h) for h in handles))
    return {"while_open": while_open, "after": collected(handles)}
