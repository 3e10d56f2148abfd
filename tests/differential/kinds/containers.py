"""Containers, and classes below them."""
from kinds.table import DICT, INSTANCE, LIST, SET, kind

kind("int", 3, "{n} = {v}", """
!{x} = {v}
!{x} = {o}
!{x} += 1
!del {x}
!{x} = [{x}]
={x}
""")
kind("list", 8, "{n} = [{v}, {o}]", LIST)
kind("list of lists", 3, "{n} = [[{v}], [{o}], []]", LIST + """
{x}[0].append({v})
{x}[1] = {x}[0]
{x}[2].append({x}[0])
{x}[0].append({x})
""")
kind("dict", 8, "{n} = {{'a': {v}, 'b': {o}}}", DICT)
kind("tree", 3, "{n} = {{'a': {{'b': [{v}], 'c': set([1, 2])}}, 'd': ({o}, [])}}", DICT + """
{x}['a']['b'].append({v})
{x}['a']['c'].add({v})
{x}['a'][{k}] = {o}
{x}['d'][1].append({o})
{x}['b'] = {x}['a']
del {x}['a']['b']
""")
kind("dict of ints", 2, "{n} = {{i * 8: i for i in range({v} + 3)}}", DICT + """
del {x}[8]
{x}[8] = {v}
{x}[8] = {x}.pop(8) ~> list({x})
del {x}[0]; {x}.update(((40, 1), (0, 2))) ~> list({x})
{x}[0] = {x}.pop(8)
""")
kind("set", 5, "{n} = set([{v}, 8, 0, 16])", SET)
kind("set grown", 2, "{n} = set(range(0, 80, 8))\n{n}.difference_update(range(0, 60, 8))", SET)
kind("deque", 4, "{n} = collections.deque([{v}, {o}], maxlen=4)", """
{x}.append({v})
{x}.appendleft({o})
={x}.pop()
={x}.popleft()
{x}.rotate({v})
{x}.extend(range({v}))
{x}[0] = {o}
{x}.clear()
del {x}[0]
{x}.appendleft({v}); {x}.pop() ~> list({x})
{x}.rotate() ~> {x}[0]
""")
kind("bytearray", 2, "{n} = bytearray(b'ab')", """
{x}.append({v})
{x}.extend(b'xyz')
{x}[0] = {v}
del {x}[0]
{x}.clear()
={x}.pop()
{x}[:] = bytes({v})
!{x} += b'q'
""")
kind("array", 2, "{n} = array.array('i', [{v}, 2])", """
{x}.append({v})
{x}[0] = {v}
={x}.pop()
{x}.extend([{v}, {v}])
{x}.reverse()
del {x}[0]
""")
kind("OrderedDict", 3, "{n} = collections.OrderedDict(a={v}, b={o})", DICT + """
{x}.move_to_end({k})
{x}.move_to_end('a', last=False)
={x}.popitem(last=False)
{x}['a'] = [{v}] ~> {x}['a']
{x}[next(iter({x}))] = {v} + 5 ~> list({x}.values())
{x}.move_to_end('a') ~> list({x})
""")
kind("defaultdict", 3, "{n} = collections.defaultdict(list, a=[{v}])", DICT + """
{x}[{k}].append({v})
{x}['new'].append({o})
{x}.default_factory = set
{x}.default_factory = None
{x}.default_factory = tuple ~> {x}.default_factory.__name__
""")
kind("Counter", 3, "{n} = collections.Counter(a={v}, b=1)", """
{x}[{k}] += 1
{x}.update('abca')
{x}.subtract(b={v})
{x}.clear()
={x}.most_common(1)
del {x}['a']
""")
kind("ChainMap", 2, "{n} = collections.ChainMap({{'a': {v}}}, {{'b': {o}}})", """
{x}[{k}] = {o}
{x}.maps.append({{'c': {v}}})
{x}.maps[1]['b'] = {v}
={x}.pop('a')
{x}.maps = [{{}}, *{x}.maps]
""")
kind("UserDict", 1, "{n} = collections.UserDict(a={v})", DICT)
kind("UserList", 1, "{n} = collections.UserList([{v}, {o}])", LIST)
kind("namespace", 2, "{n} = types.SimpleNamespace(a={v}, things=[{o}], total=0)", INSTANCE)
kind("list below", 2, "class _{n}(list):\n    total = 0\n{n} = _{n}([{v}, {o}])\n{n}.things = []", LIST + INSTANCE)
kind("dict below", 2, """
class _{n}(dict):
    total = 0
    def __missing__(self, key):
        self.total += 1
        return key
{n} = _{n}(a={v})
{n}.things = []
""", DICT + "={x}['not there']\n{x}.total = {v}\n{x}.a = {o}\ndel {x}.a")
kind("dict hostile", 1, """
class _{n}(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key, (value, len(self)))
    def __iter__(self):
        return iter(sorted(super().keys(), key=str))
    def update(self, *p, **q):
        raise RuntimeError('no update')
    def clear(self):
        raise RuntimeError('no clear')
{n} = _{n}()
{n}['a'] = {o}
""", "{x}[{k}] = {v}\ndel {x}['a']\n={x}.pop({k}, 0)\n{x}.a = {v}")
kind("set below", 1, "class _{n}(set):\n    pass\n{n} = _{n}([8, 0, {v}])\n{n}.total = 0", SET + "{x}.total += 1\n{x}.a = {o}")
kind("others below", 2, """
class _{n}(collections.deque):
    pass
class _{n}_ordered(collections.OrderedDict):
    pass
class _{n}_default(collections.defaultdict):
    pass
class _{n}_bytes(bytearray):
    pass
class _{n}_counter(collections.Counter):
    pass
{n} = _{n}([_{n}_ordered(a={v}), _{n}_default(list), _{n}_bytes(b'x'), _{n}_counter('ab')], 6)
""", """
{x}.append({v})
{x}.a = {o}
{x}[0][{k}] = {v}
{x}[0].a = {v}
{x}[0].move_to_end('a')
{x}[1][{k}].append({v})
{x}[1].a = {o}
{x}[2].append({v})
{x}[2].a = {v}
{x}[3].update('bc')
{x}.rotate()
""")
kind("proxy", 1, "_{n} = {{'a': {v}}}\n{n} = types.MappingProxyType(_{n})", "={x}['a']\n_{n}[{k}] = {v}")
kind("registry", 2, """
{n} = {{}}
def _{n}_add(f):
    {n}[f.__name__] = f
    return f
@_{n}_add
def _{n}_one(p):
    return p
""", """
_{n}_add(lambda p: {v})
=list({x})
={x}['<lambda>']({v})
{x}['_{n}_one'].total = {v}
=[f({v}) for f in {x}.values()]
{x}.pop('_{n}_one')
""")
# The order in which a set or dict gives its items depends on what it has held before.
kind("set after deletions", 1, "{n} = set(range(0, 96, 8))\n{n}.difference_update(range(0, 64, 16))", SET + """
{x}.discard(8); {x}.add(8) ~> list({x})
{x}.update(range(0, 400, 8)); {x}.difference_update(range(0, 320, 8)) ~> list({x})
{x}.add(-1); {x}.add(-2) ~> list({x})
{x}.pop(); {x}.add(800 + {v}) ~> list({x})
{x}.clear(); {x}.update((64, 0, 32)) ~> list({x})
""")
kind("dict after deletions", 1, "{n} = dict.fromkeys('abcdefgh', {v})\nfor _i in 'ace': del {n}[_i]", DICT + """
{x}['b'] = {x}.pop('b') ~> list({x})
{x}.update(a=1, c=2); {x}.pop('b') ~> list({x})
{x}.pop('h'); {x}.update(h=[{v}]) ~> list({x}.items())
{x}.clear(); {x}.update(h=1, d=2) ~> list({x})
{x}[1] = {x}[(2, 3)] = {v} ~> [k for k in {x}]
""")
kind("names in order", 1, """
class _{n}:
    def __init__(self):
        self.p, self.q, self.r = {v}, 2, 3
{n} = _{n}()
""", """
{x}.p = vars({x}).pop('p') ~> list(vars({x}))
del {x}.p; {x}.p = {v} ~> list(vars({x}))
del {x}.q ~> sorted(vars({x}))
{x}.z{i} = {v} ~> list(vars({x}))
=list(vars({x}))
""")
kind("sequence below", 1, """
class _{n}_str(collections.UserString):
    pass
class _{n}(list):
    def __len__(self):
        return 7
    def __getitem__(self, p):
        return 'item'
    def __iter__(self):
        return iter('own')
    def append(self, p):
        super().append([p])
    def __eq__(self, other):
        raise RuntimeError('never compared')
    __hash__ = None
{n} = _{n}([{v}])
""", """
{x}.append({v}) ~> [list.__len__({x}), list.__getitem__({x}, -1)]
list.append({x}, {v}) ~> list.__repr__({x})
{x}.extend([{v}]) ~> list.__repr__({x})
{x}[0] = {o}
{x}.total = {v} ~> vars({x})
""")
kind("iterated", 8, "{n} = {v} % 4 == 0 and {{'a': 1, 'b': [2], 'c': 3}} or collections.deque([{v}, [2], 3, {o}])", """
{x}.pop({x} and next(iter({x}))) if isinstance({x}, dict) else {x}.popleft()
{x}.append({v}) ~> list({x})
{x}.appendleft({v}) ~> list({x})
{x}.rotate({v}) ~> list({x})
={x}.pop()
{x}[0] = {v} ~> list({x})
{x}.clear()
""")
