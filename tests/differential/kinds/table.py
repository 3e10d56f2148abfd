"""The table of kinds of global state, and what their definitions have in common.

KINDS maps a name to a Kind. In the text of its definition and operations
    {n}  the name it gets        {x}  an expression that leads to it      {v}  a small number, or the parameter v
    {o}  some other object, or a number      {k}  a short string          {A}  one of the attribute names    {i}  a digit
An operation that starts with "=" is an expression whose value is noted; one that starts with "!" assigns to {x}, so a
bare name needs "global"; "[feature]" in front: only with that feature. A kind of feature "" is always there.
"change ~> expression" is two operations that belong together: one run does the first, another run may not notice it in
the value of the second.
No set displays of constants: their order is another one once the code has been in a .pyc file.
"""
import typing

FEATURES = {
    "weak": "weak containers and references, and objects in them that die",
    "del": "classes with __del__ that notes (only with --with del)",
    "context": "context variables",
    "abc": "ABC.register",
    "reimport": "modules reloaded, or removed from sys.modules and imported again",
    "large": "so many objects that changes are found by the pages that were written to (all programs: --with large)",
    "late": "modules that are first imported by a handler",
    "iterator": "iterators that are suspended over a global container",
    "setstate": "random.Random.setstate",
    "opaque": "iterators, generators and others that make an image private (in three of ten programs)",
    "buffer": "memoryviews of global buffers",
    "asyncio": "asyncio events, locks and queues as globals",
    "held": "objects that the host holds too, in registries, loggers, shared modules (only with --with held)",
    "left": "what a run leaves where all share: lists of subclasses, caches, weak references (only with --with left)",
    "local": "threading.local",
    "replaced": "modules that something else stands for, or of a class of their own",
    "open": "kinds of which it is known that runs see each other's (only with --with open)",
    "attrs": "attrs classes", "pydantic": "pydantic models",
    "sqlalchemy": "tables and models of sqlalchemy (only with --with sqlalchemy)",
    "class-order": "order of a class's attributes", "module-order": "order of a module's attributes",
}
OPTIONAL = ("del", "sqlalchemy", "open", "held", "left")

# Attributes that generated code gives to objects. Reading them one by one, not through __dict__, leaves an object's
# attributes where the interpreter keeps them: asking for __dict__ would create it.
ATTRIBUTES = ("a", "b", "c", "d", "things", "total", "extra")

KINDS = {}


class Kind(typing.NamedTuple):
    weight: int
    feature: str
    definition: str
    operations: list  # with their marks
    pairs: list       # (change, expression) without a mark


def kind(name, weight, definition, operations, feature=""):
    lines = [line.strip() for line in operations.splitlines() if line.strip()]
    pairs = [tuple(part.strip() for part in line.split("~>")) for line in lines if "~>" in line]
    lines = [line for line in lines if "~>" not in line]
    lines += dict.fromkeys([change for change, _ in pairs] + ["=" + seen for _, seen in pairs])
    KINDS[name] = Kind(weight, feature, definition.strip("\n"), lines, pairs)


LIST = """
{x}.append({v})
{x}.append({o})
{x}.insert(0, {v})
{x}.extend(({v}, {o}))
={x}.pop()
={x}.pop(0)
del {x}[0]
{x}[0] = {o}
{x}[-1] = [{v}]
{x}.reverse()
{x}.clear()
{x}[:] = [{v}, {o}]
{x}[1:1] = [{v}] * 3
={x}[0] is {x}[-1]
=len({x})
!{x} += [{v}]
!{x} = list({x})
"""
DICT = """
{x}[{k}] = {v}
{x}[{k}] = {o}
{x}[{v}] = [{v}]
del {x}[{k}]
={x}.pop({k}, 0)
={x}.setdefault({k}, {v})
{x}.update(a={v}, zz={o})
{x}.clear()
={x}.popitem()
{x}[next(iter({x}))] = {o}
{x}[{k}] = {x}.pop(next(iter({x})))
=list({x})
={k} in {x}
!{x} |= dict(b={v})
!{x} = dict({x})
"""
SET = """
{x}.add({v})
{x}.add({v} * 8)
{x}.add({v} + 32)
{x}.add({k})
{x}.discard({v})
{x}.discard(8)
={x}.pop()
{x}.update(range({v}))
{x}.clear()
{x}.symmetric_difference_update((0, 8, {v}))
=list({x})
!{x} -= set([{v}])
!{x} = set({x})
"""
ATTRIBUTE = """
{x}.{A} = {v}
{x}.{A} = {o}
del {x}.{A}
={x}.{A}
{x}.things.append({v})
{x}.total += 1
{x}.total -= {v}
{x}.{A}, {x}.{A} = {v}, {o}
=hasattr({x}, '{A}')
"""
INSTANCE = ATTRIBUTE + """
vars({x}).clear()
vars({x}).update(b={v}, a={o})
vars({x})[{k}] = {o}
{x}.__dict__ = dict(total={v})
=list(vars({x}))
"""
