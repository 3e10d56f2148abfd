"""Things that are in the middle of something: iterators, generators, coroutines, views."""
from kinds.table import kind

kind("count", 2, "{n} = itertools.count({v})", """
=next({x})
=next({x}) + next({x})
!{x} = itertools.count({v})
""")
kind("cycle", 1, "{n} = itertools.cycle([{v}, 2, 3])", "=next({x})", "opaque")
kind("iterator", 1, "{n} = iter([{v}, 2, 3, 4, 5])", "=next({x})", "opaque")
kind("iterators", 2, """
_{n} = [{v}, 2, 3, 4, 5, 6]
{n} = [itertools.chain(_{n}, [7]), itertools.islice(_{n}, 1, 5), itertools.accumulate(_{n}), enumerate(_{n}), zip(_{n}, 'abcd'),
       map(lambda p: [p], _{n}), filter(None, _{n}), reversed(_{n}), itertools.repeat({v}, 3), iter('abc'), iter((1, [2])),
       itertools.starmap(max, [_{n}] * 3), itertools.takewhile(bool, _{n}), itertools.compress(_{n}, [0, 1, 1]), iter(b'abc'),
       iter(lambda: len(_{n}), 3), itertools.filterfalse(None, [0, '', ()]), itertools.dropwhile(lambda p: p < 3, _{n})]
""", """
=next({x}[{v} % 18])
=[next(i, None) for i in {x}]
=list(itertools.islice({x}[{v} % 18], 4))
_{n}.append({v})
del _{n}[0]
{x}[{v} % 18] = iter([{o}])
{x}.reverse()
""", "opaque")
kind("iterators of dicts", 1, """
_{n} = [{{'a': {v}, 'b': [{v}], 'c': {o}}}, set([8, 0, 16, {v}])]
{n} = [iter(_{n}[0]), iter(_{n}[0].values()), iter(_{n}[0].items()), iter(_{n}[1])]
""", """
=next({x}[{v} % 4])
=[next(i, None) for i in {x}]
_{n}[0][{k}] = {v}
_{n}[0]['a'] = {v}
del _{n}[0]['a']
_{n}[1].add({v})
_{n}[1].discard(8)
""", "opaque")
kind("generator", 1, """
def _make_{n}():
    total = 0
    while True:
        total += (yield total) or 1
{n} = _make_{n}()
""", "=next({x})\n={x}.send({v})", "opaque")
kind("buffer", 1, "_{n} = bytearray(b'abcdef')\n{n} = memoryview(_{n})", """
{x}[{v} % 6] = 65
=bytes({x})
_{n}.append({v})
{x}.release()
""", "buffer")
kind("tee", 1, "{n} = list(itertools.tee([{v}, 2, 3, 4, 5, 6, 7]))", """
=next({x}[0]) ~> next({x}[1])
=next({x}[1]) ~> next({x}[1])
{x}.append(copy.copy({x}[0]))
=[next(i, None) for i in {x}]
""", "opaque")
kind("groups", 1, """
{n} = itertools.groupby('aabbbccdde')
""", """
=next({x})[0] ~> next({x})[0]
=list(next({x})[1])
""", "opaque")
kind("combinations", 1, """
{n} = [itertools.product('ab', [{v}, 2]), itertools.permutations('abc', 2), itertools.combinations('abcd', 2),
       itertools.combinations_with_replacement('ab', 3), itertools.zip_longest('abc', [{v}]), itertools.pairwise('abcdef')]
""", """
=next({x}[{v} % 6]) ~> [next(i, None) for i in {x}]
=[next(i, None) for i in {x}]
{x}.reverse()
""", "opaque")
kind("iterator over", 2, """
import re, struct
class _{n}:
    def __getitem__(self, p):
        return [p]
    def __len__(self):
        return 3
_{n}_list, _{n}_dict = [{v}, 2, 3, 4], {{'a': 1, 'b': 2, 'c': 3}}
{n} = [lambda: iter(_{n}()), lambda: reversed(_{n}()), lambda: iter(range(9)), lambda: iter(bytearray(b'abcd')),
       lambda: reversed(_{n}_dict), lambda: reversed(_{n}_dict.items()), lambda: iter(collections.deque(_{n}_list)),
       lambda: reversed(collections.deque(_{n}_list)), lambda: iter(array.array('i', _{n}_list)), lambda: iter(memoryview(b'abc')),
       lambda: re.finditer('[a-c]', 'abcabc'), lambda: struct.iter_unpack('B', b'abcdef'), lambda: iter('aé€b'),
       lambda: iter(frozenset(_{n}_list)), lambda: iter(collections.OrderedDict(_{n}_dict)), lambda: map(next, [itertools.count()] * 9),
       lambda: (p for p in _{n}_list), lambda: zip(itertools.count({v}), 'abcdef'), lambda: enumerate('abc', {v}),
       lambda: iter(io.StringIO('a\\nb\\nc')), lambda: iter(_{n}_list[1:]), lambda: iter(2 ** 70 * p for p in (1, 2)),
       lambda: iter(range(2 ** 70, 2 ** 70 + 9)), lambda: iter(_{n}_dict.values()), lambda: iter(_{n}_dict.items())][({v} * 7 + {i}) % 25]()
""", """
=next({x}) ~> next({x})
=next({x}, 'end')
={x}.__length_hint__()
!{x} = iter([{v}, 5])
""", "opaque")
kind("views of a dict", 1, """
_{n} = {{'a': {v}, 'b': [{v}]}}
{n} = [_{n}.keys(), _{n}.values(), _{n}.items()]
""", """
_{n}['c'] = {o} ~> list({x}[0])
_{n}['b'].append({v}) ~> list({x}[1])
_{n}.pop('a') ~> len({x}[2])
={k} in {x}[0]
""")
kind("coroutine", 1, """
@types.coroutine
def _{n}_wait(p):
    return (yield p)
async def _{n}():
    total = 0
    while True:
        total += (await _{n}_wait(total)) or 1
{n} = _{n}()
{n}.send(None)
""", "={x}.send({v}) ~> {x}.send(0)\n={x}.cr_frame is None\n{x}.close()", "opaque")
kind("asynchronous generator", 1, """
async def _{n}():
    total = {v}
    while True:
        total += (yield total) or 1
{n} = _{n}()
""", "={x}.asend(None).send(None)\n={x}.ag_running", "opaque")
kind("generator not begun", 1, """
{n} = (p for p in [{v}, 2, 3, 4, 5])
""", """
=next({x}) ~> next({x})
={x}.gi_frame is None
{x}.close()
""", "opaque")
kind("generator that gives more", 1, """
_{n}_things = [{v}, 2, 3]
def _{n}():
    yield from _{n}_things
    yield from (p * 2 for p in _{n}_things)
{n} = _{n}()
next({n})
""", "=next({x}) ~> next({x})\n_{n}_things.append({v})", "opaque")
kind("context manager entered", 1, """
@contextlib.contextmanager
def _{n}():
    total = [{v}]
    yield total
    total.clear()
{n} = _{n}()
_{n}_held = {n}.__enter__()
""", """
{x}.__exit__(None, None, None) ~> _{n}_held
_{n}_held.append({v}) ~> _{n}_held
={x}.gen.gi_frame is None
""", "open")
kind("views of bytes", 1, """
_{n} = array.array('i', [1, {v}, 3])
{n} = [memoryview(_{n}), memoryview(b'abc'), memoryview(_{n})[1:]]
""", """
{x}[0][1] = {v} ~> list({x}[2])
{x}[1].release() ~> len({x}[1])
_{n}.append({v}) ~> list(_{n})
{x}[2].release()
={x}[0].tolist()
""", "buffer")
kind("BytesIO's buffer", 1, "_{n} = io.BytesIO(b'abc')\n{n} = _{n}.getbuffer()", """
{x}[0] = 65 + {v} ~> _{n}.getvalue()
_{n}.write(b'longer text') ~> _{n}.tell()
{x}.release() ~> _{n}.tell()
=bytes({x})
""", "buffer")
