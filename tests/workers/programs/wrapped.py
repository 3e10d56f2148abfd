"""usage: wrapped.py HOW BEFORE|LATER: functions are wrapped as tracers do it, before the engine is imported or later; then a
workflow file that calls each of them is validated by a worker. Prints what each call did outside of workflows."""
import builtins
import datetime
import functools
import os
import subprocess
import sys
import time
import uuid


class Proxy:
    def __init__(self, wrapped):
        self.__dict__["__wrapped__"] = wrapped

    def __call__(self, *args, **kwargs):
        return self.__wrapped__(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self.__wrapped__, name)


class Bare:
    __slots__ = ("hidden",)

    def __init__(self, wrapped):
        self.hidden = wrapped

    def __call__(self, *args, **kwargs):
        return helper(self.hidden, args, kwargs)


def helper(function, args, kwargs):
    return function(*args, **kwargs)


def by_function(wrapped):
    @functools.wraps(wrapped)
    def wrapper(*args, **kwargs):
        return wrapped(*args, **kwargs)
    return wrapper


def by_closure(wrapped):
    def wrapper(*args, **kwargs):
        return helper(wrapped, args, kwargs)
    return wrapper


def by_method(wrapped):
    return Proxy(wrapped).__call__


def by_mock(wrapped):
    from unittest import mock
    return mock.MagicMock(wraps=wrapped)


MAKERS = {"proxy": Proxy, "bare": Bare, "function": by_function, "closure": by_closure, "method": by_method,
          "partial": functools.partial, "mock": by_mock, "twice": lambda f: by_closure(Proxy(by_function(f))), "nothing": lambda f: f}


def wrap(how):
    make = MAKERS[how]
    for owner, name in ((os, "system"), (os, "getpid"), (builtins, "open"), (time, "time"), (uuid, "uuid4"), (os, "spawnvp")):
        setattr(owner, name, make(getattr(owner, name)))
    if how == "nothing":
        return
    real = datetime.datetime

    class Replaced(real):
        @classmethod
        def now(cls, tz=None):
            return real.now(tz)
    datetime.datetime = Replaced
    original = subprocess.Popen.__init__
    subprocess.Popen.__init__ = lambda self, *args, **kwargs: original(self, *args, **kwargs)


if __name__ == "__main__":
    how, when = sys.argv[1:]
    if when == "before":
        wrap(how)
    import asyncio

    from temporalio import workflow
    from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
    if when == "later":
        wrap(how)
    import flows_wrapped

    async def validate():
        SandboxedWorkflowRunner().prepare_workflow(workflow._Definition.must_from_class(flows_wrapped.Flow))
    asyncio.run(validate())
    print(os.system("true"), open("/etc/hostname").read() != "", time.time() > 0, subprocess.call(["true"]))
