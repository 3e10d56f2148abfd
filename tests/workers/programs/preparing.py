"""What validating workflows and making their instances does, without a server. Prints one JSON object.

usage: preparing.py [minimum]   minimum: only what must be is passed through, so that runs have copies of the standard library
"""
import asyncio
import dataclasses
import importlib
import json
import os
import pathlib
import sys

from temporalio import workflow
from temporalio.worker import _workflow_instance as instances
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import flow_of_test
import image_runs

made, given = [], []


def watch(class_, name, seen):
    original = getattr(class_, name)

    def wrapper(self, details, *rest):
        seen.append(details)
        return original(self, details, *rest)
    setattr(class_, name, wrapper)


class Below(SandboxedWorkflowRunner):
    """A runner of the user's own."""


def times_made(runner, times=3):
    before = len(made)
    for _ in range(times):
        runner.prepare_workflow(workflow._Definition.must_from_class(flow_of_test.Flow))
    return len(made) - before


def refusals(runner, times=3):
    """How often preparing a workflow fails whose file cannot be imported in a sandbox."""
    os.environ["FAILS"] = "1"
    count = 0
    for _ in range(times):
        try:
            runner.prepare_workflow(workflow._Definition.must_from_class(flow_of_test.Flow))
        except ValueError:
            count += 1
    del os.environ["FAILS"]
    return count


def replaced(details, runner):
    """Names of the details that the plain runner got changed, and whether the given ones stayed."""
    copy = dataclasses.replace(details)
    runner.create_instance(details)
    got = given[-1]
    fields = [f.name for f in dataclasses.fields(details)]
    changed = [name for name in fields if getattr(got, name) is not getattr(copy, name)]
    return {"changed": changed, "kept": all(getattr(details, n) is getattr(copy, n) for n in fields),
            "own class": got.defn.cls is not details.defn.cls and got.defn.cls.__name__ == "Flow"}


def reloaded(runner):
    """Versions of the file that a run has before it is imported again, after, and where the file has only changed on disk."""
    versions = []
    for version in (2, 3):
        path = pathlib.Path(flow_of_test.__file__)
        path.write_text(path.read_text() + f"\n    VERSION = {version}\n")
        if version == 2:
            importlib.reload(flow_of_test)
        for _ in range(2):
            runner.prepare_workflow(workflow._Definition.must_from_class(flow_of_test.Flow))
            runner.create_instance(image_runs.details(flow_of_test.Flow, version))
        versions.append(given[-1].defn.cls.VERSION)
    return versions


async def main():
    watch(instances._WorkflowInstanceImpl, "__init__", made)
    watch(instances.UnsandboxedWorkflowRunner, "create_instance", given)
    result = {}
    result["refused"] = refusals(SandboxedWorkflowRunner())
    runner = SandboxedWorkflowRunner()
    if sys.argv[1:] == ["minimum"]:
        minimum = SandboxRestrictions.passthrough_modules_minimum
        runner = SandboxedWorkflowRunner(dataclasses.replace(SandboxRestrictions.default, passthrough_modules=minimum))
    result["a class below"] = times_made(Below(restrictions=runner.restrictions))
    result["prepared"] = times_made(runner)
    result["another runner"] = times_made(SandboxedWorkflowRunner())
    restrictions = dataclasses.replace(runner.restrictions)
    result["other settings"] = times_made(SandboxedWorkflowRunner(restrictions=restrictions))
    details = image_runs.details(flow_of_test.Flow, 1)
    result["details"] = replaced(details, runner)
    typed = dataclasses.replace(details, worker_level_failure_exception_types=[ValueError])
    result["details with types"] = replaced(typed, runner)
    result["types"] = [t.__name__ for t in given[-1].worker_level_failure_exception_types]
    result["reloaded"] = reloaded(runner)
    print(json.dumps(result), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
