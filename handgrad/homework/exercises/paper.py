"""The numbers of a network as they are found on paper, one after another, each from those that were written before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

import numpy.typing as npt

from handgrad.gradient import Trace
from handgrad.homework.backward import backward
from handgrad.homework.digits import ARITHMETIC, decimal
from handgrad.homework.exercises.blanks import is_asked
from handgrad.homework.expressions import Expression, Quantity, value_of
from handgrad.homework.forward import forward, loss
from handgrad.homework.intervals import FUNCTIONS, Interval, around
from handgrad.homework.quantities import Quantities, is_chain
from handgrad.homework.steps import Step
from handgrad.network import Network

# z, and p of −log p, are rounded to two decimals before they are looked up in a table.
LOOKED_UP = Decimal("0.005")
CURVED = ("sigmoid", "tanh", "softmax")
# What is asked for where numbers are rounded, and a unit of the last place.
DECIMALS = 4
UNIT = Decimal(1).scaleb(-DECIMALS)

Leaf = Callable[[Quantity | float], Interval]


@dataclass(frozen=True)
class Found:
    """A number that was worked out.

    Parameters
    ----------
    step : Step
        Whose numbers were put in, those that stand on the paper.
    value : Interval
        What it comes to.
    of : Quantities
        The letters of the example, for another formula of the same numbers.
    worked_out : callable
        From a formula to its value with the numbers that stand on the paper.
    """

    step: Step
    value: Interval
    of: Quantities
    worked_out: Callable[[Expression], Interval]


def on_paper(
    net: Network,
    trace: Trace,
    y: npt.NDArray[Any],
    written: Callable[[Quantity, Interval], Interval],
    with_table: bool,
) -> Iterator[Found]:
    """Yield every number of one example in the order of the derivation.

    Parameters
    ----------
    net : Network
        The network.
    trace : Trace
        Of one example; not changed.
    y : ndarray
        (n_L,), its targets, of classes the distribution.
    written : callable
        What is put down for a quantity that comes to a value; what follows goes on with it.
    with_table : bool
        Whether what needs a table is looked up there, its argument rounded, or worked out with every digit.

    Yields
    ------
    Found
        For every step; which case of a formula is taken goes by the numbers put down.
    """
    of = Quantities(net, deepcopy(trace), y, None, is_chain(net))
    known: dict[Quantity, Interval] = {}

    def number(item: Quantity | float) -> Interval:
        if isinstance(item, Quantity) and item in known:
            return known[item]
        return around(decimal(item.value if isinstance(item, Quantity) else item), Decimal(0))

    def rounded(item: Quantity | float) -> Interval:
        return number(item).wider(LOOKED_UP) if isinstance(item, Quantity) else number(item)

    for step in _steps(of):
        leaf = rounded if with_table and _needs_table(of, step.quantity) else number

        def worked_out(tree: Expression, leaf: Leaf = leaf) -> Interval:
            value: Interval = value_of(tree, leaf, FUNCTIONS)
            return value

        found = Found(step, worked_out(step.numbers), of, worked_out)
        known[step.quantity] = written(step.quantity, found.value)
        if step.quantity.kind == "z":
            _put_down(of.trace, step.quantity, known[step.quantity])
        yield found


def right_numbers(net: Network, trace: Trace, y: npt.NDArray[Any], unit: Decimal) -> dict[Quantity, Interval]:
    """Return what each number may be if nothing goes wrong: everything that is asked is put down to a unit of its last place.

    Parameters
    ----------
    net, trace, y : Network, Trace, ndarray
        As for `on_paper`.
    unit : Decimal
        0 where every number is exact.

    Returns
    -------
    dict of Quantity to Interval
        Every number of the derivation.
    """

    def written(quantity: Quantity, value: Interval) -> Interval:
        return value.wider(unit) if is_asked(quantity) else value

    return {each.step.quantity: each.value for each in on_paper(net, trace, y, written, with_table=True)}


def _steps(of: Quantities) -> Iterator[Step]:
    """Yield the steps one by one: the letters are read when it is their turn."""
    layers = range(1, len(of.trace) + 1)
    for layer in layers:
        yield from forward(of, layer, of.units(layer))
    yield loss(of)
    for layer in reversed(layers):
        yield from backward(of, layer, of.units(layer), max(of.net.widths))


def _needs_table(of: Quantities, q: Quantity) -> bool:
    """Say whether a number is found with a table: g of a curved activation, or the logarithm of a loss."""
    if q.kind == "a" and q.layer:
        return of.activation(q.layer) in CURVED
    return q.kind == "L" and of.net.loss_name != "squared_error"


def _put_down(trace: Trace, z: Quantity, value: Interval) -> None:
    with localcontext(ARITHMETIC):
        middle = (value.low + value.high) / 2
    trace[z.layer or 1].z[(z.j or 1) - 1] = float(middle)
