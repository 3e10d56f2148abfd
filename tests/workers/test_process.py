"""Sandglass in a process: configuration errors, silence where nothing is to be done, and what a program can see of it."""
import json
import os
import sys
import venv
import zipapp
from pathlib import Path

import harness
import pytest



# --- bad configuration ----------------------------------------------------------------------------------------------------

# No except clause saves a worker, and what it has printed before is not lost.
IMPORTS = """
import atexit
atexit.register(print, 'left as usual')
print('before')
try:
    import temporalio.worker
except BaseException:
    pass
print('ran')
"""


@pytest.mark.parametrize("name, value, parts", [
    ("SANDGLASS", "enfoce", ["enforce", "strict", "warn", "observe", "off"]),
    ("SANDGLASS_RULES", "time.tiem=allow", ["time.tiem"]),
    ("SANDGLASS_RULES", "time.time=alow", ["alow", "allow", "warn", "block"]),
    ("SANDGLASS_RULES", "time.time", ["time.time"]),
    ("SANDGLASS_ISOLATION", "some", ["private", "off"]),
    ("SANDGLASS_INHERIT", "perl", ["python", "all", "none"]),
    ("SANDGLASS_LOG_LEVEL", "loud", ["error", "warn", "info", "debug", "trace"]),
    ("SANDGLASS_LOG", "/nonexistent/folder/log", []),
    ("SANDGLASS_CONFIG", "/nonexistent/sandglass.conf", []),
    ("SANDGLASS_NATIVE", "allow", ["off", "warn", "block"]),
    ("SANDGLASS_VIRTUAL", "time", ["clock", "random", "none"]),
    ("SANDGLASS_HARDENED", "yes", ["0", "1"]),
    ("SANDGLASS_HASHSEED", "one", ["0 to 4294967295", "random"]),
    ("SANDGLASS_RULE", "time.time=allow", []),
])
def test_bad_variable_stops_the_worker_with_one_sentence(run_program, name, value, parts):
    ended = run_program(sys.executable, "-c", IMPORTS, **{name: value})
    assert_stopped(ended, name, *([value] if name != "SANDGLASS_RULE" else []), *parts)


@pytest.mark.parametrize("text, line, parts", [
    ("[rules]\ntime.tiem = allow\n", 2, ["time.tiem"]),
    ("[rules]\n\n# x\ntime.time = alow\n", 4, ["time.time", "alow", "allow"]),
    ("[ruels]\ntime.time = allow\n", None, ["ruels", "rules"]),
    ("[settings]\nmode = enfoce\n", 2, ["mode", "enfoce", "enforce"]),
    ("[settings]\nmod = enforce\n", 2, ["mod"]),
    ("what is this\n", 1, []),
])
def test_bad_configuration_file_stops_the_worker_and_names_the_line(run_program, tmp_path, text, line, parts):
    path = tmp_path / "bad.conf"
    path.write_text(text)
    ended = run_program(sys.executable, "-c", IMPORTS, SANDGLASS_CONFIG=path)
    assert_stopped(ended, *([f"bad.conf:{line}"] if line else ["bad.conf"]), *parts)


def assert_stopped(ended, *parts):
    assert ended.code == 2, f"not exit status 2\n{ended}"
    assert ended.out == "before\n", f"the program ran all the same, or its output is lost\n{ended}"
    said = ended.err.strip().splitlines()
    assert len(said) == 1, f"not one sentence\n{ended}"
    assert "sandglass" in said[0].lower(), said
    missing = [p for p in parts if p not in said[0]]
    assert not missing, f"does not name {missing}\n{ended}"


# --- silence --------------------------------------------------------------------------------------------------------------

PLAIN = {
    "nothing": ["-c", "pass"],
    "without site": ["-S", "-c", "import os; print(os.sep)"],
    "isolated": ["-I", "-c", "import os; print(os.sep)"],
    "isolated without site": ["-I", "-S", "-c", "pass"],
    "module": ["-m", "calendar", "2020", "1"],
    "unbuffered and verbose warnings": ["-u", "-W", "error", "-c", "import asyncio, random; print(random.Random(1).random())"],
    "development mode": ["-X", "dev", "-c", "import asyncio; asyncio.run(asyncio.sleep(0))"],
    "own error": ["-c", "1/0"],
    "exit status": ["-c", "raise SystemExit(5)"],
    "version": ["-V"],
    "syntax error": ["-c", "("],
    "fork": ["-c", "import os\np = os.fork()\nif not p: os._exit(3)\nprint(os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]))"],
    "threads": ["-c", "import threading\nt = [threading.Thread(target=int) for _ in range(20)]\n[x.start() for x in t]; [x.join() for x in t]"],
    "imports": ["-c", "import socket, ssl, asyncio, subprocess, multiprocessing, ctypes, sqlite3, json, decimal"],
}


@pytest.mark.parametrize("what", PLAIN)
def test_plain_python_behaves_the_same_and_is_silent(run_program, what):
    with_it = run_program(sys.executable, *PLAIN[what])
    without = run_program(sys.executable, *PLAIN[what], preload=False)
    assert (with_it.code, with_it.out, with_it.err) == (without.code, without.out, without.err), str(with_it)


def test_zipapp_runs(run_program, tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("import helper; print(helper.NAME)")
    (tmp_path / "app" / "helper.py").write_text("NAME = 'zipped'")
    zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz")
    ended = run_program(sys.executable, tmp_path / "app.pyz")
    assert (ended.code, ended.out, ended.err) == (0, "zipped\n", ""), str(ended)


def test_python_of_a_virtual_environment_runs(run_program, tmp_path):
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    ended = run_program(tmp_path / "venv" / "bin" / "python", "-c", "import sys; print(sys.prefix)")
    assert (ended.code, ended.out, ended.err) == (0, f"{tmp_path}/venv\n", ""), str(ended)


@pytest.mark.parametrize("command", [["/bin/true"], ["/bin/sh", "-c", "echo x; exit 3"], ["/bin/cat", "/etc/hostname"]], ids=lambda c: c[0])
def test_other_programs_are_left_alone(run_program, command):
    with_it, without = run_program(*command, SANDGLASS_LOG_LEVEL="debug"), run_program(*command, preload=False)
    assert (with_it.code, with_it.out, with_it.err) == (without.code, without.out, without.err), str(with_it)
    assert with_it.log == [], harness.show(with_it.log)


def test_off_leaves_no_log(run_program):
    ended = run_program(sys.executable, harness.PROGRAMS / "armed.py", SANDGLASS="off", SANDGLASS_LOG_LEVEL="debug", **harness.SEARCH)
    assert ended.code == 0 and ended.log == [], str(ended)


# --- what a program can see -----------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def descriptions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("describe")
    found = {}
    for how, preload in (("without", False), ("with", True)):
        ended = harness.run([sys.executable, harness.PROGRAMS / "describe.py", "armed"], log_path=folder / f"{how}.log",
                            preload=preload, **harness.SEARCH)
        assert ended.code == 0, str(ended)
        found[how] = json.loads(ended.out)
    return found["without"], found["with"]


def test_guarded_functions_look_and_pickle_and_copy_as_before(descriptions):
    without, with_it = descriptions
    different = {f"{name} {k}": (v, with_it["members"][name][k]) for name, facts in without["members"].items()
                 for k, v in facts.items() if with_it["members"][name][k] != v}
    assert not different, json.dumps(different, indent=1)


def test_guarded_functions_answer_as_before_outside_workflows(descriptions):
    without, with_it = descriptions
    different = {k: (v, with_it["values"][k]) for k, v in without["values"].items() if with_it["values"][k] != v}
    assert not different, json.dumps(different, indent=1)


FROZEN = """
import time, datetime, uuid, random, os
time.time = lambda: 1.5
class FakeDatetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None): return cls(2020, 1, 1)
datetime.datetime = FakeDatetime
uuid.uuid4 = lambda: 'fixed'
os.getcwd = type('Callable', (), {'__call__': lambda self: '/frozen'})()
import armed
assert time.time() == 1.5 and datetime.datetime.now().year == 2020 and uuid.uuid4() == 'fixed' and os.getcwd() == '/frozen'
print('ran')
"""


def test_functions_replaced_before_arming_do_no_harm(run_program):
    ended = run_program(sys.executable, "-c", FROZEN, **harness.SEARCH)
    assert (ended.code, ended.out) == (0, "ran\n"), str(ended)


REPLACED_LATER = """
import armed, time, random
kept = time.time
time.time = lambda: 1.5
assert time.time() == 1.5
time.time = kept
assert time.time() > 1e9 and time.time is kept
random.random = lambda: 0.5
armed.asyncio.run(armed.validate())
assert random.random() == 0.5
print('ran')
"""


def test_functions_replaced_after_arming_do_no_harm(run_program):
    ended = run_program(sys.executable, "-c", REPLACED_LATER, **harness.SEARCH)
    assert (ended.code, ended.out) == (0, "ran\n"), str(ended)


@pytest.mark.parametrize("code", [
    "import os\np = os.fork()\nif not p:\n    import time, random; time.time(); random.random(); os._exit(9)\n"
    "assert os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) == 9",
    "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as p: assert p.map(abs, [-1, -2]) == [1, 2]",
    "import threading, time\nt = [threading.Thread(target=time.time) for _ in range(50)]\n[x.start() for x in t]; [x.join() for x in t]",
    "import importlib, json, time; importlib.reload(json); importlib.reload(time); time.time()",
    "import sys\nfor m in list(sys.modules): sys.modules[m]\nsys.modules['x'] = 1; del sys.modules['x']",
    "import gc; gc.collect(); [gc.get_referrers(len)]; gc.get_objects()",
    "import tracemalloc, cProfile; tracemalloc.start(); cProfile.run('import time; time.time()')",
    "import sys, time\nsys.settrace(lambda *a: None); time.time(); sys.settrace(None)\nsys.setprofile(lambda *a: None); time.time(); sys.setprofile(None)",
    "raise SystemExit(0)",
], ids=["fork", "multiprocessing", "threads", "reload", "sys.modules", "gc", "profilers", "trace", "exit"])
def test_armed_process_goes_on_as_usual(run_program, code):
    ended = run_program(sys.executable, harness.PROGRAMS / "armed.py", code, **harness.SEARCH)
    assert ended.code == 0, str(ended)


def test_armed_process_ends_with_a_summary(run_program):
    ended = run_program(sys.executable, harness.PROGRAMS / "armed.py", SANDGLASS_LOG_LEVEL="info", **harness.SEARCH)
    assert ended.code == 0 and [e["event"] for e in ended.log][-1:] == ["summary"], str(ended)


def test_log_path_may_name_the_process(run_program, tmp_path):
    ended = run_program(sys.executable, harness.PROGRAMS / "armed.py", "import os; print(os.getpid())",
                        SANDGLASS_LOG_LEVEL="info", SANDGLASS_LOG=tmp_path / "log.%p", **harness.SEARCH)
    assert harness.read_log(tmp_path / f"log.{ended.out.strip()}"), f"{os.listdir(tmp_path)}\n{ended}"


def test_log_may_go_to_stderr(run_program):
    ended = run_program(sys.executable, harness.PROGRAMS / "armed.py", SANDGLASS_LOG_LEVEL="info", SANDGLASS_LOG="stderr", **harness.SEARCH)
    assert ended.code == 0 and "sandglass ts=" in ended.err, str(ended)


# --- child processes ------------------------------------------------------------------------------------------------------

CHILDREN = """
import subprocess, sys, os
look = "print('libsandglass' in open('/proc/self/maps').read())"
shell = "grep -c libsandglass /proc/$$/maps || true"
print(subprocess.run([sys.executable, '-c', look], capture_output=True, text=True).stdout.strip(),
      subprocess.run(['/bin/sh', '-c', shell], capture_output=True, text=True).stdout.strip() != '0')
"""


@pytest.mark.parametrize("inherit, expected", [("python", "True False"), ("all", "True True"), ("none", "False False"), (None, "True True")])
def test_child_processes_keep_the_preload_as_configured(run_program, inherit, expected):
    settings = {"SANDGLASS_INHERIT": inherit} if inherit else {}
    ended = run_program(sys.executable, "-c", CHILDREN, **settings)
    assert ended.out.strip() == expected, str(ended)


def test_other_preloaded_objects_are_kept_for_child_processes(run_program):
    code = "import subprocess; print(subprocess.run(['/bin/sh', '-c', 'echo \"$LD_PRELOAD\"'], capture_output=True, text=True).stdout.strip())"
    other = next(str(p) for pattern in ("lib/*/libm.so.6", "usr/lib*/libm.so.6", "lib*/libm.so.6") for p in Path("/").glob(pattern))
    ended = run_program(sys.executable, "-c", code, SANDGLASS_INHERIT="python", LD_PRELOAD=harness.preloads(other, harness.preload_object()))
    assert other in ended.out and "libsandglass" not in ended.out, str(ended)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="before, a class has as many versions as it needs")
def test_the_hosts_environment_is_read_as_fast_after_many_activations(run_program, tmp_path):
    """CPython gives a class a thousand versions for its caches; one for each activation would be too many."""
    (tmp_path / "flow_of_test.py").write_text(VERSIONS)
    ended = run_program(sys.executable, harness.PROGRAMS / "versions.py", **{"PYTHONPATH": f"{tmp_path}:{harness.FIXTURES}"})
    assert ended.out.strip() and json.loads(ended.out), str(ended)


VERSIONS = """
from temporalio import workflow

@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def nothing(self) -> None:
        pass
"""
