"""What is right about somebody else's answer: every quantity that it gives, against handgrad's, within rounding bounds.

The expected numbers are those of handgrad's matrix form, which loses no digits; what is allowed covers any right way to
compute the answer, and at a kink hit exactly either convention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from verification.bounds.analysis import bounds, bounds_of_forms
from verification.bounds.entries import Entry, entry
from verification.bounds.quantities import equation_of, quantities, without_batch_axis
from verification.bounds.rounding import ANY, ANY_CONVENTION, STABLE, Form
from verification.random_networks.plain import plain_case
from verification.submissions.description import Description, as_network

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Grade:
    """What one answer is worth.

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


@dataclass(frozen=True)
class Oracle:
    """Whose numbers are taken for the right ones.

    Parameters
    ----------
    quantities : callable
        Takes a network, x and y; returns every quantity by name.
    form : Form
        How its numbers are computed, for their own bound.
    """

    quantities: Callable[[hg.Network, Array, Array], Mapping[str, Array]]
    form: Form


BY_HANDGRAD = Oracle(lambda net, x, y: quantities(net.trace(x, y)), STABLE)


class AnswerKey:
    """The right answer about one network, and what is allowed beside it, computed once for any number of answers.

    Parameters
    ----------
    network : Description
        The network.
    x, y : ndarray
        Its data.
    oracle : Oracle
        Whose numbers are the right ones.
    """

    def __init__(self, network: Description, x: Array, y: Array, oracle: Oracle = BY_HANDGRAD) -> None:
        net = as_network(network)
        self.asked, self.single = plain_case(net, x, y), x.ndim == 1
        with np.errstate(all="ignore"):
            self.expected = oracle.quantities(net, x, y)
        self.of_oracle, self.of_any = bounds_of_forms(self.asked, [oracle.form, ANY])

    def grade(self, arrays: Mapping[str, Array], *, strict_kinks: bool = False) -> Grade:
        """Compare an answer with the right one.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What came, as `verification.submissions.answers.arrays_of` returns it.
        strict_kinks : bool
            Whether PyTorch's choice of g′ at z = 0 is the only right one.

        Returns
        -------
        Grade
            An entry for each array.
        """
        strict = _entries(arrays, self.expected, self.of_oracle, self.of_any, self.single, self.asked)
        if strict_kinks or all(each.ok for each in strict):
            return Grade(strict)
        of_any = bounds(self.asked, ANY_CONVENTION)
        lenient = _entries(arrays, self.expected, self.of_oracle, of_any, self.single, self.asked)
        conventions = tuple(each.name for each, other in zip(lenient, strict, strict=True) if each.ok and not other.ok)
        return Grade(lenient, conventions)


def _entries(
    arrays: Mapping[str, Array],
    expected: Mapping[str, Array],
    of_oracle: Mapping[str, Array],
    of_any: Mapping[str, Array],
    single: bool,
    asked: Any,
) -> tuple[Entry, ...]:
    allowed = {name: of_oracle[name] + of_any[name] for name in of_any}
    if single:
        allowed = without_batch_axis(allowed)
    layers = len(asked.layers)
    # In the bounds' order, which is that of one pass.
    return tuple(
        entry(name, equation_of(name, layers, asked), arrays[name], expected[name], allowed[name])
        for name in of_any
        if name in arrays and name in expected
    )
