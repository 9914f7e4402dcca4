"""What is right about somebody else's answer: every quantity that it gives, against handgrad's, within rounding bounds.

The expected numbers are those of handgrad's matrix form, which loses no digits; what is allowed covers any right way to
compute the answer, and at a kink hit exactly either convention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from verification.bounds import ANY, ANY_CONVENTION, STABLE, bounds, bounds_of_forms
from verification.comparison import Entry, entry, equation_of, quantities, without_batch_axis
from verification.problem import problem
from verification.submission import Description, as_network

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Judgement:
    """The verdict on one answer.

    Parameters
    ----------
    entries : tuple of Entry
        One for each quantity that was given, in the order of one pass.
    conventions : tuple of str
        Quantities that are right only by another convention for g′ at a kink hit exactly.
    """

    entries: tuple[Entry, ...]
    conventions: tuple[str, ...] = ()

    @property
    def wrong(self) -> tuple[Entry, ...]:
        """The quantities that are wrong; the first is where the error begins."""
        return tuple(entry for entry in self.entries if not entry.ok)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def judge(arrays: Mapping[str, Array], network: Description, x: Array, y: Array, *, strict_kinks: bool = False) -> Judgement:
    """Compare an answer with the right one.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        What came, as `verification.submission.arrays_of` returns it.
    network : Description
        The network it was asked about.
    x, y : ndarray
        The data it was asked about.
    strict_kinks : bool
        Whether PyTorch's choice of g′ at z = 0 is the only right one.

    Returns
    -------
    Judgement
        An entry for each array.
    """
    return Measure(network, x, y).judge(arrays, strict_kinks=strict_kinks)


class Measure:
    """The right answer about one network, and what is allowed beside it, computed once for any number of answers.

    Parameters
    ----------
    network : Description
        The network.
    x, y : ndarray
        Its data.
    """

    def __init__(self, network: Description, x: Array, y: Array) -> None:
        net = as_network(network)
        with np.errstate(all="ignore"):
            self.expected = quantities(net.trace(x, y))
        self.asked, self.single = problem(net, x, y), x.ndim == 1
        self.of_handgrad, self.of_any = bounds_of_forms(self.asked, [STABLE, ANY])

    def judge(self, arrays: Mapping[str, Array], *, strict_kinks: bool = False) -> Judgement:
        """Compare an answer with the right one, as `verification.judging.judge` does.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What came.
        strict_kinks : bool
            Whether PyTorch's choice of g′ at z = 0 is the only right one.

        Returns
        -------
        Judgement
            An entry for each array.
        """
        strict = _entries(arrays, self.expected, self.of_handgrad, self.of_any, self.single, self.asked)
        if strict_kinks or all(each.ok for each in strict):
            return Judgement(strict)
        of_any = bounds(self.asked, ANY_CONVENTION)
        lenient = _entries(arrays, self.expected, self.of_handgrad, of_any, self.single, self.asked)
        conventions = tuple(each.name for each, other in zip(lenient, strict, strict=True) if each.ok and not other.ok)
        return Judgement(lenient, conventions)


def _entries(
    arrays: Mapping[str, Array],
    expected: Mapping[str, Array],
    of_handgrad: Mapping[str, Array],
    of_any: Mapping[str, Array],
    single: bool,
    asked: Any,
) -> tuple[Entry, ...]:
    allowed = {name: of_handgrad[name] + of_any[name] for name in of_any}
    if single:
        allowed = without_batch_axis(allowed)
    layers = len(asked.layers)
    # In the bounds' order, which is that of one pass.
    return tuple(
        entry(name, equation_of(name, layers, asked), arrays[name], expected[name], allowed[name])
        for name in of_any
        if name in arrays and name in expected
    )
