"""Rounding of the dtypes, and numbers with bounds on their errors: sums, products, overflow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
# Errors of one elementary function, and of the short formulas built on it, in units of u. Each is the sum over its
# operations: exp 8; 1 + e and a division 2, and e's own error at most once more; a product 1.
EXP = 8
SIGMOID = 2 * EXP
STABLE_DERIVATIVE = 4 * EXP


@dataclass(frozen=True)
class Rounding:
    """What the dtype does to results: unit roundoff u, smallest normal number, largest number, digits of the significand."""

    u: float
    tiny: float
    largest: float
    digits: int

    def gamma(self, n: float) -> float:
        """Return γ_n = n u / (1 − n u)."""
        return n * self.u / (1 - n * self.u)


@cache
def rounding(dtype: np.dtype[Any]) -> Rounding:
    """Return the rounding of float32 or float64."""
    kind = np.finfo(dtype)
    return Rounding(float(kind.eps) / 2, float(kind.tiny), float(kind.max), kind.nmant + 1)


@dataclass(frozen=True, eq=False)
class Bounded:
    """Values near the exact ones, and the bound on how far a computed result lies from exact.

    The values are the same for every form; the errors have one axis more in front, with an entry for each form, or with one
    for all where the forms do not differ yet.
    """

    value: Array
    error: Array

    @property
    def most(self) -> Array:
        """The largest magnitude that the computed or the exact number can have."""
        return np.abs(self.value) + self.error


@dataclass(frozen=True)
class Form:
    """How a right computation may go about it.

    Parameters
    ----------
    cancels : bool
        1 − g and p − y are subtractions, so that their absolute error stays where they are near 0.
    absolute : bool
        g itself has an absolute error of a few u, not a relative one.
    open_kinks : bool
        At a kink hit exactly, either side's slope and any between are right.
    """

    cancels: bool = False
    absolute: bool = False
    open_kinks: bool = False


STABLE = Form()
NAIVE = Form(cancels=True)
ANY = Form(cancels=True, absolute=True)
ANY_CONVENTION = Form(cancels=True, absolute=True, open_kinks=True)


@dataclass(frozen=True, eq=False)
class Forms:
    """Several forms at once: each property as truth values of shape (F, 1, …, 1), to choose between errors by."""

    cancels: Array
    absolute: Array
    open_kinks: Array


def nonzero(array: Array) -> Array:
    """Return 1.0 where a number is not 0, and 0.0 where it is."""
    return np.asarray(array != 0, np.float64)


def transposed(array: Array) -> Array:
    """Return the matrices transposed, whatever axes come before."""
    return np.swapaxes(array, -1, -2)


def unless_infinite(z: Bounded, error: Array) -> Array:
    """Return the error of g(z), which is in a bounded range; but of a z that may overflow even g may be no number."""
    return np.where(np.isfinite(z.error), error, np.inf)


def overflowing(result: Bounded, magnitude: Array, r: Rounding) -> Bounded:
    """Make the bound infinite where a number of this magnitude, with its error, may be beyond the largest."""
    return Bounded(result.value, np.where(magnitude + result.error < r.largest, result.error, np.inf))


def swapped(matrix: Bounded) -> Bounded:
    """Return the bounded matrices transposed."""
    return Bounded(transposed(matrix.value), transposed(matrix.error))


def product(p: Bounded, q: Bounded, r: Rounding) -> Bounded:
    """Bound p · q, element by element."""
    error = np.abs(p.value) * q.error + p.error * q.most + 2 * r.u * p.most * q.most
    # 0 · inf is no number: where one factor is exactly 0 the product is, unless the other may be infinite.
    error = error + r.tiny * nonzero(p.most) * nonzero(q.most)
    return overflowing(Bounded(p.value * q.value, error), p.most * q.most, r)


def sum_of_products(p: Bounded, q: Bounded, terms: int, r: Rounding) -> Bounded:
    """Bound the matrix product p q, each element a sum of so many terms."""
    p_value, q_most = np.abs(p.value), q.most
    spread = p_value @ q.error + p.error @ q_most
    magnitude = p_value @ np.abs(q.value) + spread
    error = spread + r.gamma(terms + 1) * magnitude + r.tiny * (nonzero(p.most) @ nonzero(q_most))
    return overflowing(Bounded(p.value @ q.value, error), magnitude, r)


def sum_of(p: Bounded, axis: int | tuple[int, int], terms: int, r: Rounding) -> Bounded:
    """Bound the sum along an axis, of so many terms."""
    magnitude = p.most.sum(axis=axis)
    error = p.error.sum(axis=axis) + r.gamma(terms) * magnitude
    return overflowing(Bounded(p.value.sum(axis=axis), error), magnitude, r)


def others(p: Array) -> Array:
    """Return Σ_{i≠j} p_i for each j, without cancellation."""
    n = p.shape[-1]
    return np.asarray(p @ (1 - np.eye(n)))
