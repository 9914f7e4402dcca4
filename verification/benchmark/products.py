"""The limit: the matrix products of one gradient alone, each into memory that is there already."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from verification.benchmark.subject import Subject

Array = npt.NDArray[Any]
Product = tuple[Array, Array, Array]


def products(net: hg.Network, x: Array) -> list[Product]:
    """Return what is multiplied, and where the product goes, in the order of one pass.

    Parameters
    ----------
    net : handgrad.Network
        The network.
    x : ndarray
        (N, n_0).

    Returns
    -------
    list of (ndarray, ndarray, ndarray)
        Left, right and out for `numpy.dot`: z of every layer, then dL/dw and, but for the first layer, dL/da^(l−1) from the
        last layer to the first. Nothing lies between the products, so that the numbers are no gradient.
    """
    a = [x, *(np.empty((len(x), n), net.dtype) for n in net.widths[1:])]
    up = [(a_prev, layer.w.T, z) for layer, a_prev, z in zip(net.layers, a, a[1:], strict=False)]
    down: list[Product] = []
    for place, layer in reversed(list(enumerate(net.layers))):
        down.append((a[place + 1].T, a[place], np.empty_like(layer.w)))
        if place:
            # a^(l−1) has served, and its memory takes dL/da^(l−1).
            down.append((a[place + 1], layer.w, a[place]))
    return up + down


def bare(net: hg.Network, x: Array) -> Subject:
    """Return the products as a subject; it has no answer to read."""
    row, dot = products(net, x), np.dot

    def run() -> None:
        for left, right, out in row:
            dot(left, right, out)

    return Subject(run)
