"""SANDGLASS_HARDENED: compiled code that goes past the C library."""
import os
import platform
import shutil
import signal
import subprocess
import sys

import harness
import pytest
from test_native import assert_refused, libraries, lines, native  # noqa: F401: fixtures

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="Syscall User Dispatch is for x86-64")

CALLS = {"raw_random": ("syscall(getrandom)", "random"), "raw_clock": ("syscall(clock_gettime)", "clock"),
         "raw_file": ("syscall(openat)", "file"), "raw_counter": ("rdtsc", "monotonic")}
HELD = [f"held_{c}" for c in CALLS] + ["held_raw_harmless", "held_raw_signal"]
FREE = [f"free_{c}" for c in CALLS] + ["free_raw_harmless"]


def hardened(native, names, **settings):
    host = native(names, SANDGLASS_HARDENED=1, SANDGLASS_LOG_LEVEL="info", **settings)
    [state] = [e for e in host.log if e["event"] == "hardened"]
    for part in ("syscalls", "rdtsc"):
        if state[part] != "seen":
            pytest.skip(f"not on this machine: {state.text}")
    return host


@pytest.mark.parametrize("call", CALLS)
def test_strict_refuses_at_the_very_line_where_the_gil_is_held(native, call):
    host = hardened(native, HELD, SANDGLASS="strict")
    assert_refused(host[f"held_{call}"], "native_library.so", f"native_held_{call}.py:10")
    line = lines(host, f"held_{call}")[0]
    assert (line["entry"], line["family"], line["action"]) == (*CALLS[call], "block"), line.text


@pytest.mark.parametrize("call", CALLS)
def test_strict_refuses_the_activation_where_the_gil_is_not_held(native, call):
    host = hardened(native, FREE, SANDGLASS="strict")
    assert_refused(host[f"free_{call}"], "native_library.so", "in this activation")
    assert lines(host, f"free_{call}")[0]["entry"] == CALLS[call][0], harness.show(host.log)


def test_a_signal_handler_that_blocks_everything_is_put_off_to_the_end(native):
    assert_refused(hardened(native, HELD, SANDGLASS="strict")["held_raw_signal"], "in this activation")


@pytest.mark.parametrize("names", [HELD, FREE], ids=["held", "free"])
def test_strict_lets_harmless_calls_pass(native, names):
    host = hardened(native, names, SANDGLASS="strict")
    name = names[len(CALLS)]
    assert host[name]["status"] == "completed" and not lines(host, name), str(host[name])


@pytest.mark.parametrize("names", [HELD, FREE], ids=["held", "free"])
def test_enforce_warns_and_the_answers_are_right(native, names):
    host = hardened(native, names)
    for name in names:
        assert host[name]["status"] == "completed" and host[name]["result"] == "1", str(host[name])
        assert [e["action"] for e in lines(host, name)[:1]] == ([] if "harmless" in name else ["warn"]), harness.show(lines(host, name))


def test_without_it_nothing_is_seen(native):
    host = native(HELD[:5], SANDGLASS="strict")
    for name in HELD[:5]:
        assert host[name]["status"] == "completed" and host[name]["result"] == "1", str(host[name])
    assert not harness.violations(host.log) and not [e for e in host.log if e["event"] == "hardened"]


def test_native_off_says_that_it_takes_hardened_with_it(native):
    host = native(HELD[:2], SANDGLASS="strict", SANDGLASS_NATIVE="off", SANDGLASS_HARDENED=1)
    [state] = [e for e in host.log if e["event"] == "hardened"]
    assert state["syscalls"] == "unseen" and state["syscalls_reason"] == "SANDGLASS_NATIVE is off", state.text
    assert host[HELD[0]]["status"] == "completed"


def test_programs_children_and_threads_that_are_started_can_read_the_clock(native):
    results = {**{f"started_{how}": "0" for how in ("vfork", "fork", "system", "spawn")}, "forked": "42", "threaded": "1", "held_helper": "1", "held_blocked": "1"}
    host = hardened(native, list(results))
    for name, result in results.items():
        assert host[name]["status"] == "completed" and host[name]["result"] == result, f"{host[name]}\n{host.finished}"


def test_a_real_fault_is_reported_by_faulthandler_and_ends_the_worker(native):
    ended = hardened(native, ["crash"], SANDGLASS="strict").finished
    assert ended.code == -signal.SIGSEGV, str(ended)
    assert "Segmentation fault" in ended.err and "native_crash.py" in ended.err and "line 10" in ended.err, str(ended)


def test_every_hook_works_in_a_hardened_workflow(native, libraries):
    plain, inside = native(["matrix"]), hardened(native, ["matrix"])
    assert inside["matrix"]["status"] == "completed", str(inside["matrix"])
    assert inside["matrix"]["result"].splitlines() == plain["matrix"]["result"].splitlines()


@pytest.mark.parametrize("how, reason", [("refuse", "forbids it"), ("kill", "was killed")])
def test_where_a_filter_forbids_it_the_worker_goes_on_and_the_log_says_so(run_program, how, reason):
    ended = run_program(sys.executable, harness.PROGRAMS / "filtered.py", how, SANDGLASS_HARDENED=1)
    assert ended.code == 0 and ended.out == "imported temporalio.worker\n", str(ended)
    [state] = [e for e in ended.log if e["event"] == "hardened"]
    assert state["level"] == "warn" and state["syscalls"] == state["rdtsc"] == "unseen" and reason in state["syscalls_reason"], state.text


@pytest.fixture(scope="module")
def go_library(tmp_path_factory):
    if not shutil.which("go"):
        pytest.skip("there is no Go")
    directory = tmp_path_factory.mktemp("go")
    shutil.copy(harness.PROGRAMS / "go_library.go", directory / "library.go")
    (directory / "go.mod").write_text("module library\ngo 1.20\n")
    made = subprocess.run(["go", "build", "-buildmode=c-shared", "-o", "go_library.so", "."], cwd=directory, capture_output=True, text=True,
                          env={**os.environ, "GOCACHE": str(harness.REPO / "build" / "go"), "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"})
    if made.returncode:
        pytest.skip(f"Go does not build here: {made.stderr[-300:]}")
    return directory / "go_library.so"


def test_a_go_library(server, libraries, go_library, tmp_path):
    """Its goroutines run on small stacks, make system calls by themselves, and its runtime takes SIGSEGV for itself."""
    names = ["held_go_file", "free_go_file", "held_go_fault", "free_go_work"]
    host = harness.run_host("native.py", server, names, tmp_path / "host",
                            **{**harness.SEARCH, **libraries, "SG_TEST_NATIVE": go_library, "SANDGLASS_HARDENED": 1})
    for name in names:
        assert host[name]["status"] == "completed" and host[name]["result"] == "1", f"{host[name]}\n{host.finished}"
    assert harness.violations(host.log, entry="syscall(newfstatat)", object="go_library.so", family="file"), harness.show(host.log)
    assert [e for e in host.log if e["event"] == "bypass" and e["kind"] == "go"], harness.show(host.log)


def test_the_doctor_says_what_is_to_be_had(tmp_path):
    doctor = os.path.join(os.path.dirname(harness.preload_object()), "sandglass")
    if not os.path.exists(doctor):
        pytest.skip("the command is not built")
    said = subprocess.run([doctor, "doctor", sys.executable], env=harness.environment(False), capture_output=True, text=True).stdout
    assert any(line.startswith("ok    hardened ") for line in said.splitlines()), said
