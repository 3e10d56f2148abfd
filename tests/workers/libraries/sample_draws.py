"""Passed through: a library that draws from the generator that all share, and from ones without a seed."""
import numpy


def draw():
    return numpy.random.rand(), numpy.random.standard_normal(), numpy.random.default_rng().random(), numpy.random.RandomState().rand()
