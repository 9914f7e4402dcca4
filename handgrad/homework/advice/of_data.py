"""Remarks on inputs and targets: a function for each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from handgrad.homework.advice.remarks import Array, Remark, Seen

__all__ = [
    "class_missing",
    "inputs_constant",
    "inputs_far_from_zero",
    "inputs_not_scaled",
    "squashed_regression",
    "targets_not_scaled",
    "targets_out_of_range",
]

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
# An output that starts near 0 is wrong by so much, and dL/da = 2 (a − y) is 200: at the rate 0.01 one step moves a weight by 2,
# more than it is. Marks and percentages up to 100 are below.
LARGE_TARGETS = 100.0
# Examples for each class, so that one is not missing by chance: of equal classes, once in e¹⁰ times.
OF_A_CLASS = 10


def targets_out_of_range(seen: Seen) -> Iterator[Remark]:
    """Remark on targets that squared error's output cannot give."""
    low, high = seen.reach
    beyond = np.count_nonzero((seen.y < low) | (seen.y > high))
    if beyond:
        numbers = {"low": low, "high": high, "beyond": beyond, "targets": seen.y.size}
        numbers |= {"least": seen.y.min(), "largest": seen.y.max()}
        yield seen.remark("targets-out-of-range", numbers, len(seen.trace), "II")


def squashed_regression(seen: Seen) -> Iterator[Remark]:
    """Remark on targets of many values that a sigmoid or tanh is to give; those out of its range are said already."""
    low, high = seen.reach
    least, largest, distinct = seen.y.min(), seen.y.max(), np.unique(seen.y).size
    if seen.squared_error_after in ("sigmoid", "tanh") and low <= least and largest <= high and distinct > GRADES:
        numbers = {"distinct": distinct, "least": least, "largest": largest}
        yield seen.remark("squashed-regression", numbers, len(seen.trace), "II.F")


def targets_not_scaled(seen: Seen) -> Iterator[Remark]:
    """Remark on the target of the largest mean or deviation that squared error's linear output is to give."""
    mean, deviation = _columns(seen.y)
    size = np.maximum(np.abs(mean), deviation)
    column = size.argmax()
    if seen.squared_error_after == "identity" and len(seen.y) >= FEWEST and size[column] > LARGE_TARGETS:
        numbers = {"column": column, "mean": mean[column], "deviation": deviation[column]}
        yield seen.remark("targets-not-scaled", numbers, len(seen.trace))


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


def _columns(array: Array) -> tuple[Array, Array]:
    """Return the mean and the standard deviation of every column, (n,), neither of which overflows before it must."""
    columns = array.astype(np.float64)
    size = np.maximum(np.abs(columns).max(axis=0), np.finfo(np.float64).tiny)
    scaled = columns / size
    return scaled.mean(axis=0) * size, scaled.std(axis=0) * size


def inputs_constant(seen: Seen) -> Iterator[Remark]:
    """Remark on the largest input that is the same in every example, unless it is a bias's 1 or the like."""
    mean, deviation = _columns(seen.x)
    size = np.where(deviation == 0, np.abs(mean), 0)
    column = size.argmax()
    if len(seen.x) >= FEWEST and size[column] > LARGE:
        yield seen.remark("inputs-constant", {"column": column, "mean": mean[column], "examples": len(seen.x)})


def inputs_far_from_zero(seen: Seen) -> Iterator[Remark]:
    """Remark on the input whose mean is the most deviations away from 0, if those are many."""
    mean, deviation = _columns(seen.x)
    away = np.where((deviation > 0) & (np.abs(mean) > LARGE), np.abs(mean) / deviation, 0)
    column = away.argmax()
    if len(seen.x) >= FEWEST and away[column] > FAR:
        yield seen.remark("inputs-far-from-zero", {"column": column, "mean": mean[column], "deviation": deviation[column]})


def inputs_not_scaled(seen: Seen) -> Iterator[Remark]:
    """Remark on inputs whose deviations are far apart, or all huge or tiny."""
    _, deviation = _columns(seen.x)
    varied = np.flatnonzero(deviation > 0)
    if len(seen.x) < FEWEST or not len(varied):
        return
    narrow, wide = (varied[choose(deviation[varied])] for choose in (np.argmin, np.argmax))
    least, largest = deviation[narrow], deviation[wide]
    apart, tiny = largest > APART * least, np.abs(seen.x).max() < TINY
    if (largest > LARGE and apart) or largest > HUGE or tiny:
        alike = not apart and (least > LARGE or tiny)  # two of them would not show what is wrong
        numbers = {"narrow": narrow, "least": least, "wide": wide, "largest": largest}
        yield seen.remark("inputs-not-scaled", numbers, words="inputs-not-scaled-alike" if alike else "")
