"""The plugin for pytest: tests are started under guard, and what their workers ran is replayed."""
import os
import sys
import sysconfig

import harness
import pytest

PLUGIN = ["-m", "pytest", "-p", "sandglass_pytest", "-p", "no:cacheprovider", harness.PROGRAMS / "plugin_sample.py"]


@pytest.fixture
def tests(run_program, server):
    """Runs the sample's tests."""
    def run(*options, path=f"{harness.REPO / 'build'}:{os.environ['PATH']}", **settings):
        return run_program(sys.executable, *PLUGIN, *options, preload=False, SERVER=server, PATH=path,
                           PYTHONPATH=harness.REPO / "hooks" / "engines" / "temporal" / "command", **settings)
    if not (harness.REPO / "build" / "sandglass").exists():
        pytest.skip("build/sandglass is not built")
    return run


def test_what_workers_ran_is_replayed(tests):
    ended = tests("--sandglass")
    assert ended.code == 1 and "1 failed, 3 passed" in ended.out, str(ended)
    assert "FAILED" in ended.out and "plugin_sample.py::test_differs\n" in ended.out, str(ended)
    assert "On replay it comes to something else:\n  OnceMore, workflow" in ended.out and "Nondeterminism" in ended.out, str(ended)
    # The parent, its child and that one's two continued runs, and one of each of the tests that are replayed besides.
    assert "sandglass: enforce, 6 runs replayed" in ended.out, str(ended)


def test_mode_is_given(tests):
    ended = tests("--sandglass-mode=warn", "-k", "refused")
    assert ended.code == 1 and "DID NOT RAISE" in ended.out and "sandglass: warn, 1 " in ended.out, str(ended)


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
