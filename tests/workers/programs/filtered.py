"""usage: filtered.py refuse | kill

Forbids prctl() to itself by a filter of seccomp, as a container may, and then becomes a worker: imports the engine.
"""
import ctypes
import struct
import sys

SYS_PRCTL, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 157, 22, 38, 2
ANSWER = {"refuse": 0x00050001, "kill": 0x80000000}[sys.argv[1]]  # SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_KILL_PROCESS

code = b"".join(struct.pack("<HBBI", *instruction) for instruction in [
    (0x20, 0, 0, 0),                # load the number of the call
    (0x15, 0, 1, SYS_PRCTL),        # is it prctl?
    (0x06, 0, 0, ANSWER),
    (0x06, 0, 0, 0x7FFF0000),       # SECCOMP_RET_ALLOW
])
lines = ctypes.create_string_buffer(code)
program = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(code) // 8, ctypes.addressof(lines)))
libc = ctypes.CDLL(None)
assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
assert libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) == 0

import temporalio.worker  # noqa: E402

print("imported", temporalio.worker.__name__)
