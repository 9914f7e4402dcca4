"""compare(): every gradient and every intermediate of handgrad against torch.autograd, named and measured against its bound."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

import handgrad as hg
from verification.autograd.oracles import autograd, of_module
from verification.autograd.twins import from_torch
from verification.autograd.written import written_out
from verification.bounds.analysis import both_bounds
from verification.bounds.entries import Entry, entries
from verification.bounds.quantities import equation_of, of_gradient, quantities, without_batch_axis
from verification.random_networks.plain import plain_case

Array = npt.NDArray[Any]
# handgrad's tellings of backpropagation: what gives every quantity by name, and whether it takes the stable forms.
TELLINGS: Mapping[str, tuple[Callable[[hg.Network, Any, Any], dict[str, Array]], bool]] = {
    # The gradient is the one that users call for; it forms no intermediates to hand out.
    "matrix": (lambda net, x, y: net.trace(x, y).named() | of_gradient(net.gradient(x, y)), True),
    "trace": (lambda net, x, y: quantities(net.trace(x, y)), True),
    "literal": (lambda net, x, y: quantities(hg.literal.trace(net, x, y)), False),
    "chain": (lambda net, x, y: quantities(hg.literal.chain(net, x, y)), False),
    "written out": (written_out, True),
}


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


def compare(
    net: hg.Network | nn.Module,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    loss: str | None = None,
    reduction: str | None = None,
    telling: str = "matrix",
) -> Report:
    """Compare every gradient, every intermediate and the loss with `torch.autograd`.

    Parameters
    ----------
    net : handgrad.Network or nn.Module
        The network; or a torch module that `from_torch` takes. Of a module a copy is called as it is: its own parameters'
        gradients, dL/dx and the loss are compared with those of `from_torch(module)`; the intermediates, and the derivative by
        a bias that it has not, with those of the same layers. The derivative by what takes no part in the loss is 0.
    x, y : array_like
        One example or a batch, as the network takes them; tensors, too.
    loss, reduction : str, optional
        As for `from_torch`, of a module alone: "squared_error" and "mean" unless given. A network has its own.
    telling : str
        "matrix" (`net.gradient`, and the intermediates of `net.trace`), "trace" (all of `net.trace`), "literal"
        (`handgrad.literal.trace`), "chain" (`handgrad.literal.chain`), or "written out" (the program of
        `handgrad.written_out`, for one example).

    Returns
    -------
    Report
        Shapes and dtypes are compared first, then every number.

    Raises
    ------
    TypeError, ValueError
        As `net.trace` for bad data, as `from_torch` for a module; ValueError for an unknown telling.

    Examples
    --------
    >>> net = hg.Network([hg.Dense([[1.0]], [0.5], "relu")])
    >>> compare(net, [1.0], [1.0]).ok
    True
    >>> compare(nn.Sequential(nn.Flatten(), nn.Linear(2, 3)), np.ones((4, 2)), [0, 1, 2, 0], loss="cross_entropy").ok
    True
    """
    module = net if isinstance(net, nn.Module) else None
    net = _network(net, loss, reduction)
    tell, stable = TELLINGS[hg.checks.one_of("telling", telling, TELLINGS)]
    # A number that overflows is reported as not comparable; NumPy need not warn of it too.
    with np.errstate(all="ignore"):
        given = tell(net, x, y)
    asked = plain_case(net, x, y)
    # Also for a caller who evaluates a module without gradients.
    with torch.inference_mode(False), torch.enable_grad():
        expected, of_forms = autograd(asked), both_bounds(asked)
        if module is not None:
            expected |= of_module(module, asked)
    allowed = {name: of_forms[0 if stable else 1][name] + of_forms[1][name] for name in expected}
    if hg.checks.real_array("x", x).ndim == 1:
        expected, allowed = without_batch_axis(expected), without_batch_axis(allowed)
    layers = len(net.layers)
    arrays = [(name, equation_of(name, layers, asked), given.get(name), expected[name], allowed[name]) for name in expected]
    return Report(repr(net), telling, entries(arrays))


def _network(net: object, loss: str | None, reduction: str | None) -> hg.Network:
    """Return the network that is compared: itself, or a module's."""
    if isinstance(net, nn.Module):
        return from_torch(
            net, loss="squared_error" if loss is None else loss, reduction="mean" if reduction is None else reduction
        )
    hg.checks.instance("net", net, hg.Network, "a handgrad Network or an nn.Module")
    assert isinstance(net, hg.Network)
    for name, value in {"loss": loss, "reduction": reduction}.items():
        if value is not None:
            raise TypeError(f"{name} is an argument of a module alone; {net} has its own; got {name}={value!r}")
    return net


def assert_matches_autograd(
    net: hg.Network | nn.Module,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    loss: str | None = None,
    reduction: str | None = None,
    telling: str = "matrix",
) -> None:
    """Raise an AssertionError with the whole report unless handgrad and `torch.autograd` agree.

    Parameters
    ----------
    net, x, y, loss, reduction, telling
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
    report = compare(net, x, y, loss=loss, reduction=reduction, telling=telling)
    if not report.ok:
        raise AssertionError(str(report))
