"""Long life of one worker on the real server. `make soak MINUTES=10` or `make soak RUNS=20000`; a short form without either.

Runs of all kinds are mixed: stateless, stateful, failing, refused, cancelled, updated, signalled, queried, and some that wait for
long, more than a small cache has room for. Each result has to be what a lone run gives, worked out with a copy of
soak_state.py. Now and then all runs are brought to their end and the worker's process is looked at. After the first third ("warm-up")
what it has allocated does not grow with the number of runs; and when its worker is gone it has the descriptors and threads of
before. Resident memory and throughput are printed, beside the SDK's own sandbox and no sandbox.

    ONLY=TEXT    only the workers whose name has this text, which share the time or the runs
"""
import asyncio
import collections
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
import types
import uuid
from datetime import timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "fixtures")]

from local_server import LocalServer  # noqa: E402
from soak_flows import Fails, Plain, Refused, Stateful, Waits  # noqa: E402
from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError, WorkflowUpdateFailedError  # noqa: E402

AT_ONCE = 64  # runs that the load keeps going
NAME = "{}, {} cached, {} threads"
SIGNALS = 4  # that a run which waits gets in its life
# How much more of it there may be after each run, and besides between two looks: noise. Weak references are freed many at a time.
FLAT = {"blocks": (0.1, 100), "objects": (0.05, 40), "weak": (0.1, 300), "malloc": (50, 80_000), "mappings": (0.001, 4)}

STATE = compile((HERE / "soak_state.py").read_bytes(), "soak_state.py", "exec")


class Alone:
    """What a lone run sees."""

    def __init__(self, *numbers):
        self.module = types.ModuleType("state_of_a_lone_run")
        exec(STATE, vars(self.module))
        for number in numbers:
            self.change(number)

    def change(self, number):
        self.module.change(number)
        return self.look()

    def look(self):
        return json.loads(json.dumps(self.module.look()))


class Phase:
    """One worker. Its load goes on for `most` seconds or, if that is no float, so many times; in between it is looked at."""

    def __init__(self, address, side, cached, threads, most, looks):
        self.address, self.side, self.settings = address, side, (cached, threads)
        self.name = NAME.format(side, cached, threads)
        self.most, self.wanted_looks = most, looks
        self.queue, self.numbers = uuid.uuid4().hex, itertools.count()
        self.kinds = [self.plain, self.stateful, self.fails, self.refused, self.cancelled, self.updated, self.signalled,
                      self.queried, self.evicted]
        self.tried, self.wrong, self.looks = collections.Counter(), [], []
        self.runs, self.begun, self.busy = 0, 0, 0.0
        self.waiting, self.room = collections.deque(), cached + 20 if cached < 1000 else 30

    async def play(self):
        with tempfile.TemporaryDirectory(prefix="sandglass-soak-") as scratch:
            log = Path(scratch) / "log"
            self.client = await Client.connect(self.address)
            await self.launch(log)
            before = await self.heard()
            for number in range(1, self.wanted_looks + 1):
                await self.while_it_lives(self.load(self.most * number / self.wanted_looks))
                await asyncio.sleep(0.5)
                look = await self.ask("look")
                self.looks.append((self.runs, look | {"images": sum("event=image " in line for line in self.lines(log))}))
            after = await self.ask("end")
            self.process.stdin.close()
            self.status = await self.process.wait()
            self.log = self.lines(log)
        return list(self.faults(before, after))

    @staticmethod
    def lines(log):
        return log.read_text().splitlines() if log.exists() else []

    async def launch(self, log):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SANDGLASS") and k != "LD_PRELOAD"}
        if self.side.startswith("Sandglass"):
            isolation = "private" if "private" in self.side else os.environ.get("SANDGLASS_ISOLATION", "shared")
            environment |= {"LD_PRELOAD": os.environ["SANDGLASS_OBJECT"], "SANDGLASS_LOG": str(log), "SANDGLASS_LOG_LEVEL": "info",
                            "SANDGLASS_ISOLATION": isolation}
        runner = "unsandboxed" if self.side == "unsandboxed" else "sandboxed"
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, HERE / "soak_worker.py", self.address, self.queue, runner, *map(str, self.settings),
            env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 20)

    async def while_it_lives(self, what):
        task, end = asyncio.ensure_future(what), asyncio.ensure_future(self.process.wait())
        await asyncio.wait((task, end), return_when=asyncio.FIRST_COMPLETED)
        if end.done():
            raise SystemExit(f"soak: {self.name}: the worker has ended with status {end.result()}")
        end.cancel()
        return await task

    async def heard(self):
        return json.loads(await self.while_it_lives(self.process.stdout.readline()))

    async def ask(self, what):
        self.process.stdin.write(what.encode() + b"\n")
        return await self.heard()

    async def load(self, until):
        """At its end no run is left."""
        began = time.monotonic()

        async def one_after_another():
            while self.process.returncode is None and (self.busy + time.monotonic() - began if isinstance(self.most, float) else self.begun) < until:
                kind = self.kinds[self.begun % len(self.kinds)]
                self.begun += 1
                await self.attempt(kind, next(self.numbers) % 50)
                self.tried[kind.__name__] += 1
        self.waiting.extend([await self.new(number % SIGNALS + 1) for number in range(self.room)])
        await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
        await asyncio.gather(*(self.attempt(self.finish, *each) for each in self.waiting))
        self.waiting.clear()
        self.busy += time.monotonic() - began

    def check(self, what, wanted, got):
        if got != wanted and self.side != "unsandboxed":  # where runs see each other
            self.wrong.append(f"{what}\n      wanted {wanted}\n      got    {got}")

    async def attempt(self, kind, *arguments):
        try:
            await kind(*arguments)
        except (WorkflowFailureError, WorkflowUpdateFailedError, WorkflowQueryFailedError) as error:
            self.check(kind.__name__, "a result", f"{error!r}: {error.__cause__!r}")

    # --- the kinds of runs: each gets a number, from which all follows ---

    async def start(self, flow, number):
        self.runs += 1
        return await self.client.start_workflow(
            flow.run, number, id=uuid.uuid4().hex, task_queue=self.queue, execution_timeout=timedelta(minutes=10))

    async def failure(self, handle):
        try:
            return f"completed: {await handle.result()}"
        except WorkflowFailureError as error:
            return str(error.cause)

    async def plain(self, number):
        self.check("plain", [number * number, "2020-01-01"], await (await self.start(Plain, number)).result())

    async def stateful(self, number):
        run = Alone()
        wanted = [run.look(), run.change(number), run.change(number + 1)]
        self.check("stateful", wanted, await (await self.start(Stateful, number)).result())

    async def fails(self, number):
        run = Alone()
        run.module.change(number)
        self.check("fails", f"has {run.module.look()}", await self.failure(await self.start(Fails, number)))

    async def refused(self, number):
        said = await self.failure(await self.start(Refused, number))
        self.check("refused", True, "Cannot access time.time" in said or said)

    async def cancelled(self, number):
        handle = await self.start(Waits, number)
        await handle.query(Waits.see)
        await handle.cancel()
        self.check("cancelled", ["cancelled", Alone(number, -1).look()], await handle.result())

    async def updated(self, number):
        handle, run = await self.start(Waits, number), Alone(number)
        self.check("updated", run.change(5), await handle.execute_update(Waits.set, 5))
        try:
            said = f"accepted: {await handle.execute_update(Waits.set, -5)}"
        except WorkflowUpdateFailedError as error:
            said = str(error.cause)
        self.check("update that its validator refuses", f"ValueError: has {run.module.look()}", said)
        await self.finish(handle, run)

    async def signalled(self, number):
        handle, run = await self.start(Waits, number), Alone(number)
        for each in range(3):
            await handle.signal(Waits.add, each)
            run.change(each)
        await self.finish(handle, run)

    async def queried(self, number):
        handle, run = await self.start(Waits, number), Alone(number)
        self.check("queried", run.look(), await handle.query(Waits.see))
        await self.finish(handle, run)
        self.check("queried when it had ended", run.look(), await handle.query(Waits.see))

    async def evicted(self, number):
        """The one that has waited longest: a small cache has it no more."""
        handle, run, signals = self.waiting.popleft()
        self.check("waiting", run.look(), await handle.query(Waits.see))
        await handle.signal(Waits.add, number)
        self.check("waiting", run.change(number), await handle.query(Waits.see))
        if signals == 1:
            await self.finish(handle, run)
            self.waiting.append(await self.new(SIGNALS))
        else:
            self.waiting.append((handle, run, signals - 1))

    async def new(self, signals):
        number = next(self.numbers) % 50
        return await self.start(Waits, number), Alone(number), signals

    async def finish(self, handle, run, *_):
        await handle.signal(Waits.finish)
        self.check("at its end", ["done", run.look()], await handle.result())

    # --- what came of it ---

    def leaves(self, what):
        """How much of it a run leaves after the warm-up: the median of what lies between looks."""
        return statistics.median((look[what] - before[what]) / (runs - count) for (count, before), (runs, look) in self.pairs())

    def pairs(self):
        """Those in between of which no image was made: there are up to sixteen."""
        pairs = list(itertools.pairwise(self.looks))[len(self.looks) // 3:]
        return [(before, after) for before, after in pairs if before[1]["images"] == after[1]["images"]] or pairs

    def faults(self, before, after):
        if self.wrong:
            yield f"{len(self.wrong)} results are wrong, the first: {self.wrong[0]}"
        for kind in self.kinds:
            if not self.tried[kind.__name__]:
                yield f"no run was {kind.__name__}"
        if self.settings[0] < self.room and not self.looks[-1][1]["evicted"]:
            yield "no run was evicted from a full cache"
        if not self.side.startswith("Sandglass"):
            return
        if self.status:
            yield f"the worker ended with status {self.status}"
        for what, (each, noise) in FLAT.items():
            if self.leaves(what) > each + noise / statistics.median(runs - count for (count, _), (runs, _) in self.pairs()):
                yield f"a run leaves {self.leaves(what):.2f} {what}: {[(n, look[what]) for n, look in self.looks]}"
        for what in ("descriptors", "threads"):
            if after[what] != before[what]:
                yield f"{what} are left over: {before[what]}, then {after[what]}"
        if after["tasks"] > before["tasks"]:
            yield f"the process had {before['tasks']} threads before its worker, and has {after['tasks']} after it"
        usual = [f"event={event} " for event in ("start", "violation", "image", "zone", "hashseed", "summary", "total")]
        others = [line for line in self.log if not any(event in line for event in usual)]
        if others:
            yield f"the log has: {others[:3]}"

    COLUMNS = (("runs", 8), ("a second", 9), ("ms", 8), ("evicted", 8), ("images", 7), ("MiB", 6), ("bytes", 8), ("malloc", 8),
               ("blocks", 8), ("objects", 8))

    def row(self):
        """Of the runs after the first look: processor time of the worker for each, and what each has left."""
        first, last = self.looks[0], self.looks[-1]
        each = (last[1]["processor"] - first[1]["processor"]) / max(1, last[0] - first[0]) * 1e3
        cells = (self.runs, f"{self.runs / self.busy:.1f}", f"{each:.2f}", last[1]["evicted"], last[1]["images"], last[1]["resident"] >> 20,
                 f"{self.leaves('resident'):.0f}", f"{self.leaves('malloc'):.0f}", f"{self.leaves('blocks'):.3f}", f"{self.leaves('objects'):.3f}")
        print(f"  {self.name:43}" + "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, self.COLUMNS)), flush=True)


def plan():
    """(side, cached, threads, most, looks) of each worker."""
    minutes, runs, only = float(os.environ.get("MINUTES") or 0), int(os.environ.get("RUNS") or 0), os.environ.get("ONLY", "")
    if not minutes and not runs:
        return [("Sandglass", 40, 64, 360, 6)]
    workers = [("Sandglass", cached, threads) for threads in (2, 16, 64) for cached in (100, 5000)]
    workers += [(side, 100, 16) for side in ("Sandglass private", "unsandboxed", "SDK sandbox")]
    workers = [each for each in workers if only in NAME.format(*each)]
    return [(*each, runs // len(workers) if runs else minutes * 60 / len(workers), 9) for each in workers]


async def main():
    passed = failed = 0
    print(f"  {'worker':43}" + "".join(f"{name:>{width}}" for name, width in Phase.COLUMNS))
    print(f"  {'':43}{'':17}{'(a run)':>8}{'':21}{'(that a run leaves, after warm-up)':>34}", flush=True)
    for each in plan():
        server = LocalServer()
        try:
            await server.start()
            phase = Phase(server.address, *each)
            faults = await phase.play()
        finally:
            server.stop()
        phase.row()
        for fault in faults:
            print(f"FAIL {phase.name}: {fault}", flush=True)
        failed, passed = failed + bool(faults), passed + (not faults)
    print(f"{passed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
