"""Passed through: what it has is loaded when it is asked for, by a module's __getattr__ and by an object's."""
import importlib

NAMES = {"Late": ("collections", "ChainMap"), "Later": ("collections", "namedtuple")}


def __getattr__(name):
    if name not in NAMES:
        raise AttributeError(name)
    module, attribute = NAMES[name]
    globals()[name] = value = getattr(importlib.import_module(module), attribute)
    return value


class Settings:
    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        value = self.__dict__[name] = name.upper()
        return value


settings = Settings()
