"""One example of a network of a few units, by the network written out: faster in plain numbers than NumPy can be called."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.fast.written_out import program_of
from handgrad.gradient import Gradient, Shapes

Array = npt.NDArray[Any]

# The program takes longer with every product, the row of calls with every layer: both as long at 100 to 150 products a layer.
MOST_MULTIPLY_ADDS = 90


def is_tiny(shapes: Shapes, activations: Sequence[tuple[str, float | None]]) -> bool:
    """Say whether a network of these layers is computed faster by its program.

    The multiply-adds that count are those of one example: forward, dL/dw, and dL/da but for dL/dx; and what softmax's p do with
    one another on the way back.
    """
    products = [n * n_prev for (n, n_prev), _ in shapes]
    of_softmax = sum(n * n for ((n, _), _), (name, _) in zip(shapes, activations, strict=True) if name == "softmax")
    return 3 * sum(products) - products[0] + of_softmax <= MOST_MULTIPLY_ADDS * len(shapes)


class Tiny:
    """The gradient of one example of a tiny network, by its program, which is compiled now if it is not yet.

    Parameters
    ----------
    parameters : ndarray
        The network's own, (P,) in figure 9's order.
    shapes : Shapes
        How `handgrad.gradient.cut` cuts them.
    activations : tuple of (str, slope)
        One a layer.
    loss : str
        As for `Network`.
    """

    def __init__(self, parameters: Array, shapes: Shapes, activations: tuple[tuple[str, float | None], ...], loss: str) -> None:
        self._parameters, self._shapes, self._dtype = parameters, shapes, parameters.dtype
        program = program_of(shapes, activations, loss)
        self._compute, self._classes = program.gradient, program.classes if loss == "cross_entropy" else ()
        self._check_y, self._n_L = checks.TARGETS[loss], shapes[-1][0][0]
        self._one, self._row = (shapes[0][0][1],), (1, shapes[0][0][1])
        # A squared error is finite for finite targets alone, so theirs need not be looked for beforehand.
        self._y_is_any = loss == "squared_error"
        self._pack = Struct(f"{parameters.size}{parameters.dtype.char}").pack_into

    def gradient(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Gradient | None:
        """Return what `Network.gradient` returns, of one example.

        None for several examples, and where something is not finite: there is more to say then, and a plan's calls say it.

        Parameters
        ----------
        x, y : array_like
            As for `Network.gradient`, with the same errors.

        Returns
        -------
        Gradient or None
            Its numbers are computed in 64 bits.
        """
        # The usual x and y are looked at here, all others by the checks.
        if type(x) is np.ndarray and x.dtype == self._dtype and x.shape == self._one:
            numbers, single = x.tolist(), True
        elif type(x) is np.ndarray and x.dtype == self._dtype and x.shape == self._row:
            (numbers,), single = x.tolist(), False
        elif type(x) is np.ndarray and x.ndim == 2 and len(x) > 1:
            return None
        else:
            batch, single = checks.inputs(x, self._one[0], self._shapes[0][0], self._dtype)
            if len(batch) > 1:
                return None
            numbers = batch[0].tolist()
        if self._y_is_any and type(y) is np.ndarray and y.dtype == self._dtype and y.size == self._n_L and y.ndim == 2 - single:
            target: Sequence[float] = y.ravel().tolist()
        else:
            target = self._target(y, single)
        loss, derivatives, by_x = self._compute(self._parameters.tolist(), numbers, target)
        # Where y or x is not finite, the checks have something to say.
        if not (isfinite(loss) and isfinite(sum(numbers))):
            return None
        vector: Array = np.empty(len(derivatives), self._dtype)
        try:
            self._pack(vector.data, 0, *derivatives)  # in half the time of an array made of them
        except OverflowError:
            return None
        dtype = self._dtype

        def dL_dx() -> Array:
            with np.errstate(over="ignore"):
                of_example = np.array(by_x, dtype)
            return of_example if single else of_example.reshape(1, -1)

        return Gradient.of_vector(loss, vector, self._shapes, dL_dx)

    def _target(self, y: Any, single: bool) -> Sequence[float]:
        """Return y as plain numbers, checked; a class as 1 and 0."""
        if self._classes:
            k = -1
            if single and (type(y) is int or isinstance(y, np.integer)):
                k = int(y)
            elif type(y) is np.ndarray and y.shape == (() if single else (1,)) and y.dtype.kind in "iu":
                k = int(y.item())
            if 0 <= k < self._n_L:
                return self._classes[k]
        numbers: list[float] = self._check_y(y, 1, single, self._n_L, self._dtype)[0].tolist()
        return numbers
