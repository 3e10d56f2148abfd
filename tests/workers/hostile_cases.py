"""What a workflow can do to get around its guards, and what becomes of it: see cases.py for the format. The verdicts:

    stopped   refused in enforce and in strict
    reported  strict refuses, enforce lets it pass with a warning
    fails     it does not get there, with Python's own exception
    nothing   completes, and nothing is gained by it
    passes    completes, and nobody hears of it: `why` says why that is left so

.github/SECURITY.md tells the whole by kinds. Each of them leaves the worker alive and guarded: the last case sees to it.
"""
import functools

import cases

CASES = []
case = cases.adding_to(CASES, "hostile_")
stopped, reported, fails, nothing, passes = (functools.partial(case, v) for v in ("stopped", "reported", "fails", "nothing", "passes"))


# --- compiled code and memory -------------------------------------------------------------------------------------------
stopped("ctypes_library", "import ctypes", "return str(ctypes.CDLL(None).time(None))", says="ctypes.CDLL")
stopped("ctypes_open", "import _ctypes", "return str(_ctypes.dlopen(None, 2))", says="_ctypes.dlopen")
stopped("ctypes_calls_python", "import ctypes, time", "f = ctypes.pythonapi.PyObject_CallNoArgs\nf.restype, f.argtypes = ctypes.py_object, [ctypes.py_object]\n"
        "return str(f(time.time))", says="time.time")
passes("ctypes_memory", "import ctypes, time", "return str(bool(ctypes.c_void_p.from_address(id(time.time) + 16).value))",
       why="memory is read and written without a call; who writes there can end the worker as well")

# --- what the collector knows -----------------------------------------------------------------------------------------------
_LEAK = "class Leak:\n    def __eq__(self, other): self.got = other; return False\nl = Leak()\n"
stopped("collector_objects", "import gc", "return str(len(gc.get_objects()))", says="gc.get_objects")
reported("collector_referrers", "import gc, time", "return str(len(gc.get_referrers(time.time)))", says="gc.get_referrers")
nothing("collector_referents", "import gc, os, threading, uuid",
        "for f in (uuid.uuid4, threading.Thread.start, os.environ):\n    assert not [o for o in gc.get_referents(f) if type(o).__name__ == 'PyCapsule']\nreturn ''")
stopped("type_dict_entry_still_guarded", "import datetime\n" + _LEAK, "datetime.datetime.__dict__ == l\nnow = l.got['now'].__get__(None, datetime.datetime)\n"
        "return str(now())", says="datetime.datetime.now")
# From 3.15 on Path has no attribute by then.
passes("type_dict_entry", "import pathlib\n" + _LEAK, "pathlib.Path.__dict__ == l\nl.got['sg_new'] = 1\nassert pathlib.Path.sg_new\ndel l.got['sg_new']\nreturn ''",
       why="CPython itself does not expect that a class changes in this way, its caches keep dead objects", before=(3, 15))
passes("finaliser_in_a_cycle", "import gc, time\nT = []\nclass X:\n    def __del__(self): T.append(time.time())",
       "x = X(); x.me = x; del x\ngc.collect()\nreturn str(T)", why="the collector runs them wherever it is, also for another run or the host")
stopped("weak_reference_callback", "import time, weakref\nT = []\nclass X: pass", "x = X(); w = weakref.ref(x, lambda r: T.append(time.time())); del x\nreturn str(T)")
stopped("finalize", "import time, weakref\nT = []\nclass X: pass", "x = X(); weakref.finalize(x, lambda: T.append(time.time())); del x\nreturn str(T)")

# --- attributes of what is guarded -----------------------------------------------------------------------------------------
for _name, _top, _change in [
    ("function", "import time", "time.time = lambda: 7"),
    ("code", "import uuid", "uuid.uuid4.__code__ = (lambda: 7).__code__"),
    ("method_code", "import threading", "threading.Thread.start.__code__ = (lambda self: 7).__code__"),
    ("bases", "import threading\nclass B(threading.Thread): pass", "threading.Timer.__bases__ = (B,)"),
    ("init", "import random", "random.Random.__init__ = lambda self: None"),
    ("deleted_method", "import threading", "del threading.Thread.start"),
    ("module_class", "import os, types", "os.__class__ = types.ModuleType"),
    ("import_function", "import builtins", "builtins.__import__ = lambda *a, **k: 7"),
    ("import_system", "import importlib._bootstrap as b", "b._find_and_load = lambda n, i: 7"),
    ("modules", "import sys", "sys.modules = dict(sys.modules)"),
    ("finders", "import sys", "sys.meta_path = []"),
    ("exception_init", "from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError as E", "E.__init__ = lambda self, *a, **k: 1 / 0"),
    ("exception_new", "from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError as E", "E.__new__ = lambda *a, **k: None"),
    ("sdk_flag", "", "workflow.unsafe.in_sandbox = lambda: False"),
    ("builtins_dict", "", "vars(__import__('builtins'))['sg_len'] = len"),
]:
    reported(f"changed_{_name}", _top, f"{_change}\nreturn ''")
passes("module_class_by_object", "import os, types", "object.__setattr__(os, '__class__', types.ModuleType)\nreturn os.name",
       why="frozen classes call it all the time; the class of the module is put right at the next activation")
reported("module_entry", "import sys", "return str(vars(sys)['argv'])", says="sys.__dict__")
passes("module_entry_of_time", "import time", "return str(vars(time)['tzname'])", why="an entry of a dict is read without a call")
stopped("environment_data", "import os", "return str(vars(os.environ)['_data'])", says="os.environ")
stopped("environment_of_posix", "import posix", "return str(posix.environ.get(b'PATH'))", says="os.environ")
stopped("environment_class", "import os", "return type(os.environ).__getitem__(os.environ, 'PATH')", says="os.environ")
stopped("environment_code", "import os, types", "f = type(os.environ).__getitem__\nreturn types.FunctionType(f.__code__, f.__globals__)(os.environ, 'PATH')", says="os.environ")

# --- slots, pickle, copies ---------------------------------------------------------------------------------------------------
stopped("slot_call", "import posix", "return str(type(posix.getpid).__call__(posix.getpid))", says="getpid")
stopped("slot_methodcaller", "import posix, operator", "return str(list(map(operator.methodcaller('__call__'), [posix.getpid])))", says="getpid")
stopped("slot_context", "import contextvars, time", "return str(contextvars.copy_context().run(time.time))", says="time.time")
stopped("slot_tracing", "import sys, time", "return str(sys.call_tracing(time.time, ()))", says="time.time")
stopped("file_init", "import io\nF = io.FileIO.__new__(io.FileIO)", "F.__init__('/etc/hostname'); return str(F.read())", says="_io.FileIO")
stopped("socket_init", "import _socket", "s = _socket.socket.__new__(_socket.socket); _socket.socket.__init__(s); return str(s.fileno())", says="_socket.socket")
stopped("process_primitive", "import _posixsubprocess", "return str(_posixsubprocess.fork_exec(*[()] * 23))", says="fork_exec")
stopped("pickle_name", "import pickle", "return str(pickle.loads(b'ctime\\ntime\\n(tR.'))", says="time.time")
stopped("pickle_reduce", "import pickle, time\nclass X:\n    def __reduce__(self): return time.time, ()", "return str(pickle.loads(pickle.dumps(X())))  # here", says="time.time")
stopped("copy_reduce", "import copy, os\nclass X:\n    def __reduce_ex__(self, p): return os.getpid, ()", "return str(copy.copy(X()))", says="os.getpid")
stopped("random_shared_copy", "import random, copy", "return str(copy.deepcopy(random._inst).random())", says="random.getstate")
stopped("random_shared_reduce", "import random", "return str(random._inst.__reduce_ex__(2)[2][1][:2])", says="random.getstate")
stopped("random_shared_unbound", "import _random, random", "return str(_random.Random.getrandbits(random._inst, 9))", says="random.getrandbits")
stopped("random_made_by_copyreg", "import copyreg, random", "return str(copyreg.__newobj__(random.Random).random())", says="random.Random.random")
stopped("random_seeded_again", "import _random, random", "r = random.Random(1)\n_random.Random.__init__(r)\nreturn str(r.random())", since=(3, 12))
stopped("random_seed_unbound", "import _random, random", "r = random.Random(1)\n_random.Random.seed(r)\nreturn str(r.random())")
stopped("function_copy", "import uuid, types", "f = uuid.uuid4\nreturn str(types.FunctionType(f.__code__, dict(f.__globals__))())")

# --- code that says that it is another's -------------------------------------------------------------------------------------
_ASKS = "def f():\n    import time\n    return time.time()"
for _name in "logging", "pydevd", "temporalio.worker._workflow_instance":
    stopped(f"named_{_name.split('.')[0]}", "", f"g = {{'__name__': '{_name}'}}\nexec('import time\\nr = time.time()', g)\nreturn str(g['r'])", says="time.time")
stopped("renamed_itself", "import time", "globals()['__name__'] = 'pydevd'\ntry: return str(time.time())  # here\nfinally: globals()['__name__'] = type(self).__module__", says="time.time")
stopped("file_name", "import logging", "g = {}\nexec(compile('import time\\nr = time.time()', logging.__file__, 'exec'), g)\nreturn str(g['r'])", says="time.time")
stopped("code_name", _ASKS + "\nf.__code__ = f.__code__.replace(co_filename='/usr/lib/python3/logging/__init__.py', co_name='time')", "x = f()\nreturn str(x)", says="time.time")
stopped("globals_of_a_library", "import json, types\n" + _ASKS, "g = types.FunctionType(f.__code__, json.__dict__)\nreturn str(g())", says="time.time")
stopped("module_made", "import types\n" + _ASKS, "g = types.FunctionType(f.__code__, types.ModuleType('bdb').__dict__ | {'__builtins__': __builtins__})\nreturn str(g())", says="time.time")
reported("executed_in_a_sink", "import logging", "exec('sg_r = 1', logging.__dict__)\nlogging.sg_r\nreturn ''")
passes("globals_of_a_sink", "import bdb, types\n" + _ASKS, "return str(types.FunctionType(f.__code__, bdb.__dict__)())",
       why="who executes code in another's namespace says that it is the other's")
passes("debugger", "import bdb, time", "return str(bdb.Bdb().runcall(time.time))", why="what a debugger runs is what its user types")
nothing("own_builtins", "", "g = {'__builtins__': {'len': len}}\nexec('r = len([])', g)\nreturn str(g['r'])")

# --- who calls it --------------------------------------------------------------------------------------------------------------
stopped("scheduled", "import asyncio, itertools, os\nT = []", "asyncio.get_running_loop().call_soon(T.extend, itertools.starmap(os.urandom, [(8,)]))\n"
        "await asyncio.sleep(0.01)\nreturn str(T)", says="os.urandom")
stopped("scheduled_library", "import asyncio, random", "x = list(range(9))\nasyncio.get_running_loop().call_later(0.01, random.shuffle, x)\n"
        "await asyncio.sleep(0.1)\nreturn str(x)", says="random.shuffle")
stopped("condition", "import functools, os", "await workflow.wait_condition(functools.partial(os.path.exists, '/etc/hostname'))\nreturn ''", says="os.path.exists")
stopped("awaited", "import time\nclass A:\n    def __await__(self): return iter(time.time, None)", "await A()\nreturn ''", says="time.time")
# From 3.14 on the host's tasks are not to be found that way.
stopped("host_loop", "import asyncio", "async def f(): pass\n"
        "for t in list(getattr(asyncio.tasks, '_scheduled_tasks', ())) + list(getattr(asyncio.tasks, '_all_tasks', ())):\n"
        "    if isinstance(t.get_loop(), asyncio.BaseEventLoop):\n        c = f()\n        try: asyncio.run_coroutine_threadsafe(c, t.get_loop())\n"
        "        finally: c.close()\nreturn ''", says="asyncio.run_coroutine_threadsafe", before=(3, 14))
stopped("thread_bootstrap", "import threading", "t = threading.Thread(target=int)\nt._started.set()\nt._bootstrap()\nreturn ''")
stopped("other_threads", "import sys", "return str(len(sys._current_frames()))", says="sys._current_frames")
stopped("profile_callback", "import sys, time\nT = []", "def p(frame, event, arg):\n    if event == 'c_call': T.append(time.time())\n"
        "sys.setprofile(p)\nlen([])\nsys.setprofile(None)\nreturn str(T)", says="time.time")
stopped("trace_callback", "import sys, time\nT = []", "def p(frame, event, arg): T.append(time.time())\nsys.settrace(p)\n(lambda: 0)()\nsys.settrace(None)\nreturn str(T)", says="time.time")
reported("audit_hook", "import sys", "sys.addaudithook(lambda *a: None)\nreturn ''", says="sys.addaudithook")
nothing("frame_trace", "import sys, time\nT = []", "f = sys._getframe(); f.f_trace = lambda *a: T.append(time.time())\nx = 1\nassert not T\nreturn ''")
stopped("frame_builtins", "import sys", "return str(sys._getframe().f_builtins['open']('/etc/hostname'))", says="open", since=(3, 11))
nothing("frames_cleared", "import sys", "f = sys._getframe().f_back\nwhile f:\n    try: f.clear()\n    except RuntimeError: pass\n    f = f.f_back\nreturn ''")
stopped("deep", "import os, sys\ndef f():\n    try: os.environ['x']; __import__('wave')\n    except RecursionError: raise\n    except Exception: pass\n    f()",
        "try: f()\nexcept RecursionError: pass\nreturn ''")
stopped("swallowed_and_undone", "import time", "try: time.time()  # here\nexcept Exception as e: e.__traceback__ = None\nreturn ''")
nothing("flag_by_hand", "import time", "workflow._sandbox_unrestricted.value = True\ntime.time()\nworkflow._sandbox_unrestricted.value = False\nreturn ''",
        why="it is what workflow.unsafe.sandbox_unrestricted() does")

# --- modules -------------------------------------------------------------------------------------------------------------------
for _name in "_random", "_socket", "_io", "select", "posix", "time":
    stopped(f"made_again_{_name}", "import importlib.util, select, socket", f"s = importlib.util.find_spec('{_name}')\nm = importlib.util.module_from_spec(s)\n"
            "s.loader.exec_module(m)\nreturn str(m)", says="importlib.util.module_from_spec")
stopped("made_again_by_hand", "import _imp, types", "return str(_imp.create_builtin(types.SimpleNamespace(name='time')))", says="_imp.create_builtin")
stopped("executed_again", "import importlib.util", "s = importlib.util.find_spec('uuid')\nm = importlib.util.module_from_spec(s)\ns.loader.exec_module(m)\nreturn str(m.uuid4())", says="uuid.uuid4")
reported("reloaded", "import json, importlib", "importlib.reload(json)\nreturn ''", says="importlib.reload")
fails("host_module_deleted", "import sys", "del sys.modules['time']\nreturn ''")
stopped("modules_cleared", "import sys", "sys.modules.clear()\nimport time\nreturn str(time.time())  # here", says="time.time")
nothing("modules_changed", "import sys, types", "m = sys.modules\nm.update([('sg_a', types.ModuleType('sg_a'))], sg_b=types.ModuleType('sg_b'))\n"
        "m |= {'sg_c': types.ModuleType('sg_c')}\nimport sg_a, sg_b, sg_c\nm.popitem(); m.clear()\nimport json\nreturn json.dumps(1)")
nothing("module_replaced", "import sys, types", "m = types.ModuleType('time'); m.time = lambda: 7; sys.modules['time'] = m\nimport time\nassert time.time() == 7\nreturn ''")
fails("modules_class", "import sys", "sys.modules.__class__ = dict\nreturn ''")
passes("modules_of_the_host", "import sys", "return str(dict.get(sys.modules, '__main__').__file__)", why="dict's own methods cannot be told from those of any other dict")
stopped("bootstrap", "import importlib._bootstrap as b", "return str(b._gcd_import('time').time())", says="time.time")
stopped("source_of_a_traceback", "import linecache", "return linecache.getlines('/etc/hostname')[0]", says="linecache.getlines")
stopped("file_of_a_loader", "import importlib.machinery as m", "return str(m.SourceFileLoader('x', '/etc/hostname').get_data('/etc/hostname'))", says="get_data")

# --- the end of the worker -------------------------------------------------------------------------------------------------------
stopped("exit", "import os", "os._exit(3)", says="os._exit")
stopped("abort", "import os", "os.abort()", says="os.abort")
stopped("signal", "import signal", "signal.raise_signal(signal.SIGSEGV)\nreturn ''", says="raise_signal")
stopped("crash", "import faulthandler", "faulthandler._sigsegv()", says="faulthandler._sigsegv")
stopped("exit_functions", "import atexit", "atexit._run_exitfuncs()\nreturn ''", says="atexit._run_exitfuncs")
stopped("exit_functions_dropped", "import atexit", "atexit._clear()\nreturn ''", says="atexit._clear")
stopped("interrupt", "import _thread", "_thread.interrupt_main()\nreturn ''", says="interrupt_main")
stopped("sub_interpreter", "", "import _interpreters as i\ni.create()  # here\nreturn ''", says="_interpreters.create", since=(3, 13))
nothing("sub_interpreter_unrestricted", "", "with workflow.unsafe.sandbox_unrestricted():\n    try: import _interpreters as i\n    except ImportError: import _xxsubinterpreters as i\n"
        "    n = i.create()\n    i.run_string(n, 'import time, sys; time.time(); sys.sg_own = 1')\n    i.destroy(n)\nreturn ''")
stopped("own_arguments", "import time, os, random\nclass I:\n    def __index__(self): return 1 / 0\n    __int__ = __float__ = __fspath__ = __bool__ = __eq__ = __hash__ = __index__",
        "for f in (time.localtime, time.strftime, os.stat, os.listdir, open, random.Random, random.seed, os.getenv, os.environ.get):\n    try: f(I())\n"
        "    except Exception: pass\nreturn ''")
stopped("key_that_runs_code", "", "class K(str):\n    def __hash__(self): return hash('__name__')\n    def __eq__(self, other):\n        import time; return bool(time.time())\n"
        "g = {K('x'): 'bdb'}\nexec('import time\\nr = time.time()', g)\nreturn str(g['r'])")

stopped("zz_all_guards_stand", "import time, os, random, threading, uuid",
        "for f in (time.time, os.getpid, random.random, uuid.uuid4, threading.Thread(target=int, name='t').start, lambda: open('/etc/hostname')):\n"
        "    try: f()\n    except Exception as e: assert 'Restricted' in type(e).__name__\n    else: return repr(f)\nraise e")
