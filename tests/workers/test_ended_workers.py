"""What a process still holds of workers that have ended, of files that were imported again, and after a fork."""
import json
import sys

import harness
import pytest

HELPER = "import helper_of_test\n"
LOOP = """        with workflow.unsafe.sandbox_unrestricted():
            while "STUCK" in os.environ:
                pass
"""


@pytest.fixture
def left(run_program, tmp_path):
    def run(what, isolation, lines="", text=None, **settings):
        (tmp_path / "flow_of_test.py").write_text(text or harness.FLOW.format(lines + "TABLE = {i: [i, str(i)] for i in range(100)}\n"))
        ended = run_program(sys.executable, harness.PROGRAMS / "ended_workers.py", what,
                            **{"PYTHONPATH": tmp_path, "PYTHONDONTWRITEBYTECODE": "1", "SANDGLASS_ISOLATION": isolation, **settings})
        assert ended.out.strip(), str(ended)
        return json.loads(ended.out)
    return run


both = pytest.mark.parametrize("isolation", ["shared", "private"])


@both
def test_workers_with_settings_of_their_own_are_forgotten(left, isolation):
    assert left("settings", isolation)["modules"] == 0


@both
def test_what_was_there_when_an_image_was_made_is_collected_as_ever(left, isolation):
    """3.12 has frozen objects from the start; they are no reason to leave the host's frozen."""
    assert not left("collects", isolation)["there"]


@both
def test_a_run_keeps_the_settings_that_its_worker_has_dropped(left, isolation):
    assert left("live_run", isolation) == {"while it lives": 1, "modules": 0}


@both
@pytest.mark.parametrize("how", ["reload", "executed"])
def test_a_file_that_was_imported_again_counts_for_a_worker_that_runs(left, isolation, how):
    result = left(how, isolation)
    assert result["seen"] == [int(f"{version}{'0' * version}") for version in range(8)]
    assert result["modules"] <= 1  # the last one's image


@both
def test_a_helper_that_was_imported_again_counts_what_only_changed_on_disk_does_not(left, tmp_path, isolation):
    (tmp_path / "helper_of_test.py").write_text("VERSION = 0\n")
    text = harness.FLOW.format(HELPER) + "\n    VERSION = helper_of_test.VERSION\n"
    assert left("helper", isolation, text=text)["seen"] == [1, 22, 22]


@both
def test_runs_of_the_child_of_a_fork_are_freed(left, isolation):
    assert left("fork", isolation)["left"] == 0


@both
@pytest.mark.parametrize("exception, status", [("KeyboardInterrupt", -2), ("SystemExit", 7)])
def test_a_process_that_ends_by_an_exception_has_its_status(run_program, tmp_path, isolation, exception, status):
    """What is executed while runs end must not make the interpreter forget it."""
    (tmp_path / "flow_of_test.py").write_text(harness.FLOW.format(""))
    ended = run_program(sys.executable, harness.PROGRAMS / "ended_workers.py", "interrupted", exception,
                        **{"PYTHONPATH": tmp_path, "SANDGLASS_ISOLATION": isolation})
    assert ended.code == status, str(ended)


def test_a_run_that_is_stuck_cannot_be_removed(left):
    """Were it forgotten, the next try would get a thread stuck as well."""
    text = harness.FLOW.format("import os").replace("        pass\n", LOOP)
    answers = left("stuck", "shared", text=text)["answers"]
    assert "cannot be removed yet" in answers[0] and answers[1] == "removed"


@pytest.mark.parametrize("exception", ["KeyboardInterrupt", "SystemExit", "ValueError"])
def test_a_worker_does_not_wait_for_an_activation_that_nobody_will_answer(run_program, tmp_path, exception):
    """Whether the SDK waits for it, for ever, is a matter of addresses."""
    text = harness.FLOW.format("import builtins, os").replace("        pass\n", """        with workflow.unsafe.sandbox_unrestricted():
            if "ESCAPES" in os.environ:
                raise getattr(builtins, os.environ["ESCAPES"])(7)
""")
    (tmp_path / "flow_of_test.py").write_text(text)
    ended = run_program(sys.executable, harness.PROGRAMS / "ended_workers.py", "escaped", exception, **{"PYTHONPATH": tmp_path})
    assert ended.out.strip(), str(ended)
    first, *rest = json.loads(ended.out)["answers"]
    assert first == "shut down"
    if exception == "ValueError":
        assert rest == ["shut down"]
    else:
        assert rest[0] == exception and "never answered" in rest[1]


def test_tracers_see_a_call_for_each_return_of_a_worker(run_program, tmp_path):
    (tmp_path / "flow_of_test.py").write_text(harness.FLOW.format(""))
    ended = run_program(sys.executable, harness.PROGRAMS / "traced.py", **{"PYTHONPATH": tmp_path})
    assert ended.out.strip() == "[]", str(ended)
