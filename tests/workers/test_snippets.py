"""Each snippet of cases.py gets its verdict, at the user's own line, in every mode that refuses."""
import functools

import cases
import harness
import pytest

BY_NAME = cases.of_this_python(cases.CASES)


@pytest.fixture(params=["enforce", "strict"])
def mode(request):
    return request.param


@pytest.fixture
def answer(host, case_name, mode):
    """What the host recorded for this snippet, and what the log says about it."""
    found = dict(host[case_name])
    if found["status"] == "skipped":
        pytest.skip(found["text"])
    found["log"] = [e for e in harness.violations(host.log)
                    if e.get("workflow_type") == case_name or f"snippet_{case_name}.py:" in e.get("where", "")]
    return found


def names_of(cases, *verdicts):
    """Marks a test that is about each of the cases with such a verdict."""
    chosen = [c for c in cases.values() if c.verdict in verdicts]
    return pytest.mark.parametrize("case_name", [
        pytest.param(c.name, marks=pytest.mark.xfail(reason=c.later, strict=True) if c.later else ()) for c in chosen])


names = functools.partial(names_of, BY_NAME)


def user_line(case, level):
    """FILE:LINE of what the user has to change (the last line of a "load" snippet), None where that is not one line."""
    top, body = case.top.split("\n"), case.body.split("\n")
    lines = ["", *top, "", "", "", "", "", "", *body]
    marked = [n for n, text in enumerate(lines, 1) if "# here" in text]
    if not marked and level == "load":
        marked = [len(top) + 1]
    elif not marked and len(body) == 1:
        marked = [len(lines)]
    return f"snippet_{case.name}.py:{marked[0]}" if len(marked) == 1 else None


def describe(case, answer):
    return (f"\n{case.top}\n--- run:\n{case.body}\n--- got: {answer['status']} {answer['type']}: {answer['text']}\n"
            f"--- log:\n{harness.show(answer['log'])}")


def assert_refused(case, answer, level="run"):
    what = describe(case, answer)
    assert answer["status"] in ("failed", "task-failed", "refused-at-load"), "not refused" + what
    assert "RestrictedWorkflowAccessError" in answer["type"] + answer["text"], "failed, but not by a refusal" + what
    assert case.says is None or case.says in answer["text"], f"does not name {case.says}" + what
    where = user_line(case, level)
    assert where is None or where in answer["text"], f"does not name {where}" + what
    blocked = [e for e in answer["log"] if e["action"] == "block"]
    assert blocked, "nothing in the log" + what
    assert where is None or any(e["where"].endswith(where) for e in blocked), f"no log line has where=...{where}" + what


def assert_completed(case, answer):
    assert answer["status"] == "completed", "did not complete" + describe(case, answer)


def assert_silent(case, answer):
    assert not [e for e in answer["log"] if e["level"] in ("warn", "error")], "completed, but was reported" + describe(case, answer)


@names("block")
def test_nondeterministic_call_is_refused(case_name, mode, answer):
    assert_refused(BY_NAME[case_name], answer)


@names("allow")
def test_harmless_code_completes(case_name, mode, answer):
    case = BY_NAME[case_name]
    assert_completed(case, answer)
    if not case_name.startswith("library_"):  # what a library reads for itself may be worth a warning
        assert_silent(case, answer)


@names("state")
def test_change_of_shared_state_is_refused_in_strict_and_put_back_in_enforce(case_name, mode, answer):
    case = BY_NAME[case_name]
    if mode == "strict":
        assert_refused(case, answer)
    else:
        assert_completed(case, answer)
        warned = [e for e in answer["log"] if e["level"] == "warn" and "state" in e["reason"] and "direct" in e["origin"]]
        where = user_line(case, "run")
        assert warned and all(e["where"].endswith(where) for e in warned), "no warning in the log" + describe(case, answer)


@names("strict")
def test_question_about_the_process_is_refused_in_strict_and_warned_about_in_enforce(case_name, mode, answer):
    case = BY_NAME[case_name]
    if mode == "strict":
        assert_refused(case, answer)
    else:
        assert_completed(case, answer)
        assert [e for e in answer["log"] if e["level"] == "warn" and e["where"].endswith(user_line(case, "run"))], describe(case, answer)


@names("zone")
def test_call_that_needs_a_zone_is_answered_in_strict_and_refused_in_enforce(case_name, mode, answer):
    case = BY_NAME[case_name]
    if mode == "strict":
        assert_completed(case, answer)
        assert not answer["log"], "answered, but was reported" + describe(case, answer)
    else:
        assert_refused(case, answer)


@names("refuse")
def test_call_refused_by_the_sdk_at_import_stays_refused(case_name, mode, answer):
    assert_refused(BY_NAME[case_name], answer, "load")


@names("load")
def test_call_while_importing_the_workflow_is_refused_in_strict_and_warned_about_in_enforce(case_name, mode, answer):
    case = BY_NAME[case_name]
    if mode == "strict":
        assert_refused(case, answer, "load")
        assert answer["status"] == "refused-at-load", "the worker started all the same" + describe(case, answer)
    else:
        assert_completed(case, answer)
        warned = [e for e in answer["log"] if e["level"] == "warn" and e["action"] == "warn"]
        assert warned, "no warning in the log" + describe(case, answer)


@names("kept")
def test_use_of_what_a_library_asked_for_at_import_is_refused_in_strict_and_warned_about_in_enforce(case_name, mode, answer):
    case = BY_NAME[case_name]
    warned = [e for e in answer["log"] if e["action"] == "warn" and e["phase"] == "import"]
    assert warned, "no warning in the log" + describe(case, answer)
    if mode == "strict":
        assert_refused(case, answer)
        assert answer["status"] != "refused-at-load" and "while the workflow was imported" in answer["text"], describe(case, answer)
        assert all(e["kept"] in answer["text"] for e in answer["log"] if e["action"] == "block"), describe(case, answer)
    else:
        assert_completed(case, answer)


@names("setup")
def test_what_a_library_asked_for_at_import_and_the_run_does_not_use_is_warned_about(case_name, mode, answer):
    case = BY_NAME[case_name]
    assert_completed(case, answer)
    reported = [e for e in answer["log"] if e["level"] in ("warn", "error")]
    assert reported and all(e["action"] == "warn" and e["phase"] == "import" for e in reported), describe(case, answer)


@names("answered")
def test_call_by_a_passed_through_library_is_answered(case_name, mode, answer):
    """That it is the same on replay is for test_answers.py."""
    case = BY_NAME[case_name]
    assert_completed(case, answer)
    assert_silent(case, answer)


@names("via")
def test_call_by_a_passed_through_library_is_refused_in_strict_and_warned_about_in_enforce(case_name, mode, answer):
    case = BY_NAME[case_name]
    if mode == "strict":
        assert_refused(case, answer)
    else:
        assert_completed(case, answer)
        warned = [e for e in answer["log"] if e["level"] == "warn" and e["action"] == "warn"]
        assert warned, "no warning in the log" + describe(case, answer)
        assert all("passthrough" in e["origin"] for e in warned), "origin is not the library" + describe(case, answer)
    assert any("passthrough" in e["origin"] for e in answer["log"]), "origin is not the library" + describe(case, answer)
