"""The way forward and the loss of one example, step by step: (8), (9), then (10) or (1)–(2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from handgrad.homework.expressions import (
    Difference,
    Exponential,
    Expression,
    Function,
    Negative,
    Product,
    Quantity,
    Quotient,
    Square,
    Sum,
)
from handgrad.homework.quantities import Quantities
from handgrad.homework.steps import Step


def forward(of: Quantities, layer: int, units: range) -> Iterator[Step]:
    """Yield z_j and a_j of a layer's units.

    Parameters
    ----------
    of : Quantities
        The example.
    layer : int
        l.
    units : range
        Which units j.

    Yields
    ------
    Step
        (8) of every unit, then (9).
    """
    for j in units:
        weighted = tuple(Product((of.w(layer, j, k), of.a(layer - 1, k))) for k in of.units(layer - 1))
        z = Sum((of.b(layer, j), *weighted))
        if of.chain:  # the notes' order with one neuron: w a + b
            z = Sum((*weighted, of.b(layer, j)))
        yield Step(of.z(layer, j), z, z, (8,))
    for j in units:
        yield activated(of, layer, j)


def activated(of: Quantities, layer: int, j: int) -> Step:
    """Return the step of a_j = g(z_j) (9)."""
    z, name = of.z(layer, j), of.activation(layer)
    if name == "softmax":
        powers = tuple(Exponential(of.z(layer, i)) for i in of.units(layer))
        a = Quotient(Exponential(z), Sum(powers))
        return Step(of.a(layer, j), a, a, (9,))
    return Step(of.a(layer, j), Function("g", (z,)), G[name](z, of.slope(layer, j)), (9,), side(name, z))


def side(name: str, z: Quantity) -> str:
    """Return why a formula of g or g′ is taken, where it depends on the side of 0 on which z lies."""
    if name not in ("relu", "leaky_relu", "prelu") or math.isnan(z.value):
        return ""
    return "positive" if z.value > 0 else "not_positive"


# The formula of g, with the slope for z < 0.
G: dict[str, Callable[[Quantity, float | Quantity], Expression]] = {
    "identity": lambda z, slope: z,
    "sigmoid": lambda z, slope: Quotient(1.0, Sum((1.0, Exponential(Negative(z))))),
    "tanh": lambda z, slope: Function("tanh", (z,)),
    "relu": lambda z, slope: Function("max", (0.0, z)),
    "leaky_relu": lambda z, slope: z if z.value > 0 else Product((slope, z)),
    "prelu": lambda z, slope: z if z.value > 0 else Product((slope, z)),
}


def loss(of: Quantities) -> Step:
    """Return the step of L_i: (10), (1), or (2) where a probability is too small to be held with all its digits."""
    last = len(of.trace)
    units = of.units(last)
    if of.net.loss_name == "squared_error":
        squares = Sum(tuple(Square(Difference(of.a(last, j), of.target(j))) for j in units))
        return Step(of.loss(), squares, squares, (10,))
    if of.net.loss_name == "binary_cross_entropy":
        terms = Sum(tuple(term for j in units for term in _yes_or_no(of, last, j)))
        return Step(of.loss(), terms, terms, (1,))
    classes = [j for j in units if of.target(j).value > 0]
    smallest = min(of.a(last, j).value for j in classes)
    too_small = smallest < np.finfo(of.net.dtype).tiny
    minus_logs = [_by_logits(of, last, j) if too_small else _minus_log(of.a(last, j)) for j in classes]
    equations = (2,) if too_small else (1,)
    if [of.target(j).value for j in classes] == [1.0]:
        return Step(of.loss(), minus_logs[0], minus_logs[0], equations, "true_class")
    weighted = Sum(tuple(Product((of.target(j), minus_log)) for j, minus_log in zip(classes, minus_logs, strict=True)))
    return Step(of.loss(), weighted, weighted, equations)


def _minus_log(p: Expression) -> Expression:
    return Negative(Function("log", (p,)))


def _by_logits(of: Quantities, last: int, j: int) -> Expression:
    powers = tuple(Exponential(of.z(last, i)) for i in of.units(last))
    return _minus_log(Quotient(Exponential(of.z(last, j)), Sum(powers)))


def _yes_or_no(of: Quantities, last: int, j: int) -> Iterator[Expression]:
    """Yield the terms of one sigmoid unit: −y log a, and −(1 − y) log(1 − a); a sure y has one alone."""
    a, y = of.a(last, j), of.target(j)
    yes, no = _minus_log(a), _minus_log(Difference(1.0, a))
    if y.value in (0.0, 1.0):
        yield yes if y.value else no
        return
    yield Product((y, yes))
    yield Product((Difference(1.0, y), no))
