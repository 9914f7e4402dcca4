"""Rounding of the dtypes, and numbers with bounds on their errors: sums, products, overflow."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
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

    @cached_property
    def lowest(self) -> float:
        """The exponent of the smallest normal number."""
        return float(np.log2(self.tiny))

    def gamma(self, n: float) -> float:
        """Return γ_n = n u / (1 − n u)."""
        return n * self.u / (1 - n * self.u)


@lru_cache
def rounding(dtype: np.dtype[Any]) -> Rounding:
    """Return the rounding of float32 or float64."""
    kind = np.finfo(dtype)
    return Rounding(float(kind.eps) / 2, float(kind.tiny), float(kind.max), kind.nmant + 1)


@dataclass(eq=False)
class Bounded:
    """Values near the exact ones, and the bound on how far a computed result lies from exact.

    The values are the same for every form; the errors have one axis more in front, with an entry for each form, or with one
    for all where the forms do not differ yet. `exact` says that every error is 0. `size` is the values'
    magnitude, and `most` the largest that the computed or the exact number can have.
    """

    value: Array
    error: Array
    exact: bool = False
    size: Array = field(init=False)
    most: Array = field(init=False)

    def __post_init__(self) -> None:
        self.size = np.abs(self.value)
        self.most = self.size + self.error

    @cached_property
    def support(self) -> Array:
        """1.0 where the computed or the exact number may be other than 0, and 0.0 elsewhere."""
        return nonzero(self.most)


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


def finite_error(error: Array, magnitude: Array, r: Rounding) -> Array:
    """Make the bound infinite where a number of this magnitude, with its error, may be beyond the largest."""
    return np.where(magnitude + error < r.largest, error, np.inf)


def overflowing(result: Bounded, magnitude: Array, r: Rounding) -> Bounded:
    """Return the result with `finite_error`."""
    return Bounded(result.value, finite_error(result.error, magnitude, r))


def product(p: Bounded, q: Bounded, r: Rounding) -> Bounded:
    """Bound p · q, element by element."""
    error = p.size * q.error + p.error * q.most + 2 * r.u * p.most * q.most
    # 0 · inf is no number: where one factor is exactly 0 the product is, unless the other may be infinite.
    error = error + r.tiny * ((p.most != 0) & (q.most != 0))
    return overflowing(Bounded(p.value * q.value, error), p.most * q.most, r)


def error_of_products(p: Bounded, q: Bounded, terms: int, r: Rounding, turned: bool = False) -> Array:
    """Bound the matrix product p q, or that of p transposed if it is `turned`, each element a sum of so many terms."""
    size, error, support = (
        (transposed(p.size), transposed(p.error), transposed(p.support)) if turned else (p.size, p.error, p.support)
    )
    spread = error @ q.most if q.exact else size @ q.error + error @ q.most
    magnitude = size @ q.size + spread
    return finite_error(spread + r.gamma(terms + 1) * magnitude + r.tiny * (support @ q.support), magnitude, r)


def error_of_sum(p: Bounded, axis: int | tuple[int, int], terms: int, r: Rounding) -> Array:
    """Bound the sum along an axis, of so many terms."""
    magnitude = np.add.reduce(p.most, axis)
    return finite_error(np.add.reduce(p.error, axis) + r.gamma(terms) * magnitude, magnitude, r)


def others(p: Array) -> Array:
    """Return Σ_{i≠j} p_i for each j, without cancellation."""
    return np.asarray(p @ _all_but_itself(p.shape[-1]))


@lru_cache
def _all_but_itself(n: int) -> Array:
    """Return the matrix that is 0 on its diagonal, and 1 elsewhere."""
    matrix: Array = 1 - np.eye(n)
    matrix.flags.writeable = False
    return matrix
