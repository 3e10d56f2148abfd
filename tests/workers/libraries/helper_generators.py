"""Generators that the host made: whoever draws from one shares it with everybody."""
import numpy

UNSEEDED = numpy.random.default_rng()
SEEDED = numpy.random.default_rng(3)
STATE = numpy.random.RandomState(3)
BITS = numpy.random.PCG64(3)
