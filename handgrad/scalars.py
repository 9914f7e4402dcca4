"""The notes' activation functions of one number, each with its derivative beside it, for the literal form.

The sigmoid has none here: its derivative is (5) and (12). tanh's is written in the same letters, 1 − g².
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, tanh

__all__ = ["SCALARS", "Scalar", "leaky", "sigmoid", "softmax"]


@dataclass(frozen=True)
class Scalar:
    """g(z) and g′(z) of one unit; `derivative` is None where an equation of the notes gives it."""

    g: Callable[[float], float]
    derivative: Callable[[float], float] | None


def sigmoid(z: float) -> float:
    """Return g(z) = 1 / (1 + e^{−z})."""
    # e^{-z} overflows for z < -709; there the same quotient is taken times e^z.
    return 1 / (1 + exp(-z)) if z >= 0 else exp(z) / (1 + exp(z))


def leaky(slope: float) -> Scalar:
    """Return the leaky ReLU with this slope for z < 0."""
    return Scalar(lambda z: z if z > 0 else slope * z, lambda z: 1.0 if z > 0 else slope)


# The slope for z < 0, which only the leaky ones use → g and g′.
SCALARS: dict[str, Callable[[float], Scalar]] = {
    "identity": lambda slope: Scalar(lambda z: z, lambda z: 1.0),
    "sigmoid": lambda slope: Scalar(sigmoid, None),
    "tanh": lambda slope: Scalar(tanh, lambda z: 1 - tanh(z) ** 2),
    "relu": lambda slope: Scalar(lambda z: max(z, 0.0), lambda z: 1.0 if z > 0 else 0.0),
    "leaky_relu": leaky,
    "prelu": leaky,
}


def softmax(z: Sequence[float]) -> list[float]:
    """Return e^{z_j} / Σ e^{z_i} for every j; the largest z is taken from all, which changes no quotient."""
    largest = max(z)
    powers = [exp(z_j - largest) for z_j in z]
    total = sum(powers)
    return [power / total for power in powers]
