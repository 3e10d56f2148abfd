"""Passed through by workflow files: a compiled library, called with the GIL held (as extension modules are) or not."""
import ctypes
import logging
import os

MODE = int(os.environ.get("SG_TEST_MODE", ctypes.DEFAULT_MODE))
if MODE & os.RTLD_LAZY:
    _dlopen = ctypes.CDLL(None).dlopen  # ctypes itself adds RTLD_NOW
    _dlopen.restype = ctypes.c_void_p
    HANDLE = _dlopen(os.environ["SG_TEST_NATIVE"].encode(), MODE)
    HELD = ctypes.PyDLL(os.environ["SG_TEST_NATIVE"], handle=HANDLE)
    FREE = ctypes.CDLL(os.environ["SG_TEST_NATIVE"], handle=HANDLE)
else:
    HELD = ctypes.PyDLL(os.environ["SG_TEST_NATIVE"], mode=MODE)
    FREE = ctypes.CDLL(os.environ["SG_TEST_NATIVE"], mode=MODE)
if "SG_TEST_NAMESPACE" in os.environ:
    _dlmopen = ctypes.CDLL(None).dlmopen
    _dlmopen.restype = ctypes.c_void_p
    _dlmopen.argtypes = ctypes.c_long, ctypes.c_char_p, ctypes.c_int
    assert _dlmopen(-1, os.environ["SG_TEST_NAMESPACE"].encode(), os.RTLD_NOW)
if "SG_TEST_AGAIN" in os.environ:
    AGAIN = ctypes.CDLL(os.environ["SG_TEST_AGAIN"], mode=MODE)
if "SG_TEST_OTHER" in os.environ:
    ctypes.CDLL(os.environ["SG_TEST_OTHER"])
MATRIX = ctypes.CDLL(os.environ["SG_TEST_MATRIX"]).matrix
MATRIX.restype = ctypes.c_char_p


def open_again():
    """Closed, the library is loaded again to where it was."""
    def place(library):
        return ctypes.cast(library.native_clock, ctypes.c_void_p).value
    before = place(AGAIN)
    assert ctypes.CDLL(None).dlclose(ctypes.c_void_p(AGAIN._handle)) == 0
    again = ctypes.PyDLL(os.environ["SG_TEST_AGAIN"], mode=MODE)
    assert place(again) == before
    return again


class Handler(logging.Handler):
    """Logs as a library with a compiled formatter does."""

    def emit(self, record):
        HELD.native_clock()
