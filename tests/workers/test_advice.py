"""The setting that a refusal names lets that very call pass, and its advice is about what the user called."""
import json
import re
import sys

import harness
import pytest

FLOW = '''
import concurrent.futures, os, queue, random, secrets, shutil, subprocess, tempfile, threading, uuid
from temporalio import workflow
import library_of_test

def thread():
    t = threading.Thread(target=int)
    t.start()
    t.join()

def pool():
    with concurrent.futures.ThreadPoolExecutor(1) as p:
        return p.submit(int).result()

def folder():
    with tempfile.TemporaryDirectory() as name:
        with tempfile.NamedTemporaryFile(dir=name) as file:
            file.write(b"x")

def mkdtemp():
    name = tempfile.mkdtemp()
    with workflow.unsafe.sandbox_unrestricted():
        os.rmdir(name)

CALLS = {
    "uuid4": uuid.uuid4, "shuffle": lambda: random.shuffle([1, 2]), "choice": lambda: secrets.choice("abc"), "folder": folder, "thread": thread, "pool": pool,
    "mkdtemp": mkdtemp, "environ": lambda: os.environ.get("HOME"), "environ_set": lambda: os.environ.__setitem__("SG_X", "1"),
    "run": lambda: subprocess.run(["true"]), "copy": lambda: shutil.copy("/etc/hostname", "/dev/null"),
    "get": lambda: queue.Queue().get(timeout=0.01), "library": lambda: library_of_test.fetch(), "back": lambda: library_of_test.call(uuid.uuid4),
}

@workflow.defn
class Flow:
    @workflow.run
    async def run(self, name: str) -> None:
        try:
            CALLS[name]()
        except (OSError, queue.Empty):
            pass
'''
LIBRARY = '''
import os, time
def fetch():
    return inner(), time.time()
def inner():
    return os.environ.get("HOME"), os.path.expanduser("~")
def call(what):
    return what()
'''
RULES = "[rules]\nlibrary_of_test.fetch = block guard=frame | it answers differently | an activity of yours\n"
# name: (what the advice has, what it has not)
CALLS = {
    "uuid4": ("workflow.uuid4()", None), "shuffle": ("workflow.random()", None), "choice": ("workflow.random()", None), "folder": ("activity", "workflow.random"),
    "thread": ("asyncio", "workflow.info"), "pool": ("asyncio", "workflow.info"), "mkdtemp": ("activity", "workflow.random"), "environ": ("workflow input", None),
    "environ_set": ("activity", None), "run": ("activity", None), "copy": ("activity", None), "get": ("asyncio", None),
    "library": ("an activity of yours", None),
}


@pytest.fixture
def calls(run_program, tmp_path):
    """Runs names; library: where the library's file is to lie, of the run's own (an installed one) or shared by all."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (tmp_path / "flow_of_test.py").write_text(FLOW)
    (folder / "library_of_test.py").write_text(LIBRARY)
    (tmp_path / "rules.conf").write_text(RULES)

    def run(*names, **settings):
        ended = run_program(sys.executable, harness.PROGRAMS / "advised.py", *names,
                            **{"PYTHONPATH": f"{tmp_path}:{folder}", "SANDGLASS_CONFIG": tmp_path / "rules.conf", **settings})
        assert ended.out.strip(), str(ended)
        return json.loads(ended.out)
    return run


def setting(text):
    return re.search(r"SANDGLASS_RULES=(\S+)", text)[1]


def test_the_setting_that_is_named_lets_the_call_pass_and_the_advice_fits(calls):
    """One process asks, one for each setting answers."""
    refused, wrong = calls(*CALLS), {}
    for name, (has, has_not) in CALLS.items():
        advice = re.search(r"Instead: (.*?)\. To allow", refused[name])
        if not advice or has not in advice[1] or (has_not and has_not in advice[1]):
            wrong[name] = refused[name]
    rules = {name: setting(text) for name, text in refused.items() if name not in wrong}
    for rule in sorted(set(rules.values())):
        mine = [name for name in rules if rules[name] == rule]
        wrong.update({f"{name} with {rule}": text for name, text in calls(*mine, SANDGLASS_RULES=rule).items() if text != "completed"})
    assert not wrong, json.dumps(wrong, indent=1)


def test_a_library_that_is_passed_through_is_named_as_well(calls):
    text = calls("library", SANDGLASS="strict", SANDGLASS_PASSTHROUGH="library_of_test")["library"]
    assert "an activity of yours" in text and setting(text) == "library_of_test.fetch=allow"
    allowed = calls("library", SANDGLASS="strict", SANDGLASS_PASSTHROUGH="library_of_test", SANDGLASS_RULES=setting(text))
    assert allowed == {"library": "completed"}


@pytest.mark.parametrize("rules, passes", [
    ("tempfile.*=allow", ["mkdtemp", "folder"]), ("subprocess.*=allow", ["run"]), ("threading.Thread=allow", ["thread"]),
    ("uuid.uuid4=allow", ["uuid4", "back"]), ("random.*=allow", ["shuffle"]), ("os.environ=allow", ["environ", "environ_set"]),
    ("os.urandom=allow", ["uuid4"]),
])
def test_allow_means_all_that_is_called_and_nothing_else(calls, rules, passes):
    """At whatever depth of the standard library the guard lies."""
    others = [name for name in ("uuid4", "thread", "mkdtemp", "run", "shuffle") if name not in passes]
    answer = calls(*passes, *others, SANDGLASS_RULES=rules)
    assert [name for name in answer if answer[name] == "completed"] == passes, json.dumps(answer, indent=1)


def test_what_an_allowed_function_calls_back_is_not_allowed(calls):
    (answer,) = calls("back", SANDGLASS_PASSTHROUGH="library_of_test", SANDGLASS_RULES="library_of_test.fetch=allow", SANDGLASS="strict",
                      SANDGLASS_VIRTUAL="none").values()
    assert "Cannot access uuid.uuid4" in answer
