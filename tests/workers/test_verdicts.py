"""Whose word decides where several could: rules, the worker's restrictions, the engine's lists, interceptors."""
import harness
import pytest

SCENARIOS = "verdicts.py"


def scenario(name, **settings):
    return pytest.mark.scenario(name, **settings)


def assert_refused(ended, *words):
    assert ended["status"] in ("failed", "task-failed") and "Restricted" in ended["type"], str(ended)
    for word in words:
        assert word in ended["text"], str(ended)


@scenario("lifted_above_what_is_refused")
def test_what_the_worker_lifts_passes_with_all_that_it_calls(played):
    lifted, refused = played
    assert lifted["status"] == "completed", str(lifted)
    assert_refused(refused, "words of its own")


@scenario("swallows_two_refusals")
def test_task_fails_with_the_first_of_two_swallowed_refusals(played):
    assert_refused(played[0], "time.monotonic")


@scenario("allowed_function_calls_back", SANDGLASS="strict", SANDGLASS_CONFIG=harness.PROGRAMS / "call_allowed.conf")
def test_allowed_function_that_calls_the_workflow_back_excuses_nothing(played):
    clock, called_back = played
    assert clock["status"] == "completed", str(clock)
    assert_refused(called_back, "time.time")


@scenario("host_has_what_is_forbidden")
def test_forbidden_module_cannot_be_imported_though_the_host_has_it(request, host):
    record = host["host_has_what_is_forbidden"]
    assert "helper_forbidden" in record.get("error", "") and "Restricted" in record["error"], str(record)


@scenario("submodule_of_what_is_shared")
def test_submodule_of_a_shared_package_is_the_hosts(played):
    assert played["status"] == "completed" and played["of the host"], str(played)


@scenario("interceptor_changes_the_modules")
def test_interceptor_that_is_made_for_a_run_finds_that_runs_state(played):
    assert [ended.get("result") for ended in played] == [["interceptor", "a"], ["interceptor", "b"]], str(played)


@pytest.mark.parametrize("mode", [pytest.param(mode, marks=scenario("host_writes_meanwhile", SANDGLASS=mode)) for mode in ("enforce", "strict")])
def test_what_the_host_writes_while_a_workflow_runs_stays(mode, played):
    assert len(played["written"]) > 20 and played["there"] == played["written"], str(played)
    assert [ended["status"] for ended in played["ended"]] == ["completed"] * 2, str(played["ended"])


@pytest.mark.parametrize("mode", [pytest.param(mode, marks=scenario("another_run_comes_and_goes", SANDGLASS=mode)) for mode in ("enforce", "strict")])
def test_what_a_run_is_in_the_middle_of_stays_when_another_ends(mode, played):
    assert played["there"] == ["from a run"], str(played)
    assert [played[run].get("result") for run in ("ended", "later")] == [1, 1], str(played)
