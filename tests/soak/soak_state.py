"""State of every kind that a run of soak_flows.py changes. Imported for each run as if for the first time: what look() says is
part of the run's result, and soak.py works the same out with a copy of its own."""
import collections
import functools
import itertools
import random

COUNTER = 0
ITEMS = []
TABLE = {"first": [0]}
GROUPS = collections.defaultdict(set)
NUMBERS = itertools.count()
RANDOM = random.Random(7)
LAST = collections.deque(maxlen=3)
CLASSES = []


class Base:
    seen = []


class Point:
    __slots__ = ("x", "y")


ORIGIN = Point()
ORIGIN.x = 0


@functools.lru_cache(maxsize=8)
def square(number):
    return number * number


def remember(number, memory=[]):  # noqa: B006
    memory.append(number)
    return sum(memory)


def counter():
    count = 0

    def count_on():
        nonlocal count
        count += 1
        return count
    return count_on


count_on = counter()


def change(number):
    global COUNTER
    COUNTER += remember(number)
    ITEMS.append(count_on())
    TABLE.setdefault(str(number % 3), []).append(len(ITEMS))
    GROUPS[number % 2].add(number)
    LAST.append(next(NUMBERS) + RANDOM.randrange(1000))
    Base.seen = Base.seen + [square(number)]
    setattr(Base, f"has{number % 2}", COUNTER)
    CLASSES.append(type(f"Own{number}", (Base,), {}))
    ORIGIN.x, ORIGIN.y = ORIGIN.x + 1, COUNTER


def look():
    return [COUNTER, ITEMS[:], sorted(TABLE.items()), [sorted(GROUPS[key]) for key in sorted(GROUPS)], list(LAST), Base.seen,
            sorted(name for name in vars(Base) if name.startswith("has")), [it.__name__ for it in Base.__subclasses__()],
            square.cache_info().misses, ORIGIN.x, getattr(ORIGIN, "y", None)]
