"""Never unprotected in silence, and nothing but silence where there is no worker."""
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import harness
import pytest

BAD_SETTINGS = {
    "unknown variable": {"SANDGLASS_FOO": "1"},
    "bad value": {"SANDGLASS": "enfoce"},
    "value that is no text": {"SANDGLASS_RULES": os.fsdecode(b"\xff=allow")},
    "no such file": {"SANDGLASS_CONFIG": "/nonexistent/sandglass.conf"},
    "no such folder": {"SANDGLASS_LOG": "/nonexistent/sandglass.log"},
    "log that is a folder": {"SANDGLASS_LOG": "/tmp/"},
}
PLAIN = {
    "code": ["-c", "import json, os, random, time; print(time.time() > 0, os.getpid() > 0)"],
    "module": ["-m", "pip", "--version"],
    "fork": ["-c", "import os; p = os.fork(); p or os._exit(3); print(os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]))"],
    "client": ["-c", "import temporalio.client; print('client')"],
}


@pytest.mark.parametrize("setting", BAD_SETTINGS)
@pytest.mark.parametrize("what", PLAIN)
def test_a_python_that_is_no_worker_never_minds_a_bad_setting(run_program, what, setting):
    with_it = run_program(sys.executable, *PLAIN[what], **BAD_SETTINGS[setting])
    without = run_program(sys.executable, *PLAIN[what], preload=False)
    assert (with_it.code, with_it.out, with_it.err) == (without.code, without.out, without.err), str(with_it)


@pytest.mark.parametrize("setting", BAD_SETTINGS)
def test_a_worker_with_a_bad_setting_ends(run_program, setting):
    ended = run_program(sys.executable, "-c", "import temporalio.worker; print('imported')", **BAD_SETTINGS[setting])
    said = ended.err.splitlines()
    assert (ended.code, ended.out, len(said)) == (2, "", 1), str(ended)
    assert said[0].startswith("sandglass: ") and list(BAD_SETTINGS[setting])[0] in said[0], said


def test_a_python_that_is_no_worker_makes_no_log(run_program, tmp_path):
    run_program(sys.executable, "-c", "import temporalio.client", SANDGLASS_LOG=tmp_path / "log", SANDGLASS_LOG_LEVEL="trace")
    assert not (tmp_path / "log").exists()


def test_a_log_in_the_working_directory_is_that_of_the_start(run_program, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    code = "import os; os.chdir('elsewhere'); import temporalio.worker"
    ended = run_program(sys.executable, "-c", code, cwd=tmp_path, SANDGLASS_LOG="./own.log")
    assert ended.code == 0 and [e["event"] for e in harness.read_log(tmp_path / "own.log")] == ["start"], str(ended)


# --- one line -------------------------------------------------------------------------------------------------------------

def test_one_line_at_the_default_level_says_what_a_worker_is_guarded_by(run_program):
    ended = run_program(sys.executable, "-c", "import temporalio.worker; from temporalio.service import __version__; print(__version__)",
                        SANDGLASS_LOG="stderr")
    said = [harness.Event(line) for line in ended.err.splitlines()]
    assert ended.code == 0 and [e["event"] for e in said] == ["start"], str(ended)
    assert re.fullmatch(r"\d+\.\d+\.\d+", said[0]["version"]), said
    assert said[0] | {"mode": "enforce", "engine": "temporal", "python": "%d.%d.%d" % sys.version_info[:3], "unguarded": "0",
                      "sdk": ended.out.strip(), "log": "stderr", "level": "info"} == said[0], said
    assert int(said[0]["guards"]) > 200, said


# --- an import that fails ---------------------------------------------------------------------------------------------------

SPOILT = """
import gc, sys
def spoil(): {spoil}
def mend(): {mend}
def attempt():
    try:
        import temporalio.worker
        from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner as runner
        return "guarded" if type(runner.create_instance).__name__ == "method_descriptor" else "unguarded"
    except BaseException as e:
        return f"failed: {{e}}"
spoil()
print(attempt())
print(attempt())
mend()
print(attempt())
"""
SPOILS = {
    "no list of callbacks": ("gc.callbacks = None", "gc.callbacks = callbacks"),
    "another list of callbacks": ("gc.callbacks = []", "gc.callbacks = callbacks"),
    "no exit handlers": ("import atexit; atexit.register_ = atexit.register; del atexit.register",
                         "import atexit; atexit.register = atexit.register_"),
    "an engine that has changed": ("import temporalio.workflow as w; w.unsafe_ = w.unsafe; del w.unsafe", "import temporalio.workflow as w; w.unsafe = w.unsafe_"),
}


@pytest.mark.parametrize("what", SPOILS)
def test_an_import_that_failed_is_never_followed_by_one_without_guards(run_program, what):
    spoil, mend = SPOILS[what]
    ended = run_program(sys.executable, "-c", "import gc; callbacks = gc.callbacks\n" + SPOILT.format(spoil=spoil, mend=mend))
    first, second, mended = ended.out.splitlines()
    assert first.startswith("failed: ") and second.startswith("failed: "), str(ended)
    assert mended == "guarded" or mended.startswith("failed: "), str(ended)


# --- children ---------------------------------------------------------------------------------------------------------------

LOOK = "import sys; import temporalio.worker; print('guarded' if 'libsandglass' in open('/proc/self/maps').read() else 'unguarded')"
STARTERS = {
    "sh": ["sh", "-c", '"$0" "$@"'],
    "sh that execs": ["sh", "-c", 'exec "$0" "$@"'],
    "sh in sh": ["sh", "-c", 'sh -c \'"$0" "$@"; true\' "$0" "$@"'],
    "login shell": ["bash", "-lc", '"$0" "$@"'],
    "env": ["env", "STAGE=test"],
    "env without a variable": ["env", "-u", "HOME"],
    "timeout": ["timeout", "60"],
    "nice": ["nice"],
    "nohup": ["nohup"],
    "setsid": ["setsid", "-w"],
    "stdbuf": ["stdbuf", "-o0"],
    "perl": ["perl", "-e", "exec @ARGV"],
    "make": None,
    "script": None,
    "find": None,
    "xargs": None,
}


def starter(name, tmp_path):
    """The command in front of `python file`; files that take it where a command cannot."""
    program = tmp_path / "look.py"
    program.write_text(LOOK)
    python = [sys.executable, str(program)]
    script = tmp_path / "start.sh"
    script.write_text(f"#!/bin/sh\nset -e\ncd /\n{sys.executable} {program}\n")
    script.chmod(0o755)
    (tmp_path / "Makefile").write_text(f"all:\n\t@{sys.executable} {program}; true\n")
    special = {"make": ["make", "-s", "-C", str(tmp_path)], "script": [str(script)],
               "find": ["find", str(program), "-exec", sys.executable, "{}", ";"],
               "xargs": ["sh", "-c", f"echo {program} | xargs {sys.executable}"]}
    return special.get(name) or STARTERS[name] + python


@pytest.mark.parametrize("name", STARTERS)
def test_a_worker_is_guarded_whoever_starts_it(run_program, tmp_path, name):
    command = starter(name, tmp_path)
    if not shutil.which(command[0]):
        pytest.skip(f"there is no {command[0]}")
    code = "import subprocess, os, sys; sys.exit(subprocess.call(sys.argv[2:], env={'own': None, 'copy': dict(os.environ)}[sys.argv[1]]))"
    for how in "own", "copy":
        ended = run_program(sys.executable, "-c", code, how, *command)
        assert (ended.code, ended.out.strip().splitlines()[-1:]) == (0, ["guarded"]), str(ended)


def foreign(path, change):
    """A copy of /bin/true with other bytes in its ELF header or in the name of its loader."""
    data = bytearray(Path("/bin/true").read_bytes())
    for old, new in change.items():
        if isinstance(old, int):
            data[old] = new
        else:
            at = data.index(old)
            data[at:at + len(old)] = new.ljust(len(old), b"\0")
    path.write_bytes(data)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("inherit", ["all", "python"])
def test_a_program_that_cannot_load_the_object_is_started_without_it(run_program, tmp_path, inherit):
    """It is told by its file alone, so what is started in its place here may show its environment."""
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    loader = re.search(rb"/lib[^\0]*/ld-linux[^\0]*", Path("/bin/true").read_bytes()).group()
    names = {"other processor": {18: 0x28}, "other word size": {4: 1}, "musl": {loader: b"/lib/ld-musl-x.so.1"}, "ours": {}}
    show = tmp_path / "show.c"
    show.write_text("""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* Stands in for the kernel: says what environment the program would have got. */
int execve(const char *path, char *const argv[], char *const envp[])
{
	(void)argv;
	for (int i = 0; envp[i]; i++)
		if (strncmp(envp[i], "LD_PRELOAD=", 11) == 0 && strstr(envp[i], "libsandglass")) {
			dprintf(1, "%s: kept\\n", strrchr(path, '/') + 1);
			_exit(0);
		}
	dprintf(1, "%s: dropped\\n", strrchr(path, '/') + 1);
	_exit(0);
}
""")
    library = tmp_path / "libshow.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", library, show], check=True)
    for name, change in names.items():
        program = foreign(tmp_path / name.replace(" ", "-"), change)
        (tmp_path / f"{program.name}-script").write_text(f"#!{program} -x\n")
        (tmp_path / f"{program.name}-script").chmod(0o755)
        for started, how in ((program, [sys.executable, "-c", "import os, sys; os.execve(sys.argv[1], ['x'], dict(os.environ))"]),
                             (f"{program}-script", [sys.executable, "-c", "import os, sys; os.execve(sys.argv[1], ['x'], dict(os.environ))"]),
                             (program, ["sh", "-c", 'exec "$0" x'])):
            ended = run_program(*how, started, LD_PRELOAD=harness.preloads(harness.preload_object(), library), SANDGLASS_INHERIT=inherit)
            expected = "kept" if name == "ours" and (inherit == "all" or how[0] == "sh") else "dropped"
            assert ended.out.strip().endswith(expected), f"{name} {how}: {ended}"


# --- a Python that comes later ----------------------------------------------------------------------------------------------

HOST = """
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
	void *python = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
	char *arguments[] = {argv[0], argv[3], NULL}, code[4096];
	(void)argc;
	if (!python) {
		fprintf(stderr, "%s\\n", dlerror());
		return 1;
	}
	if (strcmp(argv[2], "main") == 0)
		return ((int (*)(int, char **))dlsym(python, "Py_BytesMain"))(2, arguments);
	((void (*)(void))dlsym(python, "Py_Initialize"))();
	snprintf(code, sizeof(code), "import runpy; runpy.run_path('%s', run_name='__main__')", argv[3]);
	return ((int (*)(const char *))dlsym(python, "PyRun_SimpleString"))(code);
}
"""


@pytest.fixture(scope="module")
def opener(tmp_path_factory):
    library = Path(sysconfig.get_config_var("LIBDIR") or "/", sysconfig.get_config_var("INSTSONAME") or "none")
    if ".so" not in library.name or not library.exists():
        pytest.skip("this Python has no shared libpython")
    folder = tmp_path_factory.mktemp("opener")
    (folder / "host.c").write_text(HOST)
    subprocess.run(["cc", "-o", folder / "host", folder / "host.c", "-ldl"], check=True)
    paths = os.pathsep.join([p for p in sys.path if p.endswith("site-packages")] + [harness.SEARCH["PYTHONPATH"]])
    return [folder / "host", library], {"PYTHONPATH": paths, "PYTHONHOME": sys.base_prefix}


@pytest.mark.parametrize("way", ["main", "embed"])
@pytest.mark.parametrize("settings", [{}, {"PYTHONHASHSEED": "0"}], ids=["as it is", "fixed seed"])
def test_a_worker_whose_libpython_was_opened_is_guarded(run_program, tmp_path, opener, way, settings):
    command, environment = opener
    (tmp_path / "worker.py").write_text("import armed, sys\nprint('ran', sys.version_info[1], flush=True)\n")
    ended = run_program(*command, way, tmp_path / "worker.py", **environment, **settings)
    assert (ended.code, ended.out.strip()) == (0, f"ran {sys.version_info[1]}"), str(ended)
    assert [e["event"] for e in ended.log][:1] == ["start"] and "NOT guarded" not in ended.err, str(ended)


def test_a_program_that_opens_libpython_and_no_engine_sees_nothing(run_program, tmp_path, opener):
    command, environment = opener
    (tmp_path / "plain.py").write_text("import json, socket, subprocess\nprint('ran')\n")
    ended = run_program(*command, "main", tmp_path / "plain.py", SANDGLASS_FOO="1", **environment)
    assert (ended.code, ended.out, ended.err) == (0, "ran\n", ""), str(ended)


FILTERED = "import filters, sys\nfilters.forbid(*sys.argv[1:])\nimport armed\nprint('ran')\n"


@pytest.mark.parametrize("call", ["mincore", "msync"])
def test_a_filter_of_system_calls_that_takes_one_way_to_probe_memory_leaves_the_other(run_program, tmp_path, call):
    (tmp_path / "worker.py").write_text(FILTERED)
    ended = run_program(sys.executable, tmp_path / "worker.py", call, SANDGLASS="strict", **harness.SEARCH)
    assert (ended.code, ended.out) == (0, "ran\n"), str(ended)
    assert [e["event"] for e in ended.log][:1] == ["start"] and "NOT guarded" not in ended.err, str(ended)


@pytest.mark.parametrize("mode, code", [("warn", 0), ("enforce", 0), ("strict", 2), ("answer", 2)])
def test_where_memory_cannot_be_probed_one_line_says_why_and_strict_does_not_start(run_program, tmp_path, mode, code):
    (tmp_path / "worker.py").write_text(FILTERED.replace("import armed", "import temporalio.worker"))
    ended = run_program(sys.executable, tmp_path / "worker.py", "mincore", "msync", SANDGLASS=mode, **harness.SEARCH)
    assert (ended.code, ended.out) == (code, "" if code else "ran\n"), str(ended)
    assert ended.err.count("\n") == 1 and "forbids both mincore() and msync()" in ended.err, ended.err
    assert (f"SANDGLASS = {mode}: workflows cannot be guarded" if code else "workflows are NOT guarded") in ended.err, ended.err
    assert ("SANDGLASS=enforce starts the worker all the same" in ended.err) == bool(code), ended.err


# --- wrapped functions --------------------------------------------------------------------------------------------------------

WRAPPERS = ["code", "proxy", "bare", "function", "closure", "method", "partial", "mock", "twice"]


def wrapped(run_program, how, when):
    ended = run_program(sys.executable, harness.PROGRAMS / "wrapped.py", how, when, SANDGLASS="warn", **harness.SEARCH)
    assert (ended.code, ended.out) == (0, "0 True True 0\n"), str(ended)
    return {(e["rule"], e["origin"]) for e in harness.violations(ended.log)}, ended


@pytest.mark.parametrize("how, when", [(how, when) for how in WRAPPERS for when in ("before", "later")] + [("finder", "before")])
def test_a_function_that_a_tracer_has_wrapped_is_guarded_as_ever(run_program, how, when):
    plain, _ = wrapped(run_program, "nothing", when)
    assert len(plain) >= 7 and {origin for _, origin in plain} == {"direct"}, plain
    seen, ended = wrapped(run_program, how, when)
    assert plain <= seen and {origin for _, origin in seen} == {"direct"}, f"{plain - seen} {seen - plain}\n{ended}"


# As time-machine does it: the pointer in the table of C functions.
PUT_BACK = """
import ctypes, sys, time, _uuid
class Definition(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("function", ctypes.c_void_p)]
def definition(f): return Definition.from_address(ctypes.c_void_p.from_address(id(f) + 16).value)
own = definition(time.thread_time_ns)
before = own.function
own.function = definition(_uuid.generate_time_safe).function
import armed
own.function = before
assert time.thread_time_ns() > 0
sys.path.insert(0, sys.argv[1])
import put_back
async def validate():
    armed.SandboxedWorkflowRunner().prepare_workflow(armed.workflow._Definition.must_from_class(put_back.Flow))
armed.asyncio.run(validate())
"""


def test_a_function_that_its_replacement_puts_back_is_guarded_again(run_program, tmp_path):
    (tmp_path / "put_back.py").write_text(harness.FLOW.format("import time\nif workflow.unsafe.in_sandbox(): time.thread_time_ns()"))
    ended = run_program(sys.executable, "-c", PUT_BACK, tmp_path, SANDGLASS="warn", **harness.SEARCH)
    assert ended.code == 0 and [e["rule"] for e in harness.violations(ended.log)] == ["time.thread_time_ns"], str(ended)


UNKNOWN = """
import sys, types, functools
library = types.ModuleType("acme_library")
class Odd:
    def __call__(self): return 1
library.odd = Odd()
library.lru = functools.lru_cache(lambda: 1)
sys.modules["acme_library"] = library
import temporalio.worker
print("imported")
"""


@pytest.mark.parametrize("settings, refused", [({}, False), ({"SANDGLASS": "strict"}, True), ({"SANDGLASS_REQUIRED": "1"}, True),
                                               ({"SANDGLASS": "warn"}, False)])
def test_a_guard_that_cannot_be_armed_is_said_or_refused(run_program, tmp_path, settings, refused):
    (tmp_path / "own.conf").write_text("[rules]\nacme_library.odd = block | it is odd | nothing\nacme_library.lru = block | it is | nothing\n")
    ended = run_program(sys.executable, "-c", UNKNOWN, SANDGLASS_CONFIG=tmp_path / "own.conf", **settings)
    assert [e["rule"] for e in ended.log if e["event"] == "unguarded"] == ["acme_library.odd"], str(ended)
    if refused:
        assert (ended.code, ended.out) == (2, "") and "acme_library.odd" in ended.err and len(ended.err.splitlines()) == 1, str(ended)
    else:
        assert (ended.code, ended.out, ended.err) == (0, "imported\n", ""), str(ended)
        assert next(e for e in ended.log if e["event"] == "start")["unguarded"] == "1", str(ended)


@pytest.mark.parametrize("settings, refused", [({}, False), ({"SANDGLASS": "strict"}, True), ({"SANDGLASS": "answer"}, True),
                                               ({"SANDGLASS_REQUIRED": "1"}, True)])
def test_what_keeps_runs_apart_and_fails_its_probe_is_said_or_refused(run_program, settings, refused):
    ended = run_program(sys.executable, "-c", "import _abc; del _abc._get_dump; import temporalio.worker; print('imported')", **settings)
    assert [e["name"] for e in ended.log if e["event"] == "unguarded"] == ["abc"], str(ended)
    if refused:
        assert (ended.code, ended.out) == (2, "") and "): abc" in ended.err and len(ended.err.splitlines()) == 1, str(ended)
        assert ("SANDGLASS=enforce" in ended.err) == ("SANDGLASS_REQUIRED" not in settings), str(ended)
    else:
        assert (ended.code, ended.out, ended.err) == (0, "imported\n", ""), str(ended)
        assert next(e for e in ended.log if e["event"] == "start")["unguarded"] == "1", str(ended)


@pytest.mark.parametrize("first", [True, False])
def test_two_copies_are_one_guard(tmp_path, run_program, first):
    """A wheel's and a package's: the one whose entries the loader finds guards, and the other is named."""
    own, other = harness.preload_object(), tmp_path / "libsandglass.so"
    other.write_bytes(Path(own).read_bytes())
    order = [str(own), str(other)] if first else [str(other), str(own)]
    ended = run_program(sys.executable, "-c", "import temporalio.worker; print('imported')", LD_PRELOAD=":".join(order), SANDGLASS="strict")
    assert (ended.code, ended.out, ended.err) == (0, "imported\n", ""), str(ended)
    assert [(e["event"], e.get("object"), e.get("unused")) for e in ended.log] == [("start", *order)], str(ended)


def test_of_three_copies_two_are_no_business_of_the_one_that_guards(tmp_path, run_program):
    copies = [tmp_path / name / "libsandglass.so" for name in "ab"]
    for copy in copies:
        copy.parent.mkdir()
        copy.write_bytes(Path(harness.preload_object()).read_bytes())
    ended = run_program(sys.executable, "-c", "import temporalio.worker; print('imported')", SANDGLASS="strict",
                        LD_PRELOAD=":".join(map(str, [harness.preload_object(), *copies])))
    assert (ended.code, ended.out, ended.err) == (0, "imported\n", "") and [e["event"] for e in ended.log] == ["start"], str(ended)


def test_messages_made_of_python_alone_need_no_order(run_program):
    ended = run_program(sys.executable, "-c", "import temporalio.worker; print('imported')", SANDGLASS="strict",
                        PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION="python")
    assert (ended.code, ended.out) == (0, "imported\n") and "unguarded" not in [e["event"] for e in ended.log], str(ended)


@pytest.mark.parametrize("mode", ["enforce", "strict", "warn", "observe"])
def test_nothing_is_missing_in_a_usual_worker(run_program, mode):
    ended = run_program(sys.executable, harness.PROGRAMS / "armed.py", SANDGLASS=mode, SANDGLASS_REQUIRED="1", **harness.SEARCH)
    assert (ended.code, ended.err) == (0, ""), str(ended)


# --- from outside ---------------------------------------------------------------------------------------------------------------

COMMAND = harness.REPO / "build" / "sandglass"
STATES = {
    "no engine": ("", 1, "no engine has been imported yet"),
    "guarded": ("import armed", 0, ": guarded\n"),
    "forked": ("import armed, os; pid = os.fork()\nif pid: print(pid, flush=True); os.waitpid(pid, 0); os._exit(0)", 0, ": guarded\n"),
}


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not built")
@pytest.mark.parametrize("what", STATES)
def test_status_is_read_from_outside(tmp_path, what):
    code, status, text = STATES[what]
    program = f"import os, sys\n{code}\nprint(os.getpid(), flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], env=harness.environment(SANDGLASS_LOG=tmp_path / "log", **harness.SEARCH), text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as worker:
        pid = worker.stdout.readline().strip()
        if what == "forked":
            assert worker.stdout.readline().strip() == pid
        seen = subprocess.run([COMMAND, "status", pid], capture_output=True, text=True)
        everybody = subprocess.run([COMMAND, "status"], capture_output=True, text=True)
        worker.stdin.close()
    assert (seen.returncode, seen.stderr) == (status, "") and text in seen.stdout, seen
    if what != "no engine":
        words = {line.split()[0]: line.split(None, 1)[1] for line in seen.stdout.splitlines()[1:]}
        assert words["mode"] == "enforce" and words["log"] == str(tmp_path / "log"), seen
        assert words["images"].startswith("1 shared") and int(words["guards"].split(",")[0]) > 200 and "1 made" in words["runs"], seen
        assert any(line.split()[0] == pid and "guarded" in line for line in everybody.stdout.splitlines()), everybody


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not built")
def test_status_of_what_has_none_is_a_clear_sentence():
    plain = subprocess.Popen(["sleep", "60"], env=harness.environment(preload=False))
    other = subprocess.Popen(["sleep", "60"], env=harness.environment())
    for _ in range(500):  # until it is what it is to be
        if "libsandglass.so" not in Path(f"/proc/{other.pid}/maps").read_text():
            time.sleep(0.01)
    try:
        for pid, code, text in ((plain.pid, 1, "Sandglass is not in this process"), (other.pid, 1, "has no Python"),
                                (2**22 + 1, 2, "there is no such process")):
            seen = subprocess.run([COMMAND, "status", str(pid)], capture_output=True, text=True)
            assert seen.returncode == code and text in seen.stdout + seen.stderr, seen
    finally:
        plain.kill(), other.kill()
        plain.wait(), other.wait()


# --- the log ----------------------------------------------------------------------------------------------------------------

TROUBLE = """
import armed, os, sys, shutil
from pathlib import Path
log = Path(os.environ["SANDGLASS_LOG"])
{}
armed.asyncio.run(armed.validate())
"""
MOVES = {
    "renamed": "log.rename(str(log) + '.1')",
    "removed": "log.unlink()",
    "replaced": "log.rename(str(log) + '.1'); log.write_text('')",
    "closed": "os.closerange(100, 5000)",
    "closed and renamed": "os.closerange(100, 5000); log.rename(str(log) + '.1')",
}


@pytest.mark.parametrize("what", MOVES)
def test_the_log_goes_on_under_its_name(run_program, tmp_path, what):
    log = tmp_path / "own.log"
    ended = run_program(sys.executable, "-c", TROUBLE.format(MOVES[what]), SANDGLASS_LOG=log, SANDGLASS_LOG_LEVEL="info", **harness.SEARCH)
    assert ended.code == 0 and "summary" in [e["event"] for e in harness.read_log(log)], f"{ended}\n{os.listdir(tmp_path)}"


def test_a_log_whose_folder_is_removed_harms_nobody(run_program, tmp_path):
    (tmp_path / "folder").mkdir()
    ended = run_program(sys.executable, "-c", TROUBLE.format("shutil.rmtree(log.parent)"), SANDGLASS_LOG=tmp_path / "folder" / "own.log",
                        SANDGLASS_LOG_LEVEL="debug", **harness.SEARCH)
    assert (ended.code, ended.err) == (0, ""), str(ended)


def test_a_full_log_harms_nobody(run_program):
    ended = run_program(sys.executable, harness.PROGRAMS / "armed.py", SANDGLASS_LOG="/dev/full", SANDGLASS_LOG_LEVEL="trace", **harness.SEARCH)
    assert (ended.code, ended.err) == (0, ""), str(ended)


# --- the end of the interpreter -----------------------------------------------------------------------------------------------

HELD = """
import armed, asyncio, atexit, codecs, sys
def gen():
    try: yield 1
    finally: pass
async def co(): await asyncio.sleep(100)
async def agen():
    try: yield 1
    finally: pass
def hold(kind):
    if kind == "task":
        loop = asyncio.new_event_loop(); held = loop.create_task(co()); loop.run_until_complete(asyncio.sleep(0))
        held = (held, loop)
    elif kind == "asynchronous":
        held = agen()
        try: held.asend(None).send(None)
        except StopIteration: pass
    else:
        held = gen(); next(held)
    if kind == "cycle":
        class C: pass
        c = C(); c.me = c; c.held = held; held = c
    def search(name, held=held): return None
    codecs.register(search)
    codecs.register_error("x-held", search)
if len(sys.argv) > 2:
    atexit._clear()
hold(sys.argv[1])
print("done")
"""


@pytest.mark.parametrize("kind", ["generator", "cycle", "task", "asynchronous"])
@pytest.mark.parametrize("more", [[], ["without exit handlers"]], ids=["as usual", "without exit handlers"])
def test_a_generator_that_the_last_collection_finds_ends_nothing(run_program, tmp_path, kind, more):
    program = tmp_path / "held.py"
    program.write_text(HELD)
    ended = run_program(sys.executable, program, kind, *more, **harness.SEARCH)
    assert (ended.code, ended.out) == (0, "done\n"), str(ended)
