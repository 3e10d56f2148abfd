"""Lines of the log that tools read: what other modes would do, JSON, sums now and then, rotation."""
import json
import subprocess
import sys

import harness
import pytest

PLACES = {"uuid.uuid4", "datetime.datetime.now", "os.environ", "random.random"}
# Replays a history by each of these workflows of flow_of_test.
REPLAY = [sys.executable, "-c", f"""
import asyncio, sys
import flow_of_test
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

text = open({str(harness.REPO / "tests/demo/histories/reference.json")!r}).read()
for name in sys.argv[1:]:
    history = WorkflowHistory.from_json("x", text.replace("OrderWorkflow", name))
    asyncio.run(Replayer(workflows=[getattr(flow_of_test, name)]).replay_workflow(history, raise_on_replay_failure=False))
"""]


@pytest.fixture
def replay(run_program):
    def run(*arguments, **settings):
        ended = run_program(sys.executable, harness.PROGRAMS / "replayed.py", *arguments, SHOP_TAX_RATE="1.19", **settings)
        assert ended.code == 0, str(ended)
        return ended
    return run


@pytest.mark.parametrize("mode, would, action", [
    ("observe", None, None),  # the SDK's own sandbox comes first, and refuses
    ("warn", "enforce:block,strict:block", "warn"),
    ("enforce", "strict:block", "block"), ("strict", "enforce:block", "block"),
    ("answer", "enforce:block,strict:block", "block"),
])
def test_what_other_modes_would_do(replay, mode, would, action):
    lines = harness.violations(replay(SANDGLASS=mode).log)
    answered = {"uuid.uuid4", "datetime.datetime.now", "random.random"} if mode == "answer" else set()
    assert {e["rule"] for e in lines} == (PLACES - answered if action else set())
    assert {e["level"] for e in lines} == ({"warn"} if action else set())
    assert {(e.get("would"), e["action"], e["workflow_type"]) for e in lines} == ({(would, action, "OrderWorkflow")} if action else set())


@pytest.mark.parametrize("folder", ["site-packages", "own"])
def test_what_would_be_answered(run_program, tmp_path, folder):
    """In enforce and strict a library is, and what is passed through; workflow code is in answer alone."""
    packages = tmp_path / folder
    packages.mkdir()
    (packages / "names_of_test.py").write_text("import uuid\ndef name():\n    return uuid.uuid4()\n")
    (tmp_path / "flow_of_test.py").write_text(harness.FLOW.format(
        "with workflow.unsafe.imports_passed_through():\n    import names_of_test\n").replace("        pass", "        names_of_test.name()"))
    both = "enforce:answer,strict:answer"
    for mode, would in ("observe", both), ("warn", both), ("enforce", "strict:answer"):
        ended = run_program(*REPLAY, "Flow", PYTHONPATH=f"{tmp_path}:{packages}", SANDGLASS=mode,
                            SANDGLASS_LOG_LEVEL="info")
        found = [e for e in ended.log if e["event"] in ("violation", "answered")]
        assert [(e["rule"], e["would"]) for e in found] == [("uuid.uuid4", would)], str(ended)


def test_two_workflows_of_one_helper(run_program, tmp_path):
    """Each is named, though the place is the same."""
    flows = "".join(f"\n@workflow.defn\nclass {name}:\n    @workflow.run\n    async def run(self) -> None:\n        helper()\n"
                    for name in ("First", "Second"))
    (tmp_path / "flow_of_test.py").write_text("import uuid\nfrom temporalio import workflow\ndef helper():\n    uuid.uuid4()\n" + flows)
    ended = run_program(*REPLAY, *["First", "Second"] * 2, PYTHONPATH=tmp_path, SANDGLASS="warn")
    assert [(e["workflow_type"], e["rule"]) for e in harness.violations(ended.log)] == [("First", "uuid.uuid4"), ("Second", "uuid.uuid4")], str(ended)


def test_json(tmp_path):
    log = tmp_path / "log"
    subprocess.run([sys.executable, harness.PROGRAMS / "replayed.py"], check=True, timeout=90, capture_output=True, env=harness.environment(
        SANDGLASS_LOG=log, SANDGLASS_LOG_FORMAT="json", SANDGLASS_LOG_LEVEL="info", SANDGLASS="warn", SHOP_TAX_RATE="1.19"))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["source"] for line in lines} == {"sandglass"} and lines[0]["event"] == "start" and lines[0]["pid"] > 0
    assert {line["rule"] for line in lines if line["event"] == "violation"} == PLACES


def test_totals_at_the_end(replay):
    ended = replay("5", SANDGLASS="warn", SANDGLASS_LOG_LEVEL="info")
    totals = harness.events(ended.log, "total")
    assert {(e["rule"], e["count"], e["workflow_type"]) for e in totals} == {(rule, "5", "OrderWorkflow") for rule in PLACES}
    assert harness.events(ended.log, "summary")[0]["violations"] == "20"
    assert not harness.events(replay("1", SANDGLASS="warn").log, "total")  # at level warn


def test_totals_of_what_was_answered(replay):
    """Each time it is, though it is told once."""
    ended = replay("5", SANDGLASS="answer", SANDGLASS_RULES="os.environ=allow", SANDGLASS_LOG_LEVEL="info")
    assert len(harness.events(ended.log, "answered")) == 3, str(ended)
    assert {e["count"] for e in harness.events(ended.log, "total")} == {"5"}, str(ended)


def test_the_outermost_call_is_the_one_that_is_named(run_program, tmp_path):
    """In the log as in the message, whatever it was refused for below: once."""
    packages = tmp_path / "site-packages"
    (packages / "requests").mkdir(parents=True)
    (packages / "requests" / "__init__.py").write_text("from requests.api import get\n")
    (packages / "requests" / "api.py").write_text("import os, time\ndef get(url):\n    for ask in time.time, os.getcwd, os.getpid:\n        try: ask()\n"
                                                  "        except Exception: pass\n    return os.environ.get(url)\n")
    (tmp_path / "flow_of_test.py").write_text(harness.FLOW.format("import requests\n").replace("        pass", "        requests.get('a')"))
    ended = run_program(*REPLAY, "Flow", PYTHONPATH=f"{tmp_path}:{packages}", SANDGLASS="warn")
    assert [e["rule"] for e in harness.violations(ended.log)] == ["requests.get"], str(ended)


def test_a_new_file_is_as_complete_as_the_first(tmp_path):
    """logrotate has renamed it: what was told there is told again, and who tells it."""
    (tmp_path / "main.py").write_text(
        "import asyncio, os, sys, time, runpy\nsys.argv[1:] = ['1']\npath = os.environ['SANDGLASS_LOG']\n"
        f"for n in range(2):\n    runpy.run_path({str(harness.PROGRAMS / 'replayed.py')!r}, run_name='__main__')\n"
        "    os.rename(path, path + str(n))\n    time.sleep(1.1)\n")
    log = tmp_path / "log"
    subprocess.run([sys.executable, tmp_path / "main.py"], check=True, timeout=90, capture_output=True, env=harness.environment(
        SANDGLASS_LOG=log, SANDGLASS="warn", SHOP_TAX_RATE="1.19", PYTHONPATH=harness.PROGRAMS))
    for path in tmp_path / "log0", tmp_path / "log1":
        lines = harness.read_log(path)
        assert lines[0]["event"] == "start" and {e["rule"] for e in harness.violations(lines)} == PLACES, path.read_text()
        assert len(harness.events(lines, "start")) == 1, path.read_text()
    told = subprocess.run([harness.REPO / "build" / "sandglass", "report", "--format", "json", *tmp_path.glob("log*")], capture_output=True, text=True)
    report = json.loads(told.stdout)
    assert len(report["processes"]) == 1 and {p["count"] for p in report["places"]} == {2}, told.stdout


def test_a_summary_now_and_then(replay, tmp_path):
    """The clock that is asked is the real one: a preloaded library lets a minute pass between two readings of it."""
    source = tmp_path / "fast.c"
    source.write_text("#define _GNU_SOURCE\n#include <sys/syscall.h>\n#include <time.h>\n#include <unistd.h>\n"
                      "int clock_gettime(clockid_t c, struct timespec *t)\n{\n\tlong r = syscall(SYS_clock_gettime, c, t);\n\tstatic long n;\n"
                      "\tif (c == CLOCK_MONOTONIC_COARSE)\n\t\tt->tv_sec += 61 * n++;\n\treturn (int)r;\n}\n")
    library = harness.compile_library(tmp_path / "fast.so", source)
    ended = replay("3", SANDGLASS="warn", SANDGLASS_SUMMARY="1", LD_PRELOAD=f"{harness.preload_object()}:{library}")
    summaries, totals = harness.events(ended.log, "summary"), harness.events(ended.log, "total")
    assert len(summaries) > 4, str(ended)
    assert [int(e["violations"]) for e in summaries] == sorted(int(e["violations"]) for e in summaries)
    of_uuid = [e["count"] for e in totals if e["rule"] == "uuid.uuid4"]
    assert of_uuid == ["1", "2", "3"]  # where it has changed, and only then


def test_status_of_a_worker(tmp_path):
    (tmp_path / "flow_of_test.py").write_text(harness.FLOW.format(""))
    worker = subprocess.Popen([sys.executable, "-c", "import _abc; del _abc._get_dump\nimport temporalio.worker, time\nprint(1, flush=True)\n"
                               "time.sleep(60)"],
                              stdout=subprocess.PIPE, env=harness.environment(SANDGLASS="warn", SANDGLASS_LOG=tmp_path / "log"))
    try:
        worker.stdout.readline()
        command = [harness.REPO / "build" / "sandglass", "status"]
        one = subprocess.run([*command, "--prometheus", str(worker.pid)], capture_output=True, text=True)
        assert f'sandglass_guarded{{pid="{worker.pid}",version="' in one.stdout and one.returncode == 0, one
        assert f'sandglass_calls_total{{pid="{worker.pid}",action="block"}} 0\n' in one.stdout
        names = {line.split("{")[0] for line in one.stdout.splitlines() if not line.startswith("#")}
        assert {line.split()[2] for line in one.stdout.splitlines() if line.startswith("# TYPE")} == names
        table = subprocess.run([*command, "--all"], capture_output=True, text=True).stdout
        row = next(line.split() for line in table.splitlines() if line.startswith(f"{worker.pid} "))
        assert row[1:4] == ["warn", "guarded", "temporal"]
        version = subprocess.run([command[0], "--version"], capture_output=True, text=True).stdout.split()[1]
        assert row[5:7] == [sys.version.split()[0], version] and row[8] == "1", table
        why = table.partition(f"\n{worker.pid} ")[2].splitlines()[1]  # below the row: what is not armed, and why
        assert why.strip().startswith("abc: on this interpreter"), table
    finally:
        worker.kill()
        worker.wait()
        worker.stdout.close()


DELTAS = """
import asyncio, concurrent.futures, gc, os, re, subprocess, sys
import iterators

def told():
    text = subprocess.run([sys.argv[1], "status", "--prometheus", str(os.getpid())], capture_output=True, text=True).stdout
    print(*re.findall(r"^sandglass_delta_[a-z]+[{].*[}] ([0-9]+)$", text, re.M), flush=True)

async def main():
    pool = concurrent.futures.ThreadPoolExecutor(1)
    runs = [iterators.Run(number, pool) for number in range(3)]
    told()
    for run in runs:
        run.signal("change")
    told()
    for _ in range(2):
        act = runs[0].activation()
        act.jobs.add().remove_from_cache.message = "x"
        runs[0].play(act)
        del runs[0]
    gc.collect()
    runs[0].signal("change")
    told()
    os._exit(0)

asyncio.run(main())
"""


def test_status_knows_what_runs_have_of_their_own(run_program, tmp_path):
    (tmp_path / "flow_of_test.py").write_text(
        "from temporalio import workflow\nLIST, TABLE = [], {}\n@workflow.defn\nclass Flow:\n    @workflow.run\n"
        "    async def run(self) -> None: await workflow.wait_condition(lambda: False)\n"
        "    @workflow.signal\n    def change(self) -> None:\n        LIST.extend(range(1000))\n        TABLE[1] = 1\n")
    (tmp_path / "main.py").write_text(DELTAS)
    ended = run_program(sys.executable, tmp_path / "main.py", harness.REPO / "build" / "sandglass", PYTHONPATH=f"{tmp_path}:{harness.PROGRAMS}:{harness.FIXTURES}")
    assert ended.code == 0, str(ended)
    (none, *_), (containers, size), (fewer, less) = [[int(word) for word in line.split()] for line in ended.out.splitlines()]
    assert none == 0 and containers >= 4 and 16_000 < size < 100_000 and fewer < containers and less < size, str(ended)
