"""A network and its data as plain arrays, in the layout that the oracles and the bounds compute with.

Nothing here is computed by handgrad: only its parameters are read. Every array may have leading axes (…), one entry for each
of several contents of one architecture, so that all of them are computed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from handgrad.losses import JOINED

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class PlainLayer:
    """One layer's parameters: w (…, n, n_prev), b (…, n), and the slope for z < 0, (…) or (…, n).

    `shared` says that the learned slope is one for the layer; `learned` that it is a parameter (prelu).
    """

    activation: str
    w: Array
    b: Array
    slope: Array | None
    learned: bool
    shared: bool

    def slope_of_units(self) -> Array | None:
        """Return the slope so that it broadcasts against z, (…, N, n)."""
        if self.slope is None:
            return None
        return self.slope[..., None, None] if self.shared else self.slope[..., None, :]


@dataclass(frozen=True, eq=False)
class PlainCase:
    """Layers, loss and data: x (…, N, n_0); y (…, N, n_L), or class indices (…, N)."""

    layers: tuple[PlainLayer, ...]
    loss: str
    reduction: str
    x: Array
    y: Array

    @property
    def indices(self) -> bool:
        """Whether y holds class indices."""
        return self.y.ndim < self.x.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self.x.dtype

    def is_joined(self, place: int) -> bool:
        """Say whether the layer is the output joined with a cross-entropy, where dL/da and da/dz are never formed."""
        return self.loss in JOINED and place == len(self.layers) - 1

    def targets(self) -> Array:
        """Return y as numbers (…, N, n_L) of 64 bits: class indices as 1 and 0."""
        if not self.indices:
            return self.y.astype(np.float64)
        classes = self.layers[-1].b.shape[-1]
        return np.asarray(np.arange(classes) == self.y[..., None], np.float64)


def plain_case(net: hg.Network, x: npt.ArrayLike, y: npt.ArrayLike) -> PlainCase:
    """Return a network and its data as plain arrays.

    Parameters
    ----------
    net : handgrad.Network
        Its parameters are not copied.
    x, y : array_like
        As the network takes them; one example becomes a batch of one.

    Returns
    -------
    PlainCase
        Without leading axes.
    """
    # torch takes no negative strides.
    given = hg.checks.real_array("x", x)
    batch = np.ascontiguousarray(np.atleast_2d(np.asarray(given, net.dtype)))
    single = given.ndim == 1
    target = hg.checks.real_array("y", y)
    if single:
        target = target[None]
    target = np.ascontiguousarray(target.astype(np.int64) if target.ndim == 1 else target.astype(net.dtype))
    layers = []
    for layer in net.layers:
        slope = layer.alpha if layer.alpha is not None else layer.activation.slope
        array = None if slope is None else np.asarray(slope, net.dtype)
        shared = array is not None and array.ndim == 0
        layers.append(PlainLayer(layer.activation.name, layer.w, layer.b, array, layer.alpha is not None, shared))
    return PlainCase(tuple(layers), net.loss_name, net.reduction, batch, target)


def stacked(cases: Sequence[PlainCase]) -> PlainCase:
    """Return several contents of one architecture as one case with a leading axis."""
    first = cases[0]
    layers = []
    for place, layer in enumerate(first.layers):
        of_all = [each.layers[place] for each in cases]
        slope = None if layer.slope is None else np.stack([each.slope for each in of_all if each.slope is not None])
        w, b = np.stack([each.w for each in of_all]), np.stack([each.b for each in of_all])
        layers.append(PlainLayer(layer.activation, w, b, slope, layer.learned, layer.shared))
    x, y = np.stack([each.x for each in cases]), np.stack([each.y for each in cases])
    return PlainCase(tuple(layers), first.loss, first.reduction, x, y)
