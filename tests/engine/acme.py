"""A library that the worker shares with its runs."""
import time

calls = []


def clock():
    return time.time()
