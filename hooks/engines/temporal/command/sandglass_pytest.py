"""The pytest plugin of the wheel: `pytest --sandglass` runs the tests under Sandglass, and replays what their workers ran.

    pytest --sandglass                  in mode enforce, or as the environment's SANDGLASS says
    pytest --sandglass-mode=strict      in another mode

pytest is started again with the object in LD_PRELOAD, unless it is there already (`sandglass run -- pytest --sandglass`). When a Temporal
worker of a test ends, the histories of all runs that the test has started on its task queue, of their child workflows and continued runs,
are replayed with the worker's own settings. A replay that comes to other commands fails the test; one marked
`@pytest.mark.sandglass(replay=False)` is guarded only.

A worker's workflow task that is refused something fails and is tried again until fixed code is there, and a test would wait for that. So
here a refusal fails the workflow (workflow_failure_exception_types), and a workflow that catches it is terminated, both with its text.

The log goes to a file of the plugin's, unless the environment's SANDGLASS_LOG names another. What was refused or warned of is shown at the
end. A test during which something was refused in its own process fails, unless it is marked `@pytest.mark.sandglass(refused=True)`. With
SANDGLASS_LOG all this is in that log alone, and where a workflow catches a refusal the test waits: give it a time-out.
"""
import asyncio
import functools
import glob
import inspect
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import weakref

import pytest

AGAIN = "PYTEST_SANDGLASS"  # for the pytest that is started again: its process id, a blank, and the log, if that is the plugin's
ENDS = {f"workflow_execution_{how}" for how in ("completed", "failed", "timed_out", "canceled", "terminated", "continued_as_new")}
PATIENCE = 60  # seconds for the replay of one run
PAUSE = 0.1  # seconds between two looks at the log for refusals that a workflow has caught
LEVELS = {"block": "error", "warn": "warning"}


def pytest_addoption(parser):
    group = parser.getgroup("sandglass")
    group.addoption("--sandglass", action="store_true", help="guard workflow code by Sandglass, and replay what the tests' workers ran")
    group.addoption("--sandglass-mode", metavar="MODE",
                    help="the same, in mode enforce, strict, answer, warn or observe; by default as SANDGLASS says, else enforce")


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
        if AGAIN in os.environ or "SANDGLASS_LOG" in os.environ or os.environ.get("SANDGLASS_INHERIT", "all") == "none":
            return
    elif AGAIN in os.environ:
        raise pytest.UsageError(f"--sandglass: the loader did not take {os.environ.get('LD_PRELOAD')}; `sandglass doctor` says why")
    preload = ":".join(filter(None, [None if is_preloaded() else find_object(), os.environ.get("LD_PRELOAD")]))
    environment = {**os.environ, AGAIN: f"{os.getpid()} ", "LD_PRELOAD": preload}
    if options.sandglass_mode:
        environment["SANDGLASS"] = options.sandglass_mode
    if "SANDGLASS_LOG" not in os.environ:
        log = os.path.join(tempfile.mkdtemp(prefix="sandglass-pytest-"), "%p.log")
        environment[AGAIN] += log
        # At debug a refusal is written each time, and not once for its place: each test is told of its own.
        environment.update(SANDGLASS_LOG=log, SANDGLASS_LOG_LEVEL="debug", SANDGLASS_LOG_FORMAT="logfmt")
    capture = early_config.pluginmanager.getplugin("capturemanager")
    if capture:
        capture.stop_global_capturing()  # else the next pytest would write to this one's files
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def pytest_configure(config):
    config.addinivalue_line("markers", "sandglass(replay=True, refused=False): with replay=False, what the test's workers ran is not "
                            "replayed; with refused=True it may be refused something")
    if is_wanted(config.option):
        config.pluginmanager.register(Replays(config), "sandglass-replays")


class Log:
    """The plugin's own log. Without one nothing is ever found in it."""

    def __init__(self, folder):
        owner, _, self.pattern = os.environ.get(AGAIN, "").partition(" ")
        self.is_owner = owner == str(os.getpid())  # not of a process of pytest-xdist's
        self.prefix = os.path.join(folder, "")
        self.lock, self.lines, self.end = threading.Lock(), [], 0

    def read(self):
        """All lines that this process has written until now."""
        if self.pattern:
            with self.lock:
                lines, self.end = read_lines(self.pattern.replace("%p", str(os.getpid())), self.end)
                self.lines.extend(lines)
        return self.lines

    def read_all(self):
        return [line for path in sorted(glob.glob(glob.escape(self.pattern).replace("%p", "*"))) for line in read_lines(path, 0)[0]]

    def findings(self, lines):
        """Their texts, each once, and whether it is an error or a warning."""
        found = {}
        for line in lines:
            level = LEVELS.get(line.get("action")) if line["event"] == "violation" else None
            if level:
                where = line.get("where", line.get("workflow_type", "?")).removeprefix(self.prefix)
                instead = f"; instead {line['instead']}" if "instead" in line else ""
                found[f"{where}: {level}: {line['rule']}: {line.get('reason', '')}{instead}"] = level
        return found

    def others(self, lines):
        """What else the log warns of."""
        return {line["text"] for line in lines if line["level"] in ("warn", "error") and line["event"] not in ("start", "swallowed", "violation")}

    def remove(self):
        if self.pattern and self.is_owner:
            shutil.rmtree(os.path.dirname(self.pattern), ignore_errors=True)


def read_lines(path, start):
    """The whole lines of a log from there on, each a dict, and where they end."""
    try:
        with open(path, "rb") as file:
            file.seek(start)
            read = file.read()
    except FileNotFoundError:
        return [], start
    read = read[:read.rfind(b"\n") + 1]
    lines = [text for text in read.decode(errors="backslashreplace").split("\n") if text.startswith("sandglass ")]
    return [{**parse_logfmt(text), "text": text.partition(" event=")[2]} for text in lines], start + len(read)


def parse_logfmt(text):
    """Blanks outside of double quotes part the words; inside them a backslash escapes the next character."""
    def plain(value):
        return re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r", "t": "\t"}.get(found[1], found[1]), value[1:-1])
    words = re.findall(r'(\S+?)=("(?:\\.|[^"\\])*"|\S*)', text)
    return {key: plain(value) if value.startswith('"') else value for key, value in words}


class Replays:
    """What the tests start, and what came of its replay."""

    def __init__(self, config):
        self.log = Log(str(config.invocation_params.dir))
        self.seen = 0  # lines of the log
        self.told = set()  # refusals, of this test
        self.failed = False  # this test
        self.locks = weakref.WeakKeyDictionary()  # of workers: run() and shutdown() come to their end together
        self.elsewhere = 0  # runs that pytest-xdist's processes have replayed
        self.started = {}  # id of the run: client, id of the workflow
        self.replayed = {}  # id of the run: how many events
        self.ended = set()  # of these
        self.differ = []
        self.marker = {}
        try:
            from temporalio.client import Client
            from temporalio.worker import Worker
            from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError
        except ImportError:
            return
        self.follow(Client, Worker, RestrictedWorkflowAccessError)

    def follow(self, client_class, worker_class, refusal):
        start, make, run, shutdown = client_class.start_workflow, worker_class.__init__, worker_class.run, worker_class.shutdown

        @functools.wraps(make)
        def make_that_fails(worker, *args, **options):
            options["workflow_failure_exception_types"] = [*(options.get("workflow_failure_exception_types") or ()), refusal]
            make(worker, *args, **options)

        @functools.wraps(start)
        async def start_workflow(client, *args, **options):
            handle = await start(client, *args, **options)
            self.started[handle.result_run_id or handle.first_execution_run_id] = client, handle.id
            return handle

        @functools.wraps(run)
        async def run_and_replay(worker):
            watch = asyncio.ensure_future(self.watch(in_use(worker)["client"]))
            try:
                await run(worker)
            finally:
                watch.cancel()
                await asyncio.wait([watch])
                await self.replay(worker)

        @functools.wraps(shutdown)
        async def shutdown_and_replay(worker):
            await shutdown(worker)
            await self.replay(worker)

        client_class.start_workflow, worker_class.__init__ = start_workflow, make_that_fails
        worker_class.run, worker_class.shutdown = run_and_replay, shutdown_and_replay

    async def watch(self, client):
        """Terminates the runs that catch a refusal: their task fails all the same, again and again."""
        from temporalio.service import RPCError
        seen = len(self.log.read())
        while self.log.pattern:
            for line in self.log.read()[seen:]:
                seen += 1
                if line["event"] == "swallowed":
                    try:
                        await client.get_workflow_handle(line["workflow_id"], run_id=line["run_id"]).terminate(reason=line["refusal"])
                    except RPCError:
                        pass  # another worker's, or it has ended
            await asyncio.sleep(PAUSE)

    async def replay(self, worker):
        settings = in_use(worker)
        if not self.marker.get("replay", True) or not settings.get("workflows"):
            return
        async with self.locks.setdefault(worker, asyncio.Lock()):
            await self.replay_with(settings)

    async def replay_with(self, settings):
        client = settings["client"]
        caught = {line["run_id"] for line in self.log.read() if line["event"] == "swallowed"}  # where they would be refused again
        pending = list(self.started.items())
        for run, (of, workflow) in pending:
            if run in self.ended or of.service_client is not client.service_client:
                continue
            history = await client.get_workflow_handle(workflow, run_id=run).fetch_history()
            new = {other: (of, its) for its, other in followers(workflow, history) if other not in self.started}
            self.started.update(new)
            pending.extend(new.items())
            begun = history.events[0].workflow_execution_started_event_attributes
            if begun.task_queue.name != settings["task_queue"] or run in caught or self.replayed.get(run) == len(history.events):
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
        self.marker, self.told, self.failed = marker.kwargs if marker else {}, set(), False
        yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self):
        report = (yield).get_result()
        texts = []
        if self.differ and report.when != "setup":
            texts.append("\n  ".join(["On replay it comes to something else:", *self.differ]))
            self.differ = []
        lines = self.log.read()
        refused = [text for text, level in self.log.findings(lines[self.seen:]).items() if level == "error" and text not in self.told]
        self.seen = len(lines)
        self.told.update(refused)
        if refused and not self.marker.get("refused", False):
            texts.append("\n  ".join(["Sandglass has refused:", *refused]))
        if texts and report.passed and not self.failed:
            report.outcome, report.longrepr = "failed", "\n".join(texts)
        elif texts:
            report.sections.append(("sandglass", "\n".join(texts)))
        self.failed = self.failed or report.failed

    def pytest_sessionfinish(self, session):
        if hasattr(session.config, "workeroutput"):  # this is a process of pytest-xdist's
            session.config.workeroutput["sandglass"] = len(self.replayed)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        self.elsewhere += getattr(node, "workeroutput", {}).get("sandglass", 0)

    def pytest_terminal_summary(self, terminalreporter):
        lines = self.log.read_all() if self.log.is_owner else self.log.read()
        found, others = self.log.findings(lines), self.log.others(lines)
        if found or others:
            terminalreporter.section("sandglass")
            for text in [*sorted(found), *sorted(others)]:
                terminalreporter.write_line(text)
        mode = next((line["mode"] for line in lines if line["event"] == "start"), os.environ.get("SANDGLASS", "enforce"))
        counts = [counted(len(self.replayed) + self.elsewhere, "run") + " replayed"]
        if not self.log.pattern:
            counts.append(f"refusals and warnings are in its log ({os.environ.get('SANDGLASS_LOG', 'stderr')})")
        else:
            counts += [counted(list(found.values()).count("error"), "refusal"), counted(list(found.values()).count("warning"), "warning")]
        terminalreporter.write_line(f"sandglass: {', '.join([mode, *counts])}")

    def pytest_unconfigure(self):
        self.log.remove()


def counted(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


async def failure_of(history, settings, failed):
    """What comes of a replay with a worker's settings. Where errors of all kinds fail a workflow, one that comes to other commands never ends:
    so they do for a workflow that has failed. Refusals do for all, as they may have failed an update."""
    from temporalio.worker import Replayer
    from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError
    settings = {**settings, **{name: it for name, it in in_use(settings["client"]).items() if name in ("data_converter", "namespace")}}
    if not failed:
        settings["workflow_failure_exception_types"] = [RestrictedWorkflowAccessError]
    accepted = inspect.signature(Replayer.__init__).parameters.keys() - {"self", "plugins", "workflow_task_executor"}
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
