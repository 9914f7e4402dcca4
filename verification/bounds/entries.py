"""Two arrays compared: how far apart they are, as a part of what is allowed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Entry:
    """One compared array.

    Parameters
    ----------
    name : str
        "w1", "dL_dz2", "loss", …
    equation : str
        The equation that gives it, "(11)".
    shape : tuple of int
        Its shape.
    index : tuple of int
        Where the share of the bound is largest.
    given, expected : float
        Both numbers there.
    allowed : float
        How far they may lie apart there; inf where overflow makes them incomparable.
    share : float
        Their distance as a part of what is allowed; inf where nothing is allowed and they differ.
    problem : str
        Why the arrays cannot be compared at all (shape, dtype), or "".
    """

    name: str
    equation: str
    shape: tuple[int, ...]
    index: tuple[int, ...]
    given: float
    expected: float
    allowed: float
    share: float
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether the two agree within what is allowed."""
        return not self.problem and self.share <= 1

    @property
    def ratio(self) -> float:
        """The given number divided by the expected one; NaN where that is 0."""
        return self.given / self.expected if self.expected else math.nan

    def __str__(self) -> str:
        """Return one line about this array: where, by which equation, both numbers, the share of the bound, the verdict."""
        if self.problem:
            return f"{self.name:<14} {self.equation:<10} {self.problem}"
        place = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        share = f"{self.share:.1%}" if self.share < 10 else f"{self.share:.1e} x"
        verdict = "ok" if self.ok else "WRONG"
        if math.isinf(self.allowed):
            share, verdict = "", "not comparable: something may overflow"
        return f"{self.name + place:<14} {self.equation:<10} {self.given!r:<23} {self.expected!r:<23} {share:>10}  {verdict}"


def shares(given: Array, expected: Array, allowed: Array) -> Array:
    """Return the distance between two arrays as a part of what is allowed, element by element.

    Equal numbers have share 0, also where nothing is allowed; where the bound is infinite any two numbers have.
    Where only one is a number the share is infinite.
    """
    with np.errstate(all="ignore"):
        distance = np.abs(given.astype(np.float64, copy=False) - expected.astype(np.float64, copy=False))
        # Of a NaN and another number `fmin` takes the number.
        share = np.fmin(distance / allowed, np.inf)
    return np.where(np.isinf(allowed) | (given == expected), 0, share)


def raised(error: Exception) -> Entry:
    """Return the entry of a computation that raised an error instead of giving any array."""
    return Entry("all", "", (), (), math.nan, math.nan, 0.0, math.inf, problem=f"raises {type(error).__name__}: {error}")


def entry(name: str, equation: str, given: Array | None, expected: Array, allowed: Array) -> Entry:
    """Compare one array: shape and dtype, then every number."""
    (found,) = entries([(name, equation, given, expected, allowed)])
    return found


def entries(arrays: Sequence[tuple[str, str, Array | None, Array, Array]]) -> tuple[Entry, ...]:
    """Compare several arrays, each with what `entry` takes: the numbers of all of them at once."""
    problems = [_problem(name, given, expected) for name, _, given, expected, _ in arrays]
    comparable = [each[2:] for each, problem in zip(arrays, problems, strict=True) if not problem]
    if comparable:
        given_flat, expected_flat, allowed_flat = (np.concatenate(flat, axis=None) for flat in zip(*comparable, strict=True))
        share = shares(given_flat, expected_flat, allowed_flat)
    found, start = [], 0
    for (name, equation, _, expected, _), problem in zip(arrays, problems, strict=True):
        shape = expected.shape
        if problem:
            found.append(Entry(name, equation, shape, (), math.nan, math.nan, 0.0, math.inf, problem))
            continue
        within = int(share[start : start + expected.size].argmax())
        place, index = start + within, tuple(int(i) for i in np.unravel_index(within, shape))
        given_there, right_there = float(given_flat[place]), float(expected_flat[place])
        found.append(
            Entry(name, equation, shape, index, given_there, right_there, float(allowed_flat[place]), float(share[place]))
        )
        start += expected.size
    return tuple(found)


def _problem(name: str, given: Array | None, expected: Array) -> str:
    """Return why two arrays cannot be compared at all, or nothing."""
    if given is None:
        return "is missing"
    if given.shape != expected.shape:
        return f"has shape {given.shape}; right is {expected.shape}"
    # A loss is a Python float, whatever the dtype.
    if name != "loss" and given.dtype != expected.dtype:
        return f"has dtype {given.dtype}; right is {expected.dtype}"
    return ""
