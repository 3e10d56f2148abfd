"""Workers and servers that are killed in the middle, and how a worker ends when it is told to."""
import asyncio
import contextlib
import random
import signal
import subprocess
import sys
import uuid
from datetime import timedelta

import harness
import pytest
from local_server import LocalServer
from temporalio.client import Client

RUNS = 6


def alone(number):
    """What one run gives that has the module to itself."""
    generator = random.Random(3)
    return [step + generator.randrange(1000) + number for step in range(6)]


@contextlib.contextmanager
def worker(server, queue, log, how="plain", preload=True):
    """One that works; whatever it does then, it is gone at the end."""
    command = [sys.executable, harness.PROGRAMS / "restarted.py", server, queue, how]
    # What a shell starts in the background ignores SIGINT, and so does what that starts.
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=harness.environment(preload, **({"SANDGLASS_LOG": log} if preload else {})),
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        line = process.stdout.readline()
        assert line == "works\n", process.communicate()
        yield process
    finally:
        process.kill()
        process.communicate()


async def started(client, queue):
    return [await client.start_workflow("Steps", number, id=uuid.uuid4().hex, task_queue=queue, task_timeout=timedelta(seconds=2))
            for number in range(RUNS)]


async def under_way(handles):
    """Some of the steps are done, and some are not."""
    while not sum([await handle.query("count") for handle in handles]) > RUNS:
        await asyncio.sleep(0.01)


async def results(handles):
    return await asyncio.gather(*(handle.result() for handle in handles))


def settled(log):
    """The runs shared an image, and nothing was amiss."""
    lines = harness.read_log(log)
    return not [e for e in lines if e["level"] in ("warn", "error") or e["event"] == "private"] or harness.show(lines)


def test_runs_of_a_worker_that_was_killed_end_as_if_it_had_not_been(server, tmp_path):
    async def play():
        client, queue = await Client.connect(server), uuid.uuid4().hex
        with worker(server, queue, tmp_path / "first") as first:
            handles = await started(client, queue)
            await under_way(handles)
            first.kill()
            first.wait()
            with worker(server, queue, tmp_path / "second"):
                return await results(handles)
    assert asyncio.run(play()) == [alone(number) for number in range(RUNS)]
    assert settled(tmp_path / "first") is True
    assert settled(tmp_path / "second") is True


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_runs_of_a_server_that_was_restarted_end_as_if_it_had_not_been(tmp_path, how):
    async def play(own):
        client, queue = await own.start(), uuid.uuid4().hex
        with worker(own.address, queue, tmp_path / "log") as process:
            handles = await started(client, queue)
            await under_way(handles)
            own.process.send_signal(how)
            own.process.wait()
            own.launch()
            await own.connect()
            ended = await results(handles)
            assert process.poll() is None
            return ended
    own = LocalServer(tmp_path / "database")
    try:
        assert asyncio.run(play(own)) == [alone(number) for number in range(RUNS)]
    finally:
        own.stop()
    assert settled(tmp_path / "log") is True


def communicate(process):
    """What it printed; of one that does not end, where its threads stand."""
    try:
        return process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGUSR1)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=2)
        process.kill()
        raise AssertionError("it does not end:\n" + process.communicate()[1]) from None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("how", ["plain", "handled"])
def test_a_signal_ends_a_worker_as_ever(server, tmp_path, number, how):
    if how == "plain" and number == signal.SIGINT and sys.version_info < (3, 11):
        pytest.skip("a worker of 3.10 hangs, with Sandglass or without")

    async def play(preload):
        client, queue = await Client.connect(server), uuid.uuid4().hex
        with worker(server, queue, tmp_path / "log", how, preload) as process:
            await under_way(await started(client, queue))
            process.send_signal(number)
            out, err = await asyncio.to_thread(communicate, process)
            return process.returncode, out, err.splitlines()[-1:]
    without, under = asyncio.run(play(False)), asyncio.run(play(True))
    assert under == without
    assert under[0] == (0 if how == "handled" else -number)
