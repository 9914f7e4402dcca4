"""The quantities of one pass by name: "z1", "a1", …, "loss", "dL_da2", "da_dz2", "dL_dz2", "w2", "b2", "alpha2", …, "x"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from verification.random_networks.plain import PlainCase

Array = npt.NDArray[Any]
# What has a batch axis: all but the parameters' derivatives and the loss.
BATCHED = ("z", "a", "dL_da", "da_dz", "dL_dz", "x")
# The kinds whose derivatives make up ∇L.
PARAMETERS = ("w", "b", "alpha")


def kind_of(name: str) -> str:
    """Return a quantity's name without its layer's number."""
    return name.rstrip("0123456789")


def is_derivative(name: str) -> bool:
    """Say whether it is a derivative with respect to a parameter: "w1", "b2", "alpha1"."""
    return kind_of(name) in PARAMETERS


def quantities(trace: hg.Trace) -> dict[str, Array]:
    """Return every array of a trace under the oracles' names."""
    return trace.named() | of_gradient(trace.gradient)


def of_gradient(g: hg.Gradient) -> dict[str, Array]:
    """Return every derivative of a gradient, and its loss, under the same names."""
    arrays = g.named() | {"loss": np.asarray(g.loss)}
    return arrays if g.x is None else arrays | {"x": g.x}


def without_batch_axis(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays of one example: those with a batch axis, of length 1, lose it."""
    return {name: array[0] if kind_of(name) in BATCHED else array for name, array in arrays.items()}


def equation_of(name: str, layers: int, asked: PlainCase) -> str:
    """Return the number of the equation that gives a quantity, as the notes print it: "(11)"."""
    kind = kind_of(name)
    output = name == f"{kind}{layers}"
    match kind:
        case "z":
            return "(8)"
        case "a":
            return "(9)"
        case "loss":
            of_classes = "(1)" if asked.indices else "(2)"
            return {"squared_error": "(10)", "cross_entropy": of_classes, "binary_cross_entropy": "(1)"}[asked.loss]
        case "dL_da":
            return "(4)" if output else "(14)"
        case "da_dz":
            return "(12)"
        case "dL_dz":
            joined = {"cross_entropy": "p - y", "binary_cross_entropy": "a - y"} if output else {}
            return joined.get(asked.loss, "(12) dL/da")
        case "w":
            return "(11), (13)"
        case "b":
            return "(11), (7)"
        case "alpha":
            return "dL/dalpha"
        case _:
            return "(14)"
