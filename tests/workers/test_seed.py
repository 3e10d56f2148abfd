"""The seed of the hashes of strings: what the interpreter is told, and who else notices."""
import os
import subprocess
import sys

import harness
import pytest

ASK = """
import ctypes, os, subprocess, sys
given = os.environ.get("PYTHONHASHSEED")
getenv = ctypes.CDLL(None).getenv
getenv.restype = ctypes.c_char_p
assert getenv(b"PYTHONHASHSEED") == (given.encode() if given else None)
child = "PYTHONHASHSEED" in subprocess.run(["env"], capture_output=True, text=True).stdout
print(hash("a"), ",".join({"alpha", "beta", "gamma", "delta", "epsilon"}), given, child)
"""


def with_seed(seed):
    env = harness.environment(preload=False, PYTHONHASHSEED=seed)
    return subprocess.run([sys.executable, "-c", ASK], env=env, capture_output=True, text=True, check=True).stdout.split()[:2]


def ask(run_program, *flags, **settings):
    ended = run_program(sys.executable, *flags, "-c", ASK, **settings)
    assert (ended.code, ended.err) == (0, ""), str(ended)
    return ended.out.split()


@pytest.mark.parametrize("settings, seed", [
    ({"SANDGLASS": "strict"}, 1),
    ({"SANDGLASS_HASHSEED": "4294967295"}, 4294967295),
    ({"SANDGLASS_HASHSEED": "0"}, 0),
    ({"SANDGLASS": "strict", "SANDGLASS_HASHSEED": "77"}, 77),
    ({"SANDGLASS": "warn", "SANDGLASS_HASHSEED": "77"}, 77),
])
def test_sets_of_strings_have_one_order(run_program, settings, seed):
    assert ask(run_program, **settings) == [*with_seed(seed), "None", "False"]


def test_none_has_the_same_hash_in_every_process(run_program):
    ask_none = "print(hash(None), [*{(None, i) for i in range(9)}], None == None, None != 1, {None: 1}[None], type(None).__eq__(None, 1))"
    asked = [run_program(sys.executable, "-c", ask_none, SANDGLASS="strict") for _ in range(3)]
    assert {ended.out for ended in asked} == {asked[0].out} and asked[0].out.startswith(f"{0xfca86420} "), str(asked[0])
    assert asked[0].out.endswith(" True True 1 NotImplemented\n"), str(asked[0])


def test_a_pinned_seed_wins_over_the_environment_and_leaves_it(run_program):
    assert ask(run_program, SANDGLASS="strict", PYTHONHASHSEED="5") == [*with_seed(1), "5", "True"]
    assert ask(run_program, SANDGLASS_HASHSEED="9", PYTHONHASHSEED="5") == [*with_seed(9), "5", "True"]


@pytest.mark.parametrize("settings", [{}, {"SANDGLASS": "strict", "SANDGLASS_HASHSEED": "random"}, {"SANDGLASS": "off"}])
def test_a_seed_that_is_not_pinned_is_pythons_own(run_program, settings):
    assert ask(run_program, PYTHONHASHSEED="5", **settings) == [*with_seed(5), "5", "True"]
    assert len({ask(run_program, **settings)[0] for _ in range(3)}) == 3


def test_a_python_that_is_not_under_the_preload_is_not_meant(run_program):
    child = ("import os, subprocess, sys\nenv = {k: v for k, v in os.environ.items() if k != 'LD_PRELOAD'}\n"
             f"print(len({{subprocess.run([sys.executable, '-c', {ASK!r}], env=env, capture_output=True).stdout for _ in range(3)}}))")
    ended = run_program(sys.executable, "-c", child, SANDGLASS="strict")
    assert ended.out == "3\n", str(ended)


def started(run_program, *flags, **settings):
    """What the log says of the seed when the engine is imported: in its start line, and in a line of its own."""
    program = f"import sys; sys.path[:0] = {[p for p in harness.SEARCH['PYTHONPATH'].split(os.pathsep)]!r}; import armed"
    ended = run_program(sys.executable, *flags, "-c", program, **settings)
    assert ended.code == 0, str(ended)
    return [e["hashseed"] for e in ended.log if e["event"] == "start"], [e["level"] for e in ended.log if e["event"] == "hashseed"]


def test_the_start_line_names_the_seed(run_program):
    assert started(run_program) == (["random"], [])
    assert started(run_program, PYTHONHASHSEED="5") == (["5"], [])
    assert started(run_program, SANDGLASS="strict") == (["1"], [])
    assert started(run_program, SANDGLASS="strict", SANDGLASS_HASHSEED="random") == (["random"], [])


@pytest.mark.parametrize("flag", ["-E", "-I", "-R"])
def test_a_python_that_asks_for_no_seed_says_so(run_program, flag):
    assert started(run_program, flag, SANDGLASS="strict") == (["random"], ["warn"])
    assert started(run_program, flag, SANDGLASS_HASHSEED="3") == (["random"], ["warn"])
    assert started(run_program, flag) == (["random"], [])
