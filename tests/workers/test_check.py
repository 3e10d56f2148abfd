"""`sandglass check`: workflow files, and histories of a real server, without one."""
import json
import re
import subprocess
import sys

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


@pytest.mark.parametrize("fact", ["year", "host", "arguments", "user", "zone"])
def test_what_another_world_changes(histories, fact):
    """In each it was let pass, and stands in a command of its own."""
    status, report, err = check(f"{FLOWS}:Elsewhere", "--history", histories / f"Elsewhere-{fact}.json", "--worlds", "--mode", "warn",
                                USER="somebody", TZ="UTC")
    worlds = [f for f in report["findings"] if f["rule"] == "world"]
    assert status == 1 and len(worlds) == 1 and f":{line_of('workflow.memo_value')}) -> tell (" in worlds[0]["chain"], err
    number = ["year", "host", "arguments", "user", "zone"].index(fact) + 1
    assert worlds[0]["message"].startswith(f"command {number} of the workflow, schedule_activity, has data: ")


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
    assert status == 1 and finding["rule"] == "replay" and "Nondeterminism" in finding["message"]


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
    assert [rule["id"] for rule in report["runs"][0]["tool"]["driver"]["rules"]] == ["uuid.uuid4"]


def test_text(histories):
    status, text, err = run(f"{FLOWS}:Today", "--history", histories / "Today.json", cwd=harness.PROGRAMS)
    assert text.startswith(f"flows_checked.py:{line_of('Today is refused')}: error: datetime.date.today: ")
    assert re.search(r"1 of 1 workflow loaded, 0 of 1 history replayed: 1 error, 0 warnings \(mode strict, Python 3", text) and not err


@pytest.mark.parametrize("name, source, arguments, says", [
    ("raises", "raise ValueError('at the module level')\n", [], "ValueError: at the module level, at "),
    ("syntax", "def (:\n", [], "SyntaxError: "),
    ("lacks", "\n", [":Nobody"], "has no workflow Nobody"),
    ("history", harness.FLOW.format(""), ["", "--history", "nowhere.json"], "nowhere.json is not a history"),
    ("history", harness.FLOW.format(""), ["", "--history", "empty.json"], "empty.json is not a history"),
    ("replayer", harness.FLOW.format(""), ["", "--replayer", "nowhere:settings"], "--replayer nowhere:settings: ModuleNotFoundError"),
])
def test_what_cannot_be_checked(tmp_path, name, source, arguments, says):
    (tmp_path / f"{name}.py").write_text(source)
    (tmp_path / "empty.json").write_text("{}")
    target = f"{name}.py" + (arguments[0] if arguments else "")
    status, report, err = check(target, *arguments[1:], cwd=tmp_path)
    assert status == 2 and any(says in p for p in report["problems"]) and f"sandglass check: {report['problems'][0]}" in err


def test_settings_for_the_replayer(histories, tmp_path):
    (tmp_path / "settings_of_test.py").write_text("def settings():\n    open('asked', 'w').close()\n    return {'namespace': 'acme'}\n")
    status, report, err = check(f"{FLOWS}:Sound", "--history", histories / "Sound.json", "--replayer", "settings_of_test:settings", cwd=tmp_path)
    assert status == 0 and (tmp_path / "asked").exists(), err
