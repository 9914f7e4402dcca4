"""The forward and the backward pass over a batch of one size: a row of calls on memory that is made once.

`Network.trace` is the plain telling of the same equations, and the tests hold the two together. What is saved here is not
arithmetic but calls and memory: a quantity is written over one that nobody needs any more, g′ is taken from what the forward
pass left, and layers that look alike lie one behind another, so that one call does for all what no layer before must wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.fast.architecture import Architecture
from handgrad.fast.in_place import FORMS, SMALL, Call
from handgrad.fast.outputs import BinaryCrossEntropy, CrossEntropy, SquaredError
from handgrad.fast.stages import Layer, Single, Stack, stacked
from handgrad.gradient import cut
from handgrad.losses import JOINED

Array = npt.NDArray[Any]

# So many small layers of a kind, or more, are stacked.
MANY = 3


@dataclass(frozen=True, eq=False)
class WayBack:
    """The backward pass into one gradient vector: all calls but the last, which needs x."""

    calls: list[Call]
    dL_dz_1_T: Array
    dL_dw_1: Array


class Pass:
    """The forward and the backward pass of one network over batches of one size. It serves one caller at a time.

    Parameters
    ----------
    parameters : ndarray
        The network's, (P,) in figure 9's order. The pass keeps views of it, and sees every change.
    architecture : Architecture
        Of the network.
    share : float
        Every example's part of L: 1/N for the mean.
    count : int
        How many examples.
    """

    def __init__(self, parameters: Array, architecture: Architecture, share: float, count: int) -> None:
        shapes, activations, loss = architecture
        self.shapes = shapes
        layers = [
            Layer(name, alpha if alpha is not None else slope, w, b)
            for (name, slope), (w, b, alpha) in zip(activations, cut(parameters, shapes), strict=True)
        ]
        joined, n_L = loss in JOINED, len(layers[-1].b)
        # dL/da of one layer after another.
        shared: Array = np.empty(count * max([n_L, *(layer.w.shape[1] for layer in layers[1:])]), parameters.dtype)
        ones: Array = np.ones(count, parameters.dtype)
        row: Array = np.empty(max([SMALL, *(len(layer.b) for layer in layers)]), parameters.dtype)
        # What a loss is joined with is no part of a stack, nor is the first layer, whose x is the caller's.
        inner = layers[1:-1] if joined else layers[1:]
        # Of each stage, its first layer and how many it has.
        self.spans = [(0, 1), *((start + 1, number) for start, number in spans_of(inner, count))]
        if joined and len(layers) > 1:
            self.spans.append((len(layers) - 1, 1))

        def single(place: int, a_prev: Array | None) -> Single:
            layer = layers[place]
            n_prev = 0 if a_prev is None else layer.w.shape[1]
            form = FORMS["identity"] if joined and place == len(layers) - 1 else FORMS.get(layer.activation)
            return Single(layer, form, ones, row, a_prev, shared[: count * n_prev].reshape(count, n_prev))

        self.first = single(0, None)
        self.later: list[Single | Stack] = []
        a = self.first.a
        for start, number in self.spans[1:]:
            if number == 1:
                self.later.append(single(start, a))
            else:
                of_stack = layers[start : start + number]
                self.later.append(
                    Stack(of_stack, FORMS[of_stack[0].activation], ones, a, *stacked(parameters, shapes, start, number))
                )
            a = self.later[-1].a
        self.output = OUTPUTS[loss](a, shared[: count * n_L].reshape(count, n_L), share)
        self._loss, self._w_1_T, self._z_1 = self.output.loss, layers[0].w.T, self.first.z
        self._calls = [call for stage in (self.first, *self.later) for call in stage.forward()]

    def way_back(self, vector: Array, dL_dz_1: Array) -> WayBack:
        """Return the backward pass into a gradient vector (P,), with dL/dz of the first layer (N, n_1) beside it."""
        of_layers = cut(vector, self.shapes)
        into = [
            of_layers[start] if number == 1 else (*stacked(vector, self.shapes, start, number), None)
            for start, number in self.spans
        ]
        calls: list[Call] = []
        dL_da = self.output.derivative
        for stage, its in zip(reversed(self.later), into[:0:-1], strict=True):
            calls += stage.backward(dL_da, *its)
            dL_da = stage.dL_da_prev
        calls += self.first.backward(dL_da, *into[0], dL_dz_1)
        return WayBack(calls, dL_dz_1.T, into[0][0])

    def run(self, x: Array, y: Array, back: WayBack) -> float:
        """Return the loss of a batch, and leave its gradient where the way back leads.

        Parameters
        ----------
        x : ndarray
            (N, n_0), checked, of the network's dtype.
        y : ndarray
            (N, n_L) of the network's dtype; under "cross_entropy" distributions, or class indices (N,).
        back : WayBack
            Of this pass.

        Returns
        -------
        float
            L.
        """
        x.dot(self._w_1_T, self._z_1)  # (8): ik,jk->ij
        for function, arguments in self._calls:
            function(*arguments)
        loss = self._loss(y)
        for function, arguments in back.calls:
            function(*arguments)
        back.dL_dz_1_T.dot(x, back.dL_dw_1)  # (11) with (13): ij,ik->jk
        return loss


OUTPUTS: dict[str, type[SquaredError] | type[CrossEntropy] | type[BinaryCrossEntropy]] = {
    "squared_error": SquaredError,
    "cross_entropy": CrossEntropy,
    "binary_cross_entropy": BinaryCrossEntropy,
}


def spans_of(layers: Sequence[Layer], count: int) -> list[tuple[int, int]]:
    """Return (first layer, number of layers) of each stage: stacks where many like layers follow one another."""
    spans: list[tuple[int, int]] = []
    for (activation, (n, _)), run in groupby(
        range(len(layers)), lambda place: (layers[place].activation, layers[place].w.shape)
    ):
        places = list(run)
        # Several in a row are as wide as what they take.
        if activation in FORMS and count * n <= SMALL and len(places) >= MANY:
            spans.append((places[0], len(places)))
        else:
            spans += [(place, 1) for place in places]
    return spans
