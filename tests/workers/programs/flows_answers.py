"""For answers.py: workflows that ask for what an engine can answer."""
import datetime
import logging
import random
import secrets
import time
import uuid
import zlib

import helper_installed
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    import helper_answers



class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


def record():
    kept, logger = Kept(), logging.Logger("own")
    logger.manager = logging.Manager(logger)  # another one is switched off
    logger.addHandler(kept)
    logger.warning("seen by the workflow")
    return kept.records[0].created, logging.Formatter("%(asctime)s").format(kept.records[0])


class Object:
    pass


class Told:
    def __repr__(self):
        return f"{Object()} {id(self)}"


def addresses():
    workflow.logger.error("silent on replay: %r, %r", Object(), Told())
    made = [Object() for _ in range(3)]
    return repr(made[0]).rpartition(" at ")[2], f"{id(made[1]):x}", [hash(o) for o in made]


class Slotted:
    __slots__ = ("__weakref__",)

    def method(self):
        pass


KEPT, TABLE = [], {}


def kept():
    """What a run makes is found again, wherever it was hashed first."""
    if not KEPT:
        class Own:
            pass

        KEPT.extend([Object(), Own, Own(), Slotted(), Slotted.method, lambda: 0, helper_installed.decorated(lambda: 0)])
        KEPT.append(KEPT[3].method)
        return "made"
    return [TABLE.get(key) for key in KEPT]


DRAWN = helper_installed.draw()
RECORD = logging.makeLogRecord({})

FUNCTIONS = {
    "clock": lambda: (time.time(), time.time_ns() - workflow.time_ns(), datetime.datetime.now(datetime.timezone.utc).isoformat()),
    "identifiers": lambda: str(uuid.uuid4()),
    "numbers": lambda: (random.random(), random.choice("abcdefgh"), random.Random().random()),
    "addresses": addresses,
    "kept": kept,
    "fill": lambda: TABLE.update((key, n) for n, key in enumerate(KEPT)),
    "record": record,
    "record made": lambda: logging.makeLogRecord({}).created,
    "at import": lambda: (DRAWN, helper_installed.LANGUAGE, RECORD.created, RECORD.relativeCreated),
    "secret": lambda: secrets.token_hex(8),
}


def ask(name):
    return repr(helper_answers.ALL[name[4:]]() if name.startswith("lib:") else FUNCTIONS[name]())


def told(values):
    """What a replay compares: the type of an activity."""
    return f"values:{zlib.crc32(values.encode())}"


@workflow.defn
class Asks:
    """Asks before and after others have asked in a query and in a validator, which a replay does not run again."""

    def __init__(self):
        self.going_on = False

    @workflow.run
    async def run(self, names: list[str]) -> list[str]:
        seen = []
        for moment in range(2):
            for name in names:
                seen.append(ask(name))
                await workflow.execute_activity(told(seen[-1]), start_to_close_timeout=datetime.timedelta(seconds=20))
            if not moment:
                await workflow.wait_condition(lambda: self.going_on)
        return seen

    @workflow.signal
    def go_on(self) -> None:
        self.going_on = True

    @workflow.query
    def peek(self, names: list[str]) -> list[str]:
        return [ask(name) for name in names]

    @workflow.update
    def note(self, names: list[str]) -> None:
        pass

    @note.validator
    def validate(self, names: list[str]) -> None:
        for name in names:
            ask(name)


@workflow.defn
class AsksOnce:
    @workflow.run
    async def run(self, name: str) -> str:
        return ask(name)
