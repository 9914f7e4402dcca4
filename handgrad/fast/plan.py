"""The gradient, fast: the matrix form with every buffer made once for a batch size, each step in place.

`Network.trace` is the plain telling of the same equations, and the tests hold the two together. What is saved here is not
arithmetic but calls and memory: a quantity is written over one that nobody needs any more, g′ is taken from what the forward
pass left, and layers that look alike lie one behind another, so that one call does for all what no layer before must wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any
from weakref import ref

import numpy as np
import numpy.typing as npt

from handgrad.fast.in_place import FORMS, SMALL
from handgrad.fast.stages import BinaryCrossEntropy, CrossEntropy, Layer, Plain, Single, SquaredError, Stack, stacked
from handgrad.gradient import Shapes, cut
from handgrad.losses import JOINED

Array = npt.NDArray[Any]

# So many small layers of a kind, or more, are stacked.
MANY = 3
# For so few examples dL/dx costs no more than copies of what it is computed from.
FEW = 8


class Results:
    """Memory for what a run hands out: the gradient vector, and a copy of dL/dz for a dL/dx that is wanted later.

    It serves again when nobody has a part of it any more, because new memory costs more time than a small network's
    arithmetic. Whoever is handed it gets an array made for him, and whatever he cuts from that array refers to it: once this
    array is gone, nobody has a part. A weak reference tells, on every Python: it says at the latest when the array's memory is
    collected, never too early, and without counting references, which threads may be changing.

    Parameters
    ----------
    plan : Plan
        Whose results it is for.
    """

    def __init__(self, plan: Plan) -> None:
        count, n, parameters = plan.count, len(plan.w_1), plan.parameters.size
        self._memory: Array = np.empty(parameters + (count * n if count > FEW else 0), plan.parameters.dtype)
        # NumPy makes a view of a view refer to the array at the bottom. What is handed out lies on a memoryview, and so is the
        # array at the bottom of all its views.
        self._buffer, self._dtype = memoryview(self._memory.data), self._memory.dtype
        self._handed_out: Callable[[], Array | None] = lambda: None
        self.vector = self._memory[:parameters]
        self.dL_dz_1: Array = self._memory[parameters:].reshape(-1, n)
        self.into = plan.views(self.vector)
        self.into_later = self.into[:0:-1]

    def is_free(self) -> bool:
        """Say whether no caller has a part of it."""
        return self._handed_out() is None

    def handed_out(self) -> Array:
        """Return all of the memory for a caller; until he and everybody that he gave a part let go, it is not free."""
        array: Array = np.frombuffer(self._buffer, self._dtype)
        self._handed_out = ref(array)
        return array


class Plan:
    """Backpropagation of one network for batches of one size. A plan serves one caller at a time.

    Parameters
    ----------
    parameters : ndarray
        The network's, (P,) in figure 9's order. The plan keeps views of it, and sees every change.
    shapes : Shapes
        How `handgrad.gradient.cut` cuts it.
    activations : sequence of (str, slope)
        One a layer.
    loss, reduction : str
        As for `Network`.
    count : int
        N, the number of examples.
    """

    def __init__(
        self,
        parameters: Array,
        shapes: Shapes,
        activations: Sequence[tuple[str, Array | float | None]],
        loss: str,
        reduction: str,
        count: int,
    ) -> None:
        dtype = parameters.dtype
        self.parameters, self.shapes, self.count = parameters, shapes, count
        layers = [
            Layer(name, alpha if alpha is not None else slope, w, b)
            for (name, slope), (w, b, alpha) in zip(activations, cut(parameters, shapes), strict=True)
        ]
        self.w_1 = layers[0].w
        n_L = layers[-1].w.shape[0]
        shared: Array = np.empty(count * max([n_L, *(layer.w.shape[1] for layer in layers[1:])]), dtype)
        joined = loss in JOINED
        self.stages: list[Single | Plain | Stack] = []
        # Of each stage, its first layer and how many it has.
        # What a loss is joined with is no part of a stack.
        self.spans = [*spans_of(layers[:-1], count), (len(layers) - 1, 1)] if joined else spans_of(layers, count)
        for start, number in self.spans:
            layer = layers[start]
            n_prev = layer.w.shape[1]
            dL_da_prev = shared[: count * n_prev].reshape(count, n_prev) if start else shared[:0]
            form = FORMS["identity"] if joined and start == len(layers) - 1 else FORMS.get(layer.activation)
            if form is None:
                self.stages.append(Plain(layer, count, dL_da_prev))
            elif number == 1:
                n = layer.w.shape[0]
                self.stages.append(Single(layer, form, count, shared[: count * n].reshape(count, n), dL_da_prev))
            else:
                of_stack = stacked(parameters, shapes, start, number)
                self.stages.append(Stack(layers[start : start + number], form, count, *of_stack))
        share = 1 / count if reduction == "mean" else 1.0
        dL_da = shared[: count * n_L].reshape(count, n_L)
        if joined:
            of_logits = CrossEntropy if loss == "cross_entropy" else BinaryCrossEntropy
            self.output: CrossEntropy | BinaryCrossEntropy | SquaredError = of_logits(self.stages[-1].a, dL_da, share)
        else:
            self.output = SquaredError(dL_da, share)
        # The way back: from the last stage to the second, and then the first.
        self.first, self.later = self.stages[0], self.stages[:0:-1]
        self.results: list[Results] = []
        # To be called as `plan.run_quietly(plan, x, y, single)`. As a decorator an error state takes half the time; it is the
        # plan's own, since NumPy 1 keeps in it what to go back to.
        self.run_quietly = np.errstate(over="ignore", invalid="ignore")(Plan.run)

    def run(self, x: Array, y: Array, single: bool | None = None) -> tuple[float, Results, Array | None]:
        """Return the loss, and the gradient vector in memory that no caller has a part of; for few examples dL/dx, too.

        What overflows is infinite, or NaN where two infinities meet: who asks finds it in the numbers, and NumPy need not warn.

        Parameters
        ----------
        x : ndarray
            (N, n_0), checked, of the network's dtype.
        y : ndarray
            (N, n_L) of the network's dtype; under "cross_entropy" distributions, or class indices (N,).
        single : bool, optional
            Whether x came without a batch axis, so that dL/dx has none; None if nobody wants dL/dx.

        Returns
        -------
        tuple of float, Results, and ndarray or None
            L, ∇L in `vector`, which is the plan's own until the results are handed out, and of at most `FEW` examples dL/dx,
            (N, n_0), or (n_0,).
        """
        results = self._free_results()
        a = x
        for stage in self.stages:
            a = stage.forward(a)
        loss, dL_da = self.output.loss(a, y)
        for stage, into in zip(self.later, results.into_later, strict=False):
            dL_da = stage.backward(dL_da, *into, False)
        self.first.backward(dL_da, *results.into[0], True)
        self.first.forget()
        if single is None or self.count > FEW:
            return loss, results, None
        dL_dx: Array = self.first.dL_dz.dot(self.w_1)  # (14): ij,jk->ik
        return loss, results, dL_dx.reshape(-1) if single else dL_dx

    def _free_results(self) -> Results:
        """Return memory that no caller has a part of. Two are kept, for a loop that holds its last gradient."""
        for results in self.results:
            if results.is_free():
                return results
        results = Results(self)
        self.results = [results, *self.results[:1]]
        return results

    def views(self, vector: Array) -> list[tuple[Any, Any, Any]]:
        """Return where each stage writes dL/dw, dL/db and dL/dα in a gradient vector."""
        of_layers = cut(vector, self.shapes)
        return [
            of_layers[start] if number == 1 else (*stacked(vector, self.shapes, start, number), None)
            for start, number in self.spans
        ]


def spans_of(layers: Sequence[Layer], count: int) -> list[tuple[int, int]]:
    """Return (first layer, number of layers) of each stage: stacks where many like layers follow one another."""
    spans: list[tuple[int, int]] = []
    for (activation, (n, n_prev)), run in groupby(
        range(len(layers)), lambda place: (layers[place].activation, layers[place].w.shape)
    ):
        places = list(run)
        if activation in FORMS and n == n_prev and count * n <= SMALL and len(places) >= MANY:
            spans.append((places[0], len(places)))
        else:
            spans += [(place, 1) for place in places]
    return spans
