"""Remarks on inputs and targets: a function for each."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from handgrad.homework.advice.remarks import Array, Remark, Seen

__all__ = [
    "class_missing",
    "inputs_constant",
    "inputs_far_from_zero",
    "inputs_not_scaled",
    "squashed_regression",
    "targets_out_of_range",
]

# What an activation can give.
RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, math.inf), "softmax": (0.0, 1.0)}
# A classification has few different targets, 0 and 1, or −1, 0 and 1; a few more may still be grades.
GRADES = 5
# Mean and deviation of fewer examples say little; 4 are enough for a truth table.
FEWEST = 4
# Columns in 0 … 1, however rare their ones, and standardised columns are all below; nothing smaller harms.
LARGE = 3.0
# With columns this far apart one rate cannot suit the weights of both.
APART = 10.0
# Standardised data have deviation 1, whole numbers such as grades and ages up to this.
HUGE = 10.0
# Nor are columns so small: the weights would have to be hundreds.
TINY = 0.01
# A mean of so many deviations makes all inputs look alike to a neuron.
FAR = 5.0
# Examples for each class, so that one is not missing by chance: of equal classes, once in e¹⁰ times.
OF_A_CLASS = 10


def _range(seen: Seen) -> tuple[float, float]:
    """Return what squared error's output can give; the cross-entropies refuse other targets."""
    return RANGES.get(seen.squared_error_after, (-math.inf, math.inf))


def targets_out_of_range(seen: Seen) -> Iterator[Remark]:
    """Remark on targets that squared error's output cannot give."""
    low, high = _range(seen)
    beyond = np.count_nonzero((seen.y < low) | (seen.y > high))
    if beyond:
        numbers = {"low": low, "high": high, "beyond": beyond, "targets": seen.y.size}
        numbers |= {"least": seen.y.min(), "largest": seen.y.max()}
        yield seen.remark("targets-out-of-range", numbers, len(seen.trace), "II")


def squashed_regression(seen: Seen) -> Iterator[Remark]:
    """Remark on targets of many values that a sigmoid or tanh is to give; those out of its range are said already."""
    low, high = _range(seen)
    least, largest, distinct = seen.y.min(), seen.y.max(), np.unique(seen.y).size
    if seen.squared_error_after in ("sigmoid", "tanh") and low <= least and largest <= high and distinct > GRADES:
        numbers = {"distinct": distinct, "least": least, "largest": largest}
        yield seen.remark("squashed-regression", numbers, len(seen.trace), "II.F")


def class_missing(seen: Seen) -> Iterator[Remark]:
    """Remark on classes of cross-entropy that no example has."""
    examples, classes = seen.y.shape
    missing = np.flatnonzero(~seen.y.any(axis=0))
    if seen.net.loss_name == "cross_entropy" and len(missing) and examples >= OF_A_CLASS * classes:
        yield seen.remark(
            "class-missing",
            {"missing": len(missing), "classes": classes, "first": missing[0], "examples": examples},
            len(seen.trace),
        )


def _columns(seen: Seen) -> tuple[Array, Array]:
    """Return the mean and the standard deviation of every input, (n_0,), neither of which overflows before it must."""
    x = seen.x.astype(np.float64)
    size = np.maximum(np.abs(x).max(axis=0), np.finfo(np.float64).tiny)
    scaled = x / size
    return scaled.mean(axis=0) * size, scaled.std(axis=0) * size


def inputs_constant(seen: Seen) -> Iterator[Remark]:
    """Remark on the largest input that is the same in every example, unless it is a bias's 1 or the like."""
    mean, deviation = _columns(seen)
    size = np.where(deviation == 0, np.abs(mean), 0)
    column = size.argmax()
    if len(seen.x) >= FEWEST and size[column] > LARGE:
        yield seen.remark("inputs-constant", {"column": column, "mean": mean[column], "examples": len(seen.x)})


def inputs_far_from_zero(seen: Seen) -> Iterator[Remark]:
    """Remark on the input whose mean is the most deviations away from 0, if those are many."""
    mean, deviation = _columns(seen)
    away = np.where((deviation > 0) & (np.abs(mean) > LARGE), np.abs(mean) / deviation, 0)
    column = away.argmax()
    if len(seen.x) >= FEWEST and away[column] > FAR:
        yield seen.remark("inputs-far-from-zero", {"column": column, "mean": mean[column], "deviation": deviation[column]})


def inputs_not_scaled(seen: Seen) -> Iterator[Remark]:
    """Remark on inputs whose deviations are far apart, or all huge or tiny."""
    _, deviation = _columns(seen)
    varied = np.flatnonzero(deviation > 0)
    if len(seen.x) < FEWEST or not len(varied):
        return
    narrow, wide = (varied[choose(deviation[varied])] for choose in (np.argmin, np.argmax))
    least, largest = deviation[narrow], deviation[wide]
    if (largest > LARGE and largest > APART * least) or largest > HUGE or np.abs(seen.x).max() < TINY:
        yield seen.remark("inputs-not-scaled", {"narrow": narrow, "least": least, "wide": wide, "largest": largest})
