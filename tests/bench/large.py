"""A workflow file with as much state as size.py says, a tenth of each kind."""
import collections
import random
import time

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    import size


class Thing:
    def __init__(self, number):
        self.number = number


class Slotted:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


KINDS = [lambda i: {"number": i}, lambda i: [i], Thing, Slotted, lambda i: {i}, lambda i: collections.deque([i]),
         lambda i: collections.OrderedDict(number=i), lambda i: bytearray(b"x"), lambda i: {i: {}}, lambda i: [[i]]]
STATE = [KINDS[i % 10](i) for i in range(size.COUNT)]
CHANGED = [[] for _ in range(10)]


@workflow.defn
class Large:
    @workflow.run
    async def run(self, text: str) -> str:
        await workflow.wait_condition(lambda: False)
        return text

    @workflow.signal
    def ask_the_engine(self) -> None:
        for _ in range(100):
            workflow.now()
            workflow.random().random()

    @workflow.signal
    def ask_python(self) -> None:
        for _ in range(100):
            time.time()
            random.random()

    @workflow.signal
    def look(self) -> None:
        pass

    @workflow.signal
    def change(self) -> None:
        for item in CHANGED:
            item.append(1)
