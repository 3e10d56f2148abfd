"""Two worlds, and many runs as if alone: orchestrators of many kinds, executed in several processes and by several instances."""
import sys

import harness
import pytest

sys.path.append(str(harness.HERE.parent / "durabletask" / "programs"))
import executed_cases  # noqa: E402

WORLDS = {"a": dict(TZ="America/New_York", HOME="/", PYTHONHASHSEED="1", COLUMNS="80"),
          "b": dict(TZ="Asia/Kolkata", HOME="/tmp", PYTHONHASHSEED="2", COLUMNS="120", LC_ALL="C")}


@pytest.mark.parametrize("mode", ["enforce", "strict"])
@pytest.mark.parametrize("name", executed_cases.SAME)
def test_what_is_the_same_in_another_world_passes(program, mode, name):
    answers = [program("executed.py", "worlds", SANDGLASS=mode, **world).told[name] for world in WORLDS.values()]
    assert answers[0] == answers[1] and not str(answers[0]).startswith("failed"), answers


@pytest.mark.parametrize("mode", ["enforce", "strict"])
@pytest.mark.parametrize("name", executed_cases.DIFFERS)
def test_what_differs_there_is_refused(program, mode, name):
    for world in WORLDS.values():
        answer = program("executed.py", "worlds", SANDGLASS=mode, **world).told[name]
        assert str(answer).startswith("failed: Cannot access "), answer


def as_if_alone(name, identity):
    """What an instance sees that nobody is beside."""
    top, observe, change = executed_cases.STATE[name]
    space = {"__name__": "case_" + name}
    indent = lambda text: "\n".join("    " + line for line in text.splitlines())  # noqa: E731
    exec(f"{top}\ndef observe():\n{indent(observe)}\ndef change(tag):\n{indent(change)}\n", space)
    seen = [space["observe"]()]
    for _ in range(2):
        space["change"](identity)
        seen += [space["observe"]()] * 2
    return seen


@pytest.mark.parametrize("isolation", ["shared", "private"])
@pytest.mark.parametrize("name", executed_cases.STATE)
def test_each_instance_sees_what_it_would_see_alone(program, isolation, name):
    seen, host = program("executed.py", "runs", SANDGLASS_ISOLATION=isolation).told[name]
    pristine = as_if_alone(name, "host")[0]
    if name == "logger":
        # The program that computes this has the same logger. It is the process's: who is at work at the same time sees it.
        seen, expected = {k: v[1:] for k, v in seen.items() if k in "abc"}, lambda identity: [[1, 10], [1, 10], [2, 10], [2, 10]]
        pristine = [0, 0]
    else:
        expected = lambda identity: as_if_alone(name, identity)  # noqa: E731
    assert len(seen) >= 3 and seen == {identity: expected(identity) for identity in seen}
    assert host == pristine
