"""Medians and quartiles of times, and of ratios that are taken round by round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """A median with its quartiles.

    Parameters
    ----------
    low, median, high : float
        The quartiles; half of the numbers lie between the outer two.
    """

    low: float
    median: float
    high: float

    def __str__(self) -> str:
        """Return the median, and the outer quartiles in brackets."""
        return f"{short(self.median)} ({self.quartiles})"

    @property
    def quartiles(self) -> str:
        """The outer quartiles."""
        return f"{short(self.low)}-{short(self.high)}"


def spread(numbers: Sequence[float]) -> Spread:
    """Return the quartiles of some numbers, interpolated between neighbours.

    Examples
    --------
    >>> spread([1.0, 2.0, 4.0, 8.0, 16.0])
    Spread(low=2.0, median=4.0, high=8.0)
    """
    low, median, high = np.quantile(numbers, (0.25, 0.5, 0.75)).tolist()
    return Spread(low, median, high)


def paired(seconds: Sequence[float], reference: Sequence[float]) -> Spread:
    """Return the spread of the ratios of two rows of times, each taken within one round.

    What slows a round down slows both, so that the ratio is steadier than the times.

    Examples
    --------
    >>> paired([2.0, 30.0, 8.0], [1.0, 10.0, 2.0]).median
    3.0
    """
    return spread([mine / theirs for mine, theirs in zip(seconds, reference, strict=True)])


def short(number: float) -> str:
    """Return a positive number with three digits, or all digits before the point.

    Examples
    --------
    >>> short(0.034), short(1.25), short(12.34), short(1234.5)
    ('0.034', '1.25', '12.3', '1234')
    """
    return f"{number:.2g}" if number < 0.1 else f"{number:.2f}" if number < 10 else f"{number:.{1 if number < 100 else 0}f}"
