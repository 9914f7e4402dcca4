"""The letters of one example, each with its number from the trace; counted from 1, as the notes count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.gradient import Trace
from handgrad.homework.expressions import Quantity
from handgrad.network import Network

Array = npt.NDArray[Any]


def is_chain(net: Network) -> bool:
    """Say whether a network has one neuron a layer and the notes' loss, so that (3)–(7) tell it, in letters without indices."""
    softmax = any(layer.activation.name == "softmax" for layer in net.layers)
    return set(net.widths) == {1} and net.loss_name == "squared_error" and not softmax


@dataclass(frozen=True)
class Quantities:
    """What the trace of one example holds, by the notes' letters.

    Parameters
    ----------
    net : Network
        The network.
    trace : Trace
        Of one example, without a batch axis.
    y : ndarray
        (n_L,), its targets.
    example : int or None
        i, in a batch.
    chain : bool
        One neuron a layer: letters without indices, as in (3)–(7).
    """

    net: Network
    trace: Trace
    y: Array
    example: int | None
    chain: bool

    def units(self, layer: int) -> range:
        """Return 1 … n of a layer."""
        return range(1, self.net.widths[layer] + 1)

    def activation(self, layer: int) -> str:
        """Return the name of a layer's activation."""
        return self.net.layers[layer - 1].activation.name

    def slope(self, layer: int, j: int) -> float | Quantity:
        """Return what z < 0 is multiplied by: a number, or α."""
        dense = self.net.layers[layer - 1]
        if dense.alpha is None:
            return float(dense.activation.slope or 0)
        # A shared slope belongs to no unit.
        return self._of("alpha", dense.alpha, layer, j if dense.alpha.ndim else None)

    def w(self, layer: int, j: int, k: int) -> Quantity:
        """Return w_jk."""
        return self._of("w", self.net.layers[layer - 1].w, layer, j, k)

    def b(self, layer: int, j: int) -> Quantity:
        """Return b_j."""
        return self._of("b", self.net.layers[layer - 1].b, layer, j)

    def target(self, j: int) -> Quantity:
        """Return y_j."""
        return self._of("y", self.y, None, j)

    def z(self, layer: int, j: int) -> Quantity:
        """Return z_j."""
        return self._of("z", self.trace[layer].z, layer, j)

    def a(self, layer: int, j: int) -> Quantity:
        """Return a_j, of layer 0 x_j."""
        return self._of("a", self.trace[layer].a if layer else self.trace[1].a_prev, layer, j)

    def loss(self) -> Quantity:
        """Return L_i."""
        return Quantity("L", self.trace.loss, example=self.example)

    def dL_da(self, layer: int, j: int) -> Quantity:
        """Return dL/da_j, of layer 0 dL/dx_j."""
        array = self.trace[layer].dL_da if layer == len(self.trace) else self.trace[layer + 1].dL_da_prev
        return self._of("dL_da", array, layer, j)

    def da_dz(self, layer: int, j: int, i: int | None = None) -> Quantity:
        """Return da_j/dz_j, of softmax da_j/dz_i."""
        return self._of("da_dz", self.trace[layer].da_dz, layer, j, i)

    def dL_dz(self, layer: int, j: int) -> Quantity:
        """Return dL/dz_j."""
        return self._of("dL_dz", self.trace[layer].dL_dz, layer, j)

    def dz_dw(self, layer: int, j: int, k: int) -> Quantity:
        """Return dz_j/dw_jk."""
        return self._named("dz_dw", self.a(layer - 1, k).value, layer, j, k)

    def dz_db(self, layer: int, j: int) -> Quantity:
        """Return dz_j/db_j."""
        return self._named("dz_db", 1.0, layer, j)

    def dz_da(self, layer: int, j: int, k: int) -> Quantity:
        """Return dz_j/da_k of the layer before."""
        return self._named("dz_da", self.w(layer, j, k).value, layer, j, k)

    def da_dalpha(self, layer: int, j: int) -> Quantity:
        """Return da_j/dα, or da_j/dα_j where each unit has its own."""
        alpha = self.net.layers[layer - 1].alpha
        own = j if alpha is not None and alpha.ndim else None
        return self._named("da_dalpha", min(self.z(layer, j).value, 0.0), layer, j, own)

    def dL_dw(self, layer: int, j: int, k: int) -> Quantity:
        """Return dL/dw_jk."""
        return self._of("dL_dw", self.trace[layer].dL_dw, layer, j, k)

    def dL_db(self, layer: int, j: int) -> Quantity:
        """Return dL/db_j."""
        return self._of("dL_db", self.trace[layer].dL_db, layer, j)

    def dL_dalpha(self, layer: int, j: int | None) -> Quantity:
        """Return dL/dα."""
        return self._of("dL_dalpha", self.trace[layer].dL_dalpha, layer, j)

    def _of(self, kind: str, array: Array | None, layer: int | None, j: int | None = None, k: int | None = None) -> Quantity:
        place = tuple(unit - 1 for unit in (j, k) if unit is not None)
        return self._named(kind, float(np.asarray(array)[place]), layer, j, k)

    def _named(self, kind: str, value: float, layer: int | None, j: int | None = None, k: int | None = None) -> Quantity:
        if self.chain:
            j = k = None
        # Parameters are the same in every example.
        example = None if kind in ("w", "b", "alpha") else self.example
        return Quantity(kind, value, layer, j, k, example)
