"""Random programs: a package with a workflow, and an order in which several of its runs are activated.

A program is plain data, so that it can be written to a file and made smaller piece by piece:
    modules     name -> nodes; a node is a line of text, or [head, nodes] for a block. PACKAGE stands for the package's name
    flows       names of modules with a workflow; run N is one of the workflow in number N, modulo how many there are
    settings    how many sorts of worker settings, so that runs of one workflow have several policies
    schedule    [run, thread, job, ...] in the order of activations; jobs as driver.py reads them
    parallel    threads do not wait for each other, only for the previous step of the same run
    by_name, unordered, gc, shared_libraries    see witness.Settings and driver.py
The same seed gives the same program on every Python.
"""
import random
import re

from kinds import ATTRIBUTES, FEATURES, KINDS, OPTIONAL

PACKAGE = "PACKAGE"
HEADER = """
import abc, array, asyncio, collections, configparser, contextlib, contextvars, copy, dataclasses, decimal, enum, functools
import importlib, io, itertools, queue, random, sys, threading, types, weakref
from witness import at, below, here, mark, note, show
""".strip().splitlines()


WATCHED = 3  # kinds that the operations of most programs are about


class Object:
    def __init__(self, module, name, kind):
        self.module, self.name, self.kind = module, name, kind


class Module:
    def __init__(self, name, late):
        self.name, self.late = name, late
        self.objects, self.functions, self.watchers = [], [], []
        self.seen = {}     # name of another module -> expression for it, None: only names of it were imported
        self.aliases = {}  # (module, name) -> name here


def deal(names, seed, number):
    """The kinds to watch in a program: all of them have had their turn before one comes again."""
    dealt = []
    for place in range(number * WATCHED, (number + 1) * WATCHED):
        around, index = divmod(place, len(names))
        dealt.append(random.Random(f"{seed}/{around}").sample(names, len(names))[index])
    return dealt


class Generator:
    def __init__(self, seed, number, without=(), with_=(), only=()):
        self.random = random.Random(f"{seed}:{number}")
        self.features = set(FEATURES) - set(OPTIONAL) - set(without) | set(with_)
        self.always = with_
        self.counter = 0
        self.watchers = []  # (module, function)
        self.modules = []
        names = [n for n in only or KINDS if not KINDS[n].feature or KINDS[n].feature in self.features or only]
        self.watched = deal(names, seed, number) if only or self.chance(0.85) else []
        if not only and "opaque" not in with_ and self.chance(0.7):
            # One of these, and the image of the whole program is private.
            self.features.discard("opaque")
            names, self.watched = ([n for n in some if KINDS[n].feature != "opaque"] for some in (names, self.watched))
        # Each program has a taste of its own: few kinds, so that operations meet.
        self.kinds = self.random.sample(names, min(len(names), self.random.choice((2, 4, 6, 12))))
        self.kinds += self.random.choices(names, [KINDS[n].weight for n in names], k=3)
        self.kinds += [n for n in names if KINDS[n].feature in with_]

    # --- small pieces ---

    def chance(self, probability):
        return self.random.random() < probability

    def choice(self, values):
        return values[int(self.random.random() * len(values))]

    def next(self):
        self.counter += 1
        return self.counter

    def number(self, inside):
        if inside and self.chance(0.4):
            return self.choice(("v", "v", "v + 1", "v % 3"))
        return str(self.choice((0, 1, 1, 2, 3, 5, 8, 9)))

    def fill(self, text, module, inside, name="", target="", prefix=""):
        def one(match):
            what = match.group()
            if what in ("{{", "}}"):
                return what[0]
            if what == "_{n}":
                return f"{prefix}_{name}"
            return {"n": lambda: name, "x": lambda: target, "v": lambda: self.number(inside),
                    "o": lambda: self.other(module, inside), "k": lambda: self.choice(("'a'", "'b'", "'new'")),
                    "A": lambda: self.choice(ATTRIBUTES[:5]), "i": lambda: str(self.random.randrange(10))}[what[1]]()
        return re.sub(r"\{\{|\}\}|_\{n\}|\{[nxvokAi]\}", one, text)

    def expression(self, module, thing):
        """How code of module reaches the object: (expression, prefix of its other names), or None."""
        if thing.module is module:
            return thing.name, ""
        alias = module.aliases.get((thing.module.name, thing.name))
        there = module.seen.get(thing.module.name)
        if alias and (not there or self.chance(0.5)):
            return alias, f"sys.modules['{PACKAGE}.{thing.module.name}']."
        return (f"{there}.{thing.name}", there + ".") if there else None

    def visible(self, module):
        found = [(t, self.expression(module, t)) for m in self.modules for t in m.objects]
        return [(t, e) for t, e in found if e]

    def other(self, module, inside):
        seen = self.visible(module)
        if seen and self.chance(0.5):
            return self.choice(seen)[1][0]
        return self.choice((self.number(inside), "[]", "'text'", f"[{self.number(inside)}]", "set([8, 0, 16])",
                            "{'a': [1]}", "(1, [2])", "object", "types.SimpleNamespace(a=1)", "collections.deque([1], 2)", "lambda p: p", "None"))

    # --- statements ---

    def operation(self, module, inside, names):
        """One statement on some object. names: those that the function has to declare global."""
        seen = self.visible(module)
        if not seen:
            return "pass"
        thing, (target, prefix) = self.choice(seen)
        text = self.choice([o for o in KINDS[thing.kind].operations if inside or not o.startswith("!del")])
        return self.filled(text, module, inside, names, thing, target, prefix)

    def filled(self, text, module, inside, names, thing, target, prefix):
        if text[0] == "[":
            feature, _, text = text[1:].partition("]")
            if feature not in self.features:
                return "pass"
        mark, text = (text[0], text[1:]) if text[0] in "=!" else ("", text)
        filled = self.fill(text, module, inside, thing.name, target, prefix)
        if mark == "!" and inside and "." not in target:
            names.add(target)
        return f"note({filled})" if mark == "=" else filled

    def watch(self, module, thing):
        """A function in which an object is changed by some runs and looked at by all."""
        target, prefix = self.expression(module, thing)
        kind, names = KINDS[thing.kind], set()
        if kind.pairs and self.chance(0.85):
            change, seen = self.choice(kind.pairs)
        else:
            change = self.choice([o for o in kind.operations if o[0] != "="] or kind.operations)
            seen = self.choice([o[1:] for o in kind.operations if o[0] == "="] or ["show({x})"])

        def part(text):
            return [f"with at({self.next()}):", [self.filled(text, module, True, names, thing, target, prefix)]]
        often = self.choice(("if v % 2:", "if v % 2:", "if v > 2:", "if v in (1, 4):", "if v:"))
        nodes = [[often, [part(change)]], part("=" + seen)]
        if self.chance(0.4):
            nodes.insert(0, part("=" + seen))
        return [f"global {', '.join(sorted(names))}"] * bool(names) + nodes

    def watching(self, module):
        """Calls of the functions that watch something, if there are any."""
        nodes = []
        for there, name in self.watchers:
            if self.chance(0.75):
                nodes.append([f"with at({self.next()}):",
                              [f"{name}(v)"] if there is module else [f"from . import {there.name} as far", f"far.{name}(v)"]])
        return nodes

    def namespace_operation(self, module):
        """Something done to a module, not to what a name in it stands for."""
        own = f"sys.modules['{PACKAGE}.{module.name}']"
        where = self.choice([own, "sys.modules[__name__]"] + [e for e in module.seen.values() if e])
        name = self.choice(("new", "a", "b") + tuple(t.name for m in self.modules for t in m.objects))
        return self.choice((
            f"{where}.{name} = {self.other(module, True)}", f"del {where}.{name}", f"note(hasattr({where}, '{name}'))",
            f"globals()['{name}'] = {self.other(module, True)}", f"globals().pop('{name}')", f"note(list(vars({where}))[-3:])",
            f"vars({where}).setdefault('new', []).append(v)", f"{where}.f0 = lambda v: note('patched', v)",
            f"{where}.__dict__.update(new=v, a=[v])", f"{where}.__doc__ = 'v'", f"note({where}.new)",
        ))

    def statement(self, module, names, calls, depth=0):
        at = f"with at({self.next()}):"
        pick = self.random.random()
        if pick < 0.62 or depth > 1:
            return f"{at} {self.operation(module, True, names)}"
        if pick < 0.68:
            return f"{at} {self.namespace_operation(module)}"
        if pick < 0.76:  # an exception in the middle
            body = [self.operation(module, True, names) for _ in range(self.random.randrange(1, 3))]
            body.append(self.choice(("raise ValueError(v)", "if v > 1: raise KeyError(v)", "v / 0")))
            return [at, body + [self.operation(module, True, names)]]
        if pick < 0.80:
            return [self.choice(("for v in (1, 2):", "if v > 1:")),
                    [self.statement(module, names, calls, depth + 1) for _ in range(self.random.randrange(1, 3))]]
        if pick < 0.85:
            seen = self.visible(module)
            if len(seen) > 1:
                a, b = self.choice(seen)[1][0], self.choice(seen)[1][0]
                return f"{at} note({a} is {b})"
        if pick < 0.89:
            seen = self.visible(module)
            if seen:
                return f"{at} note(show({self.choice(seen)[1][0]}))"
        if pick < 0.92 and "reimport" in self.features:
            name = self.choice(self.modules).name
            return self.choice((
                f"{at} importlib.reload(sys.modules['{PACKAGE}.{name}'])",
                [at, [f"old = sys.modules.pop('{PACKAGE}.{name}')", f"from . import {name} as again", "note(again is old)",
                      f"note(sys.modules['{PACKAGE}.{name}'] is old)"]],
                [at, [f"old = sys.modules.pop('{PACKAGE}.{name}')", f"fresh = importlib.import_module('{PACKAGE}.{name}')",
                      "note(fresh is old)"]],
            )) if self.chance(0.4) else f"{at} note('{PACKAGE}.{name}' in sys.modules)"
        if calls:
            called = self.choice(calls)
            return [at, [f"from . import {called[0]} as far", f"note(far.{called[1]}(v))"]]
        return f"{at} {self.operation(module, True, names)}"

    def body(self, module, size, calls):
        names, nodes = set(), []
        for _ in range(size):
            nodes.append(self.statement(module, names, calls))
        return [f"global {', '.join(sorted(names))}"] * bool(names) + nodes

    # --- modules ---

    def module(self, module):
        nodes = list(HEADER) + ["with contextlib.suppress(ImportError): import attr"]
        watched = [self.watched.pop() for _ in list(self.watched) if module.name == "flow" or self.chance(0.4)]
        if "pydantic" in self.kinds + watched:
            nodes.append("import pydantic")
        if "sqlalchemy" in self.features:
            nodes.append("import sqlalchemy, sqlalchemy.orm")
        for other in self.modules:
            if other is module or other.late or self.chance(0.25):
                continue
            pick = self.random.random()
            if pick < 0.45:
                nodes.append(f"from . import {other.name}")
                module.seen[other.name] = other.name
            elif pick < 0.6:
                nodes.append(f"import {PACKAGE}.{other.name} as near_{other.name}")
                module.seen[other.name] = f"near_{other.name}"
            elif pick < 0.9 and other.objects:
                taken = self.choice(other.objects)
                nodes.append(f"from .{other.name} import {taken.name} as {other.name}_{taken.name}")
                module.aliases[other.name, taken.name] = f"{other.name}_{taken.name}"
                if self.chance(0.6):
                    nodes.append(f"from . import {other.name}")
                    module.seen[other.name] = other.name
            else:
                nodes.append(f"from .{other.name} import *")
                module.aliases.update({(other.name, t.name): t.name for t in other.objects})
        self.modules.append(module)
        for i in range(self.choice((1, 1, 2, 3, 5)) + len(watched)):
            thing = Object(module, f"{module.name}x{i}", watched[i] if i < len(watched) else self.choice(self.kinds))
            lines = self.fill(KINDS[thing.kind].definition, module, False, thing.name).splitlines()
            nodes.append(lines[0] if len(lines) == 1 else "\n".join(lines))
            module.objects.append(thing)
            if self.chance(0.3):
                nodes.append(f"with contextlib.suppress(Exception): {self.operation(module, False, set())}".replace("note(", "("))
        for i, thing in enumerate(module.objects[:len(watched)]):
            nodes.append([f"def w{i}(v):", self.watch(module, thing)])
            self.watchers.append((module, f"w{i}"))
        calls = [(m.name, f) for m in self.modules for f in m.functions]
        for i in range(self.choice((1, 1, 2))):
            nodes.append([f"def f{i}(v):", self.body(module, self.random.randrange(1, 5), calls if i else []) + ["return v"]])
        module.functions = [f"f{i}" for i in range(i + 1)]
        return nodes

    def waiting(self, module, calls):
        """Nodes of a coroutine: statements and places where it waits."""
        nodes, names = [], set()
        containers = [t for t in module.objects + [t for m in self.modules for t in m.objects]
                      if t.kind in ("list", "dict", "set", "deque", "OrderedDict", "dict of ints", "set grown", "list below",
                                    "dict below", "defaultdict", "iterated") and self.expression(module, t)]
        # Long enough for others to do so as well, one after the other, and for changes meanwhile.
        iterated = [t for t in containers if t.kind in ("deque", "iterated")] or containers

        def iteration():
            container = self.expression(module, self.choice(iterated))[0]
            return [f"with at({self.next()}):", [[f"for item in {container}:", ["note(item)", "await asyncio.sleep(1)"]]]]
        if iterated and "iterator" in self.features and self.chance(0.25):
            nodes.append(iteration())
        for _ in range(self.random.randrange(1, 5)):
            nodes.append(self.statement(module, names, calls))
            pick = self.random.random()
            if pick < 0.4:
                nodes.append("await asyncio.sleep(1)")
            elif pick < 0.5:
                nodes.append("await workflow.wait_condition(lambda: len(self.seen) > 1)")
            elif pick < 0.6 and iterated and "iterator" in self.features:
                nodes.append(iteration())
            elif pick < 0.66 and "asyncio" in self.features:
                nodes.append(self.choice(("await EVENT.wait()", ["async with LOCK:", ["await asyncio.sleep(1)"]],
                                          "note(await QUEUE.get())", "EVENT.set()", "QUEUE.put_nowait(v)")))
            elif pick < 0.70 and "buffer" in self.features and any(t.kind == "bytearray" for t, _ in self.visible(module)):
                bytes_ = [e[0] for t, e in self.visible(module) if t.kind == "bytearray"]
                nodes.append([f"with at({self.next()}), memoryview({self.choice(bytes_)}) as view:",
                              ["await asyncio.sleep(1)", "note(bytes(view))"]])
            elif pick < 0.75:
                nodes.append([f"with at({self.next()}):", ["await asyncio.wait_for(asyncio.sleep(9), 1)"]])
            else:
                continue
            nodes.append(f"with at({self.next()}): note(show(package, self))")
        if self.chance(0.4):
            nodes = [["try:", nodes],
                     ["finally:", [self.statement(module, names, calls), "note('left', show(package))"]]]
        return [f"global {', '.join(sorted(names))}"] * bool(names) + nodes

    def flow(self, late, name="flow"):
        module = Module(name, False)
        nodes = self.module(module)
        calls = [(m.name, f) for m in self.modules + late * 2 for f in m.functions if m is not module]
        nodes[len(HEADER):len(HEADER)] = ["import PACKAGE as package", "from temporalio import workflow",
                                          "from temporalio.exceptions import ApplicationError"]
        if "asyncio" in self.features:
            nodes += ["EVENT, LOCK, QUEUE = asyncio.Event(), asyncio.Lock(), asyncio.Queue()"]

        def failing(nodes, error):
            return nodes + [error] * self.chance(0.15)

        def reply(nodes):
            return nodes + [f"note(show({self.choice(('package', 'package, self', 'package, self, v'))}))"]
        first = self.chance(0.5)
        members = [
            (["@workflow.init"] if first else []) +
            [[f"def __init__(self{', v: int' if first else ''}):", ([] if first else ["v = 1"]) + ["self.seen = []", "here(globals())"] +
              self.body(module, self.random.randrange(3), calls)]],
            ["@workflow.run", ["async def run(self, v: int) -> int:", self.watching(module) + self.waiting(module, calls) +
                                  self.watching(module) + ["return v"]]],
        ]
        for i in range(2):
            body = self.watching(module) + self.body(module, self.random.randrange(1, 4), calls)
            slow = self.chance(0.3)
            if slow:
                body = self.waiting(module, calls)
                body += self.watching(module)
            error = self.choice(("raise ApplicationError('no')", "raise KeyError(v)"))
            members.append(["@workflow.signal", [f"{'async ' if slow else ''}def signal{i}(self, v: int) -> None:",
                                                 ["self.seen.append(v)"] + failing(reply(body), error)]])
        members.append(["@workflow.query", ["def query0(self, v: int) -> int:", failing(reply(
            self.watching(module) + self.body(module, self.random.randrange(0, 3), calls)), "raise ValueError(v)") + ["return v"]]])
        slow = self.chance(0.5)
        body = self.waiting(module, calls) if slow else self.body(module, self.random.randrange(1, 4), calls)
        members.append(["@workflow.update", [f"{'async ' if slow else ''}def update0(self, v: int) -> int:", failing(
            body, "raise ApplicationError('no')") + ["return v"]]])
        if self.chance(0.3):
            members.append(["@update0.validator", ["def check(self, v: int) -> None:", self.body(module, 1, calls) +
                            ["if v > 4: raise ValueError(v)"]]])
        nodes += ["@workflow.defn", ["class Flow:", [node for member in members for node in member]]]
        return nodes

    # --- the order of things ---

    def schedule(self, threads):
        queues = []
        for run in range(self.choice((2, 2, 3, 4))):
            thread = lambda: 1 + self.random.randrange(threads)
            jobs = [["init", self.random.randrange(6)]]
            while self.chance(0.3):
                jobs.insert(0, ["signal", "signal0", self.random.randrange(6)])
            steps = [[run, 0, ["create"]], [run, thread(), *jobs]]
            for _ in range(self.random.randrange(1, 6)):
                pick = self.random.random()
                if pick < 0.2:
                    steps.append([run, thread(), ["query", "query0", self.random.randrange(6)]])
                elif pick < 0.28:
                    steps.append([run, thread(), ["evict"]])
                    if self.chance(0.7):
                        steps += [[run, 0, ["create"]], [run, thread(), ["replay"]]]
                    else:
                        break
                elif pick < 0.31:
                    steps.append([run, thread(), ["cancel"]])
                else:
                    jobs = []
                    while not jobs or self.chance(0.3):
                        kind = self.choice(("fire", "fire", "signal0", "signal1", "update0"))
                        jobs.append(["fire"] if kind == "fire" else [kind[:-1], kind, self.random.randrange(6)])
                    steps.append([run, thread(), *jobs])
            if self.chance(0.6):
                steps.append([run, thread(), ["evict"]])
            queues.append(steps)
        order = []
        stay = self.choice((0.0, 0.0, 0.6))
        last = None
        while any(queues):
            if last is None or not queues[last] or not self.chance(stay):
                last = self.choice([i for i, q in enumerate(queues) if q])
            order.append(queues[last].pop(0))
        return order

    def cached_alone(self, order, threads):
        """As where a worker keeps no more than one run: it is evicted when another one is activated, and later made anew."""
        made, there, gone = [], None, set()
        for step in order:
            run, job = step[0], step[2][0]
            if there not in (None, run):
                made.append([there, 1 + self.random.randrange(threads), ["evict"]])
                gone.add(there)
                there = None
            if job == "evict" and run in gone:
                continue
            if run in gone and job not in ("create", "replay"):
                made += [[run, 0, ["create"]], [run, 1 + self.random.randrange(threads), ["replay"]]]
            gone.discard(run)
            made.append(step)
            there = None if job == "evict" else run
        return made

    def program(self):
        threads = self.choice((1, 1, 2, 3))
        parallel = threads > 1 and self.chance(0.6)
        early = [Module(f"m{i}", False) for i in range(self.choice((1, 1, 2, 3)))]
        modules = {"__init__": [], **{m.name: self.module(m) for m in early}}
        late = [Module("late", True)] if "late" in self.features and self.chance(0.4) else []
        for module in late:
            modules[module.name] = self.module(module)
            self.modules.remove(module)
        modules["flow"] = self.flow(late)
        flows = ["flow"]
        if self.chance(0.1):
            modules["other"] = self.flow(late, "other")
            flows.append("other")
        if "large" in self.features and (self.chance(0.15) or "large" in self.always):
            nodes = modules[self.choice(early).name]
            nodes.insert(self.random.randrange(len(HEADER), len(nodes) + 1), "__ballast__ = [[i] for i in range(2500)]")
        # What the collector finds early is gone, alone as in a worker, but when it is at work nobody can tell.
        collecting = self.chance(0.2) and not {KINDS[t.kind].feature for m in self.modules for t in m.objects} & {
            "weak", "del", "open", "left"}
        schedule = self.schedule(threads)
        if self.chance(0.15):
            schedule = self.cached_alone(schedule, threads)
        return {
            "modules": modules,
            "flows": flows,
            "settings": self.choice((1, 1, 1, 1, 1, 1, 2)),
            "schedule": schedule,
            "parallel": parallel,
            "by_name": self.chance(0.5),
            "unordered": sorted({"class-order", "module-order"} - self.features),
            "gc": collecting,
            "shared_libraries": self.chance(0.95),
        }


def program(seed, number, without=(), with_=(), only=()):
    return Generator(seed, number, without, with_, only).program()


def lines(nodes, depth=0):
    """The text of nodes."""
    indent = "    " * depth
    for node in nodes:
        if isinstance(node, str):
            for line in node.splitlines():
                yield indent + line
        else:
            yield indent + node[0]
            if not any(not isinstance(n, str) or not n.startswith("global ") for n in node[1]):
                yield indent + "    pass"
            yield from lines(node[1], depth + 1)


def text(program, module, package):
    return "\n".join(lines(program["modules"][module])).replace(PACKAGE, package) + "\n"
