"""usage: wrapped.py HOW BEFORE|LATER: functions are wrapped as tracers do it, before the engine is imported or later; then a
workflow file that calls each of them is validated by a worker. Prints what each call did outside of workflows."""
import sys
from importlib.machinery import PathFinder


class Method:
    """In a class, as wrapt has it."""

    def __init__(self, wrapped, instance=None):
        self.__wrapped__, self.instance = wrapped, instance

    def __get__(self, instance, owner):
        return Method(self.__wrapped__, instance)

    def __call__(self, *args, **kwargs):
        return helper(self.__wrapped__, (self.instance, *args), kwargs)


class Finder:
    """Wraps before the import of the module is over."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path) if name == "subprocess" else None
        if spec:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                module.Popen.__init__ = Method(module.Popen.__init__)
            spec.loader.exec_module = exec_module
        return spec


if sys.argv[1:2] == ["finder"]:
    sys.meta_path.insert(0, Finder)

import builtins  # noqa: E402
import datetime  # noqa: E402
import functools  # noqa: E402
import os  # noqa: E402
import subprocess  # noqa: E402
import time  # noqa: E402
import types  # noqa: E402
import uuid  # noqa: E402


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


def by_code(wrapped):
    """In place: the function gets code that calls the wrapper with a function that has the old code."""
    if not isinstance(wrapped, types.FunctionType):
        return wrapped
    inner = types.FunctionType(wrapped.__code__, wrapped.__globals__, wrapped.__name__, wrapped.__defaults__, wrapped.__closure__)
    inner.__kwdefaults__, inner.__qualname__ = wrapped.__kwdefaults__, wrapped.__qualname__
    code = eval("lambda *args, **kwargs: 'helper'('inner', args, kwargs)").__code__
    functions = {"helper": helper, "inner": inner}
    wrapped.__code__ = code.replace(co_consts=tuple(functions.get(c, c) for c in code.co_consts), co_name=wrapped.__name__,
                                    co_filename=wrapped.__code__.co_filename, co_freevars=wrapped.__code__.co_freevars)
    return wrapped


MAKERS = {"code": by_code, "proxy": Proxy, "bare": Bare, "function": by_function, "closure": by_closure, "method": by_method,
          "partial": functools.partial, "mock": by_mock, "twice": lambda f: by_closure(Proxy(by_function(f))), "nothing": lambda f: f, "finder": lambda f: f}


def wrap(how):
    make = MAKERS[how]
    for owner, name in ((os, "system"), (os, "getpid"), (builtins, "open"), (time, "time"), (uuid, "uuid4"), (os, "spawnvp")):
        setattr(owner, name, make(getattr(owner, name)))
    if how in ("nothing", "finder"):
        return
    real = datetime.datetime

    class Replaced(real):
        @classmethod
        def now(cls, tz=None):
            return real.now(tz)
    datetime.datetime = Replaced
    if how == "code":
        make(subprocess.Popen.__init__)
        return
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
