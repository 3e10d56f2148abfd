"""What is left of workers that have ended, without a server: ended_workers.py WHAT. Prints one JSON object."""
import asyncio
import concurrent.futures
import dataclasses
import gc
import importlib
import json
import os
import pathlib
import sys
import time
import weakref

from temporalio.worker import _workflow
from temporalio.worker import _workflow_instance as instances
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import flow_of_test
import image_runs
import leaving

inner, classes = [], []


def watch():
    original = instances._WorkflowInstanceImpl.__init__

    def init(self, details):
        inner.append(weakref.ref(self))
        if details.defn.cls is not flow_of_test.Flow and details.defn.cls not in [reference() for reference in classes]:
            classes.append(weakref.ref(details.defn.cls))
        original(self, details)
    instances._WorkflowInstanceImpl.__init__ = init


def modules():
    """How many of the workflow's module there are, beside the host's: by its class."""
    gc.collect()
    return sum(reference() is not None for reference in classes)


def new_runner():
    return SandboxedWorkflowRunner(restrictions=dataclasses.replace(SandboxRestrictions.default))


def activate(instance, number, job):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(instance.activate, leaving.activation(number, job)).result()


def one_run(runner, number):
    instance = runner.create_instance(image_runs.details(flow_of_test.Flow, number))
    activate(instance, number, "initialize_workflow")
    activate(instance, number, "remove_from_cache")


async def settles(count):
    """The count once it is 0, or what it is after some seconds."""
    for _ in range(100):
        gc.collect()
        if not count():
            break
        await asyncio.sleep(0.05)
    return count()


async def settings():
    """Each worker has settings of its own."""
    for number in range(8):
        one_run(new_runner(), number)
    return {"modules": await settles(modules)}


async def collects():
    """Garbage that was there when an image was made is collected as ever."""
    class Node:
        pass
    node = Node()
    node.itself, reference = node, weakref.ref(node)
    one_run(new_runner(), 0)
    del node
    gc.collect()
    return {"there": reference() is not None}


async def live_run():
    """The settings are gone, the run is not."""
    instance = new_runner().create_instance(image_runs.details(flow_of_test.Flow, 1))
    gc.collect()
    activate(instance, 1, "initialize_workflow")
    answer = {"while it lives": modules()}
    activate(instance, 1, "remove_from_cache")
    del instance
    return {**answer, "modules": await settles(modules)}


async def reload(load=importlib.reload, new=False):
    """The host imports the workflow's file again and again; runs of the worker that is there get what it says then."""
    runner, path, seen = new_runner(), pathlib.Path(flow_of_test.__file__), []
    text, flow = path.read_text(), flow_of_test.Flow
    for version in range(8):
        path.write_text(text + f"\n    VERSION = {version}{'0' * version}\n")  # another size: its time may be the same
        load(flow_of_test)
        # Of the class that the worker was given when it began, where there is no other.
        instance = runner.create_instance(image_runs.details(flow_of_test.Flow if new else flow, version))
        seen.append(next(o for o in gc.get_objects() if type(o).__name__ == "_WorkflowInstanceImpl")._defn.cls.VERSION)
        del instance
        await settles(lambda: sum(reference() is not None for reference in inner))
    return {"seen": seen, "modules": modules()}


async def executed():
    """As reload, by a tool that executes the file without the import system, and hands on the new class."""
    return await reload(lambda module: exec(compile(pathlib.Path(module.__file__).read_text(), module.__file__, "exec"), vars(module)), True)


async def helper():
    """Only a module that the workflow's file imports has been imported again."""
    import helper_of_test
    runner, path, seen = new_runner(), pathlib.Path(helper_of_test.__file__), []
    for version in (1, 22, 333):
        path.write_text(f"VERSION = {version}\n")
        if version != 333:
            importlib.reload(helper_of_test)
        instance = runner.create_instance(image_runs.details(flow_of_test.Flow, version))
        seen.append(next(o for o in gc.get_objects() if type(o).__name__ == "_WorkflowInstanceImpl")._defn.cls.VERSION)
        del instance
        await settles(lambda: sum(reference() is not None for reference in inner))
    return {"seen": seen}


async def runs_without_a_word(number, keep=None):
    """Makes runs and drops them, but for one that keep gets: what of them is left?"""
    runner = new_runner()
    if keep is not None:
        keep.append(runner.create_instance(image_runs.details(flow_of_test.Flow, 0)))
        activate(keep[0], 0, "initialize_workflow")
    before = len(inner)
    for each in range(number):
        instance = runner.create_instance(image_runs.details(flow_of_test.Flow, each))
        activate(instance, each, "initialize_workflow")
        del instance
    return {"left": await settles(lambda: sum(reference() is not None for reference in inner[before:]))}


def fork():
    """As runs_without_a_word(), in the child of a process that has runs."""
    watch()
    mine = []
    asyncio.run(runs_without_a_word(1, mine))
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    mine.clear()
    print(json.dumps(asyncio.run(runs_without_a_word(5))), flush=True)


def interrupted():
    """The process ends by an exception, with a run."""
    mine = []
    asyncio.run(runs_without_a_word(0, mine))
    raise {"KeyboardInterrupt": KeyboardInterrupt, "SystemExit": SystemExit}[sys.argv[2]](7)


class Bridge:
    async def finalize_shutdown(self):
        return "shut down"


async def escaped():
    """A worker shuts down; one of its runs has ended, or was left by what ends the process."""
    runner, answers = new_runner(), []
    for number in range(2):
        instance, bridge = runner.create_instance(image_runs.details(flow_of_test.Flow, number)), Bridge()
        if number:
            os.environ["ESCAPES"] = sys.argv[2]
        try:
            activate(instance, number, "initialize_workflow")
        except BaseException as error:
            answers.append(type(error).__name__)
        worker = object.__new__(_workflow._WorkflowWorker)
        worker._bridge_worker, worker._running_workflows = lambda: bridge, {"run": instance}
        worker.run().close()
        try:
            answers.append(await bridge.finalize_shutdown())
        except RuntimeError as error:
            answers.append(str(error))
    return {"answers": answers}


async def stuck():
    """A run whose activation does not end cannot be removed; another one can. When it has ended, it can as well."""
    runner, answers = new_runner(), []
    one, other = (runner.create_instance(image_runs.details(flow_of_test.Flow, number)) for number in range(2))
    activate(other, 1, "initialize_workflow")
    os.environ["STUCK"] = "1"
    pool = concurrent.futures.ThreadPoolExecutor(1)
    busy = pool.submit(one.activate, leaving.activation(0, "initialize_workflow"))
    time.sleep(0.3)
    for number, instance in enumerate((one, other)):
        try:
            activate(instance, number, "remove_from_cache")
            answers.append("removed")
        except RuntimeError as error:
            answers.append(str(error))
    del os.environ["STUCK"]
    busy.result()
    activate(one, 0, "remove_from_cache")
    return {"answers": answers}


async def main(what):
    watch()
    print(json.dumps(await globals()[what]()), flush=True)
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1] in ("fork", "interrupted"):
        globals()[sys.argv[1]]()
    else:
        asyncio.run(main(sys.argv[1]))
