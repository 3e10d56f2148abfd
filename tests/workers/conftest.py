import asyncio
import concurrent.futures
import importlib.metadata
import os
import re
import shlex
import sys
import zlib
from pathlib import Path

import harness
import pytest

sys.path.append(str(harness.FIXTURES))
from local_server import LocalServer  # noqa: E402


def pytest_configure(config):
    wanted = harness.preload_object()
    if wanted and not os.path.exists(wanted):
        pytest.exit(f"{wanted} is not there: build it first with make, or name another with SANDGLASS_OBJECT", 2)


def pytest_addoption(parser):
    parser.addoption("--share", metavar="K/N", help="only each Nth test, by their names, and of these the Kth: 0/3, 1/3 and 2/3 are all")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if too_new(item):
            item.add_marker(pytest.mark.skip(reason="needs SDK %d.%d" % too_new(item)))
    if config.getoption("share"):
        mine, of = map(int, config.getoption("share").split("/"))
        shares = {item: zlib.crc32(item.nodeid.encode()) % of for item in items}
        config.hook.pytest_deselected(items=[item for item in items if shares[item] != mine])
        items[:] = [item for item in items if shares[item] == mine]


def too_new(item):
    """The SDK that a test needs, where this one is older."""
    needed = item.get_closest_marker("since_sdk")
    installed = tuple(map(int, importlib.metadata.version("temporalio").split(".")[:2]))
    return needed and installed < needed.args and needed.args


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failing test says how to run it again."""
    report = (yield).get_result()
    if report.failed:
        chosen = "".join(f"{k}={shlex.quote(os.environ[k])} " for k in ("SANDGLASS_OBJECT", "SANDGLASS_SERVER") if k in os.environ)
        where = shlex.quote(f"{Path(str(item.fspath)).relative_to(harness.REPO)}::{item.nodeid.split('::', 1)[1]}")
        report.sections.append(
            ("repeat this test", f"cd {shlex.quote(str(harness.REPO))} && {chosen}{shlex.quote(sys.executable)} -m pytest {where}"))


@pytest.fixture(scope="session")
def server():
    """Address of a Temporal server: a development server of our own, in memory, unless one is given."""
    given = os.environ.get("SANDGLASS_TEST_SERVER")
    if given:
        yield given
        return
    try:
        own = LocalServer()
    except RuntimeError as e:
        pytest.exit(str(e), 2)  # once, not as an error of every test
    try:
        asyncio.run(own.start())
        yield own.address
    finally:
        own.stop()


@pytest.fixture
def run_program(tmp_path):
    """Runs one program under the preload in a folder of its own, without a server."""
    count = iter(range(100))

    def run(*command, **settings):
        return harness.run(command, log_path=tmp_path / f"sandglass-{next(count)}.log", **settings)
    return run


@pytest.fixture(scope="session")
def hosts(request, server, tmp_path_factory):
    """All host programs that the selected tests ask for, started at once (a few at a time), each with the names of
    all tests that share its settings: so the whole suite is quick, and a single test is, too."""
    plans = {}
    for item in request.session.items:
        wanted = not too_new(item) and host_wanted(item)
        if wanted:
            program, names, settings = wanted
            plans.setdefault((program, tuple(sorted(settings.items()))), set()).update(names)
    pool = concurrent.futures.ThreadPoolExecutor(3)
    yield {(program, settings): pool.submit(
        harness.run_host, program, server, sorted(names), tmp_path_factory.mktemp(label(program, settings)),
        **harness.SEARCH, **dict(settings)) for (program, settings), names in plans.items()}
    pool.shutdown(wait=False, cancel_futures=True)
    harness.stop_all()
    pool.shutdown()


def host_wanted(item):
    """(program, names, settings) of the host that a test needs, None for a test that needs none:
        @pytest.mark.scenario(NAME, SETTING=value ...)      programs/scenarios.py, one scenario; or SCENARIOS of the module
        @pytest.mark.snippets(NAMES, SETTING=value ...)     programs/snippets.py, several snippets
        parameters case_name and mode                       programs/snippets.py, one snippet
    """
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    own = getattr(item.module, "host_settings", lambda name: {})
    scenario, snippets = item.get_closest_marker("scenario"), item.get_closest_marker("snippets")
    if scenario:
        return getattr(item.module, "SCENARIOS", "scenarios.py"), [scenario.args[0]], scenario.kwargs
    if snippets:
        return "snippets.py", snippets.args[0], snippets.kwargs
    if "case_name" in parameters:
        return "snippets.py", [parameters["case_name"]], {"SANDGLASS": parameters["mode"], **own(parameters["case_name"])}
    return None


def label(program, settings):
    return re.sub(r"\W+", "-", "-".join([os.path.basename(program), *(str(v) for _, v in settings)]))[:60]


@pytest.fixture
def host(request, hosts):
    """The finished host program of this test."""
    program, _, settings = host_wanted(request.node)
    return hosts[program, tuple(sorted(settings.items()))].result()


@pytest.fixture
def played(request, host):
    """Result of the test's scenario."""
    record = host[request.node.get_closest_marker("scenario").args[0]]
    assert "error" not in record, f"{record['error']}\n{host.finished}"
    return record["result"]
