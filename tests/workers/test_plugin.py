"""The plugin for pytest: tests are started under guard, and what their workers ran is replayed."""
import os
import sys
import sysconfig

import harness
import pytest

sys.path.append(str(harness.REPO / "hooks" / "engines" / "temporal" / "command"))
import sandglass_pytest  # noqa: E402

PLUGIN = ["-m", "pytest", "-p", "sandglass_pytest", "-p", "no:cacheprovider"]


@pytest.fixture
def tests(run_program, server, tmp_path):
    """Runs the sample's tests."""
    def run(*options, program="plugin_sample.py", path=f"{harness.REPO / 'build'}:{os.environ['PATH']}", **settings):
        return run_program(sys.executable, *PLUGIN, harness.PROGRAMS / program, *options, preload=False, SERVER=server, PATH=path, TMPDIR=tmp_path,
                           PYTHONPATH=harness.REPO / "hooks" / "engines" / "temporal" / "command", **settings)
    if not (harness.REPO / "build" / "sandglass").exists():
        pytest.skip("build/sandglass is not built")
    return run


def test_what_workers_ran_is_replayed(tests):
    ended = tests("--sandglass", "-k", "children or differs or refused")
    assert ended.code == 1 and "1 failed, 3 passed" in ended.out, str(ended)
    assert "FAILED" in ended.out and "plugin_sample.py::test_differs\n" in ended.out, str(ended)
    assert "On replay it comes to something else:\n  OnceMore, workflow" in ended.out and "Nondeterminism" in ended.out, str(ended)
    # The parent, its child and that one's two continued runs, and one of each of the tests that are replayed besides.
    assert "\nsandglass: enforce, 6 runs replayed, 1 refusal, 0 warnings\n" in ended.out, str(ended)


def line(text):
    return (harness.PROGRAMS / "plugin_sample.py").read_text().partition(text)[0].count("\n") + 1


REFUSED = (f"plugin_sample.py:{line('+ time.time()')}: error: time.time: the clock has moved on when the workflow is replayed; "
           "instead workflow.time() or workflow.now()\n")


def test_refusal_fails_the_test_that_awaits_the_workflow(tests, tmp_path):
    ended = tests("--sandglass", "-k", "test_reads and not unheard")
    assert ended.code == 1 and "WorkflowFailureError" in ended.out and "Cannot access time.time" in ended.out, str(ended)
    assert f"Sandglass has refused:\n  tests/workers/programs/{REFUSED}" in ended.out, str(ended)
    assert f"===\ntests/workers/programs/{REFUSED}" in ended.out, str(ended)
    assert "\nsandglass: enforce, 1 run replayed, 1 refusal, 0 warnings\n" in ended.out and "1 failed" in ended.out, str(ended)
    assert "event=" not in ended.out + ended.err, str(ended)  # no line of the log as it is
    assert not list(tmp_path.glob("sandglass-pytest-*"))


def test_refusal_fails_each_test_that_does_not_look(tests):
    ended = tests("--sandglass", "-k", "unheard and reads or refused")
    assert "1 failed, 1 passed" in ended.out and f"_\nSandglass has refused:\n  tests/workers/programs/{REFUSED}" in ended.out, str(ended)


def test_workflow_that_catches_its_refusal_is_terminated(tests):
    ended = tests("--sandglass", "-k", "catches")
    assert ended.code == 1 and "2 failed" in ended.out, str(ended)
    assert "TerminatedError: Cannot access time.time" in ended.out and "On replay" not in ended.out, str(ended)
    assert "\nsandglass: enforce, 1 run replayed, 1 refusal, 0 warnings\n" in ended.out, str(ended)


@pytest.mark.parametrize("mode, level", [("enforce", "warning"), ("strict", "error")])
def test_change_of_shared_state_is_told(mode, level, tests):
    ended = tests(f"--sandglass-mode={mode}", "-k", "changes")
    assert ended.code == (level == "error"), str(ended)
    assert f"plugin_sample.py:{line('string.letters')}: {level}: state.module: it is state " in ended.out, str(ended)
    counts = "1 refusal, 0 warnings" if level == "error" else "0 refusals, 1 warning"
    assert f"\nsandglass: {mode}, 1 run replayed, {counts}\n" in ended.out, str(ended)


def test_mode_is_given(tests):
    ended = tests("--sandglass-mode=warn", "-k", "refused")
    assert ended.code == 1 and "DID NOT RAISE" in ended.out and REFUSED.replace("error", "warning") in ended.out, str(ended)
    assert "sandglass: warn, 1 run replayed, 0 refusals, 1 warning\n" in ended.out, str(ended)


def test_update_that_is_refused_fits_on_replay(tests):
    ended = tests("--sandglass", "-k", "update")
    assert ended.code == 0 and "sandglass: enforce, 1 run replayed, 1 refusal, 0 warnings\n" in ended.out, str(ended)


def test_run_that_leaves_closes_nothing_of_the_hosts_that_waits(tests):
    ended = tests("--sandglass", program="plugin_private.py")
    assert ended.code == 0 and "\nprivate object=plugin_private.NUMBERS" in ended.out, str(ended)
    assert "sandglass: enforce, 1 run replayed, 0 refusals, 0 warnings\n" in ended.out, str(ended)


def test_log_of_the_users_own(tests, tmp_path):
    ended = tests("--sandglass", "-k", "refused", SANDGLASS_LOG=tmp_path / "own.log")
    assert ended.code == 0 and f"1 run replayed, refusals and warnings are in its log ({tmp_path / 'own.log'})" in ended.out, str(ended)
    assert len(harness.violations(harness.read_log(tmp_path / "own.log"), rule="time.time", action="block")) == 1, str(ended)


def test_object_that_is_there_already(tests):
    ended = tests("--sandglass", "-k", "changes", LD_PRELOAD=harness.preloads(harness.REPO / "build" / "libsandglass.so"))
    assert ended.code == 0 and "sandglass: enforce, 1 run replayed, 0 refusals, 1 warning\n" in ended.out, str(ended)


def test_processes_of_xdist_are_counted_together(tests):
    pytest.importorskip("xdist")
    ended = tests("--sandglass", "-n", "2", "-k", "children or reads or changes")
    assert "2 failed, 2 passed" in ended.out and "sandglass: enforce, 7 runs replayed, 1 refusal, 1 warning\n" in ended.out, str(ended)


def test_log_is_read_as_it_is_written():
    text = r'sandglass ts=1 event=violation rule=time.time reason="a \"b\" \\ c=d" empty="" where="/a b/c.py:1"'
    assert sandglass_pytest.parse_logfmt(text) == harness.parse_logfmt(text)
    assert sandglass_pytest.parse_logfmt(r'reason="a\nb"') == {"reason": "a\nb"}


def test_help_says_which_mode_is_the_default(tests):
    assert "by default as SANDGLASS says, else enforce" in " ".join(tests("--help").out.split())


def test_mode_that_is_none(tests):
    ended = tests("--sandglass-mode=some")
    assert ended.code == 2 and "SANDGLASS = some: unknown mode" in ended.err, str(ended)


def test_another_mode_than_that_of_an_object_that_is_there(tests):
    ended = tests("--sandglass-mode=strict", LD_PRELOAD=harness.REPO / "build" / "libsandglass.so")
    assert ended.code == 4 and "is loaded already, in mode enforce" in ended.err, str(ended)


def test_without_the_option_nothing_happens(tests):
    ended = tests("-k", "differs")
    assert ended.code == 0 and "sandglass:" not in ended.out and "2 passed" in ended.out, str(ended)


def test_without_the_command_it_is_said(tests):
    ended = tests("--sandglass", path=sysconfig.get_path("stdlib"))
    assert ended.code == 4 and "--sandglass: no command sandglass beside" in ended.err, str(ended)
