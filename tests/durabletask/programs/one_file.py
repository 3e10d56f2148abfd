"""A worker and its orchestrators in one script, and one that has no name in it."""
import json
import time

import with_durabletask

seen = []


def counts(ctx, value=None):
    seen.append(value)
    yield ctx.call_activity("add", input=1)
    return len(seen)


def made_here():
    def inner(ctx, value=None):
        return time.time()
    return inner


def add(ctx, value):
    return value + 1


if __name__ == "__main__":
    orchestrators = {"counts": counts, "inner": made_here()}
    print(json.dumps(with_durabletask.play(orchestrators, {"add": add}, [("counts", "a"), ("counts", "b"), ("inner", "c")])))
