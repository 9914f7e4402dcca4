"""One example of a network of a few units, by the network written out: faster in plain numbers than NumPy can be called."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.fast.architecture import Architecture
from handgrad.fast.written_out import program_of
from handgrad.gradient import Gradient, Shapes, size

Array = npt.NDArray[Any]

# The program takes longer with every parameter and unit, a plan with every layer, unless there are many alike.
LEAST, OF_A_LAYER, MOST = 20, 40, 250


def is_tiny(shapes: Shapes) -> bool:
    """Say whether a network of these layers is computed faster by its program, as measured on networks of all kinds."""
    numbers = size(shapes) + sum(n for (n, _), _ in shapes)
    return numbers <= min(LEAST + OF_A_LAYER * len(shapes), MOST)


class Tiny:
    """The gradient of one example of a tiny network, by its program, which is compiled now if it is not yet.

    Everything is computed in 64 bits. Where L, x or a parameter is not finite there is more to say, and nothing is returned: a
    plan's calls say it.

    Parameters
    ----------
    parameters : ndarray
        The network's own, (P,) in figure 9's order.
    architecture : Architecture
        Of the network.
    """

    def __init__(self, parameters: Array, architecture: Architecture) -> None:
        shapes, _, loss = architecture
        self._parameters, self._shapes, self._dtype = parameters, shapes, parameters.dtype
        program = program_of(architecture)
        self._compute, self._classes = program.gradient, program.classes
        n_0, n_L = shapes[0][0][1], shapes[-1][0][0]
        self._x_alone, self._x_in_row, self._y_alone, self._y_in_row = (n_0,), (1, n_0), (n_L,), (1, n_L)
        self._takes_outputs, self._takes_classes = loss == "squared_error", loss == "cross_entropy"
        self._largest = float(np.finfo(self._dtype).max)
        self._pack = Struct(f"{parameters.size}{self._dtype.char}").pack_into

    def of_usual(self, x: Any, y: Any) -> Gradient | None:
        """Return the gradient of one example as it mostly comes, in arrays of the network's dtype; None for any other.

        Parameters
        ----------
        x, y : array_like
            As for `Network.gradient`. Nothing is checked but what is finite, by the numbers that come out.

        Returns
        -------
        Gradient or None
            None of several examples, too.
        """
        if not (type(x) is np.ndarray and x.dtype == self._dtype):
            return None
        if x.shape == self._x_alone:
            single, numbers = True, x.tolist()
        elif x.shape == self._x_in_row:
            single, (numbers,) = False, x.tolist()
        else:
            return None
        if self._takes_outputs and type(y) is np.ndarray and y.dtype == self._dtype:
            if single and y.shape == self._y_alone:
                return self._gradient(numbers, y.tolist(), single)
            if not single and y.shape == self._y_in_row:
                return self._gradient(numbers, y.tolist()[0], single)
        elif self._takes_classes:
            k = -1
            if type(y) is int and single:
                k = y
            elif (
                (type(y) is np.ndarray or isinstance(y, np.integer))
                and y.dtype.kind in "iu"
                and y.shape == (() if single else (1,))
            ):
                k = int(y.item())
            if 0 <= k < len(self._classes):
                return self._gradient(numbers, self._classes[k], single)
        return None

    def of_checked(self, x: Array, y: Array, single: bool) -> Gradient | None:
        """Return the gradient of one example that is checked.

        Parameters
        ----------
        x : ndarray
            (1, n_0).
        y : ndarray
            (1, n_L), or a class index (1,).
        single : bool
            Whether x came without a batch axis.

        Returns
        -------
        Gradient or None
            As `of_usual`.
        """
        return self._gradient(x.tolist()[0], self._classes[y.item()] if y.ndim == 1 else y.tolist()[0], single)

    def _gradient(self, x: Sequence[float], y: Sequence[float], single: bool) -> Gradient | None:
        parameters = self._parameters.tolist()
        loss, derivatives, by_x = self._compute(parameters, x, y)
        # The sum of numbers that are not finite is not either; that of finite ones may overflow, which costs time alone.
        if not (loss <= self._largest and abs(sum(x)) <= self._largest and abs(sum(parameters)) <= self._largest):
            return None
        vector: Array = np.empty(len(derivatives), self._dtype)
        # In half the time of an array made of them; what is beyond float32 is infinite.
        self._pack(vector.data, 0, *derivatives)
        dtype = self._dtype

        def dL_dx() -> Array:
            with np.errstate(over="ignore"):
                of_example = np.array(by_x, dtype)
            return of_example if single else of_example.reshape(1, -1)

        return Gradient.of_vector(loss, vector, self._shapes, dL_dx)
