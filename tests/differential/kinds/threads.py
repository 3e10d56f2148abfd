"""What threads have to do with: things of their own, locks, queues."""
from kinds.table import INSTANCE, kind

LOCAL = """
{x}.a = {v}
{x}.things = [{v}]
{x}.things.append({v})
del {x}.a
vars({x}).clear()
vars({x})[{k}] = [{v}]
{x}.a = {v} ~> getattr({x}, 'a', None)
{x}.b = [{v}] ~> getattr({x}, 'b', None)
{x}.__dict__.update(c={v}) ~> sorted(vars({x}))
del {x}.a ~> hasattr({x}, 'a')
"""
kind("thread's own", 2, "{n} = threading.local()", LOCAL, "local")
kind("thread's own filled", 2, "{n} = threading.local()\n{n}.a = {v}\n{n}.things = [1]", LOCAL, "local")
kind("thread's own below", 1, """
class _{n}(threading.local):
    def __init__(self, p):
        self.a = p
        self.things = []
{n} = _{n}({v})
""", LOCAL, "local")
kind("thread's own in an object", 1, """
class _{n}:
    def __init__(self):
        self.local = threading.local()
    def push(self, p):
        self.local.stack = getattr(self.local, 'stack', []) + [p]
        return self.local.stack
{n} = _{n}()
""", """
{x}.push({v}) ~> getattr({x}.local, 'stack', None)
={x}.push({o})
{x}.local = threading.local() ~> vars({x}.local)
{x}.a = {v}
""", "local")
kind("RLock", 1, "{n} = threading.RLock()", """
={x}._is_owned()
{x}.acquire(); note({x}._is_owned()); {x}.release()
""")
kind("condition", 1, "{n} = threading.Condition()\n{n}.total = 0", """
{x}.acquire(); {x}.notify_all(); {x}.release()
{x}.total = {v} ~> {x}.total
{x}.acquire(); note({x}._is_owned()); {x}.release()
""")
kind("barrier", 1, """
{n} = threading.Barrier(2)
""", """
{x}.abort() ~> {x}.broken
{x}.reset()
={x}.n_waiting
{x}.abort()
={x}.parties
""")
QUEUE = """
{x}.put({v})
={x}.get_nowait()
={x}.qsize()
{x}.put({o})
{x}.put({v}) ~> {x}.get_nowait()
{x}.put({v}); {x}.put({v} + 1) ~> {x}.qsize()
"""
kind("SimpleQueue below", 2, """
class _{n}(queue.SimpleQueue):
    total = 0
    def put(self, p, *q):
        self.total += 1
        super().put([p], *q)
    def get_nowait(self):
        self.total += 10
        return super().get_nowait()
    def get(self, *p):
        self.total += 100
        return super().get(*p)
    def qsize(self):
        return super().qsize() + 50
{n} = _{n}()
{n}.put({v})
""", QUEUE + "{x}.put({v}) ~> {x}.total\n{x}.a = {o}\n={x}.get(False)\n={x}.empty()")
kind("Queue below", 1, """
class _{n}(queue.Queue):
    def _init(self, maxsize):
        self.queue = []
    def _put(self, p):
        self.queue.insert(0, p)
    def _get(self):
        return self.queue.pop()
{n} = _{n}()
""", QUEUE + "{x}.total = {v}\n={x}.unfinished_tasks")
kind("LifoQueue", 1, "{n} = queue.LifoQueue()\n{n}.put({v})", QUEUE + "{x}.put_nowait({v})")
kind("future", 1, """
import concurrent.futures
{n} = concurrent.futures.Future()
{n}.total = 0
""", """
{x}.set_result({v}) ~> {x}.done()
{x}.set_exception(KeyError({v})) ~> {x}.done() and str({x}.exception(0))
{x}.cancel() ~> {x}.cancelled()
{x}.add_done_callback(lambda f: note('done', {v}))
{x}.total += 1
={x}.done() and {x}.result(0)
""")
kind("thread", 1, "{n} = threading.Thread(target=print, name='t', daemon=True)\n{n}.things = []", """
{x}.daemon = False ~> {x}.daemon
{x}.things.append({v}) ~> {x}.things
={x}.is_alive()
""")
kind("asyncio's things", 2, "{n} = [asyncio.Event(), asyncio.Semaphore(2), asyncio.Lock(), asyncio.Queue(2)]", """
{x}[0].set() ~> {x}[0].is_set()
{x}[0].clear()
{x}[1].release() ~> {x}[1]._value
{x}[3].put_nowait({v}) ~> {x}[3].qsize()
={x}[3].get_nowait()
{x}[2].acquire().send(None) ~> {x}[2].locked()
{x}[2].release()
""", "asyncio")
