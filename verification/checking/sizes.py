"""From which size on: a layer's z made larger or smaller, and the size at which something changes."""

from __future__ import annotations

import math
from collections.abc import Callable

from verification.random_networks.cases import Case

HALVINGS = 40


def scaled(drawn: Case, place: int, factor: float) -> Case:
    """Return a case with the w and b of one layer, counted from 0, times a factor, so that its z is, too.

    Parameters
    ----------
    drawn : Case
        The network with its data; stays as it is.
    place : int
        Of the layer.
    factor : float
        In the network's dtype.

    Returns
    -------
    Case
        With the same data.
    """
    net = type(drawn.net)(drawn.net.layers, drawn.net.loss_name, drawn.net.reduction)
    for array in (net.layers[place].w, net.layers[place].b):
        array *= array.dtype.type(factor)
    return Case(net, drawn.x, drawn.y)


def bisected(low: float, high: float, is_low: Callable[[float], bool]) -> tuple[float, float]:
    """Return two sizes near one another, the lower of which is low still and the higher is not.

    Parameters
    ----------
    low, high : float
        Sizes > 0; of these it is known already.
    is_low : callable
        Says of a size whether it is.

    Returns
    -------
    tuple of float
        Their ratio is that of the given ones, halved `HALVINGS` times as a logarithm.

    Examples
    --------
    >>> low, high = bisected(1.0, 1e6, lambda size: size * size < 2)
    >>> round(low, 9), round(high, 9)
    (1.414213562, 1.414213562)
    """
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if is_low(middle) else (low, middle)
    return low, high
