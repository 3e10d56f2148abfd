"""Imported by workflow files without being passed through: classes that make their objects in different ways."""
from helper_shared import count as shared_function


class Base:
    def __init__(self):
        self.made = True


class Own:
    def __init__(self):
        self.made = True


class Inherits(Base):
    pass


class Plain:
    pass


class Error(Exception):
    pass


class Record(dict):
    pass


def function():
    return 1


NAMES = ["Own", "Inherits", "Plain", "Error", "Record", "function", "shared_function"]
