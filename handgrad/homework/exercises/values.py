"""Tables to look up g, e^z and the logarithm, as printed tables have them: rows to one decimal, a column for the second."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from handgrad.homework.exercises.paper import DECIMALS
from handgrad.scalars import sigmoid

if TYPE_CHECKING:
    from handgrad.homework.exercises.exercise import Exercise


@dataclass(frozen=True)
class Table:
    """Values of a function.

    Parameters
    ----------
    function : str
        "sigmoid", "tanh", "exp", "exp_minus", of e^−z, each for z >= 0, or "log", of −log p.
    rows : tuple of (str, tuple of str)
        The argument to one decimal, and a value for each second decimal, 0 to 9.
    """

    function: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def tables(exercise: Exercise) -> list[Table]:
    """Return the tables that an exercise needs, none if its numbers are exact.

    Parameters
    ----------
    exercise : Exercise
        The exercise.

    Returns
    -------
    list of Table
        Sigmoid and tanh from 0 on, the others around what is looked up, a row more at both ends.
    """
    net, trace, found = exercise.net, exercise.trace, []
    names = [layer.activation.name for layer in net.layers]
    for name in ("sigmoid", "tanh"):
        sizes = [abs(float(z)) for each, its in zip(trace, names, strict=True) if its == name for z in each.z]
        if sizes:
            found.append(_table(name, _tenths([0.0, *sizes]), VALUES[name]))
    exponents = [float(z) for each, its in zip(trace, names, strict=True) if its == "softmax" for z in each.z]
    for name, sizes in (("exp", [z for z in exponents if z > 0]), ("exp_minus", [-z for z in exponents if z < 0])):
        if sizes:
            found.append(_table(name, _tenths(sizes), VALUES[name]))
    if net.loss_name != "squared_error":
        # Of every probability, so that the table does not tell the true class.
        p = [float(a) for a in trace[len(trace)].a]
        p += [1 - a for a in p] if net.loss_name == "binary_cross_entropy" else []
        found.append(_table("log", _tenths(p, most=9), VALUES["log"]))
    return found


# The value at z, or at p.
VALUES: dict[str, Callable[[float], float]] = {
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "exp": math.exp,
    "exp_minus": lambda z: math.exp(-z),
    "log": lambda p: -math.log(p),
}


def _tenths(arguments: Iterable[float], most: int | None = None) -> range:
    """Return the rows that hold the arguments, in tenths, and one more at both ends."""
    # One more, so that what is rounded up before it is looked up is there, too.
    listed = [int(10 * argument) for argument in arguments]
    last = max(listed) + 1
    return range(max(min(listed) - 1, 0), (last if most is None else min(last, most)) + 1)


def _table(function: str, tenths: range, value: Callable[[float], float]) -> Table:
    rows = []
    for tenth in tenths:
        arguments = [Decimal(10 * tenth + hundredth) / 100 for hundredth in range(10)]
        values = tuple("" if function == "log" and not z else f"{value(float(z)):.{DECIMALS}f}" for z in arguments)
        rows.append((f"{Decimal(tenth) / 10:.1f}", values))
    return Table(function, tuple(rows))
