"""Runs whose memory is refused, without a server: starved.py python|object PHASE NUMBERS OBJECT ALLOCATOR.

The n-th allocation of PHASE fails, for up to NUMBERS of all n, each in a child of its own; of Python's allocators in the
object's calls of Python, or of its own calls of malloc(). Phases: "first", a run of a file that is not yet there is made; "later", a run is made,
changes its module, another one is let run, and both leave. After that the child looks whether workflows run as they should, and
whether its thread is in none. Prints {"allocations": of the phase, "tried", "failed": children whose phase raised, "wrong": [...]}.
"""
import asyncio
import ctypes
import json
import logging
import os
import signal
import sys
import time
import traceback
from asyncio import events

from temporalio import workflow
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import flow_of_test
import iterators

RUNNER, LOOP = SandboxedWorkflowRunner(), asyncio.new_event_loop()


class Run(iterators.Run):
    """On the thread that asks: what it allocates is counted."""

    def make(self, details):
        events._set_running_loop(LOOP)  # a run is made in the worker's loop, and let run on a thread without one
        try:
            return RUNNER.create_instance(details)
        finally:
            events._set_running_loop(None)

    def activate(self, act):
        timestamp = act.timestamp  # upb crashes where it cannot make this; the SDK asks for it, too
        completion = self.instance.activate(act)
        del timestamp
        return completion

    def change(self):
        self.signal("change")

    def leave(self):
        act = self.activation()
        act.jobs.add().remove_from_cache.SetInParent()
        self.activate(act)


def first():
    Run(1, None).leave()


def later():
    one, other = Run(1, None), Run(2, None)
    one.change()
    other.change()
    one.change()
    one.leave()
    other.leave()


def what_is_wrong():
    """Whatever has happened before: a run sees what it would see alone."""
    if workflow.unsafe.in_sandbox() or time.time() < 1:
        return "the thread is in a workflow"
    one, other = Run(11, None), Run(12, None)
    seen = [one.see()]
    one.change()
    seen += [one.see(), other.see()]
    other.change()
    one.change()
    seen += [one.see(), other.see()]
    one.leave()
    other.leave()
    wanted = [flow_of_test.alone(changes) for changes in (0, 1, 0, 2, 1)]
    return None if seen == wanted else f"seen {seen}, wanted {wanted}"


class Allocator:
    """Python's, for what the preloaded object calls, or the object's own malloc()."""

    def __init__(self, whose, path, library):
        self.python, self.library = int(whose == "python"), ctypes.CDLL(library)
        with open("/proc/self/maps") as maps:
            mapped = [line.split()[0].split("-") for line in maps if line.rstrip().endswith(path)]
        begin, end = (ctypes.c_size_t(int(text, 16)) for text in (mapped[0][0], mapped[-1][1]))
        assert self.library.starve_prepare(begin, end, self.python) == 0

    def refuse(self, number):
        return self.library.starve(ctypes.c_long(number), self.python)

    def stop(self):
        return self.library.starve(ctypes.c_long(0), 0)

    def count(self, phase):
        reader, writer = os.pipe()

        def work():
            self.refuse(0)
            phase()
            os.write(writer, str(self.stop()).encode())
            return 0
        in_child(work)
        return int(os.read(reader, 20))


def in_child(work):
    """Its answer, or the signal that ended it as a negative number."""
    child = os.fork()
    if not child:
        status = 99
        try:
            signal.alarm(60)
            status = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(whose, phase, numbers, *paths):
    logging.disable(logging.CRITICAL)
    allocator = Allocator(whose, *paths)
    if phase == "later":
        first()
    phase = globals()[phase]
    allocations = allocator.count(phase)
    step = max(1, allocations // int(numbers))
    answer = {"allocations": allocations, "tried": 0, "failed": 0, "wrong": []}
    for number in range(1, allocations + 1, step):
        reader, writer = os.pipe()

        def work():
            failed = 0
            allocator.refuse(number)
            try:
                phase()
            except BaseException:
                failed = 1
            finally:
                allocator.stop()
            wrong = what_is_wrong()
            if wrong:
                os.write(writer, wrong.encode()[:3000])
                return 2
            return failed
        status = in_child(work)
        os.close(writer)
        answer["tried"] += 1
        answer["failed"] += status == 1
        if status not in (0, 1):
            answer["wrong"].append([number, status, os.read(reader, 3000).decode()])
        os.close(reader)
    print(json.dumps(answer), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
