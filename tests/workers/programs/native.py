"""usage: native.py SERVER RECORDS DIRECTORY NAME ...

A worker host. NAME is that of a workflow body below, or HOW_FUNCTION: one call of a function of native_library.c by way of
HELD or FREE (see helper_native.py). Records as in snippets.py.
"""
import asyncio
import importlib
import logging
import os
import sys
import textwrap
import uuid

from common import DIRECTORY, NAMES, connect, outcome_of, record
from temporalio.worker import Worker

BODIES = {
    "swallowed": "try:\n    h.HELD.native_clock()\nexcept BaseException:\n    pass\nreturn 'swallowed'",
    "logged": "log = logging.getLogger('native')\nwith workflow.unsafe.sandbox_unrestricted():\n    log.addHandler(h.Handler())\n"
              "log.warning('x'); return 'logged'",
    "unrestricted": "with workflow.unsafe.sandbox_unrestricted():\n    h.HELD.native_clock()\nreturn 'unrestricted'",
    "unlocked": "with workflow.unsafe.sandbox_unrestricted():\n    h.FREE.native_clock()\nreturn 'unlocked'",
    "restricted_again": "with workflow.unsafe.sandbox_unrestricted():\n    h.FREE.native_clock()\nreturn str(h.FREE.native_clock())",
    "afterwards": "try:\n    h.HELD.native_clock()\nexcept Exception as e:\n    return f'{type(e).__name__} {e.__traceback__.tb_lineno}'",
    "many": "for _ in range(1000):\n    h.FREE.native_nothing()\nreturn 'many'",
    "interpreter": "import sqlite3, zlib, hashlib, json, zoneinfo, datetime, traceback\n"
                   "hashlib.sha256(zlib.compress(json.dumps([1]).encode())).hexdigest()\n"
                   "str(datetime.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Paris')))\n"
                   "c = sqlite3.connect(':memory:'); c.execute('create table t(x)'); c.execute('insert into t values(?)', (1,))\n"
                   "return str(c.execute('select x from t').fetchone()[0])",
    "sqlite_random": "import sqlite3\nreturn str(sqlite3.connect(':memory:').execute('select abs(random())').fetchone())",
    "sqlite_now": "import sqlite3\nreturn str(sqlite3.connect(':memory:').execute(\"select datetime('now')\").fetchone())",
    "sqlite_quoted": "import sqlite3\nreturn sqlite3.connect(':memory:').execute(\"select 'random()' -- random()\").fetchone()[0]",
    # Each way of its own: the first that makes a process by itself leaves rdtsc free for the rest of the activation.
    **{f"started_{name}": f"import os, subprocess\nwith workflow.unsafe.sandbox_unrestricted():\n    return str({call})" for name, call in {
        "vfork": "subprocess.run(['date'], stdout=subprocess.DEVNULL).returncode",
        "fork": "subprocess.run(['date'], stdout=subprocess.DEVNULL, preexec_fn=bool).returncode",
        "system": "os.system('date >/dev/null')",
        "spawn": "os.waitpid(os.posix_spawn('/bin/date', ['date'], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 1, '/dev/null', 1, 0)]), 0)[1]",
    }.items()},
    "forked": "import faulthandler, os, time\nwith workflow.unsafe.sandbox_unrestricted():\n    child = os.fork()\n    if not child:\n"
              "        faulthandler.disable(); faulthandler.enable()\n"
              "        os._exit(40 + (time.time() > 0) + h.HELD.native_raw_clock())\n    return str(os.waitpid(child, 0)[1] >> 8)",
    "threaded": "import threading, time\nwith workflow.unsafe.sandbox_unrestricted():\n    seen = []\n"
                "    t = threading.Thread(target=lambda: seen.append(h.HELD.native_raw_counter() and time.time()))\n"
                "    t.start(); t.join()\n    return str(len(seen))",
    "again": "import asyncio\nwith workflow.unsafe.sandbox_unrestricted():\n    again = h.open_again()\n"
             "await asyncio.sleep(0.01)\nreturn str(again.native_clock())",
    "crash": "return str(h.HELD.native_fault())",
    "matrix": "return h.MATRIX().decode()",
    "numpy_clock": "import numpy\nreturn str(numpy.datetime64('now'))",
    "clocks_and_now": "return f'{h.HELD.native_clocks()} {int(workflow.time())}'",
    "clocks_and_now_free": "return f'{h.FREE.native_clocks()} {int(workflow.time())}'",
    "numpy_clock_and_now": "import numpy\nreturn str(numpy.datetime64('now')) + ' ' + workflow.now().isoformat()[:19]",
    "numpy_global": "import numpy\nreturn str(numpy.random.random())",
    "numpy_seeded": "import numpy\nreturn str(numpy.random.default_rng(1).random() + numpy.random.RandomState(1).rand())",
}

# Stands at the module level of the workflow file; what lies in site-packages is an installed library.
TOPS = {
    "top_line": "h.HELD.native_clock()",
    "top_free": "h.FREE.native_clock(); h.FREE.native_random()",
    "top_library": "import calls_at_import\ncalls_at_import.call()",
}


def body_of(name):
    how, _, function = name.partition("_")
    return f"return str(h.{how.upper()}.native_{function}())" if how in ("held", "free") else BODIES.get(name, "return ''")


def load(name):
    record(name, started=True)
    with open(os.path.join(DIRECTORY, f"native_{name}.py"), "w") as f:
        f.write("import logging\nfrom temporalio import workflow\nwith workflow.unsafe.imports_passed_through():\n"
                f"    import helper_native as h\n{TOPS.get(name, '')}\n@workflow.defn(name={name!r})\nclass Native:\n"
                "    @workflow.run\n    async def run(self) -> str:\n" + textwrap.indent(body_of(name), " " * 8) + "\n")
    importlib.invalidate_caches()
    return importlib.import_module(f"native_{name}").Native


async def main():
    logging.disable(logging.INFO)
    installed = os.path.join(DIRECTORY, "site-packages")
    os.makedirs(installed)
    with open(os.path.join(installed, "calls_at_import.py"), "w") as f:
        f.write("import helper_native\ndef call():\n    helper_native.HELD.native_clock()\n")
    sys.path[:0] = [DIRECTORY, installed]
    workflows = [load(name) for name in NAMES]
    client = await connect()
    queue = "native-" + uuid.uuid4().hex
    async with Worker(client, task_queue=queue, workflows=workflows, workflow_failure_exception_types=[Exception]):
        for name in NAMES:
            record(name, **await outcome_of(lambda: client.start_workflow(
                name, id=f"{name}-{uuid.uuid4().hex[:6]}", task_queue=queue, result_type=str)))


asyncio.run(main())
