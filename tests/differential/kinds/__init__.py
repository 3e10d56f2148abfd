"""Every kind of global state that the generator knows: how it is made, and what can be done to it. See table.py.

What is no kind, because two runs cannot be told apart from lone ones there, whoever isolates them:
    what the host does with an object that it also holds (a logger that calls a filter, a registry that calls what was
        registered): every copy of the module has registered one, the host's own too, as in the SDK's sandbox
    what depends on the host and is refused: argparse asks for the terminal's width when an argument is added
    reference counts, addresses, hashes of objects without __hash__, gc.get_objects() and gc.get_referrers()
"""
from kinds import classes, code, containers, contexts, held, iterators, left, library, packages, threads, weak  # noqa: F401
from kinds.table import ATTRIBUTES, FEATURES, KINDS, OPTIONAL  # noqa: F401
