"""Each case of library_cases.py gets its verdict in every mode that refuses. A layer of its own: tests/run.sh libraries."""
import functools

import cases
import library_cases
import pytest
from test_snippets import answer, assert_completed, assert_refused, assert_silent, describe, mode, names_of  # noqa: F401


def host_settings(name):
    """A host of its own for each library, as most workers have few: what an image costs grows with the whole process. One
    case at a time, since executing a big library takes a second and the SDK gives a workflow two of a busy machine."""
    return {"SG_CASES": "library_cases", "SG_AT_ONCE": "1", "SG_LIBRARY": name.split("_")[0]}


BY_NAME = cases.of_this_python(library_cases.CASES)
names = functools.partial(names_of, BY_NAME)


@names("allow")
def test_light_use_of_a_library_completes(case_name, mode, answer):
    assert_completed(BY_NAME[case_name], answer)


@names("warn")
def test_a_random_order_and_a_change_of_what_is_shared_are_warned_about_and_refused_in_strict(case_name, mode, answer):
    case = BY_NAME[case_name]
    if mode == "strict":
        return assert_refused(case, answer)
    assert_completed(case, answer)
    warned = [e for e in answer["log"] if e["level"] == "warn"]
    assert warned and all(case.says in e["rule"] and e["origin"] == "direct" for e in warned), describe(case, answer)


@pytest.mark.parametrize("case_name", ["polars_ordered", "polars_seeded", "numpy_of_the_run", "numpy_seeded_copies"])
def test_deterministic_use_of_random_generators_and_tables_is_not_reported(case_name, mode, answer):
    assert_completed(BY_NAME[case_name], answer)
    assert_silent(BY_NAME[case_name], answer)


@names("block")
def test_nondeterministic_use_of_a_library_is_refused(case_name, mode, answer):
    assert_refused(BY_NAME[case_name], answer)
    assert "Instead: " in answer["text"], answer["text"]


@names("answered")
def test_library_that_asks_for_the_time_or_a_random_number_is_answered(case_name, mode, answer):
    """That it is the same on replay is for test_answers.py."""
    assert_completed(BY_NAME[case_name], answer)
    assert_silent(BY_NAME[case_name], answer)


@names("via")
def test_what_a_shared_library_does_itself_is_refused_in_strict_and_warned_about_in_enforce(case_name, mode, answer):
    case = BY_NAME[case_name]
    if mode == "strict":
        assert_refused(case, answer)
        assert "Instead: " in answer["text"], answer["text"]
    else:
        assert_completed(case, answer)
        warned = [e for e in answer["log"] if e["level"] == "warn" and e["action"] == "warn"]
        assert warned and all(e["origin"] in ("passthrough", "native") for e in warned), describe(case, answer)
