"""Libraries that sit between a worker and its workflows: interceptors, converters, import hooks."""
import harness
import pytest
from test_temporal import assert_completed, assert_refused, log  # noqa: F401

SCENARIOS = harness.HERE / "libraries" / "library_scenarios.py"


def in_both(name):
    """The test under both modes that refuse."""
    return pytest.mark.parametrize("mode", [pytest.param(m, marks=pytest.mark.scenario(name, SANDGLASS=m)) for m in ("enforce", "strict")])


def assert_unreported(log):
    """What a library does for itself is nobody's violation, but for what these workflows are meant to do."""
    seen = [e for e in harness.violations(log) if e["level"] in ("warn", "error") and e["rule"] != "time.time"]
    assert not seen, harness.show(seen)


def line_of(file, marker):
    lines = (harness.HERE / "libraries" / file).read_text().splitlines()
    return f"{file}:{[n for n, text in enumerate(lines, 1) if text.endswith('# here: ' + marker)][0]}"


@in_both("opentelemetry_interceptor")
def test_opentelemetry_interceptor_traces_a_workflow(mode, played, log):
    assert assert_completed(played) == 42
    assert {"StartWorkflow:Traced", "RunWorkflow:Traced", "thought", "StartActivity:double", "RunActivity:double", "doubling"} <= set(played["spans"]), str(played)
    assert_unreported(log)


@in_both("sentry_interceptor")
def test_sentry_interceptor_reports_an_error_with_its_frames(mode, played, log):
    assert played["status"] == "failed" and played["type"] == "ValueError", str(played)
    assert played["events"] == 1 and played["tag"] == "Fails" and any("run" in f for f in played["frames"]), str(played)
    assert_unreported(log)


@in_both("sentry_interceptor_reports_a_refusal")
def test_sentry_interceptor_does_not_hide_a_refusal(mode, played):
    assert_refused(played, "time.time", line_of("library_flows.py", "Fails"))
    assert "RestrictedWorkflowAccessError" in played["reported"], str(played)


@in_both("beartype_claw")
def test_beartype_import_hook_checks_types_in_a_workflow(mode, played, log):
    assert assert_completed(played) == "checked"
    assert_unreported(log)


@in_both("beartype_claw_hides_no_violation")
def test_beartype_import_hook_hides_no_violation(mode, played):
    assert_refused(played, "time.time", line_of("claw_flows.py", "read_clock"))


@in_both("pydantic_converter")
def test_pydantic_models_pass_through_the_sdks_pydantic_converter(mode, played, log):
    assert assert_completed(played) == {"id": "00000000-0000-0000-0000-000000000007", "at": "2020-01-01T00:00:00Z", "weight": 2.0,
                                        "tags": ["Parcel"]}
    assert_unreported(log)


@in_both("protobuf_messages")
def test_protobuf_messages_are_arguments_and_results(mode, played, log):
    assert assert_completed(played)
    assert played["result"] == {"a": 1.0, "seen": True}
    assert_unreported(log)
