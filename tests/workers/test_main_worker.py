"""A worker of one file: its workflows are defined in __main__, and it ends as programs end."""
import json
import sys

import harness
import pytest

PROGRAM = harness.PROGRAMS / "main_worker.py"


@pytest.fixture(scope="module")
def worker(server, tmp_path_factory):
    return harness.run([sys.executable, PROGRAM, server], log_path=tmp_path_factory.mktemp("main") / "sandglass.log", SANDGLASS_LOG_LEVEL="info")


def answers(worker):
    assert worker.code == 0, str(worker)
    return json.loads(worker.out)


def test_workflow_defined_in_main_completes_with_fresh_state(worker):
    assert answers(worker)["clean"] == [[2, "__temporal_main__"]] * 2


def test_hosts_main_module_stays_untouched(worker):
    assert answers(worker)["host"] == 0


def test_workflow_defined_in_main_is_refused_at_its_line(worker):
    line = PROGRAM.read_text().splitlines().index("        return time.time()  # here: Refused") + 1
    for kind, text in answers(worker)["refused"]:
        assert kind == "RestrictedWorkflowAccessError" and "time.time" in text and f"main_worker.py:{line}" in text


def test_start_of_the_worker_is_logged(worker):
    starts = [e for e in worker.log if e["event"] in ("start", "startup", "start-up")]
    assert starts, harness.show(worker.log)
    assert sys.version.split()[0] in starts[0].text and "enforce" in starts[0].text, starts[0].text


def test_exit_summary_counts_the_violations(worker):
    summary = [e for e in worker.log if e["event"] == "summary"]
    assert [e["violations"] for e in summary] == ["3"], harness.show(worker.log)
    totals = [e for e in worker.log if e["event"] == "total" and e["rule"] == "time.time"]
    assert [e["count"] for e in totals] == ["3"] and "main_worker.py:" in totals[0]["where"], harness.show(worker.log)


def test_an_sdk_that_is_not_known_is_guarded_and_one_line_says_so(worker, server, tmp_path, run_program):
    assert not harness.events(worker.log, "untested"), harness.show(worker.log)
    (tmp_path / "sitecustomize.py").write_text("import temporalio.service\ntemporalio.service.__version__ = '9.36.0'\n")
    newer = run_program(sys.executable, PROGRAM, server, PYTHONPATH=tmp_path)
    assert answers(newer) == answers(worker)
    lines = [e for e in newer.log if e.get("sdk") == "9.36.0"]
    assert [e["event"] for e in lines] == ["start", "untested"] and lines[1]["level"] == "warn" and "to" in lines[1]["tested"], harness.show(newer.log)
