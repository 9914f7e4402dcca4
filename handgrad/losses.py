"""The notes' losses: L_i of each example, and beside it the derivative that starts the way back.

Squared error (10) starts it at the activations, with (4). The cross-entropies start it at the logits, joined with the output
before them: that of classes (1)–(2) with softmax, dL/dz = p − y; the binary one, (1) for each unit, with the sigmoid,
dL/dz = a − y. All are per example; the network divides by N for the mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.activations import sigmoid, sum_of_others

__all__ = [
    "JOINED",
    "LOSSES",
    "REDUCTIONS",
    "binary_cross_entropy",
    "binary_cross_entropy_derivative",
    "cross_entropy",
    "cross_entropy_derivative",
    "joined_derivative",
    "reduced",
    "squared_error",
    "squared_error_derivative",
]

Array = npt.NDArray[Any]

LOSSES = ("squared_error", "cross_entropy", "binary_cross_entropy")
# The output that a loss is joined with, so that the way back starts at z; it follows no other.
JOINED = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}
REDUCTIONS = ("mean", "sum")


def squared_error(a: Array, y: Array) -> Array:
    """Return L_i = Σ_j (a_j − y_j)², (N,), from activations and targets (N, n) (10)."""
    return np.asarray(((a - y) ** 2).sum(axis=-1))


def squared_error_derivative(a: Array, y: Array) -> Array:
    """Return dL_i/da = 2 (a − y), (N, n) (4)."""
    return 2 * (a - y)


def cross_entropy(z: Array, y: Array) -> Array:
    """Return L_i = −Σ_k y_k log p_k, (N,), from logits and distributions (N, C); with one y_k = 1 it is (2).

    −log p_k is written as the sum of two numbers that are never negative, so that neither a loss near 0 nor one of 10³⁰⁰
    loses digits: how far logit k lies below the largest, and the logarithm of 1 + the other powers.
    """
    largest = np.arange(z.shape[-1]) == z.argmax(axis=-1)[..., None]
    with np.errstate(over="ignore"):
        below = z.max(axis=-1, keepdims=True) - z
        others = np.where(largest, 0, np.exp(-below))
        minus_log_p = below + np.log1p(others.sum(axis=-1, keepdims=True))
        # Where y_k = 0 the term is 0, even if the logits lie so far apart that −log p_k overflows.
        return np.asarray((y * np.where(y > 0, minus_log_p, 0)).sum(axis=-1))


def cross_entropy_derivative(p: Array, y: Array) -> Array:
    """Return dL_i/dz = p − y, (N, C), the softmax before the loss included.

    Since p and y sum to 1 it equals p_k Σ_{j≠k} y_j − y_k Σ_{j≠k} p_j, which keeps the digits that 1 − p loses at the
    true class, and is the derivative of the loss above for a y whose sum is off by a rounding, too.
    """
    return np.asarray(p * sum_of_others(y) - y * sum_of_others(p))


def binary_cross_entropy(z: Array, y: Array) -> Array:
    """Return L_i = −Σ_j [y_j log a_j + (1 − y_j) log(1 − a_j)], (N,), from logits and targets 0 … 1, (N, n): (1) for each unit.

    A term is max(z, 0) − y z + log(1 + e^{−|z|}), whose first two are |z| times how far y is from the side that z is on: a sum
    of two numbers that are never negative.
    """
    distance = np.where(z > 0, 1 - y, y)
    return np.asarray((np.abs(z) * distance + np.log1p(np.exp(-np.abs(z)))).sum(axis=-1))


def binary_cross_entropy_derivative(z: Array, y: Array) -> Array:
    """Return dL_i/dz = a − y, (N, n), from logits, the sigmoid before the loss included.

    It equals a (1 − y) − y (1 − a) with 1 − a = g(−z), which keeps the digits that a − y loses where a is right.
    """
    return _a_minus_y(z, sigmoid(z), y)


def _a_minus_y(z: Array, a: Array, y: Array) -> Array:
    return np.asarray(a * (1 - y) - y * sigmoid(-z))


def joined_derivative(loss: str, z: Array, a: Array, y: Array) -> Array:
    """Return dL_i/dz, (N, n_L), of a loss that is joined with its output, from logits, activations and targets."""
    return _a_minus_y(z, a, y) if loss == "binary_cross_entropy" else cross_entropy_derivative(a, y)


def reduced(loss: str, reduction: str, z: Array, a: Array, y: Array) -> float:
    """Return L, the mean or sum of the examples' L_i, from logits and activations of the output layer and targets (N, n_L)."""
    match loss:
        case "cross_entropy":
            of_examples = cross_entropy(z, y)
        case "binary_cross_entropy":
            of_examples = binary_cross_entropy(z, y)
        case _:
            of_examples = squared_error(a, y)
    total = of_examples.sum()
    return float(total / of_examples.dtype.type(len(of_examples)) if reduction == "mean" else total)
