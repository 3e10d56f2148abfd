"""`sandglass check`: workflow files, and histories of a real server, without one."""
import json
import os
import re
import signal
import subprocess
import sys
import time

import harness
import pytest

COMMAND = harness.REPO / "build" / "sandglass"
FLOWS = harness.PROGRAMS / "flows_checked.py"


@pytest.fixture(scope="module")
def histories(server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("histories")
    ended = harness.run([sys.executable, harness.PROGRAMS / "record_checked.py", server, folder], log_path=folder / "log",
                        preload=False, **harness.SEARCH)
    assert ended.code == 0, str(ended)
    return folder


def check(*arguments, cwd=None, **settings):
    """Exit status, what --format json says, and what is on stderr."""
    return run("--format", "json", *arguments, cwd=cwd, read=json.loads, **settings)


def run(*arguments, cwd=None, read=str, **settings):
    ended = subprocess.run([COMMAND, "check", "--python", sys.executable, *map(str, arguments)], cwd=cwd, text=True,
                           capture_output=True, timeout=120, env=harness.environment(False, **settings))
    return ended.returncode, read(ended.stdout), ended.stderr


def line_of(text):
    return 1 + next(i for i, line in enumerate(FLOWS.read_text().splitlines()) if text in line)


def places(report, level="error"):
    return [(f["rule"], f.get("line")) for f in report["findings"] if f["level"] == level]


def test_a_sound_workflow(histories):
    status, report, err = check(f"{FLOWS}:Sound", "--history", histories / "Sound.json", "--worlds=2")
    assert (status, report["status"], report["findings"], report["problems"]) == (0, 0, [], []), err
    assert [(w["name"], w["loaded"], w["guarded"]) for w in report["workflows"]] == [("Sound", 1, 1)]
    assert [(h["workflow"], h["state"]) for h in report["histories"]] == [("Sound", "replayed")]
    assert report["mode"] == "strict"


def test_what_would_be_refused(histories):
    status, report, err = check(f"{FLOWS}:Today", "--history", histories / "Today.json")
    assert status == 1 and places(report) == [("datetime.date.today", line_of("Today is refused"))], (report, err)
    finding = report["findings"][0]
    assert finding["instead"] == "workflow.now().date()" and finding["workflow"] == "Today"
    assert finding["history"] == str(histories / "Today.json") and finding["function"].endswith("run")
    assert report["histories"][0]["state"] == "failed"


def test_another_mode_and_threshold(histories):
    asked = [f"{FLOWS}:Today", "--history", histories / "Today.json", "--mode", "warn"]
    status, report, _ = check(*asked)
    assert status == 1 and places(report, "warning") == [("datetime.date.today", line_of("Today is refused"))]
    assert report["histories"][0]["state"] == "replayed"
    assert check(*asked, "--fail-on", "error")[0] == 0
    assert check(f"{FLOWS}:Today", "--history", histories / "Today.json", SANDGLASS_RULES="datetime.date.today=allow")[0] == 0


def test_an_order_that_another_world_does_not_have(histories):
    asked = [f"{FLOWS}:Order", "--history", histories / "Order.json"]
    assert check(*asked)[1]["findings"] == []
    status, report, err = check(*asked, "--worlds")
    assert status == 1 and places(report) == [("world", line_of("workflow.execute_activity"))], err
    chain = report["findings"][0]["chain"]
    assert chain == f"run ({FLOWS}:{line_of('Order differs')}) -> tell ({FLOWS}:{line_of('workflow.execute_activity')})"


FACTS = ["year", "host", "arguments", "user", "zone"]


@pytest.fixture(scope="module")
def elsewhere(histories):
    asked = [word for fact in FACTS for word in ("--history", histories / f"Elsewhere-{fact}.json")]
    return check(f"{FLOWS}:Elsewhere", *asked, "--worlds", "--mode", "warn", USER="somebody", TZ="UTC")


@pytest.mark.parametrize("fact", FACTS)
def test_what_another_world_changes(histories, elsewhere, fact):
    """In each it was let pass, and stands in a command of its own."""
    status, report, err = elsewhere
    path = str(histories / f"Elsewhere-{fact}.json")
    worlds = [f for f in report["findings"] if f["rule"] == "world" and f["history"] == path]
    assert status == 1 and len(worlds) == 1 and f":{line_of('workflow.memo_value')}) -> tell (" in worlds[0]["chain"], err
    assert worlds[0]["message"].startswith(f"command {FACTS.index(fact) + 1} of the workflow, schedule_activity, has data: ")


def test_a_command_that_only_one_world_has(histories):
    status, report, err = check(f"{FLOWS}:Branch", "--history", histories / "Branch.json", "--worlds")
    message, = [f["message"] for f in report["findings"] if f["rule"] == "world"]
    assert status == 1 and "is schedule_activity; in world 2 it is start_timer" in message
    assert f":{line_of('Branch in another world')}" in message


def test_a_replay_that_fails_by_itself(histories, tmp_path):
    changed = tmp_path / "flows_checked.py"
    changed.write_text(FLOWS.read_text().replace("await workflow.sleep(0.01)", "await tell(1)  # changed"))
    status, report, _ = check(f"{changed}:Sound", "--history", histories / "Sound.json")
    finding, = report["findings"]
    assert status == 1 and finding["rule"] == "replay" and "does not do what its history says: [TMPRL1100] Non" in finding["message"]
    assert finding["file"] == str(changed) and finding["line"] == line_of("workflow.execute_activity") and "patched" in finding["instead"]
    assert "Failure {" not in finding["message"]


def test_a_workflow_that_fails_its_task_says_where(histories, tmp_path):
    changed = tmp_path / "flows_checked.py"
    changed.write_text(FLOWS.read_text().replace("await workflow.sleep(0.01)", "1 // 0"))
    finding, = check(f"{changed}:Sound", "--history", histories / "Sound.json")[1]["findings"]
    assert finding["message"].endswith("Sound.json does not replay: integer division or modulo by zero"), finding
    assert (finding["file"], finding["line"]) == (str(changed), line_of("workflow.sleep(0.01)"))


def test_a_refusal_that_is_caught_is_one_error(histories, tmp_path):
    changed = tmp_path / "flows_checked.py"
    changed.write_text(FLOWS.read_text().replace("await workflow.sleep(0.01)", "try: datetime.date.today()\n        except Exception: pass"))
    status, report, err = check(f"{changed}:Sound", "--history", histories / "Sound.json")
    assert status == 1 and places(report) == [("datetime.date.today", line_of("workflow.sleep(0.01)"))], (report, err)
    assert [f["message"] for f in report["findings"] if f["rule"] == "swallowed"] == ["Sound has caught a refusal; its task fails all the same"]


def test_what_a_library_is_answered_differs_in_another_world(histories, tmp_path):
    (tmp_path / "acme_models.py").write_text("import uuid\n\ndef make(): return str(uuid.uuid4())\n")
    changed = tmp_path / "flows_checked.py"
    changed.write_text(FLOWS.read_text().replace("await workflow.sleep(0.01)", "await tell(make())").replace(
        "import datetime\n", "import datetime\nfrom acme_models import make\n", 1))
    asked = [f"{changed}:Sound", "--history", histories / "Sound.json", "--worlds"]
    status, report, err = check(*asked, SANDGLASS_PASSTHROUGH="acme_models")
    world, = [f for f in report["findings"] if f["rule"] == "world"]
    assert world["instead"].startswith("nothing, if it comes from uuid.uuid4: mode strict answers that"), (report, err)


def test_a_folder_of_histories(histories):
    status, report, _ = check(f"{FLOWS}:Sound", "--history", histories)
    states = {h["workflow"]: h["state"] for h in report["histories"]}
    assert status == 0 and states["Sound"] == "replayed" and states["Today"] == "left out"


def test_a_workflow_outside_of_the_sandbox(histories):
    status, report, _ = check(f"{FLOWS}:Plain", "--history", histories / "Plain.json")
    assert status == 0 and report["workflows"][0]["guarded"] == 0
    status, text, _ = run(f"{FLOWS}:Plain")
    assert "Plain is not guarded: its definition says sandboxed=False" in text


def test_what_is_done_and_kept_at_import_time(tmp_path):
    (tmp_path / "flow_of_test.py").write_text(harness.FLOW.format("import uuid\nkey = uuid.uuid4()\n"))
    (tmp_path / "flow_private.py").write_text(harness.FLOW.format("numbers = (i for i in [1])\nnext(numbers)\n"))
    status, report, err = check("flow_of_test.py", "-m", cwd=tmp_path)
    assert status == 2  # -m: the name of a module, not of a file
    status, report, err = check("flow_of_test", "-m", cwd=tmp_path)
    assert status == 1 and places(report) == [("uuid.uuid4", 4)], err
    assert "while the workflow is imported" in report["findings"][0]["message"]
    status, report, err = check("flow_private.py", cwd=tmp_path)
    finding, = [f for f in report["findings"] if f["rule"] == "private"]
    assert status == 1 and "flow_private.numbers" in finding["message"] and "[types] generator = " in finding["instead"]


def test_a_file_in_a_package(tmp_path):
    package = tmp_path / "acme" / "flows"
    package.mkdir(parents=True)
    for folder in package, package.parent:
        (folder / "__init__.py").touch()
    (package / "helper.py").write_text("value = 1\n")
    (package / "first.py").write_text(harness.FLOW.format("from .helper import value\n"))
    (package / "second.py").write_text(harness.FLOW.format("from acme.flows.helper import value\n").replace("class Flow", "class Other"))
    status, report, err = check(package / "first.py", package / "second.py")
    assert status == 0 and [w["name"] for w in report["workflows"]] == ["Flow", "Other"], err


def test_sarif(histories, tmp_path):
    (tmp_path / "flow of test.py").write_text(harness.FLOW.format("import uuid\nkey = uuid.uuid4()\n"))
    status, report, _ = run("--format", "sarif", "./flow of test.py", cwd=tmp_path, read=json.loads)
    result, = report["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert status == 1 and report["version"] == "2.1.0" and (result["ruleId"], result["level"]) == ("uuid.uuid4", "error")
    assert place["artifactLocation"]["uri"] == "flow%20of%20test.py" and place["region"]["startLine"] == 4
    rule, = report["runs"][0]["tool"]["driver"]["rules"]
    assert rule["id"] == "uuid.uuid4" and "made of entropy" in rule["shortDescription"]["text"] and "explain uuid.uuid4" in rule["help"]["text"]


def test_sarif_has_a_place_for_everything(histories, tmp_path):
    """As seen from the folder of the repository; GitHub refuses the whole file for one result that has none."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "broken.py").write_text("def (:\n")
    (folder / "nothing.py").write_text("\n")
    (folder / "private.py").write_text(harness.FLOW.format("numbers = (i for i in [1])\nnext(numbers)\n"))
    (folder / "cut.json").write_text("{")
    status, report, err = run("--format", "sarif", "broken.py", "nothing.py", "private.py", "--history", "cut.json", cwd=folder, read=json.loads)
    found = {(r["ruleId"], r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) for r in report["runs"][0]["results"]}
    assert status == 2 and {("unchecked", "flows/broken.py"), ("unchecked", "flows/cut.json"), ("private", "flows/private.py")} <= found, (found, err)
    assert "empty" not in {rule for rule, _ in found} and all(not uri.startswith("file:") for _, uri in found)
    assert {rule for rule, _ in found} == {rule["id"] for rule in report["runs"][0]["tool"]["driver"]["rules"]}


def test_text(histories):
    status, text, err = run(f"{FLOWS}:Today", "--history", histories / "Today.json", cwd=harness.PROGRAMS)
    assert text.startswith(f"flows_checked.py:{line_of('Today is refused')}: error: datetime.date.today: ")
    assert re.search(r"1 of 1 workflow loaded, 0 of 1 history replayed: 1 error, 0 warnings \(mode strict, Python 3", text) and not err


@pytest.mark.parametrize("name, source, arguments, says", [
    ("raises", "raise ValueError('at the module level')\n", [], "ValueError: at the module level, at "),
    ("syntax", "def (:\n", [], "SyntaxError: "),
    ("lacks", harness.FLOW.format(""), [":Nobody"], "has no workflow Nobody of temporalio; it has Flow"),
    ("folder", harness.FLOW.format(""), ["", "."], ". cannot be imported: IsADirectoryError: it is a folder"),
    ("named", harness.FLOW.format(""), ["", "-m"], "it is no name of a module, which -m says"),
    ("bare", harness.FLOW.format(""), ["", "--history", "bare_folder"], "bare_folder has no *.json: no history"),
    ("twice", harness.FLOW.format("") + harness.FLOW.format("").replace("class Flow", '@workflow.defn(name="Flow")\nclass Other').replace(
        "@workflow.defn\n", ""), [], "twice.py:"),
    ("ends", "import os\nos._exit(0)\n", [], "Python ended while importing ends.py"),
    ("aborts", "import os\nos.abort()\n", [], "Python was ended by signal 6 while importing aborts.py"),
    ("replayer", harness.FLOW.format(""), ["", "--replayer", "settings"], "--replayer settings: ValueError: accepted: MODULE:NAME"),
    ("history", harness.FLOW.format(""), ["", "--history", "nowhere.json"], "nowhere.json is not a history"),
    ("history", harness.FLOW.format(""), ["", "--history", "empty.json"], "empty.json is not a history"),
    ("replayer", harness.FLOW.format(""), ["", "--replayer", "nowhere:settings"], "--replayer nowhere:settings: ModuleNotFoundError"),
])
def test_what_cannot_be_checked(tmp_path, name, source, arguments, says):
    (tmp_path / f"{name}.py").write_text(source)
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "bare_folder").mkdir()
    target = f"{name}.py" + (arguments[0] if arguments else "")
    status, report, err = check(target, *arguments[1:], cwd=tmp_path)
    assert status == 2 and any(says in p for p in report["problems"]) and f"sandglass check: {report['problems'][0]}" in err


def test_settings_for_the_replayer(histories, tmp_path):
    (tmp_path / "settings_of_test.py").write_text("def settings():\n    open('asked', 'w').close()\n    return {'namespace': 'acme'}\n")
    status, report, err = check(f"{FLOWS}:Sound", "--history", histories / "Sound.json", "--replayer", "settings_of_test:settings", cwd=tmp_path)
    assert status == 0 and (tmp_path / "asked").exists(), err


def test_what_can_be_checked_is(histories, tmp_path):
    (tmp_path / "broken.py").write_text("def (:\n")
    (tmp_path / "cut.json").write_text("{")
    asked = ["--history", histories / "Order.json", "--history", tmp_path / "cut.json"]
    status, report, err = check(tmp_path / "broken.py", f"{FLOWS}:Order", *asked, "--worlds")
    assert status == 2 and len(report["problems"]) == 2 and places(report) == [("world", line_of("workflow.execute_activity"))], (report, err)
    status, text, err = run(tmp_path / "broken.py", f"{FLOWS}:Order", *asked)
    assert status == 2 and "0 errors, 0 warnings, 2 things not checked" in text and "File \"<string>\"" not in err


def test_histories_of_other_workflows_alone(histories, tmp_path):
    (tmp_path / "Today.json").write_bytes((histories / "Today.json").read_bytes())
    status, report, err = check(f"{FLOWS}:Sound", "--history", tmp_path)
    assert status == 2 and "none of the 1 histories is of a workflow that was loaded" in err, report


def test_without_histories_nothing_is_replayed_which_is_said():
    status, text, err = run(f"{FLOWS}:Sound")
    assert (status, err) == (0, "") and "1 of 1 workflow loaded, nothing replayed (--history does): 0 errors" in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_check_that_is_ended_leaves_nothing(tmp_path, number):
    (tmp_path / "hangs.py").write_text(f"import os\nopen('{tmp_path}/pid', 'w').write(str(os.getpid()))\nwhile True: pass\n")
    command = subprocess.Popen([COMMAND, "check", "--python", sys.executable, "hangs.py"], cwd=tmp_path,
                               env=harness.environment(False, TMPDIR=tmp_path), preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.05)
    command.send_signal(number)
    assert command.wait(30) == -number and not list(tmp_path.glob("sandglass-check-*"))
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text()}")
