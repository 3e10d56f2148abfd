"""The zone in which workflow code sees local time, and that nobody else sees it."""
import os
import subprocess
import sys

import harness
import pytest
import zone_cases

SCENARIOS = "zones.py"
ALL = [c.name for c in zone_cases.CASES if c.name != "z_now"]
HOST = "Asia/Kolkata"

# What a process in that zone says of itself: the same code, run by a plain Python.
PLAIN = """
import sys, textwrap
sys.path[:0] = sys.argv[1].split(":")
import zone_cases
for case in zone_cases.CASES:
    try:
        exec(case.top + "\\ndef run():\\n" + textwrap.indent(case.body, "    "), scope := {})
        print(case.name, scope["run"](), sep="\\t")
    except (ImportError, NameError):
        pass
"""


def plain(zone):
    env = harness.environment(preload=False, TZ=zone)
    out = subprocess.run([sys.executable, "-c", PLAIN, harness.SEARCH["PYTHONPATH"]], env=env, capture_output=True, text=True, check=True).stdout
    return dict(line.split("\t") for line in out.splitlines())


def under(**settings):
    return pytest.mark.snippets(ALL, SG_CASES="zone_cases", TZ=HOST, **settings)


def assert_in_zone(host, zone):
    expected = plain(zone)
    for name in ALL:
        if host[name]["status"] != "skipped":
            assert (host[name]["status"], host[name].get("result")) == ("completed", expected[name]), str(host[name])


@under(SANDGLASS="strict")
def test_strict_uses_utc(host):
    assert_in_zone(host, "UTC")
    assert [e for e in host.log if e["event"] == "zone"] == [] and [e["tz"] for e in host.log if e["event"] == "start"] == ["UTC"]


@pytest.mark.parametrize("zone", [pytest.param(z, marks=under(SANDGLASS_TZ=z)) for z in ("Europe/Berlin", "America/New_York")])
def test_workflow_code_is_in_the_zone_of_the_setting(host, zone):
    assert_in_zone(host, zone)
    assert not [e for e in host.log if e["event"] == "zone" or "time" in e.get("rule", "")], str(host.finished)


@under(SANDGLASS="strict", SANDGLASS_TZ="host")
def test_the_hosts_zone_may_be_meant(host):
    for name in ("z_localtime", "z_mktime", "z_constants"):
        assert host[name].get("result") == plain(HOST)[name], str(host[name])
    assert "Restricted" in host["z_astimezone"]["type"], str(host["z_astimezone"])
    assert not [e for e in host.log if e["event"] == "zone"]


@under()
def test_enforce_leaves_the_hosts_zone_and_says_so_once(host):
    expected = plain(HOST)
    for name in ALL:
        if name not in ("z_astimezone", "z_email") and host[name]["status"] != "skipped":
            assert (host[name]["status"], host[name].get("result")) == ("completed", expected[name]), str(host[name])
    assert "Restricted" in host["z_astimezone"]["type"], str(host["z_astimezone"])
    said = [e for e in host.log if e["event"] == "zone"]
    assert len(said) == 1 and said[0]["level"] == "warn" and "SANDGLASS_TZ" in said[0]["setting"], str(host.finished)
    assert "snippet_z_" in said[0]["where"], said
    assert [e["tz"] for e in host.log if e["event"] == "start"] == ["host"]


@pytest.mark.parametrize("zone, told", [
    pytest.param(z, t, marks=pytest.mark.snippets(["z_now"], SG_CASES="zone_cases", SANDGLASS="answer", TZ=HOST, **s))
    for z, t, s in (("UTC", "0.00 UTC", {}), ("Etc/GMT-3", "3.00 +03", {"SANDGLASS_TZ": "Etc/GMT-3"}))])
def test_the_clock_is_answered_in_the_zone(host, zone, told):
    assert host["z_now"].get("result") == told, str(host["z_now"])


@pytest.mark.snippets(["z_mktime", "z_timestamp", "z_aware"], SG_CASES="zone_cases", SANDGLASS="strict", SANDGLASS_RULES="time.mktime=block,datetime.datetime.timestamp=allow", TZ=HOST)
def test_a_rule_may_refuse_or_leave_what_would_be_answered(host):
    assert "time.mktime" in host["z_mktime"]["text"] and "Restricted" in host["z_mktime"]["type"], str(host["z_mktime"])
    assert host["z_timestamp"].get("result") == plain(HOST)["z_timestamp"], str(host["z_timestamp"])
    assert host["z_aware"].get("result") == plain(HOST)["z_aware"], str(host["z_aware"])


@pytest.mark.parametrize("zone, hour", [
    pytest.param(z, h, marks=pytest.mark.scenario("others", TZ=HOST, **s))
    for z, h, s in (("UTC", "09 UTC", {"SANDGLASS": "strict"}), ("America/New_York", "05 EDT", {"SANDGLASS_TZ": "America/New_York"}))])
def test_nobody_else_sees_the_zone_of_workflow_code(host, zone, hour):
    seen = host["others"]["result"]
    assert seen["workflow"][0] == hour and seen["workflow"][1] == int(hour[:2]), str(host.finished)
    assert seen["host"][0] == "15 IST" and seen["activity"] == seen["after"] == seen["host"], seen
    assert seen["different"] == [] and seen["child"] == ["IST 19800\n"], seen
    assert seen["log"] == ["15"], seen


@pytest.mark.parametrize("value", ["Europe/Berln", "CET-1CEST", "/etc/localtime", "../zoneinfo/UTC", "zone.tab"])
def test_what_is_no_zone_stops_the_worker(run_program, value):
    ended = run_program(sys.executable, "-c", "import temporalio.worker", SANDGLASS_TZ=value)
    assert ended.code == 2 and f"SANDGLASS_TZ = {value}: this machine has no time zone of that name; accepted: UTC, " in ended.err, str(ended)
