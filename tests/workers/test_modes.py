"""The same snippets under other modes and settings."""
import harness
import pytest

SNIPPETS = ["time_time", "time_monotonic", "alias_partial", "random_random", "uuid_uuid4", "os_urandom", "os_getpid", "environ_get",
            "open_builtin", "dt_now", "posix_getpid", "socket_gethostname", "load_uuid", "via_clock", "ok_asyncio", "ok_hashes"]
STORES = ["state_stdout", "state_function", "state_enum_class"]
ALLOW_TWO = "time.time=allow,uuid.uuid4=allow"


def under(**settings):
    """The test's `host` ran SNIPPETS with these settings."""
    return pytest.mark.snippets(SNIPPETS, **settings)


def lines(host, name):
    return [e for e in harness.violations(host.log) if e.get("workflow_type") == name or f"snippet_{name}.py:" in e.get("where", "")]


def assert_completed(host, *names):
    for name in names:
        assert host[name]["status"] == "completed", str(host[name])


def assert_refused(host, *names):
    for name in names:
        assert host[name]["status"] in ("failed", "refused-at-load") and "Restricted" in host[name]["type"], str(host[name])


@under(SANDGLASS="warn")
def test_warn_mode_never_refuses(host):
    assert_completed(host, *SNIPPETS)


@under(SANDGLASS="warn")
@pytest.mark.parametrize("name", SNIPPETS[:-2])
def test_warn_mode_reports_what_it_lets_pass(host, name):
    reported = lines(host, name)
    assert reported and all(e["level"] == "warn" and e["action"] == "warn" for e in reported), harness.show(reported)


@under(SANDGLASS="observe")
def test_observe_mode_leaves_the_sdks_own_sandbox_in_place(host):
    assert_refused(host, "time_time", "uuid_uuid4", "random_random", "os_getpid")
    assert "mark the import as pass through" in host["time_time"]["text"], str(host["time_time"])


@under(SANDGLASS="observe")
@pytest.mark.parametrize("name", ["posix_getpid", "via_clock"])
def test_observe_mode_only_logs_what_the_sdk_misses(host, name):
    assert_completed(host, name)
    assert lines(host, name) and not [e for e in lines(host, name) if e["action"] == "block"], str(host.finished)


@pytest.mark.snippets(STORES, SANDGLASS="observe")
@pytest.mark.parametrize("name", STORES)
def test_observe_mode_sees_stores_beside_the_sdks_own(host, name):
    assert [e["action"] for e in lines(host, name)] == ["warn"], str(host.finished)


@under(SANDGLASS="off")
def test_off_mode_changes_no_verdict(host, server, tmp_path):
    plain = harness.run_host("snippets.py", server, SNIPPETS, tmp_path, preload=False, **harness.SEARCH)
    off, without = ({n: (h[n]["status"], h[n]["text"]) for n in SNIPPETS if h[n]["status"] != "completed"} for h in (host, plain))
    assert off == without


@under(SANDGLASS="off")
def test_off_mode_logs_nothing(host):
    assert host["time_time"] and host.log == []


@under(SANDGLASS_RULES=ALLOW_TWO)
def test_single_rule_allows_what_it_names(host):
    assert_completed(host, "time_time", "alias_partial")


@under(SANDGLASS_RULES=ALLOW_TWO)
def test_rule_for_a_function_covers_the_primitive_below_it(host):
    assert_completed(host, "uuid_uuid4")
    assert_refused(host, "os_urandom")


@under(SANDGLASS_RULES=ALLOW_TWO)
def test_single_rule_leaves_all_others_alone(host):
    assert_refused(host, "time_monotonic", "random_random", "os_getpid", "dt_now")


@under(SANDGLASS_RULES="os.getpid=warn")
def test_rule_may_warn_instead(host):
    assert_completed(host, "os_getpid", "posix_getpid")
    assert [e["level"] for e in lines(host, "os_getpid")][:1] == ["warn"], harness.show(lines(host, "os_getpid"))
    assert_refused(host, "time_time")


@under(SANDGLASS_CONFIG=harness.PROGRAMS / "allow_time.conf")
def test_configuration_file_changes_rules(host):
    assert_completed(host, "time_time")
    assert_refused(host, "time_monotonic")


@pytest.mark.snippets(["helper_of_the_workflow", "helper_imported_late"], SANDGLASS_CONFIG=harness.PROGRAMS / "guard_private.conf")
def test_allowed_function_may_do_what_it_does_and_no_other_may(host):
    assert_completed(host, "helper_of_the_workflow")
    assert_refused(host, "helper_imported_late")


@under(SANDGLASS_CONFIG=harness.PROGRAMS / "warn_allow_time.conf", SANDGLASS="enforce", SANDGLASS_RULES="time.time=block")
def test_variable_wins_over_configuration_file(host):
    assert_refused(host, "time_time", "time_monotonic")


@under(SANDGLASS_CONFIG=f"{harness.PROGRAMS / 'allow_time.conf'}:{harness.PROGRAMS / 'block_time.conf'}")
def test_later_configuration_file_wins(host):
    assert_refused(host, "time_time")
