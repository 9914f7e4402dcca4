"""The activations in place, for `handgrad.fast.stages`: g(z) written where z was, g′ taken from what that left.

The plain forms are in `handgrad.activations`; these say the same with fewer calls and without memory of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# A layer of fewer numbers costs more in calls than in arithmetic.
SMALL = 4096


@dataclass(frozen=True, eq=False)
class Limits:
    """What a dtype can hold, and a few numbers in it: NumPy takes longer over a Python number than over a small layer."""

    one: Array
    minus_one: Array
    four: Array
    # The largest z whose 1 / (1 + e^z) is still a normal number.
    most: Array
    # While z_j² + z_k² is below this for any two, neither e^z nor a quotient of two of them comes near over- or underflow.
    calm: float
    # The smallest normal number.
    tiny: float


@cache
def limits(dtype: np.dtype[Any]) -> Limits:
    """Return the limits of float32 or float64."""
    kind = np.finfo(dtype)
    most = -np.log(float(kind.tiny)) * (1 - float(kind.eps))
    one, minus_one, four, largest_z = (np.array(number, dtype) for number in (1, -1, 4, most))
    return Limits(one, minus_one, four, largest_z, float(np.log(kind.max) / 2) ** 2, float(kind.tiny))


class Constants:
    """The limits of a layer's dtype, and zeros and ones to compare with.

    The maximum with zeros of the same shape is several times faster than with one 0; in a large layer, with a row of them.
    """

    def __init__(self, dtype: np.dtype[Any], shape: tuple[int, int]) -> None:
        of = limits(dtype)
        self.one, self.minus_one, self.four, self.most = of.one, of.minus_one, of.four, of.most
        alike = shape if shape[0] * shape[1] <= SMALL else shape[1:]
        self.zeros, self.ones = np.zeros(alike, dtype), np.ones(alike, dtype)


# Each g leaves g(z) in `a` and in `z` what g′ needs; each derivative writes g′(z) over `a`, which nobody needs any more, and
# may use up `z`. Where z is not needed, `z` and `a` are the same memory.


def _relu(z: Array, a: Array, c: Constants) -> None:
    np.maximum(z, c.zeros, out=a)


def _relu_derivative(z: Array, a: Array, c: Constants) -> None:
    # 1 where a > 0: a rounded up, and cut at 1. A comparison would have to be cast, and np.sign branches.
    np.ceil(a, a)
    np.minimum(a, c.ones, out=a)


def _sigmoid(z: Array, a: Array, c: Constants) -> None:
    # With E = e^z and r = 1 / (1 + E), g(z) is E r and 1 − g(z) is r: nothing is subtracted, so no digit is lost.
    # Beyond `most` r stays at the smallest normal number, where the exact g′ is smaller still.
    np.minimum(z, c.most, out=z)
    np.exp(z, a)
    np.add(a, c.one, z)
    np.reciprocal(z, z)
    np.multiply(a, z, a)


def _sigmoid_derivative(z: Array, a: Array, c: Constants) -> None:
    np.multiply(a, z, a)


def _tanh(z: Array, a: Array, c: Constants) -> None:
    np.tanh(z, a)


def _tanh_derivative(z: Array, a: Array, c: Constants) -> None:
    # 1 − tanh² z = 1 / cosh² z = 4 (h / (1 + h²))² with h = e^{−|z|}, in which nothing is subtracted either.
    np.copysign(z, c.minus_one, z)
    np.exp(z, z)
    np.multiply(z, z, a)
    np.add(a, c.one, a)
    np.divide(z, a, a)
    np.multiply(a, a, a)
    np.multiply(a, c.four, a)


@dataclass(frozen=True)
class Form:
    """g and g′ in place; None where g(z) = z, or g′ = 1."""

    g: Callable[[Array, Array, Constants], None] | None
    derivative: Callable[[Array, Array, Constants], None] | None
    needs_z: bool


FORMS = {
    "identity": Form(None, None, needs_z=False),
    "relu": Form(_relu, _relu_derivative, needs_z=False),
    "sigmoid": Form(_sigmoid, _sigmoid_derivative, needs_z=True),
    "tanh": Form(_tanh, _tanh_derivative, needs_z=True),
}
