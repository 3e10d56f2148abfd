"""Orchestrators of generated files, executed without a backend as a worker does it: the whole history in one call.

    executed.py worlds      each case once: what it returns, or how it failed
    executed.py runs        instances of each case in turn, then at the same time: what each has seen
"""
import datetime
import importlib
import json
import logging
import os
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor

import durabletask.internal.helpers as helpers
import executed_cases
from durabletask import worker
from durabletask.serialization import JsonDataConverter

MOMENT = datetime.datetime(2026, 1, 1)
ONCE = """{top}
def orchestrate(ctx, tag):
{body}
"""
CHANGES = """{top}
def observe():
{observe}
def change(tag):
{change}
def orchestrate(ctx, tag):
    seen = [observe()]
    for name in ("first", "second"):
        change(tag)
        seen.append(observe())
        yield ctx.wait_for_external_event(name)
        seen.append(observe())
    return seen
"""


def work_item(orchestrate, identity, events=()):
    """The answer of the work item in which the last of these events is new."""
    registry = worker._Registry()
    registry.add_named_orchestrator("orchestrate", orchestrate)
    history = [helpers.new_orchestrator_started_event(MOMENT), helpers.new_execution_started_event("orchestrate", identity, json.dumps(identity))]
    for name in events:
        history += [helpers.new_orchestrator_started_event(MOMENT), helpers.new_event_raised_event(name, "null")]
    executor = worker._OrchestrationExecutor(registry, logging.getLogger("executed"), JsonDataConverter())
    answer = executor.execute(identity, history[:-2], history[-2:])
    if not answer.actions:
        return None
    done = answer.actions[-1].completeOrchestration
    return json.loads(done.result.value) if done.orchestrationStatus == 1 else f"failed: {done.failureDetails.errorMessage}"


def take_turns(orchestrate):
    identities, events = ["a", "b", "c"], ["first", "second"]
    seen = {}
    for count in range(3):
        for identity in identities:
            seen[identity] = work_item(orchestrate, identity, events[:count])
    with ThreadPoolExecutor(4) as pool:
        seen.update(zip("defg", pool.map(lambda identity: work_item(orchestrate, identity, events), "defg")))
    return seen


def made(directory, name, text):
    with open(os.path.join(directory, f"case_{name}.py"), "w") as f:
        f.write(text)
    return importlib.import_module("case_" + name)


def main():
    indent = lambda text: textwrap.indent(text, "    ")  # noqa: E731
    answers = {}
    with tempfile.TemporaryDirectory() as directory:
        sys.path.append(directory)
        if sys.argv[1] == "worlds":
            for name, (top, body) in {**executed_cases.SAME, **executed_cases.DIFFERS}.items():
                answers[name] = work_item(made(directory, name, ONCE.format(top=top, body=indent(body))).orchestrate, name)
        else:
            for name, (top, observe, change) in executed_cases.STATE.items():
                module = made(directory, name, CHANGES.format(top=top, observe=indent(observe), change=indent(change)))
                answers[name] = [take_turns(module.orchestrate), module.observe()]
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
