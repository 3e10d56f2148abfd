"""Compiled libraries where no workflow runs; prints a JSON object of name -> nanoseconds.

usage: compiled.py numpy | compiled.py polars
"""
import json
import os
import statistics
import sys
import time
import timeit

import temporalio.worker  # noqa: F401  from here on, guards and hooks are in place


def numpy():
    """The shortest calls there are, so that whatever is added to one shows."""
    import numpy as np
    a, b = np.arange(8.0), np.ones(8)

    def loop():
        for _ in range(1000):
            a.dot(b)
            np.add(a, b, out=b)
    return {"numpy, a loop over small arrays": min(timeit.repeat(loop, number=1, repeat=100)) * 1e6}  # of 1000


def polars():
    """Short queries on 16 threads: most of it is threads that wake each other, by system calls through libc."""
    os.environ["POLARS_MAX_THREADS"] = "16"
    import polars as pl
    assert pl.thread_pool_size() == 16
    left = pl.DataFrame({"key": [i % 997 for i in range(100_000)], "value": range(100_000)})
    right = pl.DataFrame({"key": range(997), "weight": [i * 0.5 for i in range(997)]})

    def query():
        joined = left.join(right, on="key").with_columns(pl.col("value") * pl.col("weight"))
        return joined.group_by("key").agg(pl.col("value").sum(), pl.col("weight").max()).sort("key").height
    taken = []
    for _ in range(60):
        begin = time.perf_counter_ns()
        assert query() == 997
        taken.append(time.perf_counter_ns() - begin)
    return {"polars on 16 threads, join and group": statistics.median(taken[10:])}


print(json.dumps({"numpy": numpy, "polars": polars}[sys.argv[1]]()), flush=True)
os._exit(0)
