"""The pytest plugin of the wheel: `pytest --sandglass` runs the tests under Sandglass, and replays what their workers ran.

    pytest --sandglass                  in mode enforce, or as the environment's SANDGLASS says
    pytest --sandglass-mode=strict      in another mode

pytest is started again with the object in LD_PRELOAD, unless it is there already (`sandglass run -- pytest --sandglass`). When a Temporal
worker of a test ends, the histories of all runs that the test has started on its task queue, of their child workflows and continued runs,
are replayed with the worker's own settings. A replay that comes to other commands fails the test; one marked
`@pytest.mark.sandglass(replay=False)` is guarded only. What is refused fails the workflow task, as in a worker.
"""
import asyncio
import functools
import inspect
import os
import shutil
import subprocess
import sys

import pytest

AGAIN = "PYTEST_SANDGLASS"  # set for the pytest that is started again
ENDS = {f"workflow_execution_{how}" for how in ("completed", "failed", "timed_out", "canceled", "terminated", "continued_as_new")}
PATIENCE = 60  # seconds for the replay of one run


def pytest_addoption(parser):
    group = parser.getgroup("sandglass")
    group.addoption("--sandglass", action="store_true", help="guard workflow code by Sandglass, and replay what the tests' workers ran")
    group.addoption("--sandglass-mode", metavar="MODE", help="the same, in mode enforce, strict, answer, warn or observe")


def is_wanted(options):
    return options.sandglass or options.sandglass_mode is not None


def is_preloaded():
    with open("/proc/self/maps") as maps:
        return "libsandglass.so" in maps.read()


def find_object():
    """Of the command beside this Python, or else in PATH."""
    command = shutil.which("sandglass", path=os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", os.defpath))
    if not command:
        raise pytest.UsageError(f"--sandglass: no command sandglass beside {sys.executable}, nor in PATH")
    found = subprocess.run([command, "object"], capture_output=True, text=True)
    if found.returncode:
        raise pytest.UsageError(f"--sandglass: {command} object: {found.stderr.strip()}")
    return found.stdout.strip()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config):
    options = early_config.known_args_namespace
    if not is_wanted(options):
        return
    if is_preloaded():
        there = os.environ.get("SANDGLASS", "enforce")
        if options.sandglass_mode not in (None, there):
            raise pytest.UsageError(f"--sandglass-mode={options.sandglass_mode}: the object is loaded already, in mode {there}; accepted: that one")
        return
    if AGAIN in os.environ:
        raise pytest.UsageError(f"--sandglass: the loader did not take {os.environ.get('LD_PRELOAD')}; `sandglass doctor` says why")
    preload = ":".join(filter(None, [find_object(), os.environ.get("LD_PRELOAD")]))
    environment = {**os.environ, AGAIN: "1", "LD_PRELOAD": preload, **({"SANDGLASS": options.sandglass_mode} if options.sandglass_mode else {})}
    capture = early_config.pluginmanager.getplugin("capturemanager")
    if capture:
        capture.stop_global_capturing()  # else the next pytest would write to this one's files
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def pytest_configure(config):
    config.addinivalue_line("markers", "sandglass(replay=True): with replay=False, what the test's workers ran is not replayed")
    if is_wanted(config.option):
        config.pluginmanager.register(Replays(), "sandglass-replays")


class Replays:
    """What the tests start, and what came of its replay."""

    def __init__(self):
        self.started = {}  # id of the run: client, id of the workflow
        self.replayed = {}  # id of the run: how many events
        self.ended = set()  # of these
        self.differ = []
        self.wanted = True
        try:
            from temporalio.client import Client
            from temporalio.worker import Worker
        except ImportError:
            return
        self.follow(Client, Worker)

    def follow(self, client_class, worker_class):
        start, run, shutdown = client_class.start_workflow, worker_class.run, worker_class.shutdown

        @functools.wraps(start)
        async def start_workflow(client, *args, **options):
            handle = await start(client, *args, **options)
            self.started[handle.result_run_id or handle.first_execution_run_id] = client, handle.id
            return handle

        @functools.wraps(run)
        async def run_and_replay(worker):
            try:
                await run(worker)
            finally:
                await self.replay(worker)

        @functools.wraps(shutdown)
        async def shutdown_and_replay(worker):
            await shutdown(worker)
            await self.replay(worker)

        client_class.start_workflow, worker_class.run, worker_class.shutdown = start_workflow, run_and_replay, shutdown_and_replay

    async def replay(self, worker):
        settings = in_use(worker)
        client = settings["client"]
        if not self.wanted or not settings.get("workflows"):
            return
        pending = list(self.started.items())
        for run, (of, workflow) in pending:
            if run in self.ended or of.service_client is not client.service_client:
                continue
            history = await client.get_workflow_handle(workflow, run_id=run).fetch_history()
            new = {other: (of, its) for its, other in followers(workflow, history) if other not in self.started}
            self.started.update(new)
            pending.extend(new.items())
            begun = history.events[0].workflow_execution_started_event_attributes
            if begun.task_queue.name != settings["task_queue"] or self.replayed.get(run) == len(history.events):
                continue
            self.replayed[run] = len(history.events)
            ending = history.events[-1].WhichOneof("attributes").removesuffix("_event_attributes")
            if ending in ENDS:
                self.ended.add(run)
            failure = await failure_of(history, settings, ending == "workflow_execution_failed")
            if failure:
                self.differ.append(f"{begun.workflow_type.name}, workflow {workflow}, run {run}: {failure}")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item):
        marker = item.get_closest_marker("sandglass")
        self.wanted = not marker or marker.kwargs.get("replay", True)
        yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self):
        report = (yield).get_result()
        if self.differ and report.when != "setup":
            text = "On replay it comes to something else:\n  " + "\n  ".join(self.differ)
            self.differ = []
            if report.passed:
                report.outcome, report.longrepr = "failed", text
            else:
                report.sections.append(("sandglass", text))

    def pytest_terminal_summary(self, terminalreporter):
        elsewhere = terminalreporter.config.getoption("numprocesses", None)  # pytest-xdist's processes count for themselves
        count = "" if elsewhere else f", {len(self.replayed)} runs replayed"
        terminalreporter.write_line(f"sandglass: {os.environ.get('SANDGLASS', 'enforce')}{count}")


async def failure_of(history, settings, failed):
    """What comes of a replay with a worker's settings. Where errors of all kinds fail a workflow, one that comes to other commands never ends:
    so they do for a workflow that has failed."""
    from temporalio.worker import Replayer
    settings = {**settings, **{name: it for name, it in in_use(settings["client"]).items() if name in ("data_converter", "namespace")}}
    left_out = {"self", "plugins", "workflow_task_executor"} | ({"workflow_failure_exception_types"} if not failed else set())
    accepted = inspect.signature(Replayer.__init__).parameters.keys() - left_out
    replayer = Replayer(**{name: settings[name] for name in accepted if settings.get(name) is not None})
    replay = asyncio.ensure_future(replayer.replay_workflow(history, raise_on_replay_failure=False))
    done, _ = await asyncio.wait([replay], timeout=PATIENCE)
    return replay.result().replay_failure if done else f"it has not ended in {PATIENCE} s"


def in_use(it):
    """The settings of a client or worker, as its plugins have left them where the SDK has such."""
    active = "active_config" in inspect.signature(it.config).parameters
    return dict(it.config(active_config=True) if active else it.config())


def followers(workflow, history):
    """The runs that this one has led to."""
    for event in history.events:
        if event.HasField("child_workflow_execution_started_event_attributes"):
            child = event.child_workflow_execution_started_event_attributes.workflow_execution
            yield child.workflow_id, child.run_id
        if event.HasField("workflow_execution_continued_as_new_event_attributes"):
            yield workflow, event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
