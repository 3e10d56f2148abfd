"""Compiled code that is bound past the hooks on the C library, or finds other ways around them."""
import os

import harness
import pytest
from test_native import assert_refused, libraries, lines  # noqa: F401: libraries is a fixture


@pytest.fixture
def run(server, libraries, tmp_path):
    """run(NAMES, FLAGS, SETTING=value ...): a host whose native_library.so was linked with these flags."""
    def run(names, flags=(), **settings):
        library = build(tmp_path / "native_library.so", "native_library.c", *flags)
        return harness.run_host("native.py", server, names, tmp_path / "host",
                                **{**harness.SEARCH, **libraries, "SG_TEST_NATIVE": library, "SANDGLASS_VIRTUAL": "none", "SANDGLASS_LOG_LEVEL": "info",
                                   **settings})
    return run


def build(path, source, *flags):
    return harness.compile_library(path, harness.PROGRAMS / source, *flags)


def said(host, **wanted):
    return harness.events(host.log, "bypass", **wanted)


NAMES = ["held_clock", "held_random", "free_file", "held_nothing"]


@pytest.mark.parametrize("flags, mode", [
    (["-Wl,-z,now,-z,relro"], os.RTLD_NOW | os.RTLD_DEEPBIND),
    (["-Wl,-z,lazy,-z,norelro"], os.RTLD_NOW | os.RTLD_DEEPBIND),
    (["-Wl,-z,lazy"], os.RTLD_LAZY | os.RTLD_DEEPBIND),
    (["-fno-plt", "-Wl,-z,now"], os.RTLD_NOW | os.RTLD_DEEPBIND),
], ids=["relro", "writable", "lazy", "no-plt"])
def test_an_object_opened_with_deepbind_is_bound_to_the_hooks(run, flags, mode):
    host = run(NAMES, flags, SANDGLASS="strict", SG_TEST_MODE=mode)
    for name in NAMES[:3]:
        assert_refused(host[name], "native_library.so")
    assert host["held_nothing"]["status"] == "completed"
    bound = said(host, kind="deepbind")
    if not mode & os.RTLD_LAZY:
        assert [e["action"] for e in bound] == ["bound"] and "getrandom" in bound[0]["entries"], harness.show(host.log)


def test_an_object_that_comes_back_to_the_same_place(run, tmp_path):
    again = build(tmp_path / "again.so", "native_library.c", "-Wl,-z,now")
    host = run(["held_nothing", "again"], SANDGLASS="strict", SG_TEST_AGAIN=again, SG_TEST_MODE=os.RTLD_NOW | os.RTLD_DEEPBIND)
    assert_refused(host["again"], "again.so")


def test_what_is_bound_the_usual_way_is_not_mentioned(run):
    host = run(NAMES, SANDGLASS="strict")
    assert_refused(host["held_clock"])
    assert not said(host), harness.show(said(host))


def test_a_namespace_of_its_own_is_reported(run, tmp_path):
    other = build(tmp_path / "in_namespace.so", "native_library.c")
    host = run(["held_nothing"], SG_TEST_NAMESPACE=other)
    [line] = said(host, kind="namespace")
    assert line["object"].endswith("in_namespace.so") and line["level"] == "warn" and line["action"] == "unseen", line.text


@pytest.mark.parametrize("kind, flags", [("vdso", []), ("go", ["-DGO"])])
def test_other_ways_to_the_clock_are_reported(run, tmp_path, kind, flags):
    other = build(tmp_path / "other_library.so", "other_library.c", *flags)
    host = run(["held_nothing"], SG_TEST_OTHER=other)
    [line] = said(host)
    assert line["kind"] == kind and line["object"].endswith("other_library.so") and line["level"] == "warn", line.text


def test_of_what_is_allowed_nobody_hears(run, tmp_path):
    other = build(tmp_path / "other_library.so", "other_library.c")
    rules = tmp_path / "native.conf"
    rules.write_text("[native]\nother_library.so = allow | it is only a test\n")
    assert not said(run(["held_nothing"], SG_TEST_OTHER=other, SANDGLASS_CONFIG=rules))
