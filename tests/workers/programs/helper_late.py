"""Imported inside run() only."""
NAME = __name__
CALLS = []


def count():
    CALLS.append(1)
    return len(CALLS)
