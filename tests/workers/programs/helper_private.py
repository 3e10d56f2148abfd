"""Imported by workflow files without being passed through: each run has its own."""
import time

LOADED = []
CALLS = []


def read_clock():
    return time.time()


def read_clock_again():
    return time.time()


def count():
    CALLS.append(1)
    return len(CALLS)
