"""One layer of a network: its parameters, which the network shares, and its activation."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from handgrad import activations as act
from handgrad import checks
from handgrad.activations import Activation
from handgrad.fast.weights import Weights
from handgrad.foreign import notes_words

__all__ = ["Dense"]

Array = npt.NDArray[Any]


class Dense:
    """One layer: z = b + w a^(l−1) (8) and a = g(z) (9).

    Parameters
    ----------
    w : array_like
        Weights, (n, n_prev), the layout of `torch.nn.Linear.weight`; float32 or float64, lists float64. Copied.
    b : array_like
        Biases, (n,), of w's dtype, which a list takes. Copied.
    activation : str or Activation
        By name or as an object; "identity" unless given.

    Raises
    ------
    TypeError, ValueError
        If w and b are not both float32 or float64; if a shape is wrong, a number not finite, or the activation unknown.
    """

    @notes_words
    def __init__(self, w: npt.ArrayLike, b: npt.ArrayLike, activation: Activation | str = "identity") -> None:
        self._activation = act.activation(activation)
        slope, alpha = self._activation.slope, self._activation.alpha
        array, self._b, self._alpha = checks.dense(w, b, slope, alpha)
        self._weights = Weights(array)

    @property
    def activation(self) -> Activation:
        """The activation function."""
        return self._activation

    # What is assigned to a parameter is copied into its memory, which the network shares.

    @property
    def w(self) -> Array:
        """The weights, (n, n_prev)."""
        return self._weights.lend()

    @w.setter
    def w(self, value: npt.ArrayLike) -> None:
        self._weights.assign(checks.replacement("w", value, self._weights.array))

    @property
    def b(self) -> Array:
        """The biases, (n,)."""
        return self._b

    @b.setter
    def b(self, value: npt.ArrayLike) -> None:
        self._b[...] = checks.replacement("b", value, self._b)

    @property
    def alpha(self) -> Array | None:
        """The learned slope α of prelu, (n,), or () for one shared or one unit; None for the others."""
        return self._alpha

    @alpha.setter
    def alpha(self, value: npt.ArrayLike) -> None:
        if self._alpha is None:
            raise TypeError(f"alpha is an argument of prelu alone; {self.activation.name} got {value!r}")
        self._alpha[...] = checks.replacement("alpha", value, self._alpha, one_unit=self._b.size == 1)

    @property
    def negative_slope(self) -> Array | float | None:
        """The slope for z < 0: α of prelu as it is now, the fixed slope of leaky_relu, None for the others."""
        return self._activation.slope if self._alpha is None else self._alpha

    def _in(self, w: Array, b: Array, alpha: Array | None) -> Dense:
        """Return the same layer with its parameters in this memory, which holds their numbers already."""
        placed = Dense.__new__(type(self))
        vars(placed).update(vars(self), _weights=Weights(w), _b=b, _alpha=alpha)
        return placed

    def __repr__(self) -> str:
        n, n_prev = self._weights.array.shape
        return f"Dense({n_prev} -> {n}, {self.activation.name}, {self._b.dtype})"
