"""What an entry of the catalogue is: a mistake or a right variant, and the circumstances in which a mistake can show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from verification.mistakes.reference import RIGHT, Run, exchanged, gradient_with
from verification.submissions.description import Description
from verification.submissions.support import supports

# The circumstance of a mistake of a loss that must be declared.
BINARY = "binary cross-entropy"
KINDS = ("equation", "matrix", "order", "dtype", "state", "aliasing")

# A step of the protocol for classes → what the verifier does in it.
PROTOCOL = {
    "decoy": "another batch of the same size forward and backward first, then the batch itself",
    "size": "a larger batch forward and backward first, then the batch itself",
    "twice": "backward a second time with the same y",
    "kept": "what forward and backward returned, compared before and after later calls",
    "edited": "what forward returned changed by the caller before backward",
    "arrays": "the caller's x, y, weights, biases and slopes compared before and after every call",
    "step": "a step of descent, the parameters after it, and forward and backward again",
    "second step": "two steps of descent, each after its own backward",
    "instances": "a second network built between forward and backward of the first",
}


@dataclass(frozen=True)
class Mistake:
    """One classic wrong backpropagation: right but for one small thing.

    Parameters
    ----------
    name : str
        What the catalogue calls it.
    thought : str
        What the student was thinking.
    equation : int
        The equation of the notes that it breaks, 1 … 14. The mean over the examples and α's derivative count as (11),
        every activation's own g′ as (12), p − y as (2), a − y as (1).
    shows : str
        When it shows.
    submission : callable or class
        `gradient(network, x, y)`, or a class with `forward`, `backward`, `descend` and `parameters`.
    kind : str
        equation, matrix, order, dtype, state or aliasing.
    signature : str
        What is constant about the first wrong quantity: "ratio 2", "ratio 1/N", "transpose", "zero", "nan", …; else "".
    needs : tuple of str
        Names of `CIRCUMSTANCES` without all of which the mistake cannot show.
    protocol : str
        The step of `PROTOCOL` that brings it out; "" if one fresh forward and backward do.
    steps : mapping of str to callable, or None
        The steps of the reference that are exchanged for it, where it is nothing else; so that others can be made beside it.
    """

    name: str
    thought: str
    equation: int
    shows: str
    submission: Callable[..., Any]
    kind: str = "equation"
    signature: str = ""
    needs: tuple[str, ...] = ()
    protocol: str = ""
    steps: Mapping[str, Any] | None = None

    def can_show(self, network: Description, x: Any, y: Any) -> bool:
        """Say whether this network and data have everything that the mistake needs to show."""
        return all(CIRCUMSTANCES[need](network, x, y) for need in self.needs)


@dataclass(frozen=True)
class Variant:
    """A right backpropagation that differs from handgrad's in rounding or convention alone.

    Parameters
    ----------
    name : str
        What the catalogue calls it.
    what : str
        What it does in its own way.
    submission : callable or class
        As for `Mistake`.
    """

    name: str
    what: str
    submission: Callable[..., Any]


def by_step(name: str, thought: str, equation: int, shows: str, **rest: Any) -> Mistake:
    """Return the mistake that exchanges one step of the reference; the step goes by its name in `Steps`."""
    fields = {key: rest.pop(key) for key in ("kind", "signature", "needs") if key in rest}
    submission = gradient_with(exchanged(**rest))
    if BINARY in fields.get("needs", ()):
        # Nobody is asked about this loss who does not declare it.
        submission = supports(losses=["binary_cross_entropy"])(submission)
    return Mistake(name, thought, equation, shows, submission, **{"kind": "matrix", **fields}, steps=rest)


def entry_in(mistakes: list[Mistake]) -> Callable[..., Callable[[Any], Any]]:
    """Return `entry(name, thought, equation, shows, protocol, …)`, which decorates a class and adds it to the list."""

    def entry(
        name: str, thought: str, equation: int, shows: str, protocol: str, kind: str = "state", **rest: Any
    ) -> Callable[[Any], Any]:
        def catalogued(submission: Any) -> Any:
            mistakes.append(Mistake(name, thought, equation, shows, submission, kind=kind, protocol=protocol, **rest))
            return submission

        return catalogued

    return entry


def _count(x: Any) -> int:
    return 1 if np.ndim(x) == 1 else len(x)


def _is(activation: str) -> Callable[[Description, Any, Any], bool]:
    return lambda network, x, y: activation in network.activations


def _slope(wanted: Callable[[Any], Any], *activations: str) -> Callable[[Description, Any, Any], bool]:
    """Return the circumstance that a layer of one of these activations has a slope as wanted."""
    return lambda network, x, y: any(
        name in activations and bool(np.any(wanted(np.asarray(slope))))
        for name, slope in zip(network.activations, network.slopes, strict=True)
    )


def _largest_z(network: Description, x: Any) -> float:
    with np.errstate(all="ignore"):
        run = Run(network, RIGHT)
        run.forward(x)
        return float(max(np.abs(layer.z).max() for layer in run.layers))


def _full_jacobian(network: Description, x: Any, y: Any) -> bool:
    """Say whether some softmax of 2 units or more is not the one that cross-entropy joins."""
    own = network.activations[:-1] if network.loss == "cross_entropy" else network.activations
    return any(name == "softmax" and len(b) > 1 for name, b in zip(own, network.biases, strict=False))


CIRCUMSTANCES: dict[str, Callable[[Description, Any, Any], bool]] = {
    "squared error": lambda network, x, y: network.loss == "squared_error",
    "cross-entropy": lambda network, x, y: network.loss == "cross_entropy",
    BINARY: lambda network, x, y: network.loss == "binary_cross_entropy",
    "mean": lambda network, x, y: network.reduction == "mean",
    "sum": lambda network, x, y: network.reduction == "sum",
    "sigmoid": _is("sigmoid"),
    "tanh": _is("tanh"),
    "relu": _is("relu"),
    "leaky_relu": _is("leaky_relu"),
    "prelu": _is("prelu"),
    "softmax": _is("softmax"),
    "full Jacobian": _full_jacobian,
    "output not identity": lambda network, x, y: network.activations[-1] != "identity",
    "some not identity": lambda network, x, y: set(network.activations) != {"identity"},
    "activations differ": lambda network, x, y: len(set(network.activations)) > 1 or len(set(map(str, network.slopes))) > 1,
    "hidden layer": lambda network, x, y: len(network.weights) > 1,
    "batch": lambda network, x, y: _count(x) > 1,
    "one example": lambda network, x, y: np.ndim(x) == 1,
    "2 inputs": lambda network, x, y: network.weights[0].shape[1] > 1,
    "2 outputs": lambda network, x, y: len(network.biases[-1]) > 1,
    "2 units into a layer": lambda network, x, y: any(w.shape[1] > 1 for w in network.weights),
    "2 units in a layer": lambda network, x, y: any(w.shape[0] > 1 for w in network.weights),
    "a width of 1": lambda network, x, y: any(min(w.shape) == 1 for w in network.weights),
    "2 units in some layer": lambda network, x, y: any(max(w.shape) > 1 for w in network.weights),
    "float32": lambda network, x, y: network.weights[0].dtype == np.float32,
    "float64": lambda network, x, y: network.weights[0].dtype == np.float64,
    "integers in x": lambda network, x, y: np.asarray(x).dtype.kind in "iu",
    "bytes in x": lambda network, x, y: np.asarray(x).dtype == np.uint8,
    "column-major x": lambda network, x, y: not np.asarray(x).flags.c_contiguous,
    "numbers in y": lambda network, x, y: np.asarray(y).dtype.kind == "f",
    "integers in y": lambda network, x, y: np.asarray(y).dtype.kind in "iu",
    "unsigned y": lambda network, x, y: np.asarray(y).dtype.kind == "u",
    "class indices": lambda network, x, y: np.ndim(y) < np.ndim(x),
    "soft labels": lambda network, x, y: np.ndim(y) == np.ndim(x) and not (np.asarray(y) == 1).any(axis=-1).all(),
    "y between 0 and 1": lambda network, x, y: bool(((np.asarray(y) > 0) & (np.asarray(y) < 1)).any()),
    "a class for certain": lambda network, x, y: np.ndim(y) < np.ndim(x) or bool((np.asarray(y) == 1).any()),
    "slope below 0": _slope(lambda slope: slope < 0, "leaky_relu", "prelu"),
    "slope not 0": _slope(lambda slope: slope != 0, "leaky_relu", "prelu"),
    "slope above 1": _slope(lambda slope: slope > 1, "leaky_relu", "prelu"),
    "leaky slope not 0.01": _slope(lambda slope: slope != 0.01, "leaky_relu"),
    "alpha not 0.25": _slope(lambda slope: slope != 0.25, "prelu"),
    "shared alpha": _slope(lambda slope: slope.ndim == 0, "prelu"),
    "alpha a unit": _slope(lambda slope: slope.size > 1, "prelu"),
    "|z| above 10": lambda network, x, y: _largest_z(network, x) > 10,
    "|z| above 80": lambda network, x, y: _largest_z(network, x) > 80,
}
