"""Workflow snippets and the verdict that each must get.

Every snippet becomes a workflow module of its own (see programs/snippets.py): `top` is its module level,
`body` the body of its run method. The verdicts:

    block   refused while the workflow runs, in enforce and in strict
    load    done while the workflow file is imported: strict refuses, enforce lets it pass with a warning
    refuse  done while the workflow file is imported, refused in enforce and in strict (the SDK refuses it too)
    via     done by a library that the workflow passed through: strict refuses, enforce warns
    kept    a library does it while the workflow file is imported, and the run uses what came of it: strict refuses the run,
            enforce lets it pass with a warning
    setup   the same, but the run does not use it: completes, with a warning of the import
    state   changes what all runs and the host share: strict refuses, enforce warns, and it is put back
    strict  asked by the workflow itself: strict refuses, enforce warns
    zone    asks for the zone of the host: enforce refuses, strict answers in UTC
    warn    lets the workflow complete, in enforce and in strict, and warns
    allow   harmless: completes, and nothing is logged

A refusal must name the line that the user has to change: the only line of a body, or the one marked "# here".
`says` is what the text of the refusal must name. `since` is the first Python version that has the function, `before` the
first that has not. `later` says why a snippet does not get its verdict yet, `why` why its verdict is right.
"""
import functools
import sys
from typing import NamedTuple, Optional, Tuple


class Case(NamedTuple):
    name: str
    verdict: str
    top: str
    body: str
    says: Optional[str] = None
    since: Tuple[int, int] = (3, 0)
    before: Tuple[int, int] = (4, 0)
    later: Optional[str] = None
    why: Optional[str] = None


def adding_to(cases, prefix=""):
    """The function by which a file of cases states one."""
    def case(verdict, name, top, body="return ''", **more):
        cases.append(Case(prefix + name, verdict, top, body, **more))
    return case


def of_this_python(cases):
    return {c.name: c for c in cases if c.since <= sys.version_info[:2] < c.before}


CASES = []
case = adding_to(CASES)
block, allow, via, load, state, strict, zone, kept, setup = (
    functools.partial(case, v) for v in ("block", "allow", "via", "load", "state", "strict", "zone", "kept", "setup"))


# --- time: every clock, then every way to get hold of one ------------------------------------------
for _f in ("time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns "
           "thread_time thread_time_ns localtime gmtime ctime asctime").split():
    block(f"time_{_f}", "import time", f"return str(time.{_f}())", says=f"time.{_f}")
block("time_strftime_now", "import time", 'return time.strftime("%Y")', says="time.strftime")
block("time_localtime_none", "import time", "return str(time.localtime(None))", says="time.localtime")
block("time_clock_gettime", "import time", "return str(time.clock_gettime(time.CLOCK_REALTIME))", says="time.clock_gettime")
block("time_clock_gettime_ns", "import time", "return str(time.clock_gettime_ns(time.CLOCK_MONOTONIC))",
      says="time.clock_gettime_ns")
block("time_sleep", "import time", "time.sleep(0.001); return ''", says="time.sleep")
block("time_sleep_zero", "from time import sleep", "sleep(0); return ''", says="time.sleep")

for _name, _top, _body in [
    ("from_import", "from time import time as clock", "return str(clock())"),
    ("star_import", "from time import *", "return str(time())"),
    ("getattr", "import time", "return str(getattr(time, 'ti' + 'me')())"),
    ("vars", "import time", "return str(vars(time)['time']())"),
    ("dunder_dict", "import time", "return str(time.__dict__.get('time')())"),
    ("sys_modules", "import sys, time", "return str(sys.modules['time'].time())"),
    ("import_function", "", "return str(__import__('time').time())"),
    ("importlib", "import importlib", "return str(importlib.import_module('time').time())"),
    ("late_import", "", "import time\nreturn str(time.time())  # here"),
    ("late_from_import", "", "from time import time\nreturn str(time())  # here"),
    ("partial", "import time, functools\nF = functools.partial(time.time)", "return str(F())"),
    ("default_argument", "import time\ndef stamp(clock=time.time): return clock()  # here", "return str(stamp())"),
    ("map", "import time", "return str(list(map(lambda f: f(), [time.time])))"),
    ("map_without_python_frame", "import time, operator", "return str(list(map(operator.call, [time.time])))"),
    ("starmap", "import time, itertools", "return str(list(itertools.starmap(time.time, [()])))"),
    ("iter_sentinel", "import time", "return str(next(iter(time.time, None)))"),
    ("default_factory", "import time\nfrom dataclasses import dataclass, field\n@dataclass\nclass X:\n"
     "    at: float = field(default_factory=time.time)", "return str(X().at)"),
    ("defaultdict", "import time, collections", "return str(collections.defaultdict(time.time)['x'])"),
    ("attrgetter", "import time, operator", "return str(operator.attrgetter('time')(time)())"),
    ("methodcaller", "import time, operator", "return str(operator.methodcaller('time')(time))"),
    ("class_attribute", "import time\nclass Clock:\n    now = time.time", "return str(Clock.now())"),
    ("property", "import time\nclass Clock:\n    @property\n    def now(self): return time.time()  # here",
     "return str(Clock().now)"),
    ("registry", "import time\nCLOCKS = {'wall': time.time}", "return str(CLOCKS['wall']())"),
    ("closure", "import time\ndef make(f):\n    def inner(): return f()  # here\n    return inner\nG = make(time.time)",
     "return str(G())"),
    ("generator", "import time\ndef ticks():\n    yield time.time()  # here", "return str(next(ticks()))"),
    ("comprehension", "import time", "return str([time.time() for _ in range(2)])"),
    ("sort_key", "import time", "return str(sorted(range(9), key=lambda _: time.time()))"),
    ("exec", "", "ns = {}\nexec('import time; r = time.time()', ns)  # here\nreturn str(ns['r'])"),
    ("eval", "import time", "return str(eval('time.time()'))"),
    ("bound_dunder_call", "import time\nF = time.time.__call__", "return str(F())"),
    ("cached_property", "import time, functools\nclass C:\n    @functools.cached_property\n    def at(self): return time.time()  # here",
     "return str(C().at)"),
    ("lru_cache", "import time, functools\nF = functools.lru_cache(time.time)", "return str(F())"),
    ("operator_or_default", "import time", "return str({}.get('x') or time.time())"),
    ("singledispatch", "import time, functools\n@functools.singledispatch\ndef f(x): return time.time()  # here",
     "return str(f(1))"),
    ("task", "import time, asyncio\nasync def inner(): return time.time()  # here",
     "return str(await asyncio.ensure_future(inner()))"),
    ("wait_condition", "import time", "await workflow.wait_condition(lambda: time.time() > 0)\nreturn ''"),
    ("after_timer", "import time, asyncio", "await asyncio.sleep(0.01)\nreturn str(time.time())  # here"),
    ("callback", "import time, asyncio", "f = asyncio.get_running_loop().create_future()\n"
     "asyncio.get_running_loop().call_soon(lambda: f.set_result(time.time()))\nreturn str(await f)"),
]:
    _since = (3, 11) if "operator.call" in _body else (3, 0)
    block(f"alias_{_name}", _top, _body, says="time.time", since=_since)

# --- datetime -----------------------------------------------------------------------------------------
block("dt_now", "import datetime", "return str(datetime.datetime.now())", says="datetime.datetime.now")
block("dt_now_tz", "from datetime import datetime, timezone", "return str(datetime.now(timezone.utc))",
      says="datetime.datetime.now")
block("dt_now_keyword", "from datetime import datetime", "return str(datetime.now(tz=None))", says="datetime.datetime.now")
block("dt_utcnow", "from datetime import datetime", "return str(datetime.utcnow())", says="datetime.datetime.utcnow")
block("dt_today", "from datetime import datetime", "return str(datetime.today())", says="today")
block("date_today", "from datetime import date", "return str(date.today())", says="datetime.date.today")
block("dt_type_now", "from datetime import datetime", "return str(type(datetime(2020, 1, 1)).now())", says="now")
block("dt_subclass_now", "import datetime\nclass Stamp(datetime.datetime): pass", "return str(Stamp.now())", says="now")
block("dt_instance_now", "from datetime import datetime\nD = datetime(2020, 1, 1)", "return str(D.now())", says="now")
block("dt_bound_at_import", "from datetime import datetime\nnow = datetime.now", "return str(now())", says="now")
block("dt_default_factory", "from datetime import datetime\nfrom dataclasses import dataclass, field\n@dataclass\nclass X:\n"
      "    at: datetime = field(default_factory=datetime.now)", "return str(X().at)", says="now")
block("dt_accelerator", "import _datetime", "return str(_datetime.datetime.now())", says="now")
zone("dt_naive_astimezone", "from datetime import datetime", "return str(datetime(2020, 1, 1).astimezone())",
      says="astimezone")
zone("dt_naive_astimezone_to_a_zone", "from datetime import datetime, timezone",
      "return str(datetime(2020, 1, 1).astimezone(timezone.utc))", says="astimezone")

# --- random and entropy ---------------------------------------------------------------------------------
for _name, _call in [("random", "random()"), ("randint", "randint(1, 9)"), ("randrange", "randrange(9)"),
                     ("choice", "choice([1, 2])"), ("choices", "choices([1, 2])"), ("sample", "sample(range(9), 2)"),
                     ("uniform", "uniform(0, 1)"), ("gauss", "gauss(0, 1)"), ("betavariate", "betavariate(1, 1)"),
                     ("getrandbits", "getrandbits(8)"), ("randbytes", "randbytes(3)"), ("shuffle", "shuffle([1, 2])")]:
    block(f"random_{_name}", "import random", f"return str(random.{_call})", says=f"random.{_name}")
block("random_from_import", "from random import randint as dice", "return str(dice(1, 6))", says="random.randint")
block("random_bound_at_import", "import random\nR = random.random", "return str(R())", says="random.random")
block("random_hidden_instance", "import random", "return str(random._inst.random())", says="random")
block("random_seed_from_entropy", "import random", "random.seed(); return ''", says="random.seed")
block("random_unseeded", "import random", "return str(random.Random().random())", says="random.Random")
block("random_seed_none", "import random", "return str(random.Random(None).random())", says="random.Random")
block("random_reseeded", "import random", "r = random.Random(1); r.seed(); return str(r.random())", says="seed")
block("random_subclass", "import random\nclass Dice(random.Random): pass", "return str(Dice().random())")
block("random_accelerator", "import _random", "return str(_random.Random().random())")
block("random_unseeded_at_import", "import random\nR = random.Random()", "return str(R.random())")
block("random_system", "import random", "return str(random.SystemRandom().random())", says="SystemRandom")
block("random_system_at_import", "import random\nR = random.SystemRandom()", "return str(R.random())", says="SystemRandom")
block("random_sort_key", "import random", "return str(sorted(range(9), key=lambda _: random.random()))",
      says="random.random")
block("os_urandom", "import os", "return os.urandom(8).hex()", says="os.urandom")
block("posix_urandom", "import posix", "return posix.urandom(8).hex()", says="urandom")
block("urandom_alias", "from os import urandom as noise", "return noise(8).hex()", says="os.urandom")
block("os_getrandom", "import os", "return os.getrandom(8).hex()", says="os.getrandom")
block("secrets_token_hex", "import secrets", "return secrets.token_hex(4)", says="secrets.token_hex")
block("secrets_token_bytes", "from secrets import token_bytes", "return token_bytes(4).hex()", says="secrets.token_bytes")
block("secrets_randbelow", "import secrets", "return str(secrets.randbelow(9))", says="secrets.randbelow")
block("secrets_choice", "import secrets", "return str(secrets.choice([1, 2]))", says="choice")
block("uuid_uuid1", "import uuid", "return str(uuid.uuid1())", says="uuid.uuid1")
block("uuid_uuid4", "import uuid", "return str(uuid.uuid4())", says="uuid.uuid4")
block("uuid_uuid7", "import uuid", "return str(uuid.uuid7())", says="uuid.uuid7", since=(3, 14))
block("array_address", "import array", "return str(array.array('d', [1]).buffer_info()[0])", says="array.array.buffer_info")
block("ctypes_address", "import ctypes", "return str(ctypes.addressof(ctypes.c_int(1)))", says="ctypes.addressof")
block("ssl_handshake_in_memory", "import ssl", "there = ssl.MemoryBIO()\n"
      "s = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), there, server_hostname='h')\ntry:\n    s.do_handshake()  # here\n"
      "except ssl.SSLWantReadError: pass\nreturn there.read().hex()", says="do_handshake")
block("uuid_from_import", "from uuid import uuid4 as new_id", "return str(new_id())", says="uuid.uuid4")
block("uuid_default_factory", "import uuid\nfrom dataclasses import dataclass, field\n@dataclass\nclass X:\n"
      "    id: uuid.UUID = field(default_factory=uuid.uuid4)", "return str(X().id)", says="uuid.uuid4")
block("uuid_default_argument", "import uuid\ndef f(make=uuid.uuid4): return make()  # here", "return str(f())",
      says="uuid.uuid4")
block("ssl_rand_bytes", "import ssl", "return ssl.RAND_bytes(4).hex()", says="RAND_bytes")

# --- environment and process state ----------------------------------------------------------------------
block("environ_item", "import os", "return os.environ['PATH']", says="os.environ")
block("environ_get", "from os import environ", "return str(environ.get('HOME'))", says="os.environ")
block("environ_get_bound_at_import", "import os\nget = os.environ.get", "home = get('HOME')\nreturn str(home)", says="os.environ")
block("environ_contains", "import os", "return str('HOME' in os.environ)", says="os.environ")
block("environ_iterate", "import os", "return str(sorted(os.environ))", says="os.environ")
block("environ_copy", "import os", "return str(len(dict(os.environ)))", says="os.environ")
block("environ_set", "import os", "os.environ['SG_SNIPPET'] = '1'; return ''")
block("environ_setdefault", "import os", "return os.environ.setdefault('PATH', 'x')", says="os.environ")
block("environb", "import os", "return str(os.environb.get(b'HOME'))", says="os.environ")
block("os_getenv", "import os", "return str(os.getenv('HOME'))", says="os.getenv")
block("os_getenv_from_import", "from os import getenv", "return str(getenv('HOME'))", says="os.getenv")
block("os_putenv", "import os", "os.putenv('SG_SNIPPET', '1'); return ''", says="os.putenv")
block("os_path_expandvars", "import os.path", "return os.path.expandvars('$HOME')")
block("os_path_expanduser", "import os.path", "return os.path.expanduser('~')")
for _name, _call in [("getpid", "getpid()"), ("getppid", "getppid()"), ("getcwd", "getcwd()"), ("getcwdb", "getcwdb()"),
                     ("chdir", "chdir('.')"), ("cpu_count", "cpu_count()"), ("getloadavg", "getloadavg()"),
                     ("uname", "uname()"), ("times", "times()"), ("getuid", "getuid()"), ("umask", "umask(0o22)"),
                     ("sched_getaffinity", "sched_getaffinity(0)"), ("getpriority", "getpriority(0, 0)")]:
    block(f"os_{_name}", "import os", f"return str(os.{_call})", says=f"os.{_name}")
block("posix_getpid", "import posix", "return str(posix.getpid())", says="getpid")
block("posix_getcwd_alias", "from posix import getcwd as here", "return here()", says="getcwd")
block("sys_path_read", "import sys", "return str(len(sys.path))", says="sys.path")
allow("ok_sys_path_at_import", "import sys\nsys.path = [*sys.path]\nCOUNT = len(sys.path)", "return ''")
block("posix_via_sys_modules", "import sys", "return str(sys.modules['posix'].getpid())", says="getpid")
block("os_name", "import os", "return os.name", says="os.name")
block("os_path_abspath", "import os.path", "return os.path.abspath('x')", says="os.getcwd")

# --- files ------------------------------------------------------------------------------------------------
for _name, _call in [("listdir", "listdir('/')"), ("scandir", "scandir('/')"), ("lstat", "lstat('/')"),
                     ("access", "access('/', 0)"), ("readlink", "readlink('/proc/self')"), ("statvfs", "statvfs('/')"),
                     ("mkdir", "mkdir('/nonexistent/x')"), ("remove", "remove('/nonexistent')"),
                     ("rename", "rename('/nonexistent', '/nonexistent2')"), ("chmod", "chmod('/nonexistent', 0)"),
                     ("open", "open('/etc/hostname', 0)"), ("pipe", "pipe()"), ("utime", "utime('/nonexistent')"),
                     ("symlink", "symlink('/nonexistent', '/nonexistent/x')"), ("truncate", "truncate('/nonexistent', 0)"),
                     ("memfd_create", "memfd_create('x')")]:
    block(f"os_{_name}", "import os", f"return str(os.{_call})", says=f"os.{_name}")
block("os_walk", "import os", "return str(next(os.walk('/')))", says="scandir")
block("os_path_exists", "import os.path", "return str(os.path.exists('/tmp'))")
block("os_path_isdir", "from os.path import isdir", "return str(isdir('/tmp'))")
block("os_path_getmtime", "import os.path", "return str(os.path.getmtime('/tmp'))")
block("os_path_realpath", "import os.path", "return os.path.realpath('/tmp/x')")
block("open_builtin", "", "return open('/etc/hostname').read()", says="open")
block("open_alias", "reader = open", "return reader('/etc/hostname').read()", says="open")
block("open_builtins_module", "import builtins", "return builtins.open('/etc/hostname').read()", says="open")
block("open_builtins_dict", "", "b = __builtins__\nb = b if isinstance(b, dict) else vars(b)\n"
      "return b['open']('/etc/hostname').read()  # here", says="open")
block("open_partial", "import functools\nR = functools.partial(open, mode='rb')", "return str(R('/etc/hostname').read())",
      says="open")
block("open_map", "", "return str([f.read() for f in map(open, ['/etc/hostname'])])", says="open")
block("open_write", "", "open('/dev/null', 'w').close(); return ''", says="open")
block("io_open", "import io", "return io.open('/etc/hostname').read()", says="open")
block("_io_open", "import _io", "return _io.open('/etc/hostname').read()", says="open")
block("io_fileio", "import io", "return str(io.FileIO('/etc/hostname').read())", says="FileIO")
block("_io_fileio", "from _io import FileIO", "return str(FileIO('/etc/hostname').read())", says="FileIO")
block("io_open_code", "import io", "return str(io.open_code('/etc/hostname').read())", says="open")
block("codecs_open", "import codecs", "return codecs.open('/etc/hostname').read()", says="open")
block("gzip_open", "import gzip", "gzip.open('/nonexistent.gz'); return ''", says="open")
block("tarfile_open", "import tarfile", "tarfile.open('/nonexistent.tar'); return ''", says="open")
block("zipfile_path", "import zipfile", "zipfile.ZipFile('/nonexistent.zip'); return ''", says="open")
block("configparser_read", "import configparser", "return str(configparser.ConfigParser().read('/etc/hostname'))",
      says="open")
block("path_read_text", "from pathlib import Path", "return Path('/etc/hostname').read_text()")
block("path_open", "from pathlib import Path", "return Path('/etc/hostname').open().read()")
block("path_exists", "from pathlib import Path", "return str(Path('/tmp').exists())")
block("path_stat", "from pathlib import Path", "return str(Path('/tmp').stat().st_size)")
block("path_iterdir", "from pathlib import Path", "return str(list(Path('/').iterdir()))")
block("path_glob", "from pathlib import Path", "return str(list(Path('/').glob('*')))")
block("path_cwd", "from pathlib import Path", "return str(Path.cwd())")
block("path_home", "from pathlib import Path", "return str(Path.home())")
block("path_resolve", "from pathlib import Path", "return str(Path('x').resolve())")
block("path_touch", "from pathlib import Path", "Path('/nonexistent/x').touch(); return ''")
block("tempfile_mktemp", "import tempfile", "return tempfile.mktemp()")
block("tempfile_file", "import tempfile", "tempfile.TemporaryFile().close(); return ''")
block("tempfile_directory", "from tempfile import TemporaryDirectory", "with TemporaryDirectory() as d: return d")
block("shutil_copy", "import shutil", "shutil.copy('/etc/hostname', '/nonexistent/hostname'); return ''")
block("shutil_which", "import shutil", "return str(shutil.which('sh'))")
block("shutil_disk_usage", "import shutil", "return str(shutil.disk_usage('/'))")
block("glob_glob", "import glob", "return str(glob.glob('/*'))")

# --- network ----------------------------------------------------------------------------------------------
block("socket_socket", "import socket", "socket.socket().close(); return ''", says="socket")
block("socket_from_import", "from socket import socket as S", "S().close(); return ''", says="socket")
block("_socket_socket", "import _socket", "_socket.socket().close(); return ''", says="socket")
block("socket_subclass", "import socket\nclass S(socket.socket): pass", "S().close(); return ''", says="socket")
block("socket_pair", "import socket", "a, b = socket.socketpair(); a.close(); b.close(); return ''", says="socket")
block("socket_gethostname", "import socket", "return socket.gethostname()", says="gethostname")
block("_socket_gethostname", "import _socket", "return _socket.gethostname()", says="gethostname")
block("socket_getaddrinfo", "import socket", "return str(socket.getaddrinfo('localhost', 1))", says="getaddrinfo")
block("socket_gethostbyname", "import socket", "return socket.gethostbyname('localhost')", says="gethostbyname")
block("socket_getfqdn", "import socket", "return socket.getfqdn()")
block("socket_create_connection", "import socket", "socket.create_connection(('127.0.0.1', 9), 1); return ''")
block("http_client", "import http.client", "http.client.HTTPConnection('127.0.0.1', 9, timeout=1).request('GET', '/')\nreturn ''")
block("urlopen", "import urllib.request, urllib.error",
      "try:\n    urllib.request.urlopen('http://127.0.0.1:9/')\nexcept urllib.error.URLError: pass\nreturn ''")
block("smtplib", "import smtplib", "smtplib.SMTP('127.0.0.1', 9, timeout=1); return ''")

# --- processes --------------------------------------------------------------------------------------------
block("subprocess_run", "import subprocess", "return str(subprocess.run(['true']).returncode)")
block("subprocess_popen", "from subprocess import Popen", "return str(Popen(['true']).wait())")
block("subprocess_check_output", "import subprocess", "return str(subprocess.check_output('true', shell=True))")
block("os_system", "import os", "return str(os.system('true'))", says="os.system")
block("os_popen", "import os", "return os.popen('true').read()")
block("os_fork", "import os", "p = os.fork()  # here\nif p == 0: os._exit(0)\nreturn str(p)", says="os.fork")
block("posix_fork", "import posix", "p = posix.fork()  # here\nif p == 0: posix._exit(0)\nreturn str(p)", says="fork")
block("os_posix_spawn", "import os", "return str(os.posix_spawn('/bin/true', ['true'], {}))", says="posix_spawn")
block("os_kill", "import os", "os.kill(1, 0); return ''", says="os.kill")
block("multiprocessing_process", "import multiprocessing",
      "p = multiprocessing.get_context('fork').Process(target=int); p.start(); p.join(); return ''")

# --- threads and waits --------------------------------------------------------------------------------------
block("thread_start", "import threading", "t = threading.Thread(target=int); t.start(); t.join(); return ''")
block("thread_start_unbound", "import threading\nstart = threading.Thread.start",
      "t = threading.Thread(target=int); start(t); return ''")
block("thread_subclass", "import threading\nclass T(threading.Thread):\n    def run(self): pass", "T().start(); return ''")
block("thread_timer", "import threading", "threading.Timer(0, int).start(); return ''")
block("_thread_start_new", "import _thread", "_thread.start_new_thread(int, ()); return ''", says="start_new_thread")
block("_thread_start_new_alias", "from _thread import start_new_thread as go", "go(int, ()); return ''",
      says="start_new_thread")
block("_thread_start_joinable", "import _thread", "_thread.start_joinable_thread(int); return ''",
      says="start_joinable_thread", since=(3, 13))
block("thread_pool", "from concurrent.futures import ThreadPoolExecutor",
      "with ThreadPoolExecutor(1) as e: return str(e.submit(int).result())")
block("process_pool", "from concurrent.futures import ProcessPoolExecutor",
      "with ProcessPoolExecutor(1) as e: return str(e.submit(int).result())")
block("asyncio_to_thread", "import asyncio", "return str(await asyncio.to_thread(int))", says="asyncio.to_thread")
block("run_in_executor", "import asyncio", "return str(await asyncio.get_running_loop().run_in_executor(None, int))")
block("thread_current", "import threading", "return threading.current_thread().name", says="threading.Thread.name")
block("lock_timeout", "import threading", "l = threading.Lock(); l.acquire(); l.acquire(timeout=0.01); return ''")
block("event_timeout", "import threading", "threading.Event().wait(0.01); return ''")
block("condition_timeout", "import threading", "c = threading.Condition()\nwith c: c.wait(0.01)  # here\nreturn ''")
block("semaphore_timeout", "import threading", "threading.Semaphore(0).acquire(timeout=0.01); return ''")
block("queue_timeout", "import queue", "try: queue.Queue().get(timeout=0.01)  # here\nexcept queue.Empty: pass\nreturn ''")
block("simple_queue_timeout", "import queue",
      "try: queue.SimpleQueue().get(timeout=0.01)  # here\nexcept queue.Empty: pass\nreturn ''")
block("lock_held_forever", "import threading", "l = threading.Lock(); l.acquire(); l.acquire(); return ''", says="acquire")
block("queue_get_forever", "import queue", "queue.Queue().get(); return ''", says="queue.Queue.get")
block("queue_put_forever", "import queue", "q = queue.Queue(1); q.put(1); q.put(2)  # here\nreturn ''", says="queue.Queue.put")
block("event_wait_forever", "import threading", "threading.Event().wait(); return ''", says="threading.Event.wait")
block("future_result_forever", "import concurrent.futures", "return concurrent.futures.Future().result()", says="Future.result")
block("run_until_complete", "import asyncio\nasync def f(): return 1",
      "return str(asyncio.get_event_loop().run_until_complete(f()))", says="run_until_complete")
block("nested_asyncio_run", "import asyncio\nasync def f(): return 1", "return str(asyncio.run(f()))", says="asyncio.run")
block("second_event_loop", "import asyncio\nasync def f(): return 1", "return str(asyncio.new_event_loop().run_until_complete(f()))",
      says="asyncio.new_event_loop")

# --- the rest -------------------------------------------------------------------------------------------------
block("select_select", "import select", "return str(select.select([], [], [], 0))", says="select")
block("select_epoll", "import select", "select.epoll().close(); return ''", says="epoll")
block("selectors", "import selectors", "selectors.DefaultSelector().close(); return ''")
block("signal_raise", "import signal", "signal.getsignal(signal.SIGINT); signal.setitimer(signal.ITIMER_VIRTUAL, 0)\nreturn ''")
block("signal_handler", "import signal", "signal.signal(signal.SIGUSR2, signal.SIG_IGN); return ''", says="signal.signal")
block("platform_node", "import platform", "return platform.node()", says="platform.node")
block("platform_platform", "from platform import platform", "return platform()", says="platform")
block("getpass_getuser", "import getpass", "return getpass.getuser()")
block("locale_getlocale", "import locale", "return str(locale.getlocale())")
block("resource_usage", "import resource", "return str(resource.getrusage(resource.RUSAGE_SELF))", says="getrusage")
block("email_date", "import email.utils", "return email.utils.formatdate()")
block("input", "", "return input()", says="input")
block("breakpoint", "", "breakpoint()\nreturn ''", says="breakpoint")
block("helper_of_the_workflow", "import helper_private", "clock = helper_private.read_clock\nreturn str(clock())", says="helper_private.py:")
block("helper_imported_late", "", "import helper_private\nreturn str(helper_private.read_clock_again())", says="helper_private.py:")

# --- what swallows a refusal -------------------------------------------------------------------------------------
block("swallow_except_exception", "import time", "try: t = time.time()  # here\nexcept Exception: t = 0\nreturn str(t)")
block("swallow_bare_except", "import time", "try: t = time.time()  # here\nexcept: t = 0\nreturn str(t)")
block("swallow_suppress", "import time, contextlib", "with contextlib.suppress(BaseException): time.time()  # here\nreturn ''")
block("swallow_finally_return", "import time", "try: time.time()  # here\nfinally: return ''")
block("swallow_gather", "import time, asyncio\nasync def f(): return time.time()  # here",
      "return str(len(await asyncio.gather(f(), return_exceptions=True)))")
block("swallow_other_error", "import time", "try: return str(time.time())  # here\nexcept Exception: raise ValueError('mine') from None")
block("swallow_forgotten_task", "import time, asyncio\nasync def f(): return time.time()  # here",
      "t = asyncio.ensure_future(f())\nawait asyncio.sleep(0.01)\nreturn ''")

block("swallow_finaliser", "import time\nclass X:\n    def __del__(self): time.time()  # here", "x = X()\ndel x\nreturn ''")

# --- import phase ---------------------------------------------------------------------------------------------------
load("load_time", "import time\nAT = time.time()")
load("load_uuid", "import uuid\nID = uuid.uuid4()")
load("load_environ", "import os\nHOME = os.environ.get('HOME')")
load("load_getenv", "import os\nHOME = os.getenv('HOME')")
load("load_getpid", "import os\nPID = os.getpid()")
load("load_open", "NAME = open('/etc/hostname').read()")
load("load_gethostname", "import socket\nNAME = socket.gethostname()")
load("load_class_body", "import time\nclass Settings:\n    started = time.time()")
load("load_default_argument", "import time\ndef f(at=time.time()): return at")
case("refuse", "load_random", "import random\nX = random.random()", "return ''")
case("refuse", "load_dt_now", "import datetime\nAT = datetime.datetime.now()", "return ''")
case("refuse", "load_token", "import secrets\nX = secrets.token_hex(4)", "return ''")
case("refuse", "load_subprocess", "import subprocess\nX = subprocess.run(['true'])", "return ''")

# --- through a library that the workflow passed through ---------------------------------------------------------------
_PASSED = "with workflow.unsafe.imports_passed_through():\n    import helper_shared"
_LOADS = "with workflow.unsafe.imports_passed_through():\n    import helper_loads"
for _f in "home pid read_file host thread process token".split():
    via(f"via_{_f}", _PASSED, f"return str(helper_shared.{_f}())")
for _f in "clock new_id dice now".split():
    case("answered", f"via_{_f}", _PASSED, f"return str(helper_shared.{_f}())")
case("answered", "via_callback", _PASSED + "\nimport time", "return str(helper_shared.call(helper_shared.clock))")
block("via_callback_of_workflow", _PASSED + "\nimport time\ndef mine(): return time.time()  # here",
      "return str(helper_shared.call(mine))", says="time.time")

# --- harmless -------------------------------------------------------------------------------------------------------------
allow("ok_workflow_api", "", "workflow.now(), workflow.uuid4(), workflow.random().random(), workflow.time(), workflow.time_ns()\n"
      "workflow.logger.info('x'); workflow.info(); return ''")
allow("ok_asyncio", "import asyncio",
      "e = asyncio.Event(); q = asyncio.Queue(); await q.put(1); e.set(); await e.wait()\n"
      "async with asyncio.Lock(): pass\n"
      "return str(await asyncio.gather(asyncio.sleep(0.001, 1), asyncio.sleep(0.001, 2)))")
allow("ok_asyncio_sets_of_tasks", "import asyncio\nasync def f(i): return i",
      "tasks = [asyncio.create_task(f(i), name=str(i)) for i in range(12)]\nassert [t.get_name()[0] for t in asyncio.all_tasks()][1:10] == list('012345678')\n"
      "done, _ = await asyncio.wait(tasks); assert [t.result() for t in done] == list(range(12)); return ''")
allow("ok_asyncio_sets_of_futures", "import asyncio\nclass Own(asyncio.Future): pass",
      "made = [Own() if i % 2 else asyncio.get_running_loop().create_future() for i in range(12)]; found = list(set(made[::-1]))\n"
      "assert found.index(made[0]) == 0 and found == made; return ''")
allow("ok_asyncio_coroutines_in_sets", "import asyncio\nseen = []\nasync def f(i): seen.append(i)\ndef g(i): yield i",
      "junk = [bytearray(n * 97 % 500) for n in range(50)]\nawait asyncio.gather(*{f(i) for i in range(40)}); assert seen == [*range(40)], seen\n"
      "for each in asyncio.as_completed([f(i) for i in range(40)]): await each\nassert seen[40:] == [*range(40)], seen\n"
      "assert [*map(next, {g(i) for i in range(40)})] == [*range(40)]; return ''")
allow("ok_texts_of_libraries", "import hashlib, xml.etree.ElementTree as ET",
      "e = ET.fromstring('<a/>'), hashlib.sha256()\nassert [repr(x)[-5:] for x in e] == ['0x10>', '0x20>'], e\nreturn ''")
allow("ok_sets_of_libraries_objects", "import asyncio, functools",
      "for kind in (asyncio.Event, asyncio.Queue, asyncio.Lock, lambda: functools.partial(len)):\n"
      "    made = [kind() for i in range(30)]\n    assert [made.index(x) for x in set(made[::-1])] == [*range(29, -1, -1)] or "
      "[made.index(x) for x in set(made)] == [*range(30)], kind\nreturn ''")
allow("ok_asyncio_names_of_tasks", "import asyncio\nasync def f(): pass",
      "t = asyncio.create_task(f()); n = t.get_name().split()[0]; await t; assert n == 'Task-2', n; return ''")
allow("ok_texts_show_numbers", "import json, weakref\nclass A: pass\nclass B(A):\n    def __repr__(self): return 'B' + super().__repr__()[-6:]\n"
      "    def __str__(self): return hex(id(self))\ndef f(): pass",
      "a, b = A(), B()\nends = [t.rpartition(' at ')[2] for t in (repr(a), f'{f}', '%s' % [a], repr(weakref.ref(a)), repr(weakref.proxy(a)), repr({}.get), repr((lambda: a).__closure__[0]))]\n"
      "assert ends == ['0x10>', '0x20>', '0x10>]', '0x10>', '0x10>', '0x50>', '0x10>'], ends\n"
      "def empty(): return never\nif not a: never = 1\nassert [f'{id(o)}' for o in [b] * 99] == ['112'] * 99 and 'empty' in repr(empty.__closure__[0])\n"
      "ends = repr(b), str(b), f'{id(b):x}', '%d' % id(b), str(id(b)); assert ends == ('B 0x70>', '0x70', '70', '112', '112'), ends\n"
      "ends = '{}'.format(id(b)), json.dumps(id(b)), id(b) & 7, id(b) % 4, id(b) * 2, id(b) >> 1; assert ends == ('112', '112', 0, 0, 224, 56), ends\n"
      "made = [A() for i in range(20)][::-1]; asked = made[::2] + made[1::2]; first = min(asked, key=id); asked.sort(key=id)\n"
      "assert asked == made[::2] + made[1::2] and first is made[0] and sorted(made, key=id, reverse=True) == asked[::-1]; return ''")
allow("ok_pprint_sorts_by_numbers", "import pprint\nclass K: pass",
      "made = [K() for _ in range(300)]\nkept = made[::2]\ndel made\nxs = [K() for _ in range(12)]\ntext = pprint.pformat({x: i for i, x in enumerate(xs)}, width=2000)\n"
      "import re; found = re.findall(': ([0-9]+)', text); assert found == ['1', '0', *map(str, range(2, 12))], text\nreturn ''")  # 1 is compared first
allow("ok_id_of_a_module_with_ctypes", "import ctypes\nclass K: pass",
      "xs = [K() for _ in range(9)]\nold = {id(x): x for x in xs}\nassert ctypes.cast(id(xs[3]), ctypes.py_object).value is xs[3]\n"
      "assert all(old[id(x)] is x for x in xs) and [*map(lambda x: old[id(x)], xs)] == xs\nreturn ''")
allow("ok_id_tells_apart", "import copy\nclass N:\n    def __deepcopy__(self, memo):\n        n = memo[id(self)] = N(); n.me = copy.deepcopy(self.me, memo)\n"
      "        return n", "n = N(); n.me = n; c = copy.deepcopy(n); assert c.me is c and id(c) not in {id(n)} and id(n) == id(n); return ''")
allow("ok_address_kept", "import copy, json\nclass N: pass\nKEPT = {id(N): 1}\nEMPTY = object()\nKEPT[id(EMPTY)] = 2\nLIST = []\nKEPT[id(LIST)] = 3\n"
      "def copied(a): return copy.deepcopy([a, a], {id(a): a})",
      "a, b, d = N(), N(), {}\nn, m = id(a), id(b)\nassert f'{n} {m} {json.dumps([id(d), n])}' == '16 32 [48, 16]' and n >> 4 < m >> 4, (n, m, id(d))\n"
      "assert list(map(id, (b, a))) == sorted([m, n], reverse=True) and {n: 1}[id(a)] == 1 and id(N()) not in {n, m}\n"
      "assert copied(a)[0] is a and [KEPT[id(o)] for o in (N, EMPTY, LIST)] == [1, 2, 3]\nreturn ''")
allow("ok_sets_of_own_objects", "class A:\n    def __init__(self, n): self.n = n\nclass Taken(A):\n    def __eq__(self, other): return self is other\n"
      "    __hash__ = object.__hash__", "made = [(A if i % 2 else Taken)(i) for i in range(20)]\n"
      "assert [m.n for m in set(made)] == list(range(20)) == [m.n for m in set(made[::-1])] and made[3] in {*made}; return ''")
allow("ok_maps_of_messages_in_order", "from google.protobuf import json_format\nfrom google.protobuf.struct_pb2 import Struct",
      "s = Struct(); s.update({c: 1 for c in 'hgfedcbaponmlkji'}); names = [*'abcdefghijklmnop']\n"
      "assert list(s.fields) == [*s.fields.keys()] == [k for k, v in s.items()] == [*json_format.MessageToDict(s)] == names\n"
      "assert s.SerializeToString() == s.SerializeToString(deterministic=True); return ''")
allow("ok_contexts_in_order", "import contextvars\nVS = [contextvars.ContextVar('own-' + c) for c in 'hgfedcba']",
      "for v in VS: v.set(v.name)\nc = contextvars.copy_context(); own = ['own-' + c for c in 'abcdefgh']\n"
      "assert [v.name for v in c if v.name[:4] == 'own-'] == [v for v in c.values() if str(v)[:4] == 'own-'] == own\n"
      "assert [w for v, w in c.items() if v.name[:4] == 'own-'] == own and VS[0] in c; return ''")
allow("ok_asyncio_as_completed", "import asyncio", "for c in asyncio.as_completed([asyncio.sleep(0.001)]): await c\nreturn ''")
allow("ok_asyncio_timeout", "import asyncio",
      "try: await asyncio.wait_for(asyncio.Event().wait(), 0.01)\nexcept asyncio.TimeoutError: return 'timeout'")
allow("ok_asyncio_timer_cancelled", "import asyncio",
      "t = asyncio.ensure_future(asyncio.sleep(100)); await asyncio.sleep(0); t.cancel()\n"
      "try: await t\nexcept asyncio.CancelledError: return 'cancelled'")
allow("ok_workflow_wait", "import asyncio",
      "await workflow.wait([asyncio.ensure_future(asyncio.sleep(0.001))]); return ''")
allow("ok_time_with_argument", "import time",
      "time.gmtime(0), time.localtime(0), time.ctime(0), time.asctime(time.gmtime(0)), time.strftime('%Y', time.gmtime(0))\n"
      "time.mktime(time.gmtime(0)), time.strptime('2020', '%Y'); return ''")
allow("ok_datetime", "import datetime",
      "d = datetime.datetime(2020, 1, 1); assert type(d) is datetime.datetime and isinstance(d, datetime.date)\n"
      "datetime.datetime.fromtimestamp(0, datetime.timezone.utc); datetime.datetime.fromisoformat('2020-01-01')\n"
      "datetime.datetime.strptime('2020', '%Y'); d.astimezone; d.replace(tzinfo=datetime.timezone.utc).astimezone(datetime.timezone(datetime.timedelta(hours=1)))\n"
      "return (d + datetime.timedelta(1)).isoformat()")
allow("ok_random_seeded", "import random",
      "r = random.Random(42); r.random(), r.choice([1]), r.getrandbits(3), r.shuffle([1, 2]); r.seed(7)\nreturn str(r.random())")
allow("ok_random_seeded_at_import", "import random\nR = random.Random(42)", "return str(R.random())")
allow("ok_random_subclass_seeded", "import random\nclass Dice(random.Random): pass", "return str(Dice(3).random())")
allow("ok_uuid", "import uuid", "uuid.UUID(int=1), uuid.uuid3(uuid.NAMESPACE_DNS, 'x'); return str(uuid.uuid5(uuid.NAMESPACE_URL, 'x'))")
allow("ok_os_path", "import os.path", "return os.path.join('a', 'b') + os.path.basename('/a/b') + os.path.normpath('a/../b') + os.sep")
allow("ok_os_fspath", "import os, pathlib", "return os.fspath(pathlib.PurePath('a')) + os.fsdecode(b'x')")
allow("ok_path_pure", "from pathlib import Path, PurePosixPath",
      "return str(Path('a') / 'b') + Path('x.txt').suffix + Path('a/b').name + str(PurePosixPath('/a').parent)")
allow("ok_path_inplace_div", "import pathlib", "p = pathlib.Path('a'); p /= 'b'; assert str(p) == 'a/b'; return ''")
allow("ok_module_dict_items", "import os", "return str(len(dict.items(os.__dict__)) > 0)")
allow("ok_os_attributes", "import os", "return str(hasattr(os, 'getpid') and callable(os.urandom)) + repr(os.getpid)")
allow("ok_logging", "import logging\nlog = logging.getLogger('snippet')",
      "log.info('hi %s', 1); log.warning('w'); log.error('e', exc_info=ValueError('x'), stack_info=True); return ''")
allow("ok_logging_handler_of_host_opens_file", "import logging\nwith workflow.unsafe.imports_passed_through():\n    import sample_shared.writing",
      "l = logging.Logger('snippet.h'); l.manager = logging.Manager(l); l.addHandler(sample_shared.writing.Writing()); l.error('hello'); return ''")
allow("ok_logging_handler_of_import", "import logging, os\nHANDLER = logging.FileHandler(os.devnull)", "return ''")
block("logging_file", "import logging, os", "return str(logging.FileHandler(os.devnull).stream.fileno())", says="logging.FileHandler")
block("logging_file_that_rotates", "import logging.handlers, os\nclass H(logging.handlers.RotatingFileHandler): pass",
      "return str(H(os.devnull).stream.fileno())", says="logging.handlers.RotatingFileHandler")
block("logging_handler_of_workflow_opens_file", "import logging\nclass H(logging.Handler):\n    def emit(self, record):\n"
      "        with open('/dev/null', 'a') as f: f.write(record.getMessage())  # here",
      "l = logging.Logger('snippet.h'); l.manager = logging.Manager(l); l.addHandler(H()); l.error('hello'); return ''")
block("logging_asks_workflow_for_text", "import logging, time\nclass Lazy:\n    def __str__(self): return str(time.time())  # here",
      "l = logging.Logger('snippet.t'); l.manager = logging.Manager(l); l.addHandler(logging.StreamHandler(__import__('io').StringIO())); l.error('at %s', Lazy()); return ''", says="time.time")
block("logging_adapter_notes_id", "import logging, uuid\nclass A(logging.LoggerAdapter):\n    def process(self, msg, kwargs):\n"
      "        self.extra['id'] = uuid.uuid4().hex; return msg, kwargs  # here",
      "l = logging.Logger('snippet.a'); l.manager = logging.Manager(l); a = A(l, {}); a.error('hello'); return a.extra['id']", says="uuid.uuid4")
block("logging_filter_notes_id", "import logging, uuid\ndef f(record): return bool(uuid.uuid4())  # here",
      "l = logging.Logger('snippet.i'); l.manager = logging.Manager(l); l.addFilter(f); l.error('hello'); return ''", says="uuid.uuid4")
allow("ok_logging_file_handler_opens_late", "import logging\nH = logging.FileHandler('/dev/null', delay=True)",
      "l = logging.getLogger('snippet.f'); l.disabled = False; l.handlers[:] = [H]; l.error('hello'); return str(H.stream is not None)")
allow("ok_traceback", "import traceback",
      "try: 1 / 0\nexcept ZeroDivisionError: return traceback.format_exc()[:20] + str(len(traceback.format_stack()))")
allow("ok_traceback_exception", "import traceback",
      "try: int('x')\nexcept ValueError as e: return ''.join(traceback.TracebackException.from_exception(e, capture_locals=True).format())[:9]")
allow("ok_warnings", "import warnings",
      "with warnings.catch_warnings():\n    warnings.simplefilter('ignore'); warnings.warn('x')\nwarnings.warn('y'); return ''")
allow("ok_inspect", "import inspect", "return inspect.stack()[0].function + str(inspect.signature(len)) + inspect.getsource(inspect.stack)[:3]")
allow("ok_typing", "import typing, dataclasses\n@dataclasses.dataclass\nclass X:\n    a: 'int'",
      "return str(typing.get_type_hints(X)) + str(dataclasses.asdict(X(1)))")
allow("ok_copy", "import copy, datetime, collections",
      "return str(copy.deepcopy({'a': datetime.datetime(2020, 1, 1), 'b': collections.deque([1])}))")
allow("ok_locks", "import threading\nL = threading.Lock()\nR = threading.RLock()",
      "with L, R: pass\nE = threading.Event(); E.set(); E.wait()\nC = threading.Condition()\n"
      "with C: C.notify_all()\nassert threading.Semaphore(1).acquire(); return ''")
allow("ok_thread_local", "import threading\nT = threading.local()\nclass L(threading.local):\n    x = 1", "T.x = 1; return str(T.x + L().x)")
allow("ok_queue", "import queue", "q = queue.Queue(); q.put(1); r = q.get(); q.put_nowait(2); return str(r + q.get_nowait())")
allow("ok_unrestricted", "import time, uuid, os, random",
      "with workflow.unsafe.sandbox_unrestricted(): time.time(), uuid.uuid4(), os.environ.get('X'), random.random(), open('/etc/hostname').close()\nreturn ''")
allow("ok_in_sandbox", "", "assert workflow.unsafe.in_sandbox() and workflow.in_workflow(); return ''")
allow("ok_zoneinfo", "import zoneinfo, datetime",
      "return str(datetime.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Paris')).utcoffset())")
allow("ok_astimezone_zoneinfo", "from zoneinfo import ZoneInfo", "return str(workflow.now().astimezone(ZoneInfo('Europe/Paris')).tzinfo)")
allow("ok_numbers", "import decimal, fractions, math, statistics",
      "return str(decimal.Decimal('1.1') + 1) + str(fractions.Fraction(1, 3)) + str(math.sqrt(4)) + str(statistics.mean([1, 2]))")
allow("ok_memory_files", "import io, csv, json, zipfile, gzip, configparser",
      "b = io.StringIO(); csv.writer(b).writerow([1, 2]); z = io.BytesIO()\n"
      "with zipfile.ZipFile(z, 'w') as f: f.writestr(zipfile.ZipInfo('a'), 'x')\n"
      "assert zipfile.ZipFile(z).namelist() == ['a']; gzip.decompress(gzip.compress(b'x', mtime=0))\n"
      "configparser.ConfigParser().read_string('[a]\\nb=1'); return b.getvalue() + json.dumps({'a': 1})")
allow("ok_hashes", "import hashlib, hmac, base64, zlib",
      "return hashlib.sha256(b'x').hexdigest() + base64.b64encode(b'x').decode() + str(zlib.crc32(b'x')) + hmac.new(b'k', b'x', 'sha1').hexdigest()")
allow("ok_enum", "import enum, collections\nclass E(enum.Enum):\n    A = enum.auto()\nP = collections.namedtuple('P', 'a b')",
      "assert E['A'] is E.A and E(1) is E.A; return str(P(1, 2))")
allow("ok_secrets_compare", "import secrets", "return str(secrets.compare_digest('a', 'a'))")
allow("ok_socket_helpers", "import socket", "return socket.inet_ntoa(b'\\x7f\\0\\0\\1') + str(socket.htons(1)) + str(socket.AF_INET)")
allow("ok_except_called_process_error", "import subprocess",
      "try: raise KeyError('x')\nexcept subprocess.CalledProcessError: return 'no'\nexcept KeyError: return 'caught'")
allow("ok_raise_called_process_error", "import subprocess",
      "try: raise subprocess.CalledProcessError(1, ['x'])\nexcept subprocess.CalledProcessError as e: return str(e.returncode)")
allow("ok_match_class", "import datetime as dt", "match workflow.now():\n    case dt.datetime(): return 'ok'\nraise AssertionError")
allow("ok_datetime_subclass", "import datetime as dt\nclass Stamp(dt.datetime):\n    def label(self): return 'x'\nREG = {Stamp: 1}",
      "s = Stamp(2020, 1, 1); assert isinstance(s, dt.datetime) and s.label() == 'x' and s + dt.timedelta(1) > s; return str(REG[type(s)])")
allow("ok_type_is_datetime", "from datetime import datetime", "assert type(datetime(2020, 1, 1)) is datetime and type(workflow.now()) is datetime; return ''")
allow("ok_abc_register", "import abc, datetime\nclass Base(abc.ABC): pass\nBase.register(datetime.datetime)",
      "assert isinstance(datetime.datetime(2020, 1, 1), Base) and issubclass(datetime.datetime, Base); return ''")
allow("ok_abc_register_shared", "import collections.abc\nclass Own: pass",
      "collections.abc.Sequence.register(Own); assert isinstance(Own(), collections.abc.Sequence); return ''")
allow("ok_pickle_own_class", "import pickle\nclass Box:\n    def __init__(self, x): self.x = x",
      "b = pickle.loads(pickle.dumps(Box(3))); assert type(b) is Box; return str(b.x)")
allow("ok_pickle_shared_types", "import pickle, datetime, decimal, uuid",
      "v = (datetime.datetime(2020, 1, 1), decimal.Decimal(1), uuid.UUID(int=1)); assert pickle.loads(pickle.dumps(v)) == v; return ''")
allow("ok_gettext_at_import", "from gettext import gettext as _\nLABEL = _('path')", "return LABEL")
allow("ok_subclass_http_client", "import http.client\nclass Short(http.client.IncompleteRead): pass", "return Short.__name__")
allow("ok_urllib_classes", "import urllib.request, urllib.parse\nclass R(urllib.request.Request): pass",
      "return R('http://a/b').host + urllib.parse.urljoin('http://a/', 'b')")
allow("ok_subclass_zipfile", "import zipfile\nclass Z(zipfile.ZipFile): pass", "import io\nZ(io.BytesIO(), 'w').close(); return Z.__name__")
allow("ok_subclass_thread_and_socket", "import threading, socket, random, subprocess\nclass T(threading.Thread): pass\nclass S(socket.socket): pass\nclass P(subprocess.Popen): pass",
      "return T.__name__ + S.__name__ + P.__name__")
allow("ok_parent_package_init", "import sample_package.inner.leaf", "assert sample_package.READY and sample_package.inner.READY; return sample_package.inner.leaf.NAME")
allow("ok_relative_import", "from sample_package import relative", "return relative.leaf_name()")
allow("ok_late_stdlib_import", "", "import colorsys, wave, xml.dom.minidom\nreturn str(colorsys.rgb_to_hsv(1, 0, 0))")
allow("ok_late_submodule_of_shared_package", "with workflow.unsafe.imports_passed_through():\n    import sample_shared",
      "import sample_shared.extra\nassert sample_shared.extra.BASE is sample_shared.Base; return ''")
allow("ok_late_import_again_of_a_shared_library", _PASSED, "import helper_shared as again\nfrom helper_shared import SEEN\n"
      "assert again is helper_shared and SEEN is helper_shared.SEEN and again.SEEN is not None; return ''")
allow("ok_late_passed_through_import", "",
      "with workflow.unsafe.imports_passed_through():\n    import helper_shared\nassert helper_shared.SEEN is not None; return ''")
allow("ok_string_formatting", "import string, textwrap, re",
      "return string.Template('$a').substitute(a=1) + textwrap.dedent(' x') + re.sub('a+', 'b', 'aaa') + f'{3.14159:.2f}'")
allow("ok_contextlib", "import contextlib\n@contextlib.contextmanager\ndef cm(): yield 1", "with cm() as x, contextlib.ExitStack(): return str(x)")
allow("ok_contextvars", "import contextvars\nV = contextvars.ContextVar('v', default=1)", "V.set(2); return str(V.get())")
allow("ok_exception_group", "", "try: raise ExceptionGroup('g', [ValueError('x')])\nexcept* ValueError: pass\nreturn ''", since=(3, 11))
allow("ok_error_in_a_finaliser", "class X:\n    def __del__(self): 1 / 0", "x = X()\ndel x\nreturn ''")
allow("ok_gc", "import gc, sys, weakref", "gc.collect(); sys.getrefcount(gc); weakref.ref(gc); return str(sys.version_info[0])")
allow("ok_executor_class_unused", "from concurrent.futures import ThreadPoolExecutor, Future", "return ThreadPoolExecutor.__name__ + str(Future().done())")
allow("ok_sqlite_in_memory_by_uri", "import sqlite3",
      "return str([sqlite3.connect(d, uri=True).execute('select 1').fetchone() for d in ('', 'file::memory:?cache=shared', 'file:sg?mode=memory')])")
block("sqlite_file", "import sqlite3", "sqlite3.connect('/tmp/sg-sample.db')  # here\nreturn ''", says="sqlite3.connect")
block("sqlite_path", "import pathlib, sqlite3", "sqlite3.Connection(pathlib.PurePath('/tmp/sg-sample.db'))  # here\nreturn ''", says="sqlite3.Connection")
allow("ok_sqlite_in_memory", "import sqlite3", "return str(sqlite3.connect(':memory:').execute('select 1').fetchone())")
allow("ok_xml", "import xml.etree.ElementTree as E", "return E.fromstring('<a b=\"1\"/>').get('b')")
allow("ok_email_message", "from email.message import EmailMessage", "m = EmailMessage(); m['Subject'] = 'x'; m.set_content('y'); return m.as_string()")
allow("ok_calendar", "import calendar", "return calendar.month(2020, 1) + str(calendar.isleap(2020))")
allow("ok_exception_notes_with_paths", "", "try: raise FileNotFoundError(2, 'x', '/nonexistent')\nexcept OSError as e: return str(e)")

# --- what lies beside the modules is the same on every worker, as they are: while they are imported ------------------------------------------
allow("ok_package_data", "from importlib import resources\nTEXT = resources.files('email').joinpath('architecture.rst').read_text()\n"
      "DATA = (resources.files('email') / 'architecture.rst').read_bytes()", "return TEXT[:5] + str(len(DATA))")
allow("ok_own_file", "import os\nfrom pathlib import Path\nBASE = Path(__file__).resolve().parent\nTEXT = Path(__file__).read_text()\n"
      "with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.path.basename(__file__))) as f: AGAIN = f.read()\n"
      "THERE = [Path(__file__).exists(), os.path.isfile(__file__), BASE.is_dir(), (BASE / 'nothing').exists()]",
      "assert TEXT == AGAIN and THERE == [True, True, True, False]; return BASE.name")
allow("ok_own_place", "import os\nfrom pathlib import Path", "return Path(__file__).resolve().name + os.path.basename(os.path.realpath(__file__))")
block("own_file_at_run_time", "from pathlib import Path", "return Path(__file__).read_text()", says="pathlib.Path.read_text")
block("own_file_exists_at_run_time", "import os", "return str(os.path.exists(__file__))", says="os.path.exists")
block("another_place", "from pathlib import Path", "return str(Path('/etc/localtime').resolve())", says="pathlib.Path.resolve")
block("own_file_written", "from pathlib import Path\nPath(__file__).with_name('written').write_text('x')  # here", "return ''", says="pathlib.Path.write_text")
block("own_file_time", "from pathlib import Path\nTIME = Path(__file__).stat().st_mtime  # here", "return ''", says="pathlib.Path.stat")
block("file_elsewhere", "from pathlib import Path\nPath('/etc/hostname').read_text()  # here", "return ''", says="pathlib.Path.read_text")
block("relative_file", "from pathlib import Path\nPath('data').exists()  # here", "return ''", says="pathlib.Path.exists")

_INSTALLED = "import helper_installed"

# --- what is installed is the same on every worker, at any time ------------------------------------------------------------------------
allow("ok_installed_files", "import os, email\nfrom pathlib import Path\nfrom importlib import resources",
      "d = os.path.dirname(email.__file__)\np = Path(d) / 'architecture.rst'\n"
      "assert os.path.exists(d) and os.path.isfile(d + '/message.py') and p.is_file() and not os.path.exists(d + '/sg.json')\n"
      "return p.read_text()[:3] + open(d + '/message.py', encoding='utf-8').read(3) + resources.files('email').joinpath('architecture.rst').read_text()[:3]")
allow("ok_zone_database_files", "import os", "for place in ('/usr/share/zoneinfo', '/usr/lib/zoneinfo'): os.path.isfile(place + '/Europe/Berlin')\nreturn ''")
allow("ok_installed_library_lists_and_asks", _INSTALLED, "return str(helper_installed.newest())")
allow("ok_installed_library_translates", _INSTALLED, "return helper_installed.greeting()")
block("installed_file_written", "import email", "open(email.__file__ + '.sg', 'w')  # here\nreturn ''", says="open")
block("installed_file_time", "import os, email", "return str(os.stat(email.__file__).st_mtime)", says="os.stat")
block("installed_files_listed", "import os, email", "return str(os.listdir(os.path.dirname(email.__file__)))", says="os.listdir")
block("file_by_linecache", "import linecache", "return linecache.getline('/etc/passwd', 1)", says="linecache.getline")
block("file_by_linecache_whole", "import linecache", "return str(linecache.getlines('/etc/passwd'))", says="linecache.getlines")
block("file_by_tokenize", "import tokenize", "return tokenize.open('/etc/passwd').read()", says="tokenize.open")
block("file_by_loader", "from importlib.machinery import SourceFileLoader", "return str(SourceFileLoader('x', '/etc/passwd').get_data('/etc/passwd'))",
      says="get_data")
allow("ok_sources_by_linecache", "import inspect, json, linecache, pkgutil, tokenize, traceback",
      "linecache.getline(json.__file__, 1); linecache.getline(__file__, 1); tokenize.open(json.__file__).close(); pkgutil.get_data('json', '__init__.py'); inspect.getsource(json.dumps)\n"
      "try: 1 / 0\nexcept ArithmeticError: return traceback.format_exc()")
block("installed_file_left", "import os, email", "return str(os.path.exists(os.path.dirname(email.__file__) + '/../../../../../etc/hostname'))", says="os.path.exists")
block("host_zone_file", "import os", "return str(os.path.exists('/etc/localtime'))", says="os.path.exists")

# --- what a library asks for while the file is imported, and a global keeps ----------------------------------------------------
_SETTINGS = _INSTALLED + "\nCFG = helper_installed.Settings()  # here\n"
for _name, _top, _body in [
    ("by_the_run", "", "return CFG.path[:0]"),
    ("by_a_function", "def path(): return CFG.path\ndef other(): return path()", "return other()[:0]"),
    ("by_a_class", "class Own:\n    @property\n    def path(self): return CFG.path\nOWN = Own()", "return OWN.path[:0]"),
    ("by_a_decorated_function", "import functools\n@functools.lru_cache\ndef path(): return CFG.path", "return path()[:0]"),
    ("by_a_nested_function", "", "return (lambda: [CFG.path for i in range(2)])()[0][:0]"),
    ("by_what_was_made_of_it", "HOME = CFG.path or 'x'\nSHORT = HOME[:0]", "return SHORT"),
]:
    kept(f"kept_used_{_name}", _SETTINGS + _top, _body, says="os.environ")
for _name, _top, _body in [
    ("by_name", "from helper_settings import CFG", "cfg = CFG"),
    ("by_module", "import helper_settings", "cfg = helper_settings.CFG"),
    ("by_another_name", "from helper_settings import CFG as C", "cfg = C"),
    ("in_a_function", "", "import helper_settings as h\ncfg = h.CFG"),
    ("by_its_function", "import helper_settings", "cfg = helper_settings.settings()"),
]:
    kept(f"kept_imported_{_name}", _top or "import helper_settings as _", _body + "\nreturn str(cfg)[:0]", says="helper_settings.py:4")
for _name, _line, _body in [
    ("or", "CFG = helper_installed.Settings() or 1  # here", "return str(CFG)[:0]"),
    ("subscript", "CFG = [helper_installed.Settings().path][0]  # here", "return CFG[:0]"),
    ("choice", "CFG = 'a' if helper_installed.Settings().path else 'b'  # here", "return CFG"),
    ("tuple", "A, (B, CFG) = 1, (2, helper_installed.Settings())  # here", "return str(CFG)[:0]"),
    ("chain", "A = CFG = helper_installed.Settings()  # here", "return str(CFG)[:0]"),
    ("list", "CFG = [helper_installed.Settings() for i in range(2)]  # here", "return str(CFG)[:0]"),
    ("several_lines", "CFG = {\n    'a': helper_installed.Settings(),  # here\n    'b': 2,\n}", "return str(CFG)[:0]"),
    ("annotation", "CFG: object = helper_installed.Settings()  # here", "return str(CFG)[:0]"),
    ("function", "def make(): return helper_installed.Settings()  # here\nCFG = make()", "return str(CFG)[:0]"),
    ("class_body", "class CFG:\n    value = helper_installed.Settings()  # here\n    other = 1", "return str(CFG.value)[:0]"),
    ("dataclass", "import dataclasses\n@dataclasses.dataclass\nclass CFG:\n    path: str = helper_installed.Settings().path  # here",
     "return str(CFG())[:0]"),
    ("default_argument", "def path(cfg=helper_installed.Settings()): return cfg  # here", "return str(path())[:0]"),
    ("default_argument_of_several_lines", "def path(\n    *,\n    cfg=helper_installed.Settings(),  # here\n): return cfg", "return str(path())[:0]"),
    ("default_argument_of_a_method", "class C:\n    @staticmethod\n    def path(cfg=helper_installed.Settings()): return cfg  # here", "return str(C.path())[:0]"),
    ("lambda", "path = lambda cfg=helper_installed.Settings(): cfg  # here", "return str(path())[:0]"),
    ("closure", "def make():\n    cfg = helper_installed.Settings()  # here\n    return lambda: cfg\npath = make()", "return str(path())[:0]"),
    ("method_of_a_list", "LIST = []\nLIST.append(helper_installed.Settings())  # here", "return str(LIST)[:0]"),
    ("item", "TABLE = {}\nTABLE['a', 1] = helper_installed.Settings()  # here", "return str(TABLE)[:0]"),
    ("item_of_what_was_made_of_it", "TABLE = {}\nCFG = helper_installed.Settings()  # here\nTABLE['a'] = CFG", "return str(TABLE)[:0]"),
    ("attribute", "import types\nNAMES = types.SimpleNamespace()\nNAMES.cfg = helper_installed.Settings()  # here", "return str(NAMES)[:0]"),
    ("attribute_of_a_function", "def path(): return path.cfg\npath.cfg = helper_installed.Settings()  # here", "return str(path())[:0]"),
    ("attribute_of_a_class", "class C: cfg = None\nC.cfg = helper_installed.Settings()  # here", "return str(C.cfg)[:0]"),
    ("attribute_of_a_module", "import helper_settings\nhelper_settings.ONE = helper_installed.Settings()  # here", "return str(helper_settings.ONE)[:0]"),
    ("own_method", "class C:\n    def load(self): self.cfg = helper_installed.Settings()  # here\nOWN = C()\nOWN.load()", "return str(OWN.cfg)[:0]"),
    ("global_statement", "CFG = None\ndef load():\n    global CFG\n    cfg = helper_installed.Settings()  # here\n    CFG = cfg\nload()", "return str(CFG)[:0]"),
    ("only_instance", "class C:\n    only = None\n    @classmethod\n    def get(cls):\n        if cls.only is None: cls.only = helper_installed.Settings()  # here\n"
     "        return cls.only\nC.get()", "return str(C.get())[:0]"),
    ("cache", "import functools\n@functools.lru_cache\ndef cfg(): return helper_installed.Settings()  # here\ncfg()", "return str(cfg())[:0]"),
    ("cache_of_a_decorator", "def once(f):\n    known = {}\n    def wrapped():\n        if 1 not in known: known[1] = f()\n        return known[1]\n    return wrapped\n"
     "@once\ndef cfg(): return helper_installed.Settings()  # here\ncfg()", "return str(cfg())[:0]"),
    ("cached_property", "import functools\nclass C:\n    @functools.cached_property\n    def cfg(self): return helper_installed.Settings()  # here\nOWN = C()\nif OWN.cfg: ONE = 1",
     "return str(OWN.cfg)[:0]"),
]:
    kept(f"kept_by_{_name}", _INSTALLED + "\n" + _line, _body, says="os.environ")
for _name, _top, _body in [
    ("not_used", "", "return ''"),
    ("used_by_an_activity", "from temporalio import activity\n@activity.defn\ndef look() -> str: return CFG.path", "return look.__name__"),
    ("used_by_activities_of_a_class", "from temporalio import activity\nclass Acts:\n    def __init__(self): self.cfg = CFG\n    @activity.defn\n"
     "    def look(self) -> str: return self.help()\n    def help(self): return CFG.path", "return Acts.look.__name__"),
    ("used_by_another_workflow", "@workflow.defn\nclass Other:\n    @workflow.run\n    async def run(self) -> str: return CFG.path", "return Other.run.__name__"),
    ("used_by_nobody_s_function", "def look(): return CFG.path", "return ''"),
    ("shadowed", "", "CFG = 'a'\nreturn CFG"),
    ("another_s_attribute", "import types\nN = types.SimpleNamespace(CFG='a')", "return N.CFG"),
    ("dropped", "helper_installed.Settings()\nONE = 1", "return str(ONE)"),
    ("of_a_decorator", "@helper_installed.marked('a')\ndef f(): return 'f'\n@CFG.register\nclass C: pass", "return f() + C.__name__"),
    ("of_a_base_class", "class C(helper_installed.Registered):\n    one = 1", "return str(C().one)"),
    ("other_attribute", "class C:\n    cfg = helper_installed.Settings()\n    one = 1", "return str(C.one)"),
    ("decorators_argument", "def marked(cfg): return lambda f: f\n@marked(helper_installed.Settings())\ndef f(): return 'f'", "return f()"),
    ("item_used_by_an_activity", "TABLE = {}\nTABLE['a'] = CFG\nfrom temporalio import activity\n@activity.defn\ndef look() -> str: return TABLE['a'].path", "return look.__name__"),
    ("cache_used_by_an_activity", "import functools\nfrom temporalio import activity\n@functools.lru_cache\ndef cfg(): return helper_installed.Settings()\ncfg()\n"
     "@activity.defn\ndef look() -> str: return cfg().path", "return look.__name__"),
    ("argument_beside_a_table", "TABLE = {'a': 1}\nstr((TABLE, helper_installed.Settings()))", "return str(TABLE)"),
    ("other_global_of_a_function", "OTHER, CFG2 = 'a', None\ndef load():\n    global CFG2\n    CFG2 = helper_installed.Settings()\nload()", "return OTHER"),
    ("attribute_of_a_logger", "import logging\nLOG = logging.getLogger('sg')\nLOG.cfg = helper_installed.Settings()", "LOG.info('x'); return ''"),
    ("next_statement", "if helper_installed.Settings():\n    ONE = 1", "return str(ONE)"),
    ("logger", "import logging\nLOG = logging.getLogger(CFG.path[:0] + 'sg')", "LOG.info('x'); return ''"),
]:
    setup(f"setup_{_name}", _SETTINGS + _top, _body)
setup("setup_environment_listed_without_the_terminal", _INSTALLED + "\nimport os\nwith workflow.unsafe.sandbox_unrestricted(): os.environ['COLUMNS'] = '91'\n"
      "helper_installed.whole_environment()")
setup("setup_imported_not_used", "import helper_settings", "return str(helper_settings.ONE)")

# --- how a library divides its work, whether it is watched -----------------------------------------------------------------------------
allow("ok_installed_library_asks_for_processors", _INSTALLED, "return str(helper_installed.divide(range(9)) == list(range(9)))")
block("installed_library_tells_processors", _INSTALLED, "return str(helper_installed.cpu_count())", says="os.cpu_count")
# There is no terminal, whatever the worker has.
_TERMINAL = "with workflow.unsafe.sandbox_unrestricted(): os.environ.update(COLUMNS='91', NO_COLOR='1')\n"
allow("ok_terminal_size", "import os, shutil", _TERMINAL + "assert os.get_terminal_size() == shutil.get_terminal_size() == (80, 24)\nreturn ''")
allow("ok_terminal_variables", "import os", _TERMINAL + "assert os.environ.get('COLUMNS') is os.getenv('LINES') is None and 'NO_COLOR' not in os.environ\n"
      "try: os.environ['COLUMNS']\nexcept KeyError: return os.environ.get('NO_COLOR', '')")
allow("ok_terminal_help", "import argparse, optparse, os", _TERMINAL + "assert argparse.HelpFormatter('x')._width == optparse.IndentedHelpFormatter().width == 78\nreturn ''")
allow("ok_terminal_none", "import os", "assert os.isatty(0) is False\nreturn ''")
_STREAM = "with workflow.unsafe.sandbox_unrestricted(): a, b = os.openpty(); s = open(b, 'w')\n"
allow("ok_terminal_no_stream", "import os", _STREAM + "try: assert s.isatty() is s.buffer.isatty() is s.buffer.raw.isatty() is False\n"
      "finally:\n    with workflow.unsafe.sandbox_unrestricted(): s.close(); os.close(a)\nreturn ''")
_RECORD = "import io, logging\nclass L(logging.Logger):\n    def handle(self, r): self.seen = r.process, r.thread, r.threadName, r.created == workflow.time(); super().handle(r)\n"
_LOGGED = "logging.disable(logging.NOTSET)\n{}\nlogging.disable(logging.CRITICAL)\n"
allow("ok_record_seen_by_logger", _RECORD, "l = L('x')\n" + _LOGGED.format("l.error('e')") + "assert l.seen == (0, 0, 'MainThread', True), l.seen\nreturn ''")
allow("ok_record_seen_by_stream", "import io, logging", "l = logging.Logger('x'); b = io.StringIO(); h = logging.StreamHandler(b)\n"
      "h.setFormatter(logging.Formatter('%(process)d %(thread)d %(threadName)s')); l.addHandler(h)\n" + _LOGGED.format("l.error('e')") +
      "assert b.getvalue() == '0 0 MainThread\\n', b.getvalue()\nreturn ''")
allow("ok_terminal_not_for_compiled_code", "import ctypes, os", "with workflow.unsafe.sandbox_unrestricted():\n    a, b = os.openpty(); there_is = ctypes.CDLL(None).isatty; before = there_is(b)\n"
      "try: assert before == 1 and there_is(b) == 0\nfinally:\n    with workflow.unsafe.sandbox_unrestricted(): os.close(a); os.close(b)\nreturn ''")
allow("ok_terminal_of_the_host_s_handler", _PASSED + "\nimport logging", "with workflow.unsafe.sandbox_unrestricted(): helper_shared.SCREEN.begin()\n" +
      _LOGGED.format("helper_shared.SCREEN.logger.error('e')") +
      "with workflow.unsafe.sandbox_unrestricted(): seen = helper_shared.SCREEN.end()\nassert seen == [True], seen\nreturn ''")
allow("ok_record_shown_to_the_workflow", "import logging, multiprocessing", "with workflow.unsafe.sandbox_unrestricted(): multiprocessing.current_process().name = 'x'\n"
      "try: r = logging.LogRecord('l', 40, 'p', 1, 'm', (), None)\nfinally:\n    with workflow.unsafe.sandbox_unrestricted(): multiprocessing.current_process().name = 'MainProcess'\n"
      "assert (r.processName, r.process, r.thread, r.threadName, r.relativeCreated) == ('MainProcess', 0, 0, 'MainThread', 0)\nreturn ''")
allow("ok_record_of_the_host", "import logging\nL = logging.getLogger('sg.record')", _LOGGED.format("L.error('x')") + "return ''")
allow("ok_memory_map", "import mmap", "m = mmap.mmap(-1, 16)\nm[:2] = b'ab'\nreturn bytes(m[:2]).decode()")
block("memory_map_of_a_file", "import mmap", "return str(mmap.mmap(0, 16))", says="mmap.mmap")
block("text_encoding", "import io", "return io.text_encoding(None)", says="text_encoding")
block("process_key", "import multiprocessing", "return str(multiprocessing.current_process().authkey)", says="authkey")
block("process_name", "import multiprocessing", "return multiprocessing.current_process().name", says="multiprocessing.process.BaseProcess.name")
block("process_number", "import multiprocessing", "return str(multiprocessing.current_process().pid)", says="multiprocessing.process.BaseProcess.ident")
block("user_base", "import site", "return str(site.getuserbase())", says="site.getuserbase")
block("user_site", "import site", "return str(site.USER_SITE)", says="site.USER_SITE")
allow("ok_value_that_a_library_reads", _INSTALLED + "\nimport sys\ndef never(): return sys.stdin", "return str(helper_installed.is_piped())[:0]")
strict("values_by_vars", "import sys", "return str(vars(sys)['argv'])", says="sys.__dict__")
block("path_of_user", "import sysconfig", "return sysconfig.get_path('scripts', 'posix_user')", says="sysconfig.get_path")
allow("ok_path_of_installation", "import sysconfig", "return sysconfig.get_path('stdlib') + str(sysconfig.get_config_vars()['userbase'] is None)")
block("source_read_again", "import linecache", "return str(linecache.updatecache('/etc/hostname'))", says="linecache.updatecache")
block("log_start", "import logging", "return str(logging._startTime)", says="logging._startTime")
allow("ok_telemetry_switch", "import os", "return str(os.environ.get('LANGSMITH_TRACING')) + str('OTEL_SDK_DISABLED' in os.environ) + str(os.getenv('DO_NOT_TRACK'))")
allow("ok_installed_library_finds_a_variable_not_set", _INSTALLED, "return str(helper_installed.steps('SAMPLE_STEPS'))")
allow("ok_installed_class_with_a_default_from_a_variable_not_set", _INSTALLED, "return helper_installed.Agent('a').model")
block("installed_library_hands_on_a_default", _INSTALLED, "return helper_installed.default_model()", says="os.environ")
block("installed_library_finds_a_variable_set", _INSTALLED, "return str(helper_installed.steps('PATH'))", says="os.environ")
block("installed_library_hands_on_a_variable", _INSTALLED, "return str(helper_installed.env_steps('SAMPLE_STEPS'))", says="os.environ")
block("model_in_the_environment", "import os", "return str(os.environ.get('OPENAI_MODEL'))", says="os.environ")
block("environment_item", "import os", "return os.environ['PATH']", says="os.environ")
block("environment_listed", "import os", "return str(list(os.environ))", says="os.environ")
block("environment_bytes", "import os", "return str(os.environb.get(b'PATH'))", says="os.environ")
allow("ok_pool_until_it_has_work", "from concurrent.futures import ThreadPoolExecutor\nclass Pool(ThreadPoolExecutor): pass\nP = Pool(max_workers=2)\nQ = ThreadPoolExecutor()",
      "return Pool.__name__")
block("pool_with_work", "from concurrent.futures import ThreadPoolExecutor\nP = ThreadPoolExecutor(max_workers=2)", "P.submit(print)  # here\nreturn ''",
      says="concurrent.futures.thread.ThreadPoolExecutor.submit")
allow("ok_path_between_relative_paths", "import os", "assert os.path.relpath('a/../b/x', './c') == '../b/x' and os.path.relpath('a/b') == 'a/b'\nreturn ''")
for _name, _path, _start in [("above", "a/../../b", "c"), ("start_above", "a", "../c"), ("absolute", "/a/b", "c"), ("start_absolute", "a", "/c")]:
    block(f"path_relative_{_name}", "import os", f"return os.path.relpath({_path!r}, {_start!r})", says="os.path.relpath")
allow("ok_mimetypes_own_table", "import mimetypes", "return str(mimetypes.MimeTypes().guess_type('x.csv'))")
allow("ok_state_put_back", "import logging, gc, sys", "a, b, c = logging.root.manager.disable, gc.isenabled(), sys.getrecursionlimit()\n"
      "logging.disable(logging.CRITICAL)\ngc.disable()\nsys.setrecursionlimit(5000)\n"
      "sys.setrecursionlimit(c)\nif b: gc.enable()\nlogging.disable(a)\nreturn ''")

# --- what the interpreter counts, and what it was started with ---------------------------------------------------------------------------
strict("values_referrers", "import gc, json", "return str(len(gc.get_referrers(json)))", says="gc.get_referrers")
for _name, _top, _body, _says in [
    ("collected", "import gc", "return str(gc.collect())", "gc.collect"),
    ("counts", "import gc", "return str(gc.get_count())", "gc.get_count"),
    ("objects", "import gc", "return str(len(gc.get_objects()))", "gc.get_objects"),
    ("references", "import sys, json", "return str(sys.getrefcount(json))", "sys.getrefcount"),
    ("blocks", "import sys", "return str(sys.getallocatedblocks())", "sys.getallocatedblocks"),
    ("threads", "import threading", "return str(len(threading.enumerate()))", "threading.enumerate"),
    ("thread_count", "import threading", "return str(threading.active_count())", "threading.active_count"),
    ("thread_ident", "import threading", "return str(threading.get_ident())", "_thread.get_ident"),
    ("encoding", "import io", "return io.TextIOWrapper(io.BytesIO(b'x')).encoding", "_io.TextIOWrapper"),
    ("file_names", "import sys", "return sys.getfilesystemencoding()", "sys.getfilesystemencoding"),
    ("argv", "import sys", "return str(sys.argv)", "sys.argv"),
    ("exec_prefix_by_format", "import sys", "return '{0.exec_prefix}'.format(sys)", "sys.exec_prefix"),
    ("base_exec_prefix_by_match", "import sys", "match sys:\n    case object(base_exec_prefix=path): return path", "sys.base_exec_prefix"),
    ("orig_argv", "import sys", "return str(sys.orig_argv)", "sys.orig_argv"),
    ("executable", "import sys as s", "return str(s.executable)", "sys.executable"),
    ("prefix", "import sys", "return str(getattr(sys, 'prefix'))", "sys.prefix"),
    ("late_import", "", "from sys import warnoptions  # here\nreturn str(warnoptions)", "sys.warnoptions"),
]:
    block(f"interpreter_{_name}", _top, _body, says=_says)
load("load_argv", "import sys\nPROGRAM = sys.argv[0]  # here", says="sys.argv")
load("load_from_sys_import_argv", "from sys import argv  # here", says="sys.argv")
allow("ok_interpreter_unused", "import gc, sys, threading, io, dataclasses\n@dataclasses.dataclass\nclass X:\n    a: int = 1",
      "gc.collect()\nsys.getrefcount(gc)\nio.TextIOWrapper(io.BytesIO(), encoding='utf-8')\nreturn repr(X()) + sys.version.split()[0] + str(sys.platform)")

# --- what only decides how something is shown, or is only noted ------------------------------------------------------------------------
allow("ok_argparse_import", "import argparse\nP = argparse.ArgumentParser(prog='x', description='y')\nS = P.add_subparsers(dest='c')\n"
      "S.add_parser('a', help='z').add_argument('--n', type=int, choices=[1, 2], required=True)", "return str(P.parse_args(['a', '--n', '1']).n)")
allow("ok_argparse", "import argparse", "p = argparse.ArgumentParser(prog='x')\np.add_argument('-n', type=int)\nreturn str(p.parse_known_args(['-n', '3', 'z']))")
allow("ok_optparse", "import optparse", "p = optparse.OptionParser(prog='x')\np.add_option('-n', type='int', help='y')\nreturn str(p.parse_args(['-n', '3'])[0].n)")
allow("ok_robots", "from urllib.robotparser import RobotFileParser", "r = RobotFileParser()\nr.parse(['User-agent: *', 'Crawl-delay: 2', 'Disallow: /p'])\n"
      "return str([r.can_fetch('b', 'https://x/p'), r.can_fetch('b', 'https://x/'), r.crawl_delay('b')])")
allow("ok_which_thread", "import threading", "return str(threading.current_thread() is threading.main_thread())")
block("argparse_program", "import argparse", "return argparse.ArgumentParser().prog", says="argparse.ArgumentParser")
allow("ok_argparse_help", "import argparse, os", _TERMINAL + "p = argparse.ArgumentParser(prog='x')\np.add_argument('--number', help='a ' * 40)\n"
      "assert p.format_usage() == 'usage: x [-h] [--number NUMBER]\\n' and p.format_help().count('\\n') == 6, p.format_help()\nreturn ''")
allow("ok_argparse_error", "import argparse", "p = argparse.ArgumentParser(prog='x')\np.add_argument('-n', type=int)\n"
      "try: p.parse_args(['-n', 'a'])\nexcept SystemExit as e: return str(e.code)")
for _name in ("usage", "help"):
    block(f"argparse_{_name}_of_the_worker", "import argparse", "with workflow.unsafe.sandbox_unrestricted(): p = argparse.ArgumentParser()\n"
          f"return p.format_{_name}()  # here", says=f"argparse.ArgumentParser.format_{_name}")
block("argparse_worker_arguments", "import argparse", "return str(argparse.ArgumentParser(prog='x').parse_known_args())", says="argparse.ArgumentParser.parse_known_args")
block("argparse_opens", "import argparse", "p = argparse.ArgumentParser(prog='x'); p.add_argument('f', type=open); return str(p.parse_args(['/etc/hostname']))", says="open")
block("argparse_calls_back", "import argparse, uuid",
      "p = argparse.ArgumentParser(prog='x'); p.add_argument('f', type=lambda text: uuid.uuid4()); return str(p.parse_args(['a']))", says="uuid.uuid4")
block("optparse_worker_arguments", "import optparse", "return str(optparse.OptionParser(prog='x').parse_args())", says="optparse.OptionParser.parse_args")
allow("ok_optparse_help", "import optparse", "p = optparse.OptionParser(prog='x')\nreturn p.format_help() + p.get_usage()")
allow("ok_optparse_error", "import optparse", "try: optparse.OptionParser(prog='x').parse_args(['-n'])\nexcept SystemExit as e: return str(e.code)")
block("optparse_program", "import optparse", "return optparse.OptionParser().get_prog_name()", says="optparse.OptionParser.get_prog_name")
block("optparse_help", "import optparse", "return optparse.OptionParser().format_help()", says="optparse.OptionParser.format_help")
block("robots_time", "from urllib.robotparser import RobotFileParser", "r = RobotFileParser(); r.modified(); return str(r.mtime())", says="mtime")
allow("ok_copy_of_a_standard_module", "import importlib.util\nspec = importlib.util.find_spec('_strptime')\nmine = importlib.util.module_from_spec(spec)\n"
      "spec.loader.exec_module(mine)", "return str(mine._strptime('2020', '%Y'))")
block("gettext_call", "import gettext", "return gettext.gettext('x')", says="gettext")
block("thread_shown", "import threading", "return f'{threading.current_thread()}'", says="threading.Thread.__repr__")
block("thread_number", "import threading", "return str(threading.current_thread().ident)", says="threading.Thread.ident")
block("thread_named_by_counting", "import threading", "return threading.Thread().name", says="threading.Thread")

# --- harmless libraries that the SDK or these tests bring along (libraries/ has many more) -------------------------------------------------------------------------------------
for _name, _top, _body in [
    ("httpx", "import httpx", "return str(httpx.URL('http://a/b?c=1'))"),
    ("numpy", "import numpy as np", "return str(np.arange(5).sum())"),
    ("protobuf", "from google.protobuf import struct_pb2", "s = struct_pb2.Struct(); s.update({'a': 1}); return str(s)"),
    ("typing_extensions", "import typing_extensions\nclass T(typing_extensions.TypedDict):\n    a: int", "return str(T(a=1))"),
    ("nexusrpc", "import nexusrpc", "return nexusrpc.__name__"),
]:
    allow(f"library_{_name}", _top, _body)

assert len({c.name for c in CASES}) == len(CASES), "two snippets share a name"

# --- shared state: whatever the way, a change is seen, and gone in the next activation ----------------

def _changes(name, top, change, unchanged, **more):
    """After the next workflow task the expression `unchanged` must hold again."""
    state(f"state_{name}", f"import asyncio\n{top}",
          f"{change}  # here\nawait asyncio.sleep(0.01)\nassert {unchanged}\nreturn ''", **more)


_changes("constant", "import string", "string.digits = 'x'", "string.digits == '0123456789'", says="string.digits")
_changes("new_name", "import string", "string.sg_new = 'x'", "not hasattr(string, 'sg_new')", says="string.sg_new")
_changes("setattr", "import string", "setattr(string, 'digits', 'x')", "string.digits == '0123456789'", says="string.digits")
_changes("deleted", "import string", "del string.digits", "string.digits == '0123456789'", says="string.digits")
_changes("alias", "import string", "for m in [string]: m.digits = 'x'", "string.digits == '0123456789'")
_changes("builtin", "import builtins", "builtins.sg_new = len", "not hasattr(builtins, 'sg_new')", says="builtins.sg_new")
_changes("stdout", "import sys, io", "sys.stdout = io.StringIO()", "sys.stdout is sys.__stdout__", says="sys.stdout")
_changes("class", "import collections", "collections.UserDict.sg_new = 1", "not hasattr(collections.UserDict, 'sg_new')",
         says="collections.UserDict.sg_new")
_changes("metaclass", "import collections.abc", "collections.abc.Sized.sg_new = 1", "not hasattr(collections.abc.Sized, 'sg_new')",
         says="collections.abc.Sized.sg_new")
for _name, _change, _unchanged in [  # each of something else: the snippets of a host run beside each other
    ("wrapper", "functools.update_wrapper(textwrap.indent, own)", "textwrap.indent.__name__ == 'indent'"),
    ("data_class", "dataclasses.dataclass(argparse.Namespace)", "not hasattr(argparse.Namespace, '__dataclass_fields__')"),
    ("name", "textwrap.fill.__name__ = 'x'", "textwrap.fill.__name__ == 'fill'"),
]:
    _changes(f"by_{_name}", "import argparse, dataclasses, functools, textwrap\ndef own(): pass", _change, _unchanged)
_changes("registered", "import collections.abc, fractions", "collections.abc.Sequence.register(fractions.Fraction)",
         "isinstance(fractions.Fraction(1), collections.abc.Sequence)", says="abc.ABCMeta.register")
_changes("enum_class", "import http", "http.HTTPStatus.sg_new = 1", "not hasattr(http.HTTPStatus, 'sg_new')")
_changes("class_by_its_own_metaclass", "import enum", "enum.Enum.sg_new = 1", "not hasattr(enum.Enum, 'sg_new')", says="enum.Enum.sg_new")
_changes("type_setattr", "import collections", "type.__setattr__(collections.UserDict, 'sg_new', 1)",
         "not hasattr(collections.UserDict, 'sg_new')")
_changes("method", "import json", "json.JSONEncoder.default = lambda s, o: 1", "json.JSONEncoder.default.__name__ == 'default'")
_changes("function", "import json", "json.dumps.sg_new = 1", "not hasattr(json.dumps, 'sg_new')", says="json.dumps.sg_new")
_changes("defaults", "import json", "json.dumps.__kwdefaults__ = dict(json.dumps.__kwdefaults__, indent=4)", "json.dumps([1]) == '[1]'")
_changes("mock", "import unittest.mock, string", "unittest.mock.patch.object(string, 'digits', 'x').start()",
         "string.digits == '0123456789'")
_changes("csv_dialect", "import csv", "csv.register_dialect('sg', delimiter=';')", "'sg' not in csv.list_dialects()",
         says="csv.register_dialect")
_changes("csv_limit", "import csv", "csv.field_size_limit(5)", "csv.field_size_limit() != 5", says="csv.field_size_limit")
_changes("adapter", "import sqlite3", "sqlite3.register_adapter(complex, str)", "(complex, sqlite3.PrepareProtocol) not in sqlite3.adapters",
         says="sqlite3.register_adapter")
_changes("codec", "import codecs", "codecs.register(print)", "True", says="codecs.register")
_changes("copyreg", "import copyreg", "copyreg.pickle(range, lambda r: (range, (1,)))", "range not in copyreg.dispatch_table")
_changes("gc", "import gc", "gc.disable()", "gc.isenabled()", says="gc.disable")
_changes("gc_threshold", "import gc", "gc.set_threshold(5, 6, 7)", "gc.get_threshold() != (5, 6, 7)", says="gc.set_threshold")
_changes("recursion", "import sys", "sys.setrecursionlimit(4321)", "sys.getrecursionlimit() != 4321", says="sys.setrecursionlimit")
_changes("profile", "import sys", "sys.setprofile(lambda *a: None)", "sys.getprofile() is None", says="sys.setprofile")
_changes("warnings", "import warnings", "warnings.simplefilter('error', BytesWarning)", "warnings.filters[0][0] != 'error'",
         says="warnings.simplefilter")
_changes("logger_level", "import logging", "logging.getLogger('sg.x').setLevel(7)", "logging.getLogger('sg.x').level == 0",
         says="logging.Logger.setLevel")
_changes("logger_handler", "import logging", "logging.getLogger('sg.x').addHandler(logging.NullHandler())",
         "not logging.getLogger('sg.x').handlers", says="logging.Logger.addHandler")
_changes("level_name", "import logging", "logging.addLevelName(33, 'sg')", "logging.getLevelName(33) == 'Level 33'",
         says="logging.addLevelName")
_changes("calendar", "import calendar", "calendar.setfirstweekday(5)", "calendar.firstweekday() == 0", says="calendar.setfirstweekday")
# What no store tells of, found by the names in the workflow's code.
_changes("list", "import urllib.parse", "urllib.parse.uses_relative.append('sg')", "'sg' not in urllib.parse.uses_relative",
         says="urllib.parse.uses_relative")
_changes("list_by_its_own_name", "from urllib.parse import uses_netloc", "uses_netloc.append('sg')", "'sg' not in uses_netloc",
         says="uses_netloc")
_changes("dict", "import http.client", "http.client.responses[799] = 'sg'", "799 not in http.client.responses", says="http.client.responses")
_changes("dict_of_a_class", "import pprint", "pprint.PrettyPrinter._dispatch[0] = 1", "0 not in pprint.PrettyPrinter._dispatch",
         says="pprint.PrettyPrinter._dispatch")
_changes("object", "import json", "json._default_encoder.sg_new = 1", "not hasattr(json._default_encoder, 'sg_new')",
         says="json._default_encoder.sg_new")
_changes("object_field", "import reprlib", "reprlib.aRepr.maxlist = 1", "reprlib.aRepr.maxlist != 1", says="reprlib.aRepr.maxlist")
_changes("logger_field", "import logging\nL = logging.getLogger('sg.z')", "L.propagate = False", "L.propagate", says="logging.Logger.propagate")
_changes("logger_by_name", "import logging\nlogging.getLogger('sg.n')", "setattr(logging.getLogger('sg.n'), 'sg_new', 1)",
         "not hasattr(logging.getLogger('sg.n'), 'sg_new')")
_changes("logger_by_other_name", "import logging", "logging.getLogger(__name__ + '.sg').propagate = False",
         "logging.getLogger(__name__ + '.sg').propagate", says="logging.Logger.propagate")
_changes("logger_of_an_adapter", "import logging\nA = logging.LoggerAdapter(logging.getLogger('sg.a'), {})",
         "for log in [A.logger] * 99: log.disabled = True", "not A.logger.disabled", says="logging.Logger.disabled")
_changes("dict_of_another_name", "import http.client\nCFG = {'codes': http.client.responses}", "CFG['codes'][799] = 'sg'",
         "799 not in http.client.responses", says="CFG")
_changes("list_of_a_class", "import urllib.parse\nclass Api: seen = urllib.parse.uses_query", "Api.seen.append('sg')",
         "'sg' not in urllib.parse.uses_query", says="Api")
_changes("list_by_a_method", "import urllib.parse\nPUT = urllib.parse.uses_params.append", "PUT('sg')",
         "'sg' not in urllib.parse.uses_params", says="PUT")
_changes("namespace", "import string", "string.__dict__['hexdigits'] = 'x'", "string.hexdigits != 'x'", says="string.hexdigits")
_changes("namespace_that_loads", "import concurrent.futures", "vars(concurrent.futures)['sg_new'] = 1",
         "'sg_new' not in vars(concurrent.futures)", says="concurrent.futures.sg_new")
_changes("namespace_by_a_name_that_is_made", "import textwrap", "vars(textwrap)['sg' + str(1)] = 1", "'sg' + str(1) not in vars(textwrap)", says="textwrap")
_changes("namespace_of_another_name", "import textwrap\nD = vars(textwrap)", "D['sg_new'] = 1", "'sg_new' not in D", says="D")
_changes("namespace_by_a_mock", "from unittest import mock\nimport textwrap", "mock.patch.dict(textwrap.__dict__, {'sg' + str(2): 1}).start()",
         "'sg' + str(2) not in textwrap.__dict__", says="textwrap")
_changes("builtins_of_another_name", "B = __builtins__", "B['sg_new'] = 1", "'sg_new' not in B")
_changes("builtins_of_the_globals", "", "globals()['__builtins__'].update(sg_new=1)", "'sg_new' not in globals()['__builtins__']")
_changes("builtins_of_a_frame", "import sys", "sys._getframe().f_builtins['sg_new'] = 1", "'sg_new' not in sys._getframe().f_builtins")
_changes("gc_callbacks", "import gc", "gc.callbacks.append(print)", "print not in gc.callbacks", says="gc.callbacks")
_changes("single_dispatch", "import pkgutil\nclass Own: pass", "pkgutil.iter_importer_modules.register(Own, print)",
         "Own not in pkgutil.iter_importer_modules.registry", says="pkgutil.iter_importer_modules.register")
_changes("object_of_the_engine", "", "workflow.logger.sg_new = 1", "not hasattr(workflow.logger, 'sg_new')", says="logger.sg_new")
_changes("field_of_the_engine", "", "workflow.logger.full_workflow_info_on_extra = True", "not workflow.logger.full_workflow_info_on_extra",
         says="logger.full_workflow_info_on_extra")
_changes("dict_of_the_engine", "from temporalio.workflow import logger as L", "L.extra['sg'] = 1", "'sg' not in L.extra", says="extra")
_changes("hook_of_the_interpreter", "import sys", "sys.excepthook = print", "sys.excepthook is not print", says="sys.excepthook")
for _part in ("__kwdefaults__", "__annotations__", "__dict__"):
    _changes(f"inside_a_function_{_part}", "import asyncio, functools", f"asyncio.wait.{_part}['sg'] = 1", f"'sg' not in asyncio.wait.{_part}",
             says=f"asyncio.wait.{_part}", before=(3, 14) if _part == "__annotations__" else (4, 0))
_changes("inside_a_function_by_vars", "import textwrap", "vars(textwrap.fill).update(sg=1)", "not hasattr(textwrap.fill, 'sg')", says="textwrap.fill")
_changes("namespace_by_keyword", "import string", "vars(string).update(sg_new=1)", "not hasattr(string, 'sg_new')", says="string.sg_new")
_changes("member_by_a_call", "import http", "http.HTTPStatus(404).sg_new = 1", "not hasattr(http.HTTPStatus(404), 'sg_new')", says="http.HTTPStatus")
_changes("object_of_a_method", "import random", "random.random.__self__.sg_new = 1", "not hasattr(random.random.__self__, 'sg_new')",
         says="random.random")
_changes("thread", "import threading", "threading.current_thread().sg_new = 1", "not hasattr(threading.current_thread(), 'sg_new')",
         says="threading.current_thread()")
_changes("policy", "import asyncio", "asyncio.get_event_loop_policy().sg_new = 1", "not hasattr(asyncio.get_event_loop_policy(), 'sg_new')",
         says="asyncio.get_event_loop_policy", before=(3, 14))
_changes("property_of_an_object", "import calendar", "calendar.c.firstweekday = 5", "calendar.c.firstweekday == 0", says="calendar.c")
# What the worker shares by itself it may want to see: reported, but not put back.
for _name, _change, _now in [
    ("nested", "helper_shared.nested['a']['b'].append(2)", "2 in helper_shared.nested['a']['b']"),
    ("object_in_a_list", "helper_shared.nested['rows'][0].size = 4", "helper_shared.nested['rows'][0].size == 4"),
    ("nested_in_a_tuple", "helper_shared.pair[1]['a']['sg'] = 1", "'sg' in helper_shared.pair[1]['a']"),
    ("below_a_tuple", "helper_shared.nested['pairs'][0][0].append(2)", "helper_shared.nested['pairs'][0][0] == [2]"),
    ("object_in_a_tuple", "helper_shared.nested['pairs'][0][1].size = 4", "helper_shared.nested['pairs'][0][1].size == 4"),
    ("cell", "helper_shared.closed.__closure__[0].cell_contents = 4", "helper_shared.closed() == 4"),
    ("globals_of_a_function", "helper_shared.closed.__globals__['sg' + str(1)] = 4", "helper_shared.closed.__globals__['sg' + str(1)] == 4"),
    ("bytes", "helper_shared.buffer.extend(b'sg')", "b'sg' in helper_shared.buffer"),
    ("array", "helper_shared.numbers[0] += 1", "helper_shared.numbers[0] == 1001"),
    ("mapping", "helper_shared.by_name['sg'] = 1", "'sg' in helper_shared.by_name"),
    ("layers", "helper_shared.layers['sg'] = 1", "'sg' in helper_shared.layers"),
    ("property", "helper_shared.row.width = 4", "helper_shared.row.size == 4"),
]:
    _changes(f"of_a_library_{_name}", _PASSED, _change, _now, says="helper_shared")
_changes("setter_of_a_library", _PASSED, "helper_shared.set_option('sg', 1)", "'sg' in helper_shared.options", says="helper_shared")
_changes("switch_of_a_library", _PASSED, "helper_shared.enable_feature()", "helper_shared.feature", says="helper_shared")
_changes("registry_of_a_library", _PASSED, "helper_shared.registry.register('sg')", "'sg' in helper_shared.registry.known",
         says="helper_shared.registry")
for _change in ("numbered()", "numbered_below()", "numbered_by_iterator()", "numbered_inside()", "NUMBERED.one()", "Numbered.of_class()",
                "numbered_in_a_slot()", "SLOTTED.one()", "Made()", "BY_ITERATOR.one()", "BY_ITERATOR.by_default()", "numbered_on_an_object()",
                "numbered_by_key()"):
    _changes(f"counter_by_{_change}", _PASSED, f"helper_shared.{_change}", "True", says="helper_shared.")
for _change in ("NUMBERS", "LETTERS"):
    _changes(f"iterator_{_change}", _PASSED, f"next(helper_shared.{_change})", "True", says=f"helper_shared.{_change}")
_changes("object_that_loads", _LOADS, "helper_loads.settings.sg_new = 1", "helper_loads.settings.sg_new == 1", says="helper_loads.settings.sg_new")

_OWN_STATE = """import collections, enum, functools, types
class Own(collections.UserDict): pass
class Colour(enum.Enum): RED = 1
def own(): pass
made = types.ModuleType('made')
@functools.wraps(len)
def wrapped(): pass"""
allow("ok_state_own", _OWN_STATE, "Own.x = Colour.x = own.x = made.x = wrapped.x = 1\nT = type('T', (dict,), {})\nT.x = 1\ndel Own.x\nreturn ''")
allow("ok_state_at_import", "import warnings, logging, string\nwarnings.filterwarnings('ignore', 'sg')\n"
      "logging.getLogger('sg.import').setLevel(20)\nstring.sg_import = 1", "return ''")
allow("ok_state_bracket", "import warnings, contextlib, io, decimal",
      "with warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n"
      "with contextlib.redirect_stdout(io.StringIO()): print('x')\n"
      "with decimal.localcontext() as c: c.prec = 3\ndecimal.getcontext().prec = 5\nreturn ''")
allow("ok_state_that_another_workflow_names", "import linecache\nfrom temporalio import activity, workflow\n"
      "@workflow.defn(name='AnotherThanThis')\nclass Another:\n    @workflow.run\n    async def run(self) -> None: linecache.cache['a'] = 1\n"
      "@activity.defn(name='an_activity')\ndef act() -> None: linecache.cache.clear()",
      "linecache.lazycache('snippet-of-test', {'__name__': 'm', '__loader__': type('L', (), {'get_source': lambda s, n: ''})()}); return ''")
allow("ok_state_object_setattr", "import types\nown = types.ModuleType('own')", "def f(): pass\n"
      "for o in own, f:\n    object.__setattr__(o, 'x', 1)\n    type(o).__setattr__(o, 'y', 1)\n    object.__delattr__(o, 'x')\n"
      "return ','.join(k for o in (own, f) for k in vars(o) if len(k) == 1)")
allow("ok_state_unrestricted", "import string, html.entities, csv",
      "with workflow.unsafe.sandbox_unrestricted():\n    string.sg_free = 1\n    html.entities.entitydefs['sg'] = 'x'\n    csv.field_size_limit(131071)\n"
      "return ''")
allow("ok_state_asked", "import csv, gc, sys, logging", "csv.field_size_limit(); gc.get_threshold(); sys.getrecursionlimit()\n"
      "logging.getLogger('sg.y').isEnabledFor(10)\nlogging.getLogger('sg.y').info('x')\nreturn ''")
allow("ok_state_of_a_library", "import copy, collections, re, typing, dataclasses",
      "copy.copy(collections.UserDict(a=1)); re.compile('sg' + 'x')\n"
      "@dataclasses.dataclass\nclass D:\n    x: typing.List[int]\ntyping.get_type_hints(D)\nreturn ''")
allow("ok_state_loaded_by_a_library", _LOADS, "vars(helper_loads)\nassert helper_loads.Late() == {} and callable(helper_loads.Later)\n"
      "return helper_loads.settings.late")
for _name, _change, _now in [
    ("global", "helper_shared.get_settings()['sg'] = 1", "'sg' in helper_shared.get_settings()"),
    ("remembered", "d = helper_shared.remembered(); d['sg'] = 1", "'sg' in helper_shared.remembered()"),
    ("remembered_for_ever", "helper_shared.remembered_for('sg').x = 1", "hasattr(helper_shared.remembered_for('sg'), 'x')"),
    ("single", "helper_shared.Single().sg = 1", "hasattr(helper_shared.Single(), 'sg')"),
    ("single_of_a_metaclass", "helper_shared.SingleByMetaclass().sg = 1", "hasattr(helper_shared.SingleByMetaclass(), 'sg')"),
    ("class", "helper_shared.class_for('Sg').sg = 1", "hasattr(helper_shared.class_for('Sg'), 'sg')"),
    ("method_by_class", "helper_shared.Renderer.render.register(int, print)", "True"),
]:
    _changes(f"handed_out_{_name}", _PASSED, _change, _now, says="helper_shared")
_changes("handed_out_later", _PASSED + "\nimport asyncio", "d = helper_shared.remembered_later(); await asyncio.sleep(0.001); d['sg'] = 1",
         "'sg' in helper_shared.remembered_later()", says="helper_shared")
_changes("class_that_compiled_code_keeps", "import ctypes\nKEPT = ctypes.c_int * 3", "(ctypes.c_int * 3).sg_new = 1", "True", says="sg_new")
allow("ok_state_handed_out", _PASSED + "\nimport asyncio", "d = dict(helper_shared.get_settings())\nd['sg'] = helper_shared.remembered_for('other')\n"
      "for n in range(9): d[n] = helper_shared.remembered_once(n), helper_shared.late(), helper_shared.Late()\n"
      "await asyncio.sleep(0.001)\nfor n in range(99): d[n] = helper_shared.remembered_once(n)\nreturn ''")
allow("ok_state_own_classes", "import collections, dataclasses, enum, typing\nclass B:\n    def __init_subclass__(cls): cls.kept = []\n"
      "class M(type):\n    def __new__(m, n, b, d):\n        c = super().__new__(m, n, b, d)\n        c.made = 1\n        return c",
      "class C(B): pass\nclass D(metaclass=M): pass\nfor c in (C, D, collections.namedtuple('N', 'a'), dataclasses.make_dataclass('P', ['a']),\n"
      "          enum.Enum('E', 'X Y'), typing.NamedTuple('T', [('a', int)])): c.sg_new = 1\nreturn ''")
allow("ok_state_cache_of_a_library", _PASSED, "assert helper_shared.look_up('sg') == 'sg'\nreturn ''")
allow("ok_state_logger_own", "import logging", "l = logging.Logger('own')\nl.setLevel(10)\nl.addHandler(logging.NullHandler())\nreturn ''")
