"""What Temporal offers to a workflow works under Sandglass, and a violation is found wherever workflow code runs."""
import harness
import pytest


@pytest.fixture
def log(host):
    return host.log


def scenario(name, **settings):
    return pytest.mark.scenario(name, **settings)


def each(template, *values, **settings):
    """Parametrizes a test over scenarios whose names differ in one word."""
    return pytest.mark.parametrize("variant", [pytest.param(v, marks=scenario(template.format(v), **settings)) for v in values])


def line_of(program, marker):
    for number, text in enumerate((harness.PROGRAMS / program).read_text().splitlines(), 1):
        if text.endswith(f"# here: {marker}"):
            return f"{program}:{number}"
    raise LookupError(marker)


def assert_refused(ended, *parts):
    assert ended["status"] in ("task-failed", "failed", "refused"), str(ended)
    assert "RestrictedWorkflowAccessError" in ended["type"] + ended["text"] or ended["type"] == "WorkflowQueryFailedError", str(ended)
    for part in parts:
        assert part in ended["text"], str(ended)


def assert_completed(ended):
    assert ended["status"] == "completed", str(ended)
    return ended["result"]


# --- everyday ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", [pytest.param(m, marks=scenario("everyday_workflow", SANDGLASS=m))
                                  for m in ("enforce", "strict", "warn", "observe", "off")])
def test_everyday_workflow_completes_in_every_mode(mode, played, log):
    assert assert_completed(played)[:4] == ["TEA", "LOCAL", "A", "B"]
    assert not harness.violations(log, workflow_type="Order"), harness.show(harness.violations(log, workflow_type="Order"))


@scenario("everyday_workflow_without_cache")
def test_workflow_replayed_at_every_task_completes(played):
    assert assert_completed(played)[:4] == ["TEA", "LOCAL", "A", "B"]


@scenario("query_after_completion")
def test_completed_workflow_is_replayed_to_answer_a_query(played):
    assert played == "paid"


@scenario("cancelled")
def test_cancelled_workflow_cleans_up(played):
    assert assert_completed(played) == "CLEANED"


@scenario("handlers_work")
def test_signals_queries_updates_and_validators_work(played):
    assert played["update"] == "X" and "empty" in played["rejected"]
    assert assert_completed(played) == played["look"] == ["init", "signal", "x"]


@scenario("sandbox_flags")
def test_in_sandbox_is_true_in_the_workflow_and_false_in_an_activity(played):
    seen = assert_completed(played)
    assert seen["workflow"] is True and seen["activity"]["in_sandbox"] is False


@scenario("sandbox_flags")
def test_unrestricted_block_may_read_the_clock(played):
    assert assert_completed(played)["lifted"] is True


@scenario("restricted_again")
def test_restrictions_return_after_an_unrestricted_block(played):
    assert_refused(played, "time.time")


@scenario("waits_unrestricted")
def test_an_unrestricted_block_that_waits_is_the_run_s_alone(played):
    other, itself = played
    assert_refused(other, "time.time", line_of("flows_misc.py", "ReadsClock"))
    assert_refused(itself, "time.time", line_of("flows_misc.py", "WaitsUnrestricted"))


@scenario("late_import")
def test_module_imported_inside_run_is_private_to_the_run(played):
    assert [assert_completed(p) for p in played] == [["helper_late", 1, 2, True]] * 2


# --- violations ----------------------------------------------------------------------------------------------------------

@pytest.mark.since_sdk(1, 18)  # before, a worker did not shut down any more after a run that could not be made
@scenario("violation_in_init")
def test_violation_in_the_constructor_fails_the_workflow_task(played):
    assert played["status"] == "task-failed", str(played)
    assert_refused(played, "time.time", line_of("flows_handlers.py", "init"))


@each("violation_in_{}", "run", "signal", "update")
def test_violation_fails_the_workflow_task(variant, played):
    assert played["status"] == "task-failed", str(played)
    assert_refused(played, "time.time", line_of("flows_handlers.py", variant))


@each("violation_in_{}", "query", "validator")
def test_violation_in_a_read_only_handler_is_refused(variant, played):
    assert_refused(played, "time.time", line_of("flows_handlers.py", variant))


@each("swallowed_by_{}", "except_exception", "bare_except", "gather", "application_error", "application_error_non_retryable",
      "finally_return", "before_timer", "continue_as_new")
def test_swallowed_violation_still_fails_the_workflow_task(variant, played):
    assert played["status"] == "task-failed", str(played)
    assert_refused(played, "time.time", "flows_misc.py:")


@scenario("refusal_as_task_failure")
def test_refusal_fails_the_workflow_task_by_default(played):
    assert played["status"] == "task-failed" and played["type"] == "RestrictedWorkflowAccessError", str(played)


@scenario("refusal_as_workflow_failure")
def test_refusal_fails_the_workflow_where_the_worker_asks_for_it(played):
    assert played["status"] == "failed" and played["type"] == "RestrictedWorkflowAccessError", str(played)


@scenario("refusal_as_task_failure")
@pytest.mark.parametrize("part", ["uuid.uuid4", "flows_misc.py:{line}", "make", "uuid.uuid4 -> os.urandom", "workflow.uuid4",
                                  "SANDGLASS_RULES=uuid.uuid4=allow"])
def test_refusal_names_call_place_chain_replacement_and_setting(part, played):
    line = line_of("flows_misc.py", "MakesLoggedId").split(":")[1]
    assert part.format(line=line) in played["text"], played["text"]


@scenario("refusal_as_task_failure")
def test_violation_is_one_log_line_with_everything_needed_to_find_it(played, log):
    mine = harness.violations(log, workflow_id=played["id"])
    assert mine, harness.show(harness.violations(log))
    e = mine[0]
    assert (e["rule"], e["action"], e["origin"], e["workflow_type"], e["run_id"], e["chain"]) == \
        ("uuid.uuid4", "block", "direct", "MakesLoggedId", played["run_id"], "uuid.uuid4 -> os.urandom"), str(e.text)
    assert e["function"] in ("MakesLoggedId.make", "make"), str(e.text)  # 3.10 does not keep qualified names
    assert e["where"].endswith(line_of("flows_misc.py", "MakesLoggedId")), str(e.text)
    assert e["level"] == "error" or e["level"] == "warn", str(e.text)


@scenario("late_refusal", SANDGLASS="strict")
@pytest.mark.parametrize("ends", ["True", "False"])
def test_refusal_at_the_end_of_an_activation_fails_the_workflow_where_the_worker_says_so(played, ends):
    assert played[ends]["status"] == "failed" and "gc.callbacks" in played[ends]["text"], str(played)


@scenario("exception_as_the_workflow_sees_it")
def test_refusal_is_the_sdks_own_exception_with_the_qualified_name(played):
    name, qualified, nondeterminism = played["seen"]
    assert name == "RestrictedWorkflowAccessError" and qualified.startswith("time.time") and nondeterminism is True


@pytest.mark.since_sdk(1, 18)
@scenario("stuck_beside_others", SANDGLASS_LOG_LEVEL="debug")
def test_stuck_run_does_not_stop_others_of_its_file_for_good(played, host):
    assert played["later"]["status"] == "completed", str(played)  # it has another image
    assert played["waiting"] == played["stuck"] == "done", str(played)
    assert [e for e in host.log if e.get("event") == "wait"], "nobody had to wait"


@pytest.mark.since_sdk(1, 18)  # before, a worker did not shut down any more after a deadlock
@scenario("blocked_thread_is_found")
def test_deadlock_detector_still_finds_a_busy_workflow(played):
    assert played["status"] == "task-failed" and "deadlock" in played["text"], str(played)


@pytest.mark.since_sdk(1, 18)
@scenario("stuck_run_beside_others")
def test_stuck_run_does_not_hold_up_other_runs_of_its_file(played):
    assert played["done"] == 2, str(played)
    for failure in played["failures"]:  # on a slow machine the SDK's own detector may be the first to say so
        assert failure is None or "has not yielded" in failure[1] or failure[0] == "_DeadlockError", str(played)


# --- module state ---------------------------------------------------------------------------------------------------------

FRESH = [1] * 10  # what flows_state.touch answers in a fresh module


def assert_fresh(ended, steps):
    answers = assert_completed(ended)["private"]
    assert answers == [[n] * 9 + [1] for n in range(1, steps + 1)], str(answers)


@scenario("module_state")
def test_each_run_finds_fresh_module_state(played):
    for ended in played["one_by_one"]:
        assert_fresh(ended, 2)


@scenario("module_state")
def test_interleaved_runs_do_not_see_each_others_module_state(played):
    for ended in played["at_once"]:
        assert_fresh(ended, 4)


@scenario("module_state_without_cache")
def test_module_state_survives_eviction_and_replay(played):
    for ended in played:
        assert_fresh(ended, 4)


@scenario("module_state_of_the_host")
def test_hosts_copy_of_the_workflow_module_stays_untouched(played):
    assert played == [0, [], {"hits": 0}, []]


@scenario("module_state")
def test_passed_through_module_is_shared_by_all_runs(played):
    shared = [ended["result"]["shared"] for ended in played["one_by_one"] + played["at_once"]]
    assert len(set(shared)) == len(shared) == 15, str(shared)


@scenario("chain_of_runs")
def test_child_workflows_and_continued_runs_find_fresh_module_state(played):
    assert assert_completed(played) == [FRESH, FRESH, [2] * 9 + [1]] * 3


# --- what is not judged ---------------------------------------------------------------------------------------------------

@scenario("host_is_never_judged")
def test_other_threads_and_activities_are_never_judged(played):
    assert played["errors"] == [] and played["turns"] > 0
    assert played["ended"] == ["completed"] * 12 + ["task-failed"] * 3


@scenario("isinstance_elsewhere", SG_ALONE="1")
def test_isinstance_costs_on_other_threads_what_it_always_does(played):
    assert played["kinds"] == ["builtin_function_or_method", "function"], str(played)
    assert played["beside"] < 1.5 * played["alone"], str(played)


@scenario("fork_in_an_activity")
def test_activity_may_fork_and_start_processes(played):
    assert assert_completed(played) == [7, "ran"]


@scenario("interceptor_reads_clock")
def test_interceptor_may_read_the_clock(played):
    assert assert_completed(played)[0] == "TEA"
    assert played["read"] >= 2


@scenario("interceptor_does_not_excuse_the_workflow")
def test_workflow_behind_an_interceptor_is_still_refused(played):
    assert_refused(played, "time.time", line_of("flows_misc.py", "ReadsClock"))


@pytest.mark.parametrize("mode", [pytest.param(m, marks=scenario("finaliser_during_an_activation", SANDGLASS=m))
                                  for m in ("enforce", "strict")])
def test_finaliser_run_by_the_garbage_collector_is_not_judged(mode, played, log):
    assert_completed(played)
    assert played["finalised"] == [played["id"]], "the collector did not run the finaliser: this test shows nothing"
    assert not harness.violations(log, workflow_id=played["id"]), harness.show(harness.violations(log, workflow_id=played["id"]))


@scenario("not_sandboxed")
def test_workflow_marked_sandboxed_false_is_left_alone_beside_a_guarded_one(played):
    seconds, in_sandbox = assert_completed(played[0])
    assert seconds > 0 and in_sandbox is False
    assert_refused(played[1], "time.time")


@scenario("unsandboxed_runner")
def test_unsandboxed_runner_is_left_alone(played):
    assert assert_completed(played[0]) > 0
    assert [assert_completed(p) for p in played[1:]] == [1, 2], "module state is shared without a sandbox"


# --- replay ---------------------------------------------------------------------------------------------------------------

@scenario("replay_of_clean_workflow")
def test_replayer_accepts_a_clean_history(played):
    assert played is None


@scenario("replay_of_refused_workflow")
def test_replayer_reports_a_refusal(played):
    assert played and "time.time" in played and line_of("flows_misc.py", "ReadsClock") in played, str(played)


def test_workflow_resumed_by_another_process_gives_the_same_result(server, tmp_path):
    queue = f"resume-{tmp_path.name}-{id(tmp_path)}"
    before = harness.run_host("scenarios.py", server, ["resume_before"], tmp_path / "before", SG_RESUME=queue, **harness.SEARCH)
    assert before["resume_before"].get("result") == "waiting", str(before.finished)
    after = harness.run_host("scenarios.py", server, ["resume_after"], tmp_path / "after", SG_RESUME=queue, **harness.SEARCH)
    ended = after["resume_after"].get("result")
    assert ended, str(after.finished)
    assert assert_completed(ended)[:4] == ["TEA", "LOCAL", "A", "B"]
    assert ended["failed_task"] is None and ended["replay"] is None, str(ended)


# --- the worker's own restrictions ----------------------------------------------------------------------------------------

@scenario("worker_lifts_one_restriction")
def test_member_that_the_worker_unrestricted_is_allowed(played):
    assert assert_completed(played[0]) > 0


@scenario("worker_lifts_one_restriction")
def test_other_members_stay_restricted(played):
    assert_refused(played[1], "uuid.uuid4")


@scenario("worker_adds_a_restriction")
def test_member_that_the_worker_added_is_refused(played):
    assert_refused(played, "helper_shared.count")


@scenario("another_worker_adds_restrictions")
def test_member_that_one_worker_added_is_judged_as_ever_on_another(played):
    for ended, name in zip(played, ["helper_private.read_clock", "tarfile.is_tarfile", "time.time", "open"]):
        assert_refused(ended, name)


@scenario("worker_forbids_a_module")
def test_module_that_the_worker_forbids_cannot_be_imported(played):
    assert played[0] == "RestrictedWorkflowAccessError" and "helper_private" in played[1], str(played)


@scenario("worker_passes_a_module_through")
def test_module_that_the_worker_passes_through_is_shared(played):
    assert played[1] == played[0] + 1, str(played)


@scenario("workers_with_different_restrictions")
def test_two_workers_with_different_restrictions_do_not_disturb_each_other(played):
    for n, ended in enumerate(played):
        if n % 2:
            assert_refused(ended, "time.time")
        else:
            assert_completed(ended)


@pytest.mark.parametrize("isolation", [pytest.param(i, marks=scenario("worker_restricts_classes_of_a_private_module",
                                                                      SANDGLASS_ISOLATION=i)) for i in ("shared", "private")])
def test_classes_that_the_worker_restricted_are_guarded_in_every_run(isolation, played, log):
    for name, ended in played["refused"].items():
        assert ended["status"] == "failed", f"{name}: {ended}"
        assert_refused(ended, "helper_classes." + name.split()[1])
    for ended in played["others"]:
        assert assert_completed(ended) == "made"
    unguarded = [e.text for e in log if e["event"] == "unguarded" and e["rule"].startswith("helper_classes.")]
    assert not unguarded, "\n".join(unguarded)


# --- rules about the run's own copy of a module ----------------------------------------------------------------------------

GUARD_PRIVATE = harness.PROGRAMS / "guard_private.conf"


@scenario("private_module_is_called", SANDGLASS_CONFIG=GUARD_PRIVATE)
def test_rule_for_a_function_of_a_private_module_holds_in_each_run(played):
    for ended in played:
        assert_refused(ended, "helper_private.count", "it counts calls", "flows_invalid.py:")


# --- forced sharing and isolation -----------------------------------------------------------------------------------------

@scenario("private_module_counts")
def test_module_is_private_by_default(played):
    assert played == [1, 1]


@scenario("private_module_counts", SANDGLASS_PASSTHROUGH="helper,private,helper_private.inner,helper_privat")
def test_setting_passthrough_shares_no_module_that_only_begins_alike(played):
    assert played == [1, 1]


@scenario("private_module_counts", SANDGLASS_PASSTHROUGH="helper_private")
def test_setting_passthrough_shares_a_module(played):
    assert played[1] == played[0] + 1, str(played)


@scenario("worker_passes_a_module_through", SANDGLASS_RELOAD="helper_private")
def test_setting_reload_isolates_a_module_that_the_worker_passes_through(played):
    assert played == [1, 1]


@scenario("module_state", SANDGLASS_ISOLATION="private")
def test_private_isolation_gives_each_run_fresh_module_state(played):
    for ended in played["one_by_one"]:
        assert_fresh(ended, 2)
    for ended in played["at_once"]:
        assert_fresh(ended, 4)


@scenario("module_state", SANDGLASS_ISOLATION="shared")
def test_shared_isolation_shows_each_run_fresh_module_state(played):
    for ended in played["one_by_one"]:
        assert_fresh(ended, 2)
    for ended in played["at_once"]:
        assert_fresh(ended, 4)


@scenario("module_state", SANDGLASS_ISOLATION="off")
def test_isolation_off_shares_module_state(played):
    firsts = [assert_completed(p)["private"][0][0] for p in played["one_by_one"]]
    assert firsts == sorted(set(firsts)) and len(firsts) == 3, str(firsts)


@scenario("violation_in_run", SANDGLASS_ISOLATION="off")
def test_isolation_off_still_refuses(played):
    assert_refused(played, "time.time")


@scenario("many_memos")
def test_memo_has_one_order(played):
    """protobuf's maps have another one in each process."""
    assert_completed(played)
    assert played["result"] == [f"key {n:02d}" for n in range(12)]


# --- repeats --------------------------------------------------------------------------------------------------------------

@scenario("many_clock_readings", SANDGLASS="warn")
def test_repeated_violation_is_counted_not_repeated(played, log):
    assert_completed(played)
    mine = harness.violations(log, workflow_type="ManyReadings")
    assert 1 <= len(mine) <= 20, f"{len(mine)} lines for 1000 readings"
