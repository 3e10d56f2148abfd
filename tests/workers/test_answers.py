"""What the engine knows is given instead of a refusal: the time of the activation, and random numbers of the run's own."""
import ast

import harness
import pytest

SCENARIOS = "answers.py"
EACH = ["clock", "identifiers", "numbers", "secret", "lib:clock", "lib:identifiers", "lib:numbers", "lib:secret", "lib:address", "lib:noise"]


def scenario(name, **settings):
    return pytest.mark.scenario(name, **settings)


def verdicts(played):
    """What was answered and what was refused, of EACH."""
    assert all(e["status"] == "completed" or "Restricted" in e["type"] for e in played), str(played)
    return {name for name, ended in zip(EACH, played) if ended["status"] == "completed"}


def assert_the_same_on_replay(played):
    first, second = played
    assert first["status"] == second["status"] == "completed", str(played)
    assert not set(first["result"]) & set(second["result"]), "two runs were given the same"
    assert len(set(first["result"])) == len(first["result"]), "given twice: " + str(first)
    assert not set(first["result"][1:]) & set(first["peeked"][1:]), "a query was given what the workflow was"


@scenario("workflow_asks", SANDGLASS="answer")
def test_workflow_is_given_the_same_on_replay(played):
    assert_the_same_on_replay(played)


@scenario("objects_are_numbered", SANDGLASS="enforce")
def test_numbers_of_objects_are_not_moved_by_what_is_not_replayed(played):
    (first, second), text = played
    assert text.count("silent on replay") >= 4 and "Object object at 0x1000" in text, text
    assert first["status"] == "completed" and first["result"] == second["result"], str(played)
    assert first["result"] == [str((f"0x{n}0>", f"{n + 1}0", [m, m + 1, m + 2])) for n, m in ((1, 1), (3, 4))], str(played)


@scenario("hashed_first_in_a_query", SANDGLASS="enforce")
def test_what_is_hashed_first_in_a_query_is_found_again(played):
    assert played["status"] == "completed" and played["result"] == ["'made'", str(list(range(8)))], str(played)


@scenario("library_asks", SANDGLASS="strict")
def test_library_is_given_the_same_on_replay_in_strict(played):
    assert_the_same_on_replay(played)


@scenario("library_asks")
def test_library_is_given_the_same_on_replay_in_enforce(played):
    assert_the_same_on_replay(played)


@scenario("records_are_seen")
def test_log_record_that_the_workflow_sees_is_the_same_on_replay_in_enforce(played):
    for name in played:
        assert_the_same_on_replay(name)


@scenario("records_are_seen", SANDGLASS="strict")
def test_log_record_that_the_workflow_sees_is_the_same_on_replay_in_strict(played):
    for name in played:
        assert_the_same_on_replay(name)


@scenario("library_asks", SANDGLASS_LOG_LEVEL="info")
def test_answers_are_told_once_for_a_place(played, host):
    told = [(e["rule"], e["where"], e["library"]) for e in harness.events(host.log, "answered")]
    assert told and len(set(told)) == len(told), harness.show(harness.events(host.log, "answered"))
    assert {"time.time", "uuid.uuid4", "random.random"} <= {rule for rule, *_ in told}
    assert not harness.violations(host.log, action="warn", phase="runtime"), harness.show(harness.violations(host.log))


@pytest.mark.since_sdk(1, 23)
@scenario("after_reset", SANDGLASS="strict")
def test_identifiers_are_others_after_a_reset(played):
    before, after = played
    assert before["status"] == after["status"] == "completed", str(played)
    assert not set(before["result"]) & set(after["result"]), str(played)


@scenario("each_alone", SANDGLASS="answer")
def test_answer_mode_answers_workflow_code_but_no_secrets(played):
    assert verdicts(played) == set(EACH) - {"secret", "lib:secret", "lib:address", "lib:noise"}


@scenario("each_alone", SANDGLASS="strict")
def test_strict_answers_libraries_but_no_secrets(played):
    assert verdicts(played) == {"lib:clock", "lib:identifiers", "lib:numbers"}


@scenario("each_alone", SANDGLASS="answer", SANDGLASS_VIRTUAL="none")
def test_nothing_is_answered_where_that_is_switched_off(played):
    assert verdicts(played) == set()


@scenario("each_alone", SANDGLASS="answer", SANDGLASS_VIRTUAL="clock")
def test_one_source_alone_is_answered(played):
    assert verdicts(played) == {"clock", "lib:clock"}


@scenario("each_alone", SANDGLASS_RULES="uuid.uuid4=answer")
def test_rule_answers_workflow_code_in_enforce(played):
    assert verdicts(played) >= {"identifiers"} and "clock" not in verdicts(played)


def made_at_import(server, directory, **settings):
    host = harness.run_host("answers.py", server, ["made_at_import"], directory, **harness.SEARCH, **settings)
    return ast.literal_eval(host["made_at_import"]["result"][0]["result"])


def test_what_is_made_while_a_workflow_is_imported_is_the_same_on_every_worker(server, tmp_path):
    here, there = [made_at_import(server, tmp_path / lang, SANDGLASS="strict", LANG=lang) for lang in ("de_DE.UTF-8", "C.UTF-8")]
    assert here == there and here[1] == "C"


def test_locale_is_the_hosts_in_enforce(server, tmp_path):
    assert made_at_import(server, tmp_path, LANG="de_DE.UTF-8")[1] == "de_DE.UTF-8"


@scenario("waits_for_the_clock", SANDGLASS="strict")
def test_who_waits_for_the_clock_to_move_is_refused_in_the_end(played):
    assert "stands still" in played[0]["text"], str(played)
