"""Each case of hostile_cases.py ends as it says, and the worker goes on, with its guards."""
import functools

import cases
import hostile_cases
from test_snippets import answer, assert_completed, assert_refused, assert_silent, describe, mode, names_of  # noqa: F401: two are fixtures

BY_NAME = cases.of_this_python(hostile_cases.CASES)
names = functools.partial(names_of, BY_NAME)


def host_settings(name):
    """In turn: what one leaves behind meets the next."""
    return {"SG_CASES": "hostile_cases", "SG_AT_ONCE": "1"}


@names("stopped")
def test_a_way_around_the_guards_is_refused(case_name, mode, answer):
    assert_refused(BY_NAME[case_name], answer)


@names("reported")
def test_a_change_of_the_guarded_is_refused_in_strict_and_warned_about_in_enforce(case_name, mode, answer):
    case = BY_NAME[case_name]
    if mode == "strict":
        assert_refused(case, answer)
    else:
        assert_completed(case, answer)
        assert [e for e in answer["log"] if e["action"] == "warn"], "no warning in the log" + describe(case, answer)


@names("fails")
def test_a_way_that_leads_nowhere_ends_in_an_exception_of_python_s(case_name, mode, answer):
    assert answer["status"] == "failed" and answer["type"] in ("KeyError", "TypeError"), describe(BY_NAME[case_name], answer)


@names("nothing")
def test_a_way_by_which_nothing_is_gained_completes(case_name, mode, answer):
    assert_completed(BY_NAME[case_name], answer)
    assert_silent(BY_NAME[case_name], answer)


@names("passes")
def test_what_is_out_of_scope_passes_for_a_reason(case_name, mode, answer):
    assert BY_NAME[case_name].why
    assert_completed(BY_NAME[case_name], answer)
    assert_silent(BY_NAME[case_name], answer)
