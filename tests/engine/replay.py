"""The engine of these tests: a workflow is a generator, what it yields is asked of the outside, and a run that has left the
cache is made again by giving it its history. No word of Sandglass: engine.c puts itself around Run's three methods."""
import random
import sys


closed = []  # what runs say as they end


class Refused(Exception):
    pass


class Settings:
    """What a worker gives: the modules that runs share, beside the standard library's."""

    def __init__(self, *shared):
        self.shared = shared

    def shares(self, name):
        return name.partition(".")[0] in self.shared + ("replay",) + tuple(sys.stdlib_module_names)


class Steps:
    """All that is a run's: made within it, so the random generator is its own."""

    def __init__(self, workflow, identity):
        self.random = random.Random(identity)
        self.generator = workflow()


class Run:
    current = None  # the run whose code is running

    def __init__(self, workflow, settings, identity, history=()):
        self.workflow, self.settings, self.identity, self.history = workflow, settings, identity, []
        self.time = 0
        self.asked = self.make(workflow)
        self.asked = self.step(None)
        for answer in history:
            self.answer(answer)

    def make(self, workflow):
        self.steps = Steps(workflow, self.identity)

    def step(self, value):
        Run.current = self
        try:
            return self.steps.generator.send(value)
        finally:
            Run.current = None

    def answer(self, value):
        self.history.append(value)
        self.time += 1
        self.asked = self.step(value)
        return self.asked

    def end(self):
        self.steps = None


def now():
    return Run.current.time


def dice():
    return Run.current.steps.random
