"""A submission's own conventions: what it is handed is put into them, what it answers is put back into the notes'.

All that a submission may declare of its conventions is here, so that whoever draws, judges or explains knows the notes' alone:
weights (n_prev, n), examples as columns, another factor before the squared error, no biases, a term λ Σ w² in the loss, and
a step in place of a gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from verification.submissions.description import Array, Description
from verification.submissions.support import L2_FORMS, SQUARED_ERRORS, Support

# What has a column for each example, where examples are columns. Softmax's Jacobians have no such form.
OF_EXAMPLES = ("x", "z", "a", "dL_da", "da_dz", "dL_dz")
# What a factor before the loss changes.
OF_THE_LOSS = ("loss", "x", "dL_da", "dL_dz", "w", "b", "alpha")
# Rates so large that θ drowns in θ − rate · dL/dθ and dL/dθ keeps its digits, and powers of two, so that dividing is exact.
LARGE_RATES = {"float64": 2.0**80, "float32": 2.0**40}
# By how many roundings an answer may be off more for each of these: the author's own, and those of putting it back.
ROUNDINGS = 4


def _kind(name: str) -> str:
    return name.rstrip("0123456789")


def handed_over(network: Description, x: Array, y: Array | None, support: Support) -> tuple[Description, Array, Array | None]:
    """Return a network with its data in a submission's conventions, in the same memory.

    Parameters
    ----------
    network : Description
        By the notes' conventions.
    x, y : ndarray
        One example or a batch; y may be missing.
    support : Support
        What the submission declares.

    Returns
    -------
    tuple
        Views: what is done to the arrays is done to the given ones.
    """
    if support.keeps_the_notes:
        return network, x, y
    columns = support.examples == "columns"
    weights = [w.T for w in network.weights] if support.weights == "in-out" else network.weights
    biases = [b[:, None] for b in network.biases] if columns else network.biases
    loss = support.squared_error if network.loss == "squared_error" else network.loss
    told = replace(network, weights=[*weights], biases=[*biases], loss=loss, l2=support.l2)
    if not columns:
        return told, x, y
    # Class indices stay as they are.
    return told, _as_columns(x), y if y is None or y.ndim < x.ndim else _as_columns(y)


def _as_columns(array: Array) -> Array:
    return array[:, None] if array.ndim == 1 else array.T


def laid_out(shapes: Mapping[str, tuple[int, ...]], support: Support) -> dict[str, tuple[int, ...]]:
    """Return name → shape of an answer as a submission lays it out."""
    return {name: _shape(name, shape, support) for name, shape in shapes.items()}


def _shape(name: str, shape: tuple[int, ...], support: Support) -> tuple[int, ...]:
    kind = _kind(name)
    if kind == "w" and support.weights == "in-out":
        return shape[::-1]
    if support.examples == "columns" and (kind == "b" or (kind in OF_EXAMPLES and len(shape) == 1)):
        return (*shape, 1)
    if support.examples == "columns" and kind in OF_EXAMPLES and len(shape) == 2:
        return shape[::-1]
    return shape


def turned_back(arrays: Mapping[str, Array], network: Description, x: Array, support: Support) -> dict[str, Array]:
    """Return an answer in the shapes of the notes' conventions, each number as it came.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        As `laid_out` says.
    network : Description
        What was asked about, by the notes' conventions.
    x : ndarray
        The inputs, likewise.
    support : Support
        What the submission declares.

    Returns
    -------
    dict of str to ndarray
        Views. What belongs to biases that it does not have is 0.
    """
    jacobians = {f"da_dz{number}" for number, g in enumerate(network.activations, start=1) if g == "softmax"}
    found = {name: array if name in jacobians else _turned(name, array, x, support) for name, array in arrays.items()}
    if not support.biases:
        found |= {f"b{number}": np.zeros_like(b) for number, b in enumerate(network.biases, start=1)}
    return found


def counted_back(arrays: Mapping[str, Array], network: Description, x: Array, support: Support) -> dict[str, Array]:
    """Return an answer without the submission's factor before the loss, and without its term of l2.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        From `turned_back`.
    network, x, support
        As there.

    Returns
    -------
    dict of str to ndarray
        By the notes' conventions, up to some roundings: see `room`.
    """
    factor, share = factor_of(network, support), l2_share(network, x, support)
    found = dict(arrays)
    with np.errstate(all="ignore"):
        for name, array in arrays.items():
            term = _l2_term(name, network, share)
            if term is not None:
                found[name] = np.asarray(array - term, array.dtype)
            if factor != 1 and _kind(name) in OF_THE_LOSS:
                found[name] = np.asarray(found[name] * factor, array.dtype)
    return found


def of_what_it_has(arrays: Mapping[str, Array], support: Support) -> Mapping[str, Array]:
    """Return an answer without the derivatives by biases that a submission does not have."""
    if support.biases:
        return arrays
    return {name: array for name, array in arrays.items() if _kind(name) != "b"}


def _turned(name: str, array: Array, x: Array, support: Support) -> Array:
    kind = _kind(name)
    if kind == "w" and support.weights == "in-out":
        return array.T
    if support.examples == "columns" and kind == "b":
        return array[:, 0]
    if support.examples == "columns" and kind in OF_EXAMPLES and array.ndim == 2:
        return array[:, 0] if x.ndim == 1 else array.T
    return array


def factor_of(network: Description, support: Support) -> int:
    """Return how often the submission's loss makes the notes': 2 for ½ Σ (a − y)²; 1 but for a squared error."""
    if network.loss != "squared_error":
        return 1
    return SQUARED_ERRORS[support.squared_error] or network.widths[-1]


def l2_share(network: Description, x: Array, support: Support) -> float:
    """Return the number before w in the derivative of the term of l2; 0 without one."""
    if not support.l2 or support.l2_form is None:
        return 0.0
    examples = len(x) if x.ndim == 2 and support.l2_form.endswith("/N") else 1
    return L2_FORMS[support.l2_form] * support.l2 / examples


def _l2_term(name: str, network: Description, share: float) -> Array | float | None:
    """Return what the term of l2 adds to a quantity; None for nothing."""
    if not share:
        return None
    if name == "loss":
        return share / 2 * sum(float((w.astype(float) ** 2).sum()) for w in network.weights)
    if _kind(name) != "w":
        return None
    w = network.weights[int(name.removeprefix("w")) - 1]
    return np.asarray(w.dtype.type(share) * w)


def in_own_terms(name: str, index: tuple[int, ...], value: float, network: Description, x: Array, support: Support) -> float:
    """Return one number of an answer, put back, as the submission gave it."""
    term = _l2_term(name, network, l2_share(network, x, support))
    number = value / factor_of(network, support) if _kind(name) in OF_THE_LOSS else value
    if term is None:
        return number
    return number + float(term[index] if isinstance(term, np.ndarray) else term)


def own_index(name: str, index: tuple[int, ...], support: Support) -> tuple[int, ...]:
    """Return where the submission's own array has the number at an index."""
    kind = _kind(name)
    if kind == "w" and support.weights == "in-out":
        return index[::-1]
    if support.examples == "columns" and kind in OF_EXAMPLES and len(index) == 2:
        return index[::-1]
    return index


def room(name: str, expected: Array, network: Description, x: Array, support: Support, *, steps: bool) -> Array | float:
    """Return by how much an answer may be off more than one that is written by the notes' conventions.

    Parameters
    ----------
    name : str
        The quantity.
    expected : ndarray
        The right numbers.
    network : Description
        The network.
    x : ndarray
        The inputs.
    support : Support
        What the submission declares.
    steps : bool
        Whether its gradient was found from a step.

    Returns
    -------
    ndarray or float
        In units of the dtype's u; 0 where nothing is rounded besides.
    """
    factor = factor_of(network, support)
    scaled = factor not in (1, 2) and _kind(name) in OF_THE_LOSS
    term = _l2_term(name, network, l2_share(network, x, support))
    if term is None and not scaled and not steps:
        return 0.0
    sizes = np.abs(np.asarray(expected, float))
    if name == "loss" and term is not None:
        # A sum of so many squares.
        return float((ROUNDINGS + sum(w.size for w in network.weights)) * (sizes + factor * abs(float(term))))
    # What is rounded beside the term is multiplied with the rest.
    of_term: Any = 0.0 if term is None else factor * np.abs(term)
    parameter = network.named().get(name) if steps else None
    # A tiny derivative is rounded beside the parameter in which it is then not drowned.
    beside: Any = 0.0 if parameter is None else np.abs(parameter) / LARGE_RATES[parameter.dtype.name]
    return np.asarray(ROUNDINGS * (sizes + of_term + beside))
