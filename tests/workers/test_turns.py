"""An activation that changes what all runs share has its turn alone: those on other threads do not see it, nor what they put back."""
import json
import sys

import harness
import pytest

FLOW = """
import calendar, csv, gc, string, sys, time, warnings
try: import yaml
except ImportError: yaml = None
from temporalio import workflow

def look():
    return {}

def busy():
    for _ in range(200_000): pass

@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> None:
        self.seen = []
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def go(self) -> None:
        self.seen.append(look())
        {}

    @workflow.query
    def see(self) -> list:
        return self.seen
"""
PUT_BACK = {  # by the run itself: what is looked at, the change
    "a setting of a library": ("csv.field_size_limit()", "csv.field_size_limit(7); busy(); csv.field_size_limit(131072)"),
    "a setting of the interpreter": ("sys.getswitchinterval()", "sys.setswitchinterval(0.001); busy(); sys.setswitchinterval(0.005)"),
    "filters of warnings": ("len(warnings.filters)", "with warnings.catch_warnings():\n            warnings.simplefilter('ignore'); busy()"),
}
LEFT = {
    "a constructor of yaml": ("'!own' in yaml.SafeLoader.yaml_constructors", "yaml.SafeLoader.add_constructor('!own', str); busy()"),
    "a resolver of yaml": (
        "len(yaml.SafeLoader.yaml_implicit_resolvers['t'])", "yaml.add_implicit_resolver('!own', None, ['t'], yaml.SafeLoader); busy()"),
    "a setting of a library": ("calendar.firstweekday()", "calendar.setfirstweekday(3); busy()"),
    "an attribute of a module": ("string.digits", "string.digits = 'other'; busy()"),
    "filters of warnings": ("len(warnings.filters)", "warnings.catch_warnings().__enter__(); warnings.simplefilter('ignore'); busy()"),
}


@pytest.fixture
def beside(run_program, tmp_path):
    def beside(lines, mode, **more):
        for name in ("flow_0", "flow_1", "flow_of_test"):
            (tmp_path / f"{name}.py").write_text(FLOW.format(*lines))
        ended = run_program(sys.executable, harness.PROGRAMS / "beside.py", PYTHONPATH=f"{tmp_path}:{harness.FIXTURES}", SANDGLASS=mode, **more)
        assert ended.out.strip(), str(ended)
        return json.loads(ended.out), ended
    return beside


@pytest.mark.parametrize("mode", ["enforce", "strict"])
@pytest.mark.parametrize("lines", PUT_BACK.values(), ids=PUT_BACK)
def test_what_a_run_changes_and_puts_back_no_other_sees(beside, lines, mode):
    seen, ended = beside(lines, mode)
    assert len({look for looks in seen for look in looks}) == 1, str(ended)
    assert not harness.events(ended.log, "violation"), str(ended)


@pytest.mark.parametrize("what", LEFT)
def test_what_is_put_back_for_a_run_no_other_sees(beside, what):
    if what.endswith("yaml"):
        pytest.importorskip("yaml")
    lines = LEFT[what]
    seen, ended = beside(lines, "enforce")
    assert len({look for looks in seen for look in looks}) == 1, str(ended)
    assert harness.events(ended.log, "violation"), str(ended)


def test_a_call_that_nothing_can_undo_needs_no_turn(beside):
    lines = ("None", "gc.get_referrers(self); begun = time.perf_counter(); busy(); self.seen.append([begun, time.perf_counter()])")
    seen, ended = beside(lines, "enforce", SANDGLASS_RULES="time.perf_counter=allow")
    first, second = ([look for look in looks if look] for looks in seen)
    assert any(a[0] < b[1] and b[0] < a[1] for a in first for b in second), str(ended)
    assert harness.events(ended.log, "violation"), str(ended)
