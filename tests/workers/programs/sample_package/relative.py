from .inner import leaf


def leaf_name():
    return leaf.NAME
