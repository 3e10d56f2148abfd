"""Memory that is refused while a run is made, let run, put aside and ended: an exception at most, and all goes on after it."""
import json
import os
import sys

import harness
import pytest

NUMBERS = os.environ.get("NUMBERS", "40")  # of allocations of a phase that are refused, one at a time; 100000: all of them

FLOW = """
import collections, functools, itertools, threading
from temporalio import workflow
COUNTER, ITEMS, TABLE, NUMBERS = 0, [], {"a": [1]}, itertools.count()
LAST, LOCAL = collections.deque(), threading.local()

class Base:
    seen = ()

class Node:
    def __init__(self, value):
        self.value = value

NODES = [Node(n) for n in range(50)]

@functools.lru_cache
def square(n):
    return n * n

def change():
    global COUNTER
    COUNTER += 1
    ITEMS.append(next(NUMBERS))
    TABLE.setdefault(str(COUNTER), []).append(len(ITEMS))
    LAST.append(square(COUNTER))
    NODES[COUNTER].value = -COUNTER
    Base.seen += (COUNTER,)
    type("Own" + str(COUNTER), (Base,), {})
    LOCAL.count = COUNTER

def see():
    return [COUNTER, ITEMS[:], sorted(TABLE), list(LAST), list(Base.seen), [n.value for n in NODES[:4]], square.cache_info().misses,
            getattr(LOCAL, "count", None)]

def alone(changes):
    names = {"__name__": "alone"}
    exec(open(__file__).read().split("def alone")[0], names)
    for _ in range(changes):
        names["change"]()
    return names["see"]()

@workflow.defn
class Flow:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def change(self) -> None:
        change()

    @workflow.query
    def see(self) -> list:
        return see()
"""


@pytest.fixture(scope="module")
def allocator(tmp_path_factory):
    return harness.compile_library(tmp_path_factory.mktemp("starved") / "starved.so", harness.PROGRAMS / "starved.c")


# Python's own are refused where no class is made: CPython 3.13.0 crashes in type_new() when the class's dict cannot grow.
@pytest.mark.parametrize("whose, phase, isolation", [
    ("object", "first", "shared"), ("object", "first", "private"), ("object", "later", "shared"), ("object", "later", "private"),
    ("python", "later", "shared")])
def test_memory_that_is_refused_harms_no_other_run(run_program, tmp_path, allocator, whose, phase, isolation):
    (tmp_path / "flow_of_test.py").write_text(FLOW)
    settings = {"PYTHONPATH": f"{tmp_path}:{harness.FIXTURES}", "SANDGLASS_ISOLATION": isolation, "MALLOC_PERTURB_": "165",
                "LD_PRELOAD": harness.preloads(allocator, harness.preload_object())}
    ended = run_program(sys.executable, harness.PROGRAMS / "starved.py", whose, phase, NUMBERS, harness.preload_object(), allocator,
                        timeout=250, **settings)
    assert ended.out.strip(), str(ended)
    answer = json.loads(ended.out)
    print(answer)
    assert answer["tried"] > 10 and answer["failed"], str(answer)
    assert not answer["wrong"], f"{answer}\n{ended.err[-3000:]}"
