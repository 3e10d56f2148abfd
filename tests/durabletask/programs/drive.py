"""Runs orchestrations in an engine and prints what came of them.

    drive.py ENGINE NAME...     orchestrators of flows.py, one instance each; NAME*2: two of them, at the same time
"""
import json
import os
import random
import socket
import sys
import time
import uuid

import acme
import flows
import state


def add(ctx, value):
    time.time(), uuid.uuid4(), random.random(), os.environ.get("HOME"), os.getpid()  # of no concern to anybody
    state.seen.append("activity")
    return value + 1


def keep(ctx, value):
    return value


ACTIVITIES = {"add": add, "keep": keep}
ORCHESTRATORS = {n: f for n, f in vars(flows).items() if getattr(f, "__module__", "") == "flows" and f.__defaults__}


def main():
    engine, *names = sys.argv[1:]
    wanted = [(name.split("*")[0], f"{name.split('*')[0]}-{i}") for name in names for i in range(int((name + "*1").split("*")[1]))]
    module = __import__("with_" + engine)
    module.play(ORCHESTRATORS, ACTIVITIES, wanted, tell)


def tell(results):
    """The end of a worker takes a second: it is left out."""
    print(json.dumps({"results": results, "seen": state.seen, "noted": acme.noted, "clock": time.time() > 0}), flush=True)
    os._exit(0)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


if __name__ == "__main__":
    main()
