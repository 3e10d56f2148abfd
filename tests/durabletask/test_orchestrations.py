"""What orchestrators may do in each of the three engines, and what they are answered."""
import harness
import pytest

ENGINES = ["durabletask", "dapr", "azure"]
ONCE = ["reads_clock", "reads_clock_later", "swallows", "fails", "harmless", "asks_engine", "leaves_something"]
TWICE = ["counts", "asks_library", "asks"]  # two instances, at the same time
CLOCK = {"durabletask": "ctx.current_utc_datetime.timestamp()", "dapr": "ctx.current_utc_datetime.timestamp()",
         "azure": "context.current_utc_datetime.timestamp()"}
REFUSAL = "NonDeterminismError: Cannot access {} from inside a workflow, because "


# What is the same code for all of them is shown with one.
with_one = pytest.mark.parametrize("engine", ["durabletask"])


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture
def played(program, engine):
    def play(mode="enforce", **settings):
        return program("drive.py", engine, *ONCE, *(name + "*2" for name in TWICE), SANDGLASS=mode, SANDGLASS_LOG_LEVEL="debug", **settings)
    return play


def assert_refused(answer, name, call):
    result = answer.of(name + "-0")
    assert result["status"] == "FAILED" and REFUSAL.format(call) in result["error"], result
    assert harness.violations(answer.log, rule=call, action="block", origin="direct", workflow_type=name, workflow_id=name + "-0"), str(answer.finished)


def assert_completed(answer, name, output):
    assert answer.of(name) == {"status": "COMPLETED", "output": output, "error": None}, str(answer.finished)


def test_a_refusal_fails_the_orchestration_with_the_engines_own_exception(played, engine):
    answer = played()
    for name in ("reads_clock", "reads_clock_later"):
        assert_refused(answer, name, "time.time")
        error = answer.of(name + "-0")["error"]
        assert f"Instead: {CLOCK[engine]} or" in error and "SANDGLASS_RULES=time.time=allow" in error and f"Called in {name} at " in error


def test_a_refusal_that_is_caught_fails_it_too(played):
    answer = played()
    assert_refused(answer, "swallows", "uuid.uuid4")
    assert harness.events(answer.log, "swallowed", workflow_id="swallows-0")
    assert not harness.events(answer.log, "swallowed", workflow_id="reads_clock-0")


def test_what_is_the_same_on_replay_passes(played):
    for mode in ("enforce", "answer"):
        answer = played(mode)
        assert_completed(answer, "harmless-0", [1970, 0.13436424411240122, "4f3f2898-69e3-5a0d-820a-c4e87987dbce"])
        assert_completed(answer, "asks_engine-0", True)
        assert answer.of("fails-0")["error"].endswith("ValueError: of its own")


def test_activities_are_of_no_concern(played):
    answer = played()
    assert answer.told["clock"]
    assert set(answer.told["seen"]) == {"activity"}  # and the worker's module is not that of the orchestrations
    assert not [e for e in harness.violations(answer.log) if "drive.py" in e["where"]]


@pytest.mark.parametrize("engine, isolation", [*((e, "shared") for e in ENGINES), ("durabletask", "private")])
def test_the_state_of_modules_is_the_instances_own_and_pristine_for_each_work_item(played, isolation):
    answer = played() if isolation == "shared" else played(SANDGLASS_ISOLATION=isolation)
    for i in range(2):
        assert_completed(answer, f"counts-{i}", [f"counts-{i}", 1, 2, 3])
    images = harness.events(answer.log, "image")
    assert bool(images) == (isolation == "shared") and len(images) <= 6  # one for each thread at most, not for each work item
    assert len(harness.events(answer.log, "run", workflow_type="counts")) == 8


@with_one
def test_without_isolation_it_is_everybodys(played):
    answer = played(SANDGLASS_ISOLATION="off")
    assert len(answer.of("counts-0")["output"]) > 4


def test_a_library_is_answered(played):
    """The clock of the work item as it is replayed, identifiers of the instance's own; the same on each replay."""
    answer = played()
    outputs = [answer.of(f"asks_library-{i}")["output"] for i in range(2)]
    assert [o[:4] for o in outputs] == [[True] * 4] * 2, str(answer.finished)
    assert outputs[0][4] != outputs[1][4]
    assert harness.events(answer.log, "answered", rule="time.time", origin="passthrough", workflow_type="asks_library")


def test_an_orchestrator_is_answered_where_that_is_asked_for(played):
    answer = played("answer")
    outputs = [answer.of(f"asks-{i}")["output"] for i in range(2)]
    assert [o[:2] for o in outputs] == [[True, True]] * 2 and outputs[0][2] != outputs[1][2]


@with_one
def test_another_execution_of_the_same_id_is_given_other_identifiers(played):
    outputs = [[played("answer", **settings).of(f"asks-{i}")["output"][2] for i in range(2)] for settings in ({}, {"PYTHONHASHSEED": "7"})]
    assert len({*outputs[0], *outputs[1]}) == 4


@with_one
def test_strict_refuses_where_there_is_no_answer(played):
    answer = played("strict", SANDGLASS_VIRTUAL="none")
    assert answer.of("asks_library-0")["status"] == "FAILED"
    assert "by a passed-through library" in answer.of("asks_library-0")["error"]


@with_one
@pytest.mark.parametrize("mode", ["warn", "observe"])
def test_modes_that_refuse_nothing(played, mode):
    answer = played(mode)
    assert answer.of("reads_clock-0")["status"] == answer.of("swallows-0")["status"] == "COMPLETED"
    assert harness.violations(answer.log, rule="time.time", action="warn", workflow_type="reads_clock")


@with_one
def test_off_does_nothing(played):
    answer = played("off")
    assert answer.of("reads_clock-0")["status"] == "COMPLETED" and not answer.log


@with_one
def test_an_allowed_name(played):
    answer = played(SANDGLASS_RULES="time.time=allow")
    assert answer.of("reads_clock-0")["status"] == "COMPLETED"
    assert answer.of("swallows-0")["status"] == "FAILED"


def test_a_suspended_orchestrator_is_closed_in_its_run_when_the_work_item_ends(played):
    answer = played()
    assert answer.told["noted"] == ["left leaves_something-0", "NonDeterminismError"] * 2
    assert harness.events(answer.log, "closed", workflow_id="leaves_something-0")


def test_the_line_at_start_names_the_engine(played, engine):
    start, = harness.events(played().log, "start")
    assert start["engine"] == engine and start["sdk"][0].isdigit() and start["unguarded"] == "0"


@pytest.mark.parametrize("engine", ["azure", "dapr"])
def test_what_decorators_make_of_an_orchestrator(program, engine):
    """The instances' own function is found under what stands in the module, and the engine's objects there do no harm."""
    answer = program("decorated.py", engine, SANDGLASS_LOG_LEVEL="debug")
    results, seen = answer.told
    assert results["counts"] == {"status": "COMPLETED", "output": [1, 2], "error": None} and seen == [], str(answer.finished)
    assert REFUSAL.format("time.time") in results["reads_clock"]["error"]
    assert not harness.events(answer.log, "private") and not harness.events(answer.log, "unisolated")
