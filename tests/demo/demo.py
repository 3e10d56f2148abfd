"""The demo: a real server, unmodified workers under the preload, and a check of everything that is shown.

Run it with `make demo`. Exit status 0 only when all was as promised.
SANDGLASS_DEMO=plain runs the workers without the preload, for comparison.
"""
import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "fixtures"))

from local_server import LocalServer  # noqa: E402
from temporalio import __version__ as sdk_version  # noqa: E402
from temporalio.api.enums.v1 import EventType  # noqa: E402
from temporalio.client import WorkflowExecutionStatus  # noqa: E402

# What the order asks for, what shop.py hides there, and what the refusal must offer in its place.
HIDDEN = [
    ("reference", "uuid.uuid4()", "workflow.uuid4()"),
    ("weekend discount", "datetime.now()", "workflow.now()"),
    ("regional tax", "os.environ", "workflow input"),
    ("lucky draw", "random.random()", "workflow.random()"),
]
WIDTH = min(100, shutil.get_terminal_size((100, 24)).columns)
COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
PLAIN = os.environ.get("SANDGLASS_DEMO") == "plain"


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def headline(text):
    print("\n" + paint("1", text), flush=True)


def body(text, code=None):
    for paragraph in text.splitlines():
        for line in textwrap.wrap(paragraph, WIDTH - 6, break_long_words=False, break_on_hyphens=False) or [""]:
            print("      " + (paint(code, line) if code else line))
    sys.stdout.flush()


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, holds, text):
        self.passed += bool(holds)
        self.failed += not holds
        print(f"   {paint('32', 'ok  ') if holds else paint('31', 'FAIL')} {text}", flush=True)


check = Checks()


def environment(log):
    variables = {k: v for k, v in os.environ.items() if not k.startswith("SANDGLASS")}
    variables.update(SHOP_TAX_RATE="1.19", PYTHONUNBUFFERED="1")
    if not PLAIN:
        variables.update(LD_PRELOAD=os.environ["SANDGLASS_OBJECT"], SANDGLASS_LOG=log, SANDGLASS_LOG_LEVEL="debug")
    return variables


class WorkerProcess:
    def __init__(self, queue, address, directory):
        self.queue = queue
        self.log = os.path.join(directory, f"{queue}.log")
        self.output = os.path.join(directory, f"{queue}.out")
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "worker.py"), queue, address],
                                            env=environment(self.log), stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.STDOUT)

    def preloaded(self):
        try:
            with open(f"/proc/{self.process.pid}/maps") as maps:
                return "libsandglass.so" in maps.read()
        except OSError:
            return False

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def lines(self):
        try:
            with open(self.log, errors="replace") as log:
                return log.read().splitlines()
        except OSError:
            return []

    def explain(self):
        """Shows why a worker did not do its work."""
        with open(self.output, errors="replace") as output:
            lines = [line for line in output.read().splitlines() if line.strip()]
        body("\n".join(lines[-4:]) or "the worker printed nothing", "2")


async def outcome(handle, worker, seconds=20):
    """("completed", result), ("refused", text of the failed workflow task) or ("nothing", why)."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        async for event in handle.fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                failure = event.workflow_task_failed_event_attributes.failure
                return "refused", f"{failure.application_failure_info.type}: {failure.message}"
        description = await handle.describe()
        if description.status == WorkflowExecutionStatus.COMPLETED:
            return "completed", await handle.result()
        if description.status != WorkflowExecutionStatus.RUNNING:
            return "nothing", f"workflow {description.status.name.lower()}"
        if worker.process.poll() is not None:
            return "nothing", f"the {worker.queue} worker stopped with status {worker.process.returncode}"
        await asyncio.sleep(0.05)
    return "nothing", f"no answer in {seconds} s"


async def run(client, worker, workflow, argument, name):
    handle = await client.start_workflow(workflow, argument, id=name, task_queue=worker.queue)
    began = time.monotonic()
    kind, text = await outcome(handle, worker)
    took = time.monotonic() - began
    if kind != "completed":
        try:
            await handle.terminate()  # a refused workflow task would be tried again for ever
        except Exception:
            pass
    return kind, str(text), took


def source_line(needle):
    with open(os.path.join(HERE, "shop.py")) as source:
        for number, line in enumerate(source, 1):
            if needle in line and "import" not in line:
                return number
    raise AssertionError(needle)


def show_log(lines):
    for line in lines:
        line = re.sub(r"^sandglass ts=\S+ pid=\d+ ", "", line)
        for part in textwrap.wrap(line, WIDTH - 6, subsequent_indent="  ", break_long_words=False,
                                  break_on_hyphens=False):
            print("      " + paint("2", part))
    sys.stdout.flush()


def event_lines(lines, event):
    return [line for line in lines if f" event={event} " in line + " "]


def first(lines, text):
    return next((line for line in lines if text in line + " "), None)


def second_engine(directory):
    log = os.path.join(directory, "parcels.log")
    done = subprocess.run([sys.executable, os.path.join(HERE, "second.py")], env=environment(log), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)
    lines = done.stdout.splitlines()
    three, five, today = json.loads(lines[-1]) if lines else [["nothing", done.stderr[-500:]]] * 3
    for count, (status, text) in ((3, three), (5, five)):
        check(status == "COMPLETED" and text.startswith(f"{count} carried, the last one is parcel {count} "), f"{count} activities: {status}")
        body(text)
    check(today[0] == "FAILED" and "Cannot access datetime.date.today" in today[1] and "ctx.current_utc_datetime" in today[1],
          f"date.today() in an orchestrator: {today[0]}")
    body(today[1], "33")


async def main(directory):
    began = time.monotonic()
    server = LocalServer()
    workers = []
    try:
        server.launch()
        orders, reports = workers = [WorkerProcess(q, server.address, directory) for q in ("orders", "reports")]
        address = server.address
        client = await server.connect()
        if server.address != address:
            raise RuntimeError("the port was taken by another program, please run the demo again")
        print(f"Python {sys.version.split()[0]}, temporalio {sdk_version}, {server.version()}")
        print("two plain workers started as:  "
              + ("" if PLAIN else f"LD_PRELOAD={os.path.relpath(os.environ['SANDGLASS_OBJECT'], ROOT)} ")
              + "python worker.py orders | reports")

        order = {"number": 1001, "items": 3, "extras": []}
        jobs = [run(client, orders, "OrderWorkflow", order, "order-1001")]
        jobs += [run(client, orders, "OrderWorkflow", {"number": 1002 + i, "items": 3, "extras": [extra]},
                     f"order-{1002 + i}") for i, (extra, _, _) in enumerate(HIDDEN)]
        jobs.append(run(client, reports, "ReportWorkflow", [2.0, 4.0, 9.0], "report"))
        clean, *refused, report = await asyncio.gather(*jobs)

        headline("1  An order workflow: three activities and two timers")
        check(clean[0] == "completed" and clean[1] == "3 items reserved, 59.70 EUR charged, parcel P-1001 shipped",
              f"{clean[0]} in {clean[2]:.1f} s")
        body(clean[1])
        if clean[0] == "nothing":
            orders.explain()
        check(PLAIN or orders.preloaded(), "the worker runs under Sandglass" if not PLAIN else "plain worker")

        headline("2  The same workflow with something hidden in its helper module shop.py")
        for (extra, call, replacement), (kind, text, _) in zip(HIDDEN, refused):
            place = f"shop.py:{source_line(call)}"
            problem = ""
            if kind != "refused" or not text.startswith("RestrictedWorkflowAccessError"):
                problem = f"expected a refusal, got: {kind}"
            else:
                for wanted in call.rstrip("()"), place, replacement:
                    if wanted not in text:
                        problem = problem or f"the refusal does not name {wanted}"
            check(not problem, f"{call} for the {extra}: " + (problem or f"refused at {place}"))
            body(text.partition(": ")[2] if kind == "refused" else text, "33")

        headline("3  A workflow file that imports httpx and numpy, and subclasses datetime")
        check(report[0] == "completed"
              and report[1] == "mean 5.0, open True, for https://shop.example/reports?day=2026-03-02",
              f"{report[0]} in {report[2]:.1f} s")
        body(report[1])
        if report[0] == "nothing":
            reports.explain()

        headline("4  Another engine: durabletask, its worker as plain as the others")
        second_engine(directory)

        headline("5  Everything stopped")
        for worker in workers:
            status = worker.stop()
            check(status == 0, f"{worker.queue} worker: exit status {status}")
        server.stop()
        check(server.process.poll() is not None, "server stopped")

        headline("6  What the debug log says (SANDGLASS_LOG=... SANDGLASS_LOG_LEVEL=debug)")
        lines, rest = orders.lines(), reports.lines()
        runs = [first(event_lines(log, "run"), f"workflow_id={name} ")
                for log, name in ((lines, "order-1001"), (rest, "report"))]
        violations = event_lines(lines, "violation")
        show_log(event_lines(lines, "start") + [line for line in runs if line])
        show_log(event_lines(rest, "shared"))
        show_log(filter(None, (first(violations, f"shop.py:{source_line(call)} ") for _, call, _ in HIDDEN)))
        show_log(event_lines(lines, "summary") + event_lines(lines, "total"))
        for _, call, _ in HIDDEN:
            name, place = call.rstrip("()"), f"shop.py:{source_line(call)}"
            hits = [v for v in violations if name in v and place in v]
            check(hits, f"a violation line for {name} at {place}")
        check(all(runs), "a line for each run of a workflow, with the modules executed for it")
        check(event_lines(lines, "summary"), "a summary when the worker ends")
        check(not event_lines(rest, "violation"), "no violation in the reports worker")
        kept = os.path.join(ROOT, "build", "demo")
        os.makedirs(kept, exist_ok=True)
        for worker in workers:
            for path in worker.log, worker.output:
                if os.path.exists(path):
                    shutil.copy(path, kept)
        body("complete: " + shlex.join([os.path.relpath(os.path.join(kept, f"{w.queue}.log"), ROOT) for w in workers]))
    finally:
        for worker in workers:
            worker.stop()
        server.stop()
    print()
    verdict = f"demo: {check.passed} as promised, {check.failed} not, {time.monotonic() - began:.1f} s"
    print(paint("1;32" if not check.failed else "1;31", verdict))
    return 1 if check.failed else 0


with tempfile.TemporaryDirectory(prefix="sandglass-demo-") as scratch:
    sys.exit(asyncio.run(main(scratch)))
