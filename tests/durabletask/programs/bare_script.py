"""As the engine's own examples have it: nothing tells whether the script is run or imported."""
import json
import time

import with_durabletask

print("begins")


def plain(ctx, value=None):
    return [time.gmtime(0).tm_year]


def reads_clock(ctx, value=None):
    return time.time()


print(json.dumps(with_durabletask.play({"plain": plain, "reads_clock": reads_clock}, {}, [("plain", "a"), ("reads_clock", "b")])))
