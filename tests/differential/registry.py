"""A library that is passed through and keeps what it is given. Workflow modules register with it while they are imported."""
import abc
import builtins
import collections
import collections.abc
import contextvars
import copyreg
import functools
import gc
import json
import logging
import mimetypes
import sys
import weakref

LIST, DICT, EVENTS, PLUGINS = [], {}, [], {}
QUEUE = collections.deque()
WEAK = weakref.WeakValueDictionary()
VARIABLE = contextvars.ContextVar("registry", default=None)


class Base:
    kinds = []

    def __init_subclass__(cls, **kw):
        Base.kinds.append(cls)


class Meta(type):
    made = []

    def __new__(meta, *p, **kw):
        cls = super().__new__(meta, *p, **kw)
        Meta.made.append(cls)
        return cls


class Abstract(abc.ABC):
    pass


class Holder:
    last = None

    def __init__(self, number):
        self.number = number


class Slotted:
    __slots__ = ("held",)


SLOTTED = Slotted()


def on_event(function):
    EVENTS.append(function)
    return function


def plugin(cls):
    PLUGINS[cls.__module__ + cls.__name__] = cls
    return cls


@functools.singledispatch
def dispatch(value):
    return None


@functools.lru_cache(maxsize=None)
def same(value):
    return value


def _keep():
    held = []

    def keep(value):
        held.append(value)
    return keep, held


def _receive():
    held = []
    while True:
        held.append((yield))
        if held[-1] is None:
            held.clear()


keep, _kept = _keep()
_receiver = _receive()
next(_receiver)
send = _receiver.send
_tables = (copyreg.dispatch_table, mimetypes.types_map, vars(builtins), vars(json), vars(sys))
_before = [set(table) for table in _tables]
_callbacks = list(gc.callbacks)
_classes = {cls: dict(vars(cls)) for cls in (Base, Meta, Abstract, Holder, Slotted, collections.UserDict, collections.abc.Hashable)}


def put_classes_back():
    """Has the program changed a class that all share? Then it can tell no story of its own: that is reported, not kept apart."""
    changed = False
    for cls, before in _classes.items():
        for name in [name for name in {**vars(cls), **before} if vars(cls).get(name, cls) is not before.get(name, cls)]:
            changed = True
            if name in before:
                setattr(cls, name, before[name])
            else:
                delattr(cls, name)
    return changed


def forget():
    """The next program begins with what there was. True: the program has changed what all share."""
    for held in (LIST, DICT, EVENTS, PLUGINS, QUEUE, Base.kinds, Meta.made, _kept):
        held.clear()
    send(None)
    same.cache_clear()
    Holder.last = SLOTTED.held = None
    for table, before in zip(_tables, _before):
        for name in [name for name in table if name not in before and not str(name).startswith("_")]:
            del table[name]
    gc.callbacks[:] = _callbacks
    for name in list(globals()):
        if name.startswith("held_"):
            del globals()[name]
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.startswith("differential") and isinstance(logger, logging.Logger):
            logger.filters.clear()
            logger.handlers.clear()
            vars(logger).pop("held", None)
    return put_classes_back()
