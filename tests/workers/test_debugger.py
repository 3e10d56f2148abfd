"""breakpoint() in a workflow: pdb under the SDK's debug mode as without Sandglass, one clear sentence otherwise."""
import json
import re
import sys

import harness
import pytest

PROGRAM = harness.PROGRAMS / "debug_worker.py"
COMMANDS = "p 1+1\np self.secret\np open\nw\nn\nn\n!self.secret += 1\np self.secret\nc\n"
TERMINAL = [sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])"]


@pytest.fixture
def session(server, tmp_path):
    """Runs the program with pdb's commands on its input: a pipe, or a terminal."""
    commands = tmp_path / "commands"
    commands.write_text(COMMANDS)

    def play(*words, terminal=False, **settings):
        with commands.open() as stdin:
            return harness.run([*(TERMINAL if terminal else []), sys.executable, PROGRAM, server, *words], stdin=stdin,
                               log_path=tmp_path / "sandglass.log", TERM="dumb", **settings)
    return play


def endings(finished):
    found = re.findall(r"^\[.*\]$", finished.out.replace("\r", ""), re.M)
    assert found, str(finished)
    return json.loads(found[-1])


def assert_debugged(finished):
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", finished.out)
    for part in ("debug_worker.py", "(Pdb", "2", "42", "<built-in function open>", "43"):
        assert part in shown, f"pdb did not show {part}\n{finished}"
    assert endings(finished)[0] == [42, 42], str(finished)


@pytest.mark.since_sdk(1, 35)  # before, the SDK's own sandbox refuses breakpoint() in every mode
@pytest.mark.parametrize("how, mode, terminal", [("argument", "enforce", False), ("variable", "strict", True)])
def test_pdb_works_in_a_workflow_in_debug_mode(session, how, mode, terminal):
    chosen = dict(TEMPORAL_DEBUG="1") if how == "variable" else {}
    finished = session("plain" if chosen else "debug", terminal=terminal, SANDGLASS=mode, **chosen)
    assert_debugged(finished)
    assert not [e for e in harness.violations(finished.log) if e["workflow_type"] == "Stops"], harness.show(finished.log)
    kind, text = endings(finished)[1]
    assert kind == "RestrictedWorkflowAccessError" and "time.time" in text, "debug mode lifts more than breakpoint(): " + text


def test_breakpoint_without_debug_mode_is_refused_with_the_way_to_it(session):
    finished = session("plain")
    kind, text = endings(finished)[0]
    assert kind == "RestrictedWorkflowAccessError" and "breakpoint" in text and "debug_mode=True" in text, str(finished)
    assert "(Pdb" not in finished.out, str(finished)
