"""Several contents of one architecture compared at once: torch, the bounds and the comparison take all of them in one go.

`verification.autograd.comparison.compare` does the same for one network, and says more about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from verification.autograd.comparison import TELLINGS, Report, compare
from verification.autograd.oracles import autograd
from verification.bounds.analysis import both_bounds
from verification.bounds.entries import raised, shares
from verification.bounds.quantities import BATCHED, kind_of
from verification.random_networks.architectures import Architecture
from verification.random_networks.cases import Case, contents
from verification.random_networks.plain import PlainCase, plain_case, stacked

Array = npt.NDArray[Any]

# So many contents of an architecture take three to four times as long as one.
CONTENTS = 16
GRADIENTS = ("w", "b", "alpha", "x")
# On how many of an architecture's `CONTENTS` the slow tellings are compared. The trace's intermediates are those of the matrix
# telling.
FEW = {"trace": 1, "literal": 1, "chain": 4, "written out": 8}
# Of larger networks no program is compared.
MOST_WEIGHTS = 32


class MismatchError(Exception):
    """A case that fails, and the telling that fails on it."""

    def __init__(self, case: Case, telling: str) -> None:
        super().__init__(telling)
        self.case, self.telling = case, telling


@dataclass(kw_only=True)
class Tally:
    """What was compared.

    Parameters
    ----------
    networks : int
        How many networks.
    gradients : int
        How many derivatives of the loss by parameters and inputs, of every telling.
    numbers : int
        How many numbers in all: every element of every gradient, intermediate and loss, of every telling.
    incomparable : int
        How many of these had no finite bound, because something may overflow.
    tellings : Counter
        How many networks each of handgrad's tellings was compared on.
    largest_share : float
        The largest part of a bound that any number used.
    largest_at : str
        The array and dtype that used it.
    """

    networks: int = 0
    gradients: int = 0
    numbers: int = 0
    incomparable: int = 0
    tellings: Counter[str] = field(default_factory=Counter)
    largest_share: float = 0.0
    largest_at: str = ""

    def add(self, other: Tally) -> None:
        """Count what another tally counted, too."""
        self.networks += other.networks
        self.gradients += other.gradients
        self.numbers += other.numbers
        self.incomparable += other.incomparable
        self.tellings += other.tellings
        if other.largest_share > self.largest_share:
            self.largest_share, self.largest_at = other.largest_share, other.largest_at


@dataclass(frozen=True, eq=False)
class _Right:
    """What is right for several contents of one architecture: torch's arrays, and a row of numbers for each content.

    `suited` are the tellings that are of such networks and data.
    """

    suited: set[str]
    expected: dict[str, Array]
    of_torch: Array
    allowed: dict[bool, Array]


def compare_batches(batches: Sequence[Sequence[Case]], few: Mapping[str, int] = FEW) -> Iterator[Tally]:
    """Do what `compare_batch` does for several architectures: all by torch, then all by the bounds, and then by handgrad.

    Each time is shorter than if the three took turns, because the processor has the code of one of them at hand.

    Parameters
    ----------
    batches : sequence of sequence of Case
        Contents of one architecture each.
    few : mapping of str to int
        As for `compare_batch`.

    Yields
    ------
    Tally
        What was compared of each batch.

    Raises
    ------
    MismatchError
        When it comes to a case that has a wrong array or number.
    """
    asked = [stacked([plain_case(*each) for each in cases]) for cases in batches]
    expected = [autograd(each) for each in asked]
    allowed = [both_bounds(each) for each in asked]
    for cases, plain, of_torch, of_forms in zip(batches, asked, expected, allowed, strict=True):
        yield _compared(cases, _right(plain, of_torch, of_forms), few)


def compare_batch(cases: Sequence[Case], few: Mapping[str, int] = FEW) -> Tally:
    """Compare handgrad with `torch.autograd` on networks that differ in their numbers alone.

    Parameters
    ----------
    cases : sequence of Case
        Contents of one architecture, at least one.
    few : mapping of str to int
        On how many of the cases a telling is compared; one that is not named, on all.

    Returns
    -------
    Tally
        What was compared.

    Raises
    ------
    MismatchError
        For a case that has a wrong array or number.
    """
    (tally,) = compare_batches([cases], few)
    return tally


def _right(asked: PlainCase, expected: dict[str, Array], of_forms: tuple[dict[str, Array], dict[str, Array]]) -> _Right:
    stable, naive = (_flat(of_form, expected) for of_form in of_forms)
    suited = {telling for telling in TELLINGS if _suits(telling, asked)}
    return _Right(suited, expected, _flat(expected, expected), {True: stable + naive, False: naive + naive})


def _compared(cases: Sequence[Case], right: _Right, few: Mapping[str, int]) -> Tally:
    """Compare every telling on the contents of one architecture; raise for a case that has a wrong array or number."""
    tally = Tally(networks=len(cases))
    expected, of_torch, allowed = right.expected, right.of_torch, right.allowed
    wanted = _wanted(expected, single=cases[0].x.ndim == 1)
    with np.errstate(all="ignore"):
        for telling, (tell, is_stable) in TELLINGS.items():
            if telling not in right.suited:
                continue
            # Of so many contents more, as many more.
            compared = cases[: few.get(telling, len(cases)) * max(1, len(cases) // CONTENTS)]
            given_all = [_told(tell, each, telling) for each in compared]
            _check_shapes(telling, compared, given_all, wanted)
            given_flat = np.concatenate([each[name] for each in given_all for name in wanted], axis=None)
            given_flat = given_flat.reshape(len(compared), -1)
            _compare(
                telling, compared, given_flat, of_torch[: len(compared)], allowed[is_stable][: len(compared)], expected, tally
            )
    return tally


def assert_contents_match_autograd(architecture: Architecture, seed: int, count: int = CONTENTS) -> None:
    """Raise an AssertionError unless handgrad and `torch.autograd` agree on several networks of one architecture.

    Parameters
    ----------
    architecture : Architecture
        As `verification.random_networks.strategies.architectures()` draws it.
    seed : int
        As `verification.random_networks.strategies.seeds()` draws it.
    count : int
        How many networks to fill it with. The matrix form is compared on all, the literal ones on the first few.

    Raises
    ------
    AssertionError
        If one differs by more than its bound, with the whole report about it.
    TypeError, ValueError
        If the seed is not an integer >= 0 or the count not one >= 1.

    Examples
    --------
    >>> from verification.random_networks.architectures import Unit
    >>> assert_contents_match_autograd(Architecture(2, (Unit(3, "tanh"),)), seed=1)
    """
    hg.checks.instance("architecture", architecture, Architecture, "an Architecture")
    cases = contents(architecture, hg.checks.integer("seed", seed, 0), hg.checks.positive_integer("count", count))
    try:
        compare_batch(cases)
    except MismatchError as mismatch:
        alone = report(mismatch.case, mismatch.telling)
        raise AssertionError(f"one of {count} networks is wrong; compared alone:\n{alone}\n{mismatch.case!r}") from None


def report(case: Case, telling: str) -> Report:
    """Return the comparison of a case; a handgrad that raises an error on it has failed, and the report says how."""
    try:
        return compare(*case, telling=telling)
    except Exception as error:  # whatever a broken handgrad raises
        return Report(repr(case.net), telling, (raised(error),))


def _flat(arrays: dict[str, Array], names: Iterable[str]) -> Array:
    """Return one row of 64-bit numbers for each content: its arrays one after the other."""
    return np.concatenate([arrays[name].reshape(len(arrays[name]), -1) for name in names], axis=1, dtype=np.float64)


def _told(tell: Callable[..., dict[str, Array]], each: Case, telling: str) -> dict[str, Array]:
    try:
        return tell(*each)
    except Exception as error:  # whatever a broken handgrad raises
        raise MismatchError(each, telling) from error


def _suits(telling: str, asked: PlainCase) -> bool:
    """Say whether a telling is of such networks and data."""
    match telling:
        case "chain":  # (3)–(7): one neuron a layer, squared error, no softmax
            widths = {asked.x.shape[-1], *(layer.b.shape[-1] for layer in asked.layers)}
            names = {layer.activation for layer in asked.layers}
            return widths == {1} and asked.loss == "squared_error" and "softmax" not in names
        case "written out":  # of one example; and a program of more weights takes long to compile
            return len(asked.x[0]) == 1 and sum(layer.w[0].size for layer in asked.layers) <= MOST_WEIGHTS
        case _:
            return True


def _wanted(expected: Mapping[str, Array], single: bool) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Return the shape and dtype that each array of a content must have; of one example without its batch axis."""
    wanted = {}
    for name, of_torch in expected.items():
        without = 2 if single and kind_of(name) in BATCHED else 1
        wanted[name] = of_torch.shape[without:], of_torch.dtype
    return wanted


def _check_shapes(
    telling: str,
    cases: Sequence[Case],
    given_all: list[dict[str, Array]],
    wanted: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]],
) -> None:
    """Raise for a case in which an array is missing, or has another shape or dtype."""
    for each, given_one in zip(cases, given_all, strict=True):
        for name, (shape, dtype) in wanted.items():
            array = given_one.get(name)
            # A loss is a Python float, whatever the dtype.
            if array is None or array.shape != shape or (array.dtype != dtype and name != "loss"):
                raise MismatchError(each, telling)


def _compare(
    telling: str,
    cases: Sequence[Case],
    given_flat: Array,
    of_torch: Array,
    allowed: Array,
    expected: dict[str, Array],
    tally: Tally,
) -> None:
    """Compare all numbers of all contents, a row each; raise for a case that has a wrong one."""
    share = shares(given_flat, of_torch, allowed)
    largest = float(share.max())
    if largest > 1:
        raise MismatchError(cases[int(np.argwhere(share > 1)[0][0])], telling)
    tally.numbers += share.size
    tally.gradients += len(cases) * sum(expected[name][0].size for name in expected if kind_of(name) in GRADIENTS)
    tally.incomparable += int(np.count_nonzero(np.isinf(allowed)))
    tally.tellings[telling] += len(cases)
    if largest > tally.largest_share:
        ends = np.cumsum([expected[name][0].size for name in expected])
        name = list(expected)[int(np.searchsorted(ends, share.max(axis=0).argmax(), side="right"))]
        tally.largest_share = largest
        tally.largest_at = f"{name}, {telling} form, {cases[0].net.dtype}"
