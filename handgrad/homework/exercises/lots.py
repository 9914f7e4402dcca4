"""The numbers of an exercise, drawn by lot until they suit paper: short where they are exact, and none that hides a slip.

Python's own generator gives the same numbers for the same seed on every machine and in every version.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from handgrad import checks
from handgrad.dense import Dense
from handgrad.gradient import Trace
from handgrad.homework.exercises.paper import CURVED, DECIMALS, UNIT, right_numbers
from handgrad.network import Network

# Halves and whole numbers keep products short; a curved activation rounds anyway.
EXACT_WEIGHTS, EXACT_BIASES = (-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0), (-1.0, -0.5, 0.5, 1.0)
ROUND_WEIGHTS = tuple(n / 10 for n in range(-9, 10) if abs(n) > 1)
ROUND_BIASES = tuple(n / 10 for n in range(-5, 6) if n)
INPUTS = (-2.0, -1.0, 0.5, 1.0, 1.5, 2.0, 3.0)
# What the output's activation can reach.
TARGETS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "softmax": (0.0, 1.0), "relu": (0.0, 1.0, 2.0, 3.0)}
ANY_TARGET = (-2.0, -1.0, 0.0, 1.0, 2.0)
# The largest size of an exact number; how far a table goes, what is lost in its rounding, and the least probability whose
# logarithm it still shows.
LARGEST, FARTHEST, SMALLEST, LIKELY = 60.0, 2.5, 0.002, 0.05
# How much of a number rounding may make doubtful: less than the classic slips change.
DOUBT = Decimal("0.3")
ATTEMPTS = 3000


def is_exact(activations: Sequence[str], loss: str) -> bool:
    """Say whether every number is found without rounding: nothing is looked up in a table."""
    return loss == "squared_error" and not any(name in CURVED for name in activations)


def drawn(
    widths: Sequence[int], activations: Sequence[str], loss: str, seed: str
) -> tuple[Network, list[float], list[float] | int]:
    """Return a network, x and y whose every number can be found on paper.

    Parameters
    ----------
    widths : sequence of int
        n_0, …, n_L.
    activations : sequence of str
        One for each layer.
    loss : str
        As for `Network`.
    seed : str
        The same gives the same numbers.

    Returns
    -------
    tuple of (Network, list of float, list of float or int)
        With y as the loss takes it.

    Raises
    ------
    TypeError, ValueError
        If there is no such network, or no such numbers are found.
    """
    lots = random.Random(seed)
    exact = is_exact(activations, loss)
    for _ in range(ATTEMPTS):
        net = _network(lots, widths, activations, loss, exact)
        x = [_one_of(lots, INPUTS) for _ in range(widths[0])]
        y: list[float] | int = int(lots.random() * widths[-1])
        if loss != "cross_entropy":
            y = [_one_of(lots, TARGETS.get(activations[-1], ANY_TARGET)) for _ in range(widths[-1])]
        if _suits(net, net.trace(x, y), y, exact):
            return net, x, y
    return checks.no_numbers_for_paper(widths)


def _network(lots: random.Random, widths: Sequence[int], activations: Sequence[str], loss: str, exact: bool) -> Network:
    weights, biases = (EXACT_WEIGHTS, EXACT_BIASES) if exact else (ROUND_WEIGHTS, ROUND_BIASES)
    layers = []
    for n_prev, n, name in zip(widths, widths[1:], activations, strict=False):
        w = [[_one_of(lots, weights) for _ in range(n_prev)] for _ in range(n)]
        layers.append(Dense(w, [_one_of(lots, biases) for _ in range(n)], name))
    return Network(layers, loss)


def _one_of(lots: random.Random, values: Sequence[float]) -> float:
    # Of Python's generator `random` alone is promised to stay as it is.
    return values[int(lots.random() * len(values))]


def _suits(net: Network, trace: Trace, y: list[float] | int, exact: bool) -> bool:
    """Say whether the numbers are short enough and show what is done: no kink, no unit without a part, no error of 0."""
    for layer, each in zip(net.layers, trace, strict=True):
        if len(layer.w) > 1 and np.array_equal(layer.w, layer.w.T):  # j and k exchanged would not show
            return False
        if not np.all(each.z) or (not exact and np.abs(each.z).max() > FARTHEST):
            return False
        if layer.activation.name == "relu" and 2 * np.count_nonzero(each.z > 0) < len(each.z):
            return False
        if not np.any(each.dL_dw) or (len(each.z) > 1 and np.all(each.dL_dz == each.dL_dz[0])):
            return False
    last = trace[len(trace)]
    if net.loss_name != "squared_error" and not np.all((last.a > LIKELY) & (last.a < 1 - LIKELY)):
        return False
    if last.dL_da is not None and not np.all(last.dL_da):
        return False
    numbers = [trace.loss, *(float(n) for each in trace for array in _arrays(each) for n in array.flat)]
    sizes = [abs(number) for number in numbers if number]
    if exact:
        return max(sizes) <= LARGEST and all(_is_short(number) for number in numbers)
    return min(sizes) >= SMALLEST and _is_sharp(net, trace, y)


def _is_sharp(net: Network, trace: Trace, y: list[float] | int) -> bool:
    """Say whether rounding leaves enough of every number: at most a part of it is in doubt."""
    right = right_numbers(net, trace, net.engine.targets(y, 1, True)[0], UNIT)
    for value in right.values():
        middle, half = abs(value.high + value.low) / 2, (value.high - value.low) / 2
        if middle > UNIT and half > DOUBT * middle:
            return False
    return True


def _arrays(each: object) -> list[np.ndarray]:
    named = (getattr(each, name) for name in ("z", "a", "dL_da", "da_dz", "dL_dz", "dL_dw", "dL_db", "dL_dalpha"))
    return [np.asarray(array) for array in named if array is not None]


def _is_short(number: float) -> bool:
    exponent = Decimal(repr(round(number, 12))).normalize().as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -DECIMALS
