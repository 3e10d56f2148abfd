"""Weak references, and what dies."""
from kinds.table import kind

# Not hashed by address, which would be the order of a WeakSet.
WEAK_ITEM = """
class _{n}:
    def __init__(self, p):
        self.a = self.number = p
    def __hash__(self):
        return hash(self.number)
_{n}_held = [_{n}(i) for i in range(4)]
"""
# What is added is new: an image keeps what its modules made, so that does not die when a run lets it go.
WEAK = """
_{n}_held.pop()
_{n}_held.append(_{n}({v}))
_{n}_held.clear()
_{n}_held[0].a = {v}
=len({x})
"""
kind("WeakSet", 2, WEAK_ITEM + "{n} = weakref.WeakSet(_{n}_held)", WEAK + """
_{n}_held.append(_{n}({v})); {x}.add(_{n}_held[-1])
{x}.discard(_{n}_held[0])
{x}.add(_{n}({v}))
{x}.clear()
""", "weak")
kind("WeakKeyDictionary", 2, WEAK_ITEM + "{n} = weakref.WeakKeyDictionary((i, i.a) for i in _{n}_held)", WEAK + """
_{n}_held.append(_{n}({v})); {x}[_{n}_held[-1]] = {v}
{x}.pop(_{n}_held[0])
{x}[_{n}({v})] = 1
""", "weak")
kind("WeakValueDictionary", 2, WEAK_ITEM + "{n} = weakref.WeakValueDictionary((i.a, i) for i in _{n}_held)", WEAK + """
_{n}_held.append(_{n}({v})); {x}[{v}] = _{n}_held[-1]
{x}.pop({v})
={x}.get({v}) in _{n}_held
""", "weak")
kind("weak reference", 1, WEAK_ITEM + "{n} = weakref.ref(_{n}_held[-1])", WEAK.replace("=len({x})", "={x}() is None"), "weak")
kind("finalised", 1, """
class _{n}:
    def __del__(self):
        note('{n} dies')
{n} = [_{n}()]
""", "{x}.pop()\n{x}.append(_{n}())\n{x}.clear()", "del")
kind("WeakMethod", 1, WEAK_ITEM + "{n} = [weakref.WeakMethod(_{n}_held[0].__hash__), weakref.proxy(_{n}_held[1])]", """
_{n}_held[0].a = {v} ~> {x}[0]().__self__.a
{x}[1].a = {v} ~> _{n}_held[1].a
{x}.append(weakref.ref(_{n}_held[2])) ~> [len({x}), {x}[-1]() is None]
={x}[0]() is None
""", "weak")
kind("weak reference's callback", 1, WEAK_ITEM + "_{n}_told = []\n{n} = []", """
[open] _{n}_held.append(_{n}({v})); {x}.append(weakref.ref(_{n}_held[-1], lambda p: _{n}_told.append({v})))
_{n}_held.pop() ~> _{n}_told
_{n}_held.insert(0, _{n}({v})); {x}.append(weakref.finalize(_{n}_held[0], _{n}_told.append, {v})) ~> len(_{n}_told)
[open] {x}.append(weakref.finalize(_{n}_held[0], _{n}_told.append, {v})) ~> len(_{n}_told)
{x}[-1]() ~> _{n}_told
{x}.pop()
=[r() is None for r in {x} if isinstance(r, weakref.ref)]
""", "weak")
kind("canonical objects", 2, """
class _{n}:
    held = weakref.WeakValueDictionary()
    kept = []
    def __new__(cls, p):
        made = cls.held.get(p)
        if made is None:
            made = cls.held[p] = super().__new__(cls)
            made.number = p
        return made
_{n}.kept.append(_{n}({v}))
{n} = _{n}
""", """
{x}.kept.append({x}({v})) ~> sorted({x}.held)
{x}({v}).a = {v}
{x}.kept.append({x}(7)); {x}(7).a = {v} ~> [k.number for k in {x}.kept]
={x}({v}) is {x}({v})
={x}.held.get({v}) is None
""", "weak")
