"""Passed through by workflow files: a compiled library, called with the GIL held (as extension modules are) or not."""
import ctypes
import logging
import os

HELD = ctypes.PyDLL(os.environ["SG_TEST_NATIVE"])
FREE = ctypes.CDLL(os.environ["SG_TEST_NATIVE"])
MATRIX = ctypes.CDLL(os.environ["SG_TEST_MATRIX"]).matrix
MATRIX.restype = ctypes.c_char_p


class Handler(logging.Handler):
    """Logs as a library with a compiled formatter does."""

    def emit(self, record):
        HELD.native_clock()
