"""Numbers that are known to their last digit: arithmetic with the least and the most that each may be.

What is computed on paper from rounded numbers may differ by as much as these say, and by no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from handgrad.homework.expressions import tanh

INFINITY = Decimal("inf")


@dataclass(frozen=True)
class Interval:
    """All numbers from one to another.

    Parameters
    ----------
    low, high : Decimal
        The least and the most, low <= high.

    Examples
    --------
    >>> a = around(Decimal("0.5"), Decimal("0.25"))
    >>> a * a - Interval(Decimal(1), Decimal(1))
    Interval(low=Decimal('-0.9375'), high=Decimal('-0.4375'))
    """

    low: Decimal
    high: Decimal

    def __add__(self, other: Interval | Decimal) -> Interval:
        second = _as_interval(other)
        return Interval(self.low + second.low, self.high + second.high)

    __radd__ = __add__

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval | Decimal) -> Interval:
        second = _as_interval(other)
        ends = [_times(a, b) for a, b in product((self.low, self.high), (second.low, second.high))]
        return Interval(min(ends), max(ends))

    __rmul__ = __mul__

    def __truediv__(self, other: Interval) -> Interval:
        if other.low <= 0 <= other.high:
            return Interval(-INFINITY, INFINITY)
        ends = [a / b for a, b in product((self.low, self.high), (other.low, other.high))]
        return Interval(min(ends), max(ends))

    def meets(self, other: Interval) -> bool:
        """Say whether some number is in both."""
        return self.low <= other.high and other.low <= self.high

    def wider(self, by: Decimal) -> Interval:
        """Return all numbers that are no further from one of these."""
        return Interval(self.low - by, self.high + by)


def around(value: Decimal, by: Decimal) -> Interval:
    """Return all numbers that are no further from a number."""
    return Interval(value - by, value + by)


def _as_interval(value: Interval | Decimal) -> Interval:
    return value if isinstance(value, Interval) else Interval(value, value)


def _times(a: Decimal, b: Decimal) -> Decimal:
    # 0 · ∞ is 0: an infinite end stands for no bound.
    return Decimal(0) if a == 0 or b == 0 else a * b


def _increasing(function: Callable[[Decimal], Decimal]) -> Callable[[Interval], Interval]:
    return lambda of: Interval(function(of.low), function(of.high))


def _log(value: Decimal) -> Decimal:
    return value.ln() if value > 0 else -INFINITY


FUNCTIONS: dict[str, Callable[..., Interval]] = {
    "exp": _increasing(Decimal.exp),
    "log": _increasing(_log),
    "tanh": _increasing(tanh),
    "max": lambda a, b: Interval(max(a.low, b.low), max(a.high, b.high)),
    "min": lambda a, b: Interval(min(a.low, b.low), min(a.high, b.high)),
}
