import json
import shlex
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "workers"))
import harness  # noqa: E402

PROGRAMS = HERE / "programs"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failing test says how to run it again."""
    report = (yield).get_result()
    if report.failed:
        where = shlex.quote(f"{Path(str(item.fspath)).relative_to(harness.REPO)}::{item.nodeid.split('::', 1)[1]}")
        report.sections.append(("repeat this test", f"cd {shlex.quote(str(harness.REPO))} && SANDGLASS_OBJECT="
                                f"{shlex.quote(str(harness.preload_object()))} {shlex.quote(sys.executable)} -m pytest {where}"))


class Answer:
    """What a program printed last, as JSON, and what stands in its log."""

    def __init__(self, finished):
        self.finished, self.log = finished, finished.log
        lines = finished.out.splitlines()
        assert finished.code == 0 and lines, str(finished)
        self.told = json.loads(lines[-1])

    def of(self, identity):
        return self.told["results"][identity]


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """program(NAME, ARGUMENT..., SETTING=value ...): the same question is asked once."""
    known = {}

    def run(name, *arguments, **settings):
        key = (name, arguments, tuple(sorted(settings.items())))
        if key not in known:
            known[key] = Answer(harness.run([sys.executable, "-u", PROGRAMS / name, *arguments],
                                            log_path=tmp_path_factory.mktemp("log") / "sandglass.log",
                                            PYTHONPATH=PROGRAMS, SANDGLASS_PASSTHROUGH="acme,compiled", **settings))
        return known[key]
    return run
