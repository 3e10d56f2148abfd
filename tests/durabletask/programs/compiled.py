"""Passed through: a compiled library that reads the clock by itself."""
import ctypes
import os

clock = ctypes.PyDLL(os.environ["SG_TEST_NATIVE"]).native_clock
