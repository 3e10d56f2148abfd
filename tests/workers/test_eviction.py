"""What a run leaves behind ends on a workflow thread, inside the run, or not at all: never where the collector finds it."""
import harness
import pytest

HELD = {"generator", "global generator", "generator in a cycle", "refuses to die", "asks the workflow", "async generator",
        "async generator that waits", "coroutine", "outer coroutine", "inner coroutine", "task", "run"}
FINALISERS = {"__del__", "global __del__", "weakref.finalize"}
SETTINGS = [dict(SANDGLASS=mode, SANDGLASS_ISOLATION=isolation, SANDGLASS_LOG_LEVEL="debug")
            for mode, isolation in (("enforce", "private"), ("enforce", "shared"), ("strict", "private"), ("strict", "shared"))]


def everywhere(name, settings=SETTINGS):
    return pytest.mark.parametrize("where", [pytest.param(f"{s['SANDGLASS']}-{s['SANDGLASS_ISOLATION']}",
                                                          marks=pytest.mark.scenario(name, **s)) for s in settings])


def assert_inside(run, *wanted, thread="workflow"):
    """Everything that ended, and at least `wanted`, did so on that thread, in the run, with the run's own globals."""
    inside = {"thread": thread, "run": run["id"], "value": run["id"]}
    elsewhere = {what: seen for what, seen in run["ended"].items() if seen != inside}
    assert not elsewhere, f"{run['id']}: {elsewhere}"
    assert set(wanted) <= set(run["ended"]), f"not ended: {set(wanted) - set(run['ended'])}"


def names_of(ended):
    """What ended, once for each name: on a slow machine a workflow task times out, and its run is replayed."""
    return {what.removesuffix(" again") for what in ended}


@everywhere("evicted_by_cache_size")
def test_run_evicted_from_a_full_cache_ends_inside_itself(where, played):
    for run in played["while_open"]:
        assert_inside(run, *HELD, *FINALISERS)


@everywhere("evicted_by_cache_size")
def test_evicted_runs_are_replayed_and_complete(where, played):
    assert played["completed"] == ["completed"] * 4


@everywhere("evicted_by_shutdown")
def test_runs_of_a_worker_that_shut_down_end_inside_themselves(where, played):
    for run in played:
        assert_inside(run, *HELD, *FINALISERS, "signal handler", thread="ending")


@everywhere("evicted_although_stubborn")
def test_run_that_swallows_its_cancellation_ends_inside_itself(where, played):
    for run in played:
        run["ended"].pop("weakref.finalize", None)  # a cycle holds the object: the failed task's exception leads to its frame
        assert_inside(run, *HELD, "__del__", "global __del__", "stubborn")


@everywhere("evicted_after_completion")
def test_completed_run_ends_inside_itself(where, played):
    for run in played:
        assert_inside(run, *HELD, *FINALISERS)


@everywhere("evicted_after_failed_task")
def test_run_whose_task_failed_ends_inside_itself(where, played):
    assert_inside(played[0], "generator")


@everywhere("dropped_without_eviction")
def test_run_dropped_without_eviction_ends_inside_itself(where, played):
    assert_inside(played[0], *HELD, *FINALISERS, thread="ending")


@everywhere("garbage_of_a_live_run")
def test_garbage_of_a_live_run_does_not_end_where_it_is_collected(where, played):
    for run in played["while_open"]:
        assert names_of(run["ended"]) == {"dropped at once"}, str(run)
        assert_inside(run)


@everywhere("host_drops_meanwhile", SETTINGS[1::2])
def test_what_the_host_drops_while_another_run_of_the_image_is_active_never_runs(where, played):
    for run in played:
        assert names_of(run["ended"]) == {"dropped at once"}, str(run)


GARBAGE = ("dropped cycle", "dropped cycle behind a library", "handed to the host")


@everywhere("garbage_of_a_live_run", SETTINGS[::2])
def test_collected_garbage_ends_with_its_run(where, played):
    for run in played["after"]:
        assert_inside(run, "dropped at once", *GARBAGE)


@everywhere("garbage_of_a_live_run", SETTINGS[1::2])
def test_collected_garbage_of_a_shared_image_never_runs(where, played):
    for run in played["after"]:
        assert names_of(run["ended"]) == {"dropped at once"}, str(run)


@everywhere("evicted_after_completion")
def test_generator_that_refuses_to_die_is_closed_once(where, played):
    for run in played:
        ended = run["ended"]
        replayed = "generator again" in ended  # on a slow machine: the run was evicted twice
        assert "refuses to die" in ended and ("refuses to die again" in ended) == replayed, str(run)


@everywhere("evicted_after_completion")
def test_closing_is_logged_with_the_exception_of_what_refused(where, played, host):
    closed = [e for e in host.log if e["event"] == "closed" and e.get("workflow_id") == played[0]["id"]]
    errors = {e["what"]: e.get("error") for e in closed}
    assert errors.get("generator", "not closed") is None and errors.get("refuses_to_die") == "RuntimeError", harness.show(closed)
    left = [e for e in host.log if e["event"] == "left" and e["workflow_id"] == played[0]["id"]]
    assert left and int(left[0]["suspended"]) >= len(closed), harness.show(left)


@everywhere("evicted_by_shutdown")
def test_closing_code_cannot_ask_anything_of_the_workflow(where, played, host):
    asked = [e for e in host.log if e["event"] == "closed" and e["what"] == "asks_the_workflow"]
    assert asked and {e.get("error") for e in asked} == {"_WorkflowBeingEvictedError"}, harness.show(asked)
