"""When it is wrong: what the smallest network that shows it cannot do without, in words."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from verification.random_networks.cases import Case

# What is drawn ordinarily: up to so many units and examples.
ORDINARY_SIZE = 6
FAINT = 1e-2
HALVINGS = 40


def when(smallest: Case, fails: Callable[[Case], bool]) -> str:
    """Return in what circumstances a submission is wrong that is right on ordinary networks.

    Parameters
    ----------
    smallest : Case
        The smallest network that shows it.
    fails : callable
        Says whether the submission is wrong on another.

    Returns
    -------
    str
        "for more than 8 units in a layer", "where an activation is between 0 and 1e-05"; "" if nothing stands out.
    """
    net, x, y = smallest
    count = 1 if np.ndim(x) == 1 else len(x)
    if max(net.widths) > ORDINARY_SIZE:
        return f"for more than {max(net.widths) - 1} units in a layer"
    if count > ORDINARY_SIZE:
        return f"for more than {count - 1} examples"
    if len(net.layers) > 4:
        return f"for more than {len(net.layers) - 1} layers"
    with np.errstate(all="ignore"):
        trace = net.trace(x, y)
    faint = _faint(smallest, fails)
    if faint:
        return faint
    kinked = [
        layer.activation.name
        for number, layer in enumerate(net.layers, start=1)
        if layer.activation.name in ("relu", "leaky_relu", "prelu") and (np.asarray(trace[number].z) == 0).any()
    ]
    if kinked:
        return f"where z is exactly 0 in a layer with {kinked[0]}"
    if np.asarray(x).dtype.kind in "iu":
        return f"for x of dtype {np.asarray(x).dtype}"
    if np.asarray(x).ndim == 2 and not np.asarray(x).flags.c_contiguous:
        return "for an x that is not in C order"
    if net.loss_name == "squared_error" and np.asarray(y).dtype.kind in "iu":
        return f"for y of dtype {np.asarray(y).dtype}"
    if net.loss_name == "squared_error" and np.array_equal(trace[len(net.layers)].a, y):
        return "where the prediction is exactly the target"
    if np.ndim(x) == 2 and count == 1:
        return "for a batch of one example"
    if max(net.widths) == 1:
        return "where every layer has one unit"
    if not np.asarray(x).any() or any(not layer.w.any() for layer in net.layers):
        return "where an array is all zeros"
    return ""


def _faint(smallest: Case, fails: Callable[[Case], bool]) -> str:
    """Return up to which activation it is wrong, if it is wrong for small ones alone; "" otherwise."""
    net, x, y = smallest
    for place, layer in enumerate(net.layers):
        with np.errstate(all="ignore"):
            a = np.abs(np.asarray(net.trace(x, y)[place + 1].a))
        smallest_a = a[a > 0].min(initial=np.inf)
        if not smallest_a < FAINT:
            continue

        def with_factor(factor: float, place: int = place) -> Case:
            moved = type(net)(net.layers, net.loss_name, net.reduction)
            for array in (moved.layers[place].w, moved.layers[place].b):
                array *= array.dtype.type(factor)
            return Case(moved, x, y)

        low, high = 1.0, float(FAINT * 10 / smallest_a)
        if fails(with_factor(high)):
            continue
        for _ in range(HALVINGS):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if fails(with_factor(middle)) else (low, middle)
        name = layer.activation.name
        return f"where an activation is between 0 and {smallest_a * low:.3g} in a layer with {name}"
    return ""
