"""Starts PROGRAM ARGUMENTS in the given way, through libc as the loader resolves it.

    ways.py WAY PROGRAM [ARGUMENT ...]

The program's output is the result. When it cannot be started: "WAY: ERRNO_NAME".
"""

import ctypes
import errno
import os
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.popen.restype = ctypes.c_void_p
libc.fgets.restype = ctypes.c_char_p


def strings(values):
    values = [os.fsencode(value) for value in values]
    return (ctypes.c_char_p * (len(values) + 1))(*values, None)


def environment():
    return strings(f"{key}={value}" for key, value in os.environ.items())


def variadic(arguments):
    return [*(ctypes.c_char_p(os.fsencode(value)) for value in arguments), ctypes.c_void_p(None)]


def waited(status):
    return os.waitstatus_to_exitcode(status)


def spawned(function, path, arguments):
    child = ctypes.c_int()
    error = function(ctypes.byref(child), path, None, None, strings(arguments), environment())
    if error:
        raise OSError(error, "")
    return waited(os.waitpid(child.value, 0)[1])


def popen(arguments):
    stream = ctypes.c_void_p(libc.popen(" ".join(arguments).encode(), b"r"))
    buffer = ctypes.create_string_buffer(100000)
    while libc.fgets(buffer, len(buffer), stream):
        os.write(1, buffer.value)
    return waited(libc.pclose(stream))


def python_fork(arguments):
    """Without vfork: CPython forks when there is a preexec_fn."""
    return subprocess.call(arguments, preexec_fn=lambda: None)


AT_FDCWD, AT_EMPTY_PATH = -100, 0x1000
way, *arguments = sys.argv[1:]
program = arguments[0] if arguments else ""
path = program.encode()
argv = strings(arguments)


def descriptor():
    return os.open(program, os.O_RDONLY)


ways = {
    # As Python programs do it.
    "os.execv": lambda: os.execv(program, arguments),
    "os.execve": lambda: os.execve(program, arguments, dict(os.environ)),
    "os.execvp": lambda: os.execvp(program, arguments),
    "os.execve_descriptor": lambda: os.execve(descriptor(), arguments, dict(os.environ)),
    "os.posix_spawn": lambda: waited(
        os.waitpid(os.posix_spawn(program, arguments, dict(os.environ)), 0)[1]),
    "os.posix_spawnp": lambda: waited(
        os.waitpid(os.posix_spawnp(program, arguments, dict(os.environ)), 0)[1]),
    "os.system": lambda: waited(os.system(" ".join(arguments))),
    "subprocess": lambda: subprocess.call(arguments),
    "subprocess_env": lambda: subprocess.call(arguments, env=dict(os.environ, EXTRA="1")),
    "subprocess_fork": lambda: python_fork(arguments),
    "subprocess_empty": lambda: subprocess.call(arguments, env={}),
    "subprocess_cwd": lambda: subprocess.call(arguments, cwd="/"),
    # As native code does it.
    "execve": lambda: libc.execve(path, argv, environment()),
    "execv": lambda: libc.execv(path, argv),
    "execvp": lambda: libc.execvp(path, argv),
    "execvpe": lambda: libc.execvpe(path, argv, environment()),
    "execl": lambda: libc.execl(path, *variadic(arguments)),
    "execlp": lambda: libc.execlp(path, *variadic(arguments)),
    "execle": lambda: libc.execle(path, *variadic(arguments), environment()),
    "fexecve": lambda: libc.fexecve(descriptor(), argv, environment()),
    "execveat": lambda: libc.execveat(AT_FDCWD, path, argv, environment(), 0),
    "execveat_empty": lambda: libc.execveat(descriptor(), b"", argv, environment(), AT_EMPTY_PATH),
    "posix_spawn": lambda: spawned(libc.posix_spawn, path, arguments),
    "posix_spawnp": lambda: spawned(libc.posix_spawnp, path, arguments),
    "system": lambda: waited(libc.system(" ".join(arguments).encode())),
    "popen": lambda: popen(arguments),
}

if way == "list":
    print(*ways)
    sys.exit()
try:
    status = ways[way]()
    if status == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), "")
except OSError as error:
    print(f"{way}: {errno.errorcode[error.errno]}", flush=True)
    status = 0
sys.exit(status if status >= 0 else 128 - status)
