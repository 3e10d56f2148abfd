"""A library that the worker shares with its orchestrations."""
import time
import uuid

noted = []


def clock():
    return time.time()


def identity():
    return str(uuid.uuid4())


def note(text):
    noted.append(text)
