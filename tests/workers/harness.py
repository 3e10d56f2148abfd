"""Starts worker programs under Sandglass and reads what they leave behind. Used by the tests of this folder.

The test process itself never runs under the preload; every program gets it through its environment.
    SANDGLASS_OBJECT        the object under test, default build/libsandglass.so; "none" runs without one,
                            which shows what the SDK's own sandbox does (only to look at: most tests then fail)
    SANDGLASS_TEST_FIRST    an object that is preloaded before it: a sanitizer's
    SANDGLASS_TEST_SERVER   host:port of a Temporal server that is already running
"""
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
PROGRAMS = HERE / "programs"
FIXTURES = HERE.parent / "fixtures"
SEARCH = {"PYTHONPATH": f"{HERE}:{PROGRAMS}:{HERE / 'libraries'}:{FIXTURES}"}  # where host programs find their modules and the snippets

# A workflow file: what stands at its module level is put in.
FLOW = """
from temporalio import workflow
{}
@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> None:
        pass
"""

# Taken once: pytest writes to it, test by test, while host programs are started on other threads.
SURROUNDINGS = dict(os.environ)

RUNNING = set()


def preload_object():
    chosen = os.environ.get("SANDGLASS_OBJECT", str(REPO / "build" / "libsandglass.so"))
    return None if chosen == "none" else str(Path(chosen).resolve())


def preloads(*objects):
    """What LD_PRELOAD is to be: a sanitizer has to be the first."""
    return ":".join(str(it) for it in (SURROUNDINGS.get("SANDGLASS_TEST_FIRST"), *objects) if it)


def environment(preload=True, **settings):
    """The caller's environment without traces of Sandglass or pytest, plus the object and its settings."""
    env = {k: v for k, v in SURROUNDINGS.items()
           if not k.startswith(("SANDGLASS", "PYTHON", "PYTEST")) and k not in ("LD_PRELOAD", "TEMPORAL_DEBUG")}
    env.update(PYTHONDONTWRITEBYTECODE="1", PYTHONFAULTHANDLER="1")
    if preload and preload_object():
        env["LD_PRELOAD"] = preloads(preload_object())
    env.update({k: str(v) for k, v in settings.items()})
    return env


class Finished:
    """A program that has ended."""

    def __init__(self, command, settings, code, out, err, log_path):
        self.command = command
        self.settings = settings
        self.code = code
        self.out = out
        self.err = err
        self.log = read_log(log_path)

    def __str__(self):
        shown = " ".join(f"{k}={shlex.quote(str(v))}" for k, v in self.settings.items())
        how = f"exit status {self.code}" if self.code >= 0 else f"killed by {signal.Signals(-self.code).name}"
        return (f"{shown} {shlex.join(self.command)}\n{how}\n--- stdout\n{self.out[-3000:]}\n"
                f"--- stderr\n{self.err[-6000:]}\n--- log, last lines\n" + "\n".join(e.text for e in self.log[-15:]))


def run(command, *, log_path, preload=True, timeout=90, cwd=None, stdin=None, **settings):
    """Runs a program to its end and leaves nothing of its process group behind."""
    command = [str(c) for c in command]
    if preload:
        settings.setdefault("SANDGLASS_LOG", log_path)
    process = subprocess.Popen(command, env=environment(preload, **settings), cwd=cwd, text=True, start_new_session=True,
                               errors="backslashreplace", stdin=subprocess.DEVNULL if stdin is None else stdin,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    RUNNING.add(process.pid)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        stop_group(process.pid)
        out, err = process.communicate()
        err += f"\n(killed by the test: still running after {timeout} s)"
    finally:
        stop_group(process.pid)
        RUNNING.discard(process.pid)
    return Finished(command, settings, process.returncode, out, err, log_path)


def stop_all():
    """Stops every program that a test still waits for, when the tests themselves are interrupted."""
    for leader in list(RUNNING):
        stop_group(leader)


def stop_group(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Event(dict):
    """One line of the debug log."""

    def __init__(self, text):
        super().__init__(parse_logfmt(text))
        self.text = text


def parse_logfmt(text):
    words = {}
    for word in split_logfmt(text):
        key, equals, value = word.partition("=")
        if equals:
            words[key] = value
    return words


def split_logfmt(text):
    """Splits at blanks outside of double quotes; inside them a backslash escapes the next character."""
    word, quoted, escaped = "", False, False
    for c in text:
        if escaped:
            word, escaped = word + c, False
        elif quoted and c == "\\":
            escaped = True
        elif c == '"':
            quoted = not quoted
        elif c == " " and not quoted:
            yield word
            word = ""
        else:
            word += c
    yield word


def read_log(path):
    """All lines of the log. One that is not ours, or is torn, is a failure of its own."""
    if not Path(path).exists():
        return []
    events = []
    for text in Path(path).read_text(errors="backslashreplace").splitlines():
        event = Event(text)
        assert text.startswith("sandglass ts=") and {"pid", "level", "event"} <= event.keys(), f"not a log line: {text!r}"
        events.append(event)
    return events


def events(log, name, **wanted):
    """The lines of that event whose fields have the given values."""
    return [e for e in log if e.get("event") == name and all(e.get(k) == v for k, v in wanted.items())]


def violations(log, **wanted):
    return events(log, "violation", **wanted)


def show(events):
    return "\n".join(e.text for e in events) or "(no such line in the log)"


def compile_library(path, source, *flags):
    """A shared object at path, made of a C file; skips the test where there is no compiler."""
    compiler = os.environ.get("CC") or "cc"
    if not shutil.which(compiler):
        pytest.skip("there is no C compiler")
    subprocess.run([compiler, "-O1", "-w", "-shared", "-fPIC", "-pthread", *flags, "-o", path, source], check=True)
    return path


class Host:
    """A host program: answers a list of names with one JSON record each, in a file it appends to as it goes."""

    def __init__(self, finished, records_path):
        self.finished = finished
        self.log = finished.log
        self.records, self.started = {}, []
        if records_path.exists():
            for text in records_path.read_text().splitlines():
                record = json.loads(text)
                if record.get("started"):
                    self.started.append(record["name"])
                else:
                    self.records[record["name"]] = record

    def __getitem__(self, name):
        if name in self.records:
            return self.records[name]
        busy = [n for n in self.started if n not in self.records]
        raise AssertionError(f"the host gave no answer for {name}; it was busy with {busy or 'nothing'}\n{self.finished}")


def run_host(program, server, names, directory, timeout=900, **settings):
    directory.mkdir(parents=True, exist_ok=True)
    records = directory / "records.jsonl"
    finished = run([sys.executable, "-u", PROGRAMS / program, server, records, directory, *names],
                   log_path=directory / "sandglass.log", timeout=timeout, **settings)
    return Host(finished, records)
