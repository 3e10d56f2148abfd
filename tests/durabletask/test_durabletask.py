"""What only durabletask's own backend and worker show."""
import shutil
import subprocess
import sys

import harness
import pytest
from durabletask.testing import create_test_backend

sys.path.append(str(harness.HERE.parent / "durabletask" / "programs"))
from drive import free_port  # noqa: E402


def test_types_of_the_workflow_file_are_the_runs_own(program):
    answer = program("typed.py")
    assert answer.told == {"status": "COMPLETED", "output": [5, 6], "error": None}


def test_an_orchestrator_of_the_workers_own_script(program):
    answer = program("one_file.py")
    assert answer.told["a"]["output"] == answer.told["b"]["output"] == 1, str(answer.finished)
    # One that has no name is guarded all the same.
    assert "Cannot access time.time" in answer.told["c"]["error"]
    said, = harness.events(answer.log, "unisolated")
    assert said["workflow_type"] == "inner" and "top of its module" in said["reason"]


def test_one_that_has_no_name_is_refused_in_mode_strict(program):
    answer = program("one_file.py", SANDGLASS="strict")
    assert answer.told["a"]["output"] == 1 and "cannot have modules of its own" in answer.told["c"]["error"]


def test_a_script_that_would_start_another_worker_is_not_executed_again(program):
    answer = program("bare_script.py")
    assert answer.finished.out.count("begins") == 1
    assert answer.told["a"]["output"] == [1970] and "Cannot access time.time" in answer.told["b"]["error"]
    assert "__name__" in harness.events(answer.log, "unisolated")[0]["reason"]


@pytest.mark.parametrize("isolation", ["shared", "private"])
def test_another_worker_goes_on_where_the_first_one_ended(program, isolation):
    port = free_port()
    backend = create_test_backend(port=port)
    try:
        settings = {"SANDGLASS_ISOLATION": isolation, "SANDGLASS": "strict"}
        program("restarted.py", str(port), **settings)
        answer = program("restarted.py", str(port), "go", **settings)
        assert answer.told == {"status": "COMPLETED", "output": [True, 2], "error": None}, str(answer.finished)
    finally:
        backend.stop()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    path = tmp_path_factory.mktemp("native") / "native.so"
    subprocess.run(["cc", "-O1", "-w", "-shared", "-fPIC", "-pthread", "-o", path, harness.PROGRAMS / "native_library.c"], check=True)
    return str(path)


def test_two_engines_in_one_process(program, compiled):
    answer = program("with_temporal.py", SG_TEST_NATIVE=compiled, SANDGLASS_NATIVE="block", SANDGLASS_VIRTUAL="none")
    told = answer.told["told"]
    assert "NonDeterminismError: Cannot access time.time" in told["of reads_clock"]["error"]
    assert "NonDeterminismError: Cannot access time from" in told["of reads_clock_compiled"]["error"]
    assert told["of counts"]["output"] == 1 and not answer.told["seen"]
    assert [e["engine"] for e in harness.events(answer.log, "start")] == ["durabletask", "temporal"]
    for name in ("Flow", "Compiled"):
        assert harness.violations(answer.log, workflow_type=name, action="block", workflow_id="of " + name)
    refused = [line for line in answer.finished.err.splitlines() if "RestrictedWorkflowAccessError: Cannot access" in line]
    assert "time.time" in refused[0] and "native code" in refused[-1], str(answer.finished)
    assert "workflow.now()" in refused[0] and "ctx." not in "".join(refused)
