"""One workflow that can read the clock in each of the places where workflow code runs."""
import time

from temporalio import workflow


@workflow.defn
class Handlers:
    @workflow.init
    def __init__(self, where: str) -> None:
        self.where = where
        self.done = False
        self.events = ["init"]
        if where == "init":
            time.time()  # here: init

    @workflow.run
    async def run(self, where: str) -> list:
        if where == "run":
            time.time()  # here: run
        await workflow.wait_condition(lambda: self.done)
        return self.events

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.signal
    def poke(self) -> None:
        if self.where == "signal":
            time.time()  # here: signal
        self.events.append("signal")

    @workflow.query
    def look(self) -> list:
        if self.where == "query":
            time.time()  # here: query
        return self.events

    @workflow.update
    async def change(self, text: str) -> str:
        if self.where == "update":
            time.time()  # here: update
        self.events.append(text)
        return text.upper()

    @change.validator
    def check(self, text: str) -> None:
        if self.where == "validator":
            time.time()  # here: validator
        if not text:
            raise ValueError("empty")
