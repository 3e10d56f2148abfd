"""Plays programs: started by run.py, reads one request a line, answers with one line each.

    python driver.py worker|alone|fresh

"worker" makes runs the way a worker does, through SandboxedWorkflowRunner.create_instance, and interleaves them as the
schedule says; what isolates them is up to the environment (the preload, or else the SDK's own sandbox). "alone" plays one
run after the other, each with freshly executed modules and no sandbox; "fresh" does that in a new process for every run.

A step of the schedule is [run, thread, job, ...]. Jobs: create, replay (everything the run was told before, again), evict,
cancel, fire (the oldest timer), [init, value], [signal|query|update, name, value]. Thread 0 only creates, as the event
loop of a worker does. Each step has a log: what the workflow noted, and the completion.
"""
import asyncio
import contextvars
import dataclasses
import faulthandler
import gc
import importlib
import json
import logging
import os
import pathlib
import sys
import threading
import warnings
import zlib

import generate
import registry
import temporalio.converter
import temporalio.workflow
import witness
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.worker._workflow_instance import WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.worker.workflow_sandbox._runner import _fake_info

TIME_LIMIT = 20  # seconds for a program
OWN = SandboxRestrictions.default.with_passthrough_modules("witness", "registry")
LOOP = asyncio.new_event_loop()
LEFT = []


def runners(shared_libraries, count):
    """New ones for each program: what is kept for their settings goes with them."""
    libraries = ("attr", "attrs") if shared_libraries else ()
    return [SandboxedWorkflowRunner(OWN.with_passthrough_modules(*libraries, f"only{i}"), witness.Runner) for i in range(count)]


def details(definition, run):
    values = {
        "payload_converter_factory": temporalio.converter.DataConverter.default._new_payload_converter,
        "payload_converter_class": temporalio.converter.DefaultPayloadConverter,
        "failure_converter_class": temporalio.converter.DefaultFailureConverter,
        "interceptor_classes": [],
        "defn": definition,
        "info": dataclasses.replace(_fake_info, run_id=f"run-{run}", workflow_id=f"workflow-{run}",
                                    workflow_type="Flow"),
        "randomness_seed": run,
        "extern_functions": {},
        "disable_eager_activity_execution": False,
        "worker_level_failure_exception_types": [],
        "patch_activation_callback": None,
        "last_completion_result": Payloads(),
        "last_failure": Failure(),
    }
    known = {f.name for f in dataclasses.fields(WorkflowInstanceDetails)}
    return WorkflowInstanceDetails(**{k: v for k, v in values.items() if k in known})


def failure_text(failure):
    kind = failure.application_failure_info.type or failure.WhichOneof("failure_info") or ""
    cause = f" because {failure_text(failure.cause)}" if failure.HasField("cause") else ""
    return f"{kind}: {witness.without_addresses(failure.message.partition('Stack traces below')[0])}{cause}"


def command_text(command):
    kind = command.WhichOneof("variant")
    if kind == "start_timer":
        return f"timer {command.start_timer.seq}"
    if kind == "cancel_timer":
        return f"timer {command.cancel_timer.seq} off"
    if kind == "complete_workflow_execution":
        return f"completed {command.complete_workflow_execution.result.data.decode()}"
    if kind == "fail_workflow_execution":
        return f"failed {failure_text(command.fail_workflow_execution.failure)}"
    if kind == "respond_to_query":
        answer = command.respond_to_query
        good = answer.HasField("succeeded")
        return f"answer {answer.succeeded.response.data.decode() if good else failure_text(answer.failed)}"
    if kind == "update_response":
        answer = command.update_response
        what = answer.WhichOneof("response")
        return f"update {what} {answer.completed.data.decode() if what == 'completed' else ''}" + (
            failure_text(answer.rejected) if what == "rejected" else "")
    return kind


class Run:
    """One workflow execution: its instance while it is cached, and its log."""

    def __init__(self, number, full, alone):
        self.number, self.full, self.alone = number, full, alone
        self.instance = None
        self.variables = None  # context variables of a run alone; a worker has to see to them itself
        self.timers = []
        self.history = []  # activations before this one, for a replay
        self.ended = False
        self.steps = []
        self.lines = 0
        self.serial = 0
        self.addresses = set()
        self.error = None

    def log(self, lines):
        self.lines += len(lines)
        if not self.error and any("RestrictedWorkflowAccessError" in line for line in lines):
            self.error = "RestrictedWorkflowAccessError"
        self.steps.append(lines if self.full else f"{zlib.crc32('|'.join(lines).encode()):08x}")

    def create(self, play):
        if self.instance is not None:
            LEFT.append(self.instance)

        def make():
            asyncio._set_running_loop(LOOP)
            try:
                return play.runner(self.number).create_instance(details(play.definition(self.number), self.number))
            finally:
                asyncio._set_running_loop(None)
        lines = []
        witness.begin(lines, self.addresses)
        try:
            play.before_create(self.number)
            self.instance = contextvars.copy_context().run(make)
            self.timers, self.ended = [], False
            self.variables = None
        except Exception as e:
            self.fail(lines, e)
        finally:
            witness.end()
        self.log(lines)

    def fail(self, lines, error):
        text = f"{type(error).__name__}: {witness.without_addresses(str(error).partition('Stack traces below')[0])}"
        lines.append(f"raised {text}")
        if not self.error:
            self.error = text
        self.ended = True

    def activation(self, jobs, serial, replaying):
        act = WorkflowActivation(run_id=f"run-{self.number}", is_replaying=replaying, history_length=serial)
        act.timestamp.FromSeconds(1_700_000_000 + serial)
        for index, (kind, *rest) in enumerate(jobs):
            if kind == "fire":
                if self.timers:
                    act.jobs.add().fire_timer.seq = self.timers.pop(0)
                continue
            job = act.jobs.add()
            values = [Payload(metadata={"encoding": b"json/plain"}, data=str(rest[-1]).encode())] if rest else []
            if kind == "init":
                job.initialize_workflow.workflow_type = "Flow"
                job.initialize_workflow.workflow_id = f"workflow-{self.number}"
                job.initialize_workflow.randomness_seed = self.number
                job.initialize_workflow.arguments.extend(values)
            elif kind == "signal":
                job.signal_workflow.signal_name = rest[0]
                job.signal_workflow.input.extend(values)
            elif kind == "query":
                job.query_workflow.query_id = f"query-{serial}-{index}"
                job.query_workflow.query_type = rest[0]
                job.query_workflow.arguments.extend(values)
            elif kind == "update":
                job.do_update.id = job.do_update.protocol_instance_id = f"update-{serial}-{index}"
                job.do_update.name = rest[0]
                job.do_update.run_validator = not replaying
                job.do_update.input.extend(values)
            elif kind == "cancel":
                job.cancel_workflow.SetInParent()
            elif kind == "evict":
                job.remove_from_cache.SetInParent()
        return act

    def call(self, function, argument):
        """Alone, a run has context variables of its own: the thread's, and what it sets stays with it."""
        if not self.alone:
            return function(argument)
        if self.variables is None:
            self.variables = contextvars.copy_context()
        return self.variables.run(function, argument)

    def activate(self, jobs, serial, replaying, lines):
        act = self.activation(jobs, serial, replaying)
        if not act.jobs:
            lines.append("idle")
            return
        witness.begin(lines, self.addresses)
        try:
            completion = self.call(self.instance.activate, act)
        except Exception as e:
            self.fail(lines, e)
            return
        finally:
            witness.end()
        if completion.HasField("failed"):
            lines.append(f"task failed {failure_text(completion.failed.failure)}")
            self.error = self.error or lines[-1]
            self.ended = True
        for command in completion.successful.commands:
            text = command_text(command)
            lines.append(text)
            if text.startswith("timer"):
                number = command.start_timer.seq or command.cancel_timer.seq
                if text.endswith("off"):
                    self.timers = [t for t in self.timers if t != number]
                else:
                    self.timers.append(number)
            if text.startswith(("completed", "failed", "cancel_workflow")):
                self.ended = True

    def step(self, jobs, play):
        kind = jobs[0][0] if jobs else None
        if kind == "create":
            self.create(play)
            return
        lines = []
        if self.instance is None:
            lines.append("not there")
        elif kind == "replay":
            for serial, told in self.history:
                if self.ended:
                    break
                lines.append("again")
                self.activate(told, serial, True, lines)
        elif kind == "evict":
            self.activate(jobs, 0, True, lines)
            if lines and lines[-1].startswith("raised"):  # tasks of it are still waiting, and shall for ever
                LEFT.append(self.instance)
            self.instance = None
        elif self.ended and kind != "query":
            lines.append("ended")
        else:
            self.serial += 1
            if kind != "query":
                self.history.append((self.serial, jobs))
            self.activate(jobs, self.serial, False, lines)
        self.log(lines)


class Play:
    """One program, with all of its runs or with one."""

    def __init__(self, request, only=None):
        program = request["program"]
        self.package = request["package"]
        self.parallel = program["parallel"]
        self.gc = program["gc"]
        self.schedule = [s for s in program["schedule"] if only is None or s[0] == only]
        self.runs = {number: Run(number, request.get("full"), only is not None) for number in sorted({s[0] for s in self.schedule})}
        self.alone = only is not None
        self.flows = program.get("flows", ["flow"])
        self.runners = [witness.Runner()] if self.alone else runners(program["shared_libraries"],
                                                                             program.get("settings", 1))
        witness.Settings.package = self.package
        witness.Settings.by_name = program["by_name"]
        witness.Settings.unordered = program["unordered"]

    def runner(self, run):
        return self.runners[run // len(self.flows) % len(self.runners)]

    def flow(self, run):
        return self.flows[run % len(self.flows)]

    def load(self, names):
        # What modules set in context variables is not for the next program.
        for name in names:
            contextvars.copy_context().run(importlib.import_module, f"{self.package}.{name}")

    def definition(self, run):
        return temporalio.workflow._Definition.must_from_class(sys.modules[f"{self.package}.{self.flow(run)}"].Flow)

    def before_create(self, run):
        """Without a sandbox, fresh modules are what isolates a run, also from its former self."""
        if self.alone:
            witness.Settings.generation += 1
            self.forget()
            self.load([self.flow(run)])

    def run(self):
        self.load(sorted({self.flow(run) for run in self.runs}))
        host = sys.modules[self.package]
        before = witness.show(host)
        done = [threading.Event() for _ in self.schedule]
        last = {}
        waits = []  # for each step, the one that must have been made before
        for index, (run, *_) in enumerate(self.schedule):
            waits.append(last.get(run) if self.parallel else index - 1 if index else None)
            last[run] = index

        def place(step):
            """A lone run has one thread, next to the one that creates it: what is its thread's own is the run's own."""
            return step[1] if not self.alone else int(step[2][0] != "create")

        def thread(number):
            for index, step in enumerate(self.schedule):
                if place(step) == number:
                    if waits[index] is not None:
                        done[waits[index]].wait()
                    try:
                        self.runs[step[0]].step(step[2:], self)
                    finally:
                        done[index].set()
            if self.alone and number:
                for event in done:
                    event.wait()
                self.evict_all()

        threads = [threading.Thread(target=thread, args=(n,)) for n in sorted({place(s) for s in self.schedule} - {0})]
        if self.gc:
            gc.set_threshold(20, 5, 5)
            gc.enable()
        sys.setswitchinterval(1e-5 if self.parallel else 5e-3)
        for t in threads:
            t.start()
        thread(0)
        for t in threads:
            t.join()
        last = threading.Thread(target=self.evict_all)
        last.start()
        last.join()
        gc.disable()
        return witness.show(host) == before

    def evict_all(self):
        """As a worker does that shuts down. Otherwise finally blocks would run whenever garbage is collected."""
        for run in self.runs.values():
            if run.instance is not None:
                run.step([["evict"]], self)

    def forget(self):
        for name in [n for n in sys.modules if n.partition(".")[0] == self.package]:
            del sys.modules[name]

    def result(self):
        return {str(r.number): r.steps for r in self.runs.values()}


def together(request):
    play = Play(request)
    try:
        same = play.run()
        addresses = [r.addresses for r in play.runs.values() if r.addresses]
        return {"runs": {**play.result(), "host": ["same" if same else "changed"]},
                "shared": len(addresses) > 1 and any(a & b for i, a in enumerate(addresses) for b in addresses[:i]),
                "error": next((r.error for r in play.runs.values() if r.error), None)}
    finally:
        play.forget()
        witness.STRAY.clear()


def one_by_one(request):
    runs, lines = {}, 0
    for only in sorted({s[0] for s in request["program"]["schedule"]}):
        play = Play(request, only)
        try:
            play.run()
            runs.update(play.result())
            lines += sum(r.lines for r in play.runs.values())
        finally:
            play.forget()
    return {"runs": {**runs, "host": ["same"]}, "lines": lines}


def in_new_processes(request):
    runs = {}
    for only in sorted({s[0] for s in request["program"]["schedule"]}):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                play = Play(request, only)
                play.run()
                with open(writer, "w") as out:
                    json.dump(play.result(), out)
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader) as answer:
            text = answer.read()
        os.waitpid(child, 0)
        runs.update(json.loads(text))
    return {"runs": {**runs, "host": ["same"]}}


def main():
    answer = {"worker": together, "alone": one_by_one, "fresh": in_new_processes}[sys.argv[1]]
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None
    faulthandler.enable()
    out = os.fdopen(os.dup(1), "w")
    gc.disable()
    out.write("ready\n")
    out.flush()
    for number, line in enumerate(sys.stdin):
        request = json.loads(line)
        folder = pathlib.Path(request["folder"])
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        gc.unfreeze()
        # What the last programs left is freed: most of it is young.
        gc.collect(*[1] * bool(number % 25))
        if sys.argv[1] != "worker" or request["program"]["gc"]:
            # Whatever was there before this program is of no interest to the collector.
            gc.freeze()
        faulthandler.dump_traceback_later(TIME_LIMIT, exit=True)
        try:
            result = answer(request)
        except Exception as e:
            result = {"runs": {}, "broken": f"{type(e).__name__}: {e}"}
        faulthandler.cancel_dump_traceback_later()
        if registry.forget() and "broken" not in result:
            result = {"runs": {}, "broken": "changes what all share"}
        out.write(json.dumps(result) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
