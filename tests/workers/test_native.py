"""Compiled code that calls the C library by itself."""
import ctypes.util
import os
import subprocess
import sys

import harness
import pytest

CALLS = "clock monotonic random environment file stat zone socket host sleep syscall system thread".split()
FAMILY = {"clock": "clock", "monotonic": "monotonic", "random": "random", "environment": "environment", "file": "file", "stat": "file", "zone": "file",
          "socket": "network", "host": "host", "sleep": "sleep", "syscall": "host", "system": "process", "thread": "thread"}


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    """Environment that names the compiled helpers."""
    directory = tmp_path_factory.mktemp("native")
    made = {}
    for name, source in (("SG_TEST_NATIVE", harness.PROGRAMS / "native_library.c"),
                         ("SG_TEST_VARIOUS", harness.PROGRAMS / "native_various.c"),
                         ("SG_TEST_MATRIX", harness.HERE.parent / "preload" / "matrix.c")):
        made[name] = harness.compile_library(directory / f"{source.stem}.so", source)
    return made


@pytest.fixture(scope="session")
def native(server, libraries, tmp_path_factory):
    """native(NAMES, SETTING=value ...): the finished host program, in which nothing is answered; the same question is asked once."""
    known = {}

    def run(names, **settings):
        key = (tuple(names), tuple(sorted((k, str(v)) for k, v in settings.items())))
        if key not in known:
            known[key] = harness.run_host("native.py", server, names, tmp_path_factory.mktemp("host"),
                                          **{**harness.SEARCH, **libraries, "SANDGLASS_VIRTUAL": "none", **settings})
        return known[key]
    return run


def lines(host, name):
    return harness.violations(host.log, workflow_type=name, origin="native")


def assert_refused(record, *words):
    assert record["status"] in ("failed", "task-failed") and "Restricted" in record["type"], str(record)
    for word in words:
        assert word in record["text"], str(record)


HARMLESS = ["nothing", "hash_keys", "zones"]
HELD = [f"held_{c}" for c in CALLS + HARMLESS]
FREE = [f"free_{c}" for c in CALLS + HARMLESS]
OTHERS = ["swallowed", "logged", "unrestricted", "afterwards", "many", "interpreter", "sqlite_random", "sqlite_now", "sqlite_quoted",
          "held_signal", "free_signal", "unlocked", "restricted_again"]


@pytest.mark.parametrize("call", CALLS)
def test_strict_refuses_at_the_very_line_where_the_gil_is_held(native, call):
    host = native(HELD, SANDGLASS="strict")
    assert_refused(host[f"held_{call}"], "native_library.so", f"native_held_{call}.py:10")
    [line] = lines(host, f"held_{call}")[:1]
    assert line["action"] == "block" and line["family"] == FAMILY[call] and line["object"] == "native_library.so", line.text


@pytest.mark.parametrize("call", CALLS)
def test_strict_refuses_the_activation_where_the_gil_is_not_held(native, call):
    host = native(FREE, SANDGLASS="strict")
    assert_refused(host[f"free_{call}"], "native_library.so", "in this activation")
    assert lines(host, f"free_{call}")[0]["family"] == FAMILY[call], harness.show(host.log)


@pytest.mark.parametrize("names", [HELD, FREE], ids=["held", "free"])
@pytest.mark.parametrize("call", HARMLESS)
def test_strict_lets_harmless_calls_pass(native, names, call):
    host = native(names, SANDGLASS="strict")
    name = f"{names[0].split('_')[0]}_{call}"
    assert host[name]["status"] == "completed" and not lines(host, name), str(host[name])


@pytest.mark.parametrize("names", [HELD, FREE], ids=["held", "free"])
def test_enforce_warns(native, names):
    host = native(names)
    for name in names:
        assert host[name]["status"] == "completed" and host[name]["result"] == "1", str(host[name])
        harmless = name.split("_", 1)[1] in HARMLESS
        assert [e["action"] for e in lines(host, name)[:1]] == ([] if harmless else ["warn"]), harness.show(lines(host, name))


def test_native_off_sees_nothing(native):
    host = native(["held_clock", "free_clock"], SANDGLASS="strict", SANDGLASS_NATIVE="off")
    assert [host[n]["status"] for n in ("held_clock", "free_clock")] == ["completed"] * 2 and not harness.violations(host.log)


def test_native_block_refuses_in_enforce_too(native):
    assert_refused(native(["held_clock", "free_clock"], SANDGLASS_NATIVE="block")["held_clock"])


def test_native_block_refuses_nothing_in_warn_mode(native):
    host = native(["held_clock", "free_clock"], SANDGLASS="warn", SANDGLASS_NATIVE="block")
    assert host["held_clock"]["status"] == "completed" and lines(host, "held_clock")[0]["action"] == "warn"


def test_an_object_is_allowed_by_a_line(native, tmp_path):
    rules = tmp_path / "native.conf"
    rules.write_text("[native]\nnative_library.so = allow only=clock | it is only a test\n")
    host = native(["held_clock", "held_random"], SANDGLASS="strict", SANDGLASS_CONFIG=rules)
    assert host["held_clock"]["status"] == "completed", str(host["held_clock"])
    assert_refused(host["held_random"])


@pytest.mark.parametrize("name, settings, action", [
    ("top_line", {"SANDGLASS": "strict"}, "block"), ("top_line", {"SANDGLASS_NATIVE": "block"}, "warn"),
    ("top_library", {"SANDGLASS": "strict"}, "warn"), ("top_library", {"SANDGLASS_NATIVE": "block"}, "warn")])
def test_a_call_at_import_is_refused_in_strict_where_the_line_is_the_users(native, name, settings, action):
    host = native([name], **settings)
    seen = [e for e in harness.violations(host.log, origin="native") if e["phase"] == "import"]
    assert seen and {e["action"] for e in seen} == {action}, harness.show(host.log)
    refused = "Restricted" in host.finished.err and "native_library.so" in host.finished.err
    assert refused if action == "block" else host[name]["status"] == "completed", str(host.finished)


def test_what_is_called_at_import_without_the_gil_is_answered_or_warned_about(native):
    """A TLS context at the top of a file, for activities: OpenSSL seeds itself with entropy and the time."""
    host = native(["top_free"], SANDGLASS="strict", SANDGLASS_VIRTUAL="clock", SANDGLASS_LOG_LEVEL="info")
    assert host["top_free"]["status"] == "completed", str(host.finished)
    seen = [(e["action"], e["entry"]) for e in host.log if e.get("phase") == "import" and "entry" in e]
    assert ("answer", "time") in seen and ("warn", "getrandom") in seen and len(set(seen)) == 2, harness.show(host.log)


def test_a_refusal_is_not_lost_among_many_warnings(native, libraries, tmp_path):
    """Without the interpreter's lock calls are noted and judged at the end of the activation; there is room for some."""
    for name, line in ("all", "block"), ("files", "warn only=file"):
        (tmp_path / name).write_text(f"[native]\nnative_various.so = {line} | a test says so\n")
    host = native(["free_various"], SG_TEST_NATIVE=libraries["SG_TEST_VARIOUS"],
                  SANDGLASS_CONFIG=f"{tmp_path / 'all'}:{tmp_path / 'files'}")
    seen = {e["entry"]: e["action"] for e in lines(host, "free_various")}
    assert len(seen) > 16 and list(seen.values()).count("block") == 1, harness.show(host.log)
    assert_refused(host["free_various"], "native_various.so")


def test_a_swallowed_refusal_fails_the_activation(native):
    host = native(OTHERS, SANDGLASS="strict")
    assert_refused(host["swallowed"])


def test_the_exception_can_be_told_by_its_name_and_line(native):
    """The workflow returned a value, so its activation fails all the same, with the refusal of line 11."""
    assert_refused(native(OTHERS, SANDGLASS="strict")["afterwards"], "native_afterwards.py:11")


@pytest.mark.parametrize("name", ["logged", "unrestricted", "unlocked", "many", "interpreter", "sqlite_quoted"])
def test_strict_lets_sinks_and_the_interpreter_pass(native, name):
    host = native(OTHERS, SANDGLASS="strict")
    assert host[name]["status"] == "completed" and not lines(host, name), f"{host[name]}\n{host.finished}"


def test_a_block_without_restrictions_ends(native):
    assert_refused(native(OTHERS, SANDGLASS="strict")["restricted_again"], "native_library.so")


@pytest.mark.parametrize("name", ["sqlite_random", "sqlite_now"])
def test_sql_is_looked_at(native, name):
    assert_refused(native(OTHERS, SANDGLASS="strict")[name], "sqlite3.Connection.execute")


@pytest.mark.parametrize("name", ["held_signal", "free_signal"])
def test_a_signal_handler_is_put_off_to_the_end(native, name):
    assert_refused(native(OTHERS, SANDGLASS="strict")[name], "in this activation")


def test_every_hook_works_inside_a_workflow(native, libraries):
    """The whole matrix in a workflow, judged and let pass, gives the answers that it gives in a plain interpreter."""
    code = ("import ctypes, os; f = ctypes.CDLL(os.environ['SG_TEST_MATRIX']).matrix\n"
            "f.restype = ctypes.c_char_p; print(f().decode(), end='')")
    plain = subprocess.run([sys.executable, "-c", code], env=harness.environment(False, **libraries), capture_output=True, text=True,
                           check=True).stdout
    inside = native(["matrix"])["matrix"]
    assert inside["status"] == "completed", str(inside)
    assert inside["result"].splitlines() == plain.splitlines()


@pytest.fixture(params=[f"{order} {name}" for name in ("jemalloc", "mimalloc", "asan") for order in ("before", "behind")])
def beside(request):
    """Settings for a preload of somebody else's, in either order."""
    order, name = request.param.split()
    other = ctypes.util.find_library(name)
    if not other:
        pytest.skip(f"{name} is not installed (tests/setup.sh preloads)")
    both = [harness.preload_object(), other]
    return {"LD_PRELOAD": " ".join(both if order == "before" else reversed(both)),
            "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0"}


def test_beside_other_preloads(native, libraries, beside):
    host = native(["matrix", "held_clock", "free_clock", "held_nothing", "forked"], **beside)
    test_every_hook_works_inside_a_workflow(lambda names: host, libraries)
    # A sanitizer in front makes the call in the library's place, and is trusted.
    judged = 0 if "libasan" in beside["LD_PRELOAD"].split()[0] else 1
    assert [len(lines(host, name)) for name in ("held_clock", "free_clock")] == [judged] * 2, harness.show(host.log)
    assert host["held_nothing"]["status"] == "completed" and not lines(host, "held_nothing")
    assert host["forked"]["result"] == "42", str(host["forked"])


@pytest.mark.parametrize("mode", ["enforce", "strict"])
def test_time_of_day_is_answered(native, mode):
    host = native(["held_clock", "free_clock", "held_monotonic"], SANDGLASS=mode, SANDGLASS_VIRTUAL="clock", SANDGLASS_LOG_LEVEL="info")
    for name in "held_clock", "free_clock":
        assert host[name]["status"] == "completed", str(host[name])
        [told] = harness.events(host.log, "answered", workflow_type=name)
        assert told["object"].endswith("native_library.so") and told["entry"] == "time" and not lines(host, name), harness.show(host.log)
    assert lines(host, "held_monotonic"), "what waits for a time that stands still waits for ever"


NUMPY = ["numpy_clock", "numpy_global", "numpy_seeded"]


@pytest.mark.parametrize("name", ["clocks_and_now", "clocks_and_now_free", "numpy_clock_and_now"])
def test_time_of_day_is_that_of_the_activation(native, name):
    if "numpy" in name:
        pytest.importorskip("numpy")
    first, second = native([name], SANDGLASS="strict", SANDGLASS_VIRTUAL="clock")[name]["result"].split()
    assert first == second


def test_numpy(native):
    pytest.importorskip("numpy")
    host = native(NUMPY, SANDGLASS="strict")
    assert_refused(host["numpy_clock"], "multiarray")
    assert_refused(host["numpy_global"], "numpy.random.random")
    assert host["numpy_seeded"]["status"] == "completed", str(host["numpy_seeded"])
