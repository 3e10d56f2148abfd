"""Makes a failing program smaller while it still fails."""
import copy
import time


def size(program):
    def count(nodes):
        return sum(1 + (count(n[1]) if not isinstance(n, str) else 0) for n in nodes)
    return sum(count(nodes) for nodes in program["modules"].values()) + sum(len(s) - 2 for s in program["schedule"])


def lists(program):
    """Every list of which parts can be taken away, outermost first."""
    def inside(nodes):
        yield nodes
        for node in nodes:
            if not isinstance(node, str):
                yield from inside(node[1])
    yield program["schedule"]
    for nodes in program["modules"].values():
        yield from inside(nodes)


class Shrinker:
    def __init__(self, program, fails, seconds):
        self.program, self.fails = program, fails
        self.until = time.monotonic() + seconds

    def attempt(self, change):
        """Keeps the change when the program still fails with it. change returns False when there is nothing to do."""
        if time.monotonic() > self.until:
            return False
        smaller = copy.deepcopy(self.program)
        if change(smaller) is False or smaller == self.program or not self.fails(smaller):
            return False
        self.program = smaller
        return True

    def runs(self):
        changed = False
        for run in sorted({s[0] for s in self.program["schedule"]}):
            def without(program):
                program["schedule"] = [s for s in program["schedule"] if s[0] != run]
            changed |= self.attempt(without)
        return changed

    def modules(self):
        changed = False
        for name in list(self.program["modules"]):
            if name not in self.program.get("flows", ["flow"]) + ["__init__"]:
                def without(program):
                    del program["modules"][name]
                    for nodes in program["modules"].values():
                        nodes[:] = [n for n in nodes if not (isinstance(n, str) and "import" in n and name in n)]
                changed |= self.attempt(without)
        return changed

    def pieces(self):
        """Takes away halves, quarters ... single items of every list."""
        changed = False
        number = 0
        while number < len(list(lists(self.program))):
            items = list(lists(self.program))[number]
            width = len(items)
            while width:
                begin = 0
                while begin < len(list(lists(self.program))[number]):
                    def without(program):
                        del list(lists(program))[number][begin:begin + width]
                    if self.attempt(without):
                        changed = True
                    else:
                        begin += width
                width //= 2
            number += 1
        return changed

    def unwrap(self):
        """A block's content instead of the block."""
        changed = False
        for number in range(len(list(lists(self.program)))):
            index = 0
            while number < len(list(lists(self.program))) and index < len(list(lists(self.program))[number]):
                def opened(program):
                    nodes = list(lists(program))[number]
                    node = nodes[index]
                    if isinstance(node, str) or not isinstance(node[0], str) or node[0].startswith(("def", "async", "class")):
                        return False
                    if node[0] == "try:":  # goes with its finally
                        node[1].extend(nodes.pop(index + 1)[1])
                    nodes[index:index + 1] = node[1]
                if not self.attempt(opened):
                    index += 1
                else:
                    changed = True
        return changed

    def jobs(self):
        changed = False
        for step in range(len(self.program["schedule"])):
            for job in reversed(range(2, len(self.program["schedule"][step]))):
                def without(program):
                    if len(program["schedule"][step]) <= 3:
                        return False
                    del program["schedule"][step][job]
                changed |= self.attempt(without)
        return changed

    def lines(self):
        """Lines of a node that has several, such as a class."""
        changed = False
        for number in range(len(list(lists(self.program)))):
            for index in range(len(list(lists(self.program))[number])):
                node = list(lists(self.program))[number][index]
                for line in reversed(range(node.count("\n") + 1 if isinstance(node, str) else 0)):
                    def without(program):
                        nodes = list(lists(program))[number]
                        rest = nodes[index].split("\n")
                        if len(rest) < 2 or line >= len(rest):
                            return False
                        del rest[line]
                        nodes[index] = "\n".join(rest)
                    changed |= self.attempt(without)
        return changed

    def imports(self):
        """Names that one import statement lists but nothing needs."""
        changed = False
        for name, nodes in self.program["modules"].items():
            for index, node in enumerate(nodes):
                if isinstance(node, str) and node.startswith(("import ", "from witness import ")) and "," in node:
                    head, _, listed = node.rpartition("import ")
                    for one in listed.split(", "):
                        def without(program):
                            left = program["modules"][name][index].rpartition("import ")[2].split(", ")
                            if one not in left or len(left) < 2:
                                return False
                            left.remove(one)
                            program["modules"][name][index] = f"{head}import {', '.join(left)}"
                        changed |= self.attempt(without)
        return changed

    def simpler(self):
        def serial(program):
            program["parallel"] = False

        def quiet(program):
            program["gc"] = False

        def one_thread(program):
            for step in program["schedule"]:
                step[1] = min(step[1], 1)
        return bool(self.attempt(serial) | self.attempt(quiet) | self.attempt(one_thread))


def shrink(program, fails, seconds):
    shrinker = Shrinker(program, fails, seconds)
    shrinker.simpler()
    while True:
        changed = shrinker.runs() | shrinker.modules()
        changed |= shrinker.pieces()
        changed |= shrinker.jobs() | shrinker.unwrap()
        changed |= shrinker.lines() | shrinker.imports()
        if not changed or time.monotonic() > shrinker.until:
            return shrinker.program
