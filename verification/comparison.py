"""compare(): every gradient and every intermediate of handgrad against torch.autograd, named and measured against its bound."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from verification.bounds import both_bounds
from verification.oracles import autograd
from verification.problem import Problem, problem

Array = npt.NDArray[Any]

# What has a batch axis: all but the parameters' derivatives and the loss.
BATCHED = ("z", "a", "dL_da", "da_dz", "dL_dz", "x")
# handgrad's tellings of backpropagation: what gives every quantity by name, and whether it takes the stable forms.
TELLINGS: Mapping[str, tuple[Callable[[hg.Network, Any, Any], dict[str, Array]], bool]] = {
    # The gradient is the one that users call for; it forms no intermediates to hand out.
    "matrix": (lambda net, x, y: net.trace(x, y).named() | _of_gradient(net.gradient(x, y)), True),
    "trace": (lambda net, x, y: quantities(net.trace(x, y)), True),
    "literal": (lambda net, x, y: quantities(hg.literal.trace(net, x, y)), False),
    "chain": (lambda net, x, y: quantities(hg.literal.chain(net, x, y)), False),
}


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


@dataclass(frozen=True)
class Report:
    """What a comparison found; `print(report)` for a table, `report.ok` for the verdict.

    Parameters
    ----------
    network : str
        The network in one line.
    telling : str
        Which of handgrad's tellings was compared.
    entries : tuple of Entry
        In the order of one pass, so that the first mismatch is where the error begins.
    """

    network: str
    telling: str
    entries: tuple[Entry, ...]

    @property
    def ok(self) -> bool:
        """Whether every array agrees."""
        return not self.mismatches

    @property
    def mismatches(self) -> tuple[Entry, ...]:
        """Every array that does not agree."""
        return tuple(entry for entry in self.entries if not entry.ok)

    @property
    def largest_share(self) -> float:
        """The largest part of a bound that was used."""
        return max((entry.share for entry in self.entries), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain numbers, strings and lists, for JSON; a number that JSON lacks is its name as a string."""

        def plain(number: float) -> float | str:
            return number if math.isfinite(number) else str(number)

        return {
            "network": self.network,
            "telling": self.telling,
            "ok": self.ok,
            "largest_share": plain(self.largest_share),
            "entries": [
                {
                    "name": entry.name,
                    "equation": entry.equation,
                    "shape": list(entry.shape),
                    "index": list(entry.index),
                    "given": plain(entry.given),
                    "expected": plain(entry.expected),
                    "ratio": plain(entry.ratio),
                    "allowed": plain(entry.allowed),
                    "share": plain(entry.share),
                    "ok": entry.ok,
                    "problem": entry.problem,
                }
                for entry in self.entries
            ],
        }

    def __str__(self) -> str:
        """Return the verdict and a line for each array."""
        wrong = len(self.mismatches)
        verdict = (
            f"all {len(self.entries)} arrays agree"
            if self.ok
            else f"{wrong} of {len(self.entries)} arrays differ, the first is {self.mismatches[0].name}"
        )
        head = f"{'largest at':<14} {'equation':<10} {'handgrad':<23} {'torch':<23} {'of bound':>10}"
        return "\n".join(
            [self.network, f"{self.telling} form against torch.autograd: {verdict}", head, *map(str, self.entries)]
        )


def compare(net: hg.Network, x: npt.ArrayLike, y: npt.ArrayLike, *, telling: str = "matrix") -> Report:
    """Compare every gradient, every intermediate and the loss with `torch.autograd`.

    Parameters
    ----------
    net : handgrad.Network
        The network.
    x, y : array_like
        One example or a batch, as the network takes them.
    telling : str
        "matrix" (`net.gradient`, and the intermediates of `net.trace`), "trace" (all of `net.trace`), "literal"
        (`handgrad.literal.trace`), or "chain" (`handgrad.literal.chain`).

    Returns
    -------
    Report
        Shapes and dtypes are compared first, then every number.

    Raises
    ------
    TypeError, ValueError
        As `net.trace` for bad data; ValueError for an unknown telling.

    Examples
    --------
    >>> net = hg.Network([hg.Dense([[1.0]], [0.5], "relu")])
    >>> compare(net, [1.0], [1.0]).ok
    True
    """
    hg.checks.instance("net", net, hg.Network, "a handgrad Network")
    tell, stable = TELLINGS[hg.checks.one_of("telling", telling, TELLINGS)]
    # A number that overflows is reported as not comparable; NumPy need not warn of it too.
    with np.errstate(all="ignore"):
        given = tell(net, x, y)
    asked = problem(net, x, y)
    expected, of_forms = autograd(asked), both_bounds(asked)
    allowed = {name: of_forms[0 if stable else 1][name] + of_forms[1][name] for name in expected}
    if np.ndim(x) == 1:
        expected, allowed = without_batch_axis(expected), without_batch_axis(allowed)
    layers = len(net.layers)
    entries = tuple(
        entry(name, equation_of(name, layers, asked), given.get(name), expected[name], allowed[name]) for name in expected
    )
    return Report(repr(net), telling, entries)


def assert_matches_autograd(net: hg.Network, x: npt.ArrayLike, y: npt.ArrayLike, *, telling: str = "matrix") -> None:
    """Raise an AssertionError with the whole report unless handgrad and `torch.autograd` agree.

    Parameters
    ----------
    net, x, y, telling
        As for `compare`.

    Raises
    ------
    AssertionError
        If any array differs by more than its bound.
    TypeError, ValueError
        As `compare`.

    Examples
    --------
    >>> assert_matches_autograd(hg.Network([hg.Dense([[1.0]], [0.5], "tanh")]), [1.0], [1.0])
    """
    report = compare(net, x, y, telling=telling)
    if not report.ok:
        raise AssertionError(str(report))


def quantities(trace: hg.Trace) -> dict[str, Array]:
    """Return every array of a trace under the oracles' names."""
    return trace.named() | _of_gradient(trace.gradient)


def _of_gradient(g: hg.Gradient) -> dict[str, Array]:
    arrays = g.named() | {"loss": np.asarray(g.loss)}
    return arrays if g.x is None else arrays | {"x": g.x}


def without_batch_axis(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays of one example: those with a batch axis, of length 1, lose it."""
    return {name: array[0] if name.rstrip("0123456789") in BATCHED else array for name, array in arrays.items()}


def with_batch_axis(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays of one example with the batch axis that the oracles give them."""
    return {name: array[None] if name.rstrip("0123456789") in BATCHED else array for name, array in arrays.items()}


def equation_of(name: str, layers: int, asked: Problem) -> str:
    """Return the number of the equation that gives a quantity, as the notes print it: "(11)"."""
    kind = name.rstrip("0123456789")
    output = name == f"{kind}{layers}"
    match kind:
        case "z":
            return "(8)"
        case "a":
            return "(9)"
        case "loss":
            return "(10)" if asked.loss == "squared_error" else "(1)" if asked.indices else "(2)"
        case "dL_da":
            return "(4)" if output else "(14)"
        case "da_dz":
            return "(12)"
        case "dL_dz":
            return "p - y" if output and asked.loss == "cross_entropy" else "(12) dL/da"
        case "w":
            return "(11), (13)"
        case "b":
            return "(11), (7)"
        case "alpha":
            return "dL/dalpha"
        case _:
            return "(14)"


def shares(given: Array, expected: Array, allowed: Array) -> Array:
    """Return the distance between two arrays as a part of what is allowed, element by element.

    Equal numbers have share 0, also where nothing is allowed; where the bound is infinite any two numbers have.
    Where only one is a number the share is infinite.
    """
    with np.errstate(all="ignore"):
        distance = np.abs(given.astype(np.float64) - expected.astype(np.float64))
        share = np.where(distance == 0, 0, distance / allowed)
    return np.where(np.isinf(allowed) | (given == expected), 0, np.where(np.isnan(share), np.inf, share))


def raised(error: Exception) -> Entry:
    """Return the entry of a computation that raised an error instead of giving any array."""
    return Entry("all", "", (), (), math.nan, math.nan, 0.0, math.inf, problem=f"raises {type(error).__name__}: {error}")


def entry(name: str, equation: str, given: Array | None, expected: Array, allowed: Array) -> Entry:
    """Compare one array: shape and dtype, then every number."""
    nothing = (name, equation, expected.shape, (), math.nan, math.nan, 0.0, math.inf)
    if given is None:
        return Entry(*nothing, problem="is missing")
    if given.shape != expected.shape:
        return Entry(*nothing, problem=f"has shape {given.shape}; right is {expected.shape}")
    # A loss is a Python float, whatever the dtype.
    if name != "loss" and given.dtype != expected.dtype:
        return Entry(*nothing, problem=f"has dtype {given.dtype}; right is {expected.dtype}")
    share = shares(given, expected, allowed)
    index = tuple(int(i) for i in np.unravel_index(share.argmax(), share.shape))
    return Entry(
        name,
        equation,
        expected.shape,
        index,
        float(given[index]),
        float(expected[index]),
        float(allowed[index]),
        float(share[index]),
    )
