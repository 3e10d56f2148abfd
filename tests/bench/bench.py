"""What Sandglass costs, with and without it side by side. Run it with `make bench`.

Every figure is a median over processes started in turn: plain, preloaded, plain, preloaded ...
ROUNDS=N in the environment changes how many of each (default 9).
"""
import asyncio
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "fixtures")]

import flows  # noqa: E402
from local_server import LocalServer  # noqa: E402
from temporalio import __version__ as sdk_version  # noqa: E402
from temporalio.worker import UnsandboxedWorkflowRunner, Worker  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "9"))
SIDES = ("plain", "preload")


def environment(side, **settings):
    env = {k: v for k, v in os.environ.items() if not k.startswith("SANDGLASS") and k != "LD_PRELOAD"} | settings
    if side == "preload":
        env["LD_PRELOAD"] = os.environ["SANDGLASS_OBJECT"]
    return env


def measure(side, program, *arguments, **settings):
    command = [sys.executable, os.path.join(HERE, program), *arguments]
    done = subprocess.run(command, env=environment(side, **settings), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: {side} {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def start_process(side):
    begin = time.perf_counter_ns()
    subprocess.run([sys.executable, "-c", "pass"], env=environment(side), check=True)
    return {"start of a process": time.perf_counter_ns() - begin}


def medians(work, rounds=ROUNDS):
    """{side: {name: median}} of work(side), the sides in turn."""
    seen = {side: {} for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            for name, value in work(side).items():
                seen[side].setdefault(name, []).append(value)
    return {side: {name: statistics.median(values) for name, values in names.items()} for side, names in seen.items()}


def amount(nanoseconds):
    for unit, size in (("ns", 1), ("us", 1e3), ("ms", 1e6)):
        if nanoseconds < 1000 * size or unit == "ms":
            return f"{nanoseconds / size:.{1 if nanoseconds < 100 * size else 0}f} {unit}"


def outside():
    result = medians(lambda side: measure(side, "measure.py", "outside"))
    for side, names in medians(start_process, 4 * ROUNDS).items():
        result[side].update(names)
    print(f"\n{'outside workflows, guards in place':38}{'plain':>12}{'Sandglass':>12}{'ratio':>9}")
    for name, plain in result["plain"].items():
        preload = result["preload"][name]
        print(f"  {name:36}{amount(plain):>12}{amount(preload):>12}{preload / plain:>9.2f}", flush=True)


def interposed():
    """Calls of the C library by compiled code, where no workflow runs: the least of many rounds, medians of processes."""
    compiler = os.environ.get("CC") or "cc"
    with tempfile.TemporaryDirectory(prefix="sandglass-bench-") as scratch:
        program = os.path.join(scratch, "hooks")
        try:
            subprocess.run([compiler, "-O2", "-o", program, os.path.join(HERE, "hooks.c")], check=True)
        except (OSError, subprocess.CalledProcessError):
            print("\ninterposed calls of the C library: not measured, there is no C compiler")
            return

        def work(side):
            text = subprocess.run([program], env=environment(side), check=True, capture_output=True, text=True).stdout
            return {name: float(value) for name, value in map(str.split, text.splitlines())}
        result = medians(work)
    print(f"\n{'interposed calls, no workflow':38}{'plain':>12}{'Sandglass':>12}{'added':>9}")
    for name, plain in result["plain"].items():
        preload = result["preload"][name]
        print(f"  {name:36}{amount(plain):>12}{amount(preload):>12}{preload - plain:>6.1f} ns", flush=True)


def compiled():
    """Compiled libraries in a worker, where no workflow runs."""
    print(f"\n{'compiled libraries, no workflow':38}{'plain':>12}{'Sandglass':>12}{'ratio':>9}")
    for library in ("numpy", "polars"):
        if not importlib.util.find_spec(library):
            print(f"  {library}: not measured, because it is not installed")
            continue
        result = medians(lambda side: measure(side, "compiled.py", library))
        for name, plain in result["plain"].items():
            preload = result["preload"][name]
            print(f"  {name:36}{amount(plain):>12}{amount(preload):>12}{preload / plain:>9.2f}", flush=True)


def hardened():
    """A thread in workflow code, with hardened mode and without: no Python, only the core."""
    program = os.path.join(os.path.dirname(os.environ["SANDGLASS_OBJECT"]), "bench", "hardened")
    if not os.path.exists(program):
        print("\nhardened mode: not measured, make build/bench/hardened")
        return
    seen = {"0": {}, "1": {}}
    for _ in range(ROUNDS):
        for side in seen:
            text = subprocess.run([program, side], env=environment("plain"), check=True, capture_output=True, text=True).stdout
            for name, value in (line.split("\t") for line in text.splitlines()):
                seen[side].setdefault(name, []).append(float(value))
    print(f"\n{'in a workflow, SANDGLASS_HARDENED':38}{'0':>12}{'1':>12}")
    for name in seen["0"]:
        print(f"  {name:36}" + "".join(f"{amount(statistics.median(seen[side][name])):>12}" for side in seen), flush=True)


def size_of(value):
    return f"{value / 1024:.1f} KiB" if value < 1 << 20 else f"{value / (1 << 20):.1f} MiB"


def runner_row(title, *command, rounds=ROUNDS, sides=SIDES, show=amount):
    seen = {side: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            seen[side].append(measure(side, *command))
    median = lambda side, of: statistics.median(of(one) for one in seen[side])  # noqa: E731
    cells = [f"{show(median(sides[0], lambda one: one['unsandboxed'])):>14}"]
    for side in ("preload", "plain"):
        if side not in seen:
            cells.append(f"{'-':>21}")
            continue
        # Each runner is compared with the unsandboxed one of its own process.
        ratio = median(side, lambda one: one["sandboxed"] / one["unsandboxed"])
        cells.append(f"{show(median(side, lambda one: one['sandboxed'])):>11} {ratio:8.2f}x")
    print(f"  {title:36}" + "".join(cells), flush=True)


def workflows(history):
    few = max(1, ROUNDS // 3)
    print(f"\n{'workflows':38}{'unsandboxed':>14}{'Sandglass':>21}{'SDK sandbox':>21}")
    runner_row("create a run, small file", "images.py", "create", "flows", "TwentyActivities")
    runner_row("create a run, four libraries", "images.py", "create", "libraries", "Libraries")
    runner_row("replay of 20 activities", "measure.py", "replay", history)
    runner_row("memory of a run, small file", "images.py", "memory", "flows", "TwentyActivities", rounds=few, show=size_of)
    runner_row("memory of a run, four libraries", "images.py", "memory", "libraries", "Libraries", rounds=few, show=size_of)
    for count in ("100", "1000", "10000", "20000", "100000"):
        runner_row(f"activation, {count} objects", "images.py", "activate", "look", count, rounds=few)
        runner_row("  after one of another run", "images.py", "turns", "look", count, rounds=few)
        if count in ("10000", "20000", "100000"):
            runner_row("  ... without word from the kernel", "images.py", "blind", "look", count, rounds=few, sides=("preload",))
    runner_row("activation that changes ten lists", "images.py", "activate", "change", "1000", rounds=few)
    runner_row("  after one of another run", "images.py", "turns", "change", "1000", rounds=few)
    for count in ("1", "4", "16"):
        runner_row(f"activations on {count} threads", "images.py", "threads", count, rounds=few)
    for count in ("1", "100", "10000"):
        # The SDK's sandbox would take minutes for the last.
        sides = SIDES if count != "10000" else ("preload",)
        runner_row(f"create a run, {count} kept", "images.py", "kept", count, rounds=few, sides=sides)


def orchestrations():
    if not importlib.util.find_spec("durabletask"):
        print("\norchestrations: not measured, because durabletask is not installed")
        return
    print(f"\n{'orchestrations':38}{'unguarded':>14}{'Sandglass':>21}")
    runner_row("work item that replays 20 activities", "orchestrations.py", sides=("preload",))


def answered():
    seen = [measure("preload", "images.py", "answered", SANDGLASS="answer") for _ in range(max(1, ROUNDS // 3))]
    engine, python = (statistics.median(one[who] for one in seen) for who in ("ask_the_engine", "ask_python"))
    print(f"\n{'in an activation, SANDGLASS=answer':38}{'now(), random()':>16}{'time(), random()':>18}{'ratio':>9}")
    print(f"  {'100 reads of the clock, 100 draws':36}{amount(engine):>16}{amount(python):>18}{python / engine:>9.2f}", flush=True)


async def record(path):
    server = LocalServer()
    try:
        client = await server.start()
        async with Worker(client, task_queue="bench", workflows=[flows.TwentyActivities], activities=[flows.print_line],
                          workflow_runner=UnsandboxedWorkflowRunner()):
            handle = await client.start_workflow(flows.TwentyActivities.run, "text", id="bench", task_queue="bench")
            await handle.result()
            history = await handle.fetch_history()
        with open(path, "w") as file:
            file.write(history.to_json())
    finally:
        server.stop()


def main():
    print(f"Python {sys.version.split()[0]}, temporalio {sdk_version}, medians of {ROUNDS} rounds in turn")
    outside()
    interposed()
    compiled()
    hardened()
    with tempfile.TemporaryDirectory(prefix="sandglass-bench-") as scratch:
        history = os.path.join(scratch, "history.json")
        asyncio.run(record(history))
        workflows(history)
    answered()
    orchestrations()


main()
