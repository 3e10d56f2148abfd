"""Activities do what workflows must not, all the time."""
import os
import random
import subprocess
import sys
import threading
import time
import uuid

from temporalio import activity, workflow


@activity.defn
def shout(text: str) -> str:
    do_everything()
    return text.upper()


counted = 0


def do_everything():
    global counted
    counted += 1
    time.time(), time.monotonic(), random.random(), uuid.uuid4(), os.urandom(4), os.getpid(), os.environ.get("HOME")
    with open("/proc/self/stat") as f:
        f.read()


@activity.defn
def inspect_host() -> dict:
    thread = threading.Thread(target=do_everything)
    thread.start()
    thread.join()
    time.sleep(0.01)
    return {"in_sandbox": workflow.unsafe.in_sandbox(), "home": os.environ.get("HOME"), "sys": type(sys.modules).__name__}


@activity.defn
async def shout_async(text: str) -> str:
    do_everything()
    return text.upper()


@activity.defn
def fork_and_run() -> list:
    pid = os.fork()
    if pid == 0:
        try:
            do_everything()
            os._exit(7)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    child = subprocess.run([sys.executable, "-c", "import time; time.time(); print('ran')"], capture_output=True, text=True)
    return [status, child.stdout.strip()]
