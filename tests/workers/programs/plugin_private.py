"""A test whose workflow's modules each run executes for itself, for sandglass_pytest.py."""
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    import plugin_sample

NUMBERS = (number for number in range(3))
next(NUMBERS)


@workflow.defn
class Plain:
    @workflow.run
    async def run(self, number: int) -> int:
        return number


def test_plain():
    assert plugin_sample.play(Plain) == 2
