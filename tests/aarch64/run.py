"""The object for AArch64 in a worker that an emulator runs, with a real server beside it, which is not emulated.

    run.py WRAPPER     WRAPPER starts the emulated Python, with what SANDGLASS_* the environment has
"""
import asyncio
import datetime
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "fixtures"))

from local_server import LocalServer  # noqa: E402
from temporalio.api.enums.v1 import EventType  # noqa: E402

CLOCK = 1 + [line.strip() for line in (HERE / "flows.py").read_text().splitlines()].index("return str(time.time())")
LONG = datetime.timedelta(seconds=60)  # an emulator on a machine with much to do
AUDITED = [  # of a library: its code, what `sandglass audit` finds
    ("direct", 'long f(void) { register long n __asm__("x8") = 113; __asm__ volatile("svc 0" : : "r"(n) : "x0"); return n; }', "raw-syscall"),
    ("calls", "long time(long *); long f(void) { return time(0); }", "reads the time of day: time"),
    ("quiet", "long f(void) { return 1; }", "1 safe"),
]
PASSED = FAILED = 0


def check(name, holds, got=""):
    global PASSED, FAILED
    PASSED += bool(holds)
    FAILED += not holds
    print(f"{'ok  ' if holds else 'FAIL'} {name}" + ("" if holds else f"\n       got: {got}"), flush=True)


def audit(folder):
    for name, code, wanted in AUDITED:
        (folder / f"{name}.c").write_text(code)
        subprocess.run(["aarch64-linux-gnu-gcc", "-shared", "-fPIC", "-nostdlib", "-o", folder / f"{name}.so", folder / f"{name}.c"], check=True)
        said = subprocess.run([HERE.parents[1] / "build" / "sandglass", "audit", folder / f"{name}.so"], capture_output=True, text=True).stdout
        check(f"audit reads a library for this machine: {name}", wanted in said, said)


async def refusal(handle):
    while True:
        async for event in handle.fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                failure = event.workflow_task_failed_event_attributes.failure
                return f"{failure.application_failure_info.type}: {failure.message}"
        await asyncio.sleep(1)


async def main(wrapper, folder):
    log = folder / "log"
    server = LocalServer()
    client = await server.start()
    environment = {**os.environ, "SANDGLASS_LOG": str(log), "SANDGLASS_LOG_LEVEL": "debug"}
    worker = subprocess.Popen([wrapper, str(HERE / "worker.py"), server.address], env=environment)
    try:
        async with asyncio.timeout(900):
            start = lambda name, key: client.start_workflow(name, id=key, task_queue="aarch64", task_timeout=LONG)  # noqa: E731
            handles = [await start(*pair) for pair in (("Harmless", "harmless"), ("Counter", "one"), ("Counter", "two"), ("Clock", "clock"))]

            async def ended():
                while worker.poll() is None:
                    await asyncio.sleep(1)
                raise RuntimeError(f"the worker ended with status {worker.returncode}")

            async def answers():
                expected = f"{random.Random(42).randint(1, 1000)} 1970 36"
                result = await handles[0].result()
                check("what is harmless passes", result == expected, result)
                counts = [await handles[1].result(), await handles[2].result()]
                check("runs do not see each other's state", counts == [2, 2], counts)
                text = await refusal(handles[3])
                check("the clock is refused, with its line", re.search(rf"RestrictedWorkflowAccessError: Cannot access time.time .*run at \S+flows.py:{CLOCK}\b", text), text)

            done, _ = await asyncio.wait([asyncio.create_task(ended()), asyncio.create_task(answers())], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        lines = log.read_text()
        image = re.search("event=image .*", lines)
        check("the image is shared", image and "event=private" not in lines, lines[-2000:])
        started = re.search(r"event=start .* guards=(\d+) unguarded=0 ", lines)
        check("every guard is in place", started and int(started[1]) > 100, lines[:2000])
        proved = re.findall(r"event=probe .*without=\S+.*", lines)
        check("nothing of the interpreter's inside is unknown", not proved, proved)
    finally:
        worker.kill()
        worker.wait()
        server.stop()


with tempfile.TemporaryDirectory() as directory:
    audit(Path(directory))
    asyncio.run(main(sys.argv[1], Path(directory)))
print(f"{PASSED} passed, {FAILED} failed")
sys.exit(FAILED != 0)
