"""The activations as rows of calls on memory that is there: g(z) written where it is wanted, g′ taken from what that left.

The plain forms are in `handgrad.activations`; these say the same with fewer calls and without memory of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
# A step of a plan: a function, and all that it works on.
Call = tuple[Callable[..., object], tuple[Any, ...]]

# A layer of fewer numbers costs more in calls than in arithmetic.
SMALL = 4096


@dataclass(frozen=True, eq=False)
class Limits:
    """What a dtype can hold, and a few numbers in it: NumPy takes longer over a Python number than over a small layer."""

    one: Array
    minus_one: Array
    # The largest z whose 1 / (1 + e^z) is still a normal number.
    most: float
    # While z_j² + z_k² is below this for any two, neither e^z nor a quotient of two of them comes near over- or underflow.
    calm: float
    # The smallest normal number.
    tiny: float


@cache
def limits(dtype: np.dtype[Any]) -> Limits:
    """Return the limits of float32 or float64."""
    kind = np.finfo(dtype)
    most = -np.log(float(kind.tiny)) * (1 - float(kind.eps))
    one, minus_one = (np.array(number, dtype) for number in (1, -1))
    return Limits(one, minus_one, float(most), float(np.log(kind.max) / 2) ** 2, float(kind.tiny))


def in_rows(array: Array) -> Array:
    """Return the numbers of an array (N, n) as rows of at most `SMALL`, as one row if that is enough; it is no copy.

    A row serves as the other operand of all: NumPy takes a row as fast as an array of the same shape while it is long, and
    several times longer over a single number.
    """
    count, n = array.shape
    if array.size <= SMALL:
        return array.reshape(-1)
    together = max((number for number in range(1, SMALL // n + 1) if count % number == 0), default=1)
    return array.reshape(-1, together * n)


def row_of(z: Array, number: float) -> Array:
    """Return a row that is everywhere this number, for rows z; not to be written to, since all layers share its memory."""
    length = z.shape[-1]
    return _constant(number, z.dtype, max(length, SMALL))[:length]


@lru_cache(maxsize=32)
def _constant(number: float, dtype: np.dtype[Any], length: int) -> Array:
    row = np.full(length, number, dtype)
    row.flags.writeable = False
    return row


# Each g reads `z` and leaves g(z) in `a`, and in `z` what g′ needs; each derivative writes g′(z) into `out`, which may be `a`,
# and may use up `z` and `a`. Where g′ needs no z, `z` may be `a`. All are rows of `in_rows`. An `out` by position takes half as
# long as one by name, which np.maximum and np.minimum insist on.


def _identity(z: Array, a: Array) -> list[Call]:
    return [(a.__setitem__, (..., z))]


def _identity_derivative(z: Array, a: Array, out: Array) -> list[Call]:
    return [(out.fill, (1,))]


def _relu(z: Array, a: Array) -> list[Call]:
    return [(partial(np.maximum, out=a), (z, row_of(z, 0)))]


def _relu_but_for_nan(z: Array, a: Array) -> list[Call]:
    return [(np.fmax, (z, row_of(z, 0), a))]


def _relu_derivative(z: Array, a: Array, out: Array) -> list[Call]:
    # 1 where a > 0: a rounded up, and cut at 1. A comparison would have to be cast, and np.sign branches.
    return [(np.ceil, (a, out)), (np.fmin, (out, row_of(out, 1), out))]


def _sigmoid(z: Array, a: Array) -> list[Call]:
    # With E = e^z and r = 1 / (1 + E), g(z) is E r and 1 − g(z) is r: nothing is subtracted, so no digit is lost.
    # Beyond `most` r stays at the smallest normal number, where the exact g′ is smaller still.
    of = limits(z.dtype)
    return [
        (partial(np.minimum, out=z), (z, row_of(z, of.most))),
        (np.exp, (z, a)),
        (np.add, (a, of.one, z)),
        (np.reciprocal, (z, z)),
        (np.multiply, (a, z, a)),
    ]


def _sigmoid_derivative(z: Array, a: Array, out: Array) -> list[Call]:
    return [(np.multiply, (a, z, out))]


def _tanh(z: Array, a: Array) -> list[Call]:
    return [(np.tanh, (z, a))]


def _tanh_derivative(z: Array, a: Array, out: Array) -> list[Call]:
    # 1 − tanh² z = 1 / cosh² z, and 1 / cosh z = e^{−|z|} (1 + |tanh z|), in which nothing is subtracted either.
    return [
        (np.absolute, (z, z)),
        (np.negative, (z, z)),
        (np.exp, (z, z)),
        (np.absolute, (a, out)),
        (np.add, (out, limits(z.dtype).one, out)),
        (np.multiply, (z, out, out)),
        (np.multiply, (out, out, out)),
    ]


@dataclass(frozen=True)
class Form:
    """g and g′ as rows of calls.

    `needs_z` says that g′ takes something from `z`, and `is_linear` that g′ is 1, which need not be multiplied by. `quick` is g
    where no z is NaN, if that can be had faster; it leaves `z` as it is.
    """

    g: Callable[[Array, Array], list[Call]]
    derivative: Callable[[Array, Array, Array], list[Call]]
    needs_z: bool = False
    is_linear: bool = False
    quick: Callable[[Array, Array], list[Call]] | None = None


FORMS = {
    "identity": Form(_identity, _identity_derivative, is_linear=True),
    "relu": Form(_relu, _relu_derivative, quick=_relu_but_for_nan),
    "sigmoid": Form(_sigmoid, _sigmoid_derivative, needs_z=True),
    "tanh": Form(_tanh, _tanh_derivative, needs_z=True),
}
