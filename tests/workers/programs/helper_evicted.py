"""Passed through: keeps what is seen when a part of a workflow ends, by workflow id."""
import gc
import threading

from temporalio import workflow

ENDED = {}
KEPT = []  # what a workflow hands to the host
WAITS, FREE = threading.Event(), threading.Event()  # an activation waits, and may go on


def note(owner, what, value):
    """A part of the workflow `owner` ends now. value: of a global of its module, which each run sets to its own id."""
    with workflow.unsafe.sandbox_unrestricted():
        thread = threading.current_thread().name
        inside = workflow._Runtime.maybe_current() is not None
        ended = ENDED.setdefault(owner, {})
        ended[what + " again" if what in ended else what] = {
            "thread": "workflow" if "temporal_workflow" in thread else "ending" if thread.startswith("Dummy-") else thread,
            "run": workflow.info().workflow_id if inside else None,
            "value": value,
        }


def delegates(inner):
    yield from inner


def collect():
    return gc.collect()
