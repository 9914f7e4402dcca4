"""The notes' losses: L_i of each example, and beside it the derivative that starts the way back.

Squared error (10) starts it at the activations, with (4). Cross-entropy (1)–(2) starts it at the logits, joined with the
softmax before it: dL/dz = p − y. Both are per example; the network divides by N for the mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.activations import sum_of_others

__all__ = [
    "LOSSES",
    "REDUCTIONS",
    "cross_entropy",
    "cross_entropy_derivative",
    "reduced",
    "squared_error",
    "squared_error_derivative",
]

Array = npt.NDArray[Any]

LOSSES = ("squared_error", "cross_entropy")
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


def reduced(loss: str, reduction: str, z: Array, a: Array, y: Array) -> float:
    """Return L, the mean or sum of the examples' L_i, from logits and activations of the output layer and targets (N, n_L)."""
    of_examples = cross_entropy(z, y) if loss == "cross_entropy" else squared_error(a, y)
    return float(of_examples.mean() if reduction == "mean" else of_examples.sum())
